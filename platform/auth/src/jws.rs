//! Tokens as they come: three parts in base64url (RFC 7515), nothing of which is believed yet.

use crate::error::Refused;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use einthoven_registry_state::SigningAlgorithm;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

/// Longest token.
const LONGEST: usize = 16 << 10;

/// Longest `kid` and `typ`.
const LONGEST_NAME: usize = 256;

/// Claims by name.
pub(crate) type Claims = Map<String, Value>;

/// A token that can be read.
pub(crate) struct Jws<'a> {
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) kid: Option<String>,
    /// In lower case, without `application/`.
    pub(crate) typ: Option<String>,
    /// Not to be believed before [`verify`](Self::verify) says so; until then they only say whose keys to take.
    pub(crate) claims: Claims,
    message: &'a str,
    signature: &'a str,
}

impl<'a> Jws<'a> {
    /// Reads a token. Of the header only `alg`, `kid` and `typ` are looked at: keys that a token brings or points to (`jwk`,
    /// `jku`, `x5c`, `x5u`) are never used. One with `crit` asks for something that is not understood here.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Refused> {
        if text.len() > LONGEST {
            return Err(Refused::Malformed);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Refused::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refused::Malformed)?;
        if payload.contains('.') || signature.is_empty() {
            return Err(Refused::Malformed);
        }
        let header = object(header)?;
        if header.contains_key("crit") {
            return Err(Refused::Malformed);
        }
        let name = |field: &str| match header.get(field) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= LONGEST_NAME => Ok(Some(text.clone())),
            Some(_) => Err(Refused::Malformed),
        };
        let algorithm = match name("alg")?.as_deref() {
            Some("RS256") => SigningAlgorithm::RS256,
            Some("PS256") => SigningAlgorithm::PS256,
            Some("ES256") => SigningAlgorithm::ES256,
            Some("EdDSA") => SigningAlgorithm::EdDSA,
            // `none`, and whatever shares a secret, is no signature.
            _ => return Err(Refused::Malformed),
        };
        let typ = name("typ")?.map(|typ| {
            let typ = typ.to_ascii_lowercase();
            typ.strip_prefix("application/").map(str::to_owned).unwrap_or(typ)
        });
        Ok(Self {
            algorithm,
            kid: name("kid")?,
            typ,
            claims: object(payload)?,
            message,
            signature,
        })
    }

    /// Whether this key made the signature, by the algorithm that the header names; that it may be used is for the caller to know.
    pub(crate) fn verify(&self, key: &DecodingKey) -> bool {
        let algorithm = match self.algorithm {
            SigningAlgorithm::RS256 => Algorithm::RS256,
            SigningAlgorithm::PS256 => Algorithm::PS256,
            SigningAlgorithm::ES256 => Algorithm::ES256,
            SigningAlgorithm::EdDSA => Algorithm::EdDSA,
        };
        jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), key, algorithm).unwrap_or(false)
    }

    /// A claim that is a text.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Refused::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwk::VerifyingKey;

    fn token(header: &str, payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part(header), part(payload))
    }

    #[test]
    fn headers_that_are_refused_unread() {
        Jws::parse(&token(r#"{"alg":"EdDSA"}"#, "{}")).ok().unwrap();
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"None"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"eddsa"}"#,
            r#"{"alg":["EdDSA"]}"#,
            r#"{}"#,
            r#"{"alg":"EdDSA","crit":["exp"],"exp":1}"#,
            r#"{"alg":"EdDSA","crit":[]}"#,
            r#"{"alg":"EdDSA","kid":7}"#,
            r#"[]"#,
        ] {
            assert!(Jws::parse(&token(header, "{}")).is_err(), "{header}");
        }
        let whole = token(r#"{"alg":"EdDSA"}"#, "{}");
        for text in [
            "",
            ".",
            "..",
            "a.b",
            "a.b.c.d",
            &whole.replace(".c2ln", "."),
            &format!("{whole}.x"),
            &format!("{whole}=."),
        ] {
            assert!(Jws::parse(text).is_err(), "{text}");
        }
        let long = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, "k".repeat(257));
        assert!(Jws::parse(&token(&long, "{}")).is_err());
    }

    #[test]
    fn the_type_is_compared_as_media_types_are() {
        let typ = |typ: &str| {
            Jws::parse(&token(&format!(r#"{{"alg":"EdDSA","typ":"{typ}"}}"#), "{}"))
                .ok()
                .unwrap()
                .typ
        };
        assert_eq!(typ("at+JWT").as_deref(), Some("at+jwt"));
        assert_eq!(typ("application/at+jwt").as_deref(), Some("at+jwt"));
    }

    #[test]
    fn signatures_that_another_library_made() {
        let signed: Vec<Value> = serde_json::from_str(include_str!("../tests/signed.json")).unwrap();
        assert_eq!(signed.len(), 4);
        for one in &signed {
            let token = one["token"].as_str().unwrap();
            let jws = Jws::parse(token).ok().unwrap();
            let kid = jws.kid.as_deref();
            for other in &signed {
                let keys = [VerifyingKey::read(&other["jwk"]).unwrap()];
                let key = VerifyingKey::choose(&keys, kid, jws.algorithm);
                assert_eq!(
                    key.is_some_and(|key| jws.verify(&key.key)),
                    one == other,
                    "{} {}",
                    one["alg"],
                    other["alg"]
                );
                assert_eq!(
                    jws.verify(&keys[0].key),
                    one == other,
                    "{} {}",
                    one["alg"],
                    other["alg"]
                );
            }
            let message = token.rsplit_once('.').unwrap().0;
            let cut = &token[..token.len() - 4];
            for touched in [
                cut.to_owned(),
                format!("{message}.AAAA"),
                format!("{message}.{}", "A".repeat(342)),
            ] {
                let key = VerifyingKey::read(&one["jwk"]).unwrap();
                assert!(!Jws::parse(&touched).ok().unwrap().verify(&key.key));
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,300}", header in ".{0,100}", payload in ".{0,100}") {
            let _ = Jws::parse(&text);
            let _ = Jws::parse(&token(&header, &payload));
        }

        #[test]
        fn no_signature_makes_it_panic(signature in "[A-Za-z0-9_-]{0,200}", alg in "RS256|PS256|ES256|EdDSA") {
            let text = format!("{}.e30.{signature}", URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}"}}"#)));
            if let Ok(jws) = Jws::parse(&text) {
                let key = DecodingKey::from_ed_der(&[7; 32]);
                proptest::prop_assert!(!jws.verify(&key));
            }
        }
    }
}
