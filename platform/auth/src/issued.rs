//! Tokens and sessions of our own: what they claim, and whether they still count.

use crate::apikey::{self, Keys};
use crate::claims::Expected;
use crate::error::Refused;
use crate::jwk::VerifyingKey;
use crate::jws::Jws;
use crate::principal::{Kind, Principal};
use crate::settings::Settings;
use einthoven_registry_state::{Access, Grant, IssuerName, Key, SigningAlgorithm, SigningKey, UserName, covers};
use jiff::Timestamp;
use std::sync::Arc;

/// `typ` of tokens (RFC 9068), and of sessions, which are no tokens.
pub(crate) const TOKEN: &str = "at+jwt";
pub(crate) const SESSION: &str = "session+jwt";

/// Claim with the revision of who may do what at which something was issued.
pub(crate) const REVISION: &str = "revision";

/// Who got in by the owner's link.
pub(crate) const LINK: &str = "link:owner";

/// Seconds by which clocks of servers that share a registry may differ.
const LEEWAY_S: i64 = 5;

/// `aud` of sessions.
pub(crate) fn session_audience(settings: &Settings) -> String {
    format!("{}/session", settings.audience)
}

/// What a subject may have been given, and when that began to count.
pub(crate) struct Origin {
    /// What it may do now; nothing where only its token says so.
    pub(crate) grants: Option<Vec<Grant>>,
    /// What was issued before this entry of the log is refused.
    valid_from: u64,
    key: Option<Arc<Key>>,
}

impl Origin {
    /// Where a subject stands now: a token lives no longer than what it was made from.
    pub(crate) fn of(access: &Access, subject: &str, now: i64) -> Result<Self, Refused> {
        let mut origin = match subject.split_once(':') {
            Some(("user", name)) => {
                let name: UserName = name.parse().map_err(|_| Refused::Unknown)?;
                let user = access.users.get(&name).ok_or(Refused::Revoked)?;
                Self {
                    grants: Some(user.grants()),
                    valid_from: user.valid_from,
                    key: None,
                }
            }
            Some(("key", name)) => {
                let key = access.key_named(name).ok_or(Refused::Revoked)?;
                apikey::live(key, now)?;
                Self {
                    grants: Some(key.grants.clone()),
                    valid_from: key.valid_from,
                    key: Some(Arc::clone(key)),
                }
            }
            Some(("oidc", rest)) => {
                let (issuer, _) = rest.split_once(':').ok_or(Refused::Unknown)?;
                let issuer: IssuerName = issuer.parse().map_err(|_| Refused::Unknown)?;
                let issuer = access.issuers.get(&issuer).ok_or(Refused::Revoked)?;
                Self {
                    grants: None,
                    valid_from: issuer.revision,
                    key: None,
                }
            }
            _ if subject == LINK => Self {
                grants: None,
                valid_from: 0,
                key: None,
            },
            _ => return Err(Refused::Unknown),
        };
        if let Some(out) = access.signed_out(subject) {
            origin.valid_from = origin.valid_from.max(out.revision);
        }
        Ok(origin)
    }
}

/// Verifies a token or session of ours. Gives who comes with it and the second from which on it is refused.
pub(crate) fn verify(
    jws: &Jws<'_>,
    typ: &str,
    settings: &Settings,
    access: &Access,
    keys: &Keys,
    now: i64,
) -> Result<(Principal, i64), Refused> {
    if jws.typ.as_deref() != Some(typ) || jws.algorithm != SigningAlgorithm::EdDSA {
        return Err(Refused::Malformed);
    }
    let kid = jws.kid.as_deref().ok_or(Refused::Malformed)?;
    let key = access
        .signing
        .get(kid)
        .filter(|key| counts(key, now))
        .ok_or(Refused::Unknown)?;
    let key = VerifyingKey::read(&jwk(key)).ok_or(Refused::Unknown)?;
    if !jws.verify(&key.key) {
        return Err(Refused::Unknown);
    }
    let audience = match typ {
        SESSION => session_audience(settings),
        _ => settings.audience.clone(),
    };
    let claimed = Expected {
        issuer: &settings.issuer,
        audiences: &[audience],
        clients: &[],
        now,
        leeway_s: LEEWAY_S,
    }
    .check(&jws.claims)?;
    // Clocks of servers differ, but what is issued for an hour ends after an hour.
    let expires = claimed.refused_from - LEEWAY_S;
    if now >= expires {
        return Err(Refused::Expired);
    }
    let id = Access::token_id(None, &claimed.id.ok_or(Refused::Malformed)?);
    if access.revoked.contains_key(&id) {
        return Err(Refused::Revoked);
    }
    let origin = Origin::of(access, &claimed.subject, now)?;
    // Told by the log and not by clocks, of which each server has its own.
    let issued = jws.claims.get(REVISION).and_then(serde_json::Value::as_u64);
    if issued.ok_or(Refused::Malformed)? < origin.valid_from {
        return Err(Refused::Revoked);
    }
    let given = match jws.text("scope") {
        Some(scope) => Some(grants(scope)?),
        None => None,
    };
    let grants = match (origin.grants, given) {
        // Never more than they may now, never more than they were given.
        (Some(held), Some(given)) => given.into_iter().filter(|given| covers(&held, given)).collect(),
        (Some(held), None) => held,
        (None, Some(given)) => given,
        (None, None) => Vec::new(),
    };
    let mut refused_from = expires;
    if let Some(expires) = origin.key.as_ref().and_then(|key| key.expires_at) {
        refused_from = refused_from.min(expires.as_second());
    }
    let kind = if typ == SESSION { Kind::Session } else { Kind::Token };
    let until = longest(jws, expires);
    let of_key = origin.key.map(|key| keys.principal(&key));
    let key_id = of_key.as_ref().and_then(Principal::key_id);
    let meter = of_key.as_ref().and_then(Principal::meter).cloned();
    let principal = Principal::made(
        &claimed.subject,
        kind,
        key_id,
        grants,
        meter,
        Some((id, until)),
        Some(access.revision),
    );
    Ok((principal, refused_from))
}

/// When a session ends however often it is prolonged; when anything else expires.
fn longest(jws: &Jws<'_>, expires: i64) -> Timestamp {
    let longest = jws.claims.get("session_until").and_then(serde_json::Value::as_i64);
    Timestamp::from_second(longest.unwrap_or(expires)).unwrap_or(Timestamp::MAX)
}

/// Grants as the claim `scope` holds them: words.
pub(crate) fn grants(scope: &str) -> Result<Vec<Grant>, Refused> {
    scope
        .split_ascii_whitespace()
        .map(|word| word.parse().map_err(|_| Refused::Malformed))
        .collect()
}

/// Whether what the key signed still counts.
pub(crate) fn counts(key: &SigningKey, now: i64) -> bool {
    key.until.is_none_or(|until| now < until.as_second())
}

/// The public half as a JWK.
pub(crate) fn jwk(key: &SigningKey) -> serde_json::Value {
    serde_json::json!({
        "kty": "OKP", "crv": "Ed25519", "x": key.public, "kid": key.kid, "use": "sig", "alg": "EdDSA",
    })
}
