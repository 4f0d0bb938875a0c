//! Traces of requests, sent to a collector by OTLP where one is named.
//!
//! A request is a span with its stages below it, and with its calls to models: each a span of the three parts `queue`, `batch` and
//! `compute`. Names and attributes are words of this program's, so spans hold nothing of a recording or a person.

mod export;
mod layer;
mod request;

pub(crate) use request::Request;

use clap::Args;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use std::sync::OnceLock;
use std::time::Duration;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// Where calls to models tell how long they took, and stages.
const CALL: &str = "einthoven::call";
const STAGE: &str = "einthoven::stage";

/// How long the collector is waited for, and at the end of the process.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process's tracer; none where nothing is traced.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// What is traced, and who is told.
#[derive(Debug, Clone, Args)]
pub struct TraceArguments {
    /// Collector that traces are sent to by OTLP over HTTP, such as `http://localhost:4318`; without one nothing is traced.
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<reqwest::Url>,
    /// Share of the requests that are traced, where the caller has not decided that in `traceparent`.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, env = "OTEL_TRACES_SAMPLER_ARG", value_parser = share)]
    pub trace_ratio: f64,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "say a number from 0 to 1")?;
    let fits = (0.0..=1.0).contains(&share);
    fits.then_some(share).ok_or_else(|| "it must be from 0 to 1".to_owned())
}

/// Traces under way; what was not sent yet is sent when it is ended.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl TraceArguments {
    /// Begins to trace, once for the process, from within a runtime.
    ///
    /// # Errors
    /// Where the collector's address cannot be one.
    pub fn start(&self) -> Result<Traces, String> {
        let Some(endpoint) = &self.otlp_endpoint else {
            return Ok(Traces::none());
        };
        let mut address = endpoint.clone();
        let wrong = || format!("--otlp-endpoint {endpoint}: it must begin with http:// or https://");
        if !matches!(address.scheme(), "http" | "https") {
            return Err(wrong());
        }
        let path = format!("{}/v1/traces", address.path().trim_end_matches('/'));
        address.set_path(&path);
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(export::Client::new(PATIENCE).map_err(|cause| cause.to_string())?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address)
            .with_timeout(PATIENCE)
            .build()
            .map_err(|cause| cause.to_string())?;
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder()
            .with_service_name("einthoven")
            .with_attribute(version);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                self.trace_ratio,
            ))))
            .with_resource(resource.build())
            .build();
        // A second start, as in a test, leaves the first one in place.
        let _ = TRACER.set(provider.tracer("einthoven"));
        Ok(Traces(Some(provider)))
    }
}

impl Traces {
    /// Nothing is traced.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// What listens for calls and stages; none where nothing is traced.
    pub(crate) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer = TRACER.get().filter(|_| self.0.is_some())?;
        let heard = Targets::new()
            .with_target(CALL, tracing::Level::DEBUG)
            .with_target(STAGE, tracing::Level::DEBUG)
            .with_target(request::TARGET, tracing::Level::INFO);
        Some(layer::Parts::new(tracer.clone()).with_filter(heard))
    }

    /// Sends what was not sent yet; the runtime must still run.
    pub fn end(self) {
        if let Some(provider) = self.0
            && let Err(cause) = provider.shutdown_with_timeout(PATIENCE)
        {
            tracing::warn!("the last traces were not sent: {cause}");
        }
    }
}
