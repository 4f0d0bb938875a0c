//! What became of a version on each engine: accepted or why not, how far off, how fast.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// One version on every engine of this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EngineTable {
    /// The version.
    pub digest: String,
    /// Processor, cores, and every engine with its version: a table holds for this alone.
    pub machine: String,
    /// Every engine with every file it could load.
    pub engines: Vec<EngineRow>,
}

/// Steps of trying a version on an engine, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialStep {
    /// Loading the file and running it once, in a child process.
    Load,
    /// Comparing its inputs and outputs with the manifest's.
    Signature,
    /// Comparing its answers with the golden ones.
    Golden,
}

/// One engine with one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EngineRow {
    /// The engine.
    pub engine: String,
    /// The file in the package.
    pub file: String,
    /// Whether it loads the file and gives the golden outputs.
    pub accepted: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The step at which it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed_at: Option<TrialStep>,
    /// Version of what ran underneath.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// What really computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Largest absolute difference from the golden outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_difference: Option<f32>,
    /// What that may be.
    pub tolerance: f32,
    /// Median microseconds of a batch, by its rows; without those sizes that took too long to be measured.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    #[schemars(with = "BTreeMap<String, f64>")]
    pub batch_us: BTreeMap<usize, f64>,
}

impl EngineTable {
    /// The accepted row that is fastest over all batch sizes: each size counts the same, as the ratio to the fastest there.
    /// One that was too slow to be measured at some size comes after all that were.
    #[must_use]
    pub fn fastest(&self) -> Option<&EngineRow> {
        let accepted = || self.engines.iter().filter(|row| row.accepted);
        let mut best: BTreeMap<usize, f64> = BTreeMap::new();
        for (&batch, &us) in accepted().flat_map(|row| &row.batch_us) {
            let least = best.entry(batch).or_insert(us);
            *least = least.min(us);
        }
        let ratios = |row: &EngineRow| -> f64 {
            let ratio = |(batch, us): (&usize, &f64)| us / best.get(batch).copied().unwrap_or(1.0).max(1e-3);
            row.batch_us.iter().map(ratio).sum::<f64>() / row.batch_us.len().max(1) as f64
        };
        accepted().min_by(|a, b| {
            let sizes = b.batch_us.len().cmp(&a.batch_us.len());
            sizes.then_with(|| ratios(a).total_cmp(&ratios(b)))
        })
    }

    /// The table kept for a version, if it was made on this very machine with these very engines.
    #[must_use]
    pub fn kept(folder: &Path, digest: &str, machine: &str) -> Option<Self> {
        let text = std::fs::read(folder.join(file_name(digest))).ok()?;
        let table: Self = serde_json::from_slice(&text).ok()?;
        (table.machine == machine && table.digest == digest).then_some(table)
    }

    /// Keeps it for the next start.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn keep(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        // Renamed when whole: a table cut short must not be found.
        let part = folder.join(format!("{}.part", file_name(&self.digest)));
        std::fs::write(&part, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(part, folder.join(file_name(&self.digest)))
    }
}

fn file_name(digest: &str) -> String {
    format!("{}.json", digest.trim_start_matches("sha256:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(engine: &str, accepted: bool, us: [f64; 2]) -> EngineRow {
        EngineRow {
            engine: engine.to_owned(),
            file: "model.onnx".to_owned(),
            accepted,
            reason: None,
            failed_at: None,
            runtime: None,
            provider: None,
            max_difference: None,
            tolerance: 1e-4,
            batch_us: BTreeMap::from([(1, us[0]), (32, us[1])]),
        }
    }

    #[test]
    fn the_fastest_is_fast_at_every_size_and_accepted() {
        let table = EngineTable {
            digest: "sha256:00".to_owned(),
            machine: "here".to_owned(),
            engines: vec![
                row("wrong", false, [1.0, 1.0]),
                row("only-large", true, [50.0, 300.0]),
                row("both", true, [20.0, 330.0]),
            ],
        };
        assert_eq!(table.fastest().unwrap().engine, "both");
    }

    #[test]
    fn what_was_too_slow_to_be_measured_is_taken_where_nothing_else_is_right() {
        let unmeasured = || EngineRow {
            batch_us: BTreeMap::new(),
            ..row("unmeasured", true, [0.0, 0.0])
        };
        let partly = EngineRow {
            batch_us: BTreeMap::from([(1, 5.0)]),
            ..row("partly", true, [0.0, 0.0])
        };
        let mut table = EngineTable {
            digest: "sha256:00".to_owned(),
            machine: "here".to_owned(),
            engines: vec![row("wrong", false, [1.0, 1.0]), unmeasured()],
        };
        assert_eq!(table.fastest().unwrap().engine, "unmeasured");
        table.engines.push(partly);
        assert_eq!(table.fastest().unwrap().engine, "partly");
        table.engines.push(row("measured", true, [20.0, 330.0]));
        assert_eq!(table.fastest().unwrap().engine, "measured");
    }

    #[test]
    fn a_table_is_found_again_on_the_same_machine_only() {
        let folder = std::env::temp_dir().join(format!("einthoven-tables-{}", std::process::id()));
        let table = EngineTable {
            digest: "sha256:ab".to_owned(),
            machine: "here".to_owned(),
            engines: vec![row("one", true, [1.0, 2.0])],
        };
        table.keep(&folder).unwrap();
        assert_eq!(EngineTable::kept(&folder, "sha256:ab", "here"), Some(table));
        assert_eq!(EngineTable::kept(&folder, "sha256:ab", "elsewhere"), None);
        assert_eq!(EngineTable::kept(&folder, "sha256:cd", "here"), None);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
