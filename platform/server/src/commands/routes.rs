//! `einthoven routes`: every route the role of the servers that answer it, and what it asks of who calls, from the table that the server is built of. A scope holds for
//! the `{model}` of the path, and for all models where the path has none.

use crate::http::table;
use std::io::Write;
use std::process::ExitCode;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for row in table().rows() {
        let (method, path) = (row.method.as_str(), row.path);
        let part = row.part.map_or_else(|| "none".to_owned(), |part| part.to_string());
        writeln!(out, "{method:<7} {path:<64} {part:<8} {}", row.access)?;
    }
    Ok(ExitCode::SUCCESS)
}
