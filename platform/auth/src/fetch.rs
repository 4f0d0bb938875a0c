//! What issuers publish: their discovery document and their keys.

use crate::jwk::VerifyingKey;
use einthoven_registry_state::IssuerSettings;
use reqwest::{Client, Response, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::error::Error as _;
use std::time::Duration;
use url::{Host, Url};

/// Bytes of one answer.
const LONGEST: usize = 1 << 20;

/// For one answer, connecting included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why something was not fetched, for the log.
pub(crate) type Failure = String;

/// What is known of an issuer.
#[derive(Clone, PartialEq)]
pub(crate) struct Published {
    pub(crate) keys: Vec<VerifyingKey>,
    /// Where people sign in, and where codes are exchanged; absent where nobody signs in by it.
    pub(crate) login: Option<Endpoints>,
}

/// Addresses of the authorization code flow.
#[derive(Clone, PartialEq)]
pub(crate) struct Endpoints {
    pub(crate) authorization: Url,
    pub(crate) token: Url,
}

/// The discovery document (OpenID Connect Discovery 1.0), as far as it is used.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
}

/// A client that trusts what the issuer's settings say, and follows nobody elsewhere.
pub(crate) fn client(settings: &IssuerSettings) -> Result<Client, Failure> {
    // reqwest takes the process's provider; the first to install one wins, and any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder()
        .timeout(PATIENCE)
        .redirect(redirect::Policy::none())
        .user_agent("einthoven");
    if let Some(file) = &settings.ca_file {
        let pem = std::fs::read(file).map_err(|cause| format!("`ca_file` {file}: {cause}"))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem);
        for certificate in certificates.map_err(|cause| format!("`ca_file` {file}: {cause}"))? {
            client = client.add_root_certificate(certificate);
        }
    }
    client.build().map_err(|cause| deepest(&cause))
}

/// Fetches the keys, and where to sign in if somebody may.
pub(crate) async fn published(client: &Client, settings: &IssuerSettings) -> Result<Published, Failure> {
    let discovery = if settings.jwks_uri.is_none() || settings.login.is_some() {
        let address = format!(
            "{}/.well-known/openid-configuration",
            settings.issuer.trim_end_matches('/')
        );
        let found: Discovery = get(client, &address).await?;
        if found.issuer != settings.issuer {
            return Err(format!(
                "{address} is of the issuer {:?}, not {:?}",
                found.issuer, settings.issuer
            ));
        }
        Some(found)
    } else {
        None
    };
    let address = settings.jwks_uri.as_ref();
    let address = address.or(discovery.as_ref().map(|found| &found.jwks_uri));
    let address = address.ok_or("no address of its keys is known")?;
    let set: serde_json::Value = get(client, address).await?;
    let keys = VerifyingKey::read_set(&set).ok_or_else(|| format!("{address} holds no set of keys"))?;
    if keys.is_empty() {
        return Err(format!("{address} holds no key that can be used here"));
    }
    let login = match (&settings.login, discovery) {
        (Some(_), Some(found)) => {
            let endpoint = |address: Option<String>| {
                let address = address.ok_or("its discovery document names no endpoints for signing in")?;
                safe(&address)
            };
            Some(Endpoints {
                authorization: endpoint(found.authorization_endpoint)?,
                token: endpoint(found.token_endpoint)?,
            })
        }
        _ => None,
    };
    Ok(Published { keys, login })
}

/// An address that nobody on the way can change: https, or this machine.
pub(crate) fn safe(address: &str) -> Result<Url, Failure> {
    let url = Url::parse(address).map_err(|cause| format!("{address:?} is no address: {cause}"))?;
    let here = match url.host() {
        Some(Host::Ipv4(host)) => host.is_loopback(),
        Some(Host::Ipv6(host)) => host.is_loopback(),
        Some(Host::Domain(host)) => host == "localhost",
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if plain && (url.scheme() == "https" || url.scheme() == "http" && here) {
        return Ok(url);
    }
    Err(format!(
        "{address:?} is not safe; write https://HOST, without user and password"
    ))
}

async fn get<T: DeserializeOwned>(client: &Client, address: &str) -> Result<T, Failure> {
    let url = safe(address)?;
    let response = client
        .get(url)
        .send()
        .await
        .map_err(|cause| format!("{address}: {}", deepest(&cause)))?;
    json(address, response).await
}

/// The body of a success, as JSON.
pub(crate) async fn json<T: DeserializeOwned>(address: &str, mut response: Response) -> Result<T, Failure> {
    let status = response.status();
    if !status.is_success() {
        return Err(format!("{address} answers {status}"));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|cause| format!("{address}: {}", deepest(&cause)))?
    {
        if body.len() + chunk.len() > LONGEST {
            return Err(format!("{address} answers more than {LONGEST} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    // What serde says would repeat what it read, which may be a token.
    serde_json::from_slice(&body).map_err(|_| format!("{address} does not answer what it should, in JSON"))
}

/// What lies at the bottom of an error of reqwest, without the address, whose query may hold secrets.
pub(crate) fn deepest(cause: &reqwest::Error) -> String {
    let mut next = cause.source();
    let mut text = if cause.is_timeout() {
        "no answer in time"
    } else {
        "it cannot be reached"
    }
    .to_owned();
    while let Some(error) = next {
        text = error.to_string();
        next = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_only_over_ways_that_nobody_can_change() {
        for good in [
            "https://id.example/keys",
            "http://127.0.0.1:9/x",
            "http://[::1]/x",
            "http://localhost:8080",
        ] {
            safe(good).unwrap();
        }
        for bad in [
            "http://id.example/keys",
            "http://localhost.example/",
            "file:///etc/passwd",
            "https://user:password@id.example/",
            "keys",
            "",
        ] {
            assert!(safe(bad).is_err(), "{bad}");
        }
    }
}
