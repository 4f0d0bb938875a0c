//! Which subjects get which version: a hash, and a layout that moves nobody without need.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Slots that the subjects of an experiment fall into; a share is a number of them, a hundredth of a percent each.
pub const SLOTS: u16 = 10_000;

/// The slot of a subject, 0 to 9,999.
///
/// This never changes: the first eight bytes, most significant first, of SHA-256 over `einthoven split 1`, a zero byte, the
/// experiment's length in bytes as eight bytes, most significant first, the experiment and the subject; as a fraction of
/// 2^64, times 10,000, rounded down. A slot is off its share by less than one in 10^15.
#[must_use]
pub fn slot(experiment: &str, subject: &str) -> u16 {
    hashed(b"einthoven split 1\0", &[experiment], subject)
}

/// Whether a shadow of that version computes for a subject. It is another hash than [`slot`]'s, and another for each version,
/// so that who is sampled says nothing about who is in which arm. A greater share keeps all whom a smaller one had.
#[must_use]
pub fn sampled(experiment: &str, version: &str, subject: &str, basis_points: u16) -> bool {
    hashed(b"einthoven shadow 1\0", &[experiment, version], subject) < basis_points
}

fn hashed(domain: &[u8], names: &[&str], subject: &str) -> u16 {
    let mut hash = Sha256::new();
    hash.update(domain);
    for name in names {
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name.as_bytes());
    }
    hash.update(subject.as_bytes());
    let head = hash
        .finalize()
        .iter()
        .take(8)
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    ((u128::from(head) * u128::from(SLOTS)) >> 64) as u16
}

/// A challenger with its share of the subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The challenger.
    pub arm: String,
    /// Hundredths of a percent, up to 10,000.
    pub basis_points: u16,
}

/// Why shares cannot be dealt out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Together more than everybody.
    #[error("the challengers take {0} hundredths of a percent of the subjects together; 10000 is all of them")]
    TooMuch(u32),
    /// Two shares for one arm.
    #[error("the challenger `{0}` has two shares; give it one")]
    Twice(String),
}

/// Which slots are whose; what nobody has is the champion's.
///
/// A layout made from nothing is a function of the shares alone, and with one or two challengers raising a share moves subjects
/// from the champion to that challenger and nobody else. With more, or when one leaves, only a layout that follows from the
/// one before can do that: [`Split::reweighed`]. It is a fold over the changes of the shares, so every server that reads the
/// same changes has the same layout.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Split {
    arms: Vec<Arm>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Arm {
    arm: String,
    /// Takes the highest free slots first, not the lowest: two such arms grow towards each other.
    from_top: bool,
    /// In the order in which they were taken: the last is given back first.
    slots: Vec<Range<u16>>,
}

impl Split {
    /// A layout from nothing.
    ///
    /// # Errors
    /// Shares that take more than everybody, or an arm named twice.
    pub fn new(shares: &[Share]) -> Result<Self, SplitError> {
        Self::default().reweighed(shares)
    }

    /// The layout after the shares have become these: an arm that shrinks gives slots to the champion, the last it took
    /// first; an arm that grows takes them from the champion; nobody else moves. An arm that is not named has left.
    ///
    /// # Errors
    /// Shares that take more than everybody, or an arm named twice.
    pub fn reweighed(&self, shares: &[Share]) -> Result<Self, SplitError> {
        let sum: u32 = shares.iter().map(|share| u32::from(share.basis_points)).sum();
        if sum > u32::from(SLOTS) {
            return Err(SplitError::TooMuch(sum));
        }
        for (at, share) in shares.iter().enumerate() {
            if shares[..at].iter().any(|other| other.arm == share.arm) {
                return Err(SplitError::Twice(share.arm.clone()));
            }
        }
        let mut next = Self::default();
        for share in shares {
            let had = self.arms.iter().find(|arm| arm.arm == share.arm).cloned();
            let mut arm = had.unwrap_or_else(|| {
                let kept = |top| {
                    self.arms
                        .iter()
                        .chain(&next.arms)
                        .filter(|arm| arm.from_top == top)
                        .count()
                };
                Arm {
                    arm: share.arm.clone(),
                    from_top: kept(true) < kept(false),
                    slots: Vec::new(),
                }
            });
            arm.shrink(share.basis_points);
            next.arms.push(arm);
        }
        // After all have given back, so that there is enough for all who grow.
        for (at, share) in shares.iter().enumerate() {
            while next.arms[at].size() < share.basis_points {
                let wanted = share.basis_points - next.arms[at].size();
                let Some(free) = next.free(next.arms[at].from_top) else {
                    break;
                };
                next.arms[at].take(&free, wanted);
            }
        }
        Ok(next)
    }

    /// The challenger that answers a subject; none where the champion does.
    #[must_use]
    pub fn arm(&self, experiment: &str, subject: &str) -> Option<&str> {
        self.at(slot(experiment, subject))
    }

    /// The challenger whose slot that is; none where it is the champion's.
    #[must_use]
    pub fn at(&self, slot: u16) -> Option<&str> {
        let owner = self
            .arms
            .iter()
            .find(|arm| arm.slots.iter().any(|range| range.contains(&slot)));
        owner.map(|arm| arm.arm.as_str())
    }

    /// The shares, in the order in which they were given.
    #[must_use]
    pub fn shares(&self) -> Vec<Share> {
        let share = |arm: &Arm| Share {
            arm: arm.arm.clone(),
            basis_points: arm.size(),
        };
        self.arms.iter().map(share).collect()
    }

    /// The lowest or highest run of slots that nobody has.
    fn free(&self, from_top: bool) -> Option<Range<u16>> {
        let mut taken: Vec<_> = self.arms.iter().flat_map(|arm| arm.slots.iter().cloned()).collect();
        taken.sort_by_key(|range| range.start);
        let ends = taken.iter().map(|range| range.end);
        let starts = taken.iter().map(|range| range.start).chain([SLOTS]);
        let mut gaps = std::iter::once(0).chain(ends).zip(starts).map(|(from, to)| from..to);
        if from_top {
            gaps.filter(|gap| !gap.is_empty()).last()
        } else {
            gaps.find(|gap| !gap.is_empty())
        }
    }
}

impl Arm {
    fn size(&self) -> u16 {
        self.slots.iter().map(|range| range.end - range.start).sum()
    }

    fn shrink(&mut self, to: u16) {
        while self.size() > to {
            let over = self.size() - to;
            let from_top = self.from_top;
            let Some(last) = self.slots.last_mut() else { return };
            let length = last.end - last.start;
            if length <= over {
                self.slots.pop();
            } else if from_top {
                last.start += over;
            } else {
                last.end -= over;
            }
        }
    }

    /// Takes up to `wanted` slots from the end of `free` that this arm grows from.
    fn take(&mut self, free: &Range<u16>, wanted: u16) {
        let length = wanted.min(free.end - free.start);
        let new = if self.from_top {
            free.end - length..free.end
        } else {
            free.start..free.start + length
        };
        // What continues the last run lengthens it, so that layouts stay short.
        match self.slots.last_mut() {
            Some(last) if !self.from_top && last.end == new.start => last.end = new.end,
            Some(last) if self.from_top && last.start == new.end => last.start = new.start,
            _ => self.slots.push(new),
        }
    }
}
