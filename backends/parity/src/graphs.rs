//! The operator graphs and our own models, as packages with their answers.

use crate::reference::{Reference, RunJson};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The files of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Name of the file to start from.
    pub entry: String,
    /// Names and contents, the entry among them.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Package {
    /// The ending of the entry's name.
    #[must_use]
    pub fn format(&self) -> &str {
        self.entry.rsplit('.').next().unwrap_or_default()
    }

    pub(crate) fn read(folder: &Path, entry: &str, others: &[&str]) -> Self {
        let files = std::iter::once(&entry)
            .chain(others)
            .map(|name| ((*name).to_owned(), std::fs::read(folder.join(name)).unwrap()))
            .collect();
        Self {
            entry: entry.to_owned(),
            files,
        }
    }
}

/// One graph that covers an operator or a kind of shape.
#[derive(Debug, Clone)]
pub struct OperatorGraph {
    /// What it covers, such as `conv-stride`.
    pub name: String,
    /// Operators and traits: `Conv`, `quantised`, `dynamic-length`.
    pub tags: Vec<String>,
    /// Its files.
    pub package: Package,
    /// What it must answer.
    pub reference: Reference,
}

#[derive(Deserialize)]
struct GraphsJson {
    graphs: Vec<GraphJson>,
}

#[derive(Deserialize)]
struct GraphJson {
    name: String,
    files: Vec<String>,
    tags: Vec<String>,
    tolerance: f64,
    runs: Vec<RunJson>,
}

/// All graphs that `graphs.py` wrote.
#[must_use]
pub fn operator_graphs() -> Vec<OperatorGraph> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("graphs");
    let text = std::fs::read_to_string(folder.join("graphs.json")).unwrap();
    let document: GraphsJson = serde_json::from_str(&text).unwrap();
    document
        .graphs
        .into_iter()
        .map(|graph| {
            let others: Vec<&str> = graph.files[1..].iter().map(String::as_str).collect();
            OperatorGraph {
                package: Package::read(&folder, &graph.files[0], &others),
                name: graph.name,
                tags: graph.tags,
                reference: Reference {
                    runs: graph.runs.into_iter().map(Into::into).collect(),
                    tolerance: graph.tolerance,
                },
            }
        })
        .collect()
}

/// Where an embedded model's files lie.
pub(crate) fn model_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name)
}

/// An embedded model in all its formats, and its golden answers.
#[must_use]
pub fn our_models(name: &str) -> (Vec<Package>, Reference) {
    let folder = model_folder(name);
    let golden = std::fs::read_to_string(folder.join("golden.json")).unwrap();
    let packages = ["model.onnx", "model.int8.onnx", "model.tflite"]
        .map(|entry| Package::read(&folder, entry, &[]))
        .into_iter()
        .chain([Package::read(&folder, "model.safetensors", &["config.json"])])
        .collect();
    (packages, Reference::from_golden(&golden))
}
