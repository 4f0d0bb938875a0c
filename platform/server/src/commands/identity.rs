//! Who may call the server that starts, and by which names it is reached.

use crate::http::access::{PublicUrl, Settings};
use anyhow::{Context, ensure};
use clap::Args;
use einthoven_auth::Auth;
use einthoven_registry::Registry;
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::path::Path;

/// Variable of the environment with the owner's key, and the one that names a file of it. No flag takes the key: whoever lists
/// processes would see it.
const OWNER_KEY: &str = "EINTHOVEN_OWNER_KEY";
const OWNER_KEY_FILE: &str = "EINTHOVEN_OWNER_KEY_FILE";

/// How the server is reached.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Identity {
    /// Address by which clients reach this server, such as `https://ecg.example.org`: it answers to that name then. May be
    /// given several times.
    #[arg(long, value_name = "URL", env = "EINTHOVEN_PUBLIC_URL", value_delimiter = ',')]
    public_url: Vec<PublicUrl>,
}

impl Identity {
    /// Opens what knows who may call. Before anybody is known the server serves its own machine alone.
    pub(crate) async fn open(&self, listen: SocketAddr, data: &Path, registry: Registry) -> anyhow::Result<Auth> {
        let issuer = self.public_url.first().map(|url| url.origin.clone());
        let issuer = issuer.unwrap_or_else(|| format!("http://{listen}"));
        let mut settings = einthoven_auth::Settings::new(data.join("auth"), &issuer);
        settings.owner_key = owner_key()?;
        let auth = Auth::open(settings, registry).await?;
        ensure!(
            listen.ip().is_loopback() || auth.configured(),
            "--listen {listen}: nobody could prove who they are, since there are no users and keys yet; set {OWNER_KEY} to a key of \
             yours (`openssl rand -hex 32` makes one), or {OWNER_KEY_FILE} to a file of it, or listen on 127.0.0.1 or [::1]"
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

/// The owner's key, where the environment gives it.
fn owner_key() -> anyhow::Result<Option<SecretString>> {
    let key = std::env::var(OWNER_KEY).ok().filter(|key| !key.is_empty());
    let file = std::env::var_os(OWNER_KEY_FILE).filter(|file| !file.is_empty());
    let Some(file) = file else {
        return Ok(key.map(SecretString::from));
    };
    ensure!(
        key.is_none(),
        "{OWNER_KEY} and {OWNER_KEY_FILE} are both set; take one away"
    );
    let file = Path::new(&file);
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("cannot read the owner's key in {}", file.display()))?;
    ensure!(
        !text.trim().is_empty(),
        "the owner's key in {} is empty",
        file.display()
    );
    Ok(Some(SecretString::from(text.trim().to_owned())))
}
