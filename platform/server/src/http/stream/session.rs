//! Sessions of live samples: whose they are, what is computed of them, and what was said.

use super::super::App;
use super::super::blocking;
use super::super::problem::Problem;
use super::{End, ended, failed};
use crate::input::InputError;
use crate::journaling::LiveAsked;
use axum::extract::ws::close_code;
use einthoven_classify::{BeatOut, LiveBeats};
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use uuid::Uuid;

/// Sessions at once, those that wait for their client included; and those of one caller.
const MOST: usize = 256;
const MOST_OF_ONE: usize = 64;
/// Beats that are kept for a client that comes back.
const KEPT_BEATS: usize = 512;

/// All sessions.
#[derive(Default)]
pub(crate) struct Streams(Mutex<HashMap<String, Arc<Slot>>>);

/// One session, whoever talks to it.
pub(super) struct Slot {
    pub(super) id: String,
    pub(super) owner: String,
    /// Whom it is about, by the pseudonym.
    pub(super) subject: Option<String>,
    /// Counts the connections it had; the last one counts.
    pub(super) turn: watch::Sender<u64>,
    pub(super) session: tokio::sync::Mutex<Session>,
}

pub(super) struct Session {
    /// None only while it computes.
    pub(super) live: Option<LiveBeats>,
    /// From what comes to millivolts.
    pub(super) factor: f32,
    pub(super) whole_numbers: bool,
    /// As entries of the journal tell of it; none where nothing is remembered, or while it computes.
    pub(super) asked: Option<LiveAsked>,
    /// The last beats that were said.
    pub(super) said: VecDeque<Said>,
    pub(super) beats: u64,
}

/// A beat, with its entry in the journal.
#[derive(Clone, Serialize)]
pub(super) struct Said {
    #[serde(flatten)]
    pub(super) beat: BeatOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<Uuid>,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Session {
    /// Little-endian numbers.
    pub(super) fn binary(&self, bytes: &[u8]) -> Result<Vec<f32>, End> {
        let width = if self.whole_numbers { 2 } else { 4 };
        if !bytes.len().is_multiple_of(width) {
            let reason = format!("{} bytes are no whole number of samples of {width}", bytes.len());
            return Err(End::Close(close_code::INVALID, reason));
        }
        let factor = self.factor;
        Ok(if self.whole_numbers {
            let each = bytes
                .chunks_exact(2)
                .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])));
            each.map(|value| value * factor).collect()
        } else {
            let each = bytes
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            each.map(|value| value * factor).collect()
        })
    }

    /// A JSON array; `null` is an invalid sample.
    pub(super) fn array(&self, text: &str) -> Result<Vec<f32>, End> {
        let values: Vec<Option<f32>> = serde_json::from_str(text)
            .map_err(|cause| End::Close(close_code::INVALID, format!("the samples cannot be read: {cause}")))?;
        let value = |value: Option<f32>| value.unwrap_or(f32::NAN) * self.factor;
        Ok(values.into_iter().map(value).collect())
    }

    /// Takes samples in, or all that is left where there are none, on a thread that may compute. What can be said is remembered
    /// before it is given.
    pub(super) async fn compute(&mut self, app: &Arc<App>, samples: Option<Vec<f32>>) -> Result<Vec<Said>, End> {
        let mut live = self.live.take().ok_or_else(failed)?;
        let mut session = self.asked.take();
        let asked = session
            .as_ref()
            .and_then(|session| app.journaling.samples_came(session));
        let only_keeps = samples.as_ref().is_some_and(|samples| live.only_keeps(samples.len()));
        let work = move || {
            if let (Some(session), Some(samples)) = (&mut session, &samples) {
                session.came(samples);
            }
            let said = match &samples {
                Some(samples) => live.push(samples),
                None => live.finish(),
            };
            Ok((live, session, said))
        };
        let done = if only_keeps {
            work()
        } else {
            blocking(Arc::clone(&app.cores), work).await
        };
        let (live, session, said) = done.map_err(|_: Problem| failed())?;
        let samples = live.samples();
        (self.live, self.asked) = (Some(live), session);
        let beats = said.map_err(|cause| ended(&Problem::from(InputError::Classify(cause))))?;
        let prediction = match (&self.asked, asked) {
            (Some(session), Some(asked)) if !beats.is_empty() => {
                let remembered = app.journaling.beats_said(session, asked, &beats, samples).await;
                remembered.map_err(|problem| ended(&problem))?
            }
            _ => None,
        };
        let each = beats.into_iter().map(|beat| Said {
            beat,
            prediction,
            kind: "beat",
        });
        let said: Vec<_> = each.collect();
        self.beats += said.len() as u64;
        self.said.extend(said.iter().cloned());
        let over = self.said.len().saturating_sub(KEPT_BEATS);
        self.said.drain(..over);
        Ok(said)
    }
}

impl Streams {
    pub(super) fn add(&self, slot: &Arc<Slot>) -> Result<(), &'static str> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST {
            return Err("too many sessions at once; try again in a minute");
        }
        if slots.values().filter(|other| other.owner == slot.owner).count() >= MOST_OF_ONE {
            return Err("too many sessions of yours at once; end one, or wait a minute");
        }
        slots.insert(slot.id.clone(), Arc::clone(slot));
        Ok(())
    }

    /// Ends the sessions about a person; how many there were.
    pub(crate) fn forget_person(&self, subject: &str) -> usize {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = slots.len();
        slots.retain(|_, slot| {
            let goes = slot.subject.as_deref() == Some(subject);
            if goes {
                // Whoever talks to it is told that it is theirs no more.
                slot.turn.send_modify(|turn| *turn += 1);
            }
            !goes
        });
        before - slots.len()
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(super) fn remove(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Said {
    /// As it is sent.
    pub(super) fn to_text(&self) -> String {
        // Through a value, so that the fields come sorted.
        serde_json::to_value(self).unwrap_or_default().to_string()
    }
}
