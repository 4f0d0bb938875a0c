//! Outputs for inputs, one by one or over a stream.

use super::status;
use crate::http::App;
use crate::http::access::may;
use crate::http::problem::Problem;
use crate::http::v2::named::reference;
use crate::http::v2::outcome::refused;
use crate::http::v2::room;
use crate::http::v2::run::{Work, answer, priority, run};
use crate::journaling::Protocol;
use einthoven_auth::{Principal, Scope};
use einthoven_oip::grpc::{Asked, answer as message, pb};
use futures_util::{Stream, StreamExt};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::metadata::MetadataMap;
use tonic::{Status, Streaming};
use uuid::Uuid;

/// Requests of one stream that are under way at once. Answers come in the order of the requests.
const OF_ONE_STREAM: usize = 16;

/// Names whom a request is about.
const SUBJECT: &str = "x-einthoven-subject";

/// Longest name of a subject.
const LONGEST: usize = 500;

/// When a caller gives up, as `grpc-timeout` says it: up to eight digits and a unit.
fn deadline(metadata: &MetadataMap) -> Result<Option<Instant>, Status> {
    let Some(value) = metadata.get("grpc-timeout") else {
        return Ok(None);
    };
    let timeout = value.to_str().ok().and_then(timeout);
    let timeout =
        timeout.ok_or_else(|| Status::invalid_argument("grpc-timeout must be up to eight digits and a unit"))?;
    Ok(Instant::now().checked_add(timeout))
}

fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// Who calls, for whom, and until when.
#[derive(Clone)]
pub(super) struct Caller {
    principal: Principal,
    /// Whom the traffic is dealt out by; the caller where nobody is named.
    subject: Option<String>,
    deadline: Option<Instant>,
}

impl Caller {
    pub(super) fn of(principal: Principal, metadata: &MetadataMap) -> Result<Self, Status> {
        let subject = metadata
            .get(SUBJECT)
            .map(|value| value.to_str().unwrap_or_default().trim());
        if subject.is_some_and(|subject| subject.is_empty() || subject.len() > LONGEST) {
            let detail = format!("{SUBJECT} must hold 1 to {LONGEST} printable ASCII characters");
            return Err(Status::invalid_argument(detail));
        }
        Ok(Self {
            principal,
            subject: subject.map(str::to_owned),
            deadline: deadline(metadata)?,
        })
    }
}

/// The answer to one request, and its entry in the journal.
pub(super) async fn one(
    app: &Arc<App>,
    caller: &Caller,
    request: pb::ModelInferRequest,
) -> Result<(pb::ModelInferResponse, Option<Uuid>), Status> {
    answered(app, caller, request)
        .await
        .map_err(|problem| status::of(&problem))
}

async fn answered(
    app: &Arc<App>,
    caller: &Caller,
    request: pb::ModelInferRequest,
) -> Result<(pb::ModelInferResponse, Option<Uuid>), Problem> {
    let Caller {
        principal,
        subject,
        deadline,
    } = caller;
    let began = Instant::now();
    may(principal, Scope::Predict, Some(&request.model_name))?;
    let journaling = &app.journaling;
    let noted = journaling.asked(principal.name(), journaling.here(subject.as_deref()));
    let raw: usize = request.raw_input_contents.iter().map(bytes::Bytes::len).sum();
    let _room = room(app, raw)?;
    let mut asked = Asked::try_from(request).map_err(refused)?;
    let reference = reference(&asked.model, &asked.version)?;
    let own = asked.request.timeout().map_err(refused)?;
    let own = own.and_then(|timeout| began.checked_add(timeout));
    let work = Work {
        reference: &reference,
        inputs: std::mem::take(&mut asked.request.inputs),
        priority: priority(&asked.request),
        flow: principal.flow(),
        subject: subject.as_deref().unwrap_or(principal.name()),
        deadline: match (own, deadline) {
            (Some(own), Some(deadline)) => Some(own.min(*deadline)),
            (own, deadline) => own.or(*deadline),
        },
        asked: noted,
        protocol: Protocol::Grpc,
    };
    let outcome = run(app, work).await?;
    let answer = answer(&asked.request, &outcome)?;
    let device = outcome.model.device().to_string();
    let mut more = vec![
        ("digest", outcome.model.digest()),
        ("engine", outcome.model.engine()),
        ("device", device.as_str()),
    ];
    let prediction = outcome.prediction.map(|id| id.to_string());
    more.extend(prediction.as_deref().map(|id| ("prediction", id)));
    Ok((message(&answer, &more), outcome.prediction))
}

/// The answers to a stream of requests. A request that fails is answered so and ends nothing; a server that stops answers what
/// has come and takes no more.
pub(super) fn many(
    app: Arc<App>,
    caller: Caller,
    requests: Streaming<pb::ModelInferRequest>,
) -> impl Stream<Item = Result<pb::ModelStreamInferResponse, Status>> + Send {
    let under_way = app.lifecycle.under_way();
    let lifecycle = app.lifecycle.clone();
    let stopping = async move { lifecycle.draining().await };
    let each = move |request: Result<pb::ModelInferRequest, Status>| {
        let (app, caller) = (Arc::clone(&app), caller.clone());
        async move {
            let request = request?;
            let id = request.id.clone();
            Ok(match one(&app, &caller, request).await {
                // Metadata are of the whole stream: here the answer's parameter `prediction` names it.
                Ok((answer, _)) => pb::ModelStreamInferResponse {
                    error_message: String::new(),
                    infer_response: Some(answer),
                },
                Err(status) => pb::ModelStreamInferResponse {
                    error_message: status.message().to_owned(),
                    infer_response: Some(pb::ModelInferResponse {
                        id,
                        ..pb::ModelInferResponse::default()
                    }),
                },
            })
        }
    };
    requests
        .take_until(Box::pin(stopping))
        .map(each)
        .buffered(OF_ONE_STREAM)
        .map(move |answer| {
            let _ = &under_way;
            answer
        })
}

#[cfg(test)]
mod tests {
    use super::timeout;
    use std::time::Duration;

    #[test]
    fn timeouts_are_digits_and_a_unit() {
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(timeout("1u"), Some(Duration::from_micros(1)));
        for wrong in ["", "m", "5", "5x", "-5m", "+5m", "123456789m", "5 m", "5é"] {
            assert_eq!(timeout(wrong), None, "{wrong}");
        }
    }
}
