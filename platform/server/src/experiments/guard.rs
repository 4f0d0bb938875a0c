//! The loop that looks at every challenger and withdraws what breaks a rail. It never promotes.

use super::evidence::{Known, Sources};
use super::{Rules, Seen};
use crate::http::App;
use einthoven_experiments::guard::{Ruling, Window, rule};
use einthoven_experiments::recording::Answer;
use einthoven_journal::JournalError;
use einthoven_registry::Asked;
use einthoven_registry_state::{Change, ExperimentName, ModelName, VersionName};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Recordings that the rails look at, the newest.
const MOST: usize = 200;
/// Who withdraws, as the audit trail names them.
const WHO: &str = "einthoven";

/// What was ruled, and when.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) at: Timestamp,
    pub(crate) ruling: Ruling,
}

/// A challenger that is looked at.
struct Watched {
    model: ModelName,
    experiment: ExperimentName,
    champion: VersionName,
    challenger: VersionName,
    rules: Rules,
}

/// Looks again and again until the process closes.
pub(crate) fn start(app: &Arc<App>) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = tokio::time::sleep(app.comparing.every) => {}
                () = app.lifecycle.closing() => return,
            }
            for watched in watched(&app) {
                look(&app, watched).await;
            }
        }
    });
}

fn watched(app: &App) -> Vec<Watched> {
    let state = app.registry().state();
    let mut all = Vec::new();
    for model in state.models.values() {
        let Some(experiment) = model.running() else { continue };
        let challengers = experiment.splits.iter().chain(&experiment.shadows);
        all.extend(challengers.map(|challenger| Watched {
            model: model.name.clone(),
            experiment: experiment.name.clone(),
            champion: experiment.champion.clone(),
            challenger: challenger.version.clone(),
            rules: Rules::of(&experiment.rules),
        }));
    }
    all
}

async fn look(app: &Arc<App>, watched: Watched) {
    let (experiment, challenger) = (watched.experiment.to_string(), watched.challenger.to_string());
    let known = match app.journaling.journal() {
        Err(_) => Ok(Vec::new()),
        Ok(journal) => {
            let sources = Sources {
                journal: journal.clone(),
                model: watched.model.to_string(),
                experiment: experiment.clone(),
                champion: watched.champion.to_string(),
                challenger: challenger.clone(),
            };
            read(sources).await
        }
    };
    let known = match known {
        Ok(known) => known,
        Err(cause) => {
            tracing::error!("what experiment {experiment} answered cannot be read: {cause}");
            return;
        }
    };
    let seen = |version: &VersionName| app.comparing.meters.of(&experiment, version.as_str());
    let windows = windows(&known, seen(&watched.champion), seen(&watched.challenger));
    let ruling = rule(&watched.rules.rails, &windows.0, &windows.1);
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

async fn read(sources: Sources) -> Result<Vec<Known>, JournalError> {
    let read = tokio::task::spawn_blocking(move || sources.known(MOST, false));
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

/// Both arms as the rails take them.
fn windows(known: &[Known], champion: Seen, challenger: Seen) -> (Window, Window) {
    let classes = |answer: &Answer| {
        let mut classes = [0; 6];
        classes[..5].copy_from_slice(&answer.said);
        classes[5] = answer.withheld;
        classes
    };
    let window = |seen: Seen, arm: usize| {
        let answer = |known: &Known| {
            let recording = &known.recording;
            let answer = if arm == 0 {
                &recording.champion
            } else {
                &recording.challenger
            };
            answer.as_ref().map(classes)
        };
        Window {
            requests: seen.requests,
            errors: seen.errors,
            timeouts: seen.timeouts,
            empty: seen.empty,
            p99_s: seen.p99_s,
            classes: known.iter().filter_map(answer).collect(),
            relabelled: known.iter().filter_map(|known| known.wrong[arm]).collect(),
            sentinel_misses: None,
        }
    };
    (window(champion, 0), window(challenger, 1))
}
