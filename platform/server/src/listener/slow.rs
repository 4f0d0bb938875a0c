//! A body that must come in time: neither with long pauses nor in drips.

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Bytes a second that a body must have at least.
const FLOOR: u64 = 1000;

/// A body that did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly: at least {FLOOR} bytes a second are expected, and no pause of {} s", limit.as_secs())]
pub(crate) struct TooSlow {
    limit: Duration,
}

/// Fails a body that pauses for longer than a limit, or that comes slower than [`FLOOR`] once it has been waited for that long. Only
/// waiting for the client counts, not the time in which nobody asked for more. It does
/// not say how long it will be: what a client declares and does not send shall reserve nothing.
pub(super) struct Timely<B> {
    body: B,
    limit: Duration,
    /// How long it may still be waited for in all; every byte adds to it.
    left: Duration,
    /// Since when the next frame is waited for, and how long that may last.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> Timely<B> {
    pub(super) fn new(body: B, limit: Duration) -> Self {
        Self {
            body,
            limit,
            left: limit,
            waiting: None,
        }
    }
}

impl<B> HttpBody for Timely<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            if let Some((since, _)) = this.waiting.take() {
                this.left = this.left.saturating_sub(since.elapsed());
            }
            if let Some(Ok(frame)) = &frame {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                this.left += Duration::from_millis(bytes * 1000 / FLOOR);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let most = this.limit.min(this.left);
        let (_, sleep) = this
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(most))));
        sleep.as_mut().poll(context).map(|()| {
            let limit = this.limit;
            Some(Err(TooSlow { limit }.into()))
        })
    }
}
