//! One lead's samples on disk with a coarse level of minima and maxima, so that a day is drawn from a few reads.

use anyhow::Context;
use einthoven_ecg::recording::Lead;
use schemars::JsonSchema;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Samples behind one entry of the coarse level.
const COARSE: usize = 64;

/// Samples of one lead; the file is unlinked and goes with this value.
pub(crate) struct Signal {
    pub(crate) lead: String,
    pub(crate) rate_hz: f64,
    samples: usize,
    file: File,
    coarse: Vec<(f32, f32)>,
}

/// Part of a lead, each point the lowest and highest of `samples_per_point` samples; `None` where all are invalid.
#[derive(Debug, Serialize, PartialEq, JsonSchema)]
#[schemars(rename = "SignalPoints")]
pub(crate) struct Points {
    pub(crate) lead: String,
    pub(crate) sampling_rate_hz: f64,
    pub(crate) from_s: f64,
    pub(crate) to_s: f64,
    pub(crate) samples_per_point: usize,
    pub(crate) min_mv: Vec<Option<f32>>,
    pub(crate) max_mv: Vec<Option<f32>>,
}

impl Signal {
    pub(crate) fn write(directory: &Path, lead: &Lead, rate_hz: f64) -> anyhow::Result<Self> {
        let file = tempfile::tempfile_in(directory).context("no room to keep the recording's samples")?;
        let mut writer = BufWriter::new(&file);
        for sample in &lead.samples_mv {
            writer.write_all(&sample.to_le_bytes())?;
        }
        writer.flush().context("no room to keep the recording's samples")?;
        drop(writer);
        let coarse = lead.samples_mv.chunks(COARSE).map(extremes).collect();
        Ok(Self {
            lead: lead.name.clone(),
            rate_hz,
            samples: lead.samples_mv.len(),
            file,
            coarse,
        })
    }

    pub(crate) fn bytes(&self) -> u64 {
        4 * self.samples as u64
    }

    /// The span `from_s..to_s` (cut to the recording) in at most about `points` points.
    ///
    /// # Errors
    /// When the samples cannot be read back.
    pub(crate) fn points(&self, from_s: f64, to_s: f64, points: usize) -> anyhow::Result<Points> {
        let (mut start, end, mut step) = cut(self.samples, self.rate_hz, (from_s, to_s), points);
        let extremes = if step < COARSE {
            let mut bytes = vec![0; 4 * end.saturating_sub(start)];
            self.file.read_exact_at(&mut bytes, 4 * start as u64)?;
            let samples: Vec<f32> = bytes
                .chunks_exact(4)
                .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
                .collect();
            samples.chunks(step).map(extremes).collect::<Vec<_>>()
        } else {
            let entries = step.div_ceil(COARSE);
            step = entries * COARSE;
            start -= start % COARSE;
            let last = end.div_ceil(COARSE).min(self.coarse.len());
            self.coarse[(start / COARSE).min(last)..last]
                .chunks(entries)
                .map(merged)
                .collect()
        };
        Ok(Points::of(&self.lead, self.rate_hz, (start, end, step), &extremes))
    }
}

impl Points {
    /// The same of samples in memory, under the name that is given.
    pub(crate) fn of_samples(
        (lead, samples): (&str, &[f32]),
        rate_hz: f64,
        (from_s, to_s): (f64, f64),
        points: usize,
    ) -> Self {
        let (start, end, step) = cut(samples.len(), rate_hz, (from_s, to_s), points);
        let wanted = samples.get(start..end).unwrap_or_default();
        let extremes: Vec<_> = wanted.chunks(step).map(extremes).collect();
        Self::of(lead, rate_hz, (start, end, step), &extremes)
    }

    fn of(lead: &str, rate_hz: f64, (start, end, step): (usize, usize, usize), extremes: &[(f32, f32)]) -> Self {
        let value = |value: f32| Some(value).filter(|value| value.is_finite());
        Self {
            lead: lead.to_owned(),
            sampling_rate_hz: rate_hz,
            from_s: start as f64 / rate_hz,
            to_s: end as f64 / rate_hz,
            samples_per_point: step,
            min_mv: extremes.iter().map(|(low, _)| value(*low)).collect(),
            max_mv: extremes.iter().map(|(_, high)| value(*high)).collect(),
        }
    }
}

/// First sample, the one after the last, and samples of a point, for a span in seconds.
fn cut(samples: usize, rate_hz: f64, (from_s, to_s): (f64, f64), points: usize) -> (usize, usize, usize) {
    // Whole samples survive the way through decimal seconds.
    let at = |place: f64| (place.max(0.0) as usize).min(samples);
    let start = at((from_s * rate_hz + 1e-6).floor());
    let end = at((to_s * rate_hz - 1e-6).ceil());
    let step = end.saturating_sub(start).div_ceil(points.max(1)).max(1);
    (start, end, step)
}

/// Lowest and highest, NaN ignored; NaN when all are.
fn extremes(samples: &[f32]) -> (f32, f32) {
    samples
        .iter()
        .fold((f32::NAN, f32::NAN), |(low, high), &x| (low.min(x), high.max(x)))
}

fn merged(entries: &[(f32, f32)]) -> (f32, f32) {
    entries
        .iter()
        .fold((f32::NAN, f32::NAN), |(low, high), &(l, h)| (low.min(l), high.max(h)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(samples_mv: Vec<f32>) -> Signal {
        let lead = Lead {
            name: "II".into(),
            standard: None,
            samples_mv,
            rails_mv: None,
        };
        Signal::write(&std::env::temp_dir(), &lead, 100.0).unwrap()
    }

    #[test]
    fn a_close_look_gives_the_samples_themselves() {
        let points = signal((0..1000).map(|i| i as f32).collect())
            .points(2.0, 2.05, 100)
            .unwrap();
        assert_eq!((points.samples_per_point, points.from_s), (1, 2.0));
        assert_eq!(points.min_mv, (200..205).map(|i| Some(i as f32)).collect::<Vec<_>>());
        assert_eq!(points.min_mv, points.max_mv);
    }

    #[test]
    fn samples_in_memory_give_the_same_as_those_on_disk() {
        let samples: Vec<f32> = (0..1000).map(|at| (at * 37 % 101) as f32).collect();
        let kept = signal(samples.clone());
        for (from, to, points) in [
            (2.0, 2.05, 100),
            (0.0, 10.0, 40),
            (-1.0, 99.0, 1000),
            (5.0, 5.0, 3),
            (11.0, 12.0, 3),
        ] {
            let here = Points::of_samples(("II", &samples), 100.0, (from, to), points);
            assert_eq!(here, kept.points(from, to, points).unwrap(), "{from} {to} {points}");
        }
    }

    #[test]
    fn outside_the_recording_there_is_nothing() {
        let signal = signal(vec![1.0; 10]);
        assert!(signal.points(5.0, 6.0, 10).unwrap().min_mv.is_empty());
        assert!(signal.points(3.0, 1.0, 10).unwrap().min_mv.is_empty());
        assert_eq!(signal.points(-5.0, 1e9, 10).unwrap().min_mv.len(), 10);
    }

    proptest::proptest! {
        /// However far one zooms out, no spike of one sample and no gap disappears.
        #[test]
        fn a_spike_of_one_sample_stays_at_every_zoom(spike in 0_usize..5000, points in 1_usize..600) {
            let mut samples = vec![f32::NAN; 5000];
            samples[spike] = 7.0;
            let points = signal(samples).points(0.0, 50.0, points).unwrap();
            let found: Vec<_> = points.max_mv.iter().flatten().collect();
            proptest::prop_assert_eq!(found, vec![&7.0]);
            let place = points.max_mv.iter().position(Option::is_some).unwrap();
            proptest::prop_assert_eq!(place, spike / points.samples_per_point);
        }
    }
}
