//! What looks at one challenger leave for the next.

use super::evidence::Known;
use super::relabelled::Relabelled;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Experiment and challenger.
type Key = (String, String);

/// Of one challenger.
#[derive(Default)]
pub(super) struct Remembered {
    /// Entries of the log since which the champion and the challenger take part as they do: with another champion all begins anew.
    since: [u64; 2],
    pub(super) relabelled: Relabelled,
    pub(super) looks: Looks,
}

/// Looks at class shares and withheld beats.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Looks {
    /// So many were taken.
    pub(super) number: u32,
    /// When the newest recording of the last one was complete.
    until: Option<Timestamp>,
}

impl Looks {
    /// Whether fewer people than that are new since the last look.
    pub(super) fn has_looked(&self, known: &[Known], least: u64) -> bool {
        let Some(until) = self.until else { return false };
        let new: BTreeSet<&str> = known
            .iter()
            .filter(|known| known.complete > until)
            .map(Known::person)
            .collect();
        (new.len() as u64) < least.max(1)
    }

    /// One was taken at these.
    pub(super) fn took(&mut self, known: &[Known]) {
        self.number = self.number.saturating_add(1);
        self.until = known.iter().map(|known| known.complete).max().max(self.until);
    }
}

/// Of all challengers.
#[derive(Default)]
pub(crate) struct Memory(Mutex<BTreeMap<Key, Remembered>>);

/// Looks that are under way.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<BTreeSet<Key>>>);

/// One of them; another at the same version begins only when it is dropped.
pub(super) struct Turn {
    turns: Turns,
    key: Key,
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.turns.0).remove(&self.key);
    }
}

impl Turns {
    /// A look at that version; none while there is one already.
    pub(super) fn turn(&self, key: Key) -> Option<Turn> {
        let free = lock(&self.0).insert(key.clone());
        free.then(|| Turn {
            turns: self.clone(),
            key,
        })
    }
}

impl Memory {
    /// Takes out what is remembered of a challenger that takes part since then; nothing of one that took part otherwise.
    pub(super) fn recall(&self, key: &Key, since: [u64; 2]) -> Remembered {
        let known = lock(&self.0).remove(key).filter(|known| known.since == since);
        known.unwrap_or_else(|| Remembered {
            since,
            ..Remembered::default()
        })
    }

    pub(super) fn keep(&self, key: Key, remembered: Remembered) {
        lock(&self.0).insert(key, remembered);
    }

    pub(super) fn retain(&self, takes_part: impl Fn(&str, &str) -> bool) {
        lock(&self.0).retain(|(experiment, challenger), _| takes_part(experiment, challenger));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use einthoven_experiments::Recording;

    fn key() -> Key {
        ("rr".to_owned(), "2".to_owned())
    }

    /// The champion is a part of what evidence is about: with another one, what was gathered against the first is void, and so
    /// where the challenger itself came back.
    #[test]
    fn another_champion_or_a_challenger_that_came_back_begins_anew() {
        let memory = Memory::default();
        let mut gathered = memory.recall(&key(), [3, 7]);
        gathered.relabelled = Relabelled::of_one(0.0, 1.0);
        let evidence = gathered.relabelled.evidence();
        assert!(evidence.is_some());
        memory.keep(key(), gathered);
        let same = memory.recall(&key(), [3, 7]);
        assert_eq!(same.relabelled.evidence(), evidence);
        for since in [[5, 7], [3, 9]] {
            let mut gathered = memory.recall(&key(), [3, 7]);
            gathered.relabelled = Relabelled::of_one(0.0, 1.0);
            memory.keep(key(), gathered);
            assert_eq!(memory.recall(&key(), since).relabelled.evidence(), None, "{since:?}");
        }
    }

    #[test]
    fn a_look_that_is_under_way_is_the_only_one() {
        let turns = Turns::default();
        let turn = turns.turn(key());
        assert!(turn.is_some() && turns.turn(key()).is_none());
        assert!(turns.turn(("rr".to_owned(), "3".to_owned())).is_some());
        drop(turn);
        assert!(turns.turn(key()).is_some());
    }

    #[test]
    fn what_nobody_new_answered_is_not_looked_at_again() {
        let known = |people: std::ops::Range<i64>| -> Vec<Known> {
            let known = |at: i64| Known {
                complete: Timestamp::from_second(at).unwrap_or_default(),
                recording: Recording {
                    // Two recordings of each.
                    group: Some(format!("person {}", at / 2)),
                    ..Recording::default()
                },
            };
            people.map(known).collect()
        };
        let mut looks = Looks::default();
        assert!(!looks.has_looked(&known(0..40), 20));
        looks.took(&known(0..40));
        assert_eq!(looks.number, 1);
        assert!(looks.has_looked(&known(0..40), 20) && looks.has_looked(&known(0..78), 20));
        assert!(!looks.has_looked(&known(0..80), 20));
    }
}
