//! Recordings as the units of a comparison: those of one person are one.

use super::{Design, Numbers};
use crate::figure::{Counts, Matrix, counts};
use crate::recording::{Answer, Recording, Together};
use std::collections::HashMap;

/// A person, or a recording of whom nothing is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit {
    /// The name of the first recording.
    pub(super) id: String,
    pub(super) recordings: u64,
    pub(super) champion: Option<Side>,
    pub(super) challenger: Option<Side>,
    pub(super) together: Option<Together>,
}

/// One version's answers to a unit, summed.
#[derive(Debug, Clone, Default)]
pub(super) struct Side {
    pub(super) said: [u64; 5],
    pub(super) withheld: u64,
    pub(super) matrix: Option<Matrix>,
    /// Of the first recording alone.
    pub(super) first: Option<Counts>,
    pub(super) partial: bool,
    /// Sum and number.
    pub(super) calibration: [f64; 2],
}

#[derive(Debug, Clone)]
pub(super) struct Units {
    pub(super) all: Vec<Unit>,
    pub(super) design: Design,
    pub(super) numbers: Numbers,
}

impl Side {
    /// Takes the labels in only where `labels` says so.
    fn add(&mut self, answer: &Answer, labels: bool) {
        self.said
            .iter_mut()
            .zip(answer.said)
            .for_each(|(sum, more)| *sum = sum.saturating_add(more));
        self.withheld = self.withheld.saturating_add(answer.withheld);
        let Some(matrix) = answer.matrix.as_ref().filter(|_| labels) else {
            return;
        };
        self.partial |= answer.partial;
        self.first.get_or_insert_with(|| counts(matrix));
        let sum = self.matrix.get_or_insert_default();
        for (sum, more) in sum.iter_mut().flatten().zip(matrix.iter().flatten()) {
            *sum = sum.saturating_add(*more);
        }
        if let Some(error) = answer.calibration_error.filter(|error| (0.0..=1.0).contains(error)) {
            self.calibration[0] += error;
            self.calibration[1] += 1.0;
        }
    }

    pub(super) fn counts(&self) -> Option<Counts> {
        self.matrix.as_ref().map(counts)
    }
}

impl Unit {
    fn add(&mut self, recording: &Recording) {
        self.recordings += 1;
        // Labels that only one of two answers was compared with would make a pair of what is none.
        let mut answers = recording.champion.iter().chain(&recording.challenger);
        let labels = answers.all(|answer| answer.matrix.is_some());
        for (side, answer) in [
            (&mut self.champion, &recording.champion),
            (&mut self.challenger, &recording.challenger),
        ] {
            if let Some(answer) = answer {
                side.get_or_insert_default().add(answer, labels);
            }
        }
        if let Some(together) = &recording.together {
            let sum = self.together.get_or_insert_default();
            for (sum, more) in sum
                .agreement
                .iter_mut()
                .flatten()
                .zip(together.agreement.iter().flatten())
            {
                *sum = sum.saturating_add(*more);
            }
            sum.right
                .iter_mut()
                .zip(together.right)
                .for_each(|(sum, more)| *sum = sum.saturating_add(more));
        }
    }
}

impl Units {
    pub(super) fn of(recordings: &[Recording]) -> Self {
        let mut numbers = Numbers {
            recordings: recordings.len() as u64,
            ..Numbers::default()
        };
        for recording in recordings {
            match (&recording.champion, &recording.challenger) {
                (Some(_), Some(_)) => numbers.both += 1,
                (Some(_), None) => numbers.champion_only += 1,
                (None, Some(_)) => numbers.challenger_only += 1,
                (None, None) => {}
            }
        }
        // Whichever uses more of what there is.
        let design = if numbers.both >= numbers.champion_only.min(numbers.challenger_only).max(1) {
            Design::Paired
        } else {
            Design::Apart
        };
        let usable = |recording: &Recording| {
            let (champion, challenger) = (recording.champion.is_some(), recording.challenger.is_some());
            match design {
                Design::Paired => champion && challenger,
                Design::Apart => champion != challenger,
            }
        };
        let mut all: Vec<Unit> = Vec::new();
        let mut places = HashMap::new();
        for recording in recordings.iter().filter(|recording| usable(recording)) {
            // Apart, a person whose arm has changed is two units: sticky arms make that rare.
            let arm = design == Design::Apart && recording.challenger.is_some();
            let name = recording.group.as_deref().unwrap_or(&recording.id);
            let place = *places.entry((recording.group.is_some(), name, arm)).or_insert_with(|| {
                all.push(Unit {
                    id: recording.id.clone(),
                    ..Unit::default()
                });
                all.len() - 1
            });
            all[place].add(recording);
        }
        let mut units = Self { all, design, numbers };
        units.numbers.units = units.all.len() as u64;
        units.numbers.labelled = match design {
            Design::Paired => units.pairs(|side| side.matrix).len() as u64,
            Design::Apart => {
                let (champion, challenger) = units.apart(|side| side.matrix);
                (champion.len() + challenger.len()) as u64
            }
        };
        units
    }

    pub(super) fn has_labels(&self) -> bool {
        match self.design {
            Design::Paired => self.numbers.labelled > 0,
            Design::Apart => {
                let (champion, challenger) = self.apart(|side| side.matrix);
                !champion.is_empty() && !challenger.is_empty()
            }
        }
    }

    /// Of each unit that has it for both arms.
    pub(super) fn pairs<T>(&self, value: impl Fn(&Side) -> Option<T>) -> Vec<(T, T)> {
        let pair = |unit: &Unit| Some((value(unit.champion.as_ref()?)?, value(unit.challenger.as_ref()?)?));
        self.all.iter().filter_map(pair).collect()
    }

    /// Of each arm's units that have it.
    pub(super) fn apart<T>(&self, value: impl Fn(&Side) -> Option<T>) -> (Vec<T>, Vec<T>) {
        let champion = self
            .all
            .iter()
            .filter_map(|unit| value(unit.champion.as_ref()?))
            .collect();
        let challenger = self
            .all
            .iter()
            .filter_map(|unit| value(unit.challenger.as_ref()?))
            .collect();
        (champion, challenger)
    }
}
