//! Tokens of OpenID Connect issuers, and what their claims allow.

use crate::claims::{Claimed, Expected, LEEWAY_S};
use crate::error::Refused;
use crate::follow::Followed;
use crate::jwk::VerifyingKey;
use crate::jws::{Claims, Jws};
use crate::principal::{Kind, Principal};
use einthoven_registry_state::{Access, ClaimRule, Grant, Issuer, IssuerSettings};
use jiff::Timestamp;
use serde_json::Value;

/// `typ` of tokens that say who somebody is: access tokens, and what has no other type. Logout tokens, proofs of possession and
/// events do not.
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// Verifies a token that came with a request. Gives who comes with it and the second from which on it is refused.
pub(crate) fn verify(
    jws: &Jws<'_>,
    followed: &Followed,
    access: &Access,
    now: i64,
) -> Result<(Principal, i64), Refused> {
    let issuer = &followed.issuer;
    let claimed = check(jws, followed, &issuer.settings.audiences, now)?;
    let id = claimed.id.as_ref().map(|id| Access::token_id(Some(&issuer.name), id));
    if id.as_ref().is_some_and(|id| access.revoked.contains_key(id)) {
        return Err(Refused::Revoked);
    }
    let subject = subject(issuer, &claimed.subject);
    if access
        .signed_out(&subject)
        .is_some_and(|out| claimed.issued <= out.at.as_second())
    {
        return Err(Refused::Revoked);
    }
    let until = Timestamp::from_second(claimed.refused_from).unwrap_or(Timestamp::MAX);
    let grants = allowed(&issuer.settings.rules, &jws.claims);
    let principal = Principal::made(
        &subject,
        Kind::Token,
        None,
        grants,
        None,
        id.map(|id| (id, until)),
        Some(access.revision),
    );
    Ok((principal, claimed.refused_from))
}

/// Checks the signature and the claims of a token of this issuer.
pub(crate) fn check(jws: &Jws<'_>, followed: &Followed, audiences: &[String], now: i64) -> Result<Claimed, Refused> {
    let settings = &followed.issuer.settings;
    if jws.typ.as_deref().is_some_and(|typ| !TYPES.contains(&typ)) || !settings.algorithms.contains(&jws.algorithm) {
        return Err(Refused::Malformed);
    }
    let published = followed.published();
    let keys = published.as_ref().map_or(&[][..], |published| &published.keys);
    let Some(key) = VerifyingKey::choose(keys, jws.kid.as_deref(), jws.algorithm) else {
        // This request is refused at once; one that comes when the key was fetched is not.
        followed.want();
        return Err(Refused::Unknown);
    };
    if !jws.verify(&key.key) {
        return Err(Refused::Unknown);
    }
    Expected {
        issuer: &settings.issuer,
        audiences,
        clients: &clients(settings),
        now,
        leeway_s: LEEWAY_S,
    }
    .check(&jws.claims)
}

fn clients(settings: &IssuerSettings) -> Vec<&str> {
    let own = settings.login.iter().map(|login| login.client_id.as_str());
    settings.clients.iter().map(String::as_str).chain(own).collect()
}

/// What somebody of an issuer is called here.
pub(crate) fn subject(issuer: &Issuer, subject: &str) -> String {
    format!("oidc:{}:{subject}", issuer.name)
}

/// What the claims allow; sorted, each once.
pub(crate) fn allowed(rules: &[ClaimRule], claims: &Claims) -> Vec<Grant> {
    let matching = rules.iter().filter(|rule| says(claims, &rule.claim, &rule.value));
    let mut grants: Vec<_> = matching.flat_map(|rule| rule.grants.iter().cloned()).collect();
    grants.sort_unstable();
    grants.dedup();
    grants
}

/// Whether a claim is this text, a list that holds it, or words that hold it.
fn says(claims: &Claims, claim: &str, value: &str) -> bool {
    // A name with dots may be one claim (`https://lab.example/roles`) or lead into objects.
    let found = claims.get(claim).or_else(|| {
        let mut parts = claim.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |object, part| object.get(part))
    });
    match found {
        Some(Value::String(text)) => {
            text == value || matches!(claim, "scope" | "scp") && text.split_ascii_whitespace().any(|word| word == value)
        }
        Some(Value::Array(list)) => list.iter().any(|one| one == value),
        Some(Value::Bool(flag)) => value == if *flag { "true" } else { "false" },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn claims_allow_what_the_rules_say() {
        let claims = json!({
            "email": "ana@lab.example", "groups": ["ecg", "staff"], "realm_access": {"roles": ["operator"]},
            "https://lab.example/level": "3", "scope": "openid predict", "email_verified": true, "name": "a b",
        });
        let claims = claims.as_object().unwrap();
        for (claim, value, said) in [
            ("email", "ana@lab.example", true),
            ("email", "ana", false),
            ("groups", "ecg", true),
            ("groups", "ec", false),
            ("realm_access.roles", "operator", true),
            ("realm_access.roles", "owner", false),
            ("realm_access", "operator", false),
            ("https://lab.example/level", "3", true),
            ("scope", "predict", true),
            ("scope", "pre", false),
            ("name", "a", false),
            ("email_verified", "true", true),
            ("absent", "", false),
            ("", "", false),
            ("groups.0", "ecg", false),
        ] {
            assert_eq!(says(claims, claim, value), said, "{claim} {value}");
        }
        let rule = |claim: &str, value: &str, grant: &str| ClaimRule {
            claim: claim.to_owned(),
            value: value.to_owned(),
            grants: vec![grant.parse().unwrap()],
        };
        let rules = [
            rule("groups", "ecg", "predict"),
            rule("groups", "staff", "predict"),
            rule("groups", "owners", "admin"),
        ];
        assert_eq!(allowed(&rules, claims), ["predict".parse().unwrap()]);
    }
}
