//! The command line.

mod audit;
mod backup;
mod classify;
mod evaluate;
mod gate;
mod identity;
mod keys;
mod models;
mod openapi;
mod plugin;
mod remote;
mod replay;
mod routes;
mod serve;
mod sources;
mod traffic;
mod users;
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
    Serve(Box<serve::Serve>),
    /// Classify recordings and print what was found.
    Classify(classify::Classify),
    /// Score the embedded model against the reference beats of a database, by the rules of EC57.
    Evaluate(evaluate::Evaluate),
    /// Bring versions in, list and remove them, on a running server.
    Models(models::Models),
    /// Promote and roll back, on a running server.
    Traffic(traffic::Traffic),
    /// Say what a promotion needs, and measure what it asks for, on a running server.
    Gate(gate::GateCommand),
    /// Add, test and follow MLflow servers, on a running server.
    Sources(sources::Sources),
    /// Make, list and revoke API keys, on a running server.
    Keys(keys::Keys),
    /// Add, list and remove people who sign in, on a running server.
    Users(users::Users),
    /// Make an answer again and compare it byte for byte, on a running server.
    Replay(replay::Replay),
    /// List every change, and check that the log of them is what was written.
    Audit(audit::Audit),
    /// Copy the registry and its files while the server runs.
    Backup(backup::Backup),
    /// Bring a backup back.
    Restore(backup::Restore),
    /// List every route of the HTTP interface with the scope that it needs.
    Routes,
    /// Print the OpenAPI document of the HTTP interface.
    #[command(hide = true)]
    Openapi(openapi::Openapi),
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
            .unwrap_or_else(|| Self::Serve(Box::new(serve::Serve::default_settings())))
    }

    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Classify(command) => command.run(),
            Self::Evaluate(command) => command.run(),
            Self::Models(command) => command.run(),
            Self::Traffic(command) => command.run(),
            Self::Gate(command) => command.run(),
            Self::Sources(command) => command.run(),
            Self::Keys(command) => command.run(),
            Self::Users(command) => command.run(),
            Self::Replay(command) => command.run(),
            Self::Audit(command) => command.run(),
            Self::Backup(command) => command.run(),
            Self::Restore(command) => command.run(),
            Self::Routes => routes::run(),
            Self::Openapi(command) => command.run(),
            Self::Worker => worker::run(),
            Self::Plugin(command) => command.run(),
        }
    }
}
