//! A registry in a folder with what authenticates on it.

use einthoven_auth::{Auth, By, Credential, KeySpec, Principal, Refused, Settings, Token};
use einthoven_registry::Registry;
use einthoven_registry_log::{FileLog, Log};
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server's part of it; its folder goes with it.
pub(crate) struct Place {
    pub(crate) auth: Auth,
    pub(crate) registry: Registry,
    pub(crate) folder: TempDir,
}

pub(crate) fn settings(folder: &Path) -> Settings {
    Settings {
        refresh_least: Duration::from_millis(200),
        ..Settings::new(folder.join("auth"), "https://ecg.example")
    }
}

pub(crate) async fn registry(folder: &Path) -> Registry {
    let log = Log::File(FileLog::open(folder.join("log")).await.unwrap());
    Registry::open(log, Some(&folder.join("view"))).await.unwrap()
}

pub(crate) async fn place() -> Place {
    place_with(|_| {}).await
}

pub(crate) async fn place_with(change: impl FnOnce(&mut Settings)) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(folder.path()).await;
    let mut settings = settings(folder.path());
    change(&mut settings);
    let auth = Auth::open(settings, registry.clone()).await.unwrap();
    Place { auth, registry, folder }
}

pub(crate) fn by() -> By {
    By::name("a test")
}

pub(crate) fn spec(name: &str, grants: &[&str]) -> KeySpec {
    KeySpec {
        name: name.parse().unwrap(),
        grants: grants.iter().map(|grant| grant.parse().unwrap()).collect(),
        rate: None,
        expires_at: None,
    }
}

pub(crate) async fn key(auth: &Auth, text: &SecretString) -> Result<Principal, Refused> {
    auth.authenticate(Credential::ApiKey(text.expose_secret())).await
}

pub(crate) async fn bearer(auth: &Auth, token: &str) -> Result<Principal, Refused> {
    auth.authenticate(Credential::Bearer(token)).await
}

pub(crate) async fn issued(auth: &Auth, token: &Token) -> Result<Principal, Refused> {
    bearer(auth, token.token.expose_secret()).await
}

pub(crate) async fn cookie(auth: &Auth, cookie: &SecretString) -> Result<Principal, Refused> {
    auth.authenticate(Credential::Session(cookie.expose_secret())).await
}

pub(crate) fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// Asks until it is so, for half a minute at most; says how long that took.
pub(crate) async fn until<F: Future<Output = bool>>(mut so: impl FnMut() -> F) -> Duration {
    let start = Instant::now();
    while !so().await {
        assert!(start.elapsed() < Duration::from_secs(30), "it does not come to be so");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}
