//! What a version needs and gives, as it lies beside its files.

use einthoven_plugin_host::{Signature, TensorSpec};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// A version's manifest. Fields that people read but serving does not (training data, card) are left to the file.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// The model's name.
    pub name: String,
    /// The version's name within the model.
    pub version: String,
    /// The recipe that makes its tensors, with its version.
    pub recipe: String,
    /// Tensors it takes; `null` in `dims` where any size goes.
    pub inputs: Vec<TensorSpec>,
    /// Tensors it gives.
    pub outputs: Vec<TensorSpec>,
    /// Class of each column of the output, in order.
    pub labels: Vec<String>,
}

impl Manifest {
    /// Inputs and outputs together.
    #[must_use]
    pub fn signature(&self) -> Signature {
        Signature {
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
        }
    }
}

/// One file of a version.
#[derive(Debug, Clone, Copy)]
pub struct PackageFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// The digest a version is known by: SHA-256 over the lines `<sha256>  <name>` of all its files, sorted by name.
#[must_use]
pub(crate) fn digest(files: &[PackageFile<'_>]) -> String {
    let mut lines: Vec<_> = files
        .iter()
        .map(|file| (file.name, hex::encode(Sha256::digest(file.bytes))))
        .collect();
    lines.sort();
    let mut whole = Sha256::new();
    for (name, sum) in lines {
        whole.update(format!("{sum}  {name}\n"));
    }
    format!("sha256:{}", hex::encode(whole.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_knows_names_and_contents_but_no_order() {
        let a = PackageFile { name: "a", bytes: b"1" };
        let b = PackageFile { name: "b", bytes: b"2" };
        let swapped = [
            PackageFile { name: "a", bytes: b"2" },
            PackageFile { name: "b", bytes: b"1" },
        ];
        assert_eq!(digest(&[a, b]), digest(&[b, a]));
        assert_ne!(digest(&[a, b]), digest(&swapped));
        assert_ne!(digest(&[a, b]), digest(&[a]));
    }
}
