//! Health as the protocol asks for it; the truth is [`readiness`]'s.

use super::named::Named;
use crate::http::App;
use crate::http::body::Path;
use crate::http::problem::Problem;
use crate::readiness;
use axum::Json;
use axum::extract::State;
use einthoven_oip::document::Health;
use einthoven_registry_state::Refusal;
use std::sync::Arc;

pub(crate) async fn get_live() -> Json<Health> {
    Json(Health {
        live: Some(true),
        ready: None,
        name: None,
    })
}

pub(crate) async fn get_ready(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    readiness::server(&app.lifecycle, &app.loaded)?;
    Ok(Json(Health {
        live: None,
        ready: Some(true),
        name: None,
    }))
}

pub(crate) async fn get_model_ready(
    State(app): State<Arc<App>>,
    Path(named): Path<Named>,
) -> Result<Json<Health>, Problem> {
    let reference = named.reference()?;
    match readiness::model(&app.lifecycle, &app.loaded, &reference) {
        // Somebody may let one of its versions answer.
        Err(refusal @ Refusal::NothingServes { .. }) => Err(Problem::busy(refusal.to_string())),
        told => {
            told??;
            Ok(Json(Health {
                live: None,
                ready: Some(true),
                name: Some(reference.model.to_string()),
            }))
        }
    }
}
