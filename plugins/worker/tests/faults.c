/* The example engine, which does what the first value of a batch says: the faults a worker must survive. */

#define _GNU_SOURCE
#define einthoven_plugin_entry_v1 sound_entry
#include "../../examples/engine-c/gain.c"
#undef einthoven_plugin_entry_v1

#include <signal.h>
#include <time.h>
#include <unistd.h>

#define SEGFAULT 1001.0f
#define ABORT 1002.0f
#define HANG 1003.0f
#define EAT 1004.0f
#define ONCE 1005.0f
#define WAIT 1006.0f
#define LEAK 1007.0f
#define COMPUTE 1008.0f
#define LARGE 1009.0f

static einthoven_engine_api faulty_api;
static einthoven_plugin faulty_description;

/* What the thread has computed so far, in seconds. */
static double computed(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int32_t faulty_execute(void *model, const einthoven_call *call) {
    const float *values = call->inputs[0].data;
    float first = call->input_count > 0 && call->inputs[0].len >= sizeof *values ? values[0] : 0.0f;
    if (first == SEGFAULT) {
        /* A real fault: a signal that is merely raised can be taken for a mistake and ignored. */
        volatile int *volatile nowhere = NULL;
        *nowhere = 1;
    } else if (first == ABORT) {
        abort();
    } else if (first == HANG) {
        for (;;) {
            usleep(1000);
        }
    } else if (first == EAT) {
        for (;;) {
            char *volatile some = malloc(1 << 20);
            if (some == NULL) {
                abort();
            }
            memset(some, 1, 1 << 20);
        }
    } else if (first == ONCE) {
        /* Dies the first time, succeeds when it is tried again: the file says which it is. */
        const char *mark = getenv("EINTHOVEN_TEST_MARK");
        if (mark != NULL && access(mark, F_OK) != 0) {
            FILE *file = fopen(mark, "w");
            if (file != NULL) {
                fclose(file);
            }
            raise(SIGKILL);
        }
    } else if (first == WAIT) {
        /* Ends only when it is told that nobody waits. */
        while (call->cancelled(call->ctx) == 0) {
            usleep(200);
        }
        return EINTHOVEN_CANCELLED;
    }
    if (first == COMPUTE) {
        /* A tenth of a second on a processor, however long that takes. */
        for (double end = computed() + 0.1; computed() < end;) {
        }
    }
    if (first == LARGE && call->inputs[0].len > 8 * 4 * sizeof *values) {
        /* Never done with more than eight rows. */
        for (;;) {
            usleep(1000);
        }
    }
    if (first == LEAK) {
        /* Does what it is there for, and keeps a little more each time. */
        char *volatile kept = malloc(16 << 20);
        if (kept == NULL) {
            abort();
        }
        memset(kept, 1, 16 << 20);
    }
    return execute(model, call);
}

__attribute__((visibility("default"))) int32_t einthoven_plugin_entry_v1(const einthoven_host *host,
                                                                          const einthoven_plugin **out);

int32_t einthoven_plugin_entry_v1(const einthoven_host *host, const einthoven_plugin **out) {
    const einthoven_plugin *sound = NULL;
    int32_t status = sound_entry(host, &sound);
    if (status != EINTHOVEN_OK) {
        return status;
    }
    faulty_api = *(const einthoven_engine_api *)sound->api;
    faulty_api.execute = faulty_execute;
    faulty_description = *sound;
    faulty_description.api = &faulty_api;
    *out = &faulty_description;
    return EINTHOVEN_OK;
}
