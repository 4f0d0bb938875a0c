//! The certificate: read at start, and again whenever its files change.

use anyhow::{Context, ensure};
use arc_swap::ArcSwap;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, ServerConfig};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at. Their content is compared, so that links swapped at once (Kubernetes) and times
/// that did not move are seen too.
const LOOK: Duration = Duration::from_secs(1);

/// Largest file that is read as a certificate or key.
const LARGEST: u64 = 1 << 20;

/// TLS with a certificate that can change.
pub(super) struct Tls {
    files: Files,
    content: Content,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

#[derive(Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What both files hold.
#[derive(Clone, PartialEq, Eq)]
struct Content {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// With the certificate that the files hold now.
    pub(super) fn open(certificate: PathBuf, key: PathBuf) -> anyhow::Result<Self> {
        let files = Files { certificate, key };
        let content = files.read()?;
        let certified = content.certified().with_context(|| files.title())?;
        let current = Arc::new(Current(ArcSwap::from_pointee(certified)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Current>::clone(&current));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            files,
            content,
            current,
            config: Arc::new(config),
        })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Takes over what the files hold, whenever that is a certificate with its key. Connections that are open go on.
    pub(super) fn watch(&self) -> JoinHandle<()> {
        let (files, current) = (self.files.clone(), Arc::clone(&self.current));
        let mut seen = self.content.clone();
        tokio::spawn(async move {
            let mut unreadable = false;
            loop {
                tokio::time::sleep(LOOK).await;
                let reading = files.clone();
                let read = tokio::task::spawn_blocking(move || reading.read()).await;
                let content = match read {
                    Ok(Ok(content)) => content,
                    Ok(Err(cause)) if !unreadable => {
                        unreadable = true;
                        tracing::error!("the certificate in use stays: {cause:#}");
                        continue;
                    }
                    _ => continue,
                };
                unreadable = false;
                if content == seen {
                    continue;
                }
                match content.certified().with_context(|| files.title()) {
                    Ok(certified) => {
                        current.0.store(Arc::new(certified));
                        tracing::info!("{} was read again", files.title());
                    }
                    // Said once for each content: the second file may still be on its way.
                    Err(cause) => tracing::error!("the certificate in use stays: {cause:#}"),
                }
                seen = content;
            }
        })
    }
}

impl Files {
    fn title(&self) -> String {
        format!(
            "the certificate {} with the key {}",
            self.certificate.display(),
            self.key.display()
        )
    }

    fn read(&self) -> anyhow::Result<Content> {
        let read = |path: &PathBuf| {
            let unreadable = || format!("cannot read {}", path.display());
            let length = std::fs::metadata(path).with_context(unreadable)?.len();
            ensure!(
                length <= LARGEST,
                "{} is too large for a certificate or key",
                path.display()
            );
            std::fs::read(path).with_context(unreadable)
        };
        Ok(Content {
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
        })
    }
}

impl Content {
    /// Chain and key, which must belong together.
    fn certified(&self) -> anyhow::Result<CertifiedKey> {
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .context("the chain is no PEM")?;
        ensure!(!chain.is_empty(), "the chain holds no certificate in PEM");
        let key = PrivateKeyDer::from_pem_slice(&self.key).context("the key is no private key in PEM")?;
        let key = ring::sign::any_supported_type(&key).context("the key is of no supported type")?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
            Err(cause) => Err(cause).context("the key is not the certificate's, or the certificate is damaged"),
        }
    }
}
