/* An example reader in C99; README.md says what its files look like. */

#include "einthoven_reader.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define HEADER 16
#define NAME 8
#define MOST_LEADS 64
#define INVALID (-32768)

#define TEXT(literal) { literal, sizeof(literal) - 1 }

static const unsigned char magic[] = { 'M', 'I', 'C', 'R', 'O', 'V', '1', '\n' };

static einthoven_str text(const char *words) {
    einthoven_str str = { words, strlen(words) };
    return str;
}

/* Whoever is called looks no further into a struct than its struct_size; version 1.0 is the shortest there is. */
#define WHOLE(ptr) ((ptr) != NULL && (ptr)->struct_size >= sizeof *(ptr))

static uint32_t unsigned_at(const unsigned char *bytes, int width) {
    uint32_t value = 0;
    while (width-- > 0) {
        value = value << 8 | bytes[width];
    }
    return value;
}

/* The first file of the format, or null. */
static const einthoven_input_file *ours(const einthoven_input_file *files, uint64_t count) {
    for (uint64_t i = 0; files != NULL && i < count; i++) {
        if (files[i].data != NULL && files[i].len >= HEADER && memcmp(files[i].data, magic, sizeof magic) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

/* The reader needs no state; its handle only has to be something. */
static char reader;

static int32_t open_reader(const einthoven_setup *setup, const einthoven_report *report, void **out) {
    if (setup == NULL || out == NULL) {
        if (WHOLE(report) && report->set_error != NULL) {
            report->set_error(report->ctx, text("the setup is null"));
        }
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    *out = &reader;
    return EINTHOVEN_OK;
}

static void close_reader(void *handle) {
    (void)handle;
}

static uint32_t recognises(void *handle, const einthoven_input_file *files, uint64_t count) {
    return handle != NULL && ours(files, count) != NULL;
}

static int32_t fail(const einthoven_read *call, int32_t status, const char *why) {
    if (call->set_error != NULL) {
        call->set_error(call->ctx, text(why));
    }
    return status;
}

/* A name without the spaces at its end; its length is 0 when it is not printable ASCII. */
static einthoven_str name_at(const unsigned char *bytes) {
    einthoven_str name = { (const char *)bytes, NAME };
    while (name.len > 0 && bytes[name.len - 1] == ' ') {
        name.len--;
    }
    for (uint64_t i = 0; i < name.len; i++) {
        if (bytes[i] < ' ' || bytes[i] > '~') {
            name.len = 0;
        }
    }
    return name;
}

static int32_t read_recording(void *handle, const einthoven_read *call) {
    if (handle == NULL || !WHOLE(call) || call->begin == NULL || call->lead == NULL) {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    const einthoven_input_file *file = ours(call->files, call->file_count);
    if (file == NULL) {
        return fail(call, EINTHOVEN_INVALID_ARGUMENT, "no file begins with `MICROV1` and a whole header");
    }
    if (call->record.len > 0) {
        return fail(call, EINTHOVEN_NOT_FOUND, "a file of this format holds one recording; do not name one");
    }
    const unsigned char *bytes = file->data;
    uint32_t rate = unsigned_at(bytes + 8, 4);
    uint32_t leads = unsigned_at(bytes + 12, 2);
    if (rate == 0 || leads == 0 || leads > MOST_LEADS) {
        return fail(call, EINTHOVEN_INVALID_ARGUMENT,
                    "the header must say a sampling rate above 0 and 1 to 64 leads");
    }
    uint64_t start = HEADER + (uint64_t)leads * NAME;
    uint64_t frame = (uint64_t)leads * 2;
    if (file->len <= start || (file->len - start) % frame != 0) {
        return fail(call, EINTHOVEN_INVALID_ARGUMENT, "the file has no samples or ends within one; is it complete?");
    }
    uint64_t samples = (file->len - start) / frame;
    /* Nothing of the file names the recording, so it has no name of its own. */
    int32_t status = call->begin(call->ctx, text(""), rate / 1000.0);
    if (status != EINTHOVEN_OK) {
        return fail(call, status, "the host refuses the recording");
    }
    for (uint32_t lead = 0; lead < leads; lead++) {
        einthoven_str name = name_at(bytes + HEADER + (size_t)lead * NAME);
        if (name.len == 0) {
            return fail(call, EINTHOVEN_INVALID_ARGUMENT, "a lead's name is empty or not ASCII");
        }
        float *out = NULL;
        status = call->lead(call->ctx, name, samples, -32.767f, 32.767f, &out);
        if (status != EINTHOVEN_OK || out == NULL) {
            return fail(call, status == EINTHOVEN_OK ? EINTHOVEN_INTERNAL : status, "the host refuses a lead");
        }
        const unsigned char *sample = bytes + start + (size_t)lead * 2;
        for (uint64_t i = 0; i < samples; i++, sample += frame) {
            int32_t value = (int32_t)unsigned_at(sample, 2);
            value = value >= 32768 ? value - 65536 : value;
            out[i] = value == INVALID ? NAN : (float)value / 1000.0f;
        }
    }
    return EINTHOVEN_OK;
}

static const einthoven_reader_api api = {
    sizeof(einthoven_reader_api), EINTHOVEN_ABI_MINOR, open_reader, close_reader, recognises, read_recording,
};

static const einthoven_str formats[] = { TEXT("uv") };

static const einthoven_plugin description = {
    sizeof(einthoven_plugin),
    EINTHOVEN_ABI_MINOR,
    0,
    EINTHOVEN_KIND_READER,
    TEXT("microvolt-c"),
    TEXT("1.0.0"),
    formats,
    1,
    TEXT(""),
    &api,
};

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int32_t einthoven_plugin_entry_v1(const einthoven_host *host, const einthoven_plugin **out) {
    if (host == NULL || out == NULL) {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    *out = &description;
    return EINTHOVEN_OK;
}
