//! RFC 8725: what is tried with tokens. Against an issuer whose keys the test holds, and against our own.

use crate::place::{Place, bearer, by, cookie, key, place, spec, until};
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use einthoven_auth::{ClaimRule, Credential, IssuerSettings, Refused, Scope, SigningAlgorithm};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An issuer on this machine.
pub(crate) struct Issuer {
    pub(crate) url: String,
    /// What it publishes; null answers 503.
    pub(crate) keys: Arc<Mutex<Value>>,
    /// How often it was asked for it.
    pub(crate) asked: Arc<AtomicUsize>,
}

pub(crate) fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn jwk(kid: &str, key: &SigningKey) -> Value {
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid})
}

impl Issuer {
    pub(crate) async fn start(keys: Value) -> Self {
        let keys = Arc::new(Mutex::new(keys));
        let asked = Arc::new(AtomicUsize::new(0));
        let (published, counted) = (Arc::clone(&keys), Arc::clone(&asked));
        let answer = move || async move {
            counted.fetch_add(1, Ordering::SeqCst);
            let keys = published.lock().unwrap().clone();
            match keys {
                Value::Null => Err(axum::http::StatusCode::SERVICE_UNAVAILABLE),
                keys => Ok(axum::Json(keys)),
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/keys", get(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, keys, asked }
    }

    fn settings(&self) -> IssuerSettings {
        let rule = ClaimRule {
            claim: "role".to_owned(),
            value: "doctor".to_owned(),
            grants: vec!["predict".parse().unwrap()],
        };
        IssuerSettings {
            issuer: self.url.clone(),
            jwks_uri: Some(format!("{}/keys", self.url)),
            audiences: vec!["einthoven".to_owned()],
            clients: vec!["known-client".to_owned()],
            algorithms: vec![SigningAlgorithm::EdDSA],
            rules: vec![rule],
            login: None,
            ca_file: None,
        }
    }

    /// What it says of somebody.
    fn claims(&self) -> Value {
        let now = jiff::Timestamp::now().as_second();
        json!({
            "iss": self.url, "aud": "einthoven", "sub": "4711", "iat": now, "nbf": now, "exp": now + 600, "jti": "one",
            "role": "doctor",
        })
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn sign(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn token(claims: &Value, kid: &str, seed: u8) -> String {
    sign(&json!({"alg": "EdDSA", "kid": kid}), claims, &signing_key(seed))
}

/// A place that takes the issuer's tokens, once it has its keys.
async fn trusting(issuer: &Issuer) -> Place {
    let place = place().await;
    let set = place
        .auth
        .set_issuer(by(), "lab".parse().unwrap(), issuer.settings())
        .await
        .unwrap();
    until(|| async { place.auth.keys_of(&set).is_some() }).await;
    place
}

#[tokio::test]
async fn what_is_tried_with_tokens_of_an_issuer() {
    let key = signing_key(1);
    let issuer = Issuer::start(json!({"keys": [jwk("a", &key)]})).await;
    let place = trusting(&issuer).await;
    let auth = &place.auth;
    let good = issuer.claims();
    let principal = bearer(auth, &token(&good, "a", 1)).await.unwrap();
    assert_eq!(principal.name(), "oidc:lab:4711");
    assert!(principal.may(Scope::Predict) && !principal.may_some(Scope::Admin));

    let public = key.verifying_key().to_bytes();
    let shared = |header: Value, secret: &[u8]| {
        let message = format!("{}.{}", part(&header), part(&good));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    let x = URL_SAFE_NO_PAD.encode(public);
    let forged = signing_key(66);
    let with = |header: Value| sign(&header, &good, &key);
    let brings = |field: &str, value: Value| sign(&json!({"alg": "EdDSA", "kid": "z", field: value}), &good, &forged);
    let attacks = [
        (
            "no signature",
            format!("{}.{}.", part(&json!({"alg": "none"})), part(&good)),
        ),
        ("alg none with a signature", with(json!({"alg": "none", "kid": "a"}))),
        (
            "HS256 with the public key",
            shared(json!({"alg": "HS256", "kid": "a"}), &public),
        ),
        (
            "HS256 with the public key as it is published",
            shared(json!({"alg": "HS256", "kid": "a"}), x.as_bytes()),
        ),
        (
            "EdDSA that is an HMAC",
            shared(json!({"alg": "EdDSA", "kid": "a"}), &public),
        ),
        (
            "an algorithm that is not pinned",
            with(json!({"alg": "RS256", "kid": "a"})),
        ),
        (
            "a header that must be understood",
            with(json!({"alg": "EdDSA", "kid": "a", "crit": ["b64"], "b64": false})),
        ),
        ("its own key", brings("jwk", jwk("z", &forged))),
        (
            "the address of its own key",
            brings("jku", json!(format!("{}/keys", issuer.url))),
        ),
        ("its own certificate", brings("x5c", json!(["MIIB"]))),
        (
            "the address of its own certificate",
            brings("x5u", json!("https://evil.example/")),
        ),
        ("somebody else's key", token(&good, "a", 66)),
        (
            "a kid that is a path",
            sign(&json!({"alg": "EdDSA", "kid": "../../../../dev/null"}), &good, &forged),
        ),
        (
            "a kid that is SQL",
            sign(&json!({"alg": "EdDSA", "kid": "a' UNION SELECT 'x"}), &good, &forged),
        ),
        ("a kid that is no text", with(json!({"alg": "EdDSA", "kid": {"a": 1}}))),
        (
            "a logout token",
            with(json!({"alg": "EdDSA", "kid": "a", "typ": "logout+jwt"})),
        ),
        (
            "a proof of possession",
            with(json!({"alg": "EdDSA", "kid": "a", "typ": "dpop+jwt"})),
        ),
        (
            "encrypted, in five parts",
            format!("{}.a.b.c.d", part(&json!({"alg": "dir", "enc": "A256GCM"}))),
        ),
    ];
    for (attack, token) in attacks {
        assert!(bearer(auth, &token).await.is_err(), "{attack}");
        assert!(
            auth.authenticate(Credential::Session(&token)).await.is_err(),
            "{attack}"
        );
    }
    // The same headers beside a good signature do no harm, and no good.
    bearer(
        auth,
        &with(json!({"alg": "EdDSA", "kid": "a", "typ": "at+jwt", "jku": "https://evil.example/"})),
    )
    .await
    .unwrap();

    let now = jiff::Timestamp::now().as_second();
    for (claim, value, refused) in [
        ("iss", json!("https://other.example"), Refused::Unknown),
        ("iss", json!(format!("{}/", issuer.url)), Refused::Unknown),
        ("aud", json!("another"), Refused::WrongAudience),
        ("aud", json!(["einthoven", "another"]), Refused::WrongAudience),
        ("exp", json!(now - 31), Refused::Expired),
        ("nbf", json!(now + 60), Refused::NotYetValid),
        ("iat", json!(now + 60), Refused::NotYetValid),
        ("sub", json!(null), Refused::Malformed),
    ] {
        let mut claims = good.clone();
        claims[claim] = value;
        assert_eq!(
            bearer(auth, &token(&claims, "a", 1)).await.unwrap_err(),
            refused,
            "{claim}"
        );
    }
    let mut several = good.clone();
    several["aud"] = json!(["einthoven", "another"]);
    several["azp"] = json!("known-client");
    bearer(auth, &token(&several, "a", 1)).await.unwrap();

    auth.revoke_token(by(), Some(&"lab".parse().unwrap()), "one", jiff::Timestamp::MAX)
        .await
        .unwrap();
    assert_eq!(bearer(auth, &token(&good, "a", 1)).await.unwrap_err(), Refused::Revoked);
    let mut next = good.clone();
    next["jti"] = json!("two");
    bearer(auth, &token(&next, "a", 1)).await.unwrap();
    auth.end_all(by(), "oidc:lab:4711").await.unwrap();
    assert_eq!(bearer(auth, &token(&next, "a", 1)).await.unwrap_err(), Refused::Revoked);
    next["sub"] = json!("4712");
    bearer(auth, &token(&next, "a", 1)).await.unwrap();
    auth.remove_issuer(by(), &"lab".parse().unwrap()).await.unwrap();
    assert_eq!(bearer(auth, &token(&next, "a", 1)).await.unwrap_err(), Refused::Unknown);
}

#[tokio::test]
async fn tokens_and_sessions_of_our_own_are_not_taken_for_each_other() {
    let place = place().await;
    let auth = &place.auth;
    let (_, text) = auth.create_key(by(), spec("ci", &["predict"])).await.unwrap();
    let ci = key(auth, &text).await.unwrap();
    let issued = auth
        .issue(&ci, &["predict".parse().unwrap()], Duration::from_secs(60))
        .unwrap();
    let issued = issued.token.expose_secret();
    bearer(auth, issued).await.unwrap();
    assert!(cookie(auth, &SecretString::from(issued)).await.is_err());
    let file = std::fs::read_to_string(place.folder.path().join("auth/signing-key.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let seed: [u8; 32] = URL_SAFE_NO_PAD
        .decode(file["secret"].as_str().unwrap())
        .unwrap()
        .try_into()
        .unwrap();
    let ours = SigningKey::from_bytes(&seed);
    assert!(ours.to_pkcs8_der().is_ok());
    let payload = URL_SAFE_NO_PAD.decode(issued.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let header = URL_SAFE_NO_PAD.decode(issued.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    bearer(auth, &sign(&header, &claims, &ours)).await.unwrap();
    // Even what our own key signed must say the right things.
    for (field, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("session+jwt")),
        ("kid", json!("other")),
        ("kid", json!(null)),
        ("crit", json!(["x"])),
    ] {
        let mut header = header.clone();
        header[field] = value;
        assert!(bearer(auth, &sign(&header, &claims, &ours)).await.is_err(), "{header}");
    }
    for (claim, value) in [
        ("aud", json!("einthoven/session")),
        ("iss", json!("https://other.example")),
        ("sub", json!("key:other")),
        ("sub", json!("user:ana")),
        ("sub", json!("root")),
        ("sub", json!("oidc:lab:4711")),
        ("jti", json!(null)),
        ("revision", json!(null)),
        ("revision", json!(0)),
        ("revision", json!(-1)),
        ("exp", json!(claims["nbf"].as_i64().unwrap() - 1)),
        ("scope", json!("predict everything")),
    ] {
        let mut claims = claims.clone();
        claims[claim] = value;
        assert!(bearer(auth, &sign(&header, &claims, &ours)).await.is_err(), "{claim}");
    }
    // More than the key may is not given, whoever signed it.
    let mut more = claims.clone();
    more["scope"] = json!("predict admin");
    let principal = bearer(auth, &sign(&header, &more, &ours)).await.unwrap();
    assert!(principal.may(Scope::Predict) && !principal.may_some(Scope::Admin));
}

#[tokio::test]
async fn new_keys_are_fetched_beside_requests_and_not_too_often() {
    let issuer = Issuer::start(json!({"keys": [jwk("a", &signing_key(1))]})).await;
    let place = trusting(&issuer).await;
    let auth = &place.auth;
    let claims = issuer.claims();
    let (old, new) = (token(&claims, "a", 1), token(&claims, "b", 2));
    bearer(auth, &old).await.unwrap();
    // Nobody waits, and a thousand unknown tokens are no thousand questions.
    let before = issuer.asked.load(Ordering::SeqCst);
    let start = std::time::Instant::now();
    for _ in 0..1000 {
        assert_eq!(bearer(auth, &new).await.unwrap_err(), Refused::Unknown);
    }
    let most = usize::try_from(start.elapsed().as_millis() / 200).unwrap() + 2;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let asked = issuer.asked.load(Ordering::SeqCst) - before;
    assert!((1..=most + 1).contains(&asked), "asked {asked} times");
    // The issuer publishes both, then the new one alone.
    *issuer.keys.lock().unwrap() = json!({"keys": [jwk("a", &signing_key(1)), jwk("b", &signing_key(2))]});
    until(|| async { bearer(auth, &new).await.is_ok() }).await;
    bearer(auth, &old).await.unwrap();
    *issuer.keys.lock().unwrap() = json!({"keys": [jwk("b", &signing_key(2))]});
    let _ = bearer(auth, &token(&claims, "c", 3)).await;
    until(|| async { bearer(auth, &old).await.is_err() }).await;
    bearer(auth, &new).await.unwrap();
    // Away, and nonsense: what is known stays good.
    for broken in [Value::Null, json!({"keys": []}), json!("x")] {
        *issuer.keys.lock().unwrap() = broken;
        let before = issuer.asked.load(Ordering::SeqCst);
        let _ = bearer(auth, &token(&claims, "c", 3)).await;
        until(|| async { issuer.asked.load(Ordering::SeqCst) > before }).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        bearer(auth, &new).await.unwrap();
    }
}
