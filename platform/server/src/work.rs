//! What jobs do: a recording is read and classified, on a thread of its own, as a request would be.

use crate::experiments::{Ending, Outcome};
use crate::http::App;
use crate::http::problem::Problem;
use crate::input::{Answer, InputError, Request, answer_for};
use crate::journaling::{Computed, read_noted};
use crate::shadows::{self, Beside};
use axum::http::StatusCode;
use einthoven_classify::{ClassifyError, Demand, Found, Options, Spent, Step, classify_in_steps};
use einthoven_dispatch::Priority;
use einthoven_ecg::readers::{Hints, Input, Unit};
use einthoven_jobs::{Failed, Progress, Stage, Task, Work};
use einthoven_registry_state::Reference;
use einthoven_serving::{Dealt, Routed};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Shares of the whole: reading, then finding beats, then classifying them.
const READ: f64 = 0.05;
const FOUND: f64 = 0.2;

/// The wait before the database is asked again.
const AGAIN: Duration = Duration::from_millis(500);

struct Classifying {
    app: Arc<App>,
    runtime: Handle,
}

/// Begins to do jobs, and ends them when the process is told to stop: they are done again after the next start.
pub(crate) fn start(app: &Arc<App>) {
    let work: Arc<dyn Work> = Arc::new(Classifying {
        app: Arc::clone(app),
        runtime: Handle::current(),
    });
    app.jobs.start(&work);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        app.lifecycle.draining().await;
        let _under_way = app.lifecycle.under_way();
        app.jobs.stop().await;
    });
}

/// A request as a job keeps it, with what the traffic dealt out to whom it is about, their pseudonym, and the number up to which the server
/// that was asked had followed erasures by then.
pub(crate) fn wish(request: &Request, dealt: Option<&Dealt>, subject: Option<&str>, followed: Option<i64>) -> Value {
    json!({
        "rate": request.hints.sampling_rate_hz,
        "unit": request.hints.unit.map(Unit::name),
        "record": request.hints.record,
        "lead": request.lead,
        "model": request.model,
        "dealt": dealt,
        "subject": subject,
        "followed": followed,
    })
}

/// Whether a job is about that person, by the pseudonym.
pub(crate) fn is_about(wish: &Value, subject: &str) -> bool {
    wish["subject"] == subject
}

fn request(wish: &Value) -> Request {
    let text = |name: &str| wish[name].as_str().map(str::to_owned);
    Request {
        hints: Hints {
            sampling_rate_hz: wish["rate"].as_f64(),
            unit: text("unit").and_then(|unit| Unit::from_name(&unit)),
            record: text("record"),
        },
        lead: text("lead"),
        model: text("model"),
        version: None,
    }
}

impl Classifying {
    /// Refuses a job that another server was asked for before it had followed an erasure of the person: this one may have followed it
    /// already, and would keep what it makes of the job. Asked for when it is known that the person is here: whoever erases from then on
    /// waits for that.
    fn is_still_wanted(&self, wish: &Value, progress: &Progress) -> Result<(), Failed> {
        let subject = wish["subject"].as_str();
        let known = subject
            .zip(self.app.journaling.everywhere())
            .zip(wish["followed"].as_i64());
        let Some(((subject, everywhere), followed)) = known else {
            return Ok(());
        };
        loop {
            match self.runtime.block_on(everywhere.asked_since(subject, followed)) {
                Ok(false) => return Ok(()),
                Ok(true) => {
                    let detail = "the person that it is about was erased after it was asked for; send it again if it is to be answered";
                    return Err(failed(Problem::new(StatusCode::CONFLICT, "cancelled", detail)));
                }
                Err(cause) => tracing::warn!("a job waits for the database of what is erased: {cause}"),
            }
            progress.goes_on()?;
            std::thread::sleep(AGAIN);
        }
    }
}

impl Work for Classifying {
    fn run(&self, task: Task) -> Result<Vec<u8>, Failed> {
        let Task {
            owner,
            wish,
            files,
            progress,
            ..
        } = task;
        let request = request(&wish);
        progress.goes_on()?;
        let files = files
            .into_iter()
            .map(|(name, bytes)| (name, Cow::Owned(bytes)))
            .collect();
        let journaling = &self.app.journaling;
        // Held until the entry is recorded.
        let here = journaling.here_as(wish["subject"].as_str());
        self.is_still_wanted(&wish, &progress)?;
        let mut asked = journaling.asked(&owner, here.clone());
        let (readers, keeps) = (&self.app.plugins.readers, journaling.keeps_recordings());
        let reading = read_noted(&mut asked, files, &request, readers, keeps).map_err(failed)?;
        let stage = |stage: &'static str, done: usize, total: usize| Stage {
            stage: stage.into(),
            done: done as u64,
            total: total as u64,
        };
        progress.report(READ, stage("reading", 1, 1))?;
        let reference: Reference = request.model.unwrap_or_default().parse().map_err(failed)?;
        // None in a job of an earlier release.
        let dealt: Option<Dealt> = serde_json::from_value(wish["dealt"].clone()).ok();
        let routed = self.app.loaded.route_dealt(&reference, dealt.as_ref());
        let Routed { model, shadows, arm } = self.runtime.block_on(routed).map_err(failed)?;
        let spent = Spent::default();
        let options = Options {
            lead: request.lead,
            demand: Demand {
                flow: owner.into(),
                deadline: self.app.comparing.deadline(arm.as_ref(), Some(&reading.input)),
                priority: Some(Priority::Batch),
                spent: spent.clone(),
            },
            found: Found::default(),
        };
        let rows = shadows::rows(&shadows, &reading.input);
        let again = (options.lead.clone(), options.found.clone());
        let ending = Ending::of(&self.app.comparing, &model, arm.as_ref());
        let answer = match reading.input {
            Input::Recording(recording) => {
                let mut beats = 0;
                let document = classify_in_steps(&recording, &model, &options, &mut |step| {
                    let told = match step {
                        Step::Found(found) => {
                            beats = found;
                            progress.report(FOUND, stage("finding beats", found, found))
                        }
                        Step::Classified(done) => {
                            let share = FOUND + (0.99 - FOUND) * done as f64 / beats.max(1) as f64;
                            progress.report(share, stage("classifying", done, beats))
                        }
                    };
                    told.map_or(ControlFlow::Break(()), ControlFlow::Continue)
                });
                let recording = Arc::new(recording);
                document.map_err(InputError::Classify).map(|document| Answer::Beats {
                    recording,
                    document: Box::new(document),
                })
            }
            Input::BeatRows(_) => answer_for(reading, &model, options),
        };
        let seconds = Duration::from_micros(spent.compute_us()).as_secs_f64();
        ending.came(Outcome::of(&answer, seconds));
        let mut answer = answer.map_err(|cause| match cause {
            InputError::Classify(ClassifyError::Stopped) => Failed::Stopped,
            cause => failed(cause),
        })?;
        if let Some(asked) = asked {
            let computed = Computed::by(&self.app, arm.as_ref(), &model, &spent);
            let entry = journaling.entry(asked, computed, &answer).map_err(failed)?;
            let beside = match (&entry, &arm) {
                (Some(entry), Some(arm)) => Beside::of(shadows, arm, &answer, rows, again, (entry, here.clone())),
                _ => None,
            };
            journaling.record_blocking(entry, &mut answer).map_err(failed)?;
            let _within = self.runtime.enter();
            shadows::submit(&self.app, beside.filter(|_| answer.is_remembered()));
        }
        drop(here);
        match answer {
            Answer::Beats { document, .. } => written(&document),
            Answer::Rows(document) => written(&document),
        }
    }
}

fn written(document: &impl serde::Serialize) -> Result<Vec<u8>, Failed> {
    serde_json::to_vec(document).map_err(|cause| failed(Problem::internal(&cause)))
}

fn failed(cause: impl Into<Problem>) -> Failed {
    Failed::Problem(serde_json::to_value(cause.into()).unwrap_or_default())
}
