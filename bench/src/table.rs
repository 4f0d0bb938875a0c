//! The committed tables: sections of one file, each written by the command that measures it.

use anyhow::Context;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// What stands above the sections.
const HEAD: &str = "# Measured\n\nTimes on a shared machine wander; trust the ratios.\n";

/// One measured figure with its bound.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) figure: String,
    pub(crate) bound: &'static str,
    pub(crate) holds: bool,
}

/// Prints a section, and puts it in the place of the one of that name in `file`, or behind the others.
pub(crate) fn record(file: &Path, name: &str, command: &str, notes: &str, rows: &[Row]) -> anyhow::Result<()> {
    let section = section(name, command, notes, rows);
    print!("{section}");
    replace(file, HEAD, name, &section)
}

/// Puts a section in the place of the one of that name, or behind the others, under a head.
pub(crate) fn replace(file: &Path, head: &str, name: &str, section: &str) -> anyhow::Result<()> {
    let old = fs::read_to_string(file).unwrap_or_default();
    fs::write(file, with(&old, head, name, section)).with_context(|| format!("cannot write {}", file.display()))
}

fn section(name: &str, command: &str, notes: &str, rows: &[Row]) -> String {
    let mut text = format!(
        "## {name}\n\nBy `cargo xtask {command}` on {}. {notes}\n\n| what | measured | bound | holds |\n|---|---|---|---|\n",
        machine()
    );
    for row in rows {
        let holds = match (row.bound, row.holds) {
            ("-", _) => "",
            (_, true) => "yes",
            (_, false) => "NO",
        };
        let _ = writeln!(text, "| {} | {} | {} | {holds} |", row.what, row.figure, row.bound);
    }
    text
}

/// The file with a section replaced.
fn with(old: &str, head: &str, name: &str, section: &str) -> String {
    let mut sections: Vec<&str> = old.split("\n## ").skip(1).collect();
    let section = section.trim_start_matches("## ");
    let named = |other: &str| other.lines().next() == Some(name);
    match sections.iter().position(|other| named(other)) {
        Some(place) => sections[place] = section,
        None => sections.push(section),
    }
    let mut text = head.to_owned();
    for section in sections {
        let _ = writeln!(text, "\n## {}", section.trim_end());
    }
    text
}

/// Cores and processor.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpu
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split(':').nth(1))
        .map_or("unknown processor", str::trim);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of a virtual {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_the_one_before() {
        let one = with("", HEAD, "One", "## One\n\nfirst\n");
        let both = with(&one, HEAD, "Two", "## Two\n\nother\n");
        assert_eq!(both, format!("{HEAD}\n## One\n\nfirst\n\n## Two\n\nother\n"));
        let again = with(&both, HEAD, "One", "## One\n\nsecond\n");
        assert_eq!(again, both.replace("first", "second"));
    }
}
