//! Whether recordings, or what is said of them, have become others.

use super::super::App;
use super::super::body::{Path, Query};
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::super::upload::blocking;
use super::{challengers, find};
use crate::experiments::evidence::{Sources, figures, undamaged};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use einthoven_experiments::drift::{Drift, Figures, Rule, drift};
use einthoven_registry_state::{ExperimentName, VersionName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Recordings of a window at most.
const MOST: usize = 1_000;

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DriftFilter")]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Whose recordings; the champion's where it is not said.
    version: Option<VersionName>,
    /// An experiment of the same model whose first recordings are the reference; this one where it is not said.
    reference: Option<ExperimentName>,
    /// Recordings of the reference, 1 to 1000.
    first: Option<usize>,
    /// Recordings of the window, 1 to 1000.
    last: Option<usize>,
}

/// How many recordings are compared with how many.
pub(super) struct Windows {
    first: usize,
    last: usize,
}

impl Default for Windows {
    fn default() -> Self {
        Self { first: 100, last: 100 }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DriftReport")]
pub(crate) struct DriftOut {
    experiment: String,
    version: String,
    reference: Window,
    window: Window,
    #[serde(flatten)]
    pub(super) drift: Drift,
}

/// Recordings of one experiment, by when they were answered.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DriftWindow")]
pub(crate) struct Window {
    experiment: String,
    recordings: usize,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

pub(crate) async fn get_drift(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<ExperimentName>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<DriftOut>, Problem> {
    let (model, experiment) = find(&app, &caller, &name)?;
    let refuse = |detail: String, field: &'static str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at(field)
    };
    let version = wanted.version.unwrap_or_else(|| experiment.champion.clone());
    if version != experiment.champion && !challengers(&experiment).contains(&version) {
        return Err(refuse(format!("`{version}` takes no part in it"), "version"));
    }
    let reference = wanted.reference.unwrap_or_else(|| name.clone());
    if !model.experiments.contains_key(&reference) {
        return Err(refuse(
            format!("`{reference}` is no experiment of the same model"),
            "reference",
        ));
    }
    let usual = Windows::default();
    let windows = Windows {
        first: wanted.first.unwrap_or(usual.first),
        last: wanted.last.unwrap_or(usual.last),
    };
    if !(1..=MOST).contains(&windows.first) || !(1..=MOST).contains(&windows.last) {
        return Err(refuse(format!("`first` and `last` must be 1 to {MOST}"), "first"));
    }
    let sources = Sources {
        journal: app.journaling.journal()?.clone(),
        model: model.name.to_string(),
        experiment: name.to_string(),
        champion: experiment.champion.to_string(),
        challenger: version.to_string(),
        since: None,
    };
    let done = blocking(Arc::clone(&app.comparing.verdicts), move || {
        of(&sources, version.as_str(), reference.as_str(), &windows)
    });
    done.await.map(Json)
}

type Rows = VecDeque<(Timestamp, Figures)>;

/// The last recordings of a version against the first ones of an experiment; no recording is in both.
pub(super) fn of(sources: &Sources, version: &str, reference: &str, windows: &Windows) -> Result<DriftOut, Problem> {
    let same = reference == sources.experiment;
    let others = Sources {
        experiment: reference.to_owned(),
        ..sources.clone()
    };
    let (mut first, mut last) = (Rows::new(), Rows::new());
    // Newest first: what is no longer among the newest may be among the oldest.
    let old = |first: &mut Rows, row| {
        first.push_back(row);
        if first.len() > windows.first {
            first.pop_front();
        }
    };
    for shadow in [false, true] {
        for entry in sources.entries(version, shadow, None) {
            let Some(entry) = undamaged(entry)? else { continue };
            let row = (entry.at, figures(&entry));
            if !same && last.len() >= windows.last {
                break;
            }
            last.push_back(row);
            if same && last.len() > windows.last + windows.first {
                // Neither among the last nor, as far as is known, among the first.
                last.remove(windows.last);
            }
        }
        if !last.is_empty() {
            break;
        }
    }
    if same {
        // What is a reference already is no window.
        let newest = last.len().saturating_sub(windows.first).min(windows.last);
        first = last.split_off(newest);
        while first.len() > windows.first {
            first.pop_front();
        }
    } else {
        // There it may have answered, or computed beside who did.
        for shadow in [false, true] {
            for entry in others.entries(version, shadow, None) {
                if let Some(entry) = undamaged(entry)? {
                    old(&mut first, (entry.at, figures(&entry)));
                }
            }
            if !first.is_empty() {
                break;
            }
        }
    }
    let rows = |rows: &Rows| -> Vec<Figures> { rows.iter().map(|(_, figures)| figures.clone()).collect() };
    let window = |rows: &Rows, experiment: &str| Window {
        experiment: experiment.to_owned(),
        recordings: rows.len(),
        from: rows.iter().map(|(at, _)| *at).min(),
        until: rows.iter().map(|(at, _)| *at).max(),
    };
    Ok(DriftOut {
        experiment: sources.experiment.clone(),
        version: version.to_owned(),
        reference: window(&first, reference),
        window: window(&last, &sources.experiment),
        drift: drift(&rows(&first), &rows(&last), &Rule::default()),
    })
}
