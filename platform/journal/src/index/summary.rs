//! What the rows of one segment have in common.

use super::row::{ELSEWHERE, Row, bit};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names of a kind that one segment lists; further ones are found by reading entries.
const MOST_NAMES: usize = 4096;

/// The names that rows point to, and bounds by which a whole segment is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Summary {
    models: Vec<String>,
    versions: Vec<String>,
    classes: Vec<String>,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    lowest: Uuid,
    highest: Uuid,
    /// Names were left out of a list.
    overflowed: bool,
}

impl Summary {
    pub(super) fn model(&mut self, name: &str) -> u16 {
        place(&mut self.models, name, &mut self.overflowed)
    }

    pub(super) fn version(&mut self, name: &str) -> u16 {
        place(&mut self.versions, name, &mut self.overflowed)
    }

    pub(super) fn class(&mut self, name: &str) -> usize {
        usize::from(place(&mut self.classes, name, &mut self.overflowed))
    }

    pub(super) fn count(&mut self, row: &Row) {
        self.first_ms = Some(self.first_ms.map_or(row.at_ms, |first| first.min(row.at_ms)));
        self.last_ms = Some(self.last_ms.map_or(row.at_ms, |last| last.max(row.at_ms)));
        if self.highest.is_nil() || row.id < self.lowest {
            self.lowest = row.id;
        }
        self.highest = self.highest.max(row.id);
    }

    /// Whether an entry of these times can be in it.
    pub(crate) fn overlaps(&self, from_ms: Option<i64>, until_ms: Option<i64>) -> bool {
        let (Some(first), Some(last)) = (self.first_ms, self.last_ms) else {
            return false;
        };
        from_ms.is_none_or(|from| last >= from) && until_ms.is_none_or(|until| first < until)
    }

    /// Whether this id can be in it.
    pub(crate) fn spans(&self, id: Uuid) -> bool {
        self.first_ms.is_some() && self.lowest <= id && id <= self.highest
    }

    /// The classes that models in it know.
    pub(crate) fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Names were left out of a list.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// The position of a model by its name; none where no entry has it, [`ELSEWHERE`] where only entries can tell.
    pub(crate) fn model_at(&self, name: &str) -> Option<u16> {
        self.position(&self.models, name)
    }

    /// The same of a version.
    pub(crate) fn version_at(&self, name: &str) -> Option<u16> {
        self.position(&self.versions, name)
    }

    /// The bits of a class by its name, with that of those that have none of their own; none where no entry has it.
    pub(crate) fn class_bit(&self, name: &str) -> Option<u64> {
        self.position(&self.classes, name)
            .map(|position| bit(usize::from(position)))
    }

    fn position(&self, names: &[String], name: &str) -> Option<u16> {
        match names.iter().position(|known| known == name) {
            Some(position) => u16::try_from(position).ok(),
            None => self.overflowed.then_some(ELSEWHERE),
        }
    }
}

fn place(names: &mut Vec<String>, name: &str, overflowed: &mut bool) -> u16 {
    if let Some(position) = names.iter().position(|known| known == name) {
        return u16::try_from(position).unwrap_or(ELSEWHERE);
    }
    if names.len() >= MOST_NAMES {
        *overflowed = true;
        return ELSEWHERE;
    }
    names.push(name.to_owned());
    u16::try_from(names.len() - 1).unwrap_or(ELSEWHERE)
}
