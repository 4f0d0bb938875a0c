//! What the server and its models are.

use super::named::Named;
use super::run::{datatype, resolved, shape};
use crate::http::App;
use crate::http::access::refusal;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use axum::Json;
use axum::extract::State;
use einthoven_auth::{Principal, Scope};
use einthoven_classify::ServedModel;
use einthoven_oip::document::{
    ConfigParameter, ConfigTensor, EXTENSIONS, InstanceGroup, MAX_BATCH, ModelConfig, ModelMetadata, Server,
    TensorMetadata, config_type,
};
use einthoven_plugin_host::TensorSpec;
use einthoven_registry_state::Reference;
use std::sync::Arc;

pub(crate) fn server() -> Server {
    Server {
        name: "einthoven",
        version: env!("CARGO_PKG_VERSION"),
        extensions: EXTENSIONS,
    }
}

pub(crate) async fn get_server() -> Json<Server> {
    Json(server())
}

pub(crate) async fn get_model(
    State(app): State<Arc<App>>,
    Path(named): Path<Named>,
    caller: Caller,
) -> Result<Json<ModelMetadata>, Problem> {
    Ok(Json(metadata_of(&app, caller.principal(), &named.reference()?).await?))
}

pub(crate) async fn get_config(
    State(app): State<Arc<App>>,
    Path(named): Path<Named>,
    caller: Caller,
) -> Result<Json<ModelConfig>, Problem> {
    Ok(Json(config_of(&app, caller.principal(), &named.reference()?).await?))
}

/// Whoever may use a model or read about it may know what it takes.
fn knows(principal: &Principal, reference: &Reference) -> Result<(), Problem> {
    let model = reference.model.as_str();
    if principal.may_for(Scope::Predict, model) || principal.may_for(Scope::ModelsRead, model) {
        return Ok(());
    }
    Err(refusal::lacks(principal, Scope::ModelsRead, Some(model)))
}

pub(crate) async fn metadata_of(
    app: &App,
    principal: &Principal,
    reference: &Reference,
) -> Result<ModelMetadata, Problem> {
    knows(principal, reference)?;
    let served = resolved(app, reference).await?;
    let state = app.registry().state();
    let ready = state
        .model(&reference.model)?
        .by_age()
        .into_iter()
        .filter(|version| version.is_ready());
    let signature = served.signature();
    Ok(ModelMetadata {
        name: reference.model.to_string(),
        versions: ready.map(|version| version.name.to_string()).collect(),
        platform: served.engine().to_owned(),
        inputs: signature.inputs.iter().map(tensor).collect(),
        outputs: signature.outputs.iter().map(tensor).collect(),
    })
}

fn tensor(spec: &TensorSpec) -> TensorMetadata {
    TensorMetadata {
        name: spec.name.clone(),
        datatype: datatype(spec.dtype),
        shape: shape(&spec.dims),
    }
}

pub(crate) async fn config_of(app: &App, principal: &Principal, reference: &Reference) -> Result<ModelConfig, Problem> {
    knows(principal, reference)?;
    let served = resolved(app, reference).await?;
    Ok(config(&served))
}

fn config(served: &ServedModel) -> ModelConfig {
    let signature = served.signature();
    let all = || signature.inputs.iter().chain(&signature.outputs);
    // Rows are a dimension of their own where every tensor leaves its first open.
    let rows = all().all(|spec| spec.dims.first().is_some_and(Option::is_none));
    let each = |spec: &TensorSpec| ConfigTensor {
        name: spec.name.clone(),
        data_type: config_type(datatype(spec.dtype)),
        dims: shape(&spec.dims).split_off(usize::from(rows)),
    };
    let device = served.device().to_string();
    let statistics = served.statistics();
    let parameter = |name, value: &str| {
        let string_value = value.to_owned();
        (name, ConfigParameter { string_value })
    };
    ModelConfig {
        name: served.manifest().name.clone(),
        platform: served.engine().to_owned(),
        backend: served.engine().to_owned(),
        max_batch_size: if rows { MAX_BATCH } else { 0 },
        input: signature.inputs.iter().map(each).collect(),
        output: signature.outputs.iter().map(each).collect(),
        instance_group: vec![InstanceGroup {
            kind: if device == "cpu" { "KIND_CPU" } else { "KIND_GPU" },
            name: device,
            count: i32::try_from(statistics.instances).unwrap_or(i32::MAX).max(1),
        }],
        default_model_filename: served.file().to_owned(),
        parameters: [
            parameter("digest", served.digest()),
            parameter("provider", served.provider()),
            parameter("version", &served.manifest().version),
        ]
        .into(),
    }
}
