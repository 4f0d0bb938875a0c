//! Versions that compute beside the one that answers, when it has answered, and answer nobody.
//!
//! Each has a lane of its own: one recording at a time, a bounded number that wait, the rest left out and counted. It begins only
//! while a core is free, takes none of the permits that answers need, and goes through its version's own queue as batch work. So
//! one that sleeps, panics or fails costs whoever answers nothing but the cores that were idle.

use crate::experiments::{ArmOf, Ending, Outcome};
use crate::http::App;
use crate::http::problem::Problem;
use crate::input::{Answer, InputError};
use crate::journaling::{Asked, Computed, Here};
use einthoven_classify::{Demand, Found, Options, ServedModel, Spent, classify, classify_rows_for};
use einthoven_dispatch::Priority;
use einthoven_ecg::readers::{BeatRows, Input};
use einthoven_ecg::recording::Recording;
use einthoven_journal::{Arm, Entry};
use einthoven_serving::{SHADOW, Shadow};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Recordings that wait for one version.
const MOST_WAITING: usize = 32;
/// Bytes of samples that wait for all of them.
const MOST_BYTES: usize = 256 << 20;
/// How long a free core is waited for, and how often it is looked for.
const FREE_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The lanes, by model and version.
#[derive(Default)]
pub(crate) struct Shadows {
    lanes: Mutex<HashMap<(String, String), Arc<Lane>>>,
    bytes: Arc<AtomicUsize>,
}

struct Lane {
    one: Semaphore,
    waiting: AtomicUsize,
}

/// What is computed again: the same recording, or rows.
#[derive(Clone)]
enum Again {
    Recording(Arc<Recording>),
    Rows(Arc<BeatRows>),
}

impl Again {
    /// In seconds; nothing for rows.
    fn length_s(&self) -> f64 {
        match self {
            Self::Recording(recording) => recording.duration_s(),
            Self::Rows(_) => 0.0,
        }
    }
}

/// An answer that others compute beside.
pub(crate) struct Beside {
    shadows: Vec<Shadow>,
    experiment: String,
    again: Again,
    lead: Option<String>,
    found: Found,
    entry: Entry,
    /// The person that it is about.
    here: Option<Arc<Here>>,
}

/// Rows that shadows will want, kept before the answer takes them.
pub(crate) fn rows(shadows: &[Shadow], input: &Input) -> Option<Arc<BeatRows>> {
    match input {
        Input::BeatRows(rows) if !shadows.is_empty() => Some(Arc::new(rows.clone())),
        _ => None,
    }
}

impl Beside {
    /// None where there are no shadows.
    pub(crate) fn of(
        shadows: Vec<Shadow>,
        arm: &einthoven_serving::Arm,
        answer: &Answer,
        rows: Option<Arc<BeatRows>>,
        (lead, found): (Option<String>, Found),
        (entry, here): (&Entry, Option<Arc<Here>>),
    ) -> Option<Self> {
        let again = match answer {
            Answer::Beats { recording, .. } => Again::Recording(Arc::clone(recording)),
            Answer::Rows(_) => Again::Rows(rows?),
        };
        (!shadows.is_empty()).then(|| Self {
            shadows,
            experiment: arm.experiment.clone(),
            again,
            lead,
            found,
            entry: Entry {
                // Of what was said nothing is needed.
                beats: einthoven_journal::Beats::default(),
                summary: serde_json::Value::Null,
                ..entry.clone()
            },
            here,
        })
    }

    /// The person was erased meanwhile: nothing more is to be known of them.
    fn is_erased(&self) -> bool {
        self.here.as_ref().is_some_and(|here| here.is_erased())
    }

    /// Resolves when the person is erased.
    async fn erased(&self) {
        match &self.here {
            Some(here) => here.erased().await,
            None => std::future::pending().await,
        }
    }

    fn bytes(&self) -> usize {
        let values = match &self.again {
            Again::Recording(recording) => recording.leads.len() * recording.len(),
            Again::Rows(rows) => rows.rows.len() * 187,
        };
        values * size_of::<f32>()
    }
}

/// Counts bytes and a place in a lane for as long as it lives.
struct Waiting {
    app: Arc<App>,
    lane: Arc<Lane>,
    bytes: usize,
    arm: ArmOf,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.lane.waiting.fetch_sub(1, Ordering::Relaxed);
        self.app.shadows.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.app.comparing.meters.waits(&self.arm, false);
    }
}

/// Lets every shadow compute when there is room. Returns at once.
pub(crate) fn submit(app: &Arc<App>, beside: Option<Beside>) {
    let Some(beside) = beside else { return };
    let beside = Arc::new(beside);
    for shadow in &beside.shadows {
        let manifest = shadow.model.manifest();
        let arm = ArmOf {
            model: manifest.name.clone(),
            experiment: beside.experiment.clone(),
            version: manifest.version.clone(),
            since: shadow.since,
        };
        let Some(waiting) = place(app, &beside, &arm) else {
            app.comparing.meters.dropped(&arm);
            continue;
        };
        let (app, beside, served) = (Arc::clone(app), Arc::clone(&beside), Arc::clone(&shadow.model));
        tokio::spawn(async move {
            let lane = Arc::clone(&waiting.lane);
            let turn = async {
                let one = lane.one.acquire().await.ok()?;
                free(&app).await.then_some(one)
            };
            let turn = tokio::select! {
                turn = turn => turn,
                () = beside.erased() => None,
            };
            let Some(_one) = turn else {
                app.comparing.meters.dropped(&arm);
                return;
            };
            let (inner, shadowed, of) = (Arc::clone(&app), Arc::clone(&beside), arm.clone());
            let done = tokio::task::spawn_blocking(move || compute(&inner, &shadowed, &served, &of)).await;
            drop(waiting);
            match done {
                Ok(Ok(())) => {}
                Ok(Err(cause)) => tracing::warn!("a shadow's answer is not remembered: {}", cause.code()),
                // What a panic said could be anything of a recording; that it failed is counted.
                Err(_) => tracing::error!("the shadow {} panicked", arm.version),
            }
        });
    }
}

/// A place in the version's lane, unless it is full.
fn place(app: &Arc<App>, beside: &Beside, arm: &ArmOf) -> Option<Waiting> {
    let mut lanes = app.shadows.lanes.lock().unwrap_or_else(PoisonError::into_inner);
    let lane = lanes
        .entry((arm.model.clone(), arm.version.clone()))
        .or_insert_with(|| {
            Arc::new(Lane {
                one: Semaphore::new(1),
                waiting: AtomicUsize::new(0),
            })
        });
    let (bytes, all) = (beside.bytes(), &app.shadows.bytes);
    // Under the lock nobody else adds.
    if lane.waiting.load(Ordering::Relaxed) >= MOST_WAITING
        || all.load(Ordering::Relaxed).saturating_add(bytes) > MOST_BYTES
    {
        return None;
    }
    lane.waiting.fetch_add(1, Ordering::Relaxed);
    all.fetch_add(bytes, Ordering::Relaxed);
    app.comparing.meters.waits(arm, true);
    Some(Waiting {
        app: Arc::clone(app),
        lane: Arc::clone(lane),
        bytes,
        arm: arm.clone(),
    })
}

/// Waits until answers leave a core free; false where they do not for long.
async fn free(app: &App) -> bool {
    let end = Instant::now() + FREE_WITHIN;
    while app.cores.available_permits() == 0 {
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    true
}

fn compute(app: &App, beside: &Beside, served: &ServedModel, of: &ArmOf) -> Result<(), Problem> {
    let spent = Spent::default();
    let options = Options {
        lead: beside.lead.clone(),
        demand: Demand {
            flow: SHADOW.into(),
            deadline: Some(Instant::now() + app.comparing.patience(beside.again.length_s())),
            priority: Some(Priority::Batch),
            spent: spent.clone(),
        },
        found: beside.found.clone(),
    };
    let asked = Asked::beside(&beside.entry, beside.here.clone());
    let ending = Ending::in_arm(&app.comparing, Some(of.clone()));
    let answer = match &beside.again {
        Again::Recording(recording) => classify(recording, served, &options).map(|document| Answer::Beats {
            recording: Arc::clone(recording),
            document: Box::new(document),
        }),
        Again::Rows(rows) => {
            classify_rows_for(&options.demand, rows, served).map(|document| Answer::Rows(Box::new(document)))
        }
    };
    let answer = answer.map_err(InputError::Classify);
    let seconds = Duration::from_micros(spent.compute_us()).as_secs_f64();
    ending.came(Outcome::of(&answer, seconds));
    // That it failed is counted; its words are no part of any answer.
    let Ok(mut answer) = answer else { return Ok(()) };
    if beside.is_erased() {
        return Ok(());
    }
    let arm = Arm {
        experiment: beside.experiment.clone(),
        arm: SHADOW.to_owned(),
        beside: Some(beside.entry.id),
    };
    let computed = Computed::beside(app, arm, served, &spent);
    let entry = app.journaling.entry(asked, computed, &answer)?;
    app.journaling.record_blocking(entry, &mut answer)
}
