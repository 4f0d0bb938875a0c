//! Twice what the server can do.

use super::Served;
use super::client::{Counts, at_rate};
use crate::table::Row;
use std::time::{Duration, Instant};

/// Connections at most: more than a queue takes calls of one key.
const CONNECTIONS: usize = 4000;

/// When one answer counts as quick again: as the slowest of a hundred before.
const QUIET_CALLS: usize = 100;

pub(crate) fn overload(seconds: u64, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let served = Served::start()?;
    let (request, address) = (served.request(1, &[]), served.address);
    let capacity = served.capacity(&request)?;
    let quick = served.runtime.block_on(async {
        let mut connection = super::client::Connection::open(address).await?;
        let mut slowest = Duration::ZERO;
        for _ in 0..QUIET_CALLS {
            let start = Instant::now();
            anyhow::ensure!(connection.ask(&request).await? == 200, "no answer at rest");
            slowest = slowest.max(start.elapsed());
        }
        Ok(slowest)
    })?;
    let time = Duration::from_secs(seconds);
    let ((counts, recovered), memory) = {
        let work = || {
            served.runtime.block_on(async {
                let counts = at_rate(address, &request, 2.0 * capacity, time, CONNECTIONS).await?;
                // From the last answer on; what had queued has been answered by then.
                let recovered = Served::until_quick(address, &request, 2 * quick).await?;
                anyhow::Ok((counts, recovered))
            })
        };
        let (done, memory) = served.watched(work);
        (done?, memory)
    };
    told(rows, seconds, capacity, &counts);
    let settled = &memory[memory.len() / 6..];
    let growth = super::growth(settled);
    let most = memory.iter().copied().fold(0.0, f64::max);
    rows.push(Row {
        what: "memory from a sixth of that time on, by a line through it".to_owned(),
        figure: format!("{growth:+.1} MB, most {most:.0} MB"),
        bound: "5 MB",
        holds: growth.abs() <= 5.0,
    });
    rows.push(Row {
        what: "from the last answer of the overload to one as quick as before".to_owned(),
        figure: format!("{:.3} s", recovered.as_secs_f64()),
        bound: "1 s",
        holds: recovered.as_secs_f64() < 1.0,
    });
    Ok(())
}

fn told(rows: &mut Vec<Row>, seconds: u64, capacity: f64, counts: &Counts) {
    let strange = counts.besides(&[200, 429, 503]);
    rows.push(Row {
        what: format!("{seconds} s at twice {capacity:.0} one-beat requests/s: answers beside 200, 429 and 503"),
        figure: format!(
            "{strange} ({} x 200, {} x 429, {} x 503; {} not sent, {CONNECTIONS} connections being in use)",
            counts.of(200),
            counts.of(429),
            counts.of(503),
            counts.unsent
        ),
        bound: "0",
        holds: strange == 0,
    });
    let good = counts.of(200) as f64 / seconds as f64;
    rows.push(Row {
        what: "answers with outputs a second meanwhile, against what it can do".to_owned(),
        figure: format!("{:.2} ({good:.0}/s)", good / capacity),
        bound: "-",
        holds: true,
    });
}
