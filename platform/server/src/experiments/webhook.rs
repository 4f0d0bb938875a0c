//! Telling somebody else that a challenger was withdrawn.
//!
//! A call is signed as MLflow signs those that come in: `v1,` and the base64 of HMAC-SHA256 over delivery, time and body, with
//! dots between.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::time::Duration;

const SIGNATURE: &str = "x-einthoven-signature";
const TIMESTAMP: &str = "x-einthoven-timestamp";
const DELIVERY: &str = "x-einthoven-delivery-id";

/// Tries of one call, and the wait before the second; each further one waits twice as long.
const TRIES: u32 = 4;
const AGAIN: Duration = Duration::from_secs(1);
/// How long one try may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where calls go, and what they are signed with.
#[derive(Clone)]
pub(super) struct Webhook {
    client: reqwest::Client,
    url: reqwest::Url,
    secret: SecretString,
}

impl Webhook {
    pub(super) fn new(url: &str, secret: SecretString) -> anyhow::Result<Self> {
        let url: reqwest::Url = url.parse().with_context(|| format!("the webhook's address `{url}`"))?;
        anyhow::ensure!(
            matches!(url.scheme(), "http" | "https"),
            "the webhook's address must begin with http:// or https://"
        );
        // Of no effect where it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("a client for the webhook")?;
        Ok(Self { client, url, secret })
    }

    /// Sends it until it is taken, a few times; what is not is logged.
    pub(super) async fn tell(&self, body: &serde_json::Value) {
        let body = body.to_string();
        let delivery = uuid::Uuid::now_v7().to_string();
        let mut wait = AGAIN;
        for left in (0..TRIES).rev() {
            let why = match self.send(&delivery, body.clone()).await {
                Ok(status) if status.is_success() => return,
                Ok(status) => format!("it said {status}"),
                Err(cause) => cause.to_string(),
            };
            if left == 0 {
                tracing::error!("the experiments' webhook was not told: {why}");
                return;
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    async fn send(&self, delivery: &str, body: String) -> anyhow::Result<reqwest::StatusCode> {
        let timestamp = jiff::Timestamp::now().as_second().to_string();
        let signature = signed(&self.secret, delivery, &timestamp, &body)?;
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header(DELIVERY, delivery)
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature)
            .body(body);
        Ok(request.send().await?.status())
    }
}

fn signed(secret: &SecretString, delivery: &str, timestamp: &str, body: &str) -> anyhow::Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).context("the webhook's secret")?;
    mac.update(format!("{delivery}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}
