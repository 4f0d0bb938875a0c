//! `beat-rr-v1`: the input of the embedded model `heartbeat`.
//!
//! The lead is brought to 128 Hz and 0.5 to 40 Hz (zero phase), and divided by the recording's median QRS height, so
//! that gain does not matter. Each beat gives
//! - `beat` `[2, 128]`: the second from 0.4375 s before R, and its difference to the recording's median beat;
//! - `rr` `[30]`: how the interval before and after R compare with their surroundings ([`rhythm`]), and how the QRS
//!   and the P wave compare with the recording's and the neighbours' ([`shape`]).
//!
//! Statistics "of the recording" are of stretches of at most [`BLOCK`] beats (about an hour), so that a day's
//! recording follows the patient. Every value is symmetric to a change of sign of the lead except `beat` itself.

mod lead;
pub mod rhythm;
pub mod shape;

use std::ops::Range;

use super::{RecipeError, Tensor};
use lead::Conditioned;

/// Samples per window at [`RATE_HZ`].
pub const WINDOW: usize = 128;
/// Samples of the window before R.
pub const BEFORE: usize = 56;
/// The rate windows are cut at, Hz.
pub const RATE_HZ: f64 = 128.0;
/// Values in `rr`.
pub const FEATURES: usize = rhythm::COUNT + shape::COUNT;
/// Most beats that share one median beat, amplitude and interval statistics.
pub const BLOCK: usize = 4500;
/// Rhythm features compare three intervals at least.
const FEWEST_BEATS: usize = 4;
/// Features are clipped here.
const CLIP: f32 = 1.5;

/// A lead's beats, ready to be cut into windows.
#[derive(Debug, Clone)]
pub struct Beats {
    lead: Conditioned,
    blocks: Vec<Block>,
    features: Vec<[f32; FEATURES]>,
}

/// What a stretch of beats shares.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The beats in it.
    pub(super) beats: Range<usize>,
    /// One over the median QRS height in millivolts.
    pub(super) scale: f32,
    /// The median beat after scaling.
    pub(super) template: [f32; WINDOW],
}

impl Beats {
    pub(super) fn prepare(samples_mv: &[f32], rate_hz: f64, r_peaks: &[f64]) -> Result<Self, RecipeError> {
        if r_peaks.len() < FEWEST_BEATS {
            return Err(RecipeError::TooFewBeats {
                found: r_peaks.len(),
                needed: FEWEST_BEATS,
            });
        }
        let lead = Conditioned::new(samples_mv, rate_hz, r_peaks);
        let ranges = block_ranges(r_peaks.len());
        let blocks: Vec<Block> = ranges.iter().map(|beats| lead.block(beats.clone())).collect();
        let times: Vec<f64> = r_peaks.iter().map(|r| r / rate_hz).collect();
        let rhythm = rhythm::Rhythm::new(&times);
        let looks = shape::looks(&lead, &blocks);
        let own = rhythm.features(&ranges);
        let compared = shape::features(&looks, &rhythm);
        let features = own
            .iter()
            .zip(&compared)
            .map(|(a, b)| {
                let mut all = [0.0; FEATURES];
                for (slot, value) in all.iter_mut().zip(a.iter().chain(b)) {
                    *slot = if value.is_finite() {
                        value.clamp(-CLIP, CLIP)
                    } else {
                        0.0
                    };
                }
                all
            })
            .collect();
        Ok(Self { lead, blocks, features })
    }

    pub(super) fn len(&self) -> usize {
        self.features.len()
    }

    pub(super) fn tensors(&self, range: Range<usize>) -> Vec<Tensor> {
        let n = range.len();
        let mut beat = Vec::with_capacity(n * 2 * WINDOW);
        for block in &self.blocks {
            for index in range.start.max(block.beats.start)..range.end.min(block.beats.end) {
                let window = self.lead.window(index, block.scale);
                beat.extend_from_slice(&window);
                beat.extend(window.iter().zip(&block.template).map(|(x, t)| x - t));
            }
        }
        vec![
            Tensor {
                name: "beat",
                dims: vec![n, 2, WINDOW],
                values: beat,
            },
            Tensor {
                name: "rr",
                dims: vec![n, FEATURES],
                values: self.features[range].concat(),
            },
        ]
    }
}

/// Equal stretches of at most [`BLOCK`] beats.
fn block_ranges(beats: usize) -> Vec<Range<usize>> {
    let count = beats.div_ceil(BLOCK).max(1);
    (0..count).map(|k| beats * k / count..beats * (k + 1) / count).collect()
}

/// The middle value (upper of two); the order of `values` is lost. Zero for none.
fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests;
