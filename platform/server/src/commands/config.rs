//! `einthoven config`: what the server would be started with.

use super::serve::Serve;
use crate::configuration::Settings;
use clap::Subcommand;
use std::process::ExitCode;

/// Which settings there are, before anything is opened.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Say everything that is wrong with the settings; nothing is opened or written.
    Check(Box<Serve>),
    /// Print every setting with where it was said, as a file that would say the same. Secrets are not shown.
    Print(Box<Serve>),
}

impl Config {
    /// Called only where nothing is wrong.
    pub(super) fn run(self, settings: &Settings) -> ExitCode {
        match self {
            Self::Check(_) => println!("nothing is wrong with the settings"),
            Self::Print(_) => print!("{settings}"),
        }
        ExitCode::SUCCESS
    }
}
