//! Tokens that were verified, so that a signature is not checked with every request.

use crate::principal::Principal;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Parts, so that requests seldom wait for each other.
const PARTS: usize = 16;

/// Tokens in one part.
const MOST: usize = 1024;

/// By SHA-256 of the token: what is in memory here opens nothing.
pub(crate) struct Cache([RwLock<HashMap<[u8; 32], Verified>>; PARTS]);

/// A token that was found good.
struct Verified {
    principal: Principal,
    /// Seconds since 1970 from which on it is refused.
    refused_from: i64,
    stamp: Stamp,
}

/// What a verdict rests on. Whenever one of them moves, it is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Revision of who may do what.
    pub(crate) access: u64,
    /// Counts the changes of issuers' keys.
    pub(crate) issuers: u64,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| RwLock::default()))
    }

    pub(crate) fn get(&self, digest: &[u8; 32], now: i64, stamp: Stamp) -> Option<Principal> {
        let part = self.part(digest).read().unwrap_or_else(PoisonError::into_inner);
        let found = part.get(digest)?;
        (found.stamp == stamp && now < found.refused_from).then(|| found.principal.clone())
    }

    /// Only what was verified comes here: nobody without a good token takes room.
    pub(crate) fn put(&self, digest: [u8; 32], principal: Principal, refused_from: i64, now: i64, stamp: Stamp) {
        let mut part = self.part(&digest).write().unwrap_or_else(PoisonError::into_inner);
        if part.len() >= MOST {
            part.retain(|_, verified| verified.stamp == stamp && now < verified.refused_from);
        }
        if part.len() >= MOST {
            // Which goes does not matter: it costs one more check of a signature.
            let any = part.keys().next().copied();
            any.and_then(|any| part.remove(&any));
        }
        let verified = Verified {
            principal,
            refused_from,
            stamp,
        };
        part.insert(digest, verified);
    }

    fn part(&self, digest: &[u8; 32]) -> &RwLock<HashMap<[u8; 32], Verified>> {
        let [first, ..] = digest;
        // 16 parts, so the remainder always is the index of one.
        let [only, ..] = &self.0;
        self.0.get(usize::from(*first) % PARTS).unwrap_or(only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_holds_until_it_expires_or_something_moves_and_room_is_bounded() {
        let cache = Cache::new();
        let stamp = Stamp { access: 1, issuers: 1 };
        let somebody = Principal::local("somebody", Vec::new());
        cache.put([7; 32], somebody.clone(), 100, 0, stamp);
        assert!(cache.get(&[7; 32], 99, stamp).is_some());
        assert!(cache.get(&[7; 32], 100, stamp).is_none());
        assert!(cache.get(&[7; 32], 0, Stamp { access: 2, ..stamp }).is_none());
        assert!(cache.get(&[7; 32], 0, Stamp { issuers: 2, ..stamp }).is_none());
        for count in 0..40_000_u32 {
            cache.put(
                crate::random::digest(&count.to_string()),
                somebody.clone(),
                100,
                0,
                stamp,
            );
        }
        let kept: usize = cache.0.iter().map(|part| part.read().unwrap().len()).sum();
        assert_eq!(kept, PARTS * MOST);
    }
}
