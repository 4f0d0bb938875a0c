//! All records together: each, pooled, averaged, with intervals over records.

use super::calibration::Calibration;
use super::compare::{BeatComparison, Rules};
use super::measures::Measures;
use super::runs::RunComparison;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

const DRAWS: usize = 2000;

/// One record's result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordScore {
    /// The record's name.
    pub name: String,
    /// Beat by beat.
    pub beats: BeatComparison,
    /// Ventricular runs.
    pub v_runs: RunComparison,
    /// Supraventricular runs.
    pub s_runs: RunComparison,
    /// Of the probabilities given with the beats.
    pub calibration: Calibration,
}

/// The lower and upper end of 95 % of a figure when records are drawn anew.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Interval {
    /// 2.5 %.
    pub low: f64,
    /// 97.5 %.
    pub high: f64,
}

/// One record's row.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "RecordScore")]
pub(super) struct Row {
    name: String,
    #[serde(flatten)]
    measures: Measures,
    calibration_error: Option<f64>,
}

/// The report on a set of records.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "EvaluationReport")]
pub struct Report {
    mapping: &'static str,
    window_s: f64,
    start_s: f64,
    records: Vec<Row>,
    gross: Measures,
    calibration_error: Option<f64>,
    average: BTreeMap<&'static str, f64>,
    intervals: BTreeMap<&'static str, Interval>,
    matrix: [[u64; 7]; 7],
    runs: BTreeMap<&'static str, [u64; 2]>,
}

impl Report {
    /// Puts records together. Intervals come from 2,000 draws of as many records with replacement, always the same.
    #[must_use]
    pub fn of(records: &[RecordScore], rules: &Rules) -> Self {
        let pooled = pooled(records.iter());
        let mut calibration = Calibration::default();
        let (mut v_runs, mut s_runs) = (RunComparison::default(), RunComparison::default());
        for record in records {
            calibration.merge(&record.calibration);
            v_runs.add(&record.v_runs);
            s_runs.add(&record.s_runs);
        }
        let rows: Vec<Row> = records
            .iter()
            .map(|record| Row {
                name: record.name.clone(),
                measures: Measures::of(&record.beats),
                calibration_error: record.calibration.error(),
            })
            .collect();
        let mut runs = BTreeMap::new();
        for (name, comparison, reference, lengths) in [
            ("v_couplets_se", &v_runs, true, 2..=2),
            ("v_couplets_ppv", &v_runs, false, 2..=2),
            ("v_short_runs_se", &v_runs, true, 3..=5),
            ("v_short_runs_ppv", &v_runs, false, 3..=5),
            ("v_long_runs_se", &v_runs, true, 6..=6),
            ("v_long_runs_ppv", &v_runs, false, 6..=6),
            ("s_couplets_se", &s_runs, true, 2..=2),
            ("s_couplets_ppv", &s_runs, false, 2..=2),
            ("s_short_runs_se", &s_runs, true, 3..=5),
            ("s_short_runs_ppv", &s_runs, false, 3..=5),
            ("s_long_runs_se", &s_runs, true, 6..=6),
            ("s_long_runs_ppv", &s_runs, false, 6..=6),
        ] {
            let (hits, all) = comparison.found(reference, lengths);
            runs.insert(name, [hits, all]);
        }
        Self {
            mapping: rules.mapping.name(),
            window_s: rules.window_s,
            start_s: rules.start_s,
            average: averages(&rows),
            records: rows,
            gross: Measures::of(&pooled),
            calibration_error: calibration.error(),
            intervals: intervals(records),
            matrix: pooled.matrix,
            runs,
        }
    }

    /// The pooled figures.
    #[must_use]
    pub fn gross(&self) -> &Measures {
        &self.gross
    }

    /// Expected calibration error over all records.
    #[must_use]
    pub fn calibration_error(&self) -> Option<f64> {
        self.calibration_error
    }

    /// As a table for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let percent =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{:.2}", 100.0 * value));
        let plain = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        let mut text = format!(
            "EC57, mapping {}, window {:.0} ms, from {:.0} s on\n\n{:>8} {:>7} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} {:>7} {:>6}\n",
            self.mapping,
            1e3 * self.window_s,
            self.start_s,
            "record",
            "beats",
            "QRS Se",
            "QRS +P",
            "V Se",
            "V +P",
            "S Se",
            "S +P",
            "acc",
            "kappa",
            "rms ms",
            "held",
            "ECE"
        );
        let mut row = |name: &str, m: &Measures, ece: Option<f64>| {
            let _ = writeln!(
                text,
                "{name:>8} {:>7} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} {:>7} {:>6}",
                m.beats,
                percent(m.qrs_se),
                percent(m.qrs_ppv),
                percent(m.v_se),
                percent(m.v_ppv),
                percent(m.s_se),
                percent(m.s_ppv),
                percent(m.accuracy),
                plain(m.kappa),
                m.offset_ms
                    .map_or_else(|| "-".to_owned(), |value| format!("{value:.1}")),
                m.withheld,
                plain(ece)
            );
        };
        for record in &self.records {
            row(&record.name, &record.measures, record.calibration_error);
        }
        row("gross", &self.gross, self.calibration_error);
        let _ = writeln!(text, "\n{:>11} {:>9} {:>9}   95 % over records", "", "gross", "average");
        for (name, value) in self.gross.shares() {
            let interval = self.intervals.get(name).map_or_else(String::new, |interval| {
                format!("{:.4} to {:.4}", interval.low, interval.high)
            });
            let average = plain(self.average.get(name).copied());
            let _ = writeln!(
                text,
                "{name:>11} {:>9} {average:>9}   {interval}",
                value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
            );
        }
        let _ = writeln!(
            text,
            "\n      {}",
            ["n", "s", "v", "f", "q", "o", "x"]
                .map(|name| format!("{name:>7}"))
                .join("")
        );
        for (name, counts) in ["N", "S", "V", "F", "Q", "O", "X"].iter().zip(&self.matrix) {
            let _ = writeln!(
                text,
                "    {name} {}",
                counts.map(|count| format!("{count:>7}")).join("")
            );
        }
        let _ = writeln!(text, "\nruns (found of all)");
        for (name, [hits, all]) in &self.runs {
            let _ = writeln!(text, "  {name:>16} {hits:>6} of {all}");
        }
        text
    }
}

fn pooled<'a>(records: impl Iterator<Item = &'a RecordScore>) -> BeatComparison {
    let mut sum = BeatComparison::default();
    records.for_each(|record| sum.add(&record.beats));
    sum
}

fn averages(rows: &[Row]) -> BTreeMap<&'static str, f64> {
    let mut sums: BTreeMap<&'static str, (f64, f64)> = BTreeMap::new();
    for (name, value) in rows.iter().flat_map(|row| row.measures.shares()) {
        if let Some(value) = value {
            let (sum, count) = sums.entry(name).or_default();
            *sum += value;
            *count += 1.0;
        }
    }
    sums.into_iter()
        .map(|(name, (sum, count))| (name, sum / count))
        .collect()
}

fn intervals(records: &[RecordScore]) -> BTreeMap<&'static str, Interval> {
    if records.len() < 3 {
        return BTreeMap::new();
    }
    let mut random = ChaCha8Rng::seed_from_u64(57);
    let mut drawn: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for _ in 0..DRAWS {
        let draw = (0..records.len()).map(|_| &records[random.random_range(0..records.len())]);
        for (name, value) in Measures::of(&pooled(draw)).shares() {
            drawn.entry(name).or_default().extend(value);
        }
    }
    drawn
        .into_iter()
        .filter(|(_, values)| values.len() * 2 > DRAWS)
        .map(|(name, mut values)| {
            values.sort_by(f64::total_cmp);
            let at = |q: f64| values[(q * (values.len() - 1) as f64).round() as usize];
            (
                name,
                Interval {
                    low: at(0.025),
                    high: at(0.975),
                },
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_over_records_and_the_same_each_time() {
        let record = |name: &str, right: u64| {
            let mut score = RecordScore {
                name: name.to_owned(),
                ..RecordScore::default()
            };
            score.beats.matrix[0][0] = right;
            score.beats.matrix[0][2] = 1000 - right;
            score
        };
        let records: Vec<_> = [990, 990, 990, 200].map(|right| record("r", right)).to_vec();
        let report = Report::of(&records, &Rules::default());
        assert_eq!(report, Report::of(&records, &Rules::default()));
        let interval = report.intervals["accuracy"];
        // One bad record of four: the interval must reach from all good to mostly bad.
        assert!(interval.low < 0.6 && interval.high > 0.98, "{interval:?}");
        assert!(report.to_text().contains("aami-dechazal"));
    }
}
