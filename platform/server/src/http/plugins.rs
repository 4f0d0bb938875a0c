//! `/v1/plugins` and the table of engines of a model: what is loaded, and what it makes of what.

use super::App;
use super::body::Path;
use super::problem::Problem;
use crate::engines::Refused;
use axum::Json;
use axum::extract::State;
use einthoven_classify::EngineTable;
use einthoven_plugin_host::EngineState;
use einthoven_registry_state::{ModelName, Reference, Selector};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// Everything that came as a plugin.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Plugins")]
pub(crate) struct PluginList {
    engines: Vec<EngineState>,
    readers: Vec<ReaderState>,
    refused: Vec<Refused>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct ReaderState {
    name: String,
    version: String,
    formats: Vec<String>,
    sha256: Option<String>,
}

/// What every engine made of a model.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ModelEngines {
    model: String,
    version: String,
    /// The engine that answers now, and the file it loaded.
    engine: String,
    file: String,
    provider: String,
    /// `false` while the engines are being measured.
    measured: bool,
    #[serde(flatten)]
    table: Option<EngineTable>,
}

pub(crate) async fn list_plugins(State(app): State<Arc<App>>) -> Json<PluginList> {
    let plugins = &app.plugins;
    let readers = plugins.readers.plugins().map(|plugin| ReaderState {
        name: plugin.name.clone(),
        version: plugin.version.clone(),
        formats: plugin.formats.clone(),
        sha256: plugin.library.as_ref().map(|library| library.sha256.clone()),
    });
    Json(PluginList {
        engines: plugins.serving.engines.states().collect(),
        readers: readers.collect(),
        refused: plugins.refused.clone(),
    })
}

pub(crate) async fn list_model_engines(
    State(app): State<Arc<App>>,
    Path(name): Path<ModelName>,
) -> Result<Json<ModelEngines>, Problem> {
    let reference = Reference {
        model: name,
        selector: Selector::Traffic,
    };
    let model = app.loaded.resolve(&reference).await?;
    let settings = app.loaded.settings();
    let table = settings.tables.kept(model.digest(), &settings.serving);
    Ok(Json(ModelEngines {
        model: reference.model.to_string(),
        version: model.manifest().version.clone(),
        engine: model.engine().to_owned(),
        file: model.file().to_owned(),
        provider: model.provider().to_owned(),
        measured: table.is_some(),
        table,
    }))
}
