//! Giving up a piece of work that runs in children.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

/// Ends every child of one piece of work, whatever its engine is doing, and lets no further one begin; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Mutex<Work>>);

#[derive(Debug, Default)]
struct Work {
    given_up: bool,
    children: Vec<UnixStream>,
}

impl Cancel {
    /// Gives the work up: who waits for a child hears that it is gone.
    pub fn cancel(&self) {
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work.given_up = true;
        for child in work.children.drain(..) {
            // A child whose parent's side is closed ends by itself, even while an engine hangs.
            child.shutdown(Shutdown::Both).ok();
        }
    }

    /// Whether the work was given up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).given_up
    }

    /// Counts the child behind that stream to the work.
    ///
    /// # Errors
    /// Where the work was given up, or the stream cannot be shared.
    pub(crate) fn covers(&self, stream: &UnixStream) -> io::Result<()> {
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if work.given_up {
            return Err(io::Error::other("the work that it is for was given up"));
        }
        work.children.push(stream.try_clone()?);
        Ok(())
    }
}
