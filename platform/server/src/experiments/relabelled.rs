//! How much readers correct of what each arm answers: every recording that somebody read counts once.

use super::evidence::{Sources, undamaged};
use einthoven_experiments::guard::Relabels;
use einthoven_journal::labels::compared;
use einthoven_journal::{Journal, JournalError};
use std::collections::{HashSet, VecDeque};
use uuid::Uuid;

/// Answers without labels that are remembered for later ones, of each challenger: the newest, which are the ones that are still read.
const MOST_WAITING: usize = 100_000;
/// Answers of each arm by which a look knows where the one before it ended. Some of them may be erased meanwhile, hardly all.
const MOST_KNOWN: usize = 4_096;

/// Of one challenger, since it takes part as it does.
#[derive(Default)]
pub(super) struct Relabelled {
    /// The newest answers that were looked at, of the champion and of the challenger.
    known: [Known; 2],
    /// Those that nobody said anything about, or somebody is just reading, in the order of writing.
    waiting: VecDeque<Unread>,
    evidence: Relabels,
}

/// Answers to one recording: of both versions, or of one.
#[derive(Clone, Copy)]
struct Unread {
    champion: Option<Uuid>,
    challenger: Option<Uuid>,
    /// Labels at the last look.
    labels: usize,
}

/// The newest ids of those that were looked at.
#[derive(Default)]
struct Known {
    order: VecDeque<Uuid>,
    ids: HashSet<Uuid>,
}

impl Known {
    fn push(&mut self, id: Uuid) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        while self.order.len() > MOST_KNOWN {
            let oldest = self.order.pop_front();
            self.ids.remove(&oldest.unwrap_or_default());
        }
    }
}

impl Relabelled {
    /// Takes in what was answered and labelled since the last look; gives the evidence. A recording counts when a look finds no more
    /// labels of it than the one before: its reader has gone on. Later labels of it change nothing any more. What cannot be read now
    /// is looked at again the next time.
    pub(super) fn look(&mut self, sources: &Sources, shadow: bool) -> Option<f64> {
        if let Err(cause) = self.take_in(sources, shadow) {
            tracing::error!(
                "what experiment {} answered cannot be read: {cause}",
                sources.experiment
            );
        }
        self.read(|one| read(&sources.journal, one), shadow);
        self.evidence()
    }

    /// The evidence so far.
    pub(super) fn evidence(&self) -> Option<f64> {
        self.evidence.evidence()
    }

    /// After one recording of each arm.
    #[cfg(test)]
    pub(super) fn of_one(champion: f64, challenger: f64) -> Self {
        let mut relabelled = Self::default();
        relabelled.evidence.see(Some(champion), Some(challenger));
        relabelled
    }

    /// Reads everything that waits, and keeps what is to wait on.
    fn read(&mut self, read: impl Fn(&Unread) -> Result<Read, JournalError>, shadow: bool) {
        let mut failed = None;
        self.waiting.retain_mut(|one| match read(one) {
            Ok(Read::Nothing) => true,
            Ok(Read::More(labels)) => {
                one.labels = labels;
                true
            }
            Ok(Read::Wrong(champion, challenger)) => {
                // Of a pair of which one is gone, the other has nothing to be compared with.
                if !shadow || champion.is_some() == challenger.is_some() {
                    self.evidence.see(champion, challenger);
                }
                false
            }
            Err(cause) => {
                failed = Some(cause);
                true
            }
        });
        if let Some(cause) = failed {
            tracing::error!("labels of an experiment cannot be read: {cause}");
        }
    }

    /// What was written since the last look, in the order of writing.
    fn take_in(&mut self, sources: &Sources, shadow: bool) -> Result<(), JournalError> {
        let arms = [(&sources.champion, false), (&sources.challenger, true)];
        for (version, is_challenger) in arms {
            if shadow && !is_challenger {
                // A shadow's answer names the one that it stands beside.
                continue;
            }
            let known = &mut self.known[usize::from(is_challenger)];
            let mut new = Vec::new();
            for entry in sources.entries(version, shadow, None) {
                let Some(entry) = undamaged(entry)? else { continue };
                // They come newest first; of more than can wait, the older ones would have to go at once.
                if known.ids.contains(&entry.id) || new.len() >= MOST_WAITING {
                    break;
                }
                let beside = entry.arm.and_then(|arm| arm.beside);
                let (champion, challenger) = match (shadow, is_challenger) {
                    (true, _) => (beside, Some(entry.id)),
                    (false, false) => (Some(entry.id), None),
                    (false, true) => (None, Some(entry.id)),
                };
                let labels = 0;
                new.push((
                    entry.id,
                    Unread {
                        champion,
                        challenger,
                        labels,
                    },
                ));
            }
            // Only what was read to its end is known.
            for (id, unread) in new.into_iter().rev() {
                known.push(id);
                self.waiting.push_back(unread);
            }
        }
        let old = self.waiting.len().saturating_sub(MOST_WAITING);
        self.waiting.drain(..old);
        Ok(())
    }
}

/// What readers said about answers that wait.
enum Read {
    /// Nothing.
    Nothing,
    /// So many labels, which are more than at the last look.
    More(usize),
    /// These shares of the beats were called wrongly.
    Wrong(Option<f64>, Option<f64>),
}

fn read(journal: &Journal, one: &Unread) -> Result<Read, JournalError> {
    let ids = [one.champion, one.challenger];
    if !ids.iter().flatten().any(|id| journal.labels().has(*id)) {
        return Ok(Read::Nothing);
    }
    let mut told = Vec::new();
    for id in ids.into_iter().flatten() {
        told.extend(journal.labels().of(id)?);
    }
    if told.len() != one.labels {
        return Ok(Read::More(told.len()));
    }
    let wrong = |id: Option<Uuid>| -> Result<Option<f64>, JournalError> {
        let Some(entry) = id.map(|id| found(journal, id)).transpose()?.flatten() else {
            return Ok(None);
        };
        let compared = compared(&entry, &told);
        let wrong = compared.iter().filter(|beat| !beat.right()).count();
        Ok((!compared.is_empty()).then(|| wrong as f64 / compared.len() as f64))
    };
    Ok(Read::Wrong(wrong(one.champion)?, wrong(one.challenger)?))
}

fn found(journal: &Journal, id: Uuid) -> Result<Option<einthoven_journal::Entry>, JournalError> {
    match journal.get(id) {
        Err(JournalError::Damaged { .. }) => Ok(None),
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(number: u128) -> Unread {
        Unread {
            champion: Some(Uuid::from_u128(2 * number)),
            challenger: Some(Uuid::from_u128(2 * number + 1)),
            labels: 0,
        }
    }

    #[test]
    fn what_cannot_be_read_now_waits_and_holds_up_nothing() {
        let mut relabelled = Relabelled::default();
        relabelled.waiting.extend((0..10).map(unread));
        let broken = Uuid::from_u128(6);
        let reads = |one: &Unread| match one.champion {
            Some(id) if id == broken => Err(JournalError::Closed),
            _ => Ok(Read::Wrong(Some(0.0), Some(0.5))),
        };
        relabelled.read(reads, true);
        assert_eq!(relabelled.waiting.len(), 1);
        let nine = relabelled.evidence.evidence();
        assert!(nine.is_some());
        // Once it can be read it counts, and only once.
        relabelled.read(|_| Ok(Read::Wrong(Some(0.0), Some(0.5))), true);
        let ten = relabelled.evidence.evidence();
        assert!(ten > nine && relabelled.waiting.is_empty());
        relabelled.read(|_| Ok(Read::Wrong(Some(0.0), Some(0.5))), true);
        assert_eq!(relabelled.evidence.evidence(), ten);
    }

    #[test]
    fn a_reader_who_goes_on_is_waited_for() {
        let mut relabelled = Relabelled::default();
        relabelled.waiting.push_back(unread(1));
        relabelled.read(|_| Ok(Read::Nothing), true);
        relabelled.read(|_| Ok(Read::More(3)), true);
        assert_eq!((relabelled.waiting.len(), relabelled.waiting[0].labels), (1, 3));
        // One of a pair alone says nothing of the other.
        relabelled.read(|_| Ok(Read::Wrong(None, Some(1.0))), true);
        assert_eq!((relabelled.waiting.len(), relabelled.evidence.evidence()), (0, None));
    }

    #[test]
    fn no_more_ids_are_known_than_stated() {
        let mut known = Known::default();
        for number in 0..3 * MOST_KNOWN as u128 {
            known.push(Uuid::from_u128(number));
            known.push(Uuid::from_u128(number));
        }
        assert_eq!((known.order.len(), known.ids.len()), (MOST_KNOWN, MOST_KNOWN));
        assert!(known.ids.contains(&Uuid::from_u128(3 * MOST_KNOWN as u128 - 1)));
        assert!(!known.ids.contains(&Uuid::from_u128(0)));
    }
}
