//! What somebody may do, and with which models.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Longest text of a pattern: as long as a model's name.
const LONGEST_PATTERN: usize = 128;

/// Patterns of one grant.
const MOST_PATTERNS: usize = 64;

/// A kind of thing that may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Have recordings and tensors computed.
    Predict,
    /// Say what a prediction should have been.
    Label,
    /// See models, their versions and what runs.
    ModelsRead,
    /// Add and change models and sources.
    ModelsWrite,
    /// Say which version answers.
    Traffic,
    /// Look back at what was changed and by whom.
    AuditRead,
    /// Everything, and who may do it.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Predict,
        Self::Label,
        Self::ModelsRead,
        Self::ModelsWrite,
        Self::Traffic,
        Self::AuditRead,
        Self::Admin,
    ];

    /// As it is written: `models.read`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::Label => "label",
            Self::ModelsRead => "models.read",
            Self::ModelsWrite => "models.write",
            Self::Traffic => "traffic",
            Self::AuditRead => "audit.read",
            Self::Admin => "admin",
        }
    }

    /// Whether who has this scope has that one too.
    #[must_use]
    pub fn implies(self, other: Self) -> bool {
        self == other || self == Self::Admin
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let found = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        found.ok_or_else(|| GrantError::Scope(shown(text)))
    }
}

impl TryFrom<String> for Scope {
    type Error = GrantError;

    fn try_from(text: String) -> Result<Self, GrantError> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.as_str().to_owned()
    }
}

/// Why a text is no grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The part before the colon is no scope.
    #[error("`{0}` is no scope; there are predict, label, models.read, models.write, traffic, audit.read and admin")]
    Scope(String),
    /// A part after the colon is no name of a model.
    #[error("`{0}` names no models; write a model's name, with `*` for any letters, such as `heartbeat` or `ecg-*`")]
    Pattern(String),
    /// Too many parts.
    #[error("a grant names at most {MOST_PATTERNS} models; use `*`, or several grants")]
    TooMany,
}

/// A text from outside may be anything, of any length; an error repeats only its beginning.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

/// Names of models: a name, in which `*` stands for any letters, also for none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelPattern(String);

impl ModelPattern {
    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the model is meant.
    #[must_use]
    pub fn matches(&self, model: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), model.as_bytes());
        let (mut at, mut read) = (0, 0);
        // Where the newest `*` stands, and how far into the text it reaches.
        let mut star: Option<(usize, usize)> = None;
        while read < text.len() {
            // A `*` of the pattern is looked at first: a pattern is compared with patterns too, which hold `*` themselves.
            if pattern.get(at) == Some(&b'*') {
                star = Some((at, read));
                at += 1;
            } else if pattern.get(at) == text.get(read) {
                at += 1;
                read += 1;
            } else if let Some((behind, reaches)) = star {
                star = Some((behind, reaches + 1));
                at = behind + 1;
                read = reaches + 1;
            } else {
                return false;
            }
        }
        pattern.iter().skip(at).all(|rest| *rest == b'*')
    }

    /// Whether every model that `other` means is meant here too.
    ///
    /// Read as a text, the `*` of `other` can be matched only by a `*` here, which then matches all that it stands for.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl FromStr for ModelPattern {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for ModelPattern {
    type Error = GrantError;

    fn try_from(text: String) -> Result<Self, GrantError> {
        let first = text
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric() || first == b'*');
        let all = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'*'));
        if first && all && text.len() <= LONGEST_PATTERN {
            return Ok(Self(text));
        }
        Err(GrantError::Pattern(shown(&text)))
    }
}

impl From<ModelPattern> for String {
    fn from(pattern: ModelPattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One scope, for all models or for some. As text: `predict`, `predict:heartbeat`, `predict:heartbeat,ecg-*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Grant {
    /// What may be done.
    pub scope: Scope,
    /// With which models; with every one, and with what belongs to none, where this is absent.
    pub models: Option<Vec<ModelPattern>>,
}

impl Grant {
    /// The scope for everything.
    #[must_use]
    pub fn all(scope: Scope) -> Self {
        Self { scope, models: None }
    }

    /// Whether it allows that for everything, not only for named models.
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.scope.implies(scope) && self.models.is_none()
    }

    /// Whether it allows that for this model.
    #[must_use]
    pub fn allows_for(&self, scope: Scope, model: &str) -> bool {
        let named = |patterns: &Vec<ModelPattern>| patterns.iter().any(|pattern| pattern.matches(model));
        self.scope.implies(scope) && self.models.as_ref().is_none_or(named)
    }
}

/// Whether who has all of `held` may do everything that `wanted` says.
#[must_use]
pub fn covers(held: &[Grant], wanted: &Grant) -> bool {
    let held: Vec<_> = held.iter().filter(|grant| grant.scope.implies(wanted.scope)).collect();
    if held.iter().any(|grant| grant.models.is_none()) {
        return true;
    }
    wanted.models.as_ref().is_some_and(|patterns| {
        patterns.iter().all(|wanted| {
            let mut named = held.iter().flat_map(|grant| grant.models.iter().flatten());
            named.any(|pattern| pattern.covers(wanted))
        })
    })
}

impl fmt::Display for Grant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.scope.as_str())?;
        for (index, pattern) in self.models.iter().flatten().enumerate() {
            out.write_str(if index == 0 { ":" } else { "," })?;
            out.write_str(pattern.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let Some((scope, models)) = text.split_once(':') else {
            return Ok(Self::all(text.parse()?));
        };
        let scope = scope.parse()?;
        if models.split(',').count() > MOST_PATTERNS {
            return Err(GrantError::TooMany);
        }
        let models = models.split(',').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self {
            scope,
            models: Some(models),
        })
    }
}

impl TryFrom<String> for Grant {
    type Error = GrantError;

    fn try_from(text: String) -> Result<Self, GrantError> {
        text.parse()
    }
}

impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.to_string()
    }
}

impl JsonSchema for Scope {
    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = Self::ALL.map(Self::as_str);
        json_schema!({"description": "A kind of thing that may be done.", "type": "string", "enum": words})
    }
}

impl JsonSchema for Grant {
    fn schema_name() -> Cow<'static, str> {
        "Grant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = Scope::ALL.map(|scope| scope.as_str().replace('.', "\\.")).join("|");
        let name = r"[A-Za-z0-9*][A-Za-z0-9._*-]{0,127}";
        json_schema!({
            "description": "One scope, for all models or for some, whose names may hold `*`: `predict`, `predict:heartbeat,ecg-*`.",
            "type": "string",
            "pattern": format!("^({words})(:{name}(,{name}){{0,63}})?$"),
            "examples": ["predict:heartbeat"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> Grant {
        text.parse().unwrap()
    }

    #[test]
    fn a_grant_reads_as_it_is_written() {
        for text in [
            "predict",
            "predict:heartbeat",
            "models.read:heartbeat,ecg-*",
            "admin",
            "audit.read:*",
        ] {
            assert_eq!(grant(text).to_string(), text);
        }
        for bad in [
            "",
            "Predict",
            "predict:",
            "predict:a,",
            "predict:a b",
            "predict: a",
            "predict:-x",
            "read",
            ":a",
        ] {
            assert!(bad.parse::<Grant>().is_err(), "{bad:?}");
        }
        let many = format!("predict:{}", vec!["a"; 65].join(","));
        assert_eq!(many.parse::<Grant>(), Err(GrantError::TooMany));
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, model, meant) in [
            ("heartbeat", "heartbeat", true),
            ("heartbeat", "heartbeat2", false),
            ("ecg-*", "ecg-12", true),
            ("ecg-*", "ecg-", true),
            ("ecg-*", "xecg-1", false),
            ("*-v*-x", "a-v-v1-x", true),
            ("*-v*-x", "a-v1-y", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(
                pattern.parse::<ModelPattern>().unwrap().matches(model),
                meant,
                "{pattern} {model}"
            );
        }
    }

    #[test]
    fn nobody_hands_on_more_than_they_have() {
        let held = [grant("predict:ecg-*,heartbeat"), grant("models.read")];
        for (wanted, covered) in [
            ("predict:heartbeat", true),
            ("predict:ecg-12,heartbeat", true),
            ("predict:ecg-1*", true),
            ("predict:e*", false),
            ("predict:*", false),
            ("predict", false),
            ("models.read:anything", true),
            ("models.write:heartbeat", false),
            ("admin:heartbeat", false),
        ] {
            assert_eq!(covers(&held, &grant(wanted)), covered, "{wanted}");
        }
        assert!(covers(&[grant("admin")], &grant("traffic")));
        assert!(!covers(&[grant("admin:heartbeat")], &grant("traffic")));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_grant_or_an_error(text in ".{0,200}") {
            if let Ok(read) = text.parse::<Grant>() {
                proptest::prop_assert_eq!(read.to_string(), text);
            }
        }

        /// What a covered pattern means, the covering one means too.
        #[test]
        fn covering_is_sound(held in "[ab*]{1,5}", wanted in "[ab*]{1,5}", model in "[ab]{0,6}") {
            let held: ModelPattern = held.parse().unwrap();
            let wanted: ModelPattern = wanted.parse().unwrap();
            if held.covers(&wanted) && wanted.matches(&model) {
                proptest::prop_assert!(held.matches(&model));
            }
        }
    }
}
