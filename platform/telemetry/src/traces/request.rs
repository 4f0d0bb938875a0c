//! The span of one request.

use super::TRACER;
use crate::request_id::TraceParent;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span;

/// Where the log's span of a request is made: its fields say which of ours it is.
pub(super) const TARGET: &str = "einthoven_telemetry::middleware";

/// A request that is traced.
pub(crate) struct Request {
    span: Span,
    pub(crate) trace: String,
    pub(crate) id: String,
}

impl Request {
    /// None where nothing is traced, or this request is not among those that are.
    pub(crate) fn begin(parent: Option<&TraceParent<'_>>, method: &'static str, route: &'static str) -> Option<Self> {
        let tracer = TRACER.get()?;
        let context = parent
            .and_then(above)
            .map_or_else(Context::new, |above| Context::new().with_remote_span_context(above));
        let builder = tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route),
            ]);
        let span = tracer.build_with_context(builder, &context);
        let own = span.span_context().clone();
        own.is_sampled().then(|| Self {
            trace: own.trace_id().to_string(),
            id: own.span_id().to_string(),
            span,
        })
    }

    /// It was answered: with that status, and by that type of problem where it was refused.
    pub(crate) fn end(mut self, status: u16, problem: Option<&str>) {
        self.span
            .set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if let Some(problem) = problem {
            self.span.set_attribute(KeyValue::new("error.type", problem.to_owned()));
        }
        if status >= 500 {
            self.span.set_status(Status::error(""));
        }
        self.span.end();
    }
}

/// The caller's span. What a caller adds in `tracestate` are words of theirs, and stays out.
fn above(parent: &TraceParent<'_>) -> Option<SpanContext> {
    let flags = if parent.sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::default()
    };
    let (trace, span) = (
        TraceId::from_hex(parent.trace).ok()?,
        SpanId::from_hex(parent.span).ok()?,
    );
    Some(SpanContext::new(trace, span, flags, true, TraceState::default()))
}

/// The span that the log's span of a request names in its fields.
pub(super) fn named(trace: &str, span: &str) -> Option<SpanContext> {
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    Some(SpanContext::new(
        trace,
        span,
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    ))
}
