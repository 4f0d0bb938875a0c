//! A running server, as the command line speaks to it: the same HTTP interface that every program uses.

use anyhow::{Context, bail, ensure};
use clap::Args;
use reqwest::{Method, Response};
use serde_json::Value;
use std::future::Future;
use std::path::Path;

/// Which server, and who asks.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// The running server.
    #[arg(
        long,
        default_value = "http://127.0.0.1:5000",
        env = "EINTHOVEN_SERVER",
        global = true
    )]
    server: String,
    /// Who asks, for the audit trail.
    #[arg(long, env = "USER", default_value = "local", global = true)]
    who: String,
}

impl Remote {
    /// Runs what speaks to the server.
    pub(crate) fn run<T>(&self, work: impl AsyncFnOnce(Server) -> anyhow::Result<T>) -> anyhow::Result<T> {
        run(async {
            let client = reqwest::Client::builder()
                .build()
                .context("cannot make an HTTP client")?;
            let base = self.server.trim_end_matches('/').to_owned();
            let who = self.who.clone();
            work(Server { client, base, who }).await
        })
    }
}

/// Runs a command's async part.
pub(crate) fn run<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    // A provider that is there already will do as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

pub(crate) struct Server {
    client: reqwest::Client,
    base: String,
    who: String,
}

impl Server {
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None).await
    }

    /// Sends a JSON body where there is one; gives the answer, null where it has none.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request.send().await.with_context(|| self.silent())?).await
    }

    /// Deletes, for a reason that goes into the query.
    pub(crate) async fn delete(&self, path: &str, reason: Option<&str>) -> anyhow::Result<Value> {
        let reason: Vec<_> = reason.iter().map(|reason| ("reason", *reason)).collect();
        let request = self.request(Method::DELETE, path).query(&reason);
        answer(request.send().await.with_context(|| self.silent())?).await
    }

    /// Sends a file as the body, streamed from disk, with fields in the query.
    pub(crate) async fn upload_file(
        &self,
        path: &str,
        file: &Path,
        fields: &[(String, String)],
    ) -> anyhow::Result<Value> {
        let opened = tokio::fs::File::open(file)
            .await
            .with_context(|| format!("cannot read {}", file.display()))?;
        ensure!(
            opened.metadata().await?.is_file(),
            "{} is no file; pack a folder into a .zip or .tar first",
            file.display()
        );
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut query = vec![("name".to_owned(), name)];
        query.extend(fields.iter().cloned());
        let request = self
            .request(Method::POST, path)
            .query(&query)
            .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
            .body(opened);
        answer(request.send().await.with_context(|| self.silent())?).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.base))
            .header("x-einthoven-who", &self.who)
    }

    fn silent(&self) -> String {
        format!(
            "no answer from {}; start the server with `einthoven serve`, or name another with --server",
            self.base
        )
    }
}

async fn answer(response: Response) -> anyhow::Result<Value> {
    let status = response.status();
    let text = response.text().await.context("the answer broke off")?;
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    match body["detail"].as_str() {
        Some(detail) => match serde_json::to_string_pretty(&body["draft"]) {
            Ok(draft) if body["draft"].is_object() => bail!("{detail}\n\nWhat is known of the manifest:\n{draft}"),
            _ => bail!("{detail}"),
        },
        None => bail!("the server answered {status}"),
    }
}
