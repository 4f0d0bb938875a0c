//! The loop that looks at every challenger and withdraws what breaks a rail. It never promotes.

use super::drifting;
use super::evidence::{Known, Sources};
use super::meters::Lately;
use super::remembered::Looks;
use super::sentinel;
use super::watched::{Watched, watched};
use super::withdrawal::withdraw;
use crate::http::App;
use einthoven_experiments::Recording;
use einthoven_experiments::guard::{Ruling, Window, rule};
use einthoven_experiments::recording::Answer;
use einthoven_journal::JournalError;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// Recordings that the rails look at, the newest, and of how long.
const MOST: usize = 200;
const NEWEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What was ruled, and when.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) at: Timestamp,
    pub(crate) ruling: Ruling,
}

/// Looks again and again until the process closes; at once at who has just begun.
pub(crate) fn start(app: &Arc<App>) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let mut changed = app.registry().changed();
        let mut next = Instant::now() + app.comparing.every;
        loop {
            let timely = tokio::select! {
                () = tokio::time::sleep_until(next) => true,
                // It ends with the registry, and so does all of this.
                Ok(()) = changed.changed() => false,
                () = app.comparing.measured.notified() => false,
                () = app.lifecycle.closing() => return,
            };
            if timely {
                next = Instant::now() + app.comparing.every;
            }
            let all = watched(&app.registry().state());
            forget(&app, &all);
            if timely {
                drifting::watch(&app);
            }
            for watched in all {
                sentinel::measure(&app, &watched, timely);
                if timely || app.comparing.sentinels.is_broken(&watched) {
                    look(&app, watched);
                }
            }
        }
    });
}

/// What is known of arms that take part no more goes.
fn forget(app: &App, all: &[Watched]) {
    let state = app.registry().state();
    app.comparing.meters.retain(|model, experiment, version| {
        let found = state.models.get(model);
        found.is_some_and(|found| {
            let named = found.traffic.experiment.as_ref().map_or(model, |name| name.as_str());
            named == experiment && found.traffic.versions().any(|there| there.as_str() == version)
        })
    });
    let takes_part = |experiment: &str, challenger: &str| {
        let mut all = all.iter();
        all.any(|one| one.experiment.as_str() == experiment && one.challenger.as_str() == challenger)
    };
    app.comparing.sentinels.retain(takes_part);
    app.comparing.memory.retain(takes_part);
}

/// Looks beside the loop, unless a look at the same challenger is still under way: a journal that takes long to read holds up that
/// challenger alone.
fn look(app: &Arc<App>, watched: Watched) {
    let Some(turn) = app.comparing.turns.turn(watched.key()) else {
        return;
    };
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let Ok(_room) = app.comparing.looks.acquire().await else {
            return;
        };
        let before = app.comparing.sentinels.misses(&watched);
        look_now(&app, watched.clone()).await;
        drop(turn);
        if app.comparing.sentinels.misses(&watched) != before {
            // What was measured meanwhile found this look under way.
            app.comparing.measured.notify_one();
        }
    });
}

async fn look_now(app: &Arc<App>, watched: Watched) {
    let known = match app.journaling.journal() {
        Err(_) => Ok(Read::default()),
        Ok(journal) => {
            let sources = Sources {
                journal: journal.clone(),
                model: watched.model.to_string(),
                experiment: watched.experiment.to_string(),
                champion: watched.champion.to_string(),
                challenger: watched.challenger.to_string(),
                since: Some(watched.from),
            };
            read(app, sources, &watched).await
        }
    };
    let read = match known {
        Ok(read) => read,
        Err(cause) => {
            tracing::error!(
                "what experiment {} answered cannot be read: {cause}",
                watched.experiment
            );
            return;
        }
    };
    let arms = watched.arms();
    let least = watched.rules.rails.least_requests.max(1);
    let lately = app
        .comparing
        .meters
        .lately([&arms[0], &arms[1]], least, watched.from.as_second());
    let [champion, mut window] = windows(&read.known, lately);
    window.relabels = read.relabels;
    window.sentinel_misses = app.comparing.sentinels.misses(&watched);
    window.earlier_looks = read.looks.number;
    let people = champion.classes.len().min(window.classes.len()) as u64;
    let enough = people >= watched.rules.rails.least_recordings.max(2);
    window.looked_already = read.looks.has_looked(&read.known, watched.rules.rails.least_recordings);
    let looks = enough && !window.looked_already;
    let rails = watched.rules.rails.clone();
    let ruled = tokio::task::spawn_blocking(move || rule(&rails, &champion, &window)).await;
    let Ok(ruling) = ruled else { return };
    let now = Timestamp::now();
    let (experiment, challenger) = watched.key();
    let looked = Looked {
        at: now,
        ruling: ruling.clone(),
    };
    app.comparing.note(experiment, challenger, looked);
    if ruling.withdraw {
        match withdraw(app.registry(), watched, &ruling, now).await {
            Ok(None) => {}
            Ok(Some(told)) => {
                app.comparing.meters.withdrew();
                app.comparing.tell(told);
            }
            Err(cause) => tracing::error!("a challenger should be withdrawn and is not: {cause}"),
        }
    } else if looks {
        let (memory, key) = (&app.comparing.memory, watched.key());
        let mut remembered = memory.recall(&key, watched.since);
        remembered.looks.took(&read.known);
        memory.keep(key, remembered);
    }
}

/// What the journal and the looks before say.
#[derive(Default)]
struct Read {
    known: Vec<Known>,
    relabels: Option<f64>,
    looks: Looks,
}

/// The newest recordings of both arms, and the evidence of all that readers corrected.
async fn read(app: &Arc<App>, sources: Sources, watched: &Watched) -> Result<Read, JournalError> {
    let (app, shadow, key, since) = (Arc::clone(app), watched.shadow, watched.key(), watched.since);
    let read = tokio::task::spawn_blocking(move || {
        // Taken out meanwhile: looks at one challenger come one after the other.
        let mut remembered = app.comparing.memory.recall(&key, since);
        let relabels = remembered.relabelled.look(&sources, shadow);
        let looks = remembered.looks;
        app.comparing.memory.keep(key, remembered);
        let week = Timestamp::now().checked_sub(NEWEST).ok();
        let newest = Sources {
            since: sources.since.max(week),
            ..sources
        };
        Ok(Read {
            known: newest.known(MOST, false)?,
            relabels,
            looks,
        })
    });
    read.await.unwrap_or(Err(JournalError::Closed))
}

/// Both arms as the rails take them, the champion first.
fn windows(known: &[Known], lately: [Lately; 2]) -> [Window; 2] {
    let classes = |answer: &Answer| {
        let mut classes = [0; 6];
        classes[..5].copy_from_slice(&answer.said);
        classes[5] = answer.withheld;
        classes
    };
    let arm = |lately: Lately, answer: fn(&Recording) -> &Option<Answer>| {
        let all = known.iter().filter_map(|known| {
            let answer = answer(&known.recording).as_ref()?;
            Some((known.person(), classes(answer)))
        });
        let mut of: BTreeMap<&str, [u64; 6]> = BTreeMap::new();
        for (person, more) in all {
            let sum = of.entry(person).or_default();
            sum.iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum = sum.saturating_add(more));
        }
        Window {
            requests: lately.counts.requests,
            errors: lately.counts.errors,
            timeouts: lately.counts.timeouts,
            empty: lately.counts.empty,
            p99_s: lately.p99_s,
            classes: of.into_values().collect(),
            ..Window::default()
        }
    };
    let [champion, challenger] = lately;
    [
        arm(champion, |recording| &recording.champion),
        arm(challenger, |recording| &recording.challenger),
    ]
}
