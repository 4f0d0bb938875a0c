//! 300 corrupt models, the same ones every time.

use crate::graphs::{Package, model_folder, our_models};
use crate::reference::Reference;
use crate::{onnx_files, onnx_graphs, safetensors_files, tflite_files};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::sync::Arc;

/// When a corrupt model is refused at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// By the engine, before anything runs.
    AtLoad,
    /// By the check against the model's golden answers: the file may be sound, but it is another network.
    AtGolden,
}

/// A corrupt model: a package as it would be brought in, and what lies around it.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// What it is, such as `onnx/truncated-at-4711`.
    pub name: String,
    /// The files that the package lists.
    pub package: Package,
    /// Files to lay beside the package's folder, which no engine may open.
    pub outside: Vec<(String, Vec<u8>)>,
    /// Symbolic links to lay into the package's folder: name and target.
    pub links: Vec<(String, String)>,
    /// The latest stage at which it must be refused.
    pub refused: Refused,
    /// The answers of the sound model.
    pub reference: Arc<Reference>,
}

impl Mutant {
    /// Lays the package out in `folder/package`, and around it what must not be opened.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn write(&self, folder: &Path) -> std::io::Result<std::path::PathBuf> {
        let inside = folder.join("package");
        std::fs::create_dir_all(&inside)?;
        for (name, bytes) in &self.package.files {
            std::fs::write(inside.join(name), bytes)?;
        }
        for (name, bytes) in &self.outside {
            std::fs::write(folder.join(name), bytes)?;
        }
        for (name, target) in &self.links {
            std::os::unix::fs::symlink(target, inside.join(name))?;
        }
        Ok(inside)
    }
}

/// Collects mutants of one base model.
pub(crate) struct Bench {
    pub(crate) base: Package,
    pub(crate) rng: ChaCha8Rng,
    reference: Arc<Reference>,
    mutants: Vec<Mutant>,
}

impl Bench {
    fn new(base: &Package, reference: &Arc<Reference>, seed: u64) -> Self {
        Self {
            base: base.clone(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            reference: Arc::clone(reference),
            mutants: Vec::new(),
        }
    }

    /// The bytes of the sound entry file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.base.files[0].1.clone()
    }

    /// Adds a mutant whose entry file holds `bytes`.
    pub(crate) fn add(&mut self, what: &str, refused: Refused, bytes: Vec<u8>) -> &mut Mutant {
        let mut package = self.base.clone();
        package.files[0].1 = bytes;
        self.mutants.push(Mutant {
            name: format!("{}/{what}", self.base.format()),
            package,
            outside: Vec::new(),
            links: Vec::new(),
            refused,
            reference: Arc::clone(&self.reference),
        });
        let last = self.mutants.len() - 1;
        &mut self.mutants[last]
    }
}

/// All 300, in a fixed order.
#[must_use]
pub fn corpus() -> Vec<Mutant> {
    let (packages, reference) = our_models("heartbeat");
    let reference = Arc::new(reference);
    let base = |format: &str| {
        packages
            .iter()
            .find(|package| package.entry == format!("model.{format}"))
            .unwrap()
    };
    let mut benches = [
        Bench::new(base("onnx"), &reference, 1),
        Bench::new(base("tflite"), &reference, 2),
        Bench::new(base("safetensors"), &reference, 3),
    ];
    onnx_files::mutants(&mut benches[0]);
    onnx_graphs::mutants(&mut benches[0]);
    tflite_files::mutants(&mut benches[1]);
    safetensors_files::mutants(&mut benches[2]);
    benches.into_iter().flat_map(|bench| bench.mutants).collect()
}

/// Bytes that are no model of any format: name and content.
pub(crate) fn no_models() -> Vec<(&'static str, Vec<u8>)> {
    let heartbeat = |name: &str| std::fs::read(model_folder("heartbeat").join(name)).unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1\nsize 40494\n";
    vec![
        ("empty", Vec::new()),
        ("one-byte", vec![8]),
        ("zeros", vec![0; 4096]),
        ("ones", vec![0xff; 4096]),
        (
            "html-page",
            b"<!DOCTYPE html><html><body>404 Not Found</body></html>".to_vec(),
        ),
        ("pointer-of-git-lfs", pointer.as_bytes().to_vec()),
        ("zip-archive", [b"PK\x03\x04".as_slice(), &[0x14; 600]].concat()),
        ("json", heartbeat("config.json")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_300_all_different_and_the_same_every_time() {
        let mutants = corpus();
        let formats = |format: &str| mutants.iter().filter(|m| m.package.format() == format).count();
        let counts = (formats("onnx"), formats("tflite"), formats("safetensors"));
        assert_eq!(counts, (181, 61, 58));
        let names: BTreeSet<_> = mutants.iter().map(|mutant| &mutant.name).collect();
        assert_eq!(names.len(), mutants.len());
        let contents: BTreeSet<_> = mutants
            .iter()
            .map(|m| (&m.package.files, &m.links, &m.outside))
            .collect();
        assert_eq!(contents.len(), mutants.len());
        for (one, again) in mutants.iter().zip(corpus()) {
            assert!(one.package == again.package && one.name == again.name, "{}", one.name);
        }
    }

    #[test]
    fn no_mutant_is_the_sound_model() {
        let (packages, _) = our_models("heartbeat");
        for mutant in corpus() {
            assert!(!packages.contains(&mutant.package), "{}", mutant.name);
        }
    }
}
