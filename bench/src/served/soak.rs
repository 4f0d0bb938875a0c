//! Long use at seven tenths of what the server can do.

use super::Served;
use super::client::at_rate;
use crate::table::Row;
use std::time::Duration;

const SHARE: f64 = 0.7;
const CONNECTIONS: usize = 1000;

/// Seconds in which memory may settle.
const SETTLES: usize = 60;

pub(crate) fn soak(seconds: u64, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let served = Served::start()?;
    let (request, address) = (served.request(1, &[]), served.address);
    let rate = SHARE * served.capacity(&request)?;
    let time = Duration::from_secs(seconds);
    let (counts, memory) = served.watched(|| {
        served
            .runtime
            .block_on(at_rate(address, &request, rate, time, CONNECTIONS))
    });
    let counts = counts?;
    let strange = counts.besides(&[200]);
    rows.push(Row {
        what: format!(
            "{seconds} s at {rate:.0} one-beat requests/s, seven tenths of what it can do: other answers than 200, or none"
        ),
        figure: format!("{strange} ({} x 200{})", counts.of(200), counts.why()),
        bound: "0",
        holds: strange == 0,
    });
    rows.push(Row {
        what: format!("requests not sent, as {CONNECTIONS} waited for their answers"),
        figure: counts.unsent.to_string(),
        bound: "0",
        holds: counts.unsent == 0,
    });
    let settled = &memory[SETTLES.min(memory.len() / 2)..];
    let growth = super::growth(settled);
    rows.push(Row {
        what: format!(
            "growth of memory over the last {} s, by a line through it",
            settled.len()
        ),
        figure: format!(
            "{growth:+.2} MB ({:.1} MB at the end)",
            settled.last().copied().unwrap_or_default()
        ),
        bound: "1 MB",
        holds: growth < 1.0,
    });
    Ok(())
}
