//! The committed tables, with what the aims are judged by.

use super::bodies::Encoding;
use super::cells::Row;
use std::fmt::Write;
use std::path::Path;

const HEAD: &str = "# Beside other servers\n\nThe same networks (`bench/peers/models.py`), one client (`wrk`, on the same cores), one \
    run for each section; compare within a section only. Every server has two instances of one thread; `bench/peers` says how each is \
    run; in Einthoven only `ecg12` has one instance of as many threads as there are cores, always on ONNX Runtime. Triton calls ONNX Runtime from its Python backend: its wheel carries no native one. Times on a shared machine wander; trust \
    the ratios. `einthoven:onnxruntime` computes in fp32 as the peers do, `einthoven:auto` with \
    the engine and the file it finds fastest, where it may also take the twin of `beat` in 8-bit integers (0.03 from the golden outputs at \
    most).\n";

/// The one that is compared.
const OURS: &str = "einthoven:onnxruntime";

/// Puts the tables of one run into the file, in the place of the run with the same servers: Einthoven built by that profile, so many
/// seconds a load.
pub(crate) fn record(file: &Path, name: &str, (profile, seconds): (&str, u64), text: &str) -> anyhow::Result<()> {
    let section = format!(
        "## {name}\n\nBy `cargo xtask bench serving` on {}, {seconds} s a load, Einthoven built by the profile `{profile}`.\n\n{text}",
        crate::table::machine()
    );
    print!("{section}");
    crate::table::replace(file, HEAD, name, &section)
}

pub(crate) fn render(limit: &serde_json::Value, rows: &[Row]) -> String {
    let mut text = String::new();
    let figure = |name: &str| limit[name].as_f64().unwrap_or(f64::NAN);
    let _ = writeln!(
        text,
        "The limit, the bare engine in a loop: {:.0} beats/s (two callers, batch 64), one beat {:.3} ms, 2,000 beats in one call \
         {:.0} ms, twelve leads {:.1} ms. On the file as it is, as the peers run it; with its convolutions over planes, as Einthoven \
         runs it (docs/engines.md): {:.0} beats/s.\n",
        figure("beat_two_callers_batch_64"),
        figure("beat_one_call_s") * 1e3,
        figure("beat_2000_rows_s") * 1e3,
        figure("ecg12_one_call_s") * 1e3,
        figure("beat_plane_two_callers_batch_64")
    );
    aims(&mut text, figure("beat_two_callers_batch_64"), rows);
    for item in ["one beat", "2,000 beats", "twelve leads", "nothing"] {
        table(&mut text, item, rows);
    }
    text
}

/// The best of the peers by a figure, with its name.
fn best<'r>(rows: &'r [Row], item: &str, connections: usize, better: fn(&Row, &Row) -> bool) -> Option<&'r Row> {
    // Whoever answered nothing in the time has no figures to be compared with.
    let peers = rows
        .iter()
        .filter(|row| !row.server.starts_with("einthoven") && row.measured.requests > 0)
        .filter(|row| row.item == item && row.connections == connections);
    peers.fold(None, |best, row| match best {
        Some(best) if !better(row, best) => Some(best),
        _ => Some(row),
    })
}

fn ours<'r>(rows: &'r [Row], server: &str, item: &str, encoding: Encoding, connections: usize) -> Option<&'r Row> {
    rows.iter().find(|row| {
        row.server == server && row.item == item && row.encoding == encoding && row.connections == connections
    })
}

/// What was wanted, and what came of it.
fn aims(text: &mut String, limit: f64, rows: &[Row]) {
    text.push_str("| aim | measured | bound | holds |\n|---|---|---|---|\n");
    let mut line = |what: &str, measured: f64, beside: String, bound: f64, at_least: bool| {
        let holds = if at_least { measured >= bound } else { measured <= bound };
        let sign = if at_least { "at least" } else { "at most" };
        let _ = writeln!(
            text,
            "| {what} | {measured:.2} ({beside}) | {sign} {bound} | {} |",
            if holds { "yes" } else { "NO" }
        );
    };
    let json = |item, connections| ours(rows, OURS, item, Encoding::V2, connections);
    for connections in [32, 128] {
        let Some(own) = json("one beat", connections) else {
            continue;
        };
        let rate = own.measured.per_second;
        for (peer, bound) in [("triton", 1.3), ("fastapi", 2.0)] {
            if let Some(theirs) = rows.iter().find(|row| {
                row.server == peer
                    && row.item == "one beat"
                    && row.encoding == Encoding::V2
                    && row.connections == connections
            }) {
                line(
                    &format!("one beat in JSON, {connections} connections, requests/s against {peer}"),
                    rate / theirs.measured.per_second,
                    format!("{rate:.0} against {:.0}/s", theirs.measured.per_second),
                    bound,
                    true,
                );
            }
        }
        if let (Some(auto), Some(triton)) = (
            ours(rows, "einthoven:auto", "one beat", Encoding::V2, connections),
            ours(rows, "triton", "one beat", Encoding::V2, connections),
        ) {
            line(
                &format!(
                    "one beat in JSON, {connections} connections, with the engine and file it picks, against triton's fp32"
                ),
                auto.measured.per_second / triton.measured.per_second,
                format!(
                    "{:.0} against {:.0}/s",
                    auto.measured.per_second, triton.measured.per_second
                ),
                2.5,
                true,
            );
        }
        line(
            &format!("one beat in JSON, {connections} connections, against the limit"),
            rate / limit,
            format!("{rate:.0} against {limit:.0}/s"),
            0.8,
            true,
        );
        if let Some(theirs) = best(rows, "one beat", connections, |one, other| {
            one.measured.p99_ms < other.measured.p99_ms
        }) {
            line(
                &format!("p99 there, against the best ({})", theirs.server),
                own.measured.p99_ms / theirs.measured.p99_ms,
                format!("{:.2} against {:.2} ms", own.measured.p99_ms, theirs.measured.p99_ms),
                1.0,
                false,
            );
        }
    }
    for (item, connections) in [
        ("one beat", 1),
        ("2,000 beats", 1),
        ("2,000 beats", 8),
        ("twelve leads", 1),
    ] {
        let (Some(ours), Some(theirs)) = (
            json(item, connections),
            best(rows, item, connections, |one, other| {
                one.measured.p50_ms < other.measured.p50_ms
            }),
        ) else {
            continue;
        };
        line(
            &format!(
                "{item} in JSON, {connections} connections, p50 against the best ({}, {:?})",
                theirs.server, theirs.encoding
            ),
            ours.measured.p50_ms / theirs.measured.p50_ms,
            format!("{:.2} against {:.2} ms", ours.measured.p50_ms, theirs.measured.p50_ms),
            0.6,
            false,
        );
    }
    for (encoding, bound) in [(Encoding::V2, 0.025), (Encoding::V2Binary, 0.01)] {
        if let Some(nothing) = ours(rows, "einthoven:auto", "nothing", encoding, 32) {
            line(
                &format!(
                    "ms of our CPU a request with a network that does nothing, {encoding:?}, the engine's call included"
                ),
                nothing.cpu_ms,
                format!("{:.0} requests/s", nothing.measured.per_second),
                bound,
                false,
            );
        }
    }
    let most = rows
        .iter()
        .filter(|row| row.server == OURS)
        .map(|row| row.pss_mb)
        .fold(0.0, f64::max);
    line(
        "memory in MB, at most",
        most,
        "after the largest load".to_owned(),
        150.0,
        false,
    );
    text.push('\n');
}

fn table(text: &mut String, item: &str, rows: &[Row]) {
    let _ = writeln!(
        text,
        "### {item} a request\n\n| server | encoding | connections | requests/s | p50 ms | p99 ms | errors | server CPU ms a request | \
         memory MB |\n|---|---|---|---|---|---|---|---|---|"
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
