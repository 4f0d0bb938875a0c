//! The verdict on a window.

use super::spectrum::Spectrum;
use super::{Grade, Reason, Window, faults};

/// Two detectors mean the same beat within this time.
const SAME_BEAT_S: f64 = 0.15;

/// Limits, set by hand so that clean rhythms of every kind pass, and looked at on all 48 records of MIT-BIH; published ones
/// where named. They were not tuned on a training half.
mod limit {
    /// Above this share of invalid samples a window says nothing.
    pub(super) const INVALID: f32 = 0.10;
    /// Clinical minimum of any lead's QRS is 0.1 mV or more.
    pub(super) const FLAT_MV: f32 = 0.05;
    /// Ten millivolts a second up and down: no surface ECG.
    pub(super) const HIGH_MV: f32 = 10.0;
    pub(super) const SATURATED: f32 = 0.05;
    pub(super) const TOUCHED: f32 = 0.002;
    /// Zhao and Zhang: below 5 is not a clean lead; noise has 3, sine waves less.
    pub(super) const KURTOSIS: f32 = 3.5;
    /// Zhao and Zhang: .4 is the lowest that may pass.
    pub(super) const POWER: f32 = 0.35;
    /// Zhao and Zhang: .9; kept lower, since baseline wander alone hides no beat from the detector.
    pub(super) const BASELINE: f32 = 0.5;
    /// Looked at on all 48 records: no ten seconds of their first channels reach this but flutter (207); muscle or motion noise added to clean
    /// leads passes it when every third beat found is false.
    pub(super) const NOISE: f32 = 0.45;
    /// 98 of 100 windows of a clean record lie below (a few of 207 do not), seen on all 48 records; added noise passes it when one beat in ten found is false.
    pub(super) const NOISY: f32 = 0.28;
    /// Below this, detectors do not see the same heart.
    pub(super) const DISAGREE: f32 = 0.5;
    pub(super) const WAVER: f32 = 0.8;
    /// Beats a minute.
    pub(super) const SLOWEST_BPM: f64 = 20.0;
    pub(super) const FASTEST_BPM: f64 = 250.0;
}

pub(super) fn window(
    samples: &[f32],
    start: usize,
    rate_hz: f64,
    beats: &[usize],
    second: &[usize],
    noise: f32,
    spectrum: &mut Spectrum,
) -> Window {
    let invalid = samples.iter().filter(|x| !x.is_finite()).count() as f32 / samples.len().max(1) as f32;
    let height = faults::typical_height_mv(samples, rate_hz);
    let saturated = faults::saturated_share(samples, rate_hz);
    let k_sqi = faults::kurtosis(samples);
    let (p_sqi, bas_sqi) = spectrum.indices(samples);
    let agreement = agreement(beats, second, (SAME_BEAT_S * rate_hz) as usize);

    let mut reasons = Vec::new();
    let mut add = |wrong: bool, reason| {
        if wrong {
            reasons.push(reason);
        }
    };
    add(invalid > limit::INVALID || samples.is_empty(), Reason::Invalid);
    add(height < limit::FLAT_MV, Reason::Flat);
    add(saturated > limit::SATURATED, Reason::Saturated);
    add(height > limit::HIGH_MV, Reason::AmplitudeImplausible);
    add(noise > limit::NOISE, Reason::Noise);
    let hard = !reasons.is_empty();
    let mut add = |wrong: bool, reason| {
        if wrong {
            reasons.push(reason);
        }
    };
    add(!hard && saturated > limit::TOUCHED, Reason::Saturated);
    add(k_sqi < limit::KURTOSIS, Reason::Kurtosis);
    add(p_sqi < limit::POWER, Reason::Power);
    add(bas_sqi < limit::BASELINE, Reason::Baseline);
    add(!hard && noise > limit::NOISY, Reason::Noise);
    add(agreement < limit::WAVER, Reason::Disagreement);
    add(rate_implausible(beats, rate_hz), Reason::RateImplausible);
    let odd = [Reason::Kurtosis, Reason::Power]
        .iter()
        .filter(|reason| reasons.contains(reason))
        .count();
    let grade = if hard || (agreement < limit::DISAGREE && odd > 0) || odd == 2 && agreement < limit::WAVER {
        Grade::Unreadable
    } else if reasons.is_empty() || reasons == [Reason::Baseline] || reasons == [Reason::Kurtosis] {
        Grade::Good
    } else {
        Grade::Suspect
    };
    Window {
        start,
        end: start + samples.len(),
        grade,
        reasons,
        k_sqi,
        p_sqi,
        bas_sqi,
        agreement,
        noise,
    }
}

/// Where most of a lead is of impossible amplitude its unit is wrong, and no part of it can be trusted.
pub(super) fn settle(windows: &mut [Window]) {
    let wrong = windows
        .iter()
        .filter(|window| window.reasons.contains(&Reason::AmplitudeImplausible))
        .count();
    if 2 * wrong > windows.len() {
        for window in windows {
            window.grade = Grade::Unreadable;
            if !window.reasons.contains(&Reason::AmplitudeImplausible) {
                window.reasons.insert(0, Reason::AmplitudeImplausible);
            }
        }
    }
}

/// Matched beats as a share of all beats either detector found.
fn agreement(first: &[usize], second: &[usize], window: usize) -> f32 {
    let (mut i, mut j, mut matched) = (0, 0, 0);
    while let (Some(&a), Some(&b)) = (first.get(i), second.get(j)) {
        if a.abs_diff(b) <= window {
            matched += 1;
            (i, j) = (i + 1, j + 1);
        } else if a < b {
            i += 1;
        } else {
            j += 1;
        }
    }
    let all = first.len() + second.len() - matched;
    matched as f32 / all as f32
}

fn rate_implausible(beats: &[usize], rate_hz: f64) -> bool {
    let (Some(first), Some(last)) = (beats.first(), beats.last()) else {
        return false;
    };
    if beats.len() < 2 {
        return false;
    }
    let bpm = 60.0 * rate_hz * (beats.len() - 1) as f64 / (last - first).max(1) as f64;
    !(limit::SLOWEST_BPM..=limit::FASTEST_BPM).contains(&bpm)
}
