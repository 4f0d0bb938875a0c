//! Run by run: couplets, short runs (3 to 5) and long runs (6 or more), as `rxr` counts them.

use super::compare::Rules;
use crate::annotation::Annotation;
use crate::beat::BeatClass;

/// Longest run that has a row of its own; longer ones share it.
const LONGEST: usize = 6;

/// Runs of one class compared. Rows are lengths 0 to 6 (6 and more).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunComparison {
    /// Reference runs by their length and that of the longest test run they overlap.
    pub sensitivity: [[u64; LONGEST + 1]; LONGEST + 1],
    /// Test runs by their length and that of the longest reference run they overlap.
    pub predictivity: [[u64; LONGEST + 1]; LONGEST + 1],
}

impl RunComparison {
    /// Adds another record's counts.
    pub fn add(&mut self, other: &Self) {
        for (mine, more) in [
            (&mut self.sensitivity, &other.sensitivity),
            (&mut self.predictivity, &other.predictivity),
        ] {
            for (row, more) in mine.iter_mut().zip(more) {
                for (count, more) in row.iter_mut().zip(more) {
                    *count += more;
                }
            }
        }
    }

    /// Runs with lengths in a range, and how many of them the other side has as long as the range's start.
    #[must_use]
    pub fn found(&self, of_reference: bool, lengths: std::ops::RangeInclusive<usize>) -> (u64, u64) {
        let matrix = if of_reference {
            &self.sensitivity
        } else {
            &self.predictivity
        };
        let rows = &matrix[*lengths.start()..=(*lengths.end()).min(LONGEST)];
        let all = rows.iter().flatten().sum();
        let hits = rows.iter().flat_map(|row| &row[*lengths.start()..]).sum();
        (hits, all)
    }
}

/// Compares runs of two or more beats of one class, both annotated at `rate_hz`.
#[must_use]
pub fn compare_runs(
    reference: &[Annotation],
    test: &[Annotation],
    rate_hz: f64,
    rules: &Rules,
    class: BeatClass,
) -> RunComparison {
    let start = (rules.start_s * rate_hz).round() as u64;
    let window = (rules.window_s * rate_hz).round() as u64;
    let (reference, test) = (runs(reference, rules, class, start), runs(test, rules, class, start));
    let mut result = RunComparison::default();
    for (matrix, ours, theirs) in [
        (&mut result.sensitivity, &reference, &test),
        (&mut result.predictivity, &test, &reference),
    ] {
        for run in ours.iter().filter(|run| run.length >= 2) {
            let overlapping = theirs
                .iter()
                .filter(|other| other.first <= run.last + window && run.first <= other.last + window);
            let longest = overlapping.map(|other| other.length).max().unwrap_or(0);
            matrix[run.length.min(LONGEST)][longest.min(LONGEST)] += 1;
        }
    }
    result
}

struct Run {
    first: u64,
    last: u64,
    length: usize,
}

fn runs(annotations: &[Annotation], rules: &Rules, class: BeatClass, start: u64) -> Vec<Run> {
    let beats: Vec<_> = annotations
        .iter()
        .filter(|annotation| annotation.sample >= start)
        .filter_map(|annotation| Some((annotation.sample, rules.mapping.class(annotation.code)? == class)))
        .collect();
    beats
        .chunk_by(|a, b| a.1 && b.1)
        .filter(|run| run[0].1)
        .map(|run| Run {
            first: run[0].0,
            last: run[run.len() - 1].0,
            length: run.len(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotation::code;

    #[test]
    fn runs_are_found_by_overlap_and_length() {
        let annotate = |letters: &str| -> Vec<Annotation> {
            letters
                .chars()
                .enumerate()
                .map(|(index, letter)| Annotation {
                    sample: 1000 * index as u64,
                    code: if letter == 'V' { code::PVC } else { code::NORMAL },
                    ..Annotation::default()
                })
                .collect()
        };
        let rules = Rules {
            start_s: 0.0,
            ..Rules::default()
        };
        let (reference, test) = (annotate("NVVNNVVVVNNVVN"), annotate("NVVNNVVNVNNNNN"));
        let result = compare_runs(&reference, &test, 1000.0, &rules, BeatClass::V);
        assert_eq!(result.found(true, 2..=2), (1, 2));
        assert_eq!(result.found(true, 3..=5), (0, 1));
        assert_eq!(result.found(false, 2..=2), (2, 2));
        assert_eq!(result.sensitivity[4][2], 1);
        let same = compare_runs(&reference, &reference, 1000.0, &rules, BeatClass::V);
        assert_eq!((same.found(true, 2..=2), same.found(true, 3..=5)), ((2, 2), (1, 1)));
    }
}
