//! A running server, as the command line speaks to it: the same HTTP interface that every program uses, in the types that its
//! handlers read and write.

use crate::http::access::PAGE_HEADER;
use crate::http::models::Reason;
use crate::http::problem::Problem;
use anyhow::{Context, bail, ensure};
use clap::Args;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::path::{Path, PathBuf};

/// Which server, and what proves who asks.
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
    /// File that holds the API key; else the key is what EINTHOVEN_KEY holds.
    #[arg(long, value_name = "FILE", env = "EINTHOVEN_KEY_FILE", global = true)]
    key_file: Option<PathBuf>,
    /// The link that the server printed at its start, in place of a key. It works once, and names the server.
    #[arg(long, value_name = "URL", global = true, conflicts_with = "key_file")]
    link: Option<Url>,
}

/// Variable of the environment that holds the API key. No flag takes it: whoever lists processes would see it.
const KEY: &str = "EINTHOVEN_KEY";

impl Remote {
    /// Runs what speaks to the server.
    pub(crate) fn run<T>(&self, work: impl AsyncFnOnce(Server) -> anyhow::Result<T>) -> anyhow::Result<T> {
        run(async {
            // The link says itself which server it is of.
            let base = match &self.link {
                Some(link) => link.origin().ascii_serialization(),
                None => self.server.trim_end_matches('/').to_owned(),
            };
            let headers = match &self.link {
                Some(link) => signed_in(link).await?,
                None => self.key()?.map(with_key).transpose()?.unwrap_or_default(),
            };
            let client = reqwest::Client::builder().default_headers(headers).build();
            let client = client.context("cannot make an HTTP client")?;
            work(Server { client, base }).await
        })
    }

    fn key(&self) -> anyhow::Result<Option<SecretString>> {
        let key = match &self.key_file {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                Some(text.with_context(|| format!("cannot read the key in {}", file.display()))?)
            }
            None => std::env::var(KEY).ok(),
        };
        Ok(key
            .map(|key| SecretString::from(key.trim().to_owned()))
            .filter(|key| !key.expose_secret().is_empty()))
    }
}

fn with_key(key: SecretString) -> anyhow::Result<HeaderMap> {
    let value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()));
    Ok(secret(
        AUTHORIZATION,
        value.context("the key holds letters that no key has")?,
    ))
}

/// Header lines that are never shown.
fn secret(name: HeaderName, mut value: HeaderValue) -> HeaderMap {
    value.set_sensitive(true);
    HeaderMap::from_iter([(name, value)])
}

/// Redeems the link of a server without users and keys; what it gives is a session, as the page has it.
async fn signed_in(link: &Url) -> anyhow::Result<HeaderMap> {
    let client = reqwest::Client::builder().redirect(Policy::none()).build()?;
    let response = client.get(link.clone()).send().await.context("no answer to the link")?;
    if response.status() != StatusCode::SEE_OTHER {
        answer::<serde::de::IgnoredAny>(response).await?;
        bail!("the link is not one that a server printed");
    }
    let cookie = response
        .headers()
        .get(SET_COOKIE)
        .and_then(|cookie| cookie.to_str().ok());
    let session = cookie.and_then(|cookie| cookie.split(';').next());
    let session = session.context("the server gave no session for the link")?;
    let mut headers = secret(COOKIE, HeaderValue::from_str(session)?);
    headers.insert(PAGE_HEADER, HeaderValue::from_static("1"));
    Ok(headers)
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
}

impl Server {
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.answered(self.request(Method::GET, path)).await
    }

    /// Asks for something to be done that needs no body.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.answered(self.request(Method::POST, path)).await
    }

    /// Sends a body.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.answered(self.request(method, path).json(body)).await
    }

    /// Deletes, for a reason that goes into the query.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str, reason: Option<String>) -> anyhow::Result<T> {
        self.answered(self.request(Method::DELETE, path).query(&Reason { reason }))
            .await
    }

    /// Sends a file as the body, streamed from disk, with fields in the query.
    pub(crate) async fn upload_file<T: DeserializeOwned>(
        &self,
        path: &str,
        file: &Path,
        fields: &[(String, String)],
    ) -> anyhow::Result<T> {
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
        self.answered(request).await
    }

    async fn answered<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        answer(request.send().await.with_context(|| self.silent())?).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    fn silent(&self) -> String {
        format!(
            "no answer from {}; start the server with `einthoven serve`, or name another with --server",
            self.base
        )
    }
}

/// What a server said: the answer, where an empty one is nothing, or the problem that it names.
async fn answer<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
    let status = response.status();
    let text = response.text().await.context("the answer broke off")?;
    if status.is_success() {
        let text = if text.is_empty() { "null" } else { &text };
        return serde_json::from_str(text)
            .context("the server did it, but its answer is not what this program knows; is it of another version?");
    }
    let Ok(problem) = serde_json::from_str::<Problem>(&text) else {
        bail!("the server answered {status}");
    };
    if problem.code() == "not_signed_in" {
        bail!(
            "the server wants to know who asks: set {KEY} to an API key, or name a file of one with --key-file; with a server \
             that has no keys yet, give the link that it printed with --link"
        );
    }
    match problem.draft() {
        Some(draft) => bail!("{}\n\nWhat is known of the manifest:\n{draft:#}", problem.detail()),
        None => bail!("{}", problem.detail()),
    }
}

/// A word of an answer, as the interface says it.
pub(crate) fn word(of: &impl Serialize) -> String {
    let value = serde_json::to_value(of).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
