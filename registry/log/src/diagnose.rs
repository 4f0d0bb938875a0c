//! Which entry is wrong, and in which way.

use crate::{ChainBroken, Entry, Hash, Head};

/// Says what is wrong with the entry that follows `after`, if anything.
///
/// `newest` bounds the search for where a misplaced entry came from; `later` says whether an entry with a number stands
/// further on.
pub(crate) fn follows(
    after: Head,
    entry: &Entry,
    place: impl FnOnce() -> String,
    newest: u64,
    later: impl FnOnce(u64) -> bool,
) -> Result<(), ChainBroken> {
    let seq = after.seq + 1;
    if entry.seq == seq && entry.previous == after.hash && entry.is_intact() {
        return Ok(());
    }
    let place = place();
    if entry.seq > seq && !later(seq) {
        return Err(ChainBroken::Removed {
            first: seq,
            last: entry.seq - 1,
            place,
        });
    }
    if entry.seq != seq {
        return Err(ChainBroken::Reordered {
            seq,
            found: entry.seq,
            place,
        });
    }
    if entry.is_intact() {
        return Err(ChainBroken::Unlinked { seq, place });
    }
    // An entry that was only moved and renumbered is intact under its old number.
    let origin = (1..=newest).find(|other| Hash::of(*other, entry.previous, &entry.body) == entry.hash);
    Err(match origin {
        Some(found) => ChainBroken::Reordered { seq, found, place },
        None => ChainBroken::Changed {
            seq,
            cause: "its hash does not fit its content".into(),
            place,
        },
    })
}

/// Holds an entry against the exported heads with its number.
pub(crate) fn is_anchored(entry: Head, anchors: &[Head]) -> Result<(), ChainBroken> {
    match anchors
        .iter()
        .find(|anchor| anchor.seq == entry.seq && anchor.hash != entry.hash)
    {
        None => Ok(()),
        Some(anchor) => Err(ChainBroken::Rewritten {
            anchor: *anchor,
            found: entry,
        }),
    }
}

/// Holds the end of a log against exported heads.
pub(crate) fn is_complete(head: Head, anchors: &[Head]) -> Result<(), ChainBroken> {
    match anchors.iter().find(|anchor| anchor.seq > head.seq) {
        None => is_anchored(Head::EMPTY, anchors),
        Some(anchor) => Err(ChainBroken::Truncated { head, anchor: *anchor }),
    }
}
