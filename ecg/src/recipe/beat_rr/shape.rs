//! The last 9 values of `rr`: a beat's QRS and P wave against the median beat's and the neighbours'.
//!
//! They are there to tell atrial fibrillation (irregular, no P wave) from frequent ectopy (irregular because of the
//! ectopic beats, P waves in between), which intervals alone cannot.
//!
//! In order: 1 - correlation of the QRS (-0.1 to +0.15 s) with the median beat's; half the logarithm of the energy of
//! its difference, relative to the median beat's; correlation of the P stretch (-0.24 to -0.08 s, straight line
//! removed) with the median beat's; its mean over the even neighbours; half the logarithm of the energy of the
//! neighbours' mean P stretch over that of their deviations from it; half the logarithm of the height of that mean;
//! three times the irregularity without odd beats; share of odd beats within 20; half the logarithm of the energy of
//! this beat's deviation from the neighbours' mean P stretch over the neighbours' own. "Odd" is a beat whose QRS
//! correlates below 0.9 with the median beat's; neighbours are the even beats within 10.

use super::lead::Conditioned;
use super::rhythm::{Rhythm, around};
use super::{BEFORE, Block};

/// Values per beat.
pub const COUNT: usize = 9;

/// The P stretch, samples of the window.
const P: std::ops::Range<usize> = BEFORE - 31..BEFORE - 10;
const P_LEN: usize = 21;
/// The QRS stretch, samples of the window.
const QRS: std::ops::Range<usize> = BEFORE - 13..BEFORE + 20;
/// QRS correlation below which a beat is odd.
const ODD_BELOW: f32 = 0.9;
/// Smallest energy and height that logarithms see, in units of the squared QRS height.
const FLOOR: f32 = 1e-4;

/// What is kept of each window.
pub(super) struct Look {
    qrs: f32,
    difference: f32,
    p: [f32; P_LEN],
    p_match: f32,
}

/// Looks at every beat once.
pub(super) fn looks(lead: &Conditioned, blocks: &[Block]) -> Vec<Look> {
    let mut looks = Vec::new();
    for block in blocks {
        let typical_qrs = &block.template[QRS];
        let typical_p = detrended(&block.template[P]);
        let energy = power(typical_qrs.iter().copied()) + FLOOR;
        looks.extend(block.beats.clone().map(|beat| {
            let window = lead.window(beat, block.scale);
            let qrs = &window[QRS];
            let p = detrended(&window[P]);
            let gap = power(qrs.iter().zip(typical_qrs).map(|(x, t)| x - t));
            Look {
                qrs: correlation(qrs, typical_qrs),
                difference: 0.5 * ((gap + FLOOR) / energy).ln(),
                p_match: correlation(&p, &typical_p),
                p,
            }
        }));
    }
    looks
}

/// The features of all beats.
pub(super) fn features(looks: &[Look], rhythm: &Rhythm) -> Vec<[f32; COUNT]> {
    (0..looks.len()).map(|beat| one(looks, rhythm, beat)).collect()
}

fn one(looks: &[Look], rhythm: &Rhythm, beat: usize) -> [f32; COUNT] {
    let even = |i: usize| looks[i].qrs >= ODD_BELOW;
    let (from, to) = around(beat, 10, looks.len());
    let mut mean = [0.0; P_LEN];
    let (mut count, mut matches, mut energy) = (0.0_f32, 0.0, 0.0);
    for look in (from..to).filter(|&i| i != beat && even(i)).map(|i| &looks[i]) {
        count += 1.0;
        matches += look.p_match;
        energy += power(look.p.iter().copied());
        mean.iter_mut().zip(&look.p).for_each(|(sum, x)| *sum += x);
    }
    let share = 1.0 / count.max(1.0);
    mean.iter_mut().for_each(|sum| *sum *= share);
    let common = power(mean.iter().copied());
    let spread = (energy * share - common).max(0.0);
    let own = power(looks[beat].p.iter().zip(&mean).map(|(x, m)| x - m));
    let (low, high) = mean
        .iter()
        .fold((0.0_f32, 0.0_f32), |(low, high), &x| (low.min(x), high.max(x)));
    let (wide_from, wide_to) = around(beat, 20, looks.len());
    let odd = (wide_from..wide_to).filter(|&i| !even(i)).count() as f32 / (wide_to - wide_from) as f32;
    let look = &looks[beat];
    [
        1.0 - look.qrs,
        look.difference,
        look.p_match,
        matches * share,
        0.5 * ((common + FLOOR * 0.1) / (spread + FLOOR * 0.1)).ln(),
        0.5 * ((high - low + 0.01) / 0.11).ln(),
        3.0 * rhythm.irregularity(beat, 20, even),
        odd,
        0.5 * ((own + FLOOR * 0.1) / (spread + FLOOR * 0.1)).ln() - 0.3,
    ]
}

/// Mean of the squares.
fn power(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = values.len().max(1) as f32;
    values.map(|x| x * x).sum::<f32>() / count
}

/// Pearson correlation; zero where one of the two is constant.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len()).max(1) as f32;
    let (mean_a, mean_b) = (a.iter().sum::<f32>() / n, b.iter().sum::<f32>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b).map(|(x, y)| (x - mean_a, y - mean_b)) {
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    let scale = (aa * bb).sqrt();
    if scale > 1e-9 { ab / scale } else { 0.0 }
}

/// The P stretch less its straight line of least squares.
fn detrended(stretch: &[f32]) -> [f32; P_LEN] {
    let middle = (P_LEN - 1) as f32 / 2.0;
    let (mut sum, mut slope, mut weight) = (0.0, 0.0, 0.0);
    for (k, &x) in stretch.iter().enumerate().take(P_LEN) {
        let t = k as f32 - middle;
        sum += x;
        slope += t * x;
        weight += t * t;
    }
    let (mean, slope) = (sum / P_LEN as f32, slope / weight);
    let mut flat = [0.0; P_LEN];
    for (k, (slot, x)) in flat.iter_mut().zip(stretch).enumerate() {
        *slot = x - mean - slope * (k as f32 - middle);
    }
    flat
}
