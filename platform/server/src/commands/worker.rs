//! `einthoven worker`: the child of a server that runs one engine; not for people.

use crate::engines;
use std::process::ExitCode;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("EINTHOVEN_LOG").unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .init();
    einthoven_plugin_worker::serve(engines::for_worker)?;
    Ok(ExitCode::SUCCESS)
}
