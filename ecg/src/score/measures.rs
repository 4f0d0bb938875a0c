//! The figures of a matrix.

use super::compare::BeatComparison;
use schemars::JsonSchema;
use serde::Serialize;

/// Figures of one record or of several together; shares from 0 to 1, `None` where the denominator is zero.
///
/// False positives follow EC57: a fusion or paced beat called V is no error, nor is a paced beat called S.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Measures {
    /// Reference beats.
    pub beats: u64,
    /// QRS complexes found, of all.
    pub qrs_se: Option<f64>,
    /// True ones, of those found.
    pub qrs_ppv: Option<f64>,
    /// Ventricular sensitivity.
    pub v_se: Option<f64>,
    /// Ventricular positive predictivity.
    pub v_ppv: Option<f64>,
    /// Non-ventricular beats called V, of all non-ventricular ones.
    pub v_fpr: Option<f64>,
    /// Harmonic mean of the two before.
    pub v_f1: Option<f64>,
    /// Supraventricular sensitivity.
    pub s_se: Option<f64>,
    /// Supraventricular positive predictivity.
    pub s_ppv: Option<f64>,
    /// Harmonic mean of the two.
    pub s_f1: Option<f64>,
    /// Of N against all others, among matched beats.
    pub n_f1: Option<f64>,
    /// Mean of the F1 of N, S and V.
    pub macro_f1: Option<f64>,
    /// Rightly classified, of all reference beats: missed and withheld beats count as wrong.
    pub accuracy: Option<f64>,
    /// Cohen's kappa of the five classes over matched beats.
    pub kappa: Option<f64>,
    /// Half of kappa and an eighth of each sensitivity and predictivity of S and V (Mar et al. 2011).
    pub j_kappa: Option<f64>,
    /// Root mean square of R offsets, ms.
    pub offset_ms: Option<f64>,
    /// Root mean square of the RR error, ms, summed as bxb does: at every beat of either side, matched or not.
    pub rr_error_ms: Option<f64>,
    /// Reference beats in spans that the test withheld.
    pub withheld: u64,
}

impl Measures {
    /// The figures of a comparison.
    #[must_use]
    pub fn of(comparison: &BeatComparison) -> Self {
        const N: usize = 0;
        const S: usize = 1;
        const V: usize = 2;
        const F: usize = 3;
        const Q: usize = 4;
        const O: usize = 5;
        const X: usize = 6;
        let m = &comparison.matrix;
        let sum = |rows: &[usize], columns: &[usize]| -> f64 {
            rows.iter()
                .flat_map(|row| columns.iter().map(|column| m[*row][*column] as f64))
                .sum()
        };
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let f1 = |hits: f64, missed: f64, wrong: f64| share(2.0 * hits, 2.0 * hits + missed + wrong);
        let beats = [N, S, V, F, Q];
        let all = [N, S, V, F, Q, O, X];
        let matched = sum(&beats, &beats);
        let total = sum(&beats, &all);

        let (vtp, vfn, vfp) = (
            sum(&[V], &[V]),
            sum(&[V], &[N, S, F, Q, O, X]),
            sum(&[N, S, O, X], &[V]),
        );
        let (stp, sfn, sfp) = (
            sum(&[S], &[S]),
            sum(&[S], &[N, V, F, Q, O, X]),
            sum(&[N, V, F, O, X], &[S]),
        );
        let (ntp, nfn, nfp) = (sum(&[N], &[N]), sum(&[N], &[S, V, F, Q]), sum(&[S, V, F, Q], &[N]));
        let not_v = sum(&[N, S, F, Q], &beats) + sum(&[O, X], &[V]);
        let right: f64 = beats.iter().map(|class| m[*class][*class] as f64).sum();
        let expected: f64 = beats
            .iter()
            .map(|class| sum(&[*class], &beats) * sum(&beats, &[*class]))
            .sum::<f64>()
            / (matched * matched);
        let kappa = share(right / matched - expected, 1.0 - expected).filter(|kappa| kappa.is_finite());
        let [n_f1, s_f1, v_f1] = [f1(ntp, nfn, nfp), f1(stp, sfn, sfp), f1(vtp, vfn, vfp)];
        let (v_se, v_ppv) = (share(vtp, vtp + vfn), share(vtp, vtp + vfp));
        let (s_se, s_ppv) = (share(stp, stp + sfn), share(stp, stp + sfp));
        let four = v_se
            .zip(v_ppv)
            .zip(s_se.zip(s_ppv))
            .map(|((a, b), (c, d))| a + b + c + d);
        Self {
            beats: total as u64,
            qrs_se: share(matched, total),
            qrs_ppv: share(matched, matched + sum(&[O, X], &beats)),
            v_se,
            v_ppv,
            v_fpr: share(vfp, not_v),
            v_f1,
            s_se,
            s_ppv,
            s_f1,
            n_f1,
            macro_f1: n_f1.zip(s_f1).zip(v_f1).map(|((n, s), v)| (n + s + v) / 3.0),
            accuracy: share(right, total),
            kappa,
            j_kappa: kappa.zip(four).map(|(kappa, four)| kappa / 2.0 + four / 8.0),
            offset_ms: share(comparison.squared_offsets, matched).map(|mean| 1e3 * mean.sqrt()),
            rr_error_ms: share(comparison.squared_rr_errors, comparison.rr_errors as f64).map(|mean| 1e3 * mean.sqrt()),
            withheld: sum(&beats, &[X]) as u64,
        }
    }

    /// Name and value of every share, for averages and intervals.
    #[must_use]
    pub fn shares(&self) -> [(&'static str, Option<f64>); 16] {
        [
            ("qrs_se", self.qrs_se),
            ("qrs_ppv", self.qrs_ppv),
            ("v_se", self.v_se),
            ("v_ppv", self.v_ppv),
            ("v_fpr", self.v_fpr),
            ("v_f1", self.v_f1),
            ("s_se", self.s_se),
            ("s_ppv", self.s_ppv),
            ("s_f1", self.s_f1),
            ("n_f1", self.n_f1),
            ("macro_f1", self.macro_f1),
            ("accuracy", self.accuracy),
            ("kappa", self.kappa),
            ("j_kappa", self.j_kappa),
            ("offset_ms", self.offset_ms),
            ("rr_error_ms", self.rr_error_ms),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every figure from a matrix worked out by hand.
    #[test]
    fn a_small_matrix_gives_the_figures_of_the_standard() {
        let mut comparison = BeatComparison::default();
        //                       n   s   v  f  q  o  x
        comparison.matrix[0] = [80, 4, 2, 0, 0, 1, 3];
        comparison.matrix[1] = [5, 10, 1, 0, 0, 0, 0];
        comparison.matrix[2] = [1, 1, 20, 0, 0, 2, 0];
        comparison.matrix[3] = [3, 1, 2, 0, 0, 0, 0];
        comparison.matrix[4] = [0, 7, 9, 0, 0, 0, 0];
        comparison.matrix[5] = [2, 1, 1, 0, 0, 0, 0];
        let m = Measures::of(&comparison);
        let close = |value: Option<f64>, expected: f64| (value.unwrap() - expected).abs() < 1e-12;
        assert!(close(m.v_se, 20.0 / 24.0));
        // Fusion (2) and paced (9) beats called V are no errors.
        assert!(close(m.v_ppv, 20.0 / (20.0 + 2.0 + 1.0 + 1.0)));
        assert!(close(m.s_se, 10.0 / 16.0));
        // Paced beats (7) called S are no errors, fusion beats (1) are.
        assert!(close(m.s_ppv, 10.0 / (10.0 + 4.0 + 1.0 + 1.0 + 1.0)));
        assert!(close(m.qrs_se, 146.0 / 152.0) && close(m.qrs_ppv, 146.0 / 150.0));
        assert!(close(m.accuracy, 110.0 / 152.0));
        assert_eq!((m.beats, m.withheld), (152, 3));
    }

    #[test]
    fn perfect_agreement_is_one_and_nothing_is_none() {
        let mut comparison = BeatComparison::default();
        for class in 0..4 {
            comparison.matrix[class][class] = 10;
        }
        let perfect = Measures::of(&comparison);
        for value in [
            perfect.kappa,
            perfect.j_kappa,
            perfect.macro_f1,
            perfect.accuracy,
            perfect.qrs_se,
            perfect.qrs_ppv,
        ] {
            assert!((value.unwrap() - 1.0).abs() < 1e-12);
        }
        let empty = Measures::of(&BeatComparison::default());
        assert!(empty.shares().iter().all(|(_, value)| value.is_none()), "{empty:?}");
    }
}
