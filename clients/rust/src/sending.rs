//! Who calls, and calls that the server asks to send again later.

use crate::generated::Client;
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Request, Response, StatusCode};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What is asked to be sent later than that is not sent again.
const LONGEST: Duration = Duration::from_secs(60);

type Asked = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = String> + Send>> + Send + Sync>;

/// An API key or a token.
#[derive(Clone)]
enum Key {
    Fixed(String),
    Asked(Asked),
}

/// How requests are sent.
#[derive(Clone)]
pub struct Sending {
    key: Key,
    pub(crate) retries: u32,
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

impl Sending {
    /// With the key that `EINTHOVEN_KEY` holds.
    pub(crate) fn from_environment() -> Self {
        Self {
            key: Key::Fixed(std::env::var("EINTHOVEN_KEY").unwrap_or_default()),
            retries: 4,
        }
    }

    pub(crate) fn key(&mut self, key: String) {
        self.key = Key::Fixed(key);
    }

    pub(crate) fn ask<F: Future<Output = String> + Send + 'static>(
        &mut self,
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) {
        self.key = Key::Asked(Arc::new(move || Box::pin(ask())));
    }

    /// Sends it, and again where that was asked for. What the server may have done is not sent again.
    pub(crate) async fn send(&self, client: &reqwest::Client, mut request: Request) -> reqwest::Result<Response> {
        for _ in 0..self.retries {
            // A body that streams from elsewhere cannot be sent twice.
            let Some(again) = request.try_clone() else {
                break;
            };
            let response = client.execute(self.signed(request).await).await?;
            let Some(after) = later(&response) else {
                return Ok(response);
            };
            tokio::time::sleep(after).await;
            request = again;
        }
        client.execute(self.signed(request).await).await
    }

    async fn signed(&self, mut request: Request) -> Request {
        let key = match &self.key {
            Key::Fixed(key) => key.clone(),
            Key::Asked(ask) => ask().await,
        };
        // Letters that no header takes are in no key: the server says that nobody is signed in.
        if let Some(mut value) = HeaderValue::from_str(&format!("Bearer {key}"))
            .ok()
            .filter(|_| !key.is_empty())
        {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        request
    }
}

fn later(response: &Response) -> Option<Duration> {
    let busy = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&response.status());
    let after = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    let after = Duration::from_secs(after);
    (busy && after <= LONGEST).then_some(after)
}

impl ClientHooks<Sending> for Client {
    async fn exec(&self, request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
        self.inner().send(self.client(), request).await
    }
}
