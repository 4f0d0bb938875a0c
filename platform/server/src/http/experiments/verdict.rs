//! Which version is better, from the journal and its labels.

use super::super::App;
use super::super::blocking;
use super::super::body::{Path, Query};
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::drift::{self, Kept, Windows};
use super::{Against, challengers, sources};
use crate::experiments::Rules;
use crate::experiments::evidence::{MOST, Sources};
use axum::Json;
use axum::extract::State;
use einthoven_experiments::guard::Ruling;
use einthoven_experiments::{Experiment, Verdict, verdict};
use einthoven_registry_state::ExperimentName;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// The verdict, and beside it what became of the recordings and what the rails say.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "VerdictReport")]
pub(crate) struct VerdictOut {
    #[serde(flatten)]
    verdict: Verdict,
    /// The champion's recordings against the reference.
    drift: einthoven_experiments::drift::Drift,
    /// What this server ruled last; `null` before it looked.
    ruling: Option<Ruling>,
}

pub(crate) async fn get_verdict(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<ExperimentName>,
    Query(against): Query<Against>,
) -> Result<Json<VerdictOut>, Problem> {
    let (experiment, sources) = sources(&app, &caller, &name, against.challenger)?;
    let looked = app.comparing.looked(name.as_str(), &sources.challenger);
    let ruling = looked.map(|looked| looked.ruling);
    let mut settings = Rules::of(&experiment.rules).settings;
    let compared = u32::try_from(challengers(&experiment).len()).unwrap_or(u32::MAX);
    settings.comparisons = settings.comparisons.max(compared.min(100));
    let kept = Kept::of(&app, &experiment, &experiment.champion).await?;
    let done = blocking(Arc::clone(&app.comparing.verdicts), move || {
        let known = sources.known(MOST, true)?;
        let most = known.len() == MOST;
        let compared = Experiment {
            name: sources.experiment.clone(),
            champion: sources.champion.clone(),
            challenger: sources.challenger.clone(),
            recordings: known.into_iter().map(|known| known.recording).collect(),
            settings,
        };
        let mut verdict = verdict(&compared).map_err(|cause| Problem::internal(&cause))?;
        if most {
            verdict
                .notes
                .push(format!("Only the first {MOST} recordings are looked at."));
        }
        let of_champion = Sources {
            challenger: sources.champion.clone(),
            ..sources.clone()
        };
        let drift = drift::of(&of_champion, &sources.experiment, kept.as_ref(), &Windows::default())?;
        Ok(VerdictOut {
            verdict,
            drift: drift.drift,
            ruling,
        })
    });
    done.await.map(Json)
}
