//! Agreement beyond chance.

/// Cohen's kappa of a square table of `K` by `K` counts, row after row (Cohen 1960, Educ. Psychol. Meas. 20:37); `None` of nothing, and where
/// both always say the same one thing.
#[must_use]
pub fn cohen<const K: usize>(table: &[[f64; K]; K]) -> Option<f64> {
    let total: f64 = table.iter().flatten().sum();
    let same: f64 = (0..K).map(|at| table[at][at]).sum::<f64>() / total;
    let column = |at: usize| table.iter().map(|row| row[at]).sum::<f64>();
    let by_chance: f64 = (0..K).map(|at| table[at].iter().sum::<f64>() * column(at)).sum::<f64>() / (total * total);
    let kappa = (same - by_chance) / (1.0 - by_chance);
    kappa.is_finite().then_some(kappa)
}
