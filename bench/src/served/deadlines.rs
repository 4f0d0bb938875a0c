//! How late callers hear that their time is over, while the engine is busy with long batches.

use super::Served;
use super::client::Connection;
use crate::table::Row;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What a caller gives.
const TIMEOUT: Duration = Duration::from_millis(100);

/// Requests of 2,000 beats under way at once meanwhile.
const LONG: usize = 8;

const ROUNDS: usize = 10;

pub(crate) fn deadlines(rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let served = Served::start()?;
    let (long, address) = (served.request(2000, &[]), served.address);
    let micros = TIMEOUT.as_micros().to_string();
    let short = served.request(1, &[("timeout", &micros)]);
    let over = Arc::new(AtomicBool::new(false));
    for _ in 0..LONG {
        let (long, over) = (Arc::clone(&long), Arc::clone(&over));
        served.runtime.spawn(async move {
            let mut connection = Connection::open(address).await?;
            while !over.load(Ordering::Relaxed) {
                connection.ask(&long).await?;
            }
            anyhow::Ok(())
        });
    }
    std::thread::sleep(Duration::from_secs(2));
    for waiting in [1, 1000] {
        let mut late = Vec::new();
        for _ in 0..if waiting == 1 { 10 * ROUNDS } else { ROUNDS } {
            late.extend(served.runtime.block_on(together(address, &short, waiting))?);
        }
        late.sort_unstable();
        anyhow::ensure!(!late.is_empty(), "nobody was told that the time is over");
        let at = |part: usize| late[(late.len() - 1) * part / 100].as_secs_f64() * 1e3;
        rows.push(Row {
            what: format!(
                "504 after the deadline, {LONG} requests of 2,000 beats running, {waiting} of one beat waiting at once"
            ),
            figure: format!(
                "p50 {:.1} ms, p99 {:.1} ms, last {:.1} ms ({} answers)",
                at(50),
                at(99),
                at(100),
                late.len()
            ),
            bound: "50 ms",
            holds: at(99) <= 50.0,
        });
    }
    over.store(true, Ordering::Relaxed);
    Ok(())
}

/// By how much the deadline had passed when each of them heard so; those that had their answer in time are left out.
async fn together(address: std::net::SocketAddr, request: &Arc<[u8]>, callers: usize) -> anyhow::Result<Vec<Duration>> {
    let mut connections = Vec::new();
    for _ in 0..callers {
        connections.push(Connection::open(address).await?);
    }
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let request = Arc::clone(request);
        tasks.spawn(async move {
            let asked = Instant::now();
            let status = connection.ask(&request).await?;
            anyhow::Ok((status, asked.elapsed()))
        });
    }
    let mut late = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (status, after) = done??;
        anyhow::ensure!(status == 200 || status == 504, "{status} for a call with a deadline");
        if status == 504 {
            late.push(after.saturating_sub(TIMEOUT));
        }
    }
    Ok(late)
}
