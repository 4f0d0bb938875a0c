//! Measures the product and writes `bench/RESULTS.md`: ratios within one run, on the machine that it names.
//!
//! Needs the MIT-BIH Arrhythmia Database in `../shared/data/mitdb`. One thread does the work unless a row says otherwise.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a binary has no public items")]

mod parts;
mod process;
mod registry;
mod table;

use anyhow::Context;
use std::path::PathBuf;

fn main() -> std::process::ExitCode {
    match measure() {
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
