//! A row of the index.

use super::Summary;
use crate::Entry;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Bytes of a row in a file.
pub(crate) const ROW: usize = 60;
/// A name that found no place in the summary's lists: the entry itself must be asked.
pub(crate) const ELSEWHERE: u16 = u16::MAX;
/// Classes that have a bit of their own; further ones share the last.
const BITS: usize = 64;

/// Where an entry is, and enough of it to pass over most that are not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// In the segment.
    pub(crate) offset: u64,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
    pub(crate) id: Uuid,
    /// Positions in the summary's lists.
    pub(crate) model: u16,
    pub(crate) version: u16,
    /// One bit for each of the summary's classes that a beat has.
    pub(crate) classes: u64,
    /// Zero where no subject is given.
    pub(crate) subject: u64,
    /// Zero where it took part in none.
    pub(crate) experiment: u32,
    /// It was erased: the row only keeps its place, so that cursors stay true.
    pub(crate) erased: bool,
}

impl Row {
    /// The row of an entry; new names go into the summary.
    pub(crate) fn of(entry: &Entry, offset: u64, summary: &mut Summary) -> Self {
        let mut used = vec![false; entry.labels.len()];
        for class in entry.beats.class.iter().flatten() {
            if let Some(used) = used.get_mut(usize::from(*class)) {
                *used = true;
            }
        }
        let mut classes = 0;
        for (label, used) in entry.labels.iter().zip(used) {
            let bit = bit(summary.class(label));
            if used {
                classes |= bit;
            }
        }
        let row = Self {
            offset,
            at_ms: entry.at.as_millisecond(),
            id: entry.id,
            model: summary.model(&entry.model),
            version: summary.version(&entry.version),
            classes,
            subject: entry.subject.as_deref().map_or(0, subject_hash),
            experiment: entry.arm.as_ref().map_or(0, |arm| experiment_hash(&arm.experiment)),
            erased: false,
        };
        summary.count(&row);
        row
    }

    /// The row of what was erased.
    pub(crate) fn erased(offset: u64) -> Self {
        Self {
            offset,
            at_ms: 0,
            id: Uuid::nil(),
            model: ELSEWHERE,
            version: ELSEWHERE,
            classes: 0,
            subject: 0,
            experiment: 0,
            erased: true,
        }
    }

    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        bytes.extend_from_slice(&self.at_ms.to_le_bytes());
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&self.model.to_le_bytes());
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.extend_from_slice(&self.classes.to_le_bytes());
        bytes.extend_from_slice(&self.subject.to_le_bytes());
        bytes.extend_from_slice(&self.experiment.to_le_bytes());
        // Three bytes are free.
        bytes.extend_from_slice(&[u8::from(self.erased), 0, 0, 0]);
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (offset, rest) = bytes.split_first_chunk()?;
        let (at_ms, rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (model, rest) = rest.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (classes, rest) = rest.split_first_chunk()?;
        let (subject, rest) = rest.split_first_chunk()?;
        let (experiment, rest) = rest.split_first_chunk()?;
        Some(Self {
            offset: u64::from_le_bytes(*offset),
            at_ms: i64::from_le_bytes(*at_ms),
            id: Uuid::from_bytes(*id),
            model: u16::from_le_bytes(*model),
            version: u16::from_le_bytes(*version),
            classes: u64::from_le_bytes(*classes),
            subject: u64::from_le_bytes(*subject),
            experiment: u32::from_le_bytes(*experiment),
            erased: *rest.first()? != 0,
        })
    }
}

/// The bit of the class at this position.
pub(crate) fn bit(position: usize) -> u64 {
    1 << position.min(BITS - 1)
}

/// Enough to pass over other subjects; who has it is asked for its name. Never zero.
pub(crate) fn subject_hash(subject: &str) -> u64 {
    let digest = Sha256::digest(subject.as_bytes());
    let hash = digest.first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes));
    hash.max(1)
}

/// The same for experiments: entries of others are few, so fewer bits will do.
pub(crate) fn experiment_hash(experiment: &str) -> u32 {
    let digest = Sha256::digest(experiment.as_bytes());
    let hash = digest.first_chunk().map_or(1, |bytes| u32::from_le_bytes(*bytes));
    hash.max(1)
}
