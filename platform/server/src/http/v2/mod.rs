//! `/v2`: the Open Inference Protocol over REST. Every path is there with and without a slash at its end.

mod body;
mod health;
mod infer;
mod metadata;
pub(crate) mod named;
pub(crate) mod outcome;
mod repository;
pub(crate) mod run;
mod statistics;

use super::access::{Access, Table, get, post};
use einthoven_auth::Scope;

pub(crate) use body::{Received, room};
pub(crate) use infer::{PREDICTION_HEADER, name_outcome};
pub(crate) use metadata::{config_of, metadata_of, server};
pub(crate) use named::Named;
pub(crate) use repository::{IndexQuery, LoadQuery, index_of, load, unload};
pub(crate) use statistics::{of as statistics_of, of_all as statistics_of_all};

/// The routes.
pub(super) fn routes(table: Table) -> Table {
    use Access::{Needs, NeedsForSome, Open, SignedIn};
    macro_rules! routes {
        ($table:expr, $($path:literal: $verbs:expr;)*) => {
            $table$(.route($path, $verbs).route(concat!($path, "/"), $verbs))*
        };
    }
    routes!(table,
        "/v2": [get(SignedIn, metadata::get_server)];
        "/v2/health/live": [get(Open, health::get_live)];
        "/v2/health/ready": [get(Open, health::get_ready)];
        // What a model takes must be known to whoever may use it; the handlers ask for that or for reading models.
        "/v2/models/{model}": [get(SignedIn, metadata::get_model)];
        "/v2/models/{model}/versions/{version}": [get(SignedIn, metadata::get_model)];
        "/v2/models/{model}/config": [get(SignedIn, metadata::get_config)];
        "/v2/models/{model}/versions/{version}/config": [get(SignedIn, metadata::get_config)];
        "/v2/models/{model}/ready": [get(Open, health::get_model_ready)];
        "/v2/models/{model}/versions/{version}/ready": [get(Open, health::get_model_ready)];
        "/v2/models/{model}/infer": [post(Needs(Scope::Predict), infer::infer)];
        "/v2/models/{model}/versions/{version}/infer": [post(Needs(Scope::Predict), infer::infer)];
        "/v2/models/stats": [get(NeedsForSome(Scope::ModelsRead), statistics::get_all)];
        "/v2/models/{model}/stats": [get(Needs(Scope::ModelsRead), statistics::get_model)];
        "/v2/models/{model}/versions/{version}/stats": [get(Needs(Scope::ModelsRead), statistics::get_model)];
        "/v2/repository/index": [post(NeedsForSome(Scope::ModelsRead), repository::list_index)];
        "/v2/repository/models/{model}/load": [post(Needs(Scope::Traffic), repository::load_model)];
        "/v2/repository/models/{model}/unload": [post(Needs(Scope::Traffic), repository::unload_model)];
    )
}
