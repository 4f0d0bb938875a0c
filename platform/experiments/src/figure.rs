//! The figures that versions are compared by, from the counts of EC57.

use crate::stats::bootstrap::sum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rows reference, columns test, each N S V F Q O X: `BeatComparison::matrix` of `einthoven-ecg`.
pub type Matrix = [[u64; 7]; 7];

/// Of N, S, V and F: rightly found, missed, wrongly called; then beats rightly classified, and all beats.
pub(crate) type Counts = [f64; 14];

const HIT: usize = 0;
const MISSED: usize = 1;
const WRONG: usize = 2;
const RIGHT: usize = 12;
const ALL: usize = 13;

/// The counts of a matrix, by the rules of EC57 as `einthoven_ecg::score::Measures` has them: a fusion or paced beat called V is
/// no error, nor is a paced beat called S. N is counted among matched beats.
#[must_use]
pub(crate) fn counts(matrix: &Matrix) -> Counts {
    const BEATS: [usize; 5] = [0, 1, 2, 3, 4];
    let cells = |rows: &[usize], columns: &[usize]| -> f64 {
        let cell = |row: &usize| columns.iter().map(|column| matrix[*row][*column] as f64).sum::<f64>();
        rows.iter().map(cell).sum()
    };
    let class = |at: usize, missed_in: &[usize], wrong_of: &[usize]| {
        let missed: Vec<_> = missed_in.iter().copied().filter(|column| *column != at).collect();
        [cells(&[at], &[at]), cells(&[at], &missed), cells(wrong_of, &[at])]
    };
    let all = [0, 1, 2, 3, 4, 5, 6];
    let classes = [
        class(0, &BEATS, &[1, 2, 3, 4]),
        class(1, &all, &[0, 2, 3, 5, 6]),
        class(2, &all, &[0, 1, 5, 6]),
        class(3, &all, &[0, 1, 2, 5, 6]),
    ];
    let mut counts = [0.0; 14];
    counts
        .iter_mut()
        .zip(classes.iter().flatten())
        .for_each(|(count, value)| *count = *value);
    counts[RIGHT] = BEATS.iter().map(|at| matrix[*at][*at] as f64).sum();
    counts[ALL] = cells(&BEATS, &all);
    counts
}

/// A figure from 0 to 1, more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the names say it: class, then sensitivity, positive predictivity or F1"
)]
pub enum Figure {
    NSe,
    NPpv,
    NF1,
    SSe,
    SPpv,
    SF1,
    VSe,
    VPpv,
    #[default]
    VF1,
    FSe,
    FPpv,
    FF1,
    /// Mean of the F1 of N, S and V.
    MacroF1,
    /// Rightly classified, of all reference beats.
    Accuracy,
}

/// How many figures there are.
pub(crate) const FIGURES: usize = Figure::EVERY.len();

impl Figure {
    /// All of them.
    pub const EVERY: [Self; 14] = [
        Self::NSe,
        Self::NPpv,
        Self::NF1,
        Self::SSe,
        Self::SPpv,
        Self::SF1,
        Self::VSe,
        Self::VPpv,
        Self::VF1,
        Self::FSe,
        Self::FPpv,
        Self::FF1,
        Self::MacroF1,
        Self::Accuracy,
    ];

    /// For people.
    #[must_use]
    pub fn phrase(self) -> String {
        let class = ["N", "S", "V", "F"][(self as usize / 3).min(3)];
        match (self, self as usize % 3) {
            (Self::MacroF1, _) => "mean F1 of N, S and V beats".to_owned(),
            (Self::Accuracy, _) => "accuracy".to_owned(),
            (_, 0) => format!("sensitivity for {class} beats"),
            (_, 1) => format!("positive predictivity for {class} beats"),
            _ => format!("F1 for {class} beats"),
        }
    }

    /// Whose beats it is about; none for a figure of several classes.
    pub(crate) fn class(self) -> Option<usize> {
        ((self as usize) < 12).then_some(self as usize / 3)
    }

    /// Of recordings together; `None` where the denominator is zero.
    pub(crate) fn pooled(self, counts: &Counts) -> Option<f64> {
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let at = self as usize;
        match self {
            Self::MacroF1 => {
                let parts = [Self::NF1, Self::SF1, Self::VF1].map(|figure| figure.pooled(counts));
                let [Some(n), Some(s), Some(v)] = parts else {
                    return None;
                };
                Some((n + s + v) / 3.0)
            }
            Self::Accuracy => share(counts[RIGHT], counts[ALL]),
            _ => {
                let class = &counts[at - at % 3..];
                match at % 3 {
                    0 => share(class[HIT], class[HIT] + class[MISSED]),
                    1 => share(class[HIT], class[HIT] + class[WRONG]),
                    _ => share(2.0 * class[HIT], 2.0 * class[HIT] + class[MISSED] + class[WRONG]),
                }
            }
        }
    }

    /// Of one recording, always between 0 and 1: where there was nothing to find and nothing was called, all is right. `None`
    /// of a recording without reference beats.
    pub(crate) fn of_recording(self, counts: &Counts) -> Option<f64> {
        if counts[ALL] == 0.0 {
            return None;
        }
        if self == Self::MacroF1 {
            let parts = [Self::NF1, Self::SF1, Self::VF1].map(|figure| figure.pooled(counts).unwrap_or(1.0));
            return Some(sum(parts.map(|part| [part]).iter())[0] / 3.0);
        }
        Some(self.pooled(counts).unwrap_or(1.0))
    }
}

/// Reference beats of a class.
pub(crate) fn reference_beats(counts: &Counts, class: usize) -> f64 {
    counts[3 * class + HIT] + counts[3 * class + MISSED]
}

/// All reference beats.
pub(crate) fn beats(counts: &Counts) -> f64 {
    counts[ALL]
}

#[cfg(test)]
mod tests {
    use super::*;
    use einthoven_ecg::score::{BeatComparison, Measures};

    #[test]
    fn figures_are_those_of_the_report() {
        let mut comparison = BeatComparison::default();
        for (row, cells) in comparison.matrix.iter_mut().enumerate() {
            for (column, cell) in cells.iter_mut().enumerate() {
                *cell = (row * 31 + column * 17 + 3) as u64 % 23 + if row == column { 40 } else { 0 };
            }
        }
        let counts = counts(&comparison.matrix);
        let measures = Measures::of(&comparison);
        let pairs = [
            (Figure::VSe, measures.v_se),
            (Figure::VPpv, measures.v_ppv),
            (Figure::VF1, measures.v_f1),
            (Figure::SSe, measures.s_se),
            (Figure::SPpv, measures.s_ppv),
            (Figure::SF1, measures.s_f1),
            (Figure::NF1, measures.n_f1),
            (Figure::MacroF1, measures.macro_f1),
            (Figure::Accuracy, measures.accuracy),
        ];
        for (figure, expected) in pairs {
            assert_eq!(figure.pooled(&counts), expected, "{figure:?}");
        }
        assert_eq!(beats(&counts) as u64, measures.beats);
    }

    #[test]
    fn nothing_to_find_and_nothing_called_is_right() {
        let mut matrix = Matrix::default();
        matrix[0][0] = 90;
        assert_eq!(Figure::VF1.of_recording(&counts(&matrix)), Some(1.0));
        matrix[0][2] = 1;
        assert_eq!(Figure::VF1.of_recording(&counts(&matrix)), Some(0.0));
        assert_eq!(Figure::VF1.of_recording(&counts(&Matrix::default())), None);
        assert_eq!(serde_json::to_string(&Figure::VF1).unwrap(), "\"v_f1\"");
        assert_eq!(Figure::SPpv.phrase(), "positive predictivity for S beats");
    }
}
