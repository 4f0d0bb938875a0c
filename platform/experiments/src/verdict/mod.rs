//! The verdict on a challenger: what is known, how sure that is, and one sentence that claims no more.

mod agreement;
mod labelled;
mod power;
mod sentence;
mod settings;
mod units;

pub use agreement::{Agreement, ClassShare, Differing};
pub use labelled::{Calibration, FigureRow, Labelled, McNemar, RecordingRow};
pub use power::{Needed, Power, units_needed};
pub use settings::{Looks, Settings, SettingsError};

use crate::recording::Recording;
use crate::stats::betting::Sequence;
use crate::stats::bootstrap::Interval;
use crate::stats::permutation::Tested;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use units::Units;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// The version that answers.
    pub champion: String,
    /// The version that wants to.
    pub challenger: String,
    /// In the order in which they became complete, which must not depend on what the versions said: what looks at the data all
    /// the time reads them one after the other.
    pub recordings: Vec<Recording>,
    /// How to judge.
    #[serde(default)]
    pub settings: Settings,
}

/// Whether arms saw the same recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ComparisonDesign")]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Both saw each recording that counts.
    Paired,
    /// Each saw its own.
    Apart,
}

/// What may be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody knows what is right.
    Unlabelled,
    /// Neither side can be excluded.
    TooEarly,
    /// The challenger is better.
    Better,
    /// The challenger is worse.
    Worse,
    /// They differ by less than is worth it.
    Alike,
}

/// The document of `/v1/experiments/{id}/verdict`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ExperimentVerdict")]
pub struct Verdict {
    /// The experiment.
    pub experiment: String,
    /// The champion.
    pub champion: String,
    /// The challenger.
    pub challenger: String,
    /// What may be said.
    pub standing: Standing,
    /// The same in words.
    pub sentence: String,
    /// Whether arms saw the same recordings.
    pub design: Design,
    /// How it was judged.
    pub settings: Settings,
    /// Recordings and people that count.
    pub numbers: Numbers,
    /// What the standing hangs on; absent without labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<Primary>,
    /// Tables by EC57, and what goes with them; absent without labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labelled: Option<Labelled>,
    /// What needs no labels.
    pub agreement: Agreement,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// How many of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ComparisonNumbers")]
pub struct Numbers {
    /// Recordings given.
    pub recordings: u64,
    /// That both versions saw.
    pub both: u64,
    /// That only the champion saw.
    pub champion_only: u64,
    /// That only the challenger saw.
    pub challenger_only: u64,
    /// Units of the comparison: people where they are known, else recordings; those that the design can use.
    pub units: u64,
    /// Of these, with labels.
    pub labelled: u64,
}

/// The figure that decides, as a mean over units: each person counts once, with the first recording of theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PrimaryMeasure")]
pub struct Primary {
    /// The figure.
    pub figure: crate::figure::Figure,
    /// Units with a value; apart, the champion's and the challenger's together.
    pub units: u64,
    /// The champion's mean.
    pub champion: f64,
    /// The challenger's.
    pub challenger: f64,
    /// The challenger's less the champion's.
    pub difference: f64,
    /// For one look only: bootstrap over units.
    pub interval: Option<Interval>,
    /// For one look only: sign flips, or recordings dealt out anew.
    pub test: Option<Tested>,
    /// At every look: the confidence sequence.
    pub sequence: Bounds,
    /// How much can be seen with so many, and how many more are needed.
    pub power: Option<Power>,
}

/// The confidence sequence of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfidenceBounds")]
pub struct Bounds {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Evidence against no difference; paired only.
    pub e_value: Option<f64>,
    /// After how many units zero was excluded; paired only.
    pub decided_at: Option<u64>,
}

impl From<Sequence> for Bounds {
    fn from(sequence: Sequence) -> Self {
        Self {
            low: sequence.low,
            high: sequence.high,
            e_value: Some(sequence.e_value),
            decided_at: sequence.decided_at,
        }
    }
}

/// Judges.
///
/// Time goes with recordings times draws; 1,000 recordings take about a second.
///
/// # Errors
/// Settings out of range.
pub fn verdict(experiment: &Experiment) -> Result<Verdict, SettingsError> {
    let settings = experiment.settings;
    settings.check()?;
    let units = Units::of(&experiment.recordings);
    let labelled = units.has_labels().then(|| labelled::labelled(&units, &settings));
    let primary = labelled.as_ref().and_then(|_| labelled::primary(&units, &settings));
    let agreement = agreement::agreement(&units, &settings);
    let standing = standing(primary.as_ref(), &settings);
    let mut verdict = Verdict {
        experiment: experiment.name.clone(),
        champion: experiment.champion.clone(),
        challenger: experiment.challenger.clone(),
        standing,
        sentence: String::new(),
        design: units.design,
        settings,
        numbers: units.numbers,
        primary,
        labelled,
        agreement,
        notes: Vec::new(),
    };
    verdict.sentence = sentence::sentence(&verdict);
    verdict.notes = sentence::notes(&verdict, &units);
    Ok(verdict)
}

fn standing(primary: Option<&Primary>, settings: &Settings) -> Standing {
    let Some(primary) = primary else {
        return Standing::Unlabelled;
    };
    let Some((low, high)) = primary.bounds(settings.looks) else {
        return Standing::TooEarly;
    };
    let few = primary.units < u64::from(settings.least_recordings);
    let once = settings.looks == Looks::Once;
    let tested = !once || primary.test.is_some_and(|test| test.p <= settings.level());
    match () {
        () if few => Standing::TooEarly,
        () if low > 0.0 && tested => Standing::Better,
        () if high < 0.0 && tested => Standing::Worse,
        () if low > -settings.worth && high < settings.worth => Standing::Alike,
        () => Standing::TooEarly,
    }
}

impl Primary {
    /// The interval that the standing hangs on.
    pub(crate) fn bounds(&self, looks: Looks) -> Option<(f64, f64)> {
        match looks {
            Looks::Every => Some((self.sequence.low, self.sequence.high)),
            Looks::Once => self.interval.map(|interval| (interval.low, interval.high)),
        }
    }
}
