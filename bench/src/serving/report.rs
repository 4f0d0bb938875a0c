//! The committed table, with what the issue of speed is judged by.

use super::cells::Row;
use std::fmt::Write;

pub(crate) fn render(limit: &serde_json::Value, rows: &[Row]) -> String {
    let mut text = format!(
        "# Beside other servers\n\nBy `cargo xtask bench serving` on {}: the same networks, one client (`wrk`, on the same cores), one run. \
         Every server has two instances of one thread; `bench/peers` says how each is run. Triton calls ONNX Runtime from its \
         Python backend: its wheel carries no native one. Times on a shared machine wander; trust the ratios.\n\n",
        crate::table::machine()
    );
    let figure = |name: &str| limit[name].as_f64().unwrap_or(f64::NAN);
    let _ = writeln!(
        text,
        "The bare engine in a loop: {:.0} beats/s (two callers, batch 64), one beat {:.3} ms, 2,000 beats in one call {:.0} ms, \
         twelve leads {:.1} ms.\n",
        figure("beat_two_callers_batch_64"),
        figure("beat_one_call_s") * 1e3,
        figure("beat_2000_rows_s") * 1e3,
        figure("ecg12_one_call_s") * 1e3
    );
    let mut items: Vec<_> = rows.iter().map(|row| row.item).collect();
    items.dedup();
    let mut seen = Vec::new();
    for item in items {
        if seen.contains(&item) {
            continue;
        }
        seen.push(item);
        let _ = writeln!(
            text,
            "## {item} a request\n\n| server | encoding | connections | requests/s | p50 ms | p99 ms | errors | server CPU ms a request | memory MB |\n\
             |---|---|---|---|---|---|---|---|---|"
        );
        for row in rows.iter().filter(|row| row.item == item) {
            let measured = &row.measured;
            let _ = writeln!(
                text,
                "| {} | {:?} | {} | {:.1} | {:.2} | {:.2} | {} | {:.3} | {:.0} |",
                row.server,
                row.encoding,
                row.connections,
                measured.per_second,
                measured.p50_ms,
                measured.p99_ms,
                measured.errors,
                row.cpu_ms,
                row.pss_mb
            );
        }
        text.push('\n');
    }
    text
}
