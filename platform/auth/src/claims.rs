//! What a token claims, compared with what it must.

use crate::error::Refused;
use crate::jws::Claims;
use serde_json::Value;

/// Seconds by which clocks may differ.
pub(crate) const LEEWAY_S: i64 = 30;

/// What a token must claim.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    /// One of these is in `aud`.
    pub(crate) audiences: &'a [String],
    /// Where `aud` holds several, `azp` is one of these.
    pub(crate) clients: &'a [&'a str],
    /// Seconds since 1970.
    pub(crate) now: i64,
    pub(crate) leeway_s: i64,
}

/// What it claims, and may.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) subject: String,
    /// Seconds since 1970 from which on it is refused, the leeway included.
    pub(crate) refused_from: i64,
    /// Seconds since 1970; 0 where it does not say.
    pub(crate) issued: i64,
    pub(crate) id: Option<String>,
}

/// Longest `sub` and `jti`.
const LONGEST_ID: usize = 256;

impl Expected<'_> {
    pub(crate) fn check(&self, claims: &Claims) -> Result<Claimed, Refused> {
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer) {
            return Err(Refused::Unknown);
        }
        self.audience(claims)?;
        let refused_from = time(claims, "exp")?
            .ok_or(Refused::Malformed)?
            .saturating_add(self.leeway_s);
        if self.now >= refused_from {
            return Err(Refused::Expired);
        }
        let issued = time(claims, "iat")?.unwrap_or(0);
        let from = time(claims, "nbf")?.unwrap_or(issued).max(issued);
        if from > self.now.saturating_add(self.leeway_s) {
            return Err(Refused::NotYetValid);
        }
        Ok(Claimed {
            subject: name(claims, "sub")?.ok_or(Refused::Malformed)?,
            refused_from,
            issued,
            id: name(claims, "jti")?,
        })
    }

    fn audience(&self, claims: &Claims) -> Result<(), Refused> {
        let ours = |text: &str| self.audiences.iter().any(|audience| audience == text);
        let several = match claims.get("aud") {
            Some(Value::String(audience)) if ours(audience) => false,
            Some(Value::Array(audiences)) if audiences.iter().filter_map(Value::as_str).any(ours) => {
                audiences.len() > 1
            }
            _ => return Err(Refused::WrongAudience),
        };
        let client = match claims.get("azp") {
            None => None,
            Some(Value::String(client)) => Some(client.as_str()),
            Some(_) => return Err(Refused::Malformed),
        };
        // A token for several was asked for by one of them, and that one must be known here.
        match client {
            Some(client) if self.clients.contains(&client) => Ok(()),
            _ if several => Err(Refused::WrongAudience),
            _ => Ok(()),
        }
    }
}

fn name(claims: &Claims, claim: &str) -> Result<Option<String>, Refused> {
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::String(text))
            if !text.is_empty() && text.len() <= LONGEST_ID && !text.contains(char::is_control) =>
        {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(Refused::Malformed),
    }
}

/// Whole seconds, rounded down; from -2^53 to 2^53, so that sums stay far from the ends.
fn time(claims: &Claims, claim: &str) -> Result<Option<i64>, Refused> {
    const FARTHEST: f64 = 9_007_199_254_740_992.0;
    match claims.get(claim) {
        None => Ok(None),
        Some(value) => {
            let seconds = value.as_f64().filter(|seconds| seconds.abs() <= FARTHEST);
            #[allow(clippy::cast_possible_truncation, reason = "it lies within 2^53 and is rounded down")]
            let seconds = seconds.map(|seconds| seconds.floor() as i64);
            seconds.map(Some).ok_or(Refused::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn check(change: impl FnOnce(&mut Value)) -> Result<Claimed, Refused> {
        let mut claims = json!({
            "iss": "https://id.example", "aud": "einthoven", "sub": "4711", "exp": NOW + 60, "iat": NOW, "nbf": NOW, "jti": "a",
        });
        change(&mut claims);
        let expected = Expected {
            issuer: "https://id.example",
            audiences: &["einthoven".to_owned()],
            clients: &["page"],
            now: NOW,
            leeway_s: LEEWAY_S,
        };
        expected.check(claims.as_object().unwrap())
    }

    #[test]
    fn what_must_be_claimed() {
        let claimed = check(|_| {}).unwrap();
        assert_eq!(
            (claimed.subject.as_str(), claimed.issued, claimed.refused_from),
            ("4711", NOW, NOW + 90)
        );
        for (claim, value, refused) in [
            ("iss", json!("https://id.example/"), Refused::Unknown),
            ("iss", json!(["https://id.example"]), Refused::Unknown),
            ("aud", json!("other"), Refused::WrongAudience),
            ("aud", json!(null), Refused::WrongAudience),
            ("aud", json!([]), Refused::WrongAudience),
            ("aud", json!({"einthoven": true}), Refused::WrongAudience),
            ("exp", json!(NOW - 30), Refused::Expired),
            ("exp", json!("9999999999"), Refused::Malformed),
            ("exp", json!(1e300), Refused::Malformed),
            ("exp", json!(null), Refused::Malformed),
            ("nbf", json!(NOW + 31), Refused::NotYetValid),
            ("iat", json!(NOW + 31), Refused::NotYetValid),
            ("sub", json!(""), Refused::Malformed),
            ("sub", json!("a\nb"), Refused::Malformed),
            ("sub", json!(7), Refused::Malformed),
            ("jti", json!(7), Refused::Malformed),
            ("azp", json!(7), Refused::Malformed),
        ] {
            assert_eq!(
                check(|claims| claims[claim] = value.clone()),
                Err(refused),
                "{claim} {value}"
            );
        }
        for missing in ["iss", "aud", "exp", "sub"] {
            assert!(
                check(|claims| drop(claims.as_object_mut().unwrap().remove(missing))).is_err(),
                "{missing}"
            );
        }
    }

    #[test]
    fn clocks_may_differ_by_half_a_minute() {
        for (claim, value) in [
            ("exp", json!(NOW - 29)),
            ("nbf", json!(NOW + 30)),
            ("iat", json!(NOW as f64 + 0.5)),
        ] {
            check(|claims| claims[claim] = value.clone()).unwrap();
        }
    }

    #[test]
    fn a_token_for_several_names_a_client_that_is_known() {
        let both = json!(["einthoven", "other"]);
        let with = |azp: Value| {
            check(|claims| {
                claims["aud"] = both.clone();
                claims["azp"] = azp;
            })
        };
        assert_eq!(
            check(|claims| claims["aud"] = both.clone()),
            Err(Refused::WrongAudience)
        );
        assert_eq!(with(json!("other")), Err(Refused::WrongAudience));
        with(json!("page")).unwrap();
        check(|claims| claims["aud"] = json!(["einthoven"])).unwrap();
    }
}
