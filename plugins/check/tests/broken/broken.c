/* The example engine with one thing wrong, chosen by -DBROKEN_...: what the harness must find. */

#define einthoven_plugin_entry_v1 sound_entry
#include "../../../examples/engine-c/gain.c"
#undef einthoven_plugin_entry_v1

#include <math.h>
#include <pthread.h>
#include <time.h>

static einthoven_engine_api broken_api;
static einthoven_plugin broken_description;

static void wait_ms(long ms) {
    struct timespec span = { ms / 1000, (ms % 1000) * 1000000 };
    nanosleep(&span, NULL);
}

#if defined(BROKEN_NULL_HANDLE)
static int32_t broken_load(void *e, const einthoven_model_package *p, const einthoven_report *r, void **out) {
    (void)e, (void)p, (void)r;
    *out = NULL;
    return EINTHOVEN_OK;
}
#elif defined(BROKEN_LEAK)
static int32_t broken_load(void *e, const einthoven_model_package *p, const einthoven_report *r, void **out) {
    static char *volatile last;
    last = malloc(16384);
    memset(last, 1, 16384);
    return load(e, p, r, out);
}
#elif defined(BROKEN_SILENT)
static int32_t broken_load(void *e, const einthoven_model_package *p, const einthoven_report *r, void **out) {
    (void)r;
    return load(e, p, NULL, out);
}
#endif

#if defined(BROKEN_DOUBLE_FREE)
static void broken_unload(void *model) {
    void *volatile hidden = model;
    free(model);
    free(hidden);
}
#endif

#if defined(BROKEN_DTYPE)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    void *buffer = NULL;
    (void)model;
    return call->output(call->ctx, text("y"), EINTHOVEN_I64, call->inputs[0].dims, 2, &buffer);
}
#elif defined(BROKEN_SHAPE)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    int64_t dims[2] = { call->inputs[0].dims[0] + 1, call->inputs[0].dims[1] };
    void *buffer = NULL;
    (void)model;
    return call->output(call->ctx, text("y"), EINTHOVEN_F32, dims, 2, &buffer);
}
#elif defined(BROKEN_TRUSTS_DTYPE)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    einthoven_tensor x = { { NULL, 0 }, NULL, 0, NULL, 0, 0 };
    if (!WHOLE(call) || call->inputs == NULL || call->input_count == 0) {
        return execute(model, call);
    }
    x = call->inputs[0];
    x.dtype = EINTHOVEN_F32;
    x.len = x.rank == 2 ? (uint64_t)(x.dims[0] * x.dims[1]) * sizeof(float) : x.len;
    if (call->inputs[0].dtype == EINTHOVEN_F32 || x.len > call->inputs[0].len) {
        return execute(model, call);
    }
    einthoven_call believed = *call;
    believed.inputs = &x;
    return execute(model, &believed);
}
#elif defined(BROKEN_SEGFAULT)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    (void)model, (void)call;
    return *(volatile int32_t *)16;
}
#elif defined(BROKEN_ABORT)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    (void)model, (void)call;
    abort();
}
#elif defined(BROKEN_EXIT)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    (void)model, (void)call;
    exit(0);
}
#elif defined(BROKEN_HANG)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    static volatile int forever = 1;
    (void)model, (void)call;
    while (forever) {
        wait_ms(1000);
    }
    return EINTHOVEN_OK;
}
#elif defined(BROKEN_WHOLE_BATCH)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    const einthoven_tensor *x = WHOLE(call) && call->inputs ? call->inputs : NULL;
    for (uint64_t i = 0; x != NULL && x->data != NULL && i < x->len / sizeof(float); i++) {
        if (!isfinite(((const float *)x->data)[i])) {
            return fail(call, EINTHOVEN_INVALID_ARGUMENT, "a value is not finite");
        }
    }
    return execute(model, call);
}
#elif defined(BROKEN_SHARED)
#define BROKEN_EXECUTE
static float shared[WIDEST];
static int32_t broken_execute(void *model, const einthoven_call *call) {
    einthoven_tensor x = call->inputs[0];
    memcpy(shared, x.data, x.len);
    wait_ms(1);
    x.data = shared;
    einthoven_call copy = *call;
    copy.inputs = &x;
    return execute(model, &copy);
}
#elif defined(BROKEN_DEAF)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    wait_ms(call->cancelled(call->ctx) ? 6000 : 0);
    return execute(model, call);
}
#elif defined(BROKEN_LATE)
#define BROKEN_EXECUTE
static void *calls_late(void *call) {
    wait_ms(100);
    einthoven_call *kept = call;
    kept->cancelled(kept->ctx);
    return NULL;
}
static int32_t broken_execute(void *model, const einthoven_call *call) {
    pthread_t thread;
    einthoven_call *kept = malloc(sizeof *kept);
    *kept = *call;
    pthread_create(&thread, NULL, calls_late, kept);
    pthread_detach(thread);
    return execute(model, call);
}
#elif defined(BROKEN_IGNORES_SIZE)
#define BROKEN_EXECUTE
static int32_t broken_execute(void *model, const einthoven_call *call) {
    einthoven_call copy = *call;
    copy.struct_size = sizeof copy;
    return execute(model, &copy);
}
#endif

#if defined(BROKEN_VERSION)
#define ENTRY einthoven_plugin_entry_v2
#else
#define ENTRY einthoven_plugin_entry_v1
#endif
__attribute__((visibility("default"))) int32_t ENTRY(const einthoven_host *host, const einthoven_plugin **out);

int32_t ENTRY(const einthoven_host *host, const einthoven_plugin **out) {
    const einthoven_plugin *sound = NULL;
    int32_t status = sound_entry(host, out == NULL ? NULL : &sound);
    if (status != EINTHOVEN_OK) {
        return status;
    }
    broken_api = *(const einthoven_engine_api *)sound->api;
    broken_description = *sound;
    broken_description.api = &broken_api;
#if defined(BROKEN_NEWER_HOST)
    broken_description.requires_host_minor = 7;
#elif defined(BROKEN_SHORT)
    broken_description.struct_size = 40;
#elif defined(BROKEN_SHORT_TABLE)
    broken_api.struct_size = 64;
#elif defined(BROKEN_NULL_FUNCTION)
    broken_api.provider = NULL;
#elif defined(BROKEN_NULL_HANDLE) || defined(BROKEN_LEAK) || defined(BROKEN_SILENT)
    broken_api.load = broken_load;
#elif defined(BROKEN_DOUBLE_FREE)
    broken_api.unload = broken_unload;
#endif
#if defined(BROKEN_EXECUTE)
    broken_api.execute = broken_execute;
#endif
    (void)wait_ms;
    *out = &broken_description;
    return EINTHOVEN_OK;
}
