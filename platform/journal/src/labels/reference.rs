//! Labels from reference beats.

use super::{Mark, Truth};
use crate::{Entry, JournalError, Unit};

/// Seconds between a beat that was found and its reference at most, as EC57 has it.
pub const REFERENCE_WINDOW_S: f64 = 0.15;

/// Beats near one reference beat on average, above which these are no heartbeats.
const NEAR: usize = 64;

/// What reference beats (sample, class) say about a prediction: the class of every beat that has a reference within
/// [`REFERENCE_WINDOW_S`], beats that were missed, and beats that are none. Each goes to the nearest that is free, nearest
/// pairs first.
///
/// Beats of the prediction in spans in which nothing was said are marked like the others.
///
/// # Errors
/// [`JournalError::Labels`] where the prediction is not about beats of a recording.
pub fn from_reference(entry: &Entry, reference: &[(u64, String)]) -> Result<Vec<Mark>, JournalError> {
    let rate = entry.sampling_rate_hz.filter(|rate| rate.is_finite() && *rate > 0.0);
    let (Unit::Beats, Some(rate)) = (entry.unit, rate) else {
        return Err(JournalError::Labels {
            what: "reference beats need a prediction about the beats of a recording with a sampling rate".to_owned(),
        });
    };
    let window = (rate * REFERENCE_WINDOW_S) as u64;
    let mut found: Vec<u64> = entry.beats.at.clone();
    found.sort_unstable();
    found.dedup();
    let mut truth: Vec<&(u64, String)> = reference.iter().collect();
    truth.sort_unstable();
    truth.dedup_by_key(|beat| beat.0);
    let Some(pairs) = matched(&found, &truth, window) else {
        return Err(JournalError::Labels {
            what: "the beats lie too close together to be matched".to_owned(),
        });
    };
    let mut taken = vec![None; found.len()];
    let mut marks = Vec::with_capacity(found.len().max(truth.len()));
    for (beat, pair) in truth.iter().zip(pairs) {
        match pair {
            Some(at) => taken[at] = Some(beat.1.clone()),
            // Where a found beat of another reference is at this very sample it cannot be: that one would be nearest.
            None => marks.push(Mark {
                at: beat.0,
                truth: Truth::Missed {
                    class: Some(beat.1.clone()),
                },
            }),
        }
    }
    marks.extend(found.iter().zip(taken).map(|(at, class)| Mark {
        at: *at,
        truth: class.map_or(Truth::NotABeat, |class| Truth::Class { class }),
    }));
    marks.sort_by_key(|mark| mark.at);
    Ok(marks)
}

/// For each reference beat the found beat that is its own. Both are in order of time. None where so many are near each other
/// that they cannot be heartbeats.
fn matched(found: &[u64], truth: &[&(u64, String)], window: u64) -> Option<Vec<Option<usize>>> {
    let mut near: Vec<(u64, usize, usize)> = Vec::new();
    let mut first = 0;
    for (number, beat) in truth.iter().enumerate() {
        while found.get(first).is_some_and(|at| at + window < beat.0) {
            first += 1;
        }
        let within = found[first..]
            .iter()
            .take_while(|at| **at <= beat.0.saturating_add(window));
        near.extend(
            within
                .enumerate()
                .map(|(at, sample)| (sample.abs_diff(beat.0), number, first + at))
                .take(NEAR + 1),
        );
        if near.len() > NEAR * (number + 1) {
            return None;
        }
    }
    near.sort_unstable();
    let mut pairs = vec![None; truth.len()];
    let mut taken = vec![false; found.len()];
    for (_, number, at) in near {
        if pairs[number].is_none() && !taken[at] {
            pairs[number] = Some(at);
            taken[at] = true;
        }
    }
    Some(pairs)
}
