//! One thread: an instance, and the batches it runs until its queue is closed.

use crate::assemble::Scratch;
use crate::call::DispatchError;
use crate::queue::{Batch, Queue, Role};
use crate::run::run;
use crate::settings::Instance;
use einthoven_plugin_host::{Code, Failure, priority};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a failure to make an instance stands before it is tried again for a batch.
const AGAIN: Duration = Duration::from_millis(500);

/// What one thread works with.
#[derive(Default)]
pub(crate) struct Own {
    pub(crate) instance: Option<Made>,
    pub(crate) scratch: Scratch,
}

/// An instance that is counted as long as it is there.
pub(crate) struct Made {
    pub(crate) instance: Box<dyn Instance>,
    pub(crate) provider: Arc<str>,
    queue: Arc<Queue>,
}

impl Drop for Made {
    fn drop(&mut self) {
        self.queue.unmade();
    }
}

/// Tells the queue when its thread ends, however it does.
struct Ends<'a>(&'a Arc<Queue>, Role);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        let lost = Failure::internal("the thread that was to run the model ended");
        self.0.ended(self.1, Some(&lost));
    }
}

/// Runs batches until the queue is closed.
pub(crate) fn serve(queue: &Arc<Queue>, role: Role) {
    let _ends = Ends(queue, role);
    match role {
        Role::Any => priority::after_requests(),
        // It computes little, for those who must not wait behind a flood whose instances have every core.
        Role::Express => priority::before_computing(),
    }
    let mut own = Own::default();
    loop {
        let failed = own.ready(queue).err().map(|failure| (failure, Instant::now()));
        if let Some((failure, _)) = &failed {
            tracing::error!("no instance of `{}` could be made: {failure}", queue.name);
            if queue.does_without() || role == Role::Express {
                return;
            }
        }
        let Some(batch) = queue.next(role, &mut own) else {
            return;
        };
        let batch = InHand { queue, batch };
        if let Some((failure, at)) = failed
            && let Some(failure) = if at.elapsed() < AGAIN {
                Some(failure)
            } else {
                own.ready(queue).err()
            }
        {
            batch.fail(&failure);
            continue;
        }
        batch.run(&mut own);
    }
}

/// Runs a batch in the thread of who asked for it, with the tools of a thread that sleeps.
pub(crate) fn run_lent(queue: &Arc<Queue>, own: &mut Own, batch: Batch) {
    InHand { queue, batch }.run(own);
}

impl Own {
    /// Whether there is an instance that can be used.
    pub(crate) fn is_ready(&self) -> bool {
        self.instance.as_ref().is_some_and(|made| made.instance.usable())
    }

    /// Whether there is one that another thread may use for a short call.
    pub(crate) fn is_for_callers(&self) -> bool {
        self.instance
            .as_ref()
            .is_some_and(|made| made.instance.usable() && made.instance.in_process())
    }

    /// Sees that there is an instance that can be used.
    pub(crate) fn ready(&mut self, queue: &Arc<Queue>) -> Result<(), Failure> {
        if self.is_ready() {
            return Ok(());
        }
        self.instance = None;
        let made = match queue.spare() {
            Some(spare) => Ok(spare),
            None => catch_unwind(AssertUnwindSafe(|| queue.source.instance()))
                .unwrap_or_else(|_| Err(Failure::internal("making an instance panicked"))),
        };
        let instance = made?;
        queue.made();
        self.instance = Some(Made {
            provider: instance.provider().into(),
            instance,
            queue: Arc::clone(queue),
        });
        Ok(())
    }
}

/// A batch that was taken out of the schedule: whatever happens, its calls are answered and counted out.
struct InHand<'a> {
    queue: &'a Arc<Queue>,
    batch: Batch,
}

impl InHand<'_> {
    fn run(self, own: &mut Own) {
        // A fault of ours in putting a batch together must cost its calls alone.
        if catch_unwind(AssertUnwindSafe(|| run(self.queue, own, &self.batch))).is_err() {
            tracing::error!("a batch of `{}` panicked", self.queue.name);
            self.fail(&Failure::internal(
                "putting the batch together failed; this is a fault of the server",
            ));
            own.instance = None;
        }
    }

    fn fail(&self, failure: &Failure) {
        for piece in &self.batch.pieces {
            piece
                .payload
                .fail(DispatchError::Failed(failure.clone()), &self.queue.meters);
        }
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail(&Failure::new(Code::Internal, "the batch broke off"));
        }
        self.queue.finish(&self.batch);
    }
}
