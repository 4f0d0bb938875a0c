//! How much memory loaded versions may take together, and which goes first.

use schemars::JsonSchema;
use serde::Serialize;

/// Counted for every loaded version beside its files: the engine's own structures.
const FLAT_BYTES: u64 = 1 << 20;

/// What loaded versions count as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Usage {
    /// Loaded versions.
    pub versions: usize,
    /// What they count as together.
    pub counted_bytes: u64,
    /// What they may.
    pub budget_bytes: u64,
}

/// What a version counts as when the file that its engine loads has that size: twice the file, since engines keep weights
/// packed beside the ones they read, and a flat part.
pub(crate) fn counted(file_bytes: u64) -> u64 {
    file_bytes.saturating_mul(2).saturating_add(FLAT_BYTES)
}

/// Which of `loaded` (what it counts as, when it was last used) must go so that `needed` more fit: the longest unused first.
/// None when even without all of them it does not fit.
pub(crate) fn to_unload(loaded: &[(u64, u64)], needed: u64, budget: u64) -> Option<Vec<usize>> {
    if needed > budget {
        return None;
    }
    let mut total: u64 = loaded.iter().map(|(bytes, _)| bytes).sum();
    let mut by_use: Vec<_> = (0..loaded.len()).collect();
    by_use.sort_by_key(|&index| loaded[index].1);
    let mut gone = Vec::new();
    for index in by_use {
        if total + needed <= budget {
            break;
        }
        total -= loaded[index].0;
        gone.push(index);
    }
    Some(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_goes_and_no_more_than_must() {
        let loaded = [(40, 3), (30, 1), (30, 2)];
        assert_eq!(to_unload(&loaded, 0, 100), Some(vec![]));
        assert_eq!(to_unload(&loaded, 20, 100), Some(vec![1]));
        assert_eq!(to_unload(&loaded, 50, 100), Some(vec![1, 2]));
        assert_eq!(to_unload(&loaded, 100, 100), Some(vec![1, 2, 0]));
        assert_eq!(to_unload(&loaded, 101, 100), None);
    }
}
