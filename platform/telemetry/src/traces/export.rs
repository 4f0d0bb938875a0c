//! The way to the collector.

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;

/// Sends from whatever thread, by the runtime that it was made in.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    runtime: Handle,
    failing: AtomicBool,
}

impl Client {
    pub(super) fn new(patience: Duration) -> reqwest::Result<Self> {
        // reqwest takes the process's provider; the first to install one wins, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(patience)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            runtime: Handle::current(),
            failing: AtomicBool::new(false),
        })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let response = http.execute(reqwest::Request::try_from(request)?).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut whole = http::Response::new(response.bytes().await?);
            (*whole.status_mut(), *whole.headers_mut()) = (status, headers);
            Ok::<_, reqwest::Error>(whole)
        });
        let answered = sent.await?;
        let refused = match &answered {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(response.status().to_string()),
            Err(cause) => Some(cause.to_string()),
        };
        // Once for each time that it begins: a collector that is away for an hour is not worth a line every second.
        let failed_before = self.failing.swap(refused.is_some(), Ordering::Relaxed);
        if let Some(cause) = refused.filter(|_| !failed_before) {
            tracing::warn!("traces are not taken by the collector: {cause}");
        }
        Ok(answered?)
    }
}
