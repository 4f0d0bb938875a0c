//! A frozen set that every challenger is measured on when it begins: kept recordings of predictions that the rules name, with what
//! readers say is right. A beat that the champion calls rightly and the challenger does not is missed anew.

use super::watched::Watched;
use crate::http::App;
use crate::http::problem::Problem;
use crate::input::{InputError, read};
use crate::journaling::{is_kept, opened};
use axum::http::StatusCode;
use einthoven_classify::{ClassifyError, Demand, Options, ServedModel, classify, classify_rows_for};
use einthoven_dispatch::Priority;
use einthoven_ecg::readers::{Input, Reading};
use einthoven_journal::labels::{Truth, current};
use einthoven_journal::{Entry, Journal};
use einthoven_registry_state::VersionName;
use einthoven_serving::SHADOW;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Predictions of a set at most.
const MOST: usize = 100;
/// How long a full queue is waited for, and how often it is tried again.
const QUEUED_WITHIN: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(200);

/// What came of the sets, by experiment and challenger.
#[derive(Default)]
pub(crate) struct Sentinels(Mutex<BTreeMap<(String, String), Measured>>);

struct Measured {
    of: Of,
    stands: Stands,
}

/// What was measured: another champion, a challenger that came back, or another set is measured anew.
#[derive(Clone, PartialEq)]
struct Of {
    champion: VersionName,
    begun: u64,
    set: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stands {
    UnderWay,
    /// So many beats are missed that the champion finds.
    Missed(u64),
    /// It could not be measured; it is tried again at the next look where that may help.
    Not {
        again: bool,
    },
}

impl Of {
    fn watched(watched: &Watched) -> Self {
        Self {
            champion: watched.champion.clone(),
            begun: watched.begun(),
            set: watched.rules.sentinel.clone(),
        }
    }
}

fn key(watched: &Watched) -> (String, String) {
    (watched.experiment.to_string(), watched.challenger.to_string())
}

impl Sentinels {
    /// Beats that the challenger misses and the champion finds; none where that is not known yet.
    pub(super) fn misses(&self, watched: &Watched) -> Option<u64> {
        self.missed(watched.experiment.as_str(), watched.challenger.as_str())
            .filter(|_| {
                self.lock()
                    .get(&key(watched))
                    .is_some_and(|there| there.of == Of::watched(watched))
            })
    }

    /// The same as it was measured last.
    pub(crate) fn missed(&self, experiment: &str, challenger: &str) -> Option<u64> {
        let all = self.lock();
        match all.get(&(experiment.to_owned(), challenger.to_owned()))?.stands {
            Stands::Missed(misses) => Some(misses),
            _ => None,
        }
    }

    /// Whether what was measured withdraws the challenger.
    pub(super) fn is_broken(&self, watched: &Watched) -> bool {
        let most = watched.rules.rails.sentinel_misses;
        self.misses(watched)
            .zip(most)
            .is_some_and(|(misses, most)| misses > most)
    }

    pub(super) fn retain(&self, takes_part: impl Fn(&str, &str) -> bool) {
        self.lock()
            .retain(|(experiment, challenger), _| takes_part(experiment, challenger));
    }

    fn note(&self, key: (String, String), of: Of, stands: Stands) {
        self.lock().insert(key, Measured { of, stands });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Measured>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Measures a challenger where it was not yet; returns at once.
pub(super) fn measure(app: &Arc<App>, watched: &Watched, timely: bool) {
    if watched.rules.sentinel.is_empty() || watched.rules.rails.sentinel_misses.is_none() {
        return;
    }
    let Ok(journal) = app.journaling.journal().cloned() else {
        return;
    };
    let (key, of) = (key(watched), Of::watched(watched));
    if let Some(there) = app.comparing.sentinels.lock().get(&key)
        && there.of == of
        && !(timely && there.stands == (Stands::Not { again: true }))
    {
        return;
    }
    app.comparing.sentinels.note(key.clone(), of.clone(), Stands::UnderWay);
    let (app, model, challenger) = (Arc::clone(app), watched.model.clone(), watched.challenger.clone());
    tokio::spawn(async move {
        let measured = async {
            let loaded = |version: VersionName| {
                let state = app.registry().state();
                let found = state.model(&model).and_then(|model| model.version(&version).cloned());
                let (app, model) = (&app, &model);
                async move {
                    let found = found?;
                    Ok::<_, Problem>(app.loaded.load(model, &found).await?)
                }
            };
            let models = [loaded(of.champion.clone()).await?, loaded(challenger).await?];
            let (inner, set) = (Arc::clone(&app), of.set.clone());
            crate::http::blocking(Arc::clone(&app.evaluations), move || {
                Ok(missed(&inner, &journal, &set, &models))
            })
            .await
        };
        let stands = match measured.await {
            Ok(stands) => stands,
            Err(problem) => {
                tracing::warn!("the sentinel set of {} is not measured: {}", key.0, problem.detail());
                Stands::Not { again: true }
            }
        };
        app.comparing.sentinels.note(key, of, stands);
        app.comparing.measured.notify_one();
    });
}

/// Measures both versions on what is still there of a set. Blocks.
fn missed(app: &App, journal: &Journal, set: &[String], models: &[Arc<ServedModel>; 2]) -> Stands {
    let (mut misses, mut measured) = (0, 0);
    for id in set {
        match of_one(app, journal, id, models) {
            Ok(Some(more)) => (misses, measured) = (misses + more, measured + 1),
            // Erased, or no longer kept.
            Ok(None) => tracing::warn!("{id} of a sentinel set is gone; the rest is measured"),
            Err(InputError::Classify(ClassifyError::Late | ClassifyError::Busy { .. })) => {
                return Stands::Not { again: true };
            }
            Err(cause) => {
                tracing::warn!("{id} of a sentinel set cannot be measured: {cause}");
                return Stands::Not { again: false };
            }
        }
    }
    if measured == 0 {
        return Stands::Not { again: false };
    }
    Stands::Missed(misses)
}

/// Beats of one recording that only the champion calls rightly; none where it is gone.
fn of_one(
    app: &App,
    journal: &Journal,
    id: &str,
    [champion, challenger]: &[Arc<ServedModel>; 2],
) -> Result<Option<u64>, InputError> {
    let entry = id.parse::<Uuid>().ok().and_then(|id| journal.get(id).ok().flatten());
    let Some(entry) = entry else { return Ok(None) };
    let Ok((files, request)) = opened(journal, &entry) else {
        return Ok(None);
    };
    let truth = truth(journal, &entry);
    let reading = read(files, &request, &app.plugins.readers)?;
    let length_s = match &reading.input {
        Input::Recording(recording) => recording.duration_s(),
        Input::BeatRows(_) => 0.0,
    };
    let patience = app.comparing.patience(length_s);
    let one = said(&reading, champion, request.lead.as_ref(), patience)?;
    let two = said(&reading, challenger, request.lead.as_ref(), patience).unwrap_or_else(|cause| {
        // Whoever fails, refuses what the champion takes, or is late finds nothing.
        tracing::warn!("a challenger says nothing about {id} of a sentinel set: {cause}");
        HashMap::new()
    });
    let right = |said: &HashMap<u64, String>, at: &u64, class: &String| said.get(at) == Some(class);
    let misses = truth
        .iter()
        .filter(|(at, class)| right(&one, at, class) && !right(&two, at, class));
    Ok(Some(misses.count() as u64))
}

/// What readers say of each beat that the answer has.
fn truth(journal: &Journal, entry: &Entry) -> BTreeMap<u64, String> {
    let told = journal.labels().of(entry.id).unwrap_or_default();
    let held = current(&told).into_iter().filter_map(|(at, held)| match held.truth? {
        Truth::Class { class } => Some((at, class)),
        _ => None,
    });
    held.collect()
}

/// Classes by R peak, or by row. A queue that is full is no fault of the version's for as long as that may pass.
fn said(
    reading: &Reading,
    model: &ServedModel,
    lead: Option<&String>,
    patience: Duration,
) -> Result<HashMap<u64, String>, InputError> {
    let end = Instant::now() + QUEUED_WITHIN;
    loop {
        match said_once(reading, model, lead, patience) {
            Err(InputError::Classify(ClassifyError::Busy { .. })) if Instant::now() < end => std::thread::sleep(AGAIN),
            said => return said,
        }
    }
}

fn said_once(
    reading: &Reading,
    model: &ServedModel,
    lead: Option<&String>,
    patience: Duration,
) -> Result<HashMap<u64, String>, InputError> {
    let demand = Demand {
        flow: SHADOW.into(),
        deadline: Some(Instant::now() + patience),
        priority: Some(Priority::Batch),
        ..Demand::default()
    };
    let mut said = HashMap::new();
    match &reading.input {
        Input::Recording(recording) => {
            let options = Options {
                lead: lead.cloned(),
                demand,
                ..Options::default()
            };
            for beat in classify(recording, model, &options)?.beats {
                said.extend(beat.class.map(|class| (beat.sample as u64, class.letter().to_string())));
            }
        }
        Input::BeatRows(rows) => {
            for row in classify_rows_for(&demand, rows, model)?.rows {
                said.insert(row.row as u64, row.class.letter().to_string());
            }
        }
    }
    Ok(said)
}

/// Refuses a set that cannot be measured here. Blocks.
pub(crate) fn check(journal: &Journal, model: &str, set: &[String]) -> Result<(), Problem> {
    let refuse = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("rules");
    if set.len() > MOST {
        return Err(refuse(format!("`rules.sentinel` names more than {MOST} predictions")));
    }
    for id in set {
        let entry = id.parse::<Uuid>().ok().map(|id| journal.get(id)).transpose()?.flatten();
        let Some(entry) = entry.filter(|entry| entry.model == model) else {
            return Err(refuse(format!(
                "in `rules.sentinel`: this server has no prediction `{id}` of model `{model}`"
            )));
        };
        if !is_kept(journal, &entry) {
            return Err(refuse(format!(
                "in `rules.sentinel`: the recording of prediction `{id}` is not kept; start the server with --keep-recordings and \
                 send it again"
            )));
        }
        if truth(journal, &entry).is_empty() {
            return Err(refuse(format!(
                "in `rules.sentinel`: no beat of prediction `{id}` is labelled"
            )));
        }
    }
    Ok(())
}
