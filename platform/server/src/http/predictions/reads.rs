//! How much of the journal is read at once. What pages through it and what takes all of it have threads of their own number, and
//! neither takes one of those that answers need. Whoever finds none free waits a little, and is then told to come again.

use super::super::problem::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Pages, single entries and labels at once.
const PAGES: usize = 8;
/// Tables, archives, clusters and agreements at once: each looks at all that the filters want.
const WHOLE: usize = 2;
/// How long a free one is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Who reads the journal now.
pub(crate) struct Reads {
    pages: Arc<Semaphore>,
    whole: Arc<Semaphore>,
    patience: Duration,
}

impl Default for Reads {
    fn default() -> Self {
        Self {
            pages: Arc::new(Semaphore::new(PAGES)),
            whole: Arc::new(Semaphore::new(WHOLE)),
            patience: PATIENCE,
        }
    }
}

impl Reads {
    /// For what looks at a bounded part of it.
    pub(super) async fn page(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.taken(&self.pages, "too many read the journal").await
    }

    /// For what looks at all that is wanted.
    pub(super) async fn whole(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.taken(&self.whole, "too many exports or clusters at once").await
    }

    async fn taken(&self, places: &Arc<Semaphore>, why: &str) -> Result<OwnedSemaphorePermit, Problem> {
        let free = tokio::time::timeout(self.patience, Arc::clone(places).acquire_owned()).await;
        let free = free.map_err(|_| Problem::busy(format!("{why}; try again in a few seconds")))?;
        free.map_err(|cause| Problem::internal(&cause))
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGES, Reads, WHOLE};
    use std::time::Duration;

    #[tokio::test]
    async fn more_than_there_is_room_for_is_told_when_to_come_again() {
        let reads = Reads {
            patience: Duration::from_millis(1),
            ..Reads::default()
        };
        let mut all = Vec::new();
        for _ in 0..WHOLE {
            all.push(reads.whole().await.unwrap());
        }
        let refused = reads.whole().await.unwrap_err();
        assert_eq!((refused.status().as_u16(), refused.code()), (503, "busy"));
        assert!(refused.retry_after_s().is_some());
        // Pages go on meanwhile, up to their own bound.
        let mut pages = Vec::new();
        for _ in 0..PAGES {
            pages.push(reads.page().await.unwrap());
        }
        assert_eq!(reads.page().await.unwrap_err().code(), "busy");
        all.pop();
        assert!(reads.whole().await.is_ok());
    }
}
