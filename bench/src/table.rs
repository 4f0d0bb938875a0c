//! The committed table.

use std::fmt::Write;

/// One measured figure with its bound.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) figure: String,
    pub(crate) bound: &'static str,
    pub(crate) holds: bool,
}

/// Markdown, with the machine named.
pub(crate) fn render(rows: &[Row]) -> String {
    let machine = machine();
    let mut text = format!(
        "# Measured\n\nBy `cargo xtask bench` on {machine}. Medians of several runs; times on a shared machine wander,\n\
         so trust the ratios.\n\n| what | measured | bound | holds |\n|---|---|---|---|\n"
    );
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            row.what,
            row.figure,
            row.bound,
            if row.holds { "yes" } else { "NO" }
        );
    }
    text
}

/// Cores and processor.
pub(crate) fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpu
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split(':').nth(1))
        .map_or("unknown processor", str::trim);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of a virtual {name}")
}
