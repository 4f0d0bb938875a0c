//! Whether recordings, or what is said of them, have become others.

use super::super::App;
use super::super::blocking;
use super::super::body::{Body, Path, Query};
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::list::shown;
use super::{challengers, find};
use crate::experiments::drifting::{self, FROZEN, Part, Rows, newest, oldest};
use crate::experiments::evidence::Sources;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use einthoven_auth::Scope;
use einthoven_experiments::drift::{Drift, Figures, Reference, Rule, drift};
use einthoven_registry_state::{Experiment, ExperimentName, FrozenReference, VersionName};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Recordings of a reference that is frozen, at least: fewer say nothing.
const LEAST: usize = 20;
/// Recordings of a window at most.
const MOST: usize = 1_000;

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DriftFilter")]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Whose recordings; the champion's where it is not said.
    version: Option<VersionName>,
    /// An experiment of the same model whose reference is taken; this one where it is not said.
    reference: Option<ExperimentName>,
    /// Recordings of the reference, 1 to 1000: the first that the journal still has, in the place of those that were frozen.
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
        Self {
            first: FROZEN,
            last: 100,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DriftReport")]
pub(crate) struct DriftOut {
    experiment: String,
    version: String,
    /// What was frozen, where that is what is compared with.
    frozen: Option<FrozenReference>,
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
    recordings: u64,
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
    let part = Part {
        model: model.name.clone(),
        experiment: name,
        version,
    };
    let sources = answers(&app, &part)?;
    // Whoever says how many wants the first that are there, not those that were frozen.
    let kept = match model.experiments.get(&reference) {
        Some(held) if wanted.first.is_none() => Kept::of(&app, held, &part.version).await?,
        _ => None,
    };
    let done = blocking(Arc::clone(&app.comparing.verdicts), move || {
        of(&sources, reference.as_str(), kept.as_ref(), &windows)
    });
    done.await.map(Json)
}

/// A reference that was frozen, with its content.
pub(super) struct Kept {
    frozen: FrozenReference,
    reference: Reference,
}

impl Kept {
    /// What is frozen for that version in an experiment; none where nothing is yet.
    pub(super) async fn of(app: &App, experiment: &Experiment, version: &VersionName) -> Result<Option<Self>, Problem> {
        let Some(frozen) = experiment.references.get(version).cloned() else {
            return Ok(None);
        };
        let reference = drifting::load(app, &frozen).await?;
        Ok(Some(Self { frozen, reference }))
    }
}

/// The last recordings of the challenger of `sources` against what was kept, or else against the first ones of an experiment; no
/// recording is in both.
pub(super) fn of(
    sources: &Sources,
    reference: &str,
    kept: Option<&Kept>,
    windows: &Windows,
) -> Result<DriftOut, Problem> {
    let same = reference == sources.experiment;
    let (version, experiment) = (&sources.challenger, &sources.experiment);
    let window = |rows: &Rows, experiment: &str| Window {
        experiment: experiment.to_owned(),
        recordings: rows.len() as u64,
        from: rows.iter().map(|(at, _)| *at).min(),
        until: rows.iter().map(|(at, _)| *at).max(),
    };
    let (before, frozen, content, last) = if let Some(Kept {
        frozen,
        reference: content,
    }) = kept
    {
        let later = Sources {
            since: frozen
                .until
                .checked_add(SignedDuration::from_nanos(1))
                .ok()
                .filter(|_| same),
            ..sources.clone()
        };
        let before = Window {
            experiment: reference.to_owned(),
            recordings: u64::from(frozen.recordings),
            from: Some(frozen.from),
            until: Some(frozen.until),
        };
        (
            before,
            Some(frozen.clone()),
            content.clone(),
            newest(&later, windows.last)?,
        )
    } else {
        let others = Sources {
            experiment: reference.to_owned(),
            ..sources.clone()
        };
        let first = oldest(&others, windows.first)?;
        // What is a reference already is no window.
        let until = first.iter().map(|(at, _)| *at).max().filter(|_| same);
        let later = Sources {
            since: until.and_then(|until| until.checked_add(SignedDuration::from_nanos(1)).ok()),
            ..sources.clone()
        };
        let last = if same && first.len() < windows.first {
            Rows::new()
        } else {
            newest(&later, windows.last)?
        };
        let rows: Vec<Figures> = first.iter().map(|(_, figures)| figures.clone()).collect();
        (window(&first, reference), None, Reference::of(&rows), last)
    };
    let rows: Vec<Figures> = last.iter().map(|(_, figures)| figures.clone()).collect();
    Ok(DriftOut {
        experiment: experiment.clone(),
        version: version.clone(),
        frozen,
        reference: before,
        window: window(&last, experiment),
        drift: drift(&content, &rows, &Rule::default()),
    })
}

/// Which recordings later ones are to be compared with from now on.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewDriftReference")]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReference {
    /// Whose recordings; the champion's where it is not said.
    version: Option<VersionName>,
    /// The newest so many, 20 to 1000; 100 where it is not said.
    recordings: Option<usize>,
    /// Why: one line, written into the log.
    reason: Option<String>,
}

/// Freezes the newest recordings in the place of what is there.
pub(crate) async fn freeze_reference(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<ExperimentName>,
    Body(new): Body<NewReference>,
) -> Result<Response, Problem> {
    let (model, experiment) = find(&app, &caller, &name)?;
    caller.may(Scope::Traffic, model.name.as_str())?;
    let by = caller.by(new.reason)?;
    let refuse = |detail: String, field: &'static str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at(field)
    };
    let version = new.version.unwrap_or_else(|| experiment.champion.clone());
    let wanted = new.recordings.unwrap_or(FROZEN);
    if !(LEAST..=MOST).contains(&wanted) {
        return Err(refuse(format!("`recordings` must be {LEAST} to {MOST}"), "recordings"));
    }
    let part = Part {
        model: model.name.clone(),
        experiment: name.clone(),
        version: version.clone(),
    };
    let sources = answers(&app, &part)?;
    let read = move || Ok(newest(&sources, wanted)?);
    let rows = blocking(Arc::clone(&app.comparing.verdicts), read).await?;
    if rows.len() < wanted {
        let detail = format!(
            "the journal has {} recordings that `{version}` answered in `{name}`, fewer than {wanted}",
            rows.len()
        );
        return Err(refuse(detail, "recordings"));
    }
    let done = drifting::freeze(&app, &part, rows, by, caller.seen, true).await?;
    let (model, experiment) = done.state.experiment(&name)?;
    Ok(shown(StatusCode::OK, &app, model, experiment))
}

/// What a version answered in an experiment.
fn answers(app: &App, part: &Part) -> Result<Sources, Problem> {
    Ok(Sources {
        journal: app.journaling.journal()?.clone(),
        model: part.model.to_string(),
        experiment: part.experiment.to_string(),
        champion: part.version.to_string(),
        challenger: part.version.to_string(),
        since: None,
    })
}
