//! A recording that was sent, classified: at once, or as what a job is made of.

use super::App;
use super::caller::Caller;
use super::problem::Problem;
use super::upload::{Files, Upload};
use crate::experiments::{Ending, Outcome};
use crate::input::{Answer, Request, answer_for, default_model, read};
use crate::journaling::{Asked, Computed, read_noted};
use crate::shadows::{self, Beside};
use axum::http::StatusCode;
use einthoven_auth::Scope;
use einthoven_classify::{Demand, Found, Options, Spent};
use einthoven_ecg::readers::Reading;
use einthoven_registry_state::{NameError, Reference, Selector};
use einthoven_serving::{Dealt, Routed};
use einthoven_telemetry::Stage;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a job is made of.
pub(crate) struct Work {
    pub(crate) files: Files,
    /// Names the version.
    pub(crate) request: Request,
    /// What the traffic dealt out; none where the request named a version, or the champion is alone.
    pub(crate) dealt: Option<Dealt>,
    pub(crate) room: Vec<OwnedSemaphorePermit>,
}

impl Upload {
    /// Reads it and finds the version that is to answer, without classifying: what cannot be done is refused before a job is
    /// made of it. The request then names that version.
    pub(crate) async fn into_work(self, app: &Arc<App>, caller: &Caller) -> Result<Work, Problem> {
        let Self {
            files,
            mut request,
            room,
            ..
        } = self;
        let (reader, hints) = (Arc::clone(app), request.clone());
        let (files, reference, room) = blocking(Arc::clone(&app.cores), move || {
            let borrowed = files
                .iter()
                .map(|(name, bytes)| (name.clone(), Cow::Borrowed(bytes.as_slice())));
            let reading = read(borrowed.collect(), &hints, &reader.plugins.readers).map_err(Problem::from)?;
            let reference = named(hints.model.as_deref(), hints.version.as_deref(), &reading)?;
            Ok((files, reference, room))
        })
        .await?;
        caller.may(Scope::Predict, reference.model.as_str())?;
        // Whom it is about is known now; the job keeps a pseudonym.
        let dealt = app.loaded.deal(&reference, caller.subject());
        let state = app.registry().state();
        let (model, mut version) = state.resolve(&reference)?;
        if let Some(challenger) = dealt.as_ref().and_then(|dealt| dealt.challenger.as_ref()) {
            version = model.version(challenger)?;
        }
        (request.model, request.version) = (Some(version.title(&model.name)), None);
        Ok(Work {
            files,
            request,
            dealt,
            room,
        })
    }

    /// Reads and classifies it.
    pub(crate) async fn answer(self, app: &Arc<App>, caller: &Caller) -> Result<Answer, Problem> {
        let owned = |(name, bytes)| (name, Cow::Owned(bytes));
        let files = self.files.into_iter().map(owned).collect();
        classified(app, caller, files, self.request, self.room).await
    }
}

/// Reads files and classifies what they hold, each on a thread of its own, as many at a time as there are cores. A model
/// that must be loaded first takes no core while it is waited for.
pub(crate) async fn classified(
    app: &Arc<App>,
    caller: &Caller,
    files: Vec<(String, Cow<'static, [u8]>)>,
    request: Request,
    room: Vec<OwnedSemaphorePermit>,
) -> Result<Answer, Problem> {
    let (reader, hints) = (Arc::clone(app), request.clone());
    let mut asked = caller.asked(app);
    // Until the entry is recorded and whoever computes beside has it.
    let here = asked.as_ref().and_then(Asked::here);
    let keeps = app.journaling.keeps_recordings();
    let (reading, asked, room) = blocking(Arc::clone(&app.cores), move || {
        // Held until the work is done, also when the client has left.
        let _clock = Stage::Read.running();
        let reading = read_noted(&mut asked, files, &hints, &reader.plugins.readers, keeps)?;
        Ok((reading, asked, room))
    })
    .await?;
    let reference = named(request.model.as_deref(), request.version.as_deref(), &reading)?;
    caller.may(Scope::Predict, reference.model.as_str())?;
    let clock = Stage::Resolve.running();
    let Routed { model, shadows, arm } = app.loaded.route(&reference, caller.subject()).await?;
    drop(clock);
    let spent = Spent::default();
    let mut options = Options {
        lead: request.lead,
        demand: Demand {
            flow: caller.principal().flow(),
            spent: spent.clone(),
            ..Demand::default()
        },
        found: Found::default(),
    };
    let (teller, about) = (Arc::clone(app), here.clone());
    let (mut answer, entry, beside) = blocking(Arc::clone(&app.cores), move || {
        let _room = room;
        let clock = Stage::Classify.running();
        let rows = shadows::rows(&shadows, &reading.input);
        let again = (options.lead.clone(), options.found.clone());
        options.demand.deadline = teller.comparing.deadline(arm.as_ref(), Some(&reading.input));
        let ending = Ending::of(&teller.comparing, &model, arm.as_ref());
        let answer = answer_for(reading, &model, options);
        drop(clock);
        let seconds = Duration::from_micros(spent.compute_us()).as_secs_f64();
        ending.came(Outcome::of(&answer, seconds));
        let answer = answer?;
        let entry = asked.map(|asked| {
            let computed = Computed::by(&teller, arm.as_ref(), &model, &spent);
            teller.journaling.entry(asked, computed, &answer)
        });
        let entry = entry.transpose()?.flatten();
        let beside = match (&entry, &arm) {
            (Some(entry), Some(arm)) => Beside::of(shadows, arm, &answer, rows, again, (entry, about)),
            _ => None,
        };
        Ok((answer, entry, beside))
    })
    .await?;
    app.journaling.record(entry, &mut answer).await?;
    // What is not remembered has nothing to be compared with.
    shadows::submit(app, beside.filter(|_| answer.is_remembered()));
    Ok(answer)
}

/// The version a caller means: `model` as `NAME`, `NAME/VERSION` or `NAME@ALIAS`, or `version` beside it.
pub(crate) fn named(model: Option<&str>, version: Option<&str>, reading: &Reading) -> Result<Reference, Problem> {
    let wrong = |field: &'static str| {
        move |cause: NameError| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_name", cause.to_string()).at(field)
    };
    let model = model.unwrap_or_else(|| default_model(&reading.input));
    let mut reference: Reference = model.parse().map_err(wrong("model"))?;
    if let Some(version) = version {
        if reference.selector != Selector::Traffic {
            let detail = format!("`model` is `{model}` and names a version already; leave one of the two out");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("version"));
        }
        reference.selector = version.parse().map_err(wrong("version"))?;
    }
    Ok(reference)
}

/// Runs heavy work off the event loop when a core is free; what it panics with becomes a plain 500.
pub(crate) async fn blocking<T: Send + 'static>(
    cores: Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let permit = cores.acquire_owned().await.map_err(|cause| Problem::internal(&cause))?;
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || {
        let _core = permit;
        span.in_scope(work)
    })
    .await
    .map_err(Problem::from)?
}
