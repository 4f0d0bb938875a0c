//! Whether recordings, and what is said of them, are still like those that an experiment began with.
//!
//! Of each version that takes part the oldest recordings are frozen as the reference when there are enough of them: a file of the
//! registry's and an entry of its log, so it outlives the journal's retention and this process, and every server has the same. Then
//! windows of recordings that follow each other are judged against it, none of them twice.

use super::evidence::{Sources, figures, undamaged};
use super::withdrawal::WHO;
use crate::http::App;
use crate::http::problem::Problem;
use einthoven_experiments::drift::{Drift, Figures, Reference, Rule, drift};
use einthoven_journal::JournalError;
use einthoven_onboard::By;
use einthoven_registry::{Asked, Done};
use einthoven_registry_state::{Change, ExperimentName, FrozenReference, ModelName, State, VersionName};
use einthoven_telemetry::DriftReading;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Recordings of a reference that is frozen by itself.
pub(crate) const FROZEN: usize = 100;
/// Recordings of a window, at least; what is more when it is judged belongs to it.
const WINDOW: usize = 50;
/// The same at most.
const MOST: usize = 1_000;

/// A version in an experiment that runs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) model: ModelName,
    pub(crate) experiment: ExperimentName,
    pub(crate) version: VersionName,
}

/// What was judged on this server.
pub(crate) struct Drifting {
    judged: Mutex<BTreeMap<Part, Judged>>,
    /// What came before was judged before, or is none of ours.
    began: Timestamp,
}

impl Default for Drifting {
    fn default() -> Self {
        Self {
            judged: Mutex::default(),
            began: Timestamp::now(),
        }
    }
}

#[derive(Clone)]
struct Judged {
    /// SHA-256 of the reference.
    reference: String,
    /// When the last recording of the last window was answered.
    until: Timestamp,
    alarm: bool,
    windows: u64,
    alarms: u64,
}

impl Drifting {
    /// For Prometheus.
    pub(crate) fn readings(&self) -> Vec<DriftReading> {
        let reading = |(part, judged): (&Part, &Judged)| DriftReading {
            model: part.model.to_string(),
            version: part.version.to_string(),
            alarm: judged.alarm,
            windows: judged.windows,
            alarms: judged.alarms,
        };
        self.lock().iter().map(reading).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Part, Judged>> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every version of every experiment that runs.
fn parts(state: &State) -> Vec<Part> {
    let running = state
        .models
        .values()
        .filter_map(|model| Some((model, model.running()?)));
    let parts = running.flat_map(|(model, experiment)| {
        model.traffic.versions().map(|version| Part {
            model: model.name.clone(),
            experiment: experiment.name.clone(),
            version: version.clone(),
        })
    });
    parts.collect()
}

/// Freezes and judges what is due, beside whoever calls.
pub(super) fn watch(app: &Arc<App>) {
    let all = parts(&app.registry().state());
    app.comparing.drifting.lock().retain(|part, _| all.contains(part));
    for part in all {
        let key = (part.experiment.to_string(), format!("drift of {}", part.version));
        let Some(turn) = app.comparing.turns.turn(key) else {
            continue;
        };
        let app = Arc::clone(app);
        tokio::spawn(async move {
            if let Ok(_room) = app.comparing.looks.acquire().await
                && let Err(problem) = look(&app, &part).await
            {
                let Part {
                    experiment, version, ..
                } = &part;
                tracing::warn!(
                    "whether `{version}` drifts in experiment {experiment} is not known: {}",
                    problem.detail()
                );
            }
            drop(turn);
        });
    }
}

async fn look(app: &Arc<App>, part: &Part) -> Result<(), Problem> {
    // Without a journal there is nothing to look at.
    let Ok(journal) = app.journaling.journal().cloned() else {
        return Ok(());
    };
    let state = app.registry().state();
    let frozen = frozen(&state, part);
    let mut sources = Sources {
        journal,
        model: part.model.to_string(),
        experiment: part.experiment.to_string(),
        champion: part.version.to_string(),
        challenger: part.version.to_string(),
        since: None,
    };
    let Some(frozen) = frozen else {
        let rows = tokio::task::spawn_blocking(move || oldest(&sources, FROZEN)).await??;
        if rows.len() >= FROZEN {
            let by = By::system("the first recordings are what later ones are compared with");
            freeze(app, part, rows, by, None, false).await?;
        }
        return Ok(());
    };
    let before = app.comparing.drifting.lock().get(part).cloned();
    let before = before.filter(|before| before.reference == frozen.sha256);
    let after = before
        .as_ref()
        .map_or(app.comparing.drifting.began, |before| before.until);
    sources.since = after.max(frozen.until).checked_add(SignedDuration::from_nanos(1)).ok();
    let rows = tokio::task::spawn_blocking(move || newest(&sources, MOST)).await??;
    let Some(until) = rows.iter().map(|(at, _)| *at).max().filter(|_| rows.len() >= WINDOW) else {
        return Ok(());
    };
    let reference = load(app, &frozen).await?;
    let window: Vec<Figures> = rows.into_iter().map(|(_, figures)| figures).collect();
    let recordings = window.len();
    let found = tokio::task::spawn_blocking(move || drift(&reference, &window, &Rule::default())).await?;
    if found.alarm && !before.as_ref().is_some_and(|before| before.alarm) {
        alarm(app, part, &frozen, recordings, &found).await?;
    }
    let (windows, alarms) = before.map_or((0, 0), |before| (before.windows, before.alarms));
    let judged = Judged {
        reference: frozen.sha256,
        until,
        alarm: found.alarm,
        windows: windows + 1,
        alarms: alarms + u64::from(found.alarm),
    };
    app.comparing.drifting.lock().insert(part.clone(), judged);
    Ok(())
}

/// Writes it down and tells who wants to know.
async fn alarm(
    app: &App,
    part: &Part,
    frozen: &FrozenReference,
    recordings: usize,
    found: &Drift,
) -> Result<(), Problem> {
    let changed = found.figures.iter().filter(|figure| figure.alarm);
    let names: Vec<String> = changed.map(|figure| figure.name.clone()).collect();
    let asked = Asked {
        who: WHO.to_owned(),
        why: found.sentence.clone(),
        change: Change::FindDrift {
            model: part.model.clone(),
            experiment: part.experiment.clone(),
            version: part.version.clone(),
            reference: frozen.sha256.clone(),
            recordings: u32::try_from(recordings).unwrap_or(u32::MAX),
            figures: names.clone(),
        },
        seen: None,
    };
    if app.registry().change(asked).await?.entries.is_empty() {
        return Ok(());
    }
    let Part {
        model,
        experiment,
        version,
    } = part;
    tracing::warn!("{model}/{version} in experiment {experiment}: {}", found.sentence);
    app.comparing.tell(serde_json::json!({
        "event": "drift_found",
        "at": Timestamp::now(),
        "model": model,
        "experiment": experiment,
        "version": version,
        "reason": found.sentence,
        "figures": names,
        "recordings": recordings,
        "reference": frozen.sha256,
    }));
    Ok(())
}

/// What a version's recordings are compared with, where that is frozen.
fn frozen(state: &State, part: &Part) -> Option<FrozenReference> {
    let (_, experiment) = state.experiment(&part.experiment).ok()?;
    experiment.references.get(&part.version).cloned()
}

/// Freezes these recordings, and gives what the registry then says.
pub(crate) async fn freeze(
    app: &App,
    part: &Part,
    rows: Rows,
    by: By,
    seen: Option<u64>,
    replace: bool,
) -> Result<Done, Problem> {
    let (times, rows): (Vec<Timestamp>, Vec<Figures>) = rows.into_iter().unzip();
    let now = Timestamp::now();
    let content = serde_json::to_vec(&Reference::of(&rows)).map_err(|cause| Problem::internal(&cause))?;
    let stored = app.loaded.settings().files.put_bytes(content.into()).await?;
    let reference = FrozenReference {
        sha256: stored.digest.to_string(),
        recordings: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        from: times.iter().min().copied().unwrap_or(now),
        until: times.iter().max().copied().unwrap_or(now),
        at: now,
        by: by.who.clone(),
    };
    let asked = Asked {
        who: by.who,
        why: by.why,
        change: Change::FreezeReference {
            model: part.model.clone(),
            experiment: part.experiment.clone(),
            version: part.version.clone(),
            reference,
            replace,
        },
        seen,
    };
    Ok(app.registry().change(asked).await?)
}

/// The reference as it was frozen; refused where its file is another.
pub(crate) async fn load(app: &App, frozen: &FrozenReference) -> Result<Reference, Problem> {
    let digest = frozen.sha256.parse().map_err(|cause| Problem::internal(&cause))?;
    let content = app.loaded.settings().files.get(&digest).await?;
    serde_json::from_slice(&content).map_err(|cause| Problem::internal(&cause))
}

/// Recordings with when they were answered.
pub(crate) type Rows = VecDeque<(Timestamp, Figures)>;

/// The newest recordings of a version, newest first: those that it answered, or those that it computed beside who did. Blocks.
pub(crate) fn newest(sources: &Sources, most: usize) -> Result<Rows, JournalError> {
    of_either(sources, |rows, row| {
        rows.push_back(row);
        rows.len() < most
    })
}

/// The oldest, likewise. Blocks.
pub(crate) fn oldest(sources: &Sources, most: usize) -> Result<Rows, JournalError> {
    of_either(sources, |rows, row| {
        rows.push_back(row);
        if rows.len() > most {
            rows.pop_front();
        }
        true
    })
}

/// Rows that `take` keeps, of its own answers, or where there are none of those beside others; it says whether to go on.
fn of_either(sources: &Sources, take: impl Fn(&mut Rows, (Timestamp, Figures)) -> bool) -> Result<Rows, JournalError> {
    let mut rows = Rows::new();
    for shadow in [false, true] {
        for entry in sources.entries(&sources.challenger, shadow, None) {
            let Some(entry) = undamaged(entry)? else { continue };
            if !take(&mut rows, (entry.at, figures(&entry))) {
                break;
            }
        }
        if !rows.is_empty() {
            break;
        }
    }
    Ok(rows)
}
