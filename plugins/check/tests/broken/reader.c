/* The example reader with one thing wrong, chosen by -DBROKEN_...: what the harness must find. */

#define einthoven_plugin_entry_v1 sound_entry
#include "../../../examples/reader-c/microvolt.c"
#undef einthoven_plugin_entry_v1

#include <stdlib.h>
#include <time.h>

typedef int32_t (*lead_function)(void *, einthoven_str, uint64_t, float, float, float **);

static einthoven_reader_api broken_api;
static einthoven_plugin broken_description;

/* The last lead's buffer, and the host's function that gave it. */
static lead_function give;
static float *last;

static int32_t remembered(void *ctx, einthoven_str name, uint64_t samples, float low, float high, float **out) {
    int32_t status = give(ctx, name, samples, low, high, out);
    last = status == EINTHOVEN_OK ? *out : NULL;
    return status;
}

/* Reads, and afterwards `last` can still be written to. */
static int32_t read_and_remember(void *handle, const einthoven_read *call) {
    if (!WHOLE(call)) {
        return read_recording(handle, call);
    }
    einthoven_read copy = *call;
    last = NULL;
    give = call->lead;
    copy.lead = remembered;
    return read_recording(handle, &copy);
}

static int32_t broken_read(void *handle, const einthoven_read *call) {
#if defined(BROKEN_OTHER_SAMPLES)
    static float drift;
    int32_t status = read_and_remember(handle, call);
    if (last != NULL) {
        last[0] += drift++;
    }
    return status;
#elif defined(BROKEN_NO_LEAD)
    (void)read_and_remember;
    return handle != NULL && WHOLE(call) ? call->begin(call->ctx, text(""), 250) : EINTHOVEN_INVALID_ARGUMENT;
#elif defined(BROKEN_INFINITE)
    int32_t status = read_and_remember(handle, call);
    if (last != NULL) {
        last[0] = INFINITY;
    }
    return status;
#elif defined(BROKEN_TRUSTS_NULL)
    (void)read_and_remember;
    return *(volatile const unsigned char *)call->files[0].data == 0 ? EINTHOVEN_INTERNAL : read_recording(handle, call);
#elif defined(BROKEN_READER_IGNORES_SIZE)
    einthoven_read copy = *call;
    copy.struct_size = sizeof copy;
    return read_and_remember(handle, &copy);
#elif defined(BROKEN_WANTS_ITS_SIZE)
    if (call->struct_size != sizeof *call) {
        return fail(call, EINTHOVEN_INVALID_ARGUMENT, "the host is of another version");
    }
    return read_and_remember(handle, call);
#elif defined(BROKEN_IGNORES_REFUSAL)
    read_and_remember(handle, call);
    return EINTHOVEN_OK;
#elif defined(BROKEN_BELIEVES_UNITS)
    int32_t status = read_and_remember(handle, call);
    if (last != NULL && call->millivolts_per_unit != 0) {
        last[0] = (float)(call->millivolts_per_unit * 1e10);
    }
    return status;
#elif defined(BROKEN_READER_SILENT)
    einthoven_read copy = *call;
    copy.set_error = NULL;
    return read_and_remember(handle, &copy);
#elif defined(BROKEN_ASSERTS)
    int32_t status = read_and_remember(handle, call);
    if (status != EINTHOVEN_OK) {
        abort();
    }
    return status;
#elif defined(BROKEN_ONE_AT_A_TIME)
    static volatile int inside;
    struct timespec span = { 0, 1000000 };
    (void)read_and_remember;
    int others = inside++;
    nanosleep(&span, NULL);
    int32_t status = others > 0 ? fail(call, EINTHOVEN_UNAVAILABLE, "busy") : read_recording(handle, call);
    inside--;
    return status;
#elif defined(BROKEN_READER_LEAK)
    static char *volatile lost;
    lost = malloc(16384);
    memset(lost, 1, 16384);
    return read_and_remember(handle, call);
#else
    return read_and_remember(handle, call);
#endif
}

#if defined(BROKEN_TAKES_ALL)
static uint32_t broken_recognises(void *handle, const einthoven_input_file *files, uint64_t count) {
    (void)files;
    return handle != NULL && count > 0;
}
#endif

__attribute__((visibility("default"))) int32_t einthoven_plugin_entry_v1(const einthoven_host *host,
                                                                          const einthoven_plugin **out);

int32_t einthoven_plugin_entry_v1(const einthoven_host *host, const einthoven_plugin **out) {
    const einthoven_plugin *sound = NULL;
    int32_t status = sound_entry(host, out == NULL ? NULL : &sound);
    if (status != EINTHOVEN_OK) {
        return status;
    }
    broken_api = *(const einthoven_reader_api *)sound->api;
    broken_description = *sound;
    broken_description.api = &broken_api;
    broken_api.read = broken_read;
#if defined(BROKEN_NO_RECOGNISES)
    broken_api.recognises = NULL;
#elif defined(BROKEN_TAKES_ALL)
    broken_api.recognises = broken_recognises;
#elif defined(BROKEN_STRANGE_KIND)
    broken_description.kind = 7;
#endif
    *out = &broken_description;
    return EINTHOVEN_OK;
}
