//! What can be said without labels: how far the two agree, what they call, and where they differ.

use super::units::{Side, Unit, Units};
use super::{Design, Settings};
use crate::stats::bootstrap::{self, Interval};
use crate::stats::kappa::cohen;
use einthoven_ecg::beat::BeatClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Recordings listed as differing.
const MOST_LISTED: usize = 100;

/// What needs no labels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "VersionAgreement")]
pub struct Agreement {
    /// Beats that either found in recordings that both saw.
    pub beats: u64,
    /// Of these, called the same by both; absent where there are none.
    pub agreed: Option<f64>,
    /// Its bootstrap interval over recordings.
    pub agreed_interval: Option<Interval>,
    /// Cohen's kappa of N, S, V, F, Q and none.
    pub kappa: Option<f64>,
    /// Its bootstrap interval over recordings.
    pub kappa_interval: Option<Interval>,
    /// Rows the champion's, columns the challenger's: N, S, V, F, Q, none.
    pub table: [[u64; 6]; 6],
    /// What each called how often; the last row, without a class, is what was withheld.
    pub shares: Vec<ClassShare>,
    /// Where they differ, most differing beats first.
    pub differ: Vec<Differing>,
}

/// How often a class was called, of all beats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassShare {
    /// The class; none for withheld beats.
    pub class: Option<BeatClass>,
    /// By the champion.
    pub champion: Option<f64>,
    /// Bootstrap interval over recordings.
    pub champion_interval: Option<Interval>,
    /// By the challenger.
    pub challenger: Option<f64>,
    /// Bootstrap interval over recordings.
    pub challenger_interval: Option<Interval>,
    /// The challenger's less the champion's.
    pub difference: Option<f64>,
    /// Bootstrap interval over recordings.
    pub interval: Option<Interval>,
}

/// A unit in which they differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DifferingRecording")]
pub struct Differing {
    /// The first recording's name.
    pub id: String,
    /// Beats called differently.
    pub differing: u64,
    /// Of so many.
    pub beats: u64,
}

pub(super) fn agreement(units: &Units, settings: &Settings) -> Agreement {
    let plan = settings.plan();
    let tables: Vec<[f64; 36]> = units
        .all
        .iter()
        .filter_map(|unit| unit.together.as_ref())
        .map(|together| std::array::from_fn(|at| together.agreement[at / 6][at % 6] as f64))
        .collect();
    let figures = |totals: &[[f64; 36]]| {
        let table: [[f64; 6]; 6] = std::array::from_fn(|row| std::array::from_fn(|column| totals[0][6 * row + column]));
        let all: f64 = totals[0].iter().sum();
        let same: f64 = (0..6).map(|at| table[at][at]).sum();
        [(all > 0.0).then(|| same / all), cohen(&table)]
    };
    let total = bootstrap::sum(tables.iter());
    let [agreed, kappa] = figures(&[total]);
    let [agreed_interval, kappa_interval] = bootstrap::intervals(&[&tables], &plan, figures);
    let differing = |unit: &Unit| {
        let together = unit.together.as_ref().filter(|together| together.differing() > 0)?;
        Some(Differing {
            id: unit.id.clone(),
            differing: together.differing(),
            beats: together.all(),
        })
    };
    let mut differ: Vec<Differing> = units.all.iter().filter_map(differing).collect();
    differ.sort_by_key(|row| std::cmp::Reverse(row.differing));
    differ.truncate(MOST_LISTED);
    Agreement {
        beats: total.iter().sum::<f64>() as u64,
        agreed,
        agreed_interval,
        kappa,
        kappa_interval,
        table: std::array::from_fn(|row| std::array::from_fn(|column| total[6 * row + column] as u64)),
        shares: shares(units, settings),
        differ,
    }
}

fn shares(units: &Units, settings: &Settings) -> Vec<ClassShare> {
    let said = |side: &Side| -> Option<[f64; 6]> {
        Some(std::array::from_fn(
            |at| if at < 5 { side.said[at] } else { side.withheld } as f64,
        ))
    };
    let three = |first: &[f64; 6], second: &[f64; 6]| -> [Option<f64>; 18] {
        let share = |counts: &[f64; 6], at: usize| {
            let all: f64 = counts.iter().sum();
            (all > 0.0).then(|| counts[at] / all)
        };
        std::array::from_fn(|at| match at / 6 {
            0 => share(first, at % 6),
            1 => share(second, at % 6),
            _ => Some(share(second, at % 6)? - share(first, at % 6)?),
        })
    };
    let plan = settings.plan();
    let (values, intervals) = match units.design {
        Design::Paired => {
            let joined: Vec<[f64; 12]> = units
                .pairs(said)
                .iter()
                .map(|(first, second)| std::array::from_fn(|at| if at < 6 { first[at] } else { second[at - 6] }))
                .collect();
            let split = |totals: &[[f64; 12]]| {
                let half = |from: usize| std::array::from_fn(|at| totals[0][from + at]);
                three(&half(0), &half(6))
            };
            (
                split(&[bootstrap::sum(joined.iter())]),
                bootstrap::intervals(&[&joined], &plan, split),
            )
        }
        Design::Apart => {
            let (champion, challenger) = units.apart(said);
            let both = |totals: &[[f64; 6]]| three(&totals[0], &totals[1]);
            let values = three(&bootstrap::sum(champion.iter()), &bootstrap::sum(challenger.iter()));
            (values, bootstrap::intervals(&[&champion, &challenger], &plan, both))
        }
    };
    let row = |at: usize| ClassShare {
        class: BeatClass::ALL.get(at).copied(),
        champion: values[at],
        champion_interval: intervals[at],
        challenger: values[at + 6],
        challenger_interval: intervals[at + 6],
        difference: values[at + 12],
        interval: intervals[at + 12],
    };
    (0..6).map(row).collect()
}
