//! Measures a log: `cargo run --release -p einthoven-registry-log --example rates FOLDER|URL`, with an empty folder on the
//! disk in question or an empty database.

use anyhow::Context;
use einthoven_registry_log::{FileLog, Head, Log, PostgresLog};
use std::time::Instant;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let place = std::env::args().nth(1).context("name a folder or a URL")?;
    let log = open(&place).await?;
    let body = |index: usize| format!("{{\"at\":\"2026-01-01T00:00:00Z\",\"text\":\"{index:0>250}\"}}");
    let head = rate("one at a time", &log, Head::EMPTY, 500, 1, body).await?;
    let head = rate("32 in a step", &log, head, 200, 32, body).await?;
    let missing = 100_000 - usize::try_from(head.seq)?;
    let head = rate("1,000 in a step", &log, head, missing / 1_000, 1_000, body).await?;
    rate("the rest", &log, head, 1, missing % 1_000, body).await?;
    drop(log);
    let begun = Instant::now();
    let log = open(&place).await?;
    println!("open with {} entries: {:?}", log.head().await?.seq, begun.elapsed());
    let begun = Instant::now();
    log.verify(&[]).await?;
    println!("verify: {:?}", begun.elapsed());
    let begun = Instant::now();
    let mut after = 0;
    while let Some(last) = log.read(after, 1_000).await?.last() {
        after = last.seq;
    }
    println!("read all, 1,000 at a time: {:?}", begun.elapsed());
    Ok(())
}

async fn open(place: &str) -> anyhow::Result<Log> {
    Ok(if place.contains("://") {
        Log::Postgres(PostgresLog::connect(place).await?)
    } else {
        Log::File(FileLog::open(place).await?)
    })
}

async fn rate(
    name: &str,
    log: &Log,
    mut head: Head,
    steps: usize,
    bodies: usize,
    body: impl Fn(usize) -> String,
) -> anyhow::Result<Head> {
    let begun = Instant::now();
    for _ in 0..steps {
        let entries = log.append(head, (0..bodies).map(&body).collect()).await?;
        head = entries.last().map_or(head, einthoven_registry_log::Entry::head);
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{name}: {:.0} steps/s, {:.0} entries/s",
        steps as f64 / seconds,
        (steps * bodies) as f64 / seconds
    );
    Ok(head)
}
