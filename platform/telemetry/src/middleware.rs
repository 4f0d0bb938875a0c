//! What is counted and logged of every request.

use crate::body::Counted;
use crate::metrics::Metrics;
use crate::request_id::{REQUEST_ID, trace_parent};
use crate::routes::Ending;
use crate::traces;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;

/// A problem, which whoever refuses a request leaves among the answer's extensions.
#[derive(Debug, Clone)]
pub struct ProblemType {
    /// Its type: a word of this program's own, never one that came from outside.
    pub kind: Arc<str>,
    /// Its status. The answer's may be another: gRPC refuses with 200.
    pub status: u16,
}

impl Metrics {
    /// Counts a request under its route and how it ended, measures it until the answer's head, and gives its log lines its id. Names of
    /// models, paths and queries stay out: they are the caller's words.
    pub async fn observe<F>(&self, request: Request, answer: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response>,
    {
        let start = Instant::now();
        let matched = request.extensions().get::<MatchedPath>().cloned();
        let series = self
            .routes()
            .of(matched.as_ref().map(MatchedPath::as_str), request.method().as_str());
        let caller = request.headers().get("traceparent").and_then(trace_parent);
        let traced = traces::Request::begin(caller.as_ref(), series.route.method, series.route.path);
        let span = tracing::info_span!(
            "request",
            request_id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()),
            trace_id = traced
                .as_ref()
                .map(|traced| traced.trace.as_str())
                .or(caller.as_ref().map(|caller| caller.trace)),
            span_id = traced.as_ref().map(|traced| traced.id.as_str()),
            route = series.route.path,
            method = series.route.method,
        );
        let bytes = series.bytes.clone();
        let request = request.map(|body| match http_body::Body::is_end_stream(&body) {
            true => body,
            false => Body::new(Counted { body, bytes }),
        });
        let mut open = Open {
            metrics: self,
            count: || series.count(Ending::Dropped),
            answered: false,
        };
        self.in_flight().inc();
        let response = answer(request).instrument(span.clone()).await;
        open.answered = true;
        drop(open);
        let took = start.elapsed();
        let problem = response.extensions().get::<ProblemType>();
        let code = problem.map_or_else(|| status_of(&response), |problem| problem.status);
        series.count(Ending::Class(code / 100));
        series.seconds.observe(took.as_secs_f64());
        if let Some(problem) = problem {
            self.problem(&problem.kind, code);
        }
        let problem = problem.map(|problem| &*problem.kind);
        if let Some(traced) = traced {
            traced.end(code, problem);
        }
        let seconds = took.as_secs_f64();
        // One line a request would cost more than some answers do; what went wrong here is always worth one.
        span.in_scope(|| {
            if code >= 500 {
                tracing::warn!(target: "einthoven::requests", status = code, seconds, problem, "answered");
            } else {
                tracing::debug!(target: "einthoven::requests", status = code, seconds, problem, "answered");
            }
        });
        response
    }
}

/// The status of an answer; where it is gRPC's and refuses, the status that HTTP has for the same.
fn status_of(response: &Response) -> u16 {
    let code = response.headers().get("grpc-status");
    match code.and_then(|code| code.to_str().ok()?.parse::<u8>().ok()) {
        None | Some(0) => response.status().as_u16(),
        // UNKNOWN, INTERNAL, UNAVAILABLE, DATA_LOSS.
        Some(2 | 13 | 14 | 15) => 500,
        Some(_) => 400,
    }
}

/// A request that has no answer yet.
struct Open<'a, F: Fn()> {
    metrics: &'a Metrics,
    count: F,
    answered: bool,
}

impl<F: Fn()> Drop for Open<'_, F> {
    fn drop(&mut self) {
        self.metrics.in_flight().dec();
        if !self.answered {
            (self.count)();
        }
    }
}
