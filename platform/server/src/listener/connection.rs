//! One connection from its first byte to its last.

use super::activity::{Activity, Answering};
use super::slow::Timely;
use super::stalled::Stalled;
use crate::lifecycle::{Lifecycle, UnderWay};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Version, header};
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tower::Service;

/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 256;
/// Bytes that a client may send ahead on one stream of HTTP/2, and on all of a connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// How long a client that has connected before the end is waited for, to send what it connected for.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Times of the client timeout after which an unused HTTP/2 connection is closed; its pings were answered until then.
const UNUSED: u32 = 10;

/// What all connections share.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    router: Router,
    tls: Option<TlsAcceptor>,
    builder: Builder<TokioExecutor>,
    timeout: Duration,
    lifecycle: Lifecycle,
}

impl Connections {
    pub(super) fn new(router: Router, tls: Option<TlsAcceptor>, timeout: Duration, lifecycle: Lifecycle) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        // Also the longest that a connection is kept for the next request.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(timeout);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(timeout)
            .keep_alive_timeout(timeout);
        Self(Arc::new(Shared {
            router,
            tls,
            builder,
            timeout,
            lifecycle,
        }))
    }

    /// Serves a connection in a task of its own; it holds its place until it ends.
    pub(super) fn start(&self, stream: TcpStream, peer: SocketAddr, place: Option<OwnedSemaphorePermit>) {
        let (this, under_way) = (self.clone(), self.0.lifecycle.under_way());
        tokio::spawn(async move {
            // Small answers leave at once.
            let _ = stream.set_nodelay(true);
            match &this.0.tls {
                None => this.serve(stream, peer, under_way).await,
                Some(tls) => {
                    // A handshake that fails or never ends is the client's loss.
                    if let Ok(Ok(stream)) = tokio::time::timeout(this.0.timeout, tls.accept(stream)).await {
                        this.serve(stream, peer, under_way).await;
                    }
                }
            }
            drop(place);
        });
    }

    async fn serve<S>(&self, stream: S, peer: SocketAddr, _under_way: UnderWay)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Shared { timeout, lifecycle, .. } = &*self.0;
        let activity = Activity::new();
        let service = TowerToHyperService::new(Requests {
            router: self.0.router.clone(),
            activity: Arc::clone(&activity),
            lifecycle: lifecycle.clone(),
            timeout: *timeout,
            peer,
        });
        let stream = TokioIo::new(Stalled::new(stream, *timeout));
        let mut connection = pin!(self.0.builder.serve_connection_with_upgrades(stream, service));
        let mut ending = pin!(async {
            lifecycle.closing().await;
            if !activity.seen() {
                tokio::time::sleep(LAST_WORDS).await;
            }
        });
        let mut told = false;
        loop {
            let look = tokio::time::sleep(*timeout);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = ending.as_mut(), if !told => {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = look => {
                    let idle = activity.idle().unwrap_or_default();
                    // The protocol is not even known before the first bytes, so hyper watches no time there.
                    if idle >= *timeout && (told || !activity.seen()) {
                        return;
                    }
                    if idle >= *timeout * UNUSED {
                        told = true;
                        connection.as_mut().graceful_shutdown();
                    }
                }
            }
        }
    }
}

/// The service of one connection.
#[derive(Clone)]
struct Requests {
    router: Router,
    activity: Arc<Activity>,
    lifecycle: Lifecycle,
    timeout: Duration,
    peer: SocketAddr,
}

impl<B> Service<Request<B>> for Requests
where
    B: axum::body::HttpBody<Data = axum::body::Bytes> + Send + Unpin + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Answering<Body>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let open = self.activity.begin();
        let first = request.version() < Version::HTTP_2;
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let answer = if may_pause(request.uri().path()) {
            self.router.call(request.map(Body::new))
        } else {
            let timeout = self.timeout;
            self.router
                .call(request.map(|body| Body::new(Timely::new(body, timeout))))
        };
        let lifecycle = self.lifecycle.clone();
        Box::pin(async move {
            let Ok(mut answer) = answer.await;
            if first && lifecycle.is_draining() {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
            }
            Ok(answer.map(|body| Answering::new(body, open)))
        })
    }
}

/// Whether a body may come in parts with long pauses between them: calls of gRPC whose requests are a stream.
fn may_pause(path: &str) -> bool {
    path.ends_with("/ModelStreamInfer") || path.ends_with("/ServerReflectionInfo")
}
