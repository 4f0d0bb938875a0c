//! Beat by beat: which test beat is which reference beat.

use crate::annotation::{Annotation, Mapping, code};
use crate::beat::BeatClass;

/// What the comparison is made by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Beats match within this many seconds; EC57 says 0.15.
    pub window_s: f64,
    /// Seconds at the start that are not scored, for detectors that learn; EC57 says 300.
    pub start_s: f64,
    /// How codes become classes.
    pub mapping: Mapping,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            window_s: 0.15,
            start_s: 300.0,
            mapping: Mapping::default(),
        }
    }
}

/// Row (reference) or column (test) of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A beat of that class.
    Beat(BeatClass),
    /// No beat.
    None,
    /// No beat, in a span that the annotator declared unreadable.
    Shutdown,
}

impl Column {
    fn index(self) -> usize {
        match self {
            Self::Beat(class) => class as usize,
            Self::None => 5,
            Self::Shutdown => 6,
        }
    }
}

/// One record compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BeatComparison {
    /// Rows reference, columns test, each N S V F Q O X.
    pub matrix: [[u64; 7]; 7],
    /// Sum of squared offsets (test minus reference) of matched beats, in seconds squared.
    pub squared_offsets: f64,
    /// Index of the test annotation and the reference class of each matched pair.
    pub pairs: Vec<(usize, BeatClass)>,
}

impl BeatComparison {
    /// The count of reference beats in `row` that the test put in `column`.
    #[must_use]
    pub fn count(&self, row: Column, column: Column) -> u64 {
        self.matrix[row.index()][column.index()]
    }

    /// Adds another record's counts.
    pub fn add(&mut self, other: &Self) {
        for (row, more) in self.matrix.iter_mut().zip(&other.matrix) {
            for (count, more) in row.iter_mut().zip(more) {
                *count += more;
            }
        }
        self.squared_offsets += other.squared_offsets;
    }
}

/// A beat with its place among the annotations.
#[derive(Debug, Clone, Copy)]
struct Beat {
    sample: i64,
    class: BeatClass,
    index: usize,
}

/// Compares test annotations with reference annotations of one record, both at `rate_hz`.
///
/// Beats in reference ventricular flutter (between `[` and `]`) are not scored. The matching is bxb's: two beats pair
/// when they lie within the window and neither has a nearer partner that is free.
#[must_use]
pub fn compare(reference: &[Annotation], test: &[Annotation], rate_hz: f64, rules: &Rules) -> BeatComparison {
    let window = (rules.window_s * rate_hz).round() as i64;
    let start = (rules.start_s * rate_hz).round() as i64;
    let flutter = spans(reference, |a| a.code == code::VF_ONSET, |a| a.code == code::VF_OFFSET);
    let shutdown_in = |annotations| {
        let begins = |a: &Annotation| a.code == code::NOISE && a.subtype & 0x30 == 0x30;
        spans(annotations, begins, |a: &Annotation| {
            a.code == code::NOISE && a.subtype & 0x30 != 0x30
        })
    };
    let (reference_shutdown, test_shutdown) = (shutdown_in(reference), shutdown_in(test));
    let reference: Vec<Beat> = beats(reference, rules.mapping)
        .filter(|beat| beat.sample >= start && !inside(&flutter, beat.sample))
        .collect();
    let test = from_start(beats(test, rules.mapping).collect(), reference.first(), start, window);

    let mut result = BeatComparison::default();
    let (mut r, mut t) = (0, 0);
    while r < reference.len() || t < test.len() {
        let (here, there) = (reference.get(r), test.get(t));
        let (next_here, next_there) = (reference.get(r + 1), test.get(t + 1));
        let distance = |a: Option<&Beat>, b: Option<&Beat>| match (a, b) {
            (Some(a), Some(b)) => (a.sample - b.sample).abs(),
            _ => i64::MAX,
        };
        let apart = distance(here, there);
        let test_first = match (here, there) {
            (Some(here), Some(there)) => there.sample < here.sample,
            (None, _) => true,
            _ => false,
        };
        // The rival for the earlier beat's partner.
        let rival = if test_first {
            distance(here, next_there)
        } else {
            distance(there, next_here)
        };
        let rivals_better = distance(next_here, next_there);
        if let (Some(here), Some(there)) = (here, there)
            && apart <= window
            && (apart < rival || rivals_better < rival)
        {
            result.matrix[here.class as usize][there.class as usize] += 1;
            result.squared_offsets += ((there.sample - here.sample) as f64 / rate_hz).powi(2);
            result.pairs.push((there.index, here.class));
            (r, t) = (r + 1, t + 1);
        } else if test_first {
            if let Some(extra) = there
                && !inside(&flutter, extra.sample)
            {
                let row = if inside(&reference_shutdown, extra.sample) {
                    Column::Shutdown
                } else {
                    Column::None
                };
                result.matrix[row.index()][extra.class as usize] += 1;
            }
            t += 1;
        } else {
            if let Some(missed) = here {
                let column = if inside(&test_shutdown, missed.sample) {
                    Column::Shutdown
                } else {
                    Column::None
                };
                result.matrix[missed.class as usize][column.index()] += 1;
            }
            r += 1;
        }
    }
    result
}

fn beats(annotations: &[Annotation], mapping: Mapping) -> impl Iterator<Item = Beat> {
    annotations.iter().enumerate().filter_map(move |(index, annotation)| {
        let sample = i64::try_from(annotation.sample).ok()?;
        mapping
            .class(annotation.code)
            .map(|class| Beat { sample, class, index })
    })
}

/// Test beats from the start of the scored time on; the one just before it also, where it is the first reference beat's.
fn from_start(mut test: Vec<Beat>, first: Option<&Beat>, start: i64, window: i64) -> Vec<Beat> {
    let mut from = test.partition_point(|beat| beat.sample < start);
    if let (Some(first), Some(before)) = (first, from.checked_sub(1)) {
        let distance = (first.sample - test[before].sample).abs();
        let next = test
            .get(from)
            .map_or(i64::MAX, |beat| (first.sample - beat.sample).abs());
        if distance <= window && distance < next {
            from = before;
        }
    }
    test.drain(..from);
    test
}

/// Closed spans between annotations that begin and that end; one left open goes on to the end.
fn spans(
    annotations: &[Annotation],
    begins: impl Fn(&Annotation) -> bool,
    ends: impl Fn(&Annotation) -> bool,
) -> Vec<(i64, i64)> {
    let mut spans = Vec::new();
    let mut open = None;
    for annotation in annotations {
        let sample = i64::try_from(annotation.sample).unwrap_or(i64::MAX);
        if begins(annotation) {
            open = open.or(Some(sample));
        } else if ends(annotation)
            && let Some(start) = open.take()
        {
            spans.push((start, sample));
        }
    }
    spans.extend(open.map(|start| (start, i64::MAX)));
    spans
}

fn inside(spans: &[(i64, i64)], sample: i64) -> bool {
    let after = spans.partition_point(|(start, _)| *start <= sample);
    after > 0 && sample <= spans[after - 1].1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(sample: u64, code: u8) -> Annotation {
        Annotation {
            sample,
            code,
            ..Annotation::default()
        }
    }

    fn beats(samples: &[u64]) -> Vec<Annotation> {
        samples.iter().map(|&sample| beat(sample, code::NORMAL)).collect()
    }

    /// At 1000 Hz from the first second on: the window is 150 samples.
    fn matrix(reference: &[Annotation], test: &[Annotation]) -> BeatComparison {
        compare(
            reference,
            test,
            1000.0,
            &Rules {
                start_s: 1.0,
                ..Rules::default()
            },
        )
    }

    const N: Column = Column::Beat(BeatClass::N);

    #[test]
    fn beats_match_within_the_window_and_no_further() {
        let result = matrix(&beats(&[2000, 3000, 4000]), &beats(&[2150, 3151, 4000]));
        assert_eq!(
            (
                result.count(N, N),
                result.count(N, Column::None),
                result.count(Column::None, N)
            ),
            (2, 1, 1)
        );
    }

    #[test]
    fn the_nearer_of_two_candidates_is_the_match() {
        let result = matrix(&beats(&[2000, 3000]), &beats(&[1900, 1990, 3000]));
        assert_eq!((result.count(N, N), result.count(Column::None, N)), (2, 1));
        assert!((result.squared_offsets - 1e-4).abs() < 1e-12);
        let two_references = matrix(&beats(&[1900, 1990]), &beats(&[2000]));
        assert_eq!(
            (two_references.count(N, N), two_references.count(N, Column::None)),
            (1, 1)
        );
        assert_eq!(two_references.pairs, [(0, BeatClass::N)]);
    }

    #[test]
    fn the_start_is_not_scored_but_its_edge_is_fair() {
        let result = matrix(&beats(&[500, 1010, 2000]), &beats(&[990, 2000]));
        assert_eq!(
            (
                result.count(N, N),
                result.count(N, Column::None),
                result.count(Column::None, N)
            ),
            (2, 0, 0)
        );
        let early_only = matrix(&beats(&[2000]), &beats(&[500, 900, 2000]));
        assert_eq!((early_only.count(N, N), early_only.count(Column::None, N)), (1, 0));
    }

    #[test]
    fn flutter_is_not_scored_and_shutdown_has_its_own_column() {
        let reference = [
            beat(2000, 1),
            beat(2500, code::VF_ONSET),
            beat(4500, code::VF_OFFSET),
            beat(5000, 1),
            beat(6000, 1),
        ];
        let noise = |sample, subtype| Annotation {
            sample,
            code: code::NOISE,
            subtype,
            ..Annotation::default()
        };
        let test = [
            beat(2000, 1),
            beat(3000, 5),
            beat(4000, 5),
            noise(4800, 0x30),
            noise(5500, 0),
            beat(6000, 1),
        ];
        let result = matrix(&reference, &test);
        assert_eq!(
            (
                result.count(N, N),
                result.count(N, Column::Shutdown),
                result.count(N, Column::None)
            ),
            (2, 1, 0)
        );
        assert_eq!(result.matrix.iter().flatten().sum::<u64>(), 3);
    }

    proptest::proptest! {
        /// Every reference beat is in one row and every test beat in one column, once.
        #[test]
        fn nothing_is_lost_or_counted_twice(
            mut reference in proptest::collection::vec(1000_u64..60_000, 0..80),
            mut test in proptest::collection::vec(1000_u64..60_000, 0..80),
        ) {
            reference.sort_unstable();
            test.sort_unstable();
            let result = matrix(&beats(&reference), &beats(&test));
            proptest::prop_assert_eq!(result.matrix[0].iter().sum::<u64>(), reference.len() as u64);
            proptest::prop_assert_eq!(result.matrix.iter().map(|row| row[0]).sum::<u64>(), test.len() as u64);
            let same = matrix(&beats(&reference), &beats(&reference));
            reference.dedup();
            proptest::prop_assert!(same.count(N, N) >= reference.len() as u64);
        }
    }
}
