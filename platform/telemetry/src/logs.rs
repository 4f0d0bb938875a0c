//! Lines for people or for machines, on standard error.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// Variable of the environment that says what is logged, such as `info` or `info,einthoven=debug`.
const FILTER: &str = "EINTHOVEN_LOG";

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
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct LogArguments {
    /// How lines of the log look.
    #[arg(long, value_enum, default_value = "text", env = "EINTHOVEN_LOG_FORMAT")]
    pub log_format: Format,
}

impl LogArguments {
    /// Starts logging to standard error, panics included, once for the process.
    pub fn start(self) {
        let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| "info".into());
        let lines = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr);
        // A second start, as in a test, leaves the first one in place.
        let _ = match self.log_format {
            Format::Text => lines.try_init(),
            Format::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
        };
        crate::panics::install();
    }
}
