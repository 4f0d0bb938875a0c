//! The settings of one MLflow server.

use crate::Error;
use secrecy::SecretString;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// One MLflow server and how to speak to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `http://HOST:PORT` or `https://HOST`, with the path of a prefix if the server has one; no user, password or query.
    pub url: Url,
    /// How the server knows us.
    #[serde(default)]
    pub credentials: Credentials,
    /// Certificates in PEM to trust beside those of the operating system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long to wait.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// How often a request is repeated after a server error or a cut connection; a download that gets 64 KiB further counts anew.
    #[serde(default = "retries")]
    pub retries: u32,
    /// Local folders that artifacts may be read from when the server keeps them in folders and does not serve them.
    /// Empty: none.
    #[serde(default)]
    pub artifact_roots: Vec<PathBuf>,
}

fn retries() -> u32 {
    3
}

/// What a request carries so that the server answers it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// `Authorization: Bearer`; exactly one of the two is set.
    Bearer {
        /// The token itself.
        #[serde(default)]
        token: Option<SecretString>,
        /// A file with the token, read again for each request, so that it may be rotated.
        #[serde(default)]
        token_file: Option<PathBuf>,
    },
    /// `Authorization: Basic`; exactly one of password and file is set.
    Basic {
        /// The user's name.
        user: String,
        /// The password itself.
        #[serde(default)]
        password: Option<SecretString>,
        /// A file with the password, read again for each request.
        #[serde(default)]
        password_file: Option<PathBuf>,
    },
    /// A certificate of our own in the TLS handshake; read once, when the client is made.
    Certificate {
        /// The certificate, with its chain, in PEM.
        certificate_file: PathBuf,
        /// Its private key in PEM.
        key_file: PathBuf,
    },
}

/// How long to wait, in milliseconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Until the connection stands; 10 s unless set.
    pub connect_ms: u64,
    /// Between two pieces of an answer; 60 s unless set, because MLflow's basic-auth hashes the password for seconds.
    pub idle_ms: u64,
    /// For a whole answer of the registry, but not for a download; 120 s unless set.
    pub call_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 10_000,
            idle_ms: 60_000,
            call_ms: 120_000,
        }
    }
}

impl Source {
    /// A server without credentials.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self {
            url,
            credentials: Credentials::None,
            ca_file: None,
            timeouts: Timeouts::default(),
            retries: retries(),
            artifact_roots: Vec::new(),
        }
    }

    /// Checks what serde cannot.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`] names the setting.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |setting: &'static str, why: &str| {
            Err(Error::Settings {
                setting,
                why: why.to_owned(),
            })
        };
        if !matches!(self.url.scheme(), "http" | "https") || !self.url.has_host() {
            return wrong("url", "write http://HOST:PORT or https://HOST");
        }
        if !self.url.username().is_empty() || self.url.password().is_some() {
            return wrong("url", "write user and password under `credentials`, not in the address");
        }
        if self.url.query().is_some() || self.url.fragment().is_some() {
            return wrong("url", "write the address without ? and #");
        }
        let timeouts = &self.timeouts;
        if timeouts.connect_ms == 0 || timeouts.idle_ms == 0 || timeouts.call_ms == 0 {
            return wrong("timeouts", "each is at least 1 ms");
        }
        match &self.credentials {
            Credentials::Bearer { token, token_file } if token.is_some() == token_file.is_some() => {
                wrong("credentials", "set one of `token` and `token_file`")
            }
            Credentials::Basic {
                password,
                password_file,
                ..
            } if password.is_some() == password_file.is_some() => {
                wrong("credentials", "set one of `password` and `password_file`")
            }
            Credentials::Basic { user, .. } if user.contains(':') => {
                wrong("credentials", "the user's name cannot contain a colon")
            }
            Credentials::Certificate { .. } if self.url.scheme() != "https" => {
                wrong("credentials", "a client certificate needs an https address")
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn connect_within(&self) -> Duration {
        Duration::from_millis(self.timeouts.connect_ms)
    }

    pub(crate) fn idle_within(&self) -> Duration {
        Duration::from_millis(self.timeouts.idle_ms)
    }

    pub(crate) fn call_within(&self) -> Duration {
        Duration::from_millis(self.timeouts.call_ms)
    }
}

/// The secret, from the settings or from its file without the line's end.
pub(crate) async fn secret(given: Option<&SecretString>, file: Option<&Path>) -> Result<SecretString, Error> {
    let Some(file) = file else {
        return given.cloned().ok_or_else(|| Error::Settings {
            setting: "credentials",
            why: "neither a secret nor a file with it is set".to_owned(),
        });
    };
    let text = tokio::fs::read_to_string(file).await.map_err(|cause| Error::Io {
        path: file.to_owned(),
        cause,
    })?;
    let trimmed = text.trim_end_matches(['\r', '\n']);
    if trimmed.is_empty() {
        return Err(Error::Settings {
            setting: "credentials",
            why: format!("the file {} is empty", file.display()),
        });
    }
    Ok(SecretString::from(trimmed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Source, String> {
        let source: Source = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
        source.check().map_err(|cause| cause.to_string())?;
        Ok(source)
    }

    #[test]
    fn settings_that_hold_and_that_do_not() {
        parse(r#"{"url": "http://localhost:5000"}"#).unwrap();
        parse(r#"{"url": "http://h/p", "credentials": {"kind": "bearer", "token_file": "/run/token"}}"#).unwrap();
        for wrong in [
            r#"{"url": "ftp://h"}"#,
            r#"{"url": "http://u:p@h"}"#,
            r#"{"url": "http://h?x=1"}"#,
            r#"{"url": "http://h", "tokn": 1}"#,
            r#"{"url": "http://h", "credentials": {"kind": "bearer"}}"#,
            r#"{"url": "http://h", "credentials": {"kind": "bearer", "token": "a", "token_file": "b"}}"#,
            r#"{"url": "http://h", "credentials": {"kind": "basic", "user": "u"}}"#,
            r#"{"url": "http://h", "credentials": {"kind": "basic", "user": "a:b", "password": "p"}}"#,
            r#"{"url": "http://h", "credentials": {"kind": "certificate", "certificate_file": "c", "key_file": "k"}}"#,
            r#"{"url": "http://h", "timeouts": {"connect_ms": 0}}"#,
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let text = r#"{"url": "http://h", "credentials": {"kind": "bearer", "token": "hush-hush"}}"#;
        assert!(!format!("{:?}", parse(text).unwrap()).contains("hush-hush"));
    }
}
