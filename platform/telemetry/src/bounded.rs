//! Counters for names of which there are few, but which are not known beforehand.

use prometheus::{IntCounter, IntCounterVec};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// What everything is counted as that came after the set was full.
pub(crate) const OTHER: &str = "other";

/// Counters by one name and one word of a closed set. Names that this program's code makes are few; should one ever come from
/// elsewhere, the set ends at `most` of them all the same.
pub(crate) struct BoundedCounters {
    vector: IntCounterVec,
    most: usize,
    known: RwLock<HashMap<(String, &'static str), IntCounter>>,
}

impl BoundedCounters {
    pub(crate) fn new(vector: IntCounterVec, most: usize) -> Self {
        Self {
            vector,
            most,
            known: RwLock::default(),
        }
    }

    pub(crate) fn add(&self, name: &str, word: &'static str) {
        let key = (name.to_owned(), word);
        if let Some(counter) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return counter.inc();
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let key = if known.len() < self.most || known.contains_key(&key) {
            key
        } else {
            (OTHER.to_owned(), word)
        };
        known
            .entry(key)
            .or_insert_with_key(|(name, word)| self.vector.with_label_values(&[name.as_str(), word]))
            .inc();
    }
}
