//! Beat by beat: which test beat is which reference beat.

use super::timeline::{Beat, NEVER, Timeline, samples};
use crate::annotation::{Annotation, Mapping};
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
    /// Sum of squared differences of reference and test RR intervals, in seconds squared.
    pub squared_rr_errors: f64,
    /// RR intervals in that sum.
    pub rr_errors: u64,
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
        self.squared_rr_errors += other.squared_rr_errors;
        self.rr_errors += other.rr_errors;
    }
}

/// One side of the comparison: the current beat and the one after it.
struct Side<'a> {
    line: &'a Timeline,
    at: usize,
}

impl Side<'_> {
    fn beat(&self) -> Option<&Beat> {
        self.line.beats.get(self.at)
    }

    fn time(&self) -> i64 {
        self.beat().map_or(NEVER, |beat| beat.time)
    }

    fn next_time(&self) -> i64 {
        self.line.beats.get(self.at + 1).map_or(NEVER, |beat| beat.time)
    }

    fn rr(&self) -> i64 {
        self.beat().map_or(0, |beat| beat.rr)
    }
}

/// Compares test annotations with reference annotations of one record, both at `rate_hz` (above 0). The lists need not be
/// in order; annotations of one sample keep theirs.
///
/// Beats between `[` and `]` are left out, and test beats in the reference's flutter are not scored. The matching is
/// bxb's: the earlier of the two current beats pairs with the other side's when they lie within the window, and either
/// the beat after the earlier one is no nearer to that partner, or it is nearer still to its own successor. All beats
/// of both lists count; `bxb` leaves out test beats after the record's end.
#[must_use]
pub fn compare(reference: &[Annotation], test: &[Annotation], rate_hz: f64, rules: &Rules) -> BeatComparison {
    let window = samples(rules.window_s, rate_hz);
    let start = samples(rules.start_s, rate_hz);
    let reference = Timeline::read(reference, rules.mapping, window);
    let test = Timeline::read(test, rules.mapping, window);
    let first = |line: &Timeline| line.beats.partition_point(|beat| beat.time < start);
    let mut one = Side {
        line: &reference,
        at: first(&reference),
    };
    let mut two = Side {
        line: &test,
        at: first(&test),
    };
    let mut result = BeatComparison::default();
    if start > 0 {
        result.enter(&mut one, &mut two, start, window, rate_hz);
    }
    while one.time() != NEVER || two.time() != NEVER {
        let (here, there) = (one.time(), two.time());
        // The rival for the earlier beat's partner, and how well that rival fits elsewhere.
        let (rival, elsewhere) = if there < here {
            (here - two.next_time(), one.next_time() - two.next_time())
        } else {
            (there - one.next_time(), two.next_time() - one.next_time())
        };
        let apart = (here - there).abs();
        let matched = apart <= window && (apart < rival.abs() || elsewhere.abs() < rival.abs());
        result.step(&mut one, &mut two, matched, rate_hz);
    }
    result
}

impl BeatComparison {
    /// The edge of the time that is not scored: the last test beat before it may be the first reference beat's, and a test
    /// beat just after it is passed over where the next one fits that reference beat better.
    fn enter(&mut self, one: &mut Side<'_>, two: &mut Side<'_>, start: i64, window: i64, rate_hz: f64) {
        let inside = two.at;
        if let (Some(before), Some(first)) = (inside.checked_sub(1), one.beat()) {
            let apart = first.time - two.line.beats[before].time;
            if apart <= window && apart < (first.time - two.time()).abs() {
                two.at = before;
                self.step(one, two, true, rate_hz);
                return;
            }
        }
        let (here, there) = (one.time(), two.time());
        if there - start <= window && (here - two.next_time()).abs() < (here - there).abs() {
            two.at += 1;
        }
    }

    /// Counts the current pair, or the earlier beat alone, and goes on.
    fn step(&mut self, one: &mut Side<'_>, two: &mut Side<'_>, matched: bool, rate_hz: f64) {
        // bxb sums RR errors at every step, matched or not.
        if one.rr() > 0 && two.rr() > 0 {
            self.squared_rr_errors += ((one.rr() - two.rr()) as f64 / rate_hz).powi(2);
            self.rr_errors += 1;
        }
        match (one.beat(), two.beat()) {
            (Some(here), Some(there)) if matched => {
                self.matrix[here.class as usize][there.class as usize] += 1;
                self.squared_offsets += ((there.time - here.time) as f64 / rate_hz).powi(2);
                self.pairs.push((there.index, here.class));
                one.at += 1;
                two.at += 1;
            }
            (here, Some(extra)) if here.is_none_or(|here| extra.time < here.time) => {
                if !one.line.in_flutter(extra.time) {
                    self.matrix[one.line.without_beat(extra.time).index()][extra.class as usize] += 1;
                }
                two.at += 1;
            }
            (Some(missed), _) => {
                self.matrix[missed.class as usize][two.line.without_beat(missed.time).index()] += 1;
                one.at += 1;
            }
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotation::code;

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
        // As bxb: the first beat after the start is passed over where the next fits better, and is no false positive.
        let passed_over = matrix(&beats(&[1200, 2000]), &beats(&[1020, 1190, 2000]));
        assert_eq!((passed_over.count(N, N), passed_over.count(Column::None, N)), (2, 0));
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

    #[test]
    fn rr_errors_are_of_neighbours_and_stop_at_flutter() {
        let same = beats(&[2000, 3000, 4000]);
        let result = matrix(&same, &beats(&[2000, 3010, 4000]));
        // Of the first beat there is no RR interval; the others are 10 ms too long and 10 ms too short.
        assert_eq!(result.rr_errors, 2);
        assert!((result.squared_rr_errors - 2e-4).abs() < 1e-12);
        let broken = [
            beat(2000, 1),
            beat(2400, code::VF_ONSET),
            beat(2600, code::VF_OFFSET),
            beat(3000, 1),
            beat(4000, 1),
        ];
        assert_eq!(matrix(&broken, &same).rr_errors, 1);
    }

    #[test]
    fn absurd_settings_score_nothing_and_do_not_panic() {
        let same = beats(&[2000, u64::MAX]);
        for (start_s, rate_hz) in [
            (f64::INFINITY, 360.0),
            (f64::NAN, 360.0),
            (300.0, f64::MAX),
            (-1.0, 0.0),
        ] {
            let rules = Rules {
                start_s,
                ..Rules::default()
            };
            let result = compare(&same, &same, rate_hz, &rules);
            assert!(result.pairs.len() <= 2);
            let runs = super::super::compare_runs(&same, &same, rate_hz, &rules, BeatClass::V);
            assert_eq!(runs.found(true, 2..=6), (0, 0));
        }
    }

    #[test]
    fn order_in_the_lists_does_not_matter() {
        let (mut reference, mut test) = (beats(&[2000, 3000, 4000]), beats(&[1990, 3500, 4020]));
        let before = matrix(&reference, &test).matrix;
        reference.reverse();
        test.reverse();
        assert_eq!(matrix(&reference, &test).matrix, before);
    }

    proptest::proptest! {
        /// Every reference beat is in one row and every test beat in one column, once.
        #[test]
        fn nothing_is_lost_or_counted_twice(
            mut reference in proptest::collection::vec(1200_u64..60_000, 0..80),
            mut test in proptest::collection::vec(1200_u64..60_000, 0..80),
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
