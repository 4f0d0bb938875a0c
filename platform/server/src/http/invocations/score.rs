//! `POST /invocations`: the request by what the model takes, its outputs as predictions.

use crate::http::App;
use crate::http::blocking;
use crate::http::body::{Path, Query};
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::v2::name_outcome;
use crate::http::v2::run::{Outcome, Work, datatype, resolved, run};
use crate::http::v2::{Named, Received};
use crate::journaling::Protocol;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_auth::Scope;
use einthoven_dispatch::{Priority, Tensor};
use einthoven_plugin_host::{Signature, TensorSpec};
use einthoven_registry_state::{NameError, Reference, Selector};
use einthoven_scoring::{Column, ContentType, ScoringError, Wanted, parse, write_predictions};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Bytes that are read or written on the spot; more would hold up other requests of the same thread.
const AT_ONCE: usize = 64 << 10;

/// Header that names the model, for clients whose addresses are fixed.
const MODEL_HEADER: &str = "x-einthoven-model";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// `NAME`, `NAME/VERSION` or `NAME@ALIAS`.
    model: Option<String>,
}

pub(super) async fn score(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let header = request
        .headers()
        .get(MODEL_HEADER)
        .and_then(|value| value.to_str().ok());
    let reference = match asked.model.as_deref().or(header) {
        Some(name) => name.parse().map_err(|cause: NameError| {
            Problem::new(StatusCode::BAD_REQUEST, "bad_name", cause.to_string()).at("model")
        })?,
        None => only(&app, &caller)?,
    };
    caller.may(Scope::Predict, reference.model.as_str())?;
    scored(&app, &caller, &reference, request).await
}

pub(super) async fn score_model(
    State(app): State<Arc<App>>,
    Path(named): Path<Named>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    scored(&app, &caller, &named.reference()?, request).await
}

/// The only model that answers and that the caller may use.
fn only(app: &App, caller: &Caller) -> Result<Reference, Problem> {
    let state = app.registry().state();
    let mut answering = state
        .models
        .values()
        .filter(|model| model.traffic.champion.is_some() && caller.uses(model.name.as_str()));
    match (answering.next(), answering.next()) {
        (Some(model), None) => Ok(Reference {
            model: model.name.clone(),
            selector: Selector::Traffic,
        }),
        (Some(_), Some(_)) => {
            let detail =
                "several models answer here; name one: /invocations?model=NAME, or the header X-Einthoven-Model";
            Err(Problem::new(StatusCode::BAD_REQUEST, "which_model", detail).at("model"))
        }
        (None, _) => {
            let detail = "no model answers here yet";
            Err(Problem::new(StatusCode::CONFLICT, "nothing_serves", detail))
        }
    }
}

async fn scored(app: &Arc<App>, caller: &Caller, reference: &Reference, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let kind = content_type(&parts.headers)?;
    let Received { bytes, room } = Received::whole(app, &parts.headers, body).await?;
    let asked = caller.asked(app);
    let model = resolved(app, reference).await?;
    let wanted = wanted(model.signature());
    drop(model);
    let at_once = bytes.len() <= AT_ONCE;
    // The text is let go of here: it is larger than its tensors, which may wait long for their turn.
    let parse = move || parse(&bytes, kind, &wanted).map_err(refused);
    let read = if at_once {
        parse()?
    } else {
        blocking(Arc::clone(&app.cores), parse).await?
    };
    if let Some(name) = read.params.keys().next() {
        let detail = format!("`params`: models here take no parameters; leave `{name}` out");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "unsupported", detail).at("params"));
    }
    let work = Work {
        reference,
        inputs: read.inputs,
        priority: Priority::Interactive,
        flow: caller.principal().flow(),
        subject: caller.subject(),
        deadline: None,
        asked,
        protocol: Protocol::Scoring,
    };
    let outcome = run(app, work).await?;
    let bytes: usize = outcome.done.outputs.iter().map(|output| output.data.len()).sum();
    if bytes <= AT_ONCE {
        return Ok(said(&outcome));
    }
    blocking(Arc::clone(&app.cores), move || {
        // Held until the answer is written.
        let _room = room;
        Ok(said(&outcome))
    })
    .await
}

fn said(outcome: &Outcome) -> Response {
    fn column(output: &Tensor) -> Column<'_> {
        Column {
            name: &output.name,
            datatype: datatype(output.dtype),
            shape: &output.dims,
            data: &output.data,
        }
    }
    let columns: Vec<_> = outcome.done.outputs.iter().map(column).collect();
    let mut response = write_predictions(&columns).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    name_outcome(headers, outcome);
    response
}

fn content_type(headers: &HeaderMap) -> Result<ContentType, Problem> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    ContentType::of(value.unwrap_or_default()).map_err(|cause| {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "wrong_content_type",
            cause.to_string(),
        )
        .at(cause.field)
    })
}

fn refused(cause: ScoringError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_request", cause.detail).at(cause.field)
}

fn wanted(signature: &Signature) -> Vec<Wanted> {
    let each = |spec: &TensorSpec| Wanted {
        name: spec.name.clone(),
        datatype: datatype(spec.dtype),
        row: spec.dims.iter().skip(1).copied().collect(),
    };
    signature.inputs.iter().map(each).collect()
}
