//! `einthoven openapi`: the document of the HTTP interface, as `/openapi.json` serves it, in lines.

use crate::http::document::{Edition, document};
use crate::http::table;
use clap::Args;
use std::io::Write;
use std::process::ExitCode;

/// Print the OpenAPI document of the HTTP interface.
#[derive(Debug, Args)]
pub(crate) struct Openapi {
    /// In OpenAPI 3.0, for tools that do not read 3.1.
    #[arg(long)]
    older: bool,
}

impl Openapi {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let edition = if self.older { Edition::V30 } else { Edition::V31 };
        let text = serde_json::to_string_pretty(&document(table().rows(), edition))?;
        writeln!(std::io::stdout().lock(), "{text}")?;
        Ok(ExitCode::SUCCESS)
    }
}
