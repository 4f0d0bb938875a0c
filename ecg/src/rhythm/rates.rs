//! Heart rate and RR statistics.

use super::{Stretch, round};
use crate::beat::BeatClass;
use schemars::JsonSchema;
use serde::Serialize;

/// RR intervals that a rate is averaged over: one beat early or late moves it little, a run of a few seconds shows.
const WINDOW: usize = 8;

/// Heart rate, in beats a minute.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "HeartRate")]
pub struct Rate {
    /// Slowest mean of eight RR intervals in a row.
    pub min_bpm: Option<f64>,
    /// Of all RR intervals.
    pub mean_bpm: Option<f64>,
    /// Fastest mean of eight RR intervals in a row.
    pub max_bpm: Option<f64>,
    /// Hour by hour from the recording's start.
    pub hours: Vec<Hour>,
}

/// One hour of the recording.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "HourOfRhythm")]
pub struct Hour {
    /// From zero.
    pub hour: usize,
    /// As in [`Rate`].
    pub min_bpm: Option<f64>,
    /// As in [`Rate`].
    pub mean_bpm: Option<f64>,
    /// As in [`Rate`].
    pub max_bpm: Option<f64>,
    /// Readable beats.
    pub beats: usize,
    /// Supraventricular ones.
    #[serde(rename = "S")]
    pub s: usize,
    /// Ventricular ones.
    #[serde(rename = "V")]
    pub v: usize,
    /// Seconds in which nothing is said.
    pub unreadable_s: f64,
}

/// Statistics of intervals between two normal beats that follow each other (Task Force of the ESC and NASPE 1996).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RrStatistics {
    /// Mean, ms.
    pub mean_ms: Option<f64>,
    /// Standard deviation, ms.
    pub sdnn_ms: Option<f64>,
    /// Root mean square of successive differences, ms.
    pub rmssd_ms: Option<f64>,
    /// Share of successive differences above 50 ms.
    pub pnn50: Option<f64>,
    /// How many intervals these rest on.
    pub normal_intervals: usize,
}

/// Collects rates of one span of time.
#[derive(Default)]
struct Extremes {
    slowest: Option<f64>,
    fastest: Option<f64>,
    seconds: f64,
    intervals: usize,
}

impl Extremes {
    fn bpm(&self) -> Option<f64> {
        (self.intervals > 0 && self.seconds > 0.0).then(|| round1(60.0 * self.intervals as f64 / self.seconds))
    }

    fn window(&mut self, bpm: f64) {
        self.slowest = Some(self.slowest.map_or(bpm, |slowest| slowest.min(bpm)));
        self.fastest = Some(self.fastest.map_or(bpm, |fastest| fastest.max(bpm)));
    }
}

pub(super) fn rate(stretches: &[Stretch<'_>], unreadable: &[(f64, f64)], duration_s: f64) -> Rate {
    let hour_count = (duration_s / 3600.0).ceil().clamp(0.0, 24.0 * 366.0) as usize;
    let mut all = Extremes::default();
    let mut hourly: Vec<Extremes> = (0..hour_count).map(|_| Extremes::default()).collect();
    let mut hours: Vec<Hour> = (0..hour_count)
        .map(|hour| {
            let (start, end) = (3600.0 * hour as f64, (3600.0 * (hour + 1) as f64).min(duration_s));
            let inside = |&(from, to): &(f64, f64)| (to.min(end) - from.max(start)).max(0.0);
            let unreadable_s = round(unreadable.iter().map(inside).sum());
            Hour {
                hour,
                min_bpm: None,
                mean_bpm: None,
                max_bpm: None,
                beats: 0,
                s: 0,
                v: 0,
                unreadable_s,
            }
        })
        .collect();
    let hour_of = |time: f64| ((time / 3600.0) as usize).min(hour_count.saturating_sub(1));
    for stretch in stretches {
        for (time, class) in *stretch {
            if let Some(hour) = hours.get_mut(hour_of(*time)) {
                hour.beats += 1;
                hour.s += usize::from(*class == BeatClass::S);
                hour.v += usize::from(*class == BeatClass::V);
            }
        }
        for pair in stretch.windows(2) {
            let interval = pair[1].0 - pair[0].0;
            for extremes in std::iter::once(&mut all).chain(hourly.get_mut(hour_of(pair[1].0))) {
                extremes.seconds += interval;
                extremes.intervals += 1;
            }
        }
        for window in stretch.windows(WINDOW + 1) {
            let span = window[WINDOW].0 - window[0].0;
            if span > 0.0 {
                let bpm = round1(60.0 * WINDOW as f64 / span);
                all.window(bpm);
                if let Some(hour) = hourly.get_mut(hour_of(window[WINDOW].0)) {
                    hour.window(bpm);
                }
            }
        }
    }
    for (hour, extremes) in hours.iter_mut().zip(&hourly) {
        (hour.min_bpm, hour.mean_bpm, hour.max_bpm) = (extremes.slowest, extremes.bpm(), extremes.fastest);
    }
    Rate {
        min_bpm: all.slowest,
        mean_bpm: all.bpm(),
        max_bpm: all.fastest,
        hours,
    }
}

pub(super) fn statistics(stretches: &[Stretch<'_>]) -> RrStatistics {
    let mut intervals = Vec::new();
    let mut differences = Vec::new();
    for stretch in stretches {
        let mut last = None;
        for pair in stretch.windows(2) {
            let normal = pair[0].1 == BeatClass::N && pair[1].1 == BeatClass::N;
            let interval = 1e3 * (pair[1].0 - pair[0].0);
            if normal {
                intervals.push(interval);
                differences.extend(last.map(|last: f64| interval - last));
            }
            last = normal.then_some(interval);
        }
    }
    let n = intervals.len() as f64;
    let mean = intervals.iter().sum::<f64>() / n;
    let variance = intervals.iter().map(|interval| (interval - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let m = differences.len() as f64;
    let squares = differences
        .iter()
        .map(|difference| difference * difference)
        .sum::<f64>()
        / m;
    let above = differences.iter().filter(|difference| difference.abs() > 50.0).count() as f64 / m;
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    RrStatistics {
        mean_ms: finite(mean).map(round1),
        sdnn_ms: finite(variance.sqrt()).map(round1),
        rmssd_ms: finite(squares.sqrt()).map(round1),
        pnn50: finite(above).map(round),
        normal_intervals: intervals.len(),
    }
}

fn round1(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
