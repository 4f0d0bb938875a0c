//! The hash that chains entries.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Stands before everything that is hashed, so that no other SHA-256 of this project can be taken for one of these.
const DOMAIN: &[u8] = b"einthoven log entry 1\n";

/// A SHA-256; in texts 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub(crate) [u8; 32]);

impl Hash {
    /// What the first entry carries as the hash before it.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of an entry.
    ///
    /// SHA-256 over, in this order: the 22 bytes `einthoven log entry 1\n`, `seq` as 8 bytes with the most significant
    /// first, the 32 bytes of `previous`, and the body's bytes exactly as they are kept. Only the last part varies in
    /// length, so no two entries have the same encoding.
    pub fn of(seq: u64, previous: Self, body: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update(seq.to_be_bytes());
        hasher.update(previous.0);
        hasher.update(body.as_bytes());
        Self(hasher.finalize().into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub(crate) fn from_digits(digits: &[u8]) -> Option<Self> {
        if digits.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
        formatter.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits in lower case")]
pub struct NotAHash;

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        Self::from_digits(text.as_bytes()).ok_or(NotAHash)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Hash {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Hash".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9a-f]{64}$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with another implementation: `(printf 'einthoven log entry 1\n'; printf '\0\0\0\0\0\0\0\1'; head -c 32
    /// /dev/zero; printf '{"a":1}') | sha256sum`.
    #[test]
    fn the_encoding_is_the_documented_one() {
        let expected = "0d2d22ffdac4d1d1e3560a4e7bd2d6a43e6660a604432461d2713a681194855a";
        assert_eq!(Hash::of(1, Hash::ZERO, r#"{"a":1}"#).to_string(), expected);
    }

    #[test]
    fn texts_are_read_back_and_others_refused() {
        let hash = Hash::of(7, Hash::ZERO, "{}");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        let upper = hash.to_string().to_uppercase();
        for bad in ["", "00", &upper, &format!("{hash}0"), &"g".repeat(64)] {
            assert_eq!(bad.parse::<Hash>(), Err(NotAHash), "{bad}");
        }
    }
}
