//! The queue of one loaded version, as its owner holds it.

use crate::call::{Call, DispatchError, Done};
use crate::checked::Takes;
use crate::queue::Queue;
use crate::settings::{Instance, Settings, Source};
use crate::statistics::Statistics;
use crate::ticket::Ticket;
use einthoven_plugin_host::Signature;
use std::sync::Arc;

/// The queue of one loaded version. When it is dropped, calls that wait are answered by [`DispatchError::Closed`], those
/// that run get their outputs, and its threads end.
pub struct Dispatcher {
    queue: Arc<Queue>,
}

impl Dispatcher {
    /// A queue before the instances of `source`. `first` is one that is there already; `name` is for people.
    #[must_use]
    pub fn new(
        name: &str,
        signature: Signature,
        source: Arc<dyn Source>,
        first: Option<Box<dyn Instance>>,
        settings: Settings,
    ) -> Self {
        Self {
            queue: Arc::new(Queue::new(name, Takes::new(signature), settings, source, first)),
        }
    }

    /// Puts a call into the queue.
    ///
    /// # Errors
    /// [`DispatchError::Invalid`], [`DispatchError::Full`] or [`DispatchError::Expired`]; nothing was queued then.
    pub fn submit(&self, call: Call) -> Result<Ticket, DispatchError> {
        let queued = self.queue.submit(call)?;
        Ok(Ticket::new(Arc::clone(&self.queue), queued))
    }

    /// Outputs for these inputs. Dropping the future cancels the call. With a deadline it needs a runtime of tokio.
    ///
    /// # Errors
    /// [`DispatchError`] saying why there are none.
    pub async fn call(&self, call: Call) -> Result<Done, DispatchError> {
        self.submit(call)?.await
    }

    /// Inputs and outputs of the model.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.queue.takes.signature
    }

    /// How it works.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.queue.settings
    }

    /// Counts and times until now.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.queue.statistics()
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        self.queue.close();
    }
}
