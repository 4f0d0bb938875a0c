//! The model that a path means.

use crate::http::problem::Problem;
use axum::http::StatusCode;
use einthoven_registry_state::{ModelName, Reference, Selector};
use serde::Deserialize;

/// `{model}` and, where the path has it, `{version}`: a name or a number, or `@` with an alias.
#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) model: ModelName,
    version: Option<String>,
}

impl Named {
    pub(crate) fn reference(self) -> Result<Reference, Problem> {
        let selector = self.version.as_deref().map_or(Ok(Selector::Traffic), selector)?;
        Ok(Reference {
            model: self.model,
            selector,
        })
    }
}

/// A version's name or `@` with an alias; what the traffic policy says where it is empty.
pub(super) fn selector(version: &str) -> Result<Selector, Problem> {
    version.parse().map_err(|cause: einthoven_registry_state::NameError| {
        Problem::new(StatusCode::NOT_FOUND, "bad_name", cause.to_string()).at("version")
    })
}

/// A model and a version as messages name them.
pub(crate) fn reference(model: &str, version: &str) -> Result<Reference, Problem> {
    let model = model.parse().map_err(|cause: einthoven_registry_state::NameError| {
        Problem::new(StatusCode::NOT_FOUND, "bad_name", cause.to_string()).at("model")
    })?;
    let selector = selector(version)?;
    Ok(Reference { model, selector })
}
