//! `GET /v1/predictions` and one of them.

use super::super::App;
use super::super::body::{Path, Query};
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::filter::Wanted;
use super::view::{Item, Whole};
use super::{find, reading};
use axum::Json;
use axum::extract::State;
use einthoven_auth::Scope;
use einthoven_journal::Cursor;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
pub(crate) struct PredictionList {
    items: Vec<Item>,
    next: Option<String>,
}

pub(crate) async fn list_predictions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<PredictionList>, Problem> {
    let limit = wanted.limit()?;
    let after: Option<Cursor> = wanted.cursor().map(str::parse).transpose()?;
    let page = reading(&app, move |journal| {
        let page = wanted.entries(&journal, &caller, after).page(limit)?;
        let items = page.entries.into_iter().map(|entry| Item::of(&journal, entry));
        Ok(PredictionList {
            items: items.collect(),
            next: page.next.map(|next| next.to_string()),
        })
    });
    page.await.map(Json)
}

pub(crate) async fn get_prediction(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Whole>, Problem> {
    let whole = reading(&app, move |journal| {
        let entry = find(&journal, &caller, Scope::ModelsRead, &id)?;
        Ok(Whole::of(&journal, entry)?)
    });
    whole.await.map(Json)
}
