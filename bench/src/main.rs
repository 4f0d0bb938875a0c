//! Measures the product and writes `bench/RESULTS.md`, or with `serving` beside other servers and writes `bench/SERVING.md`:
//! ratios within one run, on the machine that it names.
//!
//! Needs the MIT-BIH Arrhythmia Database in `../shared/data/mitdb`. One thread does the work unless a row says otherwise.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a binary has no public items")]

mod parts;
mod process;
mod registry;
mod serving;
mod table;

use anyhow::Context;
use std::path::PathBuf;

/// Of each load on a server.
const SECONDS: u32 = 6;

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("serving") => serving::run(SECONDS, &arguments[1..]),
        _ => measure(),
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{cause:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn measure() -> anyhow::Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let database = root.join("../shared/data/mitdb");
    anyhow::ensure!(
        database.is_dir(),
        "the MIT-BIH Arrhythmia Database is not in `{}`",
        database.display()
    );
    let model = parts::model()?;
    let mut rows = Vec::new();
    parts::record_100(&database, &model, &mut rows)?;
    parts::a_day(&database, &model, &mut rows)?;
    let server = std::env::current_exe()?.with_file_name("einthoven");
    process::start_and_memory(&server, &root.join("platform/server/samples"), &mut rows)?;
    registry::large(&mut rows)?;
    let text = table::render(&rows);
    print!("{text}");
    std::fs::write(root.join("bench/RESULTS.md"), text).context("cannot write bench/RESULTS.md")
}
