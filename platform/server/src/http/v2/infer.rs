//! `POST /v2/models/{model}/infer`.

use super::body::Received;
use super::named::Named;
use super::outcome::refused;
use super::run::{Outcome, Work, answer, priority, run};
use crate::http::App;
use crate::http::blocking;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::journaling::Protocol;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_oip::{HEADER_LENGTH, InferRequest, Written};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Names the entry in the journal, where a body has no place for it.
pub(crate) const PREDICTION_HEADER: &str = "x-einthoven-prediction";

/// Bytes that are read or written on the spot; more would hold up other requests of the same thread.
const AT_ONCE: usize = 256 << 10;

pub(crate) async fn infer(
    State(app): State<Arc<App>>,
    Path(named): Path<Named>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let began = Instant::now();
    let reference = named.reference()?;
    let (parts, body) = request.into_parts();
    let Received { bytes, room } = Received::whole(&app, &parts.headers, body).await?;
    let asked = caller.asked(&app);
    let header_length = header_length(&parts.headers)?;
    let at_once = bytes.len() <= AT_ONCE;
    // What was JSON is let go of here: it is larger than its tensors, which may wait long for their turn.
    let parse = move || InferRequest::parse(&bytes, header_length).map_err(refused);
    let mut request = if at_once {
        parse()?
    } else {
        blocking(Arc::clone(&app.cores), parse).await?
    };
    let work = Work {
        reference: &reference,
        inputs: std::mem::take(&mut request.inputs),
        priority: priority(&request),
        flow: caller.principal().flow(),
        subject: caller.subject(),
        deadline: timeout(&parts.headers, &request)?.and_then(|timeout| began.checked_add(timeout)),
        asked,
        protocol: Protocol::Rest,
    };
    let outcome = run(&app, work).await?;
    let bytes: usize = outcome.done.outputs.iter().map(|output| output.data.len()).sum();
    if bytes <= AT_ONCE {
        return said(&request, &outcome);
    }
    let work = move || {
        // Held until the answer is written.
        let _room = room;
        said(&request, &outcome)
    };
    blocking(Arc::clone(&app.cores), work).await
}

fn said(request: &InferRequest, outcome: &Outcome) -> Result<Response, Problem> {
    let Written { body, header_length } = answer(request, outcome)?.write();
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let kind = match header_length {
        Some(length) => {
            headers.insert(HeaderName::from_static(HEADER_LENGTH), length.into());
            "application/octet-stream"
        }
        None => "application/json",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    name_outcome(headers, outcome);
    Ok(response)
}

/// Names what computed, and the entry in the journal, in the header.
pub(crate) fn name_outcome(headers: &mut HeaderMap, outcome: &Outcome) {
    let model = &outcome.model;
    let manifest = model.manifest();
    let device = model.device().to_string();
    let prediction = outcome.prediction.map(|id| id.to_string());
    let prediction = prediction.iter().map(|id| (PREDICTION_HEADER, id.as_str()));
    let computed = [
        ("x-einthoven-model", manifest.name.as_str()),
        ("x-einthoven-version", manifest.version.as_str()),
        ("x-einthoven-digest", model.digest()),
        ("x-einthoven-engine", model.engine()),
        ("x-einthoven-device", device.as_str()),
    ];
    for (name, value) in computed.into_iter().chain(prediction) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

fn header_length(headers: &HeaderMap) -> Result<Option<usize>, Problem> {
    headers
        .get(HEADER_LENGTH)
        .map(|value| number(value, HEADER_LENGTH))
        .transpose()
}

fn number<T: std::str::FromStr>(value: &HeaderValue, name: &str) -> Result<T, Problem> {
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| {
        let detail = format!("the header {name} must be a whole number");
        Problem::new(StatusCode::BAD_REQUEST, "bad_header", detail).at(name)
    })
}

/// How long the caller waits, in microseconds: the header `timeout`, or the parameter of that name; the shorter of both.
fn timeout(headers: &HeaderMap, request: &InferRequest) -> Result<Option<Duration>, Problem> {
    let header = match headers.get("timeout") {
        None => None,
        Some(value) => Some(number::<u64>(value, "timeout")?),
    };
    let header = header
        .filter(|microseconds| *microseconds > 0)
        .map(Duration::from_micros);
    let parameter = request.timeout().map_err(refused)?;
    Ok(match (header, parameter) {
        (Some(header), Some(parameter)) => Some(header.min(parameter)),
        (header, parameter) => header.or(parameter),
    })
}
