//! The program as somebody calls it in a terminal.

use std::process::Command;

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) ok: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command with that API key, or without one.
pub(crate) fn run_as(key: Option<&str>, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_einthoven"));
    command.args(arguments).env_remove("EINTHOVEN_OWNER_KEY");
    match key {
        Some(key) => command.env("EINTHOVEN_KEY", key),
        None => command.env_remove("EINTHOVEN_KEY"),
    };
    let output = command.output().unwrap();
    Said {
        ok: output.status.success(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
