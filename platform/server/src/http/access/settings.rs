//! Where the server is reached, and what follows from that for hosts and cookies.

use super::Duties;
use anyhow::{Context, ensure};
use std::str::FromStr;

/// An address by which clients reach this server, such as `https://ecg.example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    /// Scheme, host and port where it is not the scheme's own, as browsers send it as `Origin`.
    pub(crate) origin: String,
    /// Host in lower case; IPv6 in brackets.
    pub(crate) host: String,
}

impl FromStr for PublicUrl {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let url = reqwest::Url::parse(text).with_context(|| format!("`{text}` is no URL; say https://HOST"))?;
        ensure!(
            matches!(url.scheme(), "http" | "https"),
            "`{text}` must begin with https:// or http://"
        );
        ensure!(
            url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty(),
            "`{text}` must be scheme, host and port alone: the page and the API lie at the root"
        );
        let host = url.host_str().with_context(|| format!("`{text}` names no host"))?;
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            host: host.to_owned(),
        })
    }
}

/// Where the server is reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Further names that it answers to.
    pub(crate) public: Vec<PublicUrl>,
    /// Origins elsewhere whose pages may call it.
    pub(crate) cors: Vec<String>,
    /// Whether it listens on a loopback address.
    pub(crate) loopback_only: bool,
    /// Whether it speaks TLS itself.
    pub(crate) tls: bool,
    /// Requests a second that one address may send; none where that is not counted.
    pub(crate) address_rate: Option<u32>,
    /// What it is there for.
    pub(crate) duties: Duties,
}

impl Settings {
    /// Whether a client that names this host in its request came by TLS, here or at a proxy before.
    pub(crate) fn is_secure(&self, host: &str) -> bool {
        let named = |public: &PublicUrl| {
            public
                .origin
                .strip_prefix("https://")
                .is_some_and(|there| there == host)
        };
        self.tls || self.public.iter().any(named)
    }
}

#[cfg(test)]
mod tests {
    use super::PublicUrl;

    #[test]
    fn a_public_url_is_an_origin() {
        let read = |text: &str| text.parse::<PublicUrl>();
        let url = read("https://ECG.example.org:8443/").ok();
        assert_eq!(
            url,
            Some(PublicUrl {
                origin: "https://ecg.example.org:8443".to_owned(),
                host: "ecg.example.org".to_owned(),
            })
        );
        for wrong in [
            "ecg.example.org",
            "ftp://x",
            "https://x/ecg",
            "https://x?y",
            "https://me@x",
            "",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
