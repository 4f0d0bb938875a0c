//! Parts of a request, made into spans when they have ended: what took how long is only known then.

use super::{CALL, request};
use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanContext, TraceContextExt, Tracer};
use opentelemetry_sdk::trace::SdkTracer;
use std::collections::HashMap;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context as Around;
use tracing_subscriber::registry::LookupSpan;

/// Listens for what calls and stages tell.
pub(super) struct Parts {
    tracer: SdkTracer,
}

/// Which of our spans a request of the log is.
struct Traced(SpanContext);

#[derive(Default)]
struct Fields {
    numbers: HashMap<&'static str, u64>,
    texts: HashMap<&'static str, String>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.numbers.insert(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.texts.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl Fields {
    fn time(&self, name: &str) -> Duration {
        Duration::from_nanos(self.numbers.get(name).copied().unwrap_or(0))
    }
}

impl Parts {
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self { tracer }
    }

    /// A span that is over; what it was under which others can be put.
    fn over(&self, name: &'static str, above: &SpanContext, from: SystemTime, to: SystemTime) -> SpanContext {
        let context = Context::new().with_remote_span_context(above.clone());
        let builder = self.tracer.span_builder(name).with_start_time(from);
        let mut span = self.tracer.build_with_context(builder, &context);
        span.end_with_timestamp(to);
        span.span_context().clone()
    }

    fn call(&self, above: &SpanContext, fields: &Fields, now: SystemTime) {
        let to = now - fields.time("ago_ns");
        let from = to - fields.time("total_ns");
        let call = self.over("call", above, from, to);
        let mut begun = from;
        for (part, took) in [("queue", "queue_ns"), ("batch", "batch_ns"), ("compute", "compute_ns")] {
            let ended = begun + fields.time(took);
            self.over(part, &call, begun, ended);
            begun = ended;
        }
    }

    fn stage(&self, above: &SpanContext, fields: &Fields, now: SystemTime) {
        let stages = ["receive", "read", "resolve", "classify"];
        let told = fields.texts.get("stage").map(String::as_str);
        if let Some(stage) = stages.into_iter().find(|stage| Some(*stage) == told) {
            self.over(stage, above, now - fields.time("took_ns"), now);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Parts {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, around: Around<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let (trace, span) = (fields.texts.get("trace_id"), fields.texts.get("span_id"));
        if let (Some(trace), Some(own)) = (trace, span)
            && let Some(traced) = request::named(trace, own)
            && let Some(span) = around.span(id)
        {
            span.extensions_mut().insert(Traced(traced));
        }
    }

    fn on_event(&self, event: &Event<'_>, around: Around<'_, S>) {
        let Some(scope) = around.event_scope(event) else {
            return;
        };
        let above = scope
            .into_iter()
            .find_map(|span| span.extensions().get::<Traced>().map(|traced| traced.0.clone()));
        let Some(above) = above else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let now = SystemTime::now();
        match event.metadata().target() {
            CALL => self.call(&above, &fields, now),
            _ => self.stage(&above, &fields, now),
        }
    }
}
