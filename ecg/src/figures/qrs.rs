//! How high QRS complexes are, and which way they point.

/// A QRS complex lies within this time of its R peak.
const REACH_S: f64 = 0.06;
/// The level that deflections are measured from is the median from this time before the R peak up to the complex.
const BEFORE_S: f64 = 0.16;
/// Beats that are measured, spread evenly over the recording; a median of more is no other.
const MOST_BEATS: usize = 500;

/// A lead's QRS complexes, the median over beats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Qrs {
    /// Highest less lowest sample, in mV.
    pub height_mv: f64,
    /// How far it goes above the level before it less how far it goes below, in mV: the net deflection by which an electrical axis
    /// is judged. An exchange of electrodes changes its sign or size.
    pub net_mv: f64,
}

/// Measures the complexes around R peaks, `beats`, in order; none where no beat can be measured: it lies at an end, or there are
/// invalid samples.
#[must_use]
pub fn qrs(samples_mv: &[f32], rate_hz: f64, beats: &[usize]) -> Option<Qrs> {
    let reach = ((REACH_S * rate_hz).round() as usize).max(1);
    let before = ((BEFORE_S * rate_hz).round() as usize).max(reach + 1);
    let every = beats.len().div_ceil(MOST_BEATS).max(1);
    let (mut heights, mut nets) = (Vec::new(), Vec::new());
    for &peak in beats.iter().step_by(every) {
        let Some(start) = peak.checked_sub(before) else {
            continue;
        };
        let Some(all) = samples_mv.get(start..=peak.saturating_add(reach)) else {
            continue;
        };
        if all.iter().any(|sample| !sample.is_finite()) {
            continue;
        }
        let (level, complex) = all.split_at(before - reach);
        let level = median(level.to_vec())?;
        let low = complex.iter().copied().fold(f32::INFINITY, f32::min);
        let high = complex.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        heights.push(high - low);
        nets.push((high - level).max(0.0) - (level - low).max(0.0));
    }
    Some(Qrs {
        height_mv: f64::from(median(heights)?),
        net_mv: f64::from(median(nets)?),
    })
}

fn median(mut values: Vec<f32>) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}
