//! Tokens of our own.

use crate::place::{PASSWORD, bearer, by, issued, key, place, secret, settings, spec};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use einthoven_auth::{Auth, AuthError, Grant, Kind, Principal, Refused, Role, Scope};
use einthoven_registry_state::Access;
use secrecy::ExposeSecret;
use std::time::Duration;

fn grants(texts: &[&str]) -> Vec<Grant> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_token_is_for_part_of_what_its_owner_may_and_dies_with_them() {
    let place = place().await;
    let auth = &place.auth;
    let (made, text) = auth
        .create_key(by(), spec("ci", &["predict:ecg-*", "label"]))
        .await
        .unwrap();
    let ci = key(auth, &text).await.unwrap();
    let token = auth.issue(&ci, &grants(&["predict:ecg-12"]), HOUR).unwrap();
    let principal = issued(auth, &token).await.unwrap();
    assert_eq!((principal.name(), principal.kind()), ("key:ci", Kind::Token));
    assert!(principal.may_for(Scope::Predict, "ecg-12") && !principal.may_for(Scope::Predict, "ecg-1"));
    assert!(!principal.may_some(Scope::Label));
    for more in ["predict", "predict:*", "label,x", "models.read", "admin"]
        .iter()
        .filter(|more| more.parse::<Grant>().is_ok())
    {
        assert!(
            matches!(auth.issue(&ci, &grants(&[more]), HOUR), Err(AuthError::TooMuch { .. })),
            "{more}"
        );
    }
    assert!(matches!(
        auth.issue(&principal, &grants(&["label"]), HOUR),
        Err(AuthError::TooMuch { .. })
    ));
    assert!(auth.issue(&ci, &[], HOUR).is_err());
    let local = Principal::local("local", grants(&["admin"]));
    assert!(auth.issue(&local, &grants(&["predict"]), HOUR).is_err());
    // An hour at most, and a token's token no longer than it.
    let long = auth.issue(&ci, &grants(&["label"]), Duration::MAX).unwrap();
    assert!(long.expires_at <= jiff::Timestamp::now() + HOUR);
    let short = auth.issue(&ci, &grants(&["label"]), Duration::from_secs(60)).unwrap();
    let child = auth
        .issue(&issued(auth, &short).await.unwrap(), &grants(&["label"]), HOUR)
        .unwrap();
    assert!(child.expires_at <= short.expires_at);
    // What the key may no more, its tokens may no more.
    auth.change_key(by(), &made.id, grants(&["predict:ecg-*"]), None, None)
        .await
        .unwrap();
    assert!(!issued(auth, &long).await.unwrap().may_some(Scope::Label));
    auth.revoke_key(by(), &made.id).await.unwrap();
    assert_eq!(issued(auth, &token).await.unwrap_err(), Refused::Revoked);
    // Another key of that name does not bring them back.
    auth.create_key(by(), spec("ci", &["admin"])).await.unwrap();
    assert_eq!(issued(auth, &token).await.unwrap_err(), Refused::Revoked);
}

#[tokio::test]
async fn a_token_is_revoked_alone_or_with_all_of_its_subject() {
    let place = place().await;
    let auth = &place.auth;
    auth.create_user(by(), "ana".parse().unwrap(), secret(PASSWORD), vec![Role::Operator])
        .await
        .unwrap();
    let ana = auth.login("ana", &secret(PASSWORD)).await.unwrap().principal;
    let issue = || auth.issue(&ana, &grants(&["traffic"]), HOUR).unwrap();
    let (one, two) = (issue(), issue());
    issued(auth, &one).await.unwrap();
    auth.revoke_token(by(), None, &one.id, one.expires_at).await.unwrap();
    assert_eq!(
        issued(auth, &one).await.unwrap_err(),
        Refused::Revoked,
        "it was remembered as good"
    );
    issued(auth, &two).await.unwrap();
    assert!(
        place
            .registry
            .state()
            .access
            .revoked
            .contains_key(&Access::token_id(None, &one.id))
    );
    auth.end_all(by(), "user:ana").await.unwrap();
    assert_eq!(issued(auth, &two).await.unwrap_err(), Refused::Revoked);
}

#[tokio::test]
async fn a_new_key_signs_at_once_and_the_old_one_counts_until_its_tokens_are_gone() {
    let place = place().await;
    let auth = &place.auth;
    let (_, text) = auth.create_key(by(), spec("ci", &["predict"])).await.unwrap();
    let ci = key(auth, &text).await.unwrap();
    let kid = |token: &str| {
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        header["kid"].as_str().unwrap().to_owned()
    };
    let old = auth.issue(&ci, &grants(&["predict"]), HOUR).unwrap();
    auth.rotate(by()).await.unwrap();
    let new = auth.issue(&ci, &grants(&["predict"]), HOUR).unwrap();
    assert_ne!(kid(old.token.expose_secret()), kid(new.token.expose_secret()));
    let keys = auth.jwks()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2);
    for jwk in &keys {
        assert_eq!(
            (jwk["kty"].as_str(), jwk["alg"].as_str(), jwk.get("d")),
            (Some("OKP"), Some("EdDSA"), None)
        );
    }
    for token in [&old, &new] {
        issued(auth, token).await.unwrap();
    }
    let state = place.registry.state();
    let kept = &state.access.signing[&kid(old.token.expose_secret())];
    let overlap = kept.until.unwrap().as_second() - jiff::Timestamp::now().as_second();
    assert!(overlap >= 3600, "{overlap}");
    // A start on the same folder goes on with the new key.
    let again = Auth::open(settings(place.folder.path()), place.registry.clone())
        .await
        .unwrap();
    assert_eq!(again.jwks()["keys"].as_array().unwrap().len(), 2);
    issued(&again, &old).await.unwrap();
    // A folder from before the rotation: its key signs no more, so there is another.
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("auth")).unwrap();
    let file = "auth/signing-key.json";
    std::fs::copy(place.folder.path().join(file), copy.path().join(file)).unwrap();
    auth.rotate(by()).await.unwrap();
    let third = Auth::open(settings(copy.path()), place.registry.clone()).await.unwrap();
    let signed = third.issue(&ci, &grants(&["predict"]), HOUR).unwrap();
    assert_ne!(kid(signed.token.expose_secret()), kid(new.token.expose_secret()));
    issued(auth, &signed).await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_touched_is_refused() {
    let place = place().await;
    let auth = &place.auth;
    let (_, text) = auth.create_key(by(), spec("ci", &["predict"])).await.unwrap();
    let token = auth
        .issue(&key(auth, &text).await.unwrap(), &grants(&["predict"]), HOUR)
        .unwrap();
    let token = token.token.expose_secret();
    bearer(auth, token).await.unwrap();
    for index in 0..token.len() {
        let mut bytes = token.as_bytes().to_vec();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let touched = String::from_utf8(bytes).unwrap();
        // The last letter of a signature has bits that say nothing, and those must be zero.
        assert!(bearer(auth, &touched).await.is_err(), "{index}");
    }
    for (from, to) in [(0, token.len() - 1), (1, token.len())] {
        assert!(bearer(auth, &token[from..to]).await.is_err());
    }
    let other = crate::place::place().await;
    assert_eq!(
        bearer(&other.auth, token).await.unwrap_err(),
        Refused::Unknown,
        "another server's, another registry's"
    );
}
