//! What happens on one connection: requests that are open, and since when there is none.

use axum::body::{Bytes, HttpBody};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Of one connection.
pub(super) struct Activity {
    began: Instant,
    open: AtomicUsize,
    /// Requests so far.
    seen: AtomicUsize,
    /// Milliseconds after `began` when the last one ended.
    ended_ms: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            open: AtomicUsize::new(0),
            seen: AtomicUsize::new(0),
            ended_ms: AtomicU64::new(0),
        })
    }

    /// A request begins; it is open until what this gives is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.seen.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// Whether any request has come.
    pub(super) fn seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed) > 0
    }

    /// How long no request has been open; none while one is.
    pub(super) fn idle(&self) -> Option<Duration> {
        if self.open.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let ended = Duration::from_millis(self.ended_ms.load(Ordering::Relaxed));
        Some(self.began.elapsed().saturating_sub(ended))
    }
}

/// An open request.
pub(super) struct Open(Arc<Activity>);

impl Drop for Open {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.ended_ms.store(now, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer; its request is open until it was sent.
pub(super) struct Answering<B> {
    body: B,
    _open: Open,
}

impl<B> Answering<B> {
    pub(super) fn new(body: B, open: Open) -> Self {
        Self { body, _open: open }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Answering<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::Activity;

    #[test]
    fn a_connection_is_idle_between_requests_alone() {
        let activity = Activity::new();
        assert!(!activity.seen() && activity.idle().is_some());
        let (first, second) = (activity.begin(), activity.begin());
        assert!(activity.seen() && activity.idle().is_none());
        drop(first);
        assert!(activity.idle().is_none());
        std::thread::sleep(std::time::Duration::from_millis(30));
        drop(second);
        assert!(
            activity
                .idle()
                .is_some_and(|idle| idle < std::time::Duration::from_millis(30))
        );
    }
}
