//! Where the process is between start and end, and what is under way.

use std::sync::Arc;
use tokio::sync::watch;

/// From start to end, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The port is open; models are being loaded.
    Starting,
    /// All is as it should be.
    Serving,
    /// Told to stop: not ready any more, but whoever comes is still answered.
    Draining,
    /// Nothing more is accepted; what is under way ends.
    Closing,
}

/// Cheap to clone; all clones are of the same process.
#[derive(Debug, Clone)]
pub(crate) struct Lifecycle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    phase: watch::Sender<Phase>,
    under_way: watch::Sender<usize>,
}

/// Something that the end of the process waits for.
#[derive(Debug)]
pub(crate) struct UnderWay(Lifecycle);

impl Lifecycle {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            phase: watch::Sender::new(Phase::Starting),
            under_way: watch::Sender::new(0),
        }))
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.0.phase.borrow()
    }

    /// Goes on to a phase, never back.
    pub(crate) fn enter(&self, phase: Phase) {
        self.0.phase.send_if_modified(|now| {
            let later = phase > *now;
            *now = phase.max(*now);
            later
        });
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.phase() >= Phase::Draining
    }

    /// Waits until the process was told to stop.
    pub(crate) async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Waits until nothing more is accepted.
    pub(crate) async fn closing(&self) {
        self.reached(Phase::Closing).await;
    }

    async fn reached(&self, phase: Phase) {
        // It fails only without a sender, and `self` holds one.
        let _ = self.0.phase.subscribe().wait_for(|now| *now >= phase).await;
    }

    /// The end of the process waits until what this gives is dropped.
    pub(crate) fn under_way(&self) -> UnderWay {
        self.0.under_way.send_modify(|count| *count += 1);
        UnderWay(self.clone())
    }

    /// Waits until nothing is under way.
    pub(crate) async fn idle(&self) {
        let _ = self.0.under_way.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.under_way.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::{Lifecycle, Phase};
    use futures_util::FutureExt;

    #[test]
    fn phases_only_go_on_and_the_end_waits_for_what_is_under_way() {
        let life = Lifecycle::new();
        assert_eq!(life.phase(), Phase::Starting);
        life.enter(Phase::Draining);
        life.enter(Phase::Serving);
        assert_eq!(life.phase(), Phase::Draining);
        assert!(life.draining().now_or_never().is_some());
        assert!(life.closing().now_or_never().is_none());
        let (one, two) = (life.under_way(), life.under_way());
        drop(one);
        assert!(life.idle().now_or_never().is_none());
        drop(two);
        assert!(life.idle().now_or_never().is_some());
    }
}
