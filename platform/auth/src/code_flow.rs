//! Signing in at an issuer: the authorization code flow with PKCE (RFC 7636), a state and a nonce.

use crate::auth::Auth;
use crate::credential::{Begun, Session};
use crate::error::{LoginError, TooMany};
use crate::fetch;
use crate::follow::Followed;
use crate::jws::{Claims, Jws};
use crate::login::Away;
use crate::oidc;
use crate::sessions::failed;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use einthoven_registry_state::{IssuerName, LoginClient};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

/// Longest code and state that a browser brings back.
const LONGEST: usize = 4096;

/// What the token endpoint answers, as far as it is used.
#[derive(Deserialize)]
struct Exchanged {
    id_token: SecretString,
}

impl Auth {
    /// Begins signing in at an issuer: the address to send the browser to, and what its cookie must hold until it comes back
    /// to `back`, which the issuer must know as one of ours.
    ///
    /// # Errors
    /// [`LoginError::NoLogin`] where nobody signs in by it, or its keys were never fetched; [`LoginError::TooMany`].
    #[allow(clippy::unused_async, reason = "callers await it, so that it may come to wait")]
    pub async fn begin_login(&self, issuer: &IssuerName, back: &Url) -> Result<Begun, LoginError> {
        let (followed, client) = self.login_at(issuer)?;
        let published = followed.published();
        let endpoints = published.as_ref().and_then(|published| published.login.as_ref());
        let endpoints = endpoints.ok_or_else(|| LoginError::NoLogin(issuer.to_string()))?;
        let sent = self
            .0
            .logins
            .send(issuer, followed.issuer.revision, back)
            .map_err(failed)?;
        let sent = sent.ok_or(TooMany {
            retry_after: Duration::from_secs(60),
        })?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(sent.verifier.as_bytes()));
        let scopes: Vec<_> = ["openid"]
            .into_iter()
            .chain(client.scopes.iter().map(String::as_str))
            .collect();
        let mut address = endpoints.authorization.clone();
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.client_id)
            .append_pair("redirect_uri", back.as_str())
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &sent.state)
            .append_pair("nonce", &sent.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(Begun {
            address,
            cookie: sent.cookie,
        })
    }

    /// Ends it: with what the browser's cookie holds and the `state` and `code` that it brought back. Each state counts once.
    ///
    /// # Errors
    /// [`LoginError::Stale`] for a state that is not waited for, or of another browser; [`LoginError::Unconfirmed`] where the
    /// issuer does not say who it is.
    pub async fn finish_login(&self, cookie: &str, state: &str, code: &str) -> Result<Session, LoginError> {
        if state.len() > LONGEST || code.len() > LONGEST {
            return Err(LoginError::Stale);
        }
        let away = self.0.logins.take(state, cookie).ok_or(LoginError::Stale)?;
        let revision = self.0.registry.glance().access.revision;
        let (followed, client) = self.login_at(&away.issuer)?;
        if followed.issuer.revision != away.revision {
            return Err(LoginError::Stale);
        }
        let unconfirmed = |cause: String| {
            tracing::warn!(issuer = %away.issuer, "somebody is not signed in: {cause}");
            LoginError::Unconfirmed
        };
        let exchanged = exchange(&followed, &client, &away, code).await.map_err(unconfirmed)?;
        let (subject, claims) = identity(&followed, &client, &away, &exchanged).map_err(unconfirmed)?;
        let grants = oidc::allowed(&followed.issuer.settings.rules, &claims);
        self.begin_session(&oidc::subject(&followed.issuer, &subject), Some(&grants), revision)
    }

    fn login_at(&self, issuer: &IssuerName) -> Result<(Arc<Followed>, LoginClient), LoginError> {
        let state = self.0.registry.glance();
        let known = state.access.issuers.get(issuer);
        let client = known.and_then(|known| known.settings.login.clone());
        let followed = known.and_then(|known| self.0.issuers.get(known));
        followed
            .zip(client)
            .ok_or_else(|| LoginError::NoLogin(issuer.to_string()))
    }
}

/// Exchanges the code for a token that says who it is.
async fn exchange(followed: &Followed, client: &LoginClient, away: &Away, code: &str) -> Result<Exchanged, String> {
    let settings = &followed.issuer.settings;
    let published = followed.published();
    let endpoints = published.as_ref().and_then(|published| published.login.as_ref());
    let endpoint = &endpoints.ok_or("its endpoints are not known")?.token;
    // A form under way is not `Send`, so it ends before anything is waited for.
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", away.back.as_str())
        .append_pair("client_id", &client.client_id)
        .append_pair("code_verifier", &away.verifier)
        .finish();
    let mut request = fetch::client(settings)?.post(endpoint.clone());
    if let Some(file) = &client.client_secret_file {
        let secret = std::fs::read_to_string(file).map(Zeroizing::new);
        let secret = secret.map_err(|cause| format!("`client_secret_file` {file}: {cause}"))?;
        // RFC 6749 2.3.1: both are form-encoded before they become user and password.
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let password = Zeroizing::new(encoded(secret.trim_end_matches(['\r', '\n'])));
        request = request.basic_auth(encoded(&client.client_id), Some(password.as_str()));
    }
    let request = request
        .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(reqwest::header::ACCEPT, "application/json")
        .body(form);
    let response = request.send().await.map_err(|cause| fetch::deepest(&cause))?;
    fetch::json(endpoint.as_str(), response).await
}

/// Who it is, by an ID token that was made for this very sign-in.
fn identity(
    followed: &Followed,
    client: &LoginClient,
    away: &Away,
    exchanged: &Exchanged,
) -> Result<(String, Claims), String> {
    let jws = Jws::parse(exchanged.id_token.expose_secret()).map_err(|refused| refused.to_string())?;
    let now = Timestamp::now().as_second();
    let claimed = oidc::check(&jws, followed, std::slice::from_ref(&client.client_id), now);
    let claimed = claimed.map_err(|refused| refused.to_string())?;
    let nonce = jws.text("nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(away.nonce.as_bytes())) {
        return Err("its nonce is of another sign-in".to_owned());
    }
    Ok((claimed.subject, jws.claims))
}
