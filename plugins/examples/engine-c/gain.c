/* An example engine in C99: y = scale * x + bias. A model file has three lines: `width 4`, `scale 0.5`, `bias 0.25`. */

#include "einthoven_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDEST 65536
#define LONGEST_FILE 1024

#define TEXT(literal) { literal, sizeof(literal) - 1 }

typedef struct gain {
    int64_t dims[2]; /* any batch, the file's width */
    float scale, bias;
    einthoven_tensor_spec input, output;
    einthoven_signature signature;
} gain;

static einthoven_str text(const char *words) {
    einthoven_str str = { words, strlen(words) };
    return str;
}

/* Whoever is called looks no further into a struct than its struct_size; version 1.0 is the shortest there is. */
#define WHOLE(ptr) ((ptr) != NULL && (ptr)->struct_size >= sizeof *(ptr))

static int32_t refuse(const einthoven_report *report, int32_t status, const char *why) {
    if (WHOLE(report) && report->set_error != NULL) {
        report->set_error(report->ctx, text(why));
    }
    return status;
}

static int same(einthoven_str a, einthoven_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, (size_t)a.len) == 0);
}

/* The engine needs no state; its handle only has to be something. */
static char engine;

static int32_t open_engine(const einthoven_setup *setup, const einthoven_report *report, void **out) {
    if (setup == NULL || out == NULL) {
        return refuse(report, EINTHOVEN_INVALID_ARGUMENT, "the setup is null");
    }
    *out = &engine;
    return EINTHOVEN_OK;
}

static void close_engine(void *handle) {
    (void)handle;
}

static einthoven_str runtime(void *handle) {
    (void)handle;
    return text("1.0.0");
}

static int32_t load(void *handle, const einthoven_model_package *package, const einthoven_report *report, void **out) {
    if (handle == NULL || !WHOLE(package) || out == NULL) {
        return refuse(report, EINTHOVEN_INVALID_ARGUMENT, "the engine or the package is null or too short");
    }
    const einthoven_model_file *file = NULL;
    for (uint64_t i = 0; package->files != NULL && i < package->file_count; i++) {
        if (same(package->files[i].name, package->entry)) {
            file = &package->files[i];
        }
    }
    if (file == NULL || file->data == NULL || file->len > LONGEST_FILE) {
        return refuse(report, EINTHOVEN_INVALID_ARGUMENT, "the model's file is missing, empty or above 1 KiB");
    }
    char content[LONGEST_FILE + 1];
    memcpy(content, file->data, (size_t)file->len);
    content[file->len] = '\0';
    long width = 0;
    float scale = 0, bias = 0;
    if (sscanf(content, "width %6ld scale %31f bias %31f", &width, &scale, &bias) != 3 || width < 1 || width > WIDEST) {
        return refuse(report, EINTHOVEN_INVALID_ARGUMENT,
                      "the model's file must say `width` (1 to 65536), `scale` and `bias`");
    }
    gain *model = calloc(1, sizeof *model);
    if (model == NULL) {
        return refuse(report, EINTHOVEN_RESOURCE_EXHAUSTED, "there is no memory for the model");
    }
    model->dims[0] = -1;
    model->dims[1] = width;
    model->scale = scale;
    model->bias = bias;
    model->input.name = text("x");
    model->input.dims = model->dims;
    model->input.rank = 2;
    model->input.dtype = EINTHOVEN_F32;
    model->output = model->input;
    model->output.name = text("y");
    model->signature.struct_size = sizeof model->signature;
    model->signature.abi_minor = EINTHOVEN_ABI_MINOR;
    model->signature.inputs = &model->input;
    model->signature.input_count = 1;
    model->signature.outputs = &model->output;
    model->signature.output_count = 1;
    *out = model;
    return EINTHOVEN_OK;
}

static const einthoven_signature *signature(void *handle) {
    gain *model = handle;
    return model == NULL ? NULL : &model->signature;
}

static void unload(void *handle) {
    free(handle);
}

/* A model never changes, so its instances share it. */
static int32_t instance(void *handle, const einthoven_device *device, const einthoven_report *report, void **out) {
    if (handle == NULL || !WHOLE(device) || out == NULL) {
        return refuse(report, EINTHOVEN_INVALID_ARGUMENT, "the model or the device is null or too short");
    }
    if (device->kind != EINTHOVEN_CPU) {
        return refuse(report, EINTHOVEN_UNAVAILABLE, "this engine computes on the cpu only");
    }
    *out = handle;
    return EINTHOVEN_OK;
}

static einthoven_str provider(void *handle) {
    (void)handle;
    return text("cpu");
}

static void release(void *handle) {
    (void)handle;
}

static int32_t fail(const einthoven_call *call, int32_t status, const char *why) {
    if (call->set_error != NULL) {
        call->set_error(call->ctx, text(why));
    }
    return status;
}

static int32_t execute(void *handle, const einthoven_call *call) {
    const gain *model = handle;
    if (model == NULL || !WHOLE(call) || call->output == NULL) {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    const einthoven_tensor *x = NULL;
    for (uint64_t i = 0; call->inputs != NULL && i < call->input_count; i++) {
        if (same(call->inputs[i].name, model->input.name)) {
            x = &call->inputs[i];
        }
    }
    if (x == NULL || x->dtype != EINTHOVEN_F32 || x->rank != 2 || x->dims == NULL || x->dims[1] != model->dims[1]) {
        return fail(call, EINTHOVEN_INVALID_ARGUMENT, "input `x` must be f32 [batch,width]");
    }
    /* Divided, not multiplied, since the product of dimensions that somebody made up may not fit. */
    uint64_t row = (uint64_t)x->dims[1] * sizeof(float);
    if (x->dims[0] < 0 || x->len % row != 0 || x->len / row != (uint64_t)x->dims[0] || (x->data == NULL && x->len > 0)) {
        return fail(call, EINTHOVEN_INVALID_ARGUMENT, "input `x` does not have the bytes that its dimensions say");
    }
    void *buffer = NULL;
    int32_t status = call->output(call->ctx, model->output.name, EINTHOVEN_F32, x->dims, 2, &buffer);
    if (status != EINTHOVEN_OK) {
        return fail(call, status, "the host refuses output `y`");
    }
    const float *from = x->data;
    float *to = buffer;
    for (int64_t item = 0; item < x->dims[0]; item++) {
        int finite = 1;
        for (int64_t i = item * x->dims[1]; i < (item + 1) * x->dims[1]; i++) {
            to[i] = model->scale * from[i] + model->bias;
            finite &= from[i] - from[i] == 0;
        }
        if (!finite && call->fail_item != NULL) {
            call->fail_item(call->ctx, (uint64_t)item, EINTHOVEN_INVALID_ARGUMENT,
                            text("`x` holds values that are not finite"));
        }
    }
    return EINTHOVEN_OK;
}

static const einthoven_engine_api api = {
    sizeof(einthoven_engine_api),
    EINTHOVEN_ABI_MINOR,
    EINTHOVEN_PARALLEL_LOAD,
    UINT64_C(1) << EINTHOVEN_F32,
    UINT64_C(1) << EINTHOVEN_CPU,
    open_engine, close_engine, runtime, load, signature, unload, instance, provider, release, execute,
};

static const einthoven_str formats[] = { TEXT("gain") };

static const einthoven_plugin description = {
    sizeof(einthoven_plugin),
    EINTHOVEN_ABI_MINOR,
    0,
    EINTHOVEN_KIND_ENGINE,
    TEXT("gain-c"),
    TEXT("1.0.0"),
    formats,
    1,
    TEXT("{\"type\": \"object\", \"additionalProperties\": false}"),
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
