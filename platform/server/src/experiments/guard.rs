//! The loop that looks at every challenger and withdraws what breaks a rail. It never promotes.

use super::evidence::{Known, Sources};
use super::meters::{ArmOf, Lately};
use super::relabelled::Relabelled;
use super::{Rules, sentinel};
use crate::http::App;
use einthoven_experiments::Recording;
use einthoven_experiments::guard::{Ruling, Window, rule};
use einthoven_experiments::recording::Answer;
use einthoven_journal::JournalError;
use einthoven_registry::Asked;
use einthoven_registry_state::{Change, ExperimentName, ModelName, VersionName};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::time::Instant;

/// Recordings that the rails look at, the newest, and of how long.
const MOST: usize = 200;
const NEWEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Who withdraws, as the audit trail names them.
const WHO: &str = "einthoven";

/// What was ruled, and when.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) at: Timestamp,
    pub(crate) ruling: Ruling,
}

/// A challenger that is looked at.
pub(super) struct Watched {
    pub(super) model: ModelName,
    pub(super) experiment: ExperimentName,
    pub(super) champion: VersionName,
    pub(super) challenger: VersionName,
    /// It computes beside the champion.
    shadow: bool,
    /// Entries of the log since which the champion and the challenger take part as they do.
    since: [u64; 2],
    /// What either answered before is no evidence.
    from: Timestamp,
    pub(super) rules: Rules,
}

impl Watched {
    /// When the challenger began, as it takes part now.
    pub(super) fn begun(&self) -> u64 {
        self.since[1]
    }

    fn arms(&self) -> [ArmOf; 2] {
        let arm = |version: &VersionName, since: u64| ArmOf {
            model: self.model.to_string(),
            experiment: self.experiment.to_string(),
            version: version.to_string(),
            since,
        };
        [arm(&self.champion, self.since[0]), arm(&self.challenger, self.since[1])]
    }
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
            let all = watched(&app);
            forget(&app, &all);
            for watched in all {
                sentinel::measure(&app, &watched, timely);
                if timely || app.comparing.sentinels.is_broken(&watched) {
                    look(&app, watched).await;
                }
            }
        }
    });
}

/// Every challenger of every experiment that runs.
fn watched(app: &App) -> Vec<Watched> {
    let state = app.registry().state();
    let mut all = Vec::new();
    for model in state.models.values() {
        let Some(experiment) = model.running() else { continue };
        let splits = experiment.splits.iter().map(|split| (split, false));
        let challengers = splits.chain(experiment.shadows.iter().map(|shadow| (shadow, true)));
        all.extend(challengers.filter_map(|(challenger, shadow)| {
            let begun = [&experiment.champion, &challenger.version].map(|version| model.takes_part_since(version));
            let [Some(one), Some(two)] = begun else { return None };
            Some(Watched {
                model: model.name.clone(),
                experiment: experiment.name.clone(),
                champion: experiment.champion.clone(),
                challenger: challenger.version.clone(),
                shadow,
                since: [one.seq, two.seq],
                from: one.at.max(two.at),
                rules: Rules::of(&experiment.rules),
            })
        }));
    }
    all
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
    app.comparing
        .relabelled()
        .retain(|(experiment, challenger), _| takes_part(experiment, challenger));
}

async fn look(app: &Arc<App>, watched: Watched) {
    let (experiment, challenger) = (watched.experiment.to_string(), watched.challenger.to_string());
    let known = match app.journaling.journal() {
        Err(_) => Ok((Vec::new(), None)),
        Ok(journal) => {
            let sources = Sources {
                journal: journal.clone(),
                model: watched.model.to_string(),
                experiment: experiment.clone(),
                champion: watched.champion.to_string(),
                challenger: challenger.clone(),
                since: Some(watched.from),
            };
            read(app, sources, &watched).await
        }
    };
    let (known, relabels) = match known {
        Ok(known) => known,
        Err(cause) => {
            tracing::error!("what experiment {experiment} answered cannot be read: {cause}");
            return;
        }
    };
    let arms = watched.arms();
    let least = watched.rules.rails.least_requests.max(1);
    let lately = app
        .comparing
        .meters
        .lately([&arms[0], &arms[1]], least, watched.from.as_second());
    let [champion, mut window] = windows(&known, lately);
    window.relabels = relabels;
    window.sentinel_misses = app.comparing.sentinels.misses(&watched);
    let ruling = rule(&watched.rules.rails, &champion, &window);
    let now = Timestamp::now();
    let looked = Looked {
        at: now,
        ruling: ruling.clone(),
    };
    app.comparing.note(experiment, challenger, looked);
    if ruling.withdraw {
        withdraw(app, watched, ruling, now).await;
    }
}

/// The newest recordings of both arms, and the evidence of all that readers corrected.
async fn read(app: &Arc<App>, sources: Sources, watched: &Watched) -> Result<(Vec<Known>, Option<f64>), JournalError> {
    let (app, shadow, begun) = (
        Arc::clone(app),
        watched.shadow,
        watched.since.into_iter().fold(0, u64::max),
    );
    let read = tokio::task::spawn_blocking(move || {
        let key = (sources.experiment.clone(), sources.challenger.clone());
        // Taken out meanwhile: looks come one after the other.
        let before = app.comparing.relabelled().remove(&key);
        let mut relabelled = before
            .filter(|before| before.since == begun)
            .unwrap_or_else(|| Relabelled::since(begun));
        let evidence = relabelled.look(&sources, shadow);
        app.comparing.relabelled().insert(key, relabelled);
        let week = Timestamp::now().checked_sub(NEWEST).ok();
        let newest = Sources {
            since: sources.since.max(week),
            ..sources
        };
        Ok((newest.known(MOST, false)?, evidence?))
    });
    read.await.unwrap_or(Err(JournalError::Closed))
}

async fn withdraw(app: &App, watched: Watched, ruling: Ruling, now: Timestamp) {
    let Watched {
        model,
        experiment,
        challenger,
        ..
    } = watched;
    let reasons: Vec<&str> = ruling.broken.iter().map(|broken| broken.reason.as_str()).collect();
    let why = reasons.join("; ");
    let broken = serde_json::to_value(&ruling.broken).unwrap_or_default();
    let seconds = i64::try_from(ruling.cool_down_s.unwrap_or_default()).unwrap_or(i64::MAX);
    let until = now
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX);
    let asked = Asked {
        who: WHO.to_owned(),
        why: why.clone(),
        change: Change::WithdrawChallenger {
            model: model.clone(),
            experiment: experiment.clone(),
            version: challenger.clone(),
            broken: broken.clone(),
            until,
        },
        seen: None,
    };
    match app.registry().change(asked).await {
        // Another server was first.
        Ok(done) if done.entries.is_empty() => {}
        Ok(_) => {
            tracing::warn!("{model}/{challenger} is withdrawn from experiment {experiment}: {why}");
            if let Some(webhook) = app.comparing.webhook.clone() {
                let body = serde_json::json!({
                    "event": "challenger_withdrawn",
                    "at": now,
                    "model": model,
                    "experiment": experiment,
                    "version": challenger,
                    "reason": why,
                    "broken": broken,
                    "until": until,
                });
                tokio::spawn(async move { webhook.tell(&body).await });
            }
        }
        Err(cause) => tracing::error!("{model}/{challenger} should be withdrawn and is not: {cause}"),
    }
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
        let all = known.iter().filter_map(|known| answer(&known.recording).as_ref());
        Window {
            requests: lately.counts.requests,
            errors: lately.counts.errors,
            timeouts: lately.counts.timeouts,
            empty: lately.counts.empty,
            p99_s: lately.p99_s,
            classes: all.map(classes).collect(),
            ..Window::default()
        }
    };
    let [champion, challenger] = lately;
    [
        arm(champion, |recording| &recording.champion),
        arm(challenger, |recording| &recording.challenger),
    ]
}
