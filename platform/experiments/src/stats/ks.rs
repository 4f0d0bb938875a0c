//! The two-sample test of Kolmogorov and Smirnov.

/// Above this many cells of the lattice the asymptotic probability is taken; it is then off by less than it matters.
const LATTICE: usize = 1_000_000;

/// The greatest distance of the two samples' distributions; `None` where one is empty or a value is no number.
#[must_use]
pub fn distance(first: &[f64], second: &[f64]) -> Option<f64> {
    if first.is_empty() || second.is_empty() || first.iter().chain(second).any(|value| value.is_nan()) {
        return None;
    }
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (first, second) = (sorted(first), sorted(second));
    let share = |values: &[f64], at: f64| values.partition_point(|value| *value <= at) as f64 / values.len() as f64;
    let apart = first
        .iter()
        .chain(&second)
        .map(|at| (share(&first, *at) - share(&second, *at)).abs());
    Some(apart.fold(0.0, f64::max))
}

/// The probability of such a distance or a greater one between samples of these sizes from one distribution, to either side.
/// Exact for values that do not repeat, else on the safe side (Hodges 1958, Ark. Mat. 3:469): paths over the lattice that
/// stay nearer to the diagonal are counted.
#[must_use]
pub fn p_value(distance: f64, first: usize, second: usize) -> f64 {
    if first.saturating_mul(second) > LATTICE {
        let number = (first as f64) * (second as f64) / (first as f64 + second as f64);
        return asymptotic(distance * number.sqrt());
    }
    let (first_n, second_n) = (first as f64, second as f64);
    let near = |one: usize, two: usize| (one as f64 / first_n - two as f64 / second_n).abs() < distance - 1e-9;
    // The probability of being at a point, having stayed near: of i + j steps the last was of the first sample with i/(i + j).
    let mut row = vec![0.0; second + 1];
    for one in 0..=first {
        for two in 0..=second {
            let steps = (one + two) as f64;
            let stayed = match (one, two) {
                (0, 0) => 1.0,
                (0, _) => row[two - 1],
                (_, 0) => row[0],
                _ => row[two] * one as f64 / steps + row[two - 1] * two as f64 / steps,
            };
            row[two] = if near(one, two) { stayed } else { 0.0 };
        }
    }
    (1.0 - row[second]).clamp(0.0, 1.0)
}

/// Kolmogorov's limit distribution: probability above.
#[must_use]
pub fn asymptotic(scaled: f64) -> f64 {
    if scaled < 0.2 {
        return 1.0;
    }
    let term = |at: i32| {
        let sign = if at % 2 == 1 { 1.0 } else { -1.0 };
        sign * (-2.0 * f64::from(at * at) * scaled * scaled).exp()
    };
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}
