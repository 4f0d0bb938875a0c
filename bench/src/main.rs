//! Measures the product: each command writes its section of `bench/RESULTS.md`, `serving` writes `bench/SERVING.md`. Ratios
//! within one run, on the machine that it names.
//!
//! Without a command it needs the MIT-BIH Arrhythmia Database in `../shared/data/mitdb`; one thread does the work then unless a
//! row says otherwise.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a binary has no public items")]

mod parts;
mod process;
mod queue;
mod registry;
mod served;
mod serving;
mod table;

use anyhow::Context;
use std::path::{Path, PathBuf};

/// Of each load on a server, where `EINTHOVEN_BENCH_SECONDS` says nothing.
const SECONDS: u64 = 6;

/// Of the overload and of the soak, the same.
const OVERLOAD_S: u64 = 60;
const SOAK_S: u64 = 600;
/// Of each way in which a shadow fails, the same.
const SHADOW_S: u64 = 60;

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{cause:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let results = root.join("bench/RESULTS.md");
    let seconds = |usual| match std::env::var("EINTHOVEN_BENCH_SECONDS") {
        Ok(text) => text
            .parse()
            .context("EINTHOVEN_BENCH_SECONDS must be a whole number of seconds"),
        Err(_) => Ok(usual),
    };
    let mut rows = Vec::new();
    let (command, rest) = arguments
        .split_first()
        .map_or(("", arguments), |(first, rest)| (first.as_str(), rest));
    let (name, notes) = match command {
        "" => {
            measure(&root, &mut rows)?;
            ("Parts", "Medians of several runs.")
        }
        "fairness" => {
            queue::fairness(&mut rows)?;
            (
                "Fairness",
                "Two instances; the neighbour asks for one row, waits for it, and asks again half a millisecond later. What it is \
                 compared with is a machine that is as busy, by others who each wait for their answers.",
            )
        }
        "deadlines" => {
            served::deadlines(&mut rows)?;
            ("Deadlines", "Over HTTP, the client on the same cores.")
        }
        "overload" => {
            served::overload(seconds(OVERLOAD_S)?, &mut rows)?;
            ("Overload", "Over HTTP with one key, the client on the same cores.")
        }
        "soak" => {
            served::soak(seconds(SOAK_S)?, &mut rows)?;
            ("Soak", "Over HTTP with one key, the client on the same cores.")
        }
        "propagation" => {
            served::propagation(&mut rows)?;
            (
                "Propagation",
                "Three servers over one PostgreSQL, from the answer to a change until the last of the others answers by it.",
            )
        }
        "shadow" => {
            served::shadow(seconds(SHADOW_S)?, &mut rows)?;
            (
                "Shadow",
                "Over HTTP, one request after the other, the client on the same cores; five turns with the shadow and five without, and \
                 of each the median of its 99th percentiles. The shadow lives in a process of its own.",
            )
        }
        "serving" => return serving::run(seconds(SECONDS)?, rest),
        other => anyhow::bail!("there is no benchmark `{other}`"),
    };
    let words = if command.is_empty() {
        "bench".to_owned()
    } else {
        format!("bench {command}")
    };
    table::record(&results, name, &words, notes, &rows)
}

fn measure(root: &Path, rows: &mut Vec<table::Row>) -> anyhow::Result<()> {
    let database = root.join("../shared/data/mitdb");
    anyhow::ensure!(
        database.is_dir(),
        "the MIT-BIH Arrhythmia Database is not in `{}`",
        database.display()
    );
    let model = parts::model()?;
    parts::record_100(&database, &model, rows)?;
    parts::a_day(&database, &model, rows)?;
    let server = std::env::current_exe()?.with_file_name("einthoven");
    process::start_and_memory(&server, &root.join("platform/server/samples"), rows)?;
    registry::large(rows)
}
