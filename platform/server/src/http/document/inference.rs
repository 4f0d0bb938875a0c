//! The Open Inference Protocol and MLflow's scoring: tensors in, tensors out.

use super::operation::{Operation, operation};
use super::parameters;
use super::problems::{COMPUTING, LOADING};
use crate::http::invocations::Asked;
use crate::http::v2::{IndexQuery, LoadQuery};
use axum::http::Method;
use einthoven_oip::Datatype;
use einthoven_oip::document::{Health, IndexRow, ModelConfig, ModelMetadata, Server, Statistics};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Inputs of a model.
#[derive(Deserialize, JsonSchema)]
#[expect(
    dead_code,
    reason = "only its shape is used: requests are read without copies, by einthoven-oip"
)]
struct InferenceRequest {
    /// Comes back with the answer.
    id: Option<String>,
    /// `timeout` in microseconds, `priority`, `binary_data_output`.
    parameters: Option<Map<String, Value>>,
    inputs: Vec<InputTensor>,
    /// Outputs that are wanted; all where none is named.
    outputs: Option<Vec<WantedTensor>>,
}

/// A tensor that is sent.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "as above")]
struct InputTensor {
    name: String,
    /// Dimensions.
    shape: Vec<u64>,
    datatype: Datatype,
    /// `binary_data_size`, where the elements follow as bytes.
    parameters: Option<Map<String, Value>>,
    /// Elements in row-major order, flat or nested.
    data: Option<Vec<Value>>,
}

/// An output that is asked for.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "as above")]
struct WantedTensor {
    name: String,
    /// `binary_data`.
    parameters: Option<Map<String, Value>>,
}

/// Outputs of a model.
#[derive(Serialize, JsonSchema)]
struct InferenceResponse {
    model_name: String,
    model_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outputs: Vec<OutputTensor>,
}

/// A tensor that is answered.
#[derive(Serialize, JsonSchema)]
struct OutputTensor {
    name: String,
    datatype: Datatype,
    shape: Vec<u64>,
    /// `binary_data_size`, where the elements follow as bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Map<String, Value>>,
    /// Elements in row-major order.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<Value>>,
}

const REFERENCE: &[(u16, &str)] = &[
    (404, "no_such_alias"),
    (404, "no_such_model"),
    (404, "no_such_version"),
    (409, "nothing_serves"),
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![
        get(
            "/v2",
            "get_inference_server",
            "Says what the server is, and what it offers beyond the protocol",
        )
        .answers::<Server>(200, "The server."),
        get("/v2/health/live", "get_inference_live", "Says that the server lives").answers::<Health>(200, "It does."),
        get(
            "/v2/health/ready",
            "get_inference_ready",
            "Says whether requests should be sent here",
        )
        .answers::<Health>(200, "They should.")
        .problems(&[(503, "busy")]),
        get(
            "/v2/models/stats",
            "get_all_statistics",
            "Counts and times of all that is loaded",
        )
        .answers::<Statistics>(200, "Every loaded version.")
        .problems(&[(400, "bad_header")]),
        post(
            "/v2/repository/index",
            "list_repository",
            "Lists versions and whether they answer",
        )
        .body::<IndexQuery>(json!({"ready": true}))
        .body_may_be_left_out()
        .answers::<Vec<IndexRow>>(200, "Versions.")
        .problems(&[(400, "bad_header")]),
        post(
            "/v2/repository/models/{model}/load",
            "load_model",
            "Loads what is to answer; brings back what was unloaded",
        )
        .body::<LoadQuery>(json!({"parameters": {}}))
        .body_may_be_left_out()
        .answers_nothing(200, "It answers.")
        .change()
        .problems(REFERENCE)
        .problems(LOADING)
        .problems(&[(400, "unsupported"), (409, "nothing_before"), (409, "wrong_state")]),
        post(
            "/v2/repository/models/{model}/unload",
            "unload_model",
            "Lets nothing of the model answer",
        )
        .answers_nothing(200, "It does not answer any more.")
        .change()
        .problems(REFERENCE),
    ];
    all.extend(of_model([
        ("/v2/models/{model}", "get_metadata"),
        ("/v2/models/{model}/config", "get_config"),
        ("/v2/models/{model}/ready", "get_model_ready"),
        ("/v2/models/{model}/stats", "get_statistics"),
        ("/v2/models/{model}/infer", "infer_model"),
    ]));
    all.extend(of_model([
        ("/v2/models/{model}/versions/{version}", "get_version_metadata"),
        ("/v2/models/{model}/versions/{version}/config", "get_version_config"),
        ("/v2/models/{model}/versions/{version}/ready", "get_version_ready"),
        ("/v2/models/{model}/versions/{version}/stats", "get_version_statistics"),
        ("/v2/models/{model}/versions/{version}/infer", "infer_version"),
    ]));
    all.push(
        scoring("/invocations", "score_inputs", "Scores inputs as MLflow's server does")
            .query::<Asked>(json!({"model": "heartbeat"}))
            .parameter(parameters::header(
                "X-Einthoven-Model",
                "The model, for clients whose addresses are fixed.",
                &json!({"type": "string"}),
                &json!("heartbeat"),
            ))
            .problems(&[(400, "bad_name"), (400, "which_model")]),
    );
    all.push(scoring(
        "/models/{model}/invocations",
        "score_model_inputs",
        "Scores inputs by a model as MLflow's server does",
    ));
    all
}

fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation("inference", Method::GET, path, id, summary)
}

fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation("inference", Method::POST, path, id, summary)
}

/// The five operations of a model, or of a version of it, in the order of their paths above.
fn of_model([metadata, config, ready, statistics, infer]: [(&'static str, &'static str); 5]) -> [Operation; 5] {
    let one = |(path, id): (&'static str, &'static str), summary| get(path, id, summary).problems(REFERENCE);
    let tensor = |name: &str, shape: &[usize]| {
        let zeros = vec![0.0; shape.iter().product()];
        json!({"name": name, "shape": shape, "datatype": "FP32", "data": zeros})
    };
    let computed = json!({"inputs": [tensor("beat", &[1, 2, 128]), tensor("rr", &[1, 30])]});
    let binary =
        || json!({"type": "string", "format": "binary", "description": "JSON, and behind it the tensors' bytes."});
    [
        one(metadata, "Says which tensors the model takes and gives")
            .answers::<ModelMetadata>(200, "Its tensors.")
            .problems(LOADING)
            .problems(&[(400, "bad_header"), (403, "missing_scope")]),
        one(config, "Gives the model's configuration as Triton does")
            .answers::<ModelConfig>(200, "The configuration.")
            .problems(LOADING)
            .problems(&[(400, "bad_header"), (403, "missing_scope")]),
        one(ready, "Says whether the model would answer at once")
            .answers::<Health>(200, "It would.")
            .problems(&[(503, "busy")]),
        one(statistics, "Counts and times of the model's loaded versions")
            .answers::<Statistics>(200, "Loaded versions.")
            .problems(LOADING),
        post(infer.0, infer.1, "Computes the model's outputs")
            .description("Tensors as JSON, or binary behind it as the extension `binary_tensor_data` has it.")
            .parameter(parameters::subject())
            .parameter(parameters::header(
                "Inference-Header-Content-Length",
                "Bytes of JSON before the tensors, where they are binary.",
                &json!({"type": "string", "pattern": "^[0-9]{1,9}$"}),
                &json!("120"),
            ))
            .parameter(parameters::header(
                "timeout",
                "Microseconds that you wait.",
                &json!({"type": "string", "pattern": "^[0-9]{1,12}$"}),
                &json!("1000000"),
            ))
            .body::<InferenceRequest>(computed)
            .raw_body("application/octet-stream", binary())
            .answers::<InferenceResponse>(200, "The outputs.")
            .with(&["X-Einthoven-Prediction"])
            .answers_raw(200, "The outputs.", "application/octet-stream", binary())
            .with(&["Inference-Header-Content-Length", "X-Einthoven-Prediction"])
            .problems(COMPUTING)
            .problems(LOADING)
            .problems(&[(400, "no_such_output")]),
    ]
}

fn scoring(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let predictions = json!({
        "type": "object", "required": ["predictions"],
        "properties": {"predictions": {"description": "Rows, or columns by name."}},
    });
    let table = json!({
        "type": "object",
        "description": "One of `dataframe_split`, `dataframe_records`, `instances` and `inputs`.",
        "properties": {
            "dataframe_split": {"type": "object"}, "dataframe_records": {"type": "array", "items": {"type": "object"}},
            "instances": {}, "inputs": {},
        },
    });
    post(path, id, summary)
        .raw_body("application/json", table)
        .example(json!({"inputs": {"beat": [vec![vec![0.0; 128]; 2]], "rr": [vec![0.0; 30]]}}))
        .raw_body("text/csv", json!({"type": "string"}))
        .parameter(parameters::subject())
        .answers_raw(200, "Predictions.", "application/json", predictions)
        .with(&["X-Einthoven-Prediction"])
        .problems(COMPUTING)
        .problems(LOADING)
        .problems(&[(415, "wrong_content_type")])
}
