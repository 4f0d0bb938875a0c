//! The command line.

mod classify;
mod evaluate;
mod plugin;
mod serve;
mod worker;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Finds, classifies and shows every heartbeat in an ECG recording. Research use only. Not for diagnosis.
#[derive(Debug, Parser)]
#[command(name = "einthoven", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do; without a word, serve.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the page and the API.
    Serve(serve::Serve),
    /// Classify recordings and print what was found.
    Classify(classify::Classify),
    /// Score the embedded model against the reference beats of a database, by the rules of EC57.
    Evaluate(evaluate::Evaluate),
    /// Run one engine for the server that started this process.
    #[command(hide = true)]
    Worker,
    /// Check and seal plugins: engines and readers in libraries of their own.
    Plugin(plugin::PluginCommand),
}

impl Command {
    /// Reads the process's arguments; a wrong one ends the process with usage on standard error.
    pub(crate) fn parse_or_serve() -> Self {
        Arguments::parse()
            .command
            .unwrap_or_else(|| Self::Serve(serve::Serve::default_settings()))
    }

    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Classify(command) => command.run(),
            Self::Evaluate(command) => command.run(),
            Self::Worker => worker::run(),
            Self::Plugin(command) => command.run(),
        }
    }
}
