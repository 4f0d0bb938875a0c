//! How to judge.

use crate::figure::Figure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often one looks at the verdict before deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Looks {
    /// As often as one likes: the confidence sequence decides.
    #[default]
    Every,
    /// Once, after a number of recordings that was fixed before: the bootstrap interval and the permutation test decide, which
    /// need fewer recordings.
    Once,
}

/// How to judge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ComparisonSettings")]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The one figure that decides; all others are description.
    pub primary: Figure,
    /// How often one looks.
    pub looks: Looks,
    /// The probability of calling two equal versions different, 0.001 to 0.5.
    pub alpha: f64,
    /// Challengers that are compared with the champion at once: each is judged at `alpha` divided by their number. 1 to 100.
    pub comparisons: u32,
    /// The smallest difference that matters, above 0 and below 1: 0.02 is two points.
    pub worth: f64,
    /// The probability with which it shall be found, 0.5 to 0.99.
    pub power: f64,
    /// Before so many recordings nothing is said.
    pub least_recordings: u32,
    /// Draws of the bootstrap and of permutation tests that are not exact, up to 20,000; with 0 there are none.
    pub draws: u32,
    /// Of all that is drawn at random.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            primary: Figure::default(),
            looks: Looks::default(),
            alpha: 0.05,
            comparisons: 1,
            worth: 0.02,
            power: 0.8,
            least_recordings: 10,
            draws: 2000,
            seed: 57,
        }
    }
}

/// A setting out of range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{name}` is {value}; give {wanted}")]
pub struct SettingsError {
    /// Which.
    pub name: &'static str,
    /// What was given.
    pub value: f64,
    /// What would be right.
    pub wanted: &'static str,
}

impl Settings {
    /// # Errors
    /// A setting out of range.
    pub fn check(&self) -> Result<(), SettingsError> {
        let rules = [
            ("alpha", self.alpha, 0.001, 0.5, "0.001 to 0.5"),
            ("comparisons", f64::from(self.comparisons), 1.0, 100.0, "1 to 100"),
            ("worth", self.worth, 1e-4, 0.999, "0.0001 to 0.999"),
            ("power", self.power, 0.5, 0.99, "0.5 to 0.99"),
            ("draws", f64::from(self.draws), 0.0, 20_000.0, "0 to 20000"),
        ];
        for (name, value, least, most, wanted) in rules {
            if !(least..=most).contains(&value) {
                return Err(SettingsError { name, value, wanted });
            }
        }
        Ok(())
    }

    /// Alpha of one comparison.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.alpha / f64::from(self.comparisons.max(1))
    }
}
