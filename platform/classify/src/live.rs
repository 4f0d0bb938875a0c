//! Beats of a lead that goes on, each classified when the next one was found.

use crate::beats::{classes, verdict};
use crate::document::{BeatOut, ModelOut, rounded};
use crate::error::ClassifyError;
use crate::model::ServedModel;
use einthoven_ecg::quality::{self, Grade};
use einthoven_ecg::recipe::{RATE_RANGE_HZ, Recipe, RecipeError};
use einthoven_ecg::recording::{Lead, StandardLead};
use einthoven_ecg::stream::LiveLead;
use std::collections::VecDeque;
use std::sync::Arc;

/// Seconds before a beat that its rhythm and shape are compared with.
const CONTEXT_S: f64 = 60.0;
/// Seconds that say how good the signal is.
const QUALITY_S: f64 = 10.0;
/// How long a beat waits for the next one: so many times the interval that is usual here, within these seconds.
const PATIENCE: f64 = 2.0;
const PATIENCE_S: (f64, f64) = (1.0, 3.0);
/// Intervals that say what is usual.
const USUAL: usize = 8;
/// Beats without which a recipe compares nothing.
const FEWEST: usize = 4;

/// One lead that goes on, and the model that classifies its beats.
pub struct LiveBeats {
    model: Arc<ServedModel>,
    recipe: Recipe,
    lead: LiveLead,
    name: String,
    /// Found, and not said yet.
    waiting: VecDeque<u64>,
    /// Intervals between the last beats, samples.
    intervals: VecDeque<u64>,
    last: Option<u64>,
}

impl LiveBeats {
    /// Begins a lead of that name and rate, in samples per second.
    ///
    /// # Errors
    /// [`ClassifyError`] when the model takes another kind of input, or the rate is none that its recipe takes.
    pub fn new(model: Arc<ServedModel>, lead: String, rate_hz: f64) -> Result<Self, ClassifyError> {
        let Some(recipe) = model.recipe().ok().filter(|recipe| *recipe == Recipe::BeatRrV1) else {
            return Err(ClassifyError::WrongKind {
                model: model.manifest().name.clone(),
                takes: "rows of 187 values that hold one beat each",
                given: "samples of a lead",
            });
        };
        let (low, high) = RATE_RANGE_HZ;
        let live = LiveLead::new(rate_hz, CONTEXT_S).filter(|_| (low..=high).contains(&rate_hz));
        let live = live.ok_or(ClassifyError::Recipe(RecipeError::Rate { rate_hz, low, high }))?;
        Ok(Self {
            model,
            recipe,
            lead: live,
            name: lead,
            waiting: VecDeque::new(),
            intervals: VecDeque::new(),
            last: None,
        })
    }

    /// Samples that have come.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.lead.len()
    }

    /// The model that classifies.
    #[must_use]
    pub fn model(&self) -> ModelOut {
        ModelOut::of(&self.model)
    }

    /// Whether so many more samples ask for no more than keeping them.
    #[must_use]
    pub fn only_keeps(&self, more: usize) -> bool {
        more < self.lead.until_look()
    }

    /// Takes samples in, millivolts with NaN where invalid, and gives the beats that can be said.
    ///
    /// # Errors
    /// The engine's failure; the samples were taken in all the same.
    pub fn push(&mut self, samples_mv: &[f32]) -> Result<Vec<BeatOut>, ClassifyError> {
        let (mut rest, mut said) = (samples_mv, Vec::new());
        while !rest.is_empty() {
            let (now, after) = rest.split_at(rest.len().min(self.lead.until_look()));
            rest = after;
            // Between looks nothing is decided, so that it does not matter how the samples were cut.
            let looks = now.len() == self.lead.until_look();
            let found = self.lead.push(now);
            if looks {
                self.found(found);
                self.say(false, &mut said)?;
            }
        }
        Ok(said)
    }

    /// The beats that are left when no more samples come.
    ///
    /// # Errors
    /// The engine's failure.
    pub fn finish(&mut self) -> Result<Vec<BeatOut>, ClassifyError> {
        let (found, mut said) = (self.lead.finish(), Vec::new());
        self.found(found);
        self.say(true, &mut said)?;
        Ok(said)
    }

    fn found(&mut self, peaks: Vec<u64>) {
        for peak in peaks {
            if let Some(last) = self.last.replace(peak) {
                self.intervals.push_back(peak - last);
                if self.intervals.len() > USUAL {
                    self.intervals.pop_front();
                }
            }
            self.waiting.push_back(peak);
        }
    }

    /// Says the beats that have a successor, and those that waited for one long enough.
    fn say(&mut self, all: bool, said: &mut Vec<BeatOut>) -> Result<(), ClassifyError> {
        while let Some(&beat) = self.waiting.front() {
            let followed = self.waiting.len() > 1 && self.lead.peaks().len() >= FEWEST;
            let late = (self.lead.len() - beat) as f64 >= self.patience_s() * self.lead.rate_hz();
            if !(all || followed || late && self.lead.peaks().len() >= FEWEST) {
                // A pause as long as all that is kept has nothing left to compare with.
                let forgotten = self.lead.kept().1 > beat;
                if !forgotten {
                    return Ok(());
                }
            }
            self.waiting.pop_front();
            said.push(self.classified(beat)?);
        }
        Ok(())
    }

    fn patience_s(&self) -> f64 {
        let mut intervals: Vec<u64> = self.intervals.iter().copied().collect();
        intervals.sort_unstable();
        let usual = intervals.get(intervals.len() / 2).copied().unwrap_or(0);
        (PATIENCE * usual as f64 / self.lead.rate_hz()).clamp(PATIENCE_S.0, PATIENCE_S.1)
    }

    fn classified(&self, beat: u64) -> Result<BeatOut, ClassifyError> {
        let (samples, first) = self.lead.kept();
        let rate = self.lead.rate_hz();
        let peaks: Vec<usize> = self.lead.peaks().iter().map(|peak| (peak - first) as usize).collect();
        let place = self.lead.peaks().iter().position(|peak| *peak == beat);
        let sample = usize::try_from(beat).unwrap_or(usize::MAX);
        let mut said = BeatOut {
            sample,
            time_s: rounded(beat as f64 / rate, 1e4),
            class: None,
            probabilities: None,
            quality: Grade::Unreadable,
        };
        let Some(place) = place else { return Ok(said) };
        let grade = self.grade(samples, &peaks, place);
        let positions: Vec<f64> = peaks.iter().map(|&peak| peak as f64).collect();
        let prepared = match self.recipe.prepare(samples, rate, &positions) {
            Ok(prepared) => prepared,
            Err(RecipeError::TooFewBeats { .. }) => {
                said.quality = grade;
                return Ok(said);
            }
            Err(cause) => return Err(cause.into()),
        };
        let row = self.model.predict(1, |_| prepared.tensors(place..place + 1))?;
        if grade != Grade::Unreadable && row.iter().all(|value| value.is_finite()) {
            said.quality = grade;
            (said.class, said.probabilities) = verdict(&classes(&self.model), &row);
        }
        Ok(said)
    }

    /// How good the last seconds are, at one of their beats.
    fn grade(&self, samples: &[f32], peaks: &[usize], place: usize) -> Grade {
        let rate = self.lead.rate_hz();
        let from = samples
            .len()
            .saturating_sub((QUALITY_S * rate) as usize)
            .min(peaks[place]);
        let inside = peaks.partition_point(|peak| *peak < from);
        let near: Vec<usize> = peaks[inside..].iter().map(|peak| peak - from).collect();
        let lead = Lead {
            name: self.name.clone(),
            standard: StandardLead::from_name(&self.name),
            samples_mv: samples[from..].to_vec(),
            rails_mv: None,
        };
        let graded = quality::assess(&lead, rate, &near);
        graded.beats.get(place - inside).copied().unwrap_or(Grade::Unreadable)
    }
}
