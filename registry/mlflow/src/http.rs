//! Requests to the source, with its credentials, its patience and its errors.

use crate::source::{Credentials, Source, secret};
use crate::{ArtifactPath, Error, Networks};
use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap};
use reqwest::{Response, StatusCode, redirect};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Bytes of an answer of the registry; a page of a thousand versions with long descriptions stays far below.
const LONGEST_ANSWER: usize = 64 << 20;
/// Bytes of an error's body that are read, and characters of it that are shown.
const LONGEST_COMPLAINT: usize = 64 << 10;
const SHOWN: usize = 300;
const MOST_REDIRECTS: usize = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// In the error that our redirect policy raises.
const FOREIGN: &str = "redirect to another origin";

#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    source: Source,
}

/// MLflow's error body; not all errors have one.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Complaint {
    #[serde(default)]
    pub(crate) error_code: String,
    #[serde(default)]
    pub(crate) message: String,
}

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) status: u16,
    pub(crate) complaint: Complaint,
}

impl Denied {
    /// MLflow says that it has no such thing.
    pub(crate) fn is_missing(&self) -> bool {
        self.status == 404 || self.complaint.error_code == "RESOURCE_DOES_NOT_EXIST"
    }
}

/// A request that did not succeed: refused in a way the caller may know better, or an error.
#[derive(Debug)]
pub(crate) enum Failure {
    Denied { url: String, denied: Denied },
    Error(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error(error) => error,
            Failure::Denied { url, denied } => Self::Request {
                url,
                status: denied.status,
                said: denied.complaint.message,
            },
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Http {
    pub(crate) fn new(source: &Source, networks: Networks) -> Result<Self, Error> {
        source.check()?;
        networks.check(&source.url)?;
        // reqwest takes the process's provider; the first to install one wins, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let origin = source.url.origin();
        let policy = redirect::Policy::custom(move |attempt| {
            if attempt.url().origin() != origin {
                attempt.error(FOREIGN)
            } else if attempt.previous().len() > MOST_REDIRECTS {
                attempt.error("too many redirects")
            } else {
                attempt.follow()
            }
        });
        let mut builder = reqwest::Client::builder()
            .redirect(policy)
            .dns_resolver(Arc::new(networks))
            .connect_timeout(source.connect_within())
            .read_timeout(source.idle_within());
        if source.url.scheme() == "http" {
            // No redirect leaves plain HTTP, so the system's certificates need not exist.
            builder = builder.tls_certs_only([]);
        } else if let Some(file) = &source.ca_file {
            let certificates = reqwest::Certificate::from_pem_bundle(&read(file)?)
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| Error::Settings {
                    setting: "ca_file",
                    why: format!("{} holds no certificate in PEM", file.display()),
                })?;
            builder = builder.tls_certs_merge(certificates);
        }
        if let Credentials::Certificate {
            certificate_file,
            key_file,
        } = &source.credentials
        {
            let mut pem = read(certificate_file)?;
            pem.push(b'\n');
            pem.extend(read(key_file)?);
            let identity = reqwest::Identity::from_pem(&pem).map_err(|cause| Error::Settings {
                setting: "credentials",
                why: format!(
                    "the client certificate and its key are not PEM that fits: {}",
                    deepest(&cause)
                ),
            })?;
            builder = builder.identity(identity);
        }
        let client = builder.build().map_err(|cause| Error::Settings {
            setting: "ca_file",
            why: format!("no TLS can be set up: {}", deepest(&cause)),
        })?;
        Ok(Self {
            client,
            source: source.clone(),
        })
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// An address below the source's, from path segments and query pairs that are encoded here.
    pub(crate) fn address(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.source.url.clone();
        // Only an address that cannot be a base has no segments, and `Source::check` refuses those.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            path.extend(segments.iter().flat_map(|segment| segment.split('/')));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The address at which the artifact proxy serves a file.
    pub(crate) fn artifact(&self, path: &ArtifactPath) -> Url {
        self.address(&["api/2.0/mlflow-artifacts/artifacts", path.as_str()], &[])
    }

    /// A JSON answer of `/api/2.0/mlflow/CALL`.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: &str, query: &[(&str, &str)]) -> Result<T, Failure> {
        self.json(self.address(&["api/2.0/mlflow", call], query)).await
    }

    pub(crate) async fn json<T: DeserializeOwned>(&self, url: Url) -> Result<T, Failure> {
        let body = self.body(&url, LONGEST_ANSWER).await?;
        serde_json::from_slice(&body).map_err(|cause| {
            Failure::Error(Error::Answer {
                url: shown(&url),
                why: cause.to_string(),
            })
        })
    }

    /// A whole answer of bounded length; asked again after failures that may pass.
    pub(crate) async fn body(&self, url: &Url, limit: usize) -> Result<Bytes, Failure> {
        let mut failed = 0;
        loop {
            let once = tokio::time::timeout(self.source.call_within(), self.body_once(url, limit)).await;
            let failure = match once {
                Ok(Ok(body)) => return Ok(body),
                Ok(Err(failure)) => failure,
                // The time was the caller's to give; asking again would multiply it.
                Err(_) => return Err(Error::TimedOut { url: shown(url) }.into()),
            };
            match failure {
                Failure::Error(error) if error.is_passing() && failed < self.source.retries => {
                    pause(failed).await;
                    failed += 1;
                }
                failure => return Err(failure),
            }
        }
    }

    async fn body_once(&self, url: &Url, limit: usize) -> Result<Bytes, Failure> {
        let mut response = self.get(url, HeaderMap::new()).await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| broken(url, &cause))? {
            if body.len() + chunk.len() > limit {
                return Err(Error::TooLarge {
                    what: format!("the answer of {}", shown(url)),
                    limit: format!("{limit} bytes"),
                }
                .into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// One request; its answer's head is a success.
    pub(crate) async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Response, Failure> {
        let mut request = self
            .client
            .get(url.clone())
            .headers(headers)
            // Lengths and ranges are those of the file only when nothing is compressed on the way.
            .header(ACCEPT_ENCODING, "identity");
        match &self.source.credentials {
            Credentials::None | Credentials::Certificate { .. } => {}
            Credentials::Bearer { token, token_file } => {
                let token = secret(token.as_ref(), token_file.as_deref()).await?;
                request = request.bearer_auth(token.expose_secret());
            }
            Credentials::Basic {
                user,
                password,
                password_file,
            } => {
                let password = secret(password.as_ref(), password_file.as_deref()).await?;
                request = request.basic_auth(user, Some(password.expose_secret()));
            }
        }
        let response = request.send().await.map_err(|cause| broken(url, &cause))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(denied(url, response).await)
    }
}

/// Waits longer after each failure.
pub(crate) async fn pause(failed: u32) {
    let wait = FIRST_PAUSE.saturating_mul(1 << failed.min(10)).min(LONGEST_PAUSE);
    tokio::time::sleep(wait).await;
}

/// An address for people: without the query, which may hold anything.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

/// What an error of reqwest means.
pub(crate) fn broken(url: &Url, cause: &reqwest::Error) -> Error {
    let url = shown(url);
    let mut causes = Vec::new();
    let mut next = cause.source();
    while let Some(error) = next {
        causes.push(error.to_string());
        next = error.source();
    }
    let cause_text = deepest(cause);
    if cause.is_redirect() {
        return if causes.iter().any(|text| text.contains(FOREIGN)) {
            Error::Redirected { url }
        } else {
            Error::Answer {
                url,
                why: "it redirects without end".to_owned(),
            }
        };
    }
    if cause.is_builder() {
        return Error::Settings {
            setting: "credentials",
            why: format!("no request can be made of them: {cause_text}"),
        };
    }
    if cause.is_timeout() {
        return Error::TimedOut { url };
    }
    let is_tls = causes.iter().any(|text| {
        text.contains("certificate") || text.contains("received fatal alert") || text.contains("corrupt message")
    });
    if is_tls {
        return Error::Tls { url, cause: cause_text };
    }
    if cause.is_connect() {
        return Error::Unreachable { url, cause: cause_text };
    }
    Error::Cut { url, cause: cause_text }
}

fn deepest(cause: &reqwest::Error) -> String {
    let mut text = cause.to_string();
    let mut next = cause.source();
    while let Some(error) = next {
        text = error.to_string();
        next = error.source();
    }
    text
}

async fn denied(url: &Url, mut response: Response) -> Failure {
    let status = response.status();
    let mut body = Vec::new();
    // A complaint that breaks off is still shown as far as it came.
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_COMPLAINT {
            break;
        }
    }
    let text = String::from_utf8_lossy(&body);
    let complaint: Complaint = serde_json::from_slice(&body).unwrap_or_else(|_| Complaint {
        error_code: String::new(),
        message: text.trim().to_owned(),
    });
    let said: String = complaint
        .message
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(SHOWN)
        .collect();
    let url = shown(url);
    Failure::Error(match status {
        StatusCode::UNAUTHORIZED => Error::Unauthorised { url },
        StatusCode::FORBIDDEN if text.contains("Invalid Host header") => Error::HostRefused { url },
        StatusCode::FORBIDDEN => Error::Forbidden { url, said },
        _ if status.is_server_error() => Error::Server {
            url,
            status: status.as_u16(),
            said,
        },
        _ => {
            return Failure::Denied {
                url,
                denied: Denied {
                    status: status.as_u16(),
                    complaint: Complaint {
                        error_code: complaint.error_code,
                        message: said,
                    },
                },
            };
        }
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(file).map_err(|cause| Error::Io {
        path: file.to_owned(),
        cause,
    })
}
