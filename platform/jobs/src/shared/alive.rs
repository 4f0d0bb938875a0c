//! What a server that cannot reach the database says in the bucket: that it is alive, so that its job is not taken to have ended it.
//!
//! Others find its lease run out, take the job over and count a crash. Where it reaches the database again it takes that back itself; where
//! it is stopped before, what it said here does.

use super::{Shared, lease};
use crate::record::{MOST_CRASHES, Record, given_up};
use crate::worker::{Control, Failed};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;

/// Beginning of the names of what is said, one for each attempt.
const ALIVE: &str = "alive-";

impl Shared {
    /// Says that this attempt's server is alive; where the bucket is away as well, nobody hears of it.
    pub(super) async fn say_alive(&self, record: &Record, patience: Duration) -> bool {
        let name = name(record.runs);
        let put = self.0.objects.put(&record.id, &name, Bytes::from_static(b"alive"));
        timeout(patience, put).await.is_ok_and(|put| put.is_ok())
    }

    /// Takes that back, as the database says so by now.
    pub(super) async fn unsay_alive(&self, record: &Record, patience: Duration) -> bool {
        let name = name(record.runs);
        let removed = self.0.objects.remove(&record.id, &name);
        timeout(patience, removed).await.is_ok_and(|removed| removed.is_ok())
    }

    /// Gives a job up that too many servers ended at; not where some of those were alive, and only could not reach the database.
    pub(super) async fn may_be_tried(&self, record: &Record, control: &Control) -> Result<(), Failed> {
        if record.crashes < MOST_CRASHES {
            return Ok(());
        }
        let mut alive = 0;
        for attempt in 1..record.runs {
            let name = name(attempt);
            let said = self
                .patiently(control, || self.0.objects.get(&record.id, &name))
                .await?;
            alive += u32::from(said.is_some());
        }
        let left = record.crashes.saturating_sub(alive);
        if left >= MOST_CRASHES {
            return Err(Failed::Problem(given_up(left)));
        }
        match lease::forgive(&self.0.leases, record, alive).await {
            Ok(()) => {
                self.patiently(control, || self.0.objects.remove(&record.id, ALIVE))
                    .await
            }
            // It is counted again when the job is taken next.
            Err(cause) => {
                tracing::warn!("crashes that were none are not written down yet: {cause}");
                Ok(())
            }
        }
    }
}

fn name(attempt: u32) -> String {
    format!("{ALIVE}{attempt}.txt")
}
