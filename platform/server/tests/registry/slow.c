/* The example engine, which takes as long to load a model as the file MARK is there. */

#define _GNU_SOURCE
#define einthoven_plugin_entry_v1 quick_entry
#include "../../../../plugins/examples/engine-c/gain.c"
#undef einthoven_plugin_entry_v1

#include <unistd.h>

static einthoven_engine_api slow_api;
static einthoven_plugin slow_description;

static int32_t slow_load(void *engine, const einthoven_model_package *package, const einthoven_report *report,
                         void **out) {
    while (access(MARK, F_OK) == 0) {
        usleep(1000);
    }
    return load(engine, package, report, out);
}

__attribute__((visibility("default"))) int32_t einthoven_plugin_entry_v1(const einthoven_host *host,
                                                                          const einthoven_plugin **out);

int32_t einthoven_plugin_entry_v1(const einthoven_host *host, const einthoven_plugin **out) {
    const einthoven_plugin *quick = NULL;
    int32_t status = quick_entry(host, out == NULL ? NULL : &quick);
    if (status != EINTHOVEN_OK || out == NULL) {
        return status;
    }
    slow_api = *(const einthoven_engine_api *)quick->api;
    slow_api.load = slow_load;
    slow_description = *quick;
    slow_description.api = &slow_api;
    *out = &slow_description;
    return EINTHOVEN_OK;
}
