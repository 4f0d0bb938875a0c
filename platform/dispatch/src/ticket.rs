//! A call that is under way, as its caller holds it.

use crate::call::{DispatchError, Done};
use crate::pending::{Answered, Pending};
use crate::queue::Queue;
use crate::schedule::CallId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// A call that is under way: a future of its answer. Dropping it cancels the call.
#[must_use = "dropping it cancels the call"]
pub struct Ticket {
    queue: Arc<Queue>,
    pending: Arc<Pending>,
    id: CallId,
    /// Made when it is first polled, since that is where a runtime is.
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
    finished: bool,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Ticket {
    pub(crate) fn new(queue: Arc<Queue>, (id, pending): (CallId, Arc<Pending>)) -> Self {
        Self {
            queue,
            pending,
            id,
            timer: None,
            finished: false,
        }
    }

    /// Waits for the answer in this thread, which must not be one that runs futures.
    ///
    /// # Errors
    /// [`DispatchError`] saying why there are no outputs.
    pub fn wait(mut self) -> Answered {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        loop {
            if let Some(answered) = self.answered(&waker) {
                return answered;
            }
            match self.pending.deadline {
                None => std::thread::park(),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return self.expire();
                    }
                    std::thread::park_timeout(left);
                }
            }
        }
    }

    fn answered(&mut self, waker: &Waker) -> Option<Answered> {
        let answered = self.pending.poll(waker)?;
        self.finished = true;
        if let Ok(done) = &answered {
            told(done);
        }
        Some(answered)
    }

    fn expire(&mut self) -> Answered {
        self.finished = true;
        self.queue.withdraw(self.id, &self.pending, DispatchError::Expired);
        // It may have been answered just before.
        self.pending.poll(Waker::noop()).unwrap_or(Err(DispatchError::Expired))
    }
}

/// Says where the time of a call went, to whoever traces the request that it belongs to. Not heeded, it costs a comparison.
fn told(done: &Done) {
    let ns = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    tracing::debug!(
        target: "einthoven::call",
        queue_ns = ns(done.queued.saturating_sub(done.assembling)),
        batch_ns = ns(done.assembling),
        compute_ns = ns(done.computed),
        total_ns = ns(done.answered.saturating_duration_since(done.asked)),
        ago_ns = ns(done.answered.elapsed()),
        "computed"
    );
}

impl Future for Ticket {
    type Output = Answered;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered> {
        let this = &mut *self;
        if let Some(answered) = this.answered(context.waker()) {
            return Poll::Ready(answered);
        }
        let Some(deadline) = this.pending.deadline else {
            return Poll::Pending;
        };
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        match timer.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(this.expire()),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.finished {
            self.queue.withdraw(self.id, &self.pending, DispatchError::Cancelled);
        }
    }
}
