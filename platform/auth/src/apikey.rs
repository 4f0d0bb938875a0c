//! API keys: how they are written, and who comes with one.

use crate::error::{AuthError, Refused};
use crate::meter::Meter;
use crate::principal::{Kind, Principal};
use einthoven_registry_state::{Access, Key, KeyDigest, OWNER_KEY};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Before every key, so that people and scanners of source code know one.
pub(crate) const MARK: &str = "ein_";

/// Letters and digits of an id: 40 bits, without those that look alike.
const ID_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const ID_LENGTH: usize = 8;

/// Hexadecimal digits of a secret: 256 bits.
const SECRET_LENGTH: usize = 64;

/// Longest text that is taken for a key; the owner's may be anything.
const LONGEST: usize = 512;

/// Makes the text of a new key: `ein_<id>_<secret>`.
pub(crate) fn make() -> Result<(String, KeyDigest, SecretString), AuthError> {
    let mut random = [0; ID_LENGTH];
    crate::random::fill(&mut random)?;
    let letters = random.iter().filter_map(|byte| ID_LETTERS.get(usize::from(byte % 32)));
    let id: String = letters.map(|letter| char::from(*letter)).collect();
    let secret = crate::random::text()?;
    let text = Zeroizing::new(format!("{MARK}{id}_{}", secret.as_str()));
    let digest = digest(&text);
    Ok((id, digest, SecretString::from(text.as_str())))
}

/// What is kept of a key.
pub(crate) fn digest(text: &str) -> KeyDigest {
    KeyDigest(hex::encode(crate::random::digest(text)))
}

/// The id in a key that is written as one.
fn id(text: &str) -> Option<&str> {
    let (id, secret) = text.strip_prefix(MARK)?.split_once('_')?;
    let sound = id.len() == ID_LENGTH
        && id.bytes().all(|byte| ID_LETTERS.contains(&byte))
        && secret.len() == SECRET_LENGTH
        && secret.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    sound.then_some(id)
}

/// Who comes with which key. What is made of a key is kept as long as the key is the same.
#[derive(Default)]
pub(crate) struct Keys(RwLock<HashMap<String, (Arc<Key>, Principal)>>);

impl Keys {
    /// Who comes with this key, at `now` in seconds since 1970.
    pub(crate) fn authenticate(&self, access: &Access, text: &str, now: i64) -> Result<Principal, Refused> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(Refused::Malformed);
        }
        // The owner's key may be written as ours are.
        let key = id(text)
            .and_then(|id| access.keys.get(id))
            .or_else(|| access.keys.get(OWNER_KEY));
        let key = key.ok_or(Refused::Unknown)?;
        let given = digest(text);
        if !bool::from(given.0.as_bytes().ct_eq(key.digest.0.as_bytes())) {
            return Err(Refused::Unknown);
        }
        live(key, now)?;
        Ok(self.principal(key))
    }

    /// Who comes with this key, however they proved it.
    pub(crate) fn principal(&self, key: &Arc<Key>) -> Principal {
        {
            let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, principal)) = kept.get(&key.id).filter(|(known, _)| same(known, key)) {
                return principal.clone();
            }
        }
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = kept.get(&key.id);
        if let Some((_, principal)) = before.filter(|(known, _)| same(known, key)) {
            return principal.clone();
        }
        // A key whose rate is the same keeps what it has used of it.
        let meter = before.and_then(|(_, principal)| principal.meter().cloned());
        let meter = meter.filter(|meter| Some(meter.rate()) == key.rate);
        let meter = meter.or_else(|| key.rate.map(|rate| Arc::new(Meter::new(rate))));
        let principal = Principal::made(
            &format!("key:{}", key.name),
            Kind::Key,
            Some(&key.id),
            key.grants.clone(),
            meter,
            None,
            None,
        );
        kept.insert(key.id.clone(), (Arc::clone(key), principal.clone()));
        principal
    }

    /// Forgets keys that are gone.
    pub(crate) fn retain(&self, access: &Access) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|id, _| access.keys.contains_key(id));
    }
}

/// Whether a key is as it was: nearly always the very same, else compared.
fn same(known: &Arc<Key>, key: &Arc<Key>) -> bool {
    Arc::ptr_eq(known, key) || known == key
}

/// That a key has not expired.
pub(crate) fn live(key: &Key, now: i64) -> Result<(), Refused> {
    match key.expires_at {
        Some(expires) if expires.as_second() <= now => Err(Refused::Expired),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_key_is_written_as_it_is_read() {
        let (id_made, kept, text) = make().unwrap();
        assert_eq!(id(text.expose_secret()), Some(id_made.as_str()));
        assert_eq!(kept, digest(text.expose_secret()));
        assert_ne!(make().unwrap().1, kept);
        assert!(!format!("{kept:?}").contains(&kept.0));
        let secret = "0".repeat(64);
        for bad in [
            "ein_",
            "ein_abcdefgh_",
            "ein__",
            &format!("ein_abcdefgh_{secret}0"),
            &format!("ein_abcdefg1_{secret}"),
            &format!("Ein_abcdefgh_{secret}"),
            &format!("ein_abcdefgh_{}", "G".repeat(64)),
        ] {
            assert_eq!(id(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,100}", tail in ".{0,80}") {
            let _ = id(&text);
            let refused = Keys::default().authenticate(&Access::default(), &format!("ein_{tail}"), 0);
            proptest::prop_assert!(refused.is_err());
        }
    }
}
