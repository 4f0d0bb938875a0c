//! How far a lead can be trusted, every ten seconds and at every beat.
//!
//! Hard faults (invalid, flat, saturated, impossible amplitude) make a span unreadable by themselves; soft indices
//! (kurtosis, spectrum, agreement of two detectors) only together, since ectopic rhythms look odd to each of them.

mod faults;
mod grade;
mod spectrum;

use crate::detect;
use crate::recording::Lead;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// Length of a window; the indices' published limits are for ten seconds.
const WINDOW_S: f64 = 10.0;

/// How far to trust a window or beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(rename = "QualityGrade")]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Take it as it is.
    Good,
    /// Look at it.
    Suspect,
    /// Nothing is said.
    Unreadable,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "good",
            Self::Suspect => "suspect",
            Self::Unreadable => "unreadable",
        })
    }
}

/// What is wrong with a window or span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(rename = "QualityReason")]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The recorder marked the samples invalid.
    Invalid,
    /// No signal.
    Flat,
    /// At the converter's rails.
    Saturated,
    /// No heart makes such voltages: the unit may be wrong, or the electrode off.
    AmplitudeImplausible,
    /// Too few sharp waves for a heartbeat (kSQI).
    Kurtosis,
    /// Too little of the power where QRS complexes have it (pSQI).
    Power,
    /// Baseline wander outweighs the heartbeat (basSQI).
    Baseline,
    /// The signal between beats is nearly as strong as the beats (in the QRS band): noise, or a rhythm without beats such
    /// as ventricular flutter.
    Noise,
    /// Two detectors find different beats.
    Disagreement,
    /// Beats at a rate no heart has: the sampling rate may be wrong.
    RateImplausible,
}

/// Ten seconds of a lead; the last one takes what is left, up to twenty.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// First sample.
    pub start: usize,
    /// Sample after the last.
    pub end: usize,
    /// The verdict.
    pub grade: Grade,
    /// What is wrong, hard faults first.
    pub reasons: Vec<Reason>,
    /// Kurtosis (3 for noise, above 5 for a clean lead); NaN where it cannot be computed.
    pub k_sqi: f32,
    /// Power of 5-15 Hz over that of 5-40 Hz.
    pub p_sqi: f32,
    /// One minus power of 0-1 Hz over that of 0-40 Hz.
    pub bas_sqi: f32,
    /// Beats both detectors find within 150 ms, as a share of all they find; NaN without beats.
    pub agreement: f32,
    /// Energy between beats as a share of that at beats: under 0.1 for a clean lead; NaN without beats.
    pub noise: f32,
}

/// A stretch of which nothing is said.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// First sample.
    pub start: usize,
    /// Sample after the last.
    pub end: usize,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// A lead's quality.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// In order, without gaps.
    pub windows: Vec<Window>,
    /// In order, apart from each other.
    pub unreadable: Vec<Span>,
    /// One for each beat that was handed in.
    pub beats: Vec<Grade>,
}

/// Grades a lead; `beats` are its R peaks in order ([`detect::r_peaks`]), `rate_hz` samples per second.
#[must_use]
pub fn assess(lead: &Lead, rate_hz: f64, beats: &[usize]) -> Quality {
    let samples = &lead.samples_mv;
    let length = ((WINDOW_S * rate_hz).round() as usize).max(1);
    let count = (samples.len() / length).max(1);
    let second = detect::second_opinion(samples, rate_hz);
    let contrast = detect::contrast::Contrast::of(samples, rate_hz);
    let mut spectrum = spectrum::Spectrum::new(rate_hz, length);
    let mut windows: Vec<Window> = (0..count)
        .map(|index| {
            let (start, end) = (
                index * length,
                if index + 1 == count {
                    samples.len()
                } else {
                    (index + 1) * length
                },
            );
            let inside = |all: &[usize]| {
                let range = all.partition_point(|&at| at < start)..all.partition_point(|&at| at < end);
                (range.start, range.end)
            };
            let ((a, b), (c, d)) = (inside(beats), inside(&second));
            grade::window(
                &samples[start..end],
                start,
                rate_hz,
                &beats[a..b],
                &second[c..d],
                contrast.noise_share(start..end, &beats[a..b]),
                &mut spectrum,
            )
        })
        .collect();
    grade::settle(&mut windows);
    let unreadable = merged(&windows, faults::stretches(samples, rate_hz, lead.rails_mv));
    let grades = beats
        .iter()
        .map(|&beat| {
            let after = unreadable.partition_point(|span| span.start <= beat);
            if after > 0 && beat < unreadable[after - 1].end {
                Grade::Unreadable
            } else {
                windows[(beat / length).min(count - 1)].grade
            }
        })
        .collect();
    Quality {
        windows,
        unreadable,
        beats: grades,
    }
}

/// Unreadable windows and faulty stretches as spans that do not touch.
fn merged(windows: &[Window], stretches: Vec<Span>) -> Vec<Span> {
    let bad = windows.iter().filter(|window| window.grade == Grade::Unreadable);
    let mut all: Vec<Span> = bad
        .map(|window| Span {
            start: window.start,
            end: window.end,
            reasons: window.reasons.clone(),
        })
        .collect();
    all.extend(stretches);
    all.sort_by_key(|span| span.start);
    let mut spans: Vec<Span> = Vec::new();
    for span in all {
        match spans.last_mut() {
            Some(last) if span.start <= last.end => {
                last.end = last.end.max(span.end);
                last.reasons.extend(span.reasons);
                last.reasons.sort_unstable();
                last.reasons.dedup();
            }
            _ => spans.push(span),
        }
    }
    spans
}

#[cfg(test)]
mod tests;
