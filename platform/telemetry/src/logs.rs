//! Lines for people or for machines, on standard error.

use crate::traces::Traces;
use clap::{Args, ValueEnum};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How the server logs.
#[derive(Debug, Clone, Args)]
pub struct LogArguments {
    /// How lines of the log look.
    #[arg(long, value_enum, default_value = "text", env = "EINTHOVEN_LOG_FORMAT")]
    pub log_format: Format,
    /// What is logged, such as `info` or `info,einthoven=debug`.
    #[arg(long, value_name = "FILTER", default_value = "info", env = "EINTHOVEN_LOG", value_parser = filter)]
    pub log: String,
}

/// Text that is a filter.
fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|cause| cause.to_string())
}

impl LogArguments {
    /// Starts logging to standard error, panics included, and tracing beside it, once for the process.
    ///
    /// # Errors
    /// Where the filter is none.
    pub fn start(&self, traces: &Traces) -> Result<(), tracing_subscriber::filter::ParseError> {
        let filter = EnvFilter::try_new(&self.log)?;
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = match self.log_format {
            Format::Text => lines.boxed(),
            Format::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        };
        // A second start, as in a test, leaves the first one in place.
        let _ = tracing_subscriber::registry()
            .with(lines.with_filter(filter))
            .with(traces.layer())
            .try_init();
        crate::panics::install();
        Ok(())
    }
}
