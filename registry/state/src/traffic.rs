//! Which versions answer, and which compute beside them.

use crate::name::{ExperimentName, VersionName};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Challengers a model may have at once, over splits and shadows.
const MOST_CHALLENGERS: usize = 8;

/// Which versions answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// The one that answers; none before the first promotion.
    #[serde(default)]
    pub champion: Option<VersionName>,
    /// Versions that answer a share of the subjects in its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<Challenger>,
    /// Versions that compute a share of the subjects beside it and answer nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<Challenger>,
    /// What subjects are dealt out by; the model's name where none is given. Another name deals them out anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<ExperimentName>,
}

/// A version with its share of the subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Challenger {
    /// The version.
    pub version: VersionName,
    /// Of all subjects.
    pub percent: Percent,
}

/// A share above 0 and up to 100 %, in steps of 0.01 %; a number of percent in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Percent(u16);

impl Percent {
    /// In hundredths of a percent: 1 to 10,000.
    #[must_use]
    pub fn basis_points(self) -> u16 {
        self.0
    }
}

impl TryFrom<f64> for Percent {
    type Error = String;

    fn try_from(percent: f64) -> Result<Self, String> {
        let points = (percent * 100.0).round();
        let exact = (percent * 100.0 - points).abs() < 1e-6;
        if exact && (1.0..=10_000.0).contains(&points) {
            return Ok(Self(points as u16));
        }
        Err(format!(
            "`percent` is {percent}; give a number above 0 and up to 100 in steps of 0.01"
        ))
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        Self::from(percent.0) / 100.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} %", f64::from(*self))
    }
}

impl Traffic {
    /// One version alone.
    #[must_use]
    pub fn only(champion: VersionName) -> Self {
        Self {
            champion: Some(champion),
            ..Self::default()
        }
    }

    /// Every version it names, the champion first.
    pub fn versions(&self) -> impl Iterator<Item = &VersionName> {
        let challengers = self.splits.iter().chain(&self.shadows);
        self.champion
            .iter()
            .chain(challengers.map(|challenger| &challenger.version))
    }

    /// Whether it names that version.
    #[must_use]
    pub fn names(&self, version: &VersionName) -> bool {
        self.versions().any(|named| named == version)
    }

    /// What is wrong with it in itself, whatever versions there are.
    pub(crate) fn fault(&self) -> Option<String> {
        let challengers = self.splits.len() + self.shadows.len();
        if challengers > 0 && self.champion.is_none() {
            return Some("challengers need a champion beside them".to_owned());
        }
        if challengers > MOST_CHALLENGERS {
            return Some(format!("{challengers} challengers are more than {MOST_CHALLENGERS}"));
        }
        let named: Vec<_> = self.versions().collect();
        let twice = named
            .iter()
            .enumerate()
            .find(|(at, version)| named[..*at].contains(version));
        if let Some((_, version)) = twice {
            return Some(format!("version `{version}` is named twice"));
        }
        let sum: u32 = self.splits.iter().map(|split| u32::from(split.percent.0)).sum();
        if sum > 10_000 {
            return Some(format!(
                "the splits take {} % of the subjects together",
                f64::from(sum) / 100.0
            ));
        }
        None
    }
}

impl JsonSchema for Percent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0.01, "maximum": 100})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(text: &str) -> Traffic {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn shares_are_percent_in_json_and_exact() {
        let given = r#"{"champion":"1","splits":[{"version":"2","percent":0.01},{"version":"3","percent":12.5}]}"#;
        let traffic = traffic(given);
        assert_eq!(traffic.splits[1].percent.basis_points(), 1250);
        assert_eq!(serde_json::to_string(&traffic).unwrap(), given);
        for wrong in ["0", "-1", "100.01", "0.001", "1e300"] {
            let text = format!(r#"{{"version":"2","percent":{wrong}}}"#);
            assert!(serde_json::from_str::<Challenger>(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_told() {
        let fault = |text| traffic(text).fault().unwrap_or_default();
        assert_eq!(
            fault(r#"{"champion":"1","shadows":[{"version":"2","percent":100}]}"#),
            ""
        );
        assert!(fault(r#"{"champion":null,"shadows":[{"version":"2","percent":100}]}"#).contains("need a champion"));
        assert!(fault(r#"{"champion":"1","splits":[{"version":"1","percent":10}]}"#).contains("named twice"));
        let both = r#"{"champion":"1","splits":[{"version":"2","percent":60},{"version":"3","percent":60}]}"#;
        assert!(fault(both).contains("120 %"));
    }
}
