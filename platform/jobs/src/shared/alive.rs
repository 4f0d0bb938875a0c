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

/// What one attempt has said.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alive {
    /// Nothing, or it was taken back.
    #[default]
    Unsaid,
    /// The bucket was told, and did not answer.
    Perhaps,
    /// That it is alive.
    Said,
}

impl Shared {
    /// Says that this attempt's server is alive, unless that is said; where the bucket is away as well, nobody hears of it.
    pub(super) async fn say_alive(&self, record: &Record, said: &mut Alive, patience: Duration) {
        if *said == Alive::Said {
            return;
        }
        let name = name(record.runs);
        let put = self.0.objects.put(&record.id, &name, Bytes::from_static(b"alive"));
        *said = match timeout(patience, put).await {
            Ok(Ok(())) => Alive::Said,
            _ => Alive::Perhaps,
        };
    }

    /// Takes that back, as the database says so by now.
    pub(super) async fn unsay_alive(&self, record: &Record, said: &mut Alive, patience: Duration) {
        if *said == Alive::Unsaid {
            return;
        }
        let name = name(record.runs);
        let removed = self.0.objects.remove(&record.id, &name);
        if matches!(timeout(patience, removed).await, Ok(Ok(()))) {
            *said = Alive::Unsaid;
        }
    }

    /// Gives a job up that too many servers ended at; not where some of those were alive, and only could not reach the database.
    pub(super) async fn may_be_tried(&self, record: &Record, control: &Control) -> Result<(), Failed> {
        if record.crashes < MOST_CRASHES {
            return Ok(());
        }
        let mut alive = Vec::new();
        for attempt in 1..record.runs {
            let name = name(attempt);
            let said = self
                .patiently(control, || self.0.objects.get(&record.id, &name))
                .await?;
            if said.is_some() {
                alive.push(i32::try_from(attempt).unwrap_or(i32::MAX));
            }
        }
        let left = match lease::forgive(&self.0.leases, record, &alive).await {
            Ok(left) => left,
            // It is counted again when the job is taken next.
            Err(cause) => {
                tracing::warn!("crashes that were none are not written down yet: {cause}");
                return Ok(());
            }
        };
        if left >= MOST_CRASHES {
            return Err(Failed::Problem(given_up(left)));
        }
        self.patiently(control, || self.0.objects.remove(&record.id, ALIVE))
            .await
    }
}

fn name(attempt: u32) -> String {
    format!("{ALIVE}{attempt}.txt")
}
