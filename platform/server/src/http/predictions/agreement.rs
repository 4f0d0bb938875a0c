//! `GET /v1/labels/agreement`: how far readers agree over many predictions.

use super::super::App;
use super::super::body::Query;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::filter::Wanted;
use super::reading_all;
use super::view::AgreementOut;
use axum::Json;
use axum::extract::State;
use einthoven_journal::JournalError;
use einthoven_journal::labels::Agreement;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LabelAgreement")]
pub(crate) struct Agreed {
    predictions: usize,
    #[serde(flatten)]
    agreement: AgreementOut,
}

pub(crate) async fn get_agreement(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Agreed>, Problem> {
    let agreed = reading_all(&app, move |journal| {
        let (mut agreement, mut predictions) = (Agreement::default(), 0);
        for entry in wanted.labelled(&journal, &caller, None) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(JournalError::Damaged { .. }) => continue,
                Err(cause) => return Err(cause.into()),
            };
            agreement.add(&journal.labels().of(entry.id)?);
            predictions += 1;
        }
        Ok(Agreed {
            predictions,
            agreement: AgreementOut::from(&agreement),
        })
    });
    agreed.await.map(Json)
}
