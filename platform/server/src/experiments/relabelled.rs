//! How much readers correct of what each arm answers: every recording that somebody read counts once.

use super::evidence::{Sources, undamaged};
use einthoven_experiments::guard::Relabels;
use einthoven_journal::labels::compared;
use einthoven_journal::{Journal, JournalError};
use std::collections::HashSet;
use uuid::Uuid;

/// Answers without labels that are remembered for later ones, of each challenger; more are not waited for.
const MOST: usize = 1_000_000;

/// Of one challenger, since it takes part as it does.
#[derive(Default)]
pub(super) struct Relabelled {
    /// Entry of the log since which it and the champion do.
    pub(super) since: u64,
    /// All answers that were looked at, so that none counts twice.
    known: HashSet<Uuid>,
    /// Those that nobody said anything about, or somebody is just reading, in the order of writing.
    waiting: Vec<Unread>,
    evidence: Relabels,
}

/// Answers to one recording: of both versions, or of one.
struct Unread {
    champion: Option<Uuid>,
    challenger: Option<Uuid>,
    /// Labels at the last look.
    labels: usize,
}

impl Relabelled {
    pub(super) fn since(since: u64) -> Self {
        Self {
            since,
            ..Self::default()
        }
    }

    /// Takes in what was answered and labelled since the last look; gives the evidence. A recording counts when a look finds no more
    /// labels of it than the one before: its reader has gone on. Later labels of it change nothing any more.
    pub(super) fn look(&mut self, sources: &Sources, shadow: bool) -> Result<Option<f64>, JournalError> {
        self.take_in(sources, shadow)?;
        let journal = &sources.journal;
        let mut unread = Vec::new();
        for mut one in std::mem::take(&mut self.waiting) {
            let ids = [one.champion, one.challenger];
            if !ids.iter().flatten().any(|id| journal.labels().has(*id)) {
                unread.push(one);
                continue;
            }
            let mut told = Vec::new();
            for id in ids.into_iter().flatten() {
                told.extend(journal.labels().of(id)?);
            }
            if told.len() != one.labels {
                one.labels = told.len();
                unread.push(one);
                continue;
            }
            let wrong = |id: Option<Uuid>| -> Result<Option<f64>, JournalError> {
                let Some(entry) = id.map(|id| found(journal, id)).transpose()?.flatten() else {
                    return Ok(None);
                };
                let compared = compared(&entry, &told);
                let wrong = compared.iter().filter(|beat| !beat.right()).count();
                Ok((!compared.is_empty()).then(|| wrong as f64 / compared.len() as f64))
            };
            let (champion, challenger) = (wrong(one.champion)?, wrong(one.challenger)?);
            // Of a pair of which one is gone, the other has nothing to be compared with.
            if !shadow || champion.is_some() == challenger.is_some() {
                self.evidence.see(champion, challenger);
            }
        }
        self.waiting = unread;
        Ok(self.evidence.evidence())
    }

    /// What was written since the last look, in the order of writing.
    fn take_in(&mut self, sources: &Sources, shadow: bool) -> Result<(), JournalError> {
        let arms = [(&sources.champion, false), (&sources.challenger, true)];
        for (version, is_challenger) in arms {
            if shadow && !is_challenger {
                // A shadow's answer names the one that it stands beside.
                continue;
            }
            let mut new = Vec::new();
            for entry in sources.entries(version, shadow, None) {
                let Some(entry) = undamaged(entry)? else { continue };
                // They come newest first.
                if !self.known.insert(entry.id) {
                    break;
                }
                let beside = entry.arm.and_then(|arm| arm.beside);
                let (champion, challenger) = match (shadow, is_challenger) {
                    (true, _) => (beside, Some(entry.id)),
                    (false, false) => (Some(entry.id), None),
                    (false, true) => (None, Some(entry.id)),
                };
                new.push(Unread {
                    champion,
                    challenger,
                    labels: 0,
                });
            }
            let room = MOST.saturating_sub(self.waiting.len());
            self.waiting.extend(new.into_iter().rev().take(room));
        }
        Ok(())
    }
}

fn found(journal: &Journal, id: Uuid) -> Result<Option<einthoven_journal::Entry>, JournalError> {
    match journal.get(id) {
        Err(JournalError::Damaged { .. }) => Ok(None),
        found => found,
    }
}
