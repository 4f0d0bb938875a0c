//! `einthoven routes`: every route and what it asks of who calls, from the table that the server is built of.

use crate::http::table;
use std::io::Write;
use std::process::ExitCode;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for row in table().rows() {
        writeln!(out, "{:<7}{:<65}{}", row.method.as_str(), row.path, row.access)?;
    }
    Ok(ExitCode::SUCCESS)
}
