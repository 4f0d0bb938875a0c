//! What a file and a version are known by.

use crate::error::FilesError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// SHA-256 of a content, written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 64 hexadecimal digits alone, as in names of files.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads the 64 hexadecimal digits alone.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let mut bytes = [0; 32];
        (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(Self(bytes))
    }

    pub(crate) fn finished(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = FilesError;

    fn from_str(text: &str) -> Result<Self, FilesError> {
        text.strip_prefix("sha256:")
            .and_then(Self::from_hex)
            .ok_or_else(|| FilesError::NotADigest {
                text: text.chars().take(100).flat_map(char::escape_debug).collect(),
            })
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = FilesError;

    fn try_from(text: String) -> Result<Self, FilesError> {
        text.parse()
    }
}

/// One file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name within the version, with forward slashes; see [`crate::valid_name`].
    pub name: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// What its content is known by.
    pub sha256: Digest,
}

/// The digest that a version is known by: SHA-256 over the lines `<64 hex>  <name>\n` of all its files, sorted by name.
#[must_use]
pub fn package_digest(files: &[FileEntry]) -> Digest {
    let mut sorted: Vec<_> = files.iter().collect();
    sorted.sort_by(|a, b| (&a.name, a.sha256).cmp(&(&b.name, b.sha256)));
    let mut whole = Sha256::new();
    for file in sorted {
        whole.update(format!("{}  {}\n", file.sha256.hex(), file.name));
    }
    Digest::finished(whole)
}

impl JsonSchema for Digest {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, content: &[u8]) -> FileEntry {
        FileEntry {
            name: name.to_owned(),
            size_bytes: content.len() as u64,
            sha256: Digest::of(content),
        }
    }

    #[test]
    fn known_values_hold_for_ever() {
        assert_eq!(
            Digest::of(b"abc").to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        // sha256sum a.bin manifest.json | sha256sum, with the contents `1` and `2`.
        let files = [entry("manifest.json", b"2"), entry("a.bin", b"1")];
        assert_eq!(
            package_digest(&files).to_string(),
            "sha256:bdc70a91e29af89ad68c23c9e574706146e502681be8739d62a723b780c0e818"
        );
        assert_eq!(
            package_digest(&[]).to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn other_spellings_are_no_digests() {
        let good = Digest::of(b"").to_string();
        let spellings = [
            good.to_uppercase(),
            good.replace("sha256:", "SHA256:"),
            good.replace("e3b0", "E3B0"),
            good[7..].to_owned(),
            format!("{good}0"),
            format!("{good}\n"),
            good[..good.len() - 1].to_owned(),
            "sha256:../../../../../../../../../../../../../../../../../../../etc/passwd".to_owned(),
            String::new(),
        ];
        for text in spellings {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_digest_is_read_as_it_was_written(bytes: [u8; 32]) {
            let digest = Digest(bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
            let json = serde_json::to_string(&digest).unwrap();
            prop_assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        }

        #[test]
        fn the_order_of_files_does_not_matter(names in proptest::collection::btree_set("[a-z/]{1,8}", 1..6), shift: usize) {
            let mut files: Vec<_> = names.iter().map(|name| entry(name, name.as_bytes())).collect();
            let before = package_digest(&files);
            let by = shift % files.len();
            files.rotate_left(by);
            prop_assert_eq!(package_digest(&files), before);
            files[0].sha256 = Digest::of(b"other");
            prop_assert_ne!(package_digest(&files), before);
        }
    }
}
