//! Tokens and people of a real issuer.

use crate::django::Django;
use crate::place::{Place, bearer, by, cookie, place, until};
use einthoven_auth::{
    Auth, Begun, ClaimRule, IssuerName, IssuerSettings, LoginClient, LoginError, Scope, SigningAlgorithm,
};
use reqwest::redirect::Policy;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use url::Url;

/// Where the browser comes back to. Nothing listens there: the test is the browser.
const BACK: &str = "http://127.0.0.1:1/back";

struct Issuer {
    _django: Django,
    root: String,
    browser: reqwest::Client,
}

impl Issuer {
    async fn start() -> Self {
        let django = Django::start(BACK);
        // As the crate does it: reqwest takes the process's provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self {
            root: django.root.clone(),
            _django: django,
            browser,
        }
    }

    fn settings(&self, client: &str, with_secret: Option<&Path>) -> IssuerSettings {
        let rule = |value: &str, grant: &str| ClaimRule {
            claim: "groups".to_owned(),
            value: value.to_owned(),
            grants: vec![grant.parse().unwrap()],
        };
        IssuerSettings {
            issuer: format!("{}/o", self.root),
            jwks_uri: None,
            audiences: vec![client.to_owned()],
            clients: vec![],
            algorithms: vec![SigningAlgorithm::RS256],
            rules: vec![
                rule("ecg", "predict"),
                rule("staff", "models.read"),
                rule("owners", "admin"),
            ],
            login: Some(LoginClient {
                client_id: client.to_owned(),
                client_secret_file: with_secret.map(|file| file.to_string_lossy().into_owned()),
                scopes: vec![],
            }),
            ca_file: None,
        }
    }

    async fn tell(&self, what: &str) {
        let answer = self.browser.post(format!("{}/{what}", self.root)).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// What the browser brings back: the `state` and the `code`.
    async fn visit(&self, address: &Url) -> (String, String) {
        let answer = self.browser.get(address.clone()).send().await.unwrap();
        let back = answer
            .headers()
            .get("location")
            .expect("it sends the browser back")
            .to_str()
            .unwrap();
        assert!(back.starts_with(BACK), "{back}");
        let brought: HashMap<_, _> = Url::parse(back).unwrap().query_pairs().into_owned().collect();
        (brought["state"].clone(), brought["code"].clone())
    }

    /// An ID token, as some other program of the client's gets it.
    async fn token(&self, client: &str) -> String {
        use base64::Engine as _;
        use sha2::Digest as _;
        let verifier = "v".repeat(64);
        let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&verifier));
        let mut address = Url::parse(&format!("{}/o/authorize/", self.root)).unwrap();
        address.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", BACK),
            ("scope", "openid"),
            ("state", "s"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let (_, code) = self.visit(&address).await;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", BACK),
                ("client_id", client),
                ("client_secret", "a client's secret & more, of 32 bytes or more"),
                ("code_verifier", &verifier),
            ])
            .finish();
        let request = self.browser.post(format!("{}/o/token/", self.root));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["id_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }
}

fn lab() -> IssuerName {
    "lab".parse().unwrap()
}

async fn trusting(issuer: &Issuer, client: &str, with_secret: Option<&Path>) -> Place {
    let place = place().await;
    let set = place
        .auth
        .set_issuer(by(), lab(), issuer.settings(client, with_secret))
        .await
        .unwrap();
    until(|| async { place.auth.keys_of(&set).is_some() }).await;
    place
}

async fn begin(auth: &Auth) -> Begun {
    auth.begin_login(&lab(), &Url::parse(BACK).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_tokens_count_through_rotations_and_while_it_is_away() {
    let issuer = Issuer::start().await;
    let place = trusting(&issuer, "server", None).await;
    let auth = &place.auth;
    let first = issuer.token("server").await;
    let ana = bearer(auth, &first).await.unwrap();
    assert_eq!(ana.name(), "oidc:lab:1");
    assert!(ana.may(Scope::Predict) && ana.may(Scope::ModelsRead) && !ana.may_some(Scope::Admin));
    // For another client of the same issuer, and signed with a secret that is shared.
    for client in ["page", "shared-secret"] {
        assert!(bearer(auth, &issuer.token(client).await).await.is_err(), "{client}");
    }
    issuer.tell("rotate").await;
    let second = issuer.token("server").await;
    assert!(bearer(auth, &second).await.is_err(), "nobody waits for a key");
    let took = until(|| async { bearer(auth, &second).await.is_ok() }).await;
    println!("a new key of the issuer's was known after {took:?}");
    bearer(auth, &first).await.unwrap();
    issuer.tell("down").await;
    let _ = bearer(auth, &second.replace('.', "x.")).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    bearer(auth, &second).await.unwrap();
    issuer.tell("up").await;
    // The keys before are withdrawn: what they signed counts no more, once that is known.
    issuer.tell("rotate?forget=1").await;
    let third = issuer.token("server").await;
    until(|| async { bearer(auth, &third).await.is_ok() }).await;
    for old in [&first, &second] {
        assert!(bearer(auth, old).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_by_it_with_and_without_a_clients_secret() {
    let issuer = Issuer::start().await;
    let secrets = tempfile::tempdir().unwrap();
    let file = secrets.path().join("secret");
    std::fs::write(&file, "a client's secret & more, of 32 bytes or more\n").unwrap();
    for (client, with_secret) in [("page", None), ("server", Some(file.as_path()))] {
        let place = trusting(&issuer, client, with_secret).await;
        let auth = &place.auth;
        let begun = begin(auth).await;
        let asked: HashMap<_, _> = begun.address.query_pairs().into_owned().collect();
        assert_eq!(
            (asked["response_type"].as_str(), asked["code_challenge_method"].as_str()),
            ("code", "S256")
        );
        let (state, code) = issuer.visit(&begun.address).await;
        let browser = begun.cookie.expose_secret();
        let session = auth.finish_login(browser, &state, &code).await.unwrap();
        assert_eq!(session.principal.name(), "oidc:lab:1");
        assert!(cookie(auth, &session.cookie).await.unwrap().may(Scope::Predict));
        let replayed = auth.finish_login(browser, &state, &code).await;
        assert!(matches!(replayed, Err(LoginError::Stale)), "a state counts once");

        // One browser's code with another's state: the verifier and the nonce are of another sign-in.
        let (mine, other) = (begin(auth).await, begin(auth).await);
        let (state, _) = issuer.visit(&mine.address).await;
        let (_, code) = issuer.visit(&other.address).await;
        let mixed = auth.finish_login(mine.cookie.expose_secret(), &state, &code).await;
        assert!(matches!(mixed, Err(LoginError::Unconfirmed)), "{mixed:?}");
        // Sent by one browser, brought back by another.
        let (mine, other) = (begin(auth).await, begin(auth).await);
        let (state, code) = issuer.visit(&mine.address).await;
        let stolen = auth.finish_login(other.cookie.expose_secret(), &state, &code).await;
        assert!(matches!(stolen, Err(LoginError::Stale)), "{stolen:?}");
        // With a nonce that is not the one that was sent: as a code that somebody else got would bring.
        let begun = begin(auth).await;
        let mut address = begun.address.clone();
        let pairs: Vec<_> = begun.address.query_pairs().into_owned().collect();
        address.query_pairs_mut().clear().extend_pairs(
            pairs
                .iter()
                .map(|(name, value)| (name, if name == "nonce" { "another" } else { value.as_str() })),
        );
        let (state, code) = issuer.visit(&address).await;
        let replayed = auth.finish_login(begun.cookie.expose_secret(), &state, &code).await;
        assert!(matches!(replayed, Err(LoginError::Unconfirmed)), "{replayed:?}");
        // A session by an issuer ends with the issuer.
        auth.remove_issuer(by(), &lab()).await.unwrap();
        assert!(cookie(auth, &session.cookie).await.is_err());
        assert!(matches!(
            auth.begin_login(&lab(), &Url::parse(BACK).unwrap()).await,
            Err(LoginError::NoLogin(_))
        ));
    }
}
