//! What labels say: tables by EC57, differences, the figure that decides.

use super::units::Units;
use super::{Bounds, Design, Looks, Primary, Settings, power};
use crate::figure::{Counts, FIGURES, Figure, Matrix, beats};
use crate::stats::bootstrap::{self, Interval, Plan};
use crate::stats::permutation::{self, Tested};
use crate::stats::{betting, mean};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Recordings that the document lists.
const MOST_ROWS: usize = 500;

/// What labels say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LabelledComparison")]
pub struct Labelled {
    /// Every figure over all labelled recordings together.
    pub figures: Vec<FigureRow>,
    /// Reference by champion, summed: N S V F Q O X.
    pub champion_matrix: Matrix,
    /// Reference by challenger.
    pub challenger_matrix: Matrix,
    /// Counts of beats as description: beats of one recording are not independent, so no p-value goes with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcnemar: Option<McNemar>,
    /// Whether probabilities mean what they say; absent where none were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// The figure that decides, recording by recording, where they differ most first; at most 500.
    pub recordings: Vec<RecordingRow>,
}

/// A figure of both arms, pooled over recordings, with bootstrap intervals over recordings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ComparedFigure")]
pub struct FigureRow {
    /// The figure.
    pub figure: Figure,
    /// The champion's.
    pub champion: Option<f64>,
    /// Its interval.
    pub champion_interval: Option<Interval>,
    /// The challenger's.
    pub challenger: Option<f64>,
    /// Its interval.
    pub challenger_interval: Option<Interval>,
    /// The challenger's less the champion's.
    pub difference: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// Permutation test of the difference.
    pub test: Option<Tested>,
}

/// Labelled beats by who was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct McNemar {
    pub both: u64,
    pub champion_only: u64,
    pub challenger_only: u64,
    pub neither: u64,
}

/// Expected calibration error by recording: the mean over all beats hides the recordings where confidence misleads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ComparedCalibration")]
pub struct Calibration {
    /// Mean over recordings.
    pub champion: f64,
    /// Mean over recordings.
    pub challenger: f64,
    /// The challenger's less the champion's; less is better.
    pub difference: f64,
    /// Its bootstrap interval.
    pub interval: Option<Interval>,
    /// The recording in which the champion misleads most.
    pub champion_worst: Option<Misleading>,
    /// The recording in which the challenger misleads most.
    pub challenger_worst: Option<Misleading>,
}

/// A recording in which probabilities mislead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MisleadingRecording")]
pub struct Misleading {
    /// Its name; of several of one person the first one's.
    pub id: String,
    /// Expected calibration error, 0 to 1.
    pub calibration_error: f64,
}

/// A unit's row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ComparedRecording")]
pub struct RecordingRow {
    /// The first recording's name.
    pub id: String,
    /// Recordings in it.
    pub recordings: u64,
    /// Reference beats.
    pub beats: u64,
    /// The champion's figure.
    pub champion: Option<f64>,
    /// The challenger's.
    pub challenger: Option<f64>,
}

impl Settings {
    pub(super) fn plan(&self) -> Plan {
        Plan {
            draws: self.draws as usize,
            seed: self.seed,
            level: 1.0 - self.level(),
        }
    }
}

pub(super) fn labelled(units: &Units, settings: &Settings) -> Labelled {
    let total = |matrices: &[Matrix]| {
        let mut sum = Matrix::default();
        for matrix in matrices {
            for (sum, more) in sum.iter_mut().flatten().zip(matrix.iter().flatten()) {
                *sum = sum.saturating_add(*more);
            }
        }
        sum
    };
    let (champion, challenger) = match units.design {
        Design::Paired => units.pairs(|side| side.matrix).into_iter().unzip(),
        Design::Apart => units.apart(|side| side.matrix),
    };
    Labelled {
        figures: figures(units, settings),
        champion_matrix: total(&champion),
        challenger_matrix: total(&challenger),
        mcnemar: mcnemar(units),
        calibration: calibration(units, settings),
        recordings: rows(units, settings.primary),
    }
}

fn differences(first: &Counts, second: &Counts) -> [Option<f64>; FIGURES] {
    Figure::EVERY.map(|figure| Some(figure.pooled(second)? - figure.pooled(first)?))
}

fn figures(units: &Units, settings: &Settings) -> Vec<FigureRow> {
    let plan = settings.plan();
    // One after the other: the champion's, the challenger's, the difference.
    let three = |first: &Counts, second: &Counts| -> [Option<f64>; 3 * FIGURES] {
        let differences = differences(first, second);
        std::array::from_fn(|at| {
            let figure = Figure::EVERY[at % FIGURES];
            match at / FIGURES {
                0 => figure.pooled(first),
                1 => figure.pooled(second),
                _ => differences[at % FIGURES],
            }
        })
    };
    let draws = settings.draws as usize;
    let (values, intervals, tests) = match units.design {
        Design::Paired => {
            let pairs = units.pairs(|side| side.counts());
            let joined: Vec<[f64; 28]> = pairs.iter().map(|(first, second)| join(first, second)).collect();
            let split = |totals: &[[f64; 28]]| {
                let (first, second) = cut(&totals[0]);
                three(&first, &second)
            };
            let values = split(&[bootstrap::sum(joined.iter())]);
            let intervals = bootstrap::intervals(&[&joined], &plan, split);
            (
                values,
                intervals,
                permutation::paired(&pairs, draws, settings.seed, differences),
            )
        }
        Design::Apart => {
            let (champion, challenger) = units.apart(|side| side.counts());
            let values = three(&bootstrap::sum(champion.iter()), &bootstrap::sum(challenger.iter()));
            let both = |totals: &[Counts]| three(&totals[0], &totals[1]);
            let intervals = bootstrap::intervals(&[&champion, &challenger], &plan, both);
            let tests = permutation::apart(&champion, &challenger, draws, settings.seed, differences);
            (values, intervals, tests)
        }
    };
    let row = |(at, figure): (usize, Figure)| FigureRow {
        figure,
        champion: values[at],
        champion_interval: intervals[at],
        challenger: values[at + FIGURES],
        challenger_interval: intervals[at + FIGURES],
        difference: values[at + 2 * FIGURES],
        interval: intervals[at + 2 * FIGURES],
        test: tests[at],
    };
    Figure::EVERY.into_iter().enumerate().map(row).collect()
}

fn join(first: &Counts, second: &Counts) -> [f64; 28] {
    std::array::from_fn(|at| if at < 14 { first[at] } else { second[at - 14] })
}

fn cut(joined: &[f64; 28]) -> (Counts, Counts) {
    (
        std::array::from_fn(|at| joined[at]),
        std::array::from_fn(|at| joined[at + 14]),
    )
}

fn mcnemar(units: &Units) -> Option<McNemar> {
    let mut sum = [0_u64; 4];
    for together in units.all.iter().filter_map(|unit| unit.together.as_ref()) {
        sum.iter_mut()
            .zip(together.right)
            .for_each(|(sum, more)| *sum = sum.saturating_add(more));
    }
    let [neither, challenger_only, champion_only, both] = sum;
    (sum != [0; 4]).then_some(McNemar {
        both,
        champion_only,
        challenger_only,
        neither,
    })
}

fn calibration(units: &Units, settings: &Settings) -> Option<Calibration> {
    let error =
        |side: &super::units::Side| (side.calibration[1] > 0.0).then(|| side.calibration[0] / side.calibration[1]);
    let worst = |challenger: bool| {
        let of = |unit: &super::units::Unit| {
            let side = if challenger { &unit.challenger } else { &unit.champion };
            Some(Misleading {
                id: unit.id.clone(),
                calibration_error: error(side.as_ref()?)?,
            })
        };
        units
            .all
            .iter()
            .filter_map(of)
            .max_by(|one, two| one.calibration_error.total_cmp(&two.calibration_error))
    };
    let share = |sum: &[f64; 2]| (sum[1] > 0.0).then(|| sum[0] / sum[1]);
    let plan = settings.plan();
    let (champion, challenger, intervals) = match units.design {
        Design::Paired => {
            let pairs = units.pairs(error);
            let joined: Vec<[f64; 3]> = pairs.iter().map(|(first, second)| [*first, *second, 1.0]).collect();
            let difference = |totals: &[[f64; 3]]| [share(&[totals[0][1] - totals[0][0], totals[0][2]])];
            let intervals = bootstrap::intervals(&[&joined], &plan, difference);
            let (champion, challenger): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            (champion, challenger, intervals)
        }
        Design::Apart => {
            let (champion, challenger) = units.apart(error);
            let counted = |errors: &[f64]| errors.iter().map(|error| [*error, 1.0]).collect::<Vec<_>>();
            let (first, second) = (counted(&champion), counted(&challenger));
            let difference =
                |totals: &[[f64; 2]]| [share(&totals[1]).zip(share(&totals[0])).map(|(two, one)| two - one)];
            let intervals = bootstrap::intervals(&[&first, &second], &plan, difference);
            (champion, challenger, intervals)
        }
    };
    (!champion.is_empty() && !challenger.is_empty()).then(|| Calibration {
        champion: mean(&champion),
        challenger: mean(&challenger),
        difference: mean(&challenger) - mean(&champion),
        interval: intervals[0],
        champion_worst: worst(false),
        challenger_worst: worst(true),
    })
}

fn rows(units: &Units, figure: Figure) -> Vec<RecordingRow> {
    let mut rows: Vec<RecordingRow> = Vec::new();
    for unit in &units.all {
        let counts = |side: &Option<super::units::Side>| side.as_ref().and_then(super::units::Side::counts);
        let (champion, challenger) = (counts(&unit.champion), counts(&unit.challenger));
        let Some(any) = champion.or(challenger) else { continue };
        rows.push(RecordingRow {
            id: unit.id.clone(),
            recordings: unit.recordings,
            beats: beats(&any) as u64,
            champion: champion.and_then(|counts| figure.of_recording(&counts)),
            challenger: challenger.and_then(|counts| figure.of_recording(&counts)),
        });
    }
    let apart = |row: &RecordingRow| {
        row.champion
            .zip(row.challenger)
            .map_or(0.0, |(one, two)| (two - one).abs())
    };
    rows.sort_by(|one, two| apart(two).total_cmp(&apart(one)));
    rows.truncate(MOST_ROWS);
    rows
}

/// The figure that decides; `None` where no unit has a value.
pub(super) fn primary(units: &Units, settings: &Settings) -> Option<Primary> {
    let figure = settings.primary;
    let value = |side: &super::units::Side| figure.of_recording(side.first.as_ref()?);
    let plan = settings.plan();
    let alpha = settings.level();
    let draws = settings.draws as usize;
    // Sum and number of units.
    let counted = |values: &[f64]| values.iter().map(|value| [*value, 1.0]).collect::<Vec<_>>();
    let share = |sum: &[f64; 2]| (sum[1] > 0.0).then(|| sum[0] / sum[1]);
    let apart = |first: &[f64; 2], second: &[f64; 2]| [share(second).zip(share(first)).map(|(two, one)| two - one)];
    let every = settings.looks == Looks::Every;
    match units.design {
        Design::Paired => {
            let pairs = units.pairs(value);
            let differences: Vec<f64> = pairs.iter().map(|(one, two)| two - one).collect();
            let (champion, challenger): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            let flips: Vec<_> = pairs.iter().map(|(one, two)| ([*one, 1.0], [*two, 1.0])).collect();
            (!pairs.is_empty()).then(|| Primary {
                figure,
                units: pairs.len() as u64,
                champion: mean(&champion),
                challenger: mean(&challenger),
                difference: mean(&differences),
                interval: bootstrap::intervals(&[&counted(&differences)], &plan, |sums| [share(&sums[0])])[0],
                test: permutation::paired(&flips, draws, settings.seed, apart)[0],
                sequence: betting::sequence(&differences, -1.0, 1.0, 0.0, alpha).into(),
                power: power::paired(&differences, settings, every),
            })
        }
        Design::Apart => {
            let (champion, challenger) = units.apart(value);
            let (first, second) = (counted(&champion), counted(&challenger));
            // Each arm's mean is covered all the time with half of alpha, so the difference is with all of it.
            let one = betting::sequence(&champion, 0.0, 1.0, 0.5, alpha / 2.0);
            let two = betting::sequence(&challenger, 0.0, 1.0, 0.5, alpha / 2.0);
            (!champion.is_empty() && !challenger.is_empty()).then(|| Primary {
                figure,
                units: (champion.len() + challenger.len()) as u64,
                champion: mean(&champion),
                challenger: mean(&challenger),
                difference: mean(&challenger) - mean(&champion),
                interval: bootstrap::intervals(&[&first, &second], &plan, |sums| apart(&sums[0], &sums[1]))[0],
                test: permutation::apart(&first, &second, draws, settings.seed, apart)[0],
                sequence: Bounds {
                    low: two.low - one.high,
                    high: two.high - one.low,
                    e_value: None,
                    decided_at: None,
                },
                power: power::apart(&champion, &challenger, settings),
            })
        }
    }
}
