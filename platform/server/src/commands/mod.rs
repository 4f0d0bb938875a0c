//! The command line.

mod audit;
mod backup;
mod classify;
mod config;
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

pub(crate) use identity::OWNER_KEY;

use crate::configuration;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Finds, classifies and shows every heartbeat in an ECG recording. Research use only. Not for diagnosis.
#[derive(Debug, Parser)]
#[command(name = "einthoven", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What to do; where nothing is said, serve.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the page and the API.
    Serve(Box<serve::Serve>),
    /// Check or print the settings that `serve` would have, from the same flags, environment and file.
    #[command(subcommand)]
    Config(config::Config),
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

/// What the shell says of a program that was called wrongly, as for every wrong flag.
const MISUSED: u8 = 2;

/// Commands that take the server's settings.
const SERVING: [&[&str]; 3] = [&["serve"], &["config", "check"], &["config", "print"]];

/// Does what the process's arguments say; a wrong one ends the process with usage on standard error.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.len() < 2 {
        words.push("serve".into());
    }
    let mut read = configuration::read(&Arguments::command(), &words, &SERVING);
    let command = match &read.matches {
        Some(matches) => Some(Arguments::from_arg_matches(matches)?.command),
        None => None,
    };
    if let Some(settings) = command.as_ref().and_then(Command::settings) {
        read.problems.extend(settings.problems());
    }
    let problems = read.problems;
    match command {
        Some(command) if problems.is_empty() => command.run(&read.settings),
        _ => {
            for problem in &problems {
                eprintln!("einthoven: {problem}");
            }
            Ok(ExitCode::from(MISUSED))
        }
    }
}

impl Command {
    /// The server's settings, of a command that takes them.
    fn settings(&self) -> Option<&serve::Serve> {
        match self {
            Self::Serve(serve) | Self::Config(config::Config::Check(serve) | config::Config::Print(serve)) => {
                Some(serve)
            }
            _ => None,
        }
    }

    fn run(self, settings: &configuration::Settings) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Config(command) => Ok(command.run(settings)),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every argument of every command that is shown says what it is.
    fn all_are_described(command: &clap::Command) {
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let (of, which) = (command.get_name(), argument.get_id());
            assert!(
                argument.get_help().is_some_and(|help| !help.to_string().is_empty()),
                "{of}: {which}"
            );
        }
        let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
        shown.for_each(all_are_described);
    }

    #[test]
    fn every_command_and_every_argument_is_described() {
        let mut command = Arguments::command();
        command.build();
        all_are_described(&command);
    }
}
