//! Who may call the server that starts, and by which names it is reached.

use crate::http::access::{Duties, PublicUrl, Settings};
use anyhow::{Context, ensure};
use clap::Args;
use einthoven_auth::Auth;
use einthoven_registry::Registry;
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Variable of the environment with the owner's key. No flag takes it: whoever lists processes would see it.
pub(crate) const OWNER_KEY: &str = "EINTHOVEN_OWNER_KEY";

/// How the server is reached.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Identity {
    /// Address by which clients reach this server, such as `https://ecg.example.org`: it answers to that name then. May be
    /// given several times.
    #[arg(long, value_name = "URL", env = "EINTHOVEN_PUBLIC_URL", value_delimiter = ',')]
    public_url: Vec<PublicUrl>,
    /// File with the owner's key; EINTHOVEN_OWNER_KEY is the key itself.
    #[arg(long, value_name = "FILE", env = "EINTHOVEN_OWNER_KEY_FILE")]
    owner_key_file: Option<PathBuf>,
}

impl Identity {
    /// Whether the owner's key can be had, where one is named.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.owner_key().map(drop)
    }

    /// The owner's key, where the environment or a file gives it.
    fn owner_key(&self) -> anyhow::Result<Option<SecretString>> {
        let key = std::env::var(OWNER_KEY).ok().filter(|key| !key.is_empty());
        let Some(file) = &self.owner_key_file else {
            return Ok(key.map(SecretString::from));
        };
        ensure!(
            key.is_none(),
            "{OWNER_KEY} and --owner-key-file are both set; take one away"
        );
        let text = std::fs::read_to_string(file);
        let text = text.with_context(|| format!("cannot read the owner's key in {}", file.display()))?;
        ensure!(
            !text.trim().is_empty(),
            "the owner's key in {} is empty",
            file.display()
        );
        Ok(Some(SecretString::from(text.trim().to_owned())))
    }

    /// Opens what knows who may call. Before anybody is known the server serves its own machine alone.
    pub(crate) async fn open(&self, listen: SocketAddr, data: &Path, registry: Registry) -> anyhow::Result<Auth> {
        let issuer = self.public_url.first().map(|url| url.origin.clone());
        let issuer = issuer.unwrap_or_else(|| format!("http://{listen}"));
        let mut settings = einthoven_auth::Settings::new(data.join("auth"), &issuer);
        settings.owner_key = self.owner_key()?;
        let auth = Auth::open(settings, registry).await?;
        ensure!(
            listen.ip().is_loopback() || auth.configured(),
            "--listen {listen}: nobody could prove who they are, since there are no users and keys yet; set {OWNER_KEY} to a key of \
             yours (`openssl rand -hex 32` makes one), or --owner-key-file to a file of it, or listen on 127.0.0.1 or [::1]"
        );
        Ok(auth)
    }

    /// By which names the server is reached.
    pub(crate) fn reached(&self, listen: SocketAddr, tls: bool) -> Settings {
        Settings {
            public: self.public_url.clone(),
            cors: Vec::new(),
            loopback_only: listen.ip().is_loopback(),
            tls,
            address_rate: None,
            duties: Duties::default(),
        }
    }
}

/// What is to be opened in a browser: the page, or the link that lets the owner in where nobody is known yet.
pub(crate) fn entrance(auth: &Auth, address: &str) -> anyhow::Result<String> {
    if auth.configured() {
        return Ok(format!("open {address} in a browser"));
    }
    let token = auth.owner_link()?;
    let token = token.expose_secret();
    Ok(format!(
        "open {address}/v1/auth/link?token={token} in a browser, the link works once"
    ))
}
