//! From the journal to what the comparison takes: recordings with both versions' beats and what is known to be true of them.

use crate::journaling::catch_up;
use einthoven_ecg::beat::BeatClass;
use einthoven_experiments::drift::Figures;
use einthoven_experiments::{Beat, Label, Recording, Truth};
use einthoven_journal::labels::{Label as Told, Source, Truth as Held, current};
use einthoven_journal::{Cursor, Entries, Entry, Filter, Journal, JournalError, Unit};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// Recordings that a verdict looks at: the first ones, since what looks all the time must begin where the experiment did.
pub(crate) const MOST: usize = 5_000;

/// Rows stand this far apart as beats: further than any two that could be taken for one.
const ROW_SAMPLES: u64 = 1_000;
const ROW_RATE_HZ: f64 = 360.0;

/// Two versions of an experiment, and where their answers are.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) journal: Journal,
    pub(crate) model: String,
    pub(crate) experiment: String,
    pub(crate) champion: String,
    pub(crate) challenger: String,
    /// What was answered before does not count; none where all does.
    pub(crate) since: Option<Timestamp>,
}

/// A recording that counts, and when it became complete.
pub(crate) struct Known {
    pub(crate) complete: Timestamp,
    pub(crate) recording: Recording,
}

impl Known {
    /// Whose it is, or what was sent: recordings of one person are alike, and one that is sent twice is one.
    pub(crate) fn person(&self) -> &str {
        self.recording.group.as_deref().unwrap_or(&self.recording.id)
    }
}

impl Sources {
    /// Answers of a version in this experiment, newest first; its own, or those it computed beside others.
    pub(crate) fn entries(&self, version: &str, shadow: bool, after: Option<Cursor>) -> Entries {
        let of_arm = move |entry: &Entry| entry.arm.as_ref().is_some_and(|arm| arm.beside.is_some() == shadow);
        if after.is_none() {
            catch_up(&self.journal);
        }
        self.journal.entries(self.of(version), after).only(of_arm)
    }

    fn of(&self, version: &str) -> Filter {
        Filter {
            model: Some(self.model.clone()),
            version: Some(version.to_owned()),
            experiment: Some(self.experiment.clone()),
            from: self.since,
            ..Filter::default()
        }
    }

    /// Whether the challenger's newest answer was computed beside the champion's: one that goes on from a shadow to a share is
    /// judged by what it answers since.
    fn is_shadow(&self) -> Result<bool, JournalError> {
        for entry in self.journal.entries(self.of(&self.challenger), None) {
            if let Some(arm) = undamaged(entry)?.and_then(|entry| entry.arm) {
                return Ok(arm.beside.is_some());
            }
        }
        Ok(false)
    }

    /// Recordings that the challenger computed beside the champion, newest first, with the place after each. `see` may end it.
    pub(crate) fn pairs(
        &self,
        after: Option<Cursor>,
        mut see: impl FnMut(&Entry, &Entry, Option<Cursor>) -> Result<ControlFlow<()>, JournalError>,
    ) -> Result<(), JournalError> {
        let mut shadows = self.entries(&self.challenger, true, after);
        while let Some(shadow) = shadows.next() {
            let shadow = undamaged(shadow)?;
            let beside = shadow.as_ref().and_then(|shadow| shadow.arm.as_ref()?.beside);
            let (Some(shadow), Some(beside)) = (shadow, beside) else {
                continue;
            };
            let champion = self.journal.get(beside)?.filter(|entry| entry.version == self.champion);
            if let Some(champion) = champion
                && see(&champion, &shadow, shadows.cursor())?.is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// What is known, in the order in which it became complete: of pairs where the challenger is a shadow, else of both arms apart. With more
    /// than `most`, the first ones where `first` says so, else the last.
    pub(crate) fn known(&self, most: usize, first: bool) -> Result<Vec<Known>, JournalError> {
        let mut all = VecDeque::new();
        let take = |known: Known, all: &mut VecDeque<Known>| {
            all.push_back(known);
            if all.len() <= most {
                return ControlFlow::Continue(());
            }
            // They come newest first.
            if first {
                all.pop_front();
                return ControlFlow::Continue(());
            }
            all.pop_back();
            ControlFlow::Break(())
        };
        if self.is_shadow()? {
            self.pairs(None, |champion, shadow, _| {
                let known = self.recording(Some(champion), Some(shadow))?;
                Ok(known.map_or(ControlFlow::Continue(()), |known| take(known, &mut all)))
            })?;
        }
        if all.is_empty() {
            let mut arms = Vec::new();
            for (version, is_champion) in [(&self.champion, true), (&self.challenger, false)] {
                let mut arm = VecDeque::new();
                for entry in self.entries(version, false, None) {
                    let Some(entry) = undamaged(entry)? else { continue };
                    let (champion, challenger) = if is_champion {
                        (Some(&entry), None)
                    } else {
                        (None, Some(&entry))
                    };
                    if let Some(known) = self.recording(champion, challenger)?
                        && take(known, &mut arm).is_break()
                    {
                        break;
                    }
                }
                arms.extend(arm);
            }
            all.extend(arms);
        }
        let mut all: Vec<Known> = all.into();
        all.sort_by_key(|known| known.complete);
        Ok(all)
    }

    /// What is known of a recording; none of what has no beats or rows.
    fn recording(&self, champion: Option<&Entry>, challenger: Option<&Entry>) -> Result<Option<Known>, JournalError> {
        let Some(any) = champion.or(challenger) else {
            return Ok(None);
        };
        let (rate_hz, scale) = match (any.unit, any.sampling_rate_hz) {
            (Unit::Beats, Some(rate)) => (rate, 1),
            (Unit::Rows, _) => (ROW_RATE_HZ, ROW_SAMPLES),
            _ => return Ok(None),
        };
        let mut told = Vec::new();
        for entry in [champion, challenger].into_iter().flatten() {
            told.extend(self.journal.labels().of(entry.id)?);
        }
        let labels: Vec<Label> = truths(&told, scale);
        let truth = if told.iter().any(|label| label.source == Source::Reference) {
            Truth::Whole(&labels)
        } else {
            Truth::Some(&labels)
        };
        let beats = |entry: &Entry| -> Vec<Beat> {
            let beat = |beat: einthoven_journal::Beat<'_>| Beat {
                sample: beat.at.saturating_mul(scale),
                class: beat.class.and_then(class),
                confidence: beat.probability.map(f64::from),
            };
            entry.beats().map(beat).collect()
        };
        let (one, two) = (champion.map(beats), challenger.map(beats));
        let id = any.record.as_deref().unwrap_or(&any.digests.input);
        let mut recording = Recording::of(id, rate_hz, one.as_deref(), two.as_deref(), Some(truth));
        // What was sent twice is one recording.
        recording.group = Some(any.subject.clone().unwrap_or_else(|| any.digests.input.clone()));
        let labelled = told.iter().map(|label| label.at).min();
        Ok(Some(Known {
            complete: labelled.map_or(any.at, |labelled| labelled.max(any.at)),
            recording,
        }))
    }
}

/// What holds, as the comparison takes it.
fn truths(told: &[Told], scale: u64) -> Vec<Label> {
    let label = |(at, held): (u64, einthoven_journal::labels::Current)| {
        let class = match held.truth? {
            // A beat of a class that EC57 does not know is one all the same.
            Held::Class { class: name } => Some(class(&name).unwrap_or(BeatClass::Q)),
            Held::Missed { class: name } => Some(name.as_deref().and_then(class).unwrap_or(BeatClass::Q)),
            Held::NotABeat => None,
            Held::Withdrawn => return None,
        };
        let sample = at.saturating_mul(scale);
        Some(Label { sample, class })
    };
    current(told).into_iter().filter_map(label).collect()
}

fn class(name: &str) -> Option<BeatClass> {
    let letter = name.chars().next().filter(|_| name.chars().count() == 1)?;
    BeatClass::from_letter(letter)
}

/// An entry whose bytes are damaged is passed over; the journal has logged it.
pub(crate) fn undamaged(entry: Result<Entry, JournalError>) -> Result<Option<Entry>, JournalError> {
    match entry {
        Ok(entry) => Ok(Some(entry)),
        Err(JournalError::Damaged { .. }) => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// A recording's figures: what came in, and what was said about it.
pub(crate) fn figures(entry: &Entry) -> Figures {
    let mut figures: Figures = entry.quality.figures.clone();
    // How long it is says nothing about what it is like.
    for name in ["samples", "rows"] {
        figures.remove(name);
    }
    figures.extend(entry.sampling_rate_hz.map(|rate| ("sampling_rate_hz".to_owned(), rate)));
    figures.extend(
        entry
            .quality
            .readable_share
            .map(|share| ("readable_share".to_owned(), share)),
    );
    let all = entry.beats.len() as f64;
    if all > 0.0 {
        for label in &entry.labels {
            let said = entry.beats().filter(|beat| beat.class == Some(label.as_str())).count();
            figures.insert(format!("share_{label}"), said as f64 / all);
        }
        let withheld = entry.beats.class.iter().filter(|class| class.is_none()).count();
        figures.insert("withheld_share".to_owned(), withheld as f64 / all);
        let sure: Vec<f64> = entry
            .beats()
            .filter_map(|beat| beat.probability)
            .map(f64::from)
            .collect();
        if !sure.is_empty() {
            figures.insert("confidence".to_owned(), sure.iter().sum::<f64>() / sure.len() as f64);
        }
    }
    figures
}
