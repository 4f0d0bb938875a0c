//! `RESULTS.md`: what came out, committed. Regenerated with `EINTHOVEN_WRITE_RESULTS=1`, compared otherwise.

use crate::harness::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const SWITCH: &str = "EINTHOVEN_WRITE_RESULTS";
/// Characters of a reason that the table shows.
const REASON: usize = 110;

/// Row and column to what is in the cell.
#[derive(Default)]
pub(crate) struct Cells {
    columns: Vec<String>,
    rows: Vec<String>,
    cells: BTreeMap<(String, String), String>,
}

impl Cells {
    pub(crate) fn add(&mut self, row: &str, column: &str, outcome: &Outcome) {
        for (list, name) in [(&mut self.rows, row), (&mut self.columns, column)] {
            if !list.iter().any(|known| known == name) {
                list.push(name.to_owned());
            }
        }
        self.cells.insert((row.to_owned(), column.to_owned()), cell(outcome));
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "| | {} |\n|---|{}\n",
            self.columns.join(" | "),
            "---|".repeat(self.columns.len())
        );
        for row in &self.rows {
            let cells: Vec<_> = self
                .columns
                .iter()
                .map(|column| {
                    self.cells
                        .get(&(row.clone(), column.clone()))
                        .map_or("", String::as_str)
                })
                .collect();
            writeln!(text, "| {row} | {} |", cells.join(" | ")).unwrap();
        }
        text
    }
}

fn cell(outcome: &Outcome) -> String {
    let short = |reason: &str| {
        let one_line = reason
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace('|', "/");
        let cut: String = one_line.chars().take(REASON).collect();
        if cut.len() < one_line.len() { cut + "…" } else { cut }
    };
    match outcome {
        Outcome::Agrees(difference) => format!("ok {difference:.1e}"),
        Outcome::Differs(difference) if difference.is_finite() => {
            format!("wrong by {difference:.1e}, so it does not serve")
        }
        Outcome::Differs(_) => "wrong in type or shape, so it does not serve".to_owned(),
        Outcome::Refused(reason) => format!("refused: {}", short(reason)),
        Outcome::Died(how) => format!("died: {}", short(how)),
    }
}

/// Compares a table with the committed one cell by cell: `ok` stays `ok`, digits and words may change.
pub(crate) fn compare(heading: &str, cells: &Cells) {
    let committed = std::fs::read_to_string(path()).unwrap_or_default();
    let fresh = cells.markdown();
    if std::env::var_os(SWITCH).is_some() {
        write(heading, &fresh);
        return;
    }
    let old = section(&committed, heading).unwrap_or_default();
    let differing: Vec<_> = statuses(&fresh)
        .into_iter()
        .filter(|(row, status)| statuses(old).get(row) != Some(status))
        .map(|(row, status)| format!("{row}: now {status:?}"))
        .collect();
    assert!(
        differing.is_empty() && statuses(old).len() == statuses(&fresh).len(),
        "backends/parity/RESULTS.md says otherwise; if the new outcome is right, run this test with {SWITCH}=1:\n{}",
        differing.join("\n")
    );
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md")
}

/// The first word of every cell, by row.
fn statuses(table: &str) -> BTreeMap<&str, Vec<&str>> {
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let row = cells.next().unwrap_or_default();
        let status = |cell: &'_ str| cell.split([' ', ':']).next().map(str::len);
        (row, cells.map(|cell| &cell[..status(cell).unwrap_or(0)]).collect())
    })
    .collect()
}

/// The table under a heading.
fn section<'t>(document: &'t str, heading: &str) -> Option<&'t str> {
    let (_, rest) = document.split_once(&format!("## {heading}\n"))?;
    Some(rest.split_once("\n## ").map_or(rest, |(table, _)| table))
}

/// Replaces one section; tests of this binary may write at the same time, so under a lock.
fn write(heading: &str, table: &str) {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = TURN.lock().unwrap();
    let committed = std::fs::read_to_string(path()).unwrap_or_default();
    let mut document = String::from(
        "# Engines compared\n\nThe largest absolute difference to ONNX Runtime in 32-bit floats, or why there is none. \
         Written by the tests in\n`tests/engines` with `EINTHOVEN_WRITE_RESULTS=1`; without, they compare the first word of \
         every cell.\n\n",
    );
    for known in ["Our models", "Operator graphs"] {
        let content = if known == heading {
            Some(table)
        } else {
            section(&committed, known)
        };
        if let Some(content) = content {
            write!(document, "## {known}\n\n{}\n", content.trim()).unwrap();
            document.push('\n');
        }
    }
    std::fs::write(path(), document.trim_end().to_owned() + "\n").unwrap();
}
