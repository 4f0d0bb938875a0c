//! Public keys as issuers publish them (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use einthoven_registry_state::SigningAlgorithm;
use jsonwebtoken::DecodingKey;
use serde_json::Value;
use std::ops::RangeInclusive;

/// Keys of one set.
const MOST: usize = 100;

/// Bits of an RSA key: below, it can be broken; above, checking takes too long.
const RSA_BITS: RangeInclusive<usize> = 2048..=4096;

/// A key that verifies.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    pub(crate) kid: Option<String>,
    /// What it may be used for.
    algorithms: Vec<SigningAlgorithm>,
    pub(crate) key: DecodingKey,
    /// Tells whether two are the same.
    json: Value,
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl VerifyingKey {
    /// A key as it stands in a set; none where it is of another kind, weak, or for something else.
    ///
    /// Lengths are checked here because what verifies does not: a short Ed25519 key would make it panic.
    pub(crate) fn read(json: &Value) -> Option<Self> {
        let text = |field: &str| json.get(field).and_then(Value::as_str);
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        if let Some(operations) = json.get("key_ops").and_then(Value::as_array)
            && !operations.iter().any(|operation| operation == "verify")
        {
            return None;
        }
        let bytes = |field: &str| URL_SAFE_NO_PAD.decode(text(field)?).ok();
        let (key, possible): (DecodingKey, &[SigningAlgorithm]) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let modulus = bytes("n")?;
                let exponent = bytes("e")?;
                let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
                let first = modulus.get(zeros)?;
                let bits = (modulus.len() - zeros) * 8 - first.leading_zeros() as usize;
                if !RSA_BITS.contains(&bits) || exponent.len() > 4 {
                    return None;
                }
                let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
                (key, &[SigningAlgorithm::RS256, SigningAlgorithm::PS256])
            }
            ("EC", Some("P-256")) => {
                if bytes("x")?.len() != 32 || bytes("y")?.len() != 32 {
                    return None;
                }
                let key = DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?;
                (key, &[SigningAlgorithm::ES256])
            }
            ("OKP", Some("Ed25519")) => {
                let public = bytes("x").filter(|public| public.len() == 32)?;
                (DecodingKey::from_ed_der(&public), &[SigningAlgorithm::EdDSA])
            }
            // Secrets that both sides share (`oct`) among them.
            _ => return None,
        };
        let named = text("alg");
        let algorithms: Vec<_> = possible
            .iter()
            .copied()
            .filter(|algorithm| named.is_none_or(|named| named == name(*algorithm)))
            .collect();
        (!algorithms.is_empty()).then(|| Self {
            kid: text("kid").map(str::to_owned),
            algorithms,
            key,
            json: json.clone(),
        })
    }

    /// The keys of a set that can be used here; the others are passed over. None where it is no set.
    pub(crate) fn read_set(json: &Value) -> Option<Vec<Self>> {
        let keys = json.get("keys")?.as_array()?;
        Some(keys.iter().take(MOST).filter_map(Self::read).collect())
    }

    /// The key for a token, by its `kid` and algorithm. Without a `kid` only where there is no choice.
    pub(crate) fn choose<'a>(keys: &'a [Self], kid: Option<&str>, algorithm: SigningAlgorithm) -> Option<&'a Self> {
        let mut fitting = keys.iter().filter(|key| key.algorithms.contains(&algorithm));
        match kid {
            Some(kid) => fitting.find(|key| key.kid.as_deref() == Some(kid)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

/// As it is written in `alg`.
pub(crate) fn name(algorithm: SigningAlgorithm) -> &'static str {
    match algorithm {
        SigningAlgorithm::RS256 => "RS256",
        SigningAlgorithm::PS256 => "PS256",
        SigningAlgorithm::ES256 => "ES256",
        SigningAlgorithm::EdDSA => "EdDSA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of_length(length: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![0xa5; length])
    }

    #[test]
    fn keys_that_verify_and_keys_that_are_passed_over() {
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": of_length(32), "kid": "a"});
        let rsa = json!({"kty": "RSA", "n": of_length(256), "e": "AQAB", "use": "sig", "alg": "PS256", "kid": "b"});
        let ec = json!({"kty": "EC", "crv": "P-256", "x": of_length(32), "y": of_length(32), "key_ops": ["verify"]});
        let set = json!({"keys": [
            ed, rsa, ec,
            {"kty": "OKP", "crv": "Ed25519", "x": of_length(31)},
            {"kty": "OKP", "crv": "Ed25519", "x": of_length(33)},
            {"kty": "OKP", "crv": "X25519", "x": of_length(32)},
            {"kty": "RSA", "n": of_length(128), "e": "AQAB"},
            {"kty": "RSA", "n": of_length(1024), "e": "AQAB"},
            {"kty": "RSA", "n": of_length(256), "e": of_length(64)},
            {"kty": "RSA", "n": of_length(256), "e": "AQAB", "use": "enc"},
            {"kty": "RSA", "n": of_length(256), "e": "AQAB", "alg": "RS512"},
            {"kty": "RSA", "n": "", "e": "AQAB"},
            {"kty": "EC", "crv": "P-256", "x": of_length(31), "y": of_length(32)},
            {"kty": "EC", "crv": "P-521", "x": of_length(66), "y": of_length(66)},
            {"kty": "oct", "k": of_length(32)},
            {"kty": 7}, null, "x",
        ]});
        let keys = VerifyingKey::read_set(&set).unwrap();
        assert_eq!(keys.len(), 3);
        let choose = |kid, algorithm| VerifyingKey::choose(&keys, kid, algorithm).map(|key| key.kid.clone());
        assert_eq!(choose(Some("a"), SigningAlgorithm::EdDSA), Some(Some("a".to_owned())));
        // A key is never used for another algorithm than its own.
        assert_eq!(choose(Some("a"), SigningAlgorithm::RS256), None);
        assert_eq!(choose(Some("b"), SigningAlgorithm::RS256), None);
        assert_eq!(choose(None, SigningAlgorithm::ES256), Some(None));
        assert!(VerifyingKey::read_set(&json!([])).is_none());
    }

    #[test]
    fn without_a_kid_there_must_be_no_choice() {
        let key = |kid: &str| json!({"kty": "OKP", "crv": "Ed25519", "x": of_length(32), "kid": kid});
        let two = VerifyingKey::read_set(&json!({"keys": [key("a"), key("b")]})).unwrap();
        assert!(VerifyingKey::choose(&two, None, SigningAlgorithm::EdDSA).is_none());
        assert!(VerifyingKey::choose(&two[..1], None, SigningAlgorithm::EdDSA).is_some());
    }

    proptest::proptest! {
        #[test]
        fn no_key_makes_it_panic(kty in "RSA|EC|OKP|oct", crv in "P-256|Ed25519|", n in "[A-Za-z0-9_=-]{0,60}", x in ".{0,50}") {
            let _ = VerifyingKey::read(&json!({"kty": kty, "crv": crv, "n": n, "e": n, "x": x, "y": n}));
        }
    }
}
