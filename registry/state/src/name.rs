//! Names as they stand in addresses, files and logs.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no name of a {kind}: use 1 to {longest} letters, digits, `.`, `_` and `-`, with a letter or digit first"
)]
pub struct NameError {
    kind: &'static str,
    longest: usize,
    text: String,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $longest:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                if is_name(&text, $longest) {
                    return Ok(Self(text));
                }
                // What is no name may be anything, of any length; an error repeats only its beginning.
                let text = text.chars().take(80).flat_map(char::escape_debug).collect();
                Err(NameError { kind: $kind, longest: $longest, text })
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "minLength": 1, "maxLength": $longest, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
                })
            }
        }

        // So that maps can be asked by text, without making a name first.
        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// A model's name, as clients use it.
    ModelName, "model", 128
);
name!(
    /// A version's name within its model: `1`, `2`, or what the manifest says.
    VersionName, "version", 64
);
name!(
    /// A movable name for a version.
    AliasName, "alias", 64
);
name!(
    /// A source of versions.
    SourceName, "source", 64
);
name!(
    /// A frozen set of recordings with reference beats.
    SetName, "set", 64
);
name!(
    /// A comparison of versions.
    ExperimentName, "experiment", 64
);
name!(
    /// What people call an API key.
    KeyName, "key", 64
);
name!(
    /// What somebody signs in as.
    UserName, "user", 64
);
name!(
    /// An issuer of tokens.
    IssuerName, "issuer", 64
);

/// The same in addresses, file names and shells, everywhere.
fn is_name(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_fits_everywhere() {
        for good in ["heartbeat", "3", "ECG-12.lead_v2", &"a".repeat(128)] {
            assert_eq!(good.parse::<ModelName>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            ".",
            "..",
            "-x",
            "a/b",
            "a b",
            "a%2e",
            "\u{e9}",
            "a\0",
            &"a".repeat(129),
        ] {
            assert!(bad.parse::<ModelName>().is_err(), "{bad:?}");
            assert!(serde_json::from_value::<ModelName>(bad.into()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_does_not_repeat_control_characters() {
        let error = "a\nb".parse::<AliasName>().unwrap_err().to_string();
        assert!(error.contains("a\\nb") && !error.contains('\n'), "{error}");
    }
}
