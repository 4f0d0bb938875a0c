//! Connections: accepted within a bound, TLS or plain, HTTP/1.1 or HTTP/2, ended in order.

mod activity;
mod connection;
mod cors;
mod ending;
mod limits;
mod slow;
mod stalled;
mod tls;

pub(crate) use cors::Origin;
pub(crate) use ending::Ending;
pub(crate) use slow::TooSlow;

use crate::lifecycle::Lifecycle;
use anyhow::{Context, ensure};
use axum::Router;
use clap::Args;
use connection::Connections;
use futures_util::FutureExt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Pause after a failure to accept, such as no file descriptors left: others end meanwhile.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// How clients connect.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// Certificate chain in PEM, the server's own first: serve HTTPS. Read again when it changes.
    #[arg(long, value_name = "FILE", env = "EINTHOVEN_TLS_CERTIFICATE")]
    tls_certificate: Option<PathBuf>,
    /// Private key of the certificate in PEM.
    #[arg(long, value_name = "FILE", env = "EINTHOVEN_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Origin whose pages may call this server, such as `https://lab.example.org`. May be given several times.
    #[arg(long, value_name = "ORIGIN", env = "EINTHOVEN_CORS_ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<Origin>,
    /// Connections at once; further ones wait until one ends.
    #[arg(long, default_value_t = 8192, env = "EINTHOVEN_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// Requests a second that one address may send, and twice as many for a moment; without it only keys are metered. Behind a proxy all
    /// clients have the proxy's address.
    #[arg(long, value_name = "REQUESTS", env = "EINTHOVEN_ADDRESS_RATE", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    address_rate: Option<u32>,
    /// Seconds without a byte after which a client is given up: before its request, within it, and reading the answer.
    /// Once a request's body has been waited for that long, at least 1000 bytes a second must have come.
    #[arg(long, default_value_t = 30, env = "EINTHOVEN_CLIENT_TIMEOUT_S", value_parser = clap::value_parser!(u16).range(1..=3600))]
    client_timeout_s: u16,
    /// Seconds after the signal to stop in which new connections still get their answer, while balancers take notice.
    #[arg(long, default_value_t = 1, env = "EINTHOVEN_DRAIN_DELAY_S", value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub(crate) drain_delay_s: u16,
    /// Seconds after the signal to stop in which what is under way may end.
    #[arg(long, default_value_t = 20, env = "EINTHOVEN_GRACE_S", value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub(crate) grace_s: u16,
}

impl Settings {
    /// Whether the certificate can be had, where one is named.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.open_tls().map(drop)
    }

    /// What the certificate's files hold, where they are named.
    fn open_tls(&self) -> anyhow::Result<Option<tls::Tls>> {
        match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => Ok(Some(tls::Tls::open(certificate.clone(), key.clone())?)),
            (given, other) => {
                ensure!(
                    given.is_none() && other.is_none(),
                    "--tls-certificate and --tls-key go together"
                );
                Ok(None)
            }
        }
    }

    /// Whether it speaks TLS.
    pub(crate) fn tls(&self) -> bool {
        self.tls_certificate.is_some()
    }

    /// The origins whose pages may call it.
    pub(crate) fn origins(&self) -> Vec<String> {
        self.cors_origin
            .iter()
            .map(|origin| origin.as_str().to_owned())
            .collect()
    }

    /// Requests a second that one address may send, where that is counted.
    pub(crate) fn address_rate(&self) -> Option<u32> {
        self.address_rate
    }

    /// From the signal to stop until the end.
    pub(crate) fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_s.into())
    }

    /// From the signal to stop until nothing more is accepted; never all of the grace period.
    pub(crate) fn drain_delay(&self) -> Duration {
        Duration::from_secs(self.drain_delay_s.into()).min(self.grace() / 2)
    }

    fn client_timeout(&self) -> Duration {
        Duration::from_secs(self.client_timeout_s.into())
    }
}

/// An open port.
pub(crate) struct Listener {
    tcp: TcpListener,
    tls: Option<tls::Tls>,
    settings: Settings,
    lifecycle: Lifecycle,
}

impl Listener {
    /// Opens the port and reads the certificate.
    pub(crate) async fn bind(listen: SocketAddr, settings: Settings, lifecycle: Lifecycle) -> anyhow::Result<Self> {
        let tls = settings.open_tls()?;
        let tcp = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}; is another server running there?"))?;
        Ok(Self {
            tcp,
            tls,
            settings,
            lifecycle,
        })
    }

    /// The address with its scheme, such as `http://127.0.0.1:5000`.
    pub(crate) fn url(&self) -> anyhow::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.tcp.local_addr()?))
    }

    /// Accepts until nothing more is to be accepted. Connections go on by themselves; [`Lifecycle::idle`] waits for them.
    pub(crate) async fn serve(self, router: Router) {
        let _under_way = self.lifecycle.under_way();
        let most = limits::connections(self.settings.max_connections as usize);
        let room = Arc::new(Semaphore::new(most));
        let router = cors::opened(router, &self.settings.cors_origin);
        let reloads = self.tls.as_ref().map(tls::Tls::watch);
        let acceptor = self.tls.as_ref().map(tls::Tls::acceptor);
        let connections = Connections::new(router, acceptor, self.settings.client_timeout(), self.lifecycle.clone());
        loop {
            let next = async {
                // No place, no connection: whoever comes now waits in the kernel's queue.
                let place = Arc::clone(&room).acquire_owned().await;
                (self.tcp.accept().await, place)
            };
            let (accepted, place) = tokio::select! {
                biased;
                () = self.lifecycle.closing() => break,
                next = next => next,
            };
            match accepted {
                Ok((stream, peer)) => connections.start(stream, peer, place.ok()),
                Err(cause) => {
                    tracing::warn!("a connection was not accepted: {cause}");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
        // These clients connected before the port closed, so they are owed an answer.
        while let Some(Ok((stream, peer))) = self.tcp.accept().now_or_never() {
            connections.start(stream, peer, None);
        }
        if let Some(reloads) = reloads {
            reloads.abort();
        }
    }
}
