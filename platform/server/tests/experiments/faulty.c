/* An engine for models of rows that says N to everything. While the file MARK is there, each of its models fails as its own file says:
 * `sleep`, `crash`, `memory` or `refuse`; `late` sleeps and `shy` refuses where there is more than one row. `slow` loads only when there is no file MARK.load. */

#define _GNU_SOURCE
#define einthoven_plugin_entry_v1 gain_entry
#include "../../../../plugins/examples/engine-c/gain.c"
#undef einthoven_plugin_entry_v1

#include <unistd.h>

#define CLASSES 5

typedef struct faulty {
    char fault[16];
    einthoven_tensor_spec input, output;
    einthoven_signature signature;
} faulty;

static const int64_t ROW[3] = { -1, 1, 187 };
static const int64_t CLASS[2] = { -1, CLASSES };

static int32_t faulty_load(void *handle, const einthoven_model_package *package, const einthoven_report *report,
                           void **out) {
    if (handle == NULL || !WHOLE(package) || package->file_count == 0 || out == NULL) {
        return refuse(report, EINTHOVEN_INVALID_ARGUMENT, "there is no file");
    }
    faulty *model = calloc(1, sizeof *model);
    if (model == NULL) {
        return refuse(report, EINTHOVEN_RESOURCE_EXHAUSTED, "there is no memory for the model");
    }
    for (uint64_t i = 0; i < package->file_count; i++) {
        if (same(package->files[i].name, package->entry) && package->files[i].len < sizeof model->fault) {
            memcpy(model->fault, package->files[i].data, (size_t)package->files[i].len);
        }
    }
    while (strcmp(model->fault, "slow") == 0 && access(MARK ".load", F_OK) == 0) {
        usleep(5000);
    }
    model->input.name = text("row");
    model->input.dims = ROW;
    model->input.rank = 3;
    model->input.dtype = EINTHOVEN_F32;
    model->output.name = text("probabilities");
    model->output.dims = CLASS;
    model->output.rank = 2;
    model->output.dtype = EINTHOVEN_F32;
    model->signature.struct_size = sizeof model->signature;
    model->signature.abi_minor = EINTHOVEN_ABI_MINOR;
    model->signature.inputs = &model->input;
    model->signature.input_count = 1;
    model->signature.outputs = &model->output;
    model->signature.output_count = 1;
    *out = model;
    return EINTHOVEN_OK;
}

static const einthoven_signature *faulty_signature(void *handle) {
    faulty *model = handle;
    return model == NULL ? NULL : &model->signature;
}

static int32_t faulty_execute(void *handle, const einthoven_call *call) {
    const faulty *model = handle;
    if (model == NULL || !WHOLE(call) || call->output == NULL || call->input_count != 1) {
        return EINTHOVEN_INVALID_ARGUMENT;
    }
    if (access(MARK, F_OK) == 0) {
        if (strcmp(model->fault, "sleep") == 0) {
            sleep(10);
        } else if (strcmp(model->fault, "crash") == 0) {
            abort();
        } else if (strcmp(model->fault, "memory") == 0) {
            /* Until there is no more; then it writes where there is none. */
            volatile char *more = NULL;
            do {
                more = malloc((size_t)64 << 20);
                if (more != NULL) {
                    more[0] = 1;
                }
            } while (more != NULL);
            abort();
        } else if (strcmp(model->fault, "refuse") == 0 || (strcmp(model->fault, "shy") == 0 && call->inputs[0].dims[0] > 1)) {
            return fail(call, EINTHOVEN_INTERNAL, "it does not want to");
        } else if (strcmp(model->fault, "late") == 0 && call->inputs[0].dims[0] > 1) {
            sleep(10);
        }
    }
    const int64_t rows = call->inputs[0].dims[0];
    const int64_t dims[2] = { rows, CLASSES };
    void *buffer = NULL;
    int32_t status = call->output(call->ctx, model->output.name, EINTHOVEN_F32, dims, 2, &buffer);
    if (status != EINTHOVEN_OK) {
        return fail(call, status, "the host refuses the output");
    }
    float *to = buffer;
    for (int64_t i = 0; i < rows * CLASSES; i++) {
        to[i] = i % CLASSES == 0 ? 0.96f : 0.01f;
    }
    return EINTHOVEN_OK;
}

static einthoven_engine_api faulty_api;
static einthoven_plugin faulty_description;
static const einthoven_str FORMATS[] = { TEXT("faulty") };

__attribute__((visibility("default"))) int32_t einthoven_plugin_entry_v1(const einthoven_host *host,
                                                                          const einthoven_plugin **out);

int32_t einthoven_plugin_entry_v1(const einthoven_host *host, const einthoven_plugin **out) {
    const einthoven_plugin *gain = NULL;
    int32_t status = gain_entry(host, out == NULL ? NULL : &gain);
    if (status != EINTHOVEN_OK || out == NULL) {
        return status;
    }
    faulty_api = *(const einthoven_engine_api *)gain->api;
    faulty_api.load = faulty_load;
    faulty_api.signature = faulty_signature;
    faulty_api.execute = faulty_execute;
    faulty_description = *gain;
    faulty_description.name = text("faulty-c");
    faulty_description.formats = FORMATS;
    faulty_description.api = &faulty_api;
    *out = &faulty_description;
    return EINTHOVEN_OK;
}
