//! `/v1/jobs`: long work that is not waited for.

use super::App;
use super::body::Path;
use super::caller::Caller;
use super::classified::Work;
use super::problem::Problem;
use super::standing::Standing;
use super::upload::Upload;
use crate::work;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use einthoven_auth::Scope;
use einthoven_jobs::{Info, JobsError, New, View};
use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How often a silent stream of events says that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

#[derive(Serialize, JsonSchema)]
pub(crate) struct JobList {
    items: Vec<Info>,
}

/// Makes a job of an upload; says where it is.
pub(crate) async fn create(app: &Arc<App>, caller: &Caller, upload: Upload) -> Result<Response, Problem> {
    let owner = caller.principal().name().to_owned();
    // Until it is there to be found when the person is erased.
    let here = caller.here(app);
    // After that: an erasure that is not followed by now waits for what is here.
    let followed = app.journaling.everywhere().map(|everywhere| everywhere.done());
    let Work {
        files,
        request,
        dealt,
        room: _room,
    } = upload.into_work(app, caller).await?;
    let subject = here.as_ref().map(|here| here.subject());
    let wish = work::wish(&request, dealt.as_ref(), subject, followed);
    let info = app.jobs.create(New { owner, wish, files }).await?;
    let location = [(header::LOCATION, format!("/v1/jobs/{}", info.id))];
    Ok((StatusCode::ACCEPTED, location, Json(info)).into_response())
}

/// Jobs are of who made them; an administrator sees all.
fn view(caller: &Caller) -> View<'_> {
    if caller.principal().may(Scope::Admin) {
        View::All
    } else {
        View::Of(caller.principal().name())
    }
}

pub(crate) async fn list_jobs(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<JobList>, Problem> {
    let items = app.jobs.list(view(&caller)).await?;
    Ok(Json(JobList { items }))
}

pub(crate) async fn get_job(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Info>, Problem> {
    Ok(Json(app.jobs.get(view(&caller), &id).await?))
}

/// Cancels one that has not ended, removes one that has.
pub(crate) async fn delete_job(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.jobs.delete(view(&caller), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn get_result(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let result = app.jobs.result(view(&caller), &id).await;
    if let Err(JobsError::Failed(problem)) = result {
        // The very problem that a request would have been answered with.
        let status = problem["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return Ok((status, kind, problem.to_string()).into_response());
    }
    Ok(([(header::CONTENT_TYPE, "application/json")], result?).into_response())
}

/// Server-sent events, from the one after `Last-Event-ID` or from the first.
pub(crate) async fn get_events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen = headers.get("last-event-id").map(|value| {
        let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        number.ok_or_else(|| {
            let detail = "Last-Event-ID must be the id of an event as this server gave it";
            Problem::new(StatusCode::BAD_REQUEST, "bad_header", detail).at("last-event-id")
        })
    });
    let events = app.jobs.events(view(&caller), &id, seen.transpose()?).await?;
    if events.is_over().await {
        // Tells a browser's EventSource not to come back.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let each = stream::unfold(events, |mut events| async move {
        let event = events.next().await?;
        let said = Event::default()
            .id(event.id.to_string())
            .event(event.kind)
            .data(event.data.to_string());
        Some((Ok::<_, Infallible>(said), events))
    });
    // It ends with the credential too: an EventSource that comes back is then refused.
    let each = each.take_until(Standing::of(&headers).lost(Arc::clone(&app), Scope::Predict));
    let alive = KeepAlive::new().interval(ALIVE).text("alive");
    let kept = [(header::CACHE_CONTROL, "no-store")];
    Ok((kept, Sse::new(each).keep_alive(alive)).into_response())
}

impl From<JobsError> for Problem {
    fn from(error: JobsError) -> Self {
        let (status, code) = match &error {
            JobsError::Full { .. } | JobsError::Stopping => return Self::busy(error.to_string()),
            JobsError::Unavailable { what, .. } => {
                tracing::error!("{error}");
                return Self::busy(format!("{what} does not answer; try again in a moment"));
            }
            JobsError::OwnersShare { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_jobs"),
            JobsError::NoSuchJob => (StatusCode::NOT_FOUND, "no_such_job"),
            JobsError::NotEnded(_) => (StatusCode::CONFLICT, "not_ended"),
            JobsError::Cancelled => (StatusCode::CONFLICT, "cancelled"),
            JobsError::Failed(_) => (StatusCode::CONFLICT, "failed"),
            _ => return Self::internal(&error),
        };
        Self::new(status, code, error.to_string())
    }
}
