//! Following a job wherever it is done.

use super::rows::seen;
use crate::events::{Event, is_last};
use sqlx::PgPool;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::watch;

/// How often there are news asked for.
const LOOK: Duration = Duration::from_millis(250);

/// A follower of a job in the database.
#[derive(Debug)]
pub(crate) struct Followed {
    pool: PgPool,
    id: String,
    seen: Option<u64>,
    stopping: watch::Receiver<bool>,
    /// Read and not told yet.
    news: VecDeque<Event>,
}

impl Followed {
    pub(super) fn new(pool: PgPool, id: String, seen: Option<u64>, stopping: watch::Receiver<bool>) -> Self {
        Self {
            pool,
            id,
            seen,
            stopping,
            news: VecDeque::new(),
        }
    }

    pub(crate) async fn is_over(&self) -> bool {
        let later = seen::events(&self.pool, &self.id, self.seen).await;
        self.seen.is_some_and(is_last) && later.is_ok_and(|later| later.is_empty())
    }

    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.news.pop_front() {
                self.seen = Some(event.id);
                return Some(event);
            }
            match seen::events(&self.pool, &self.id, self.seen).await {
                Ok(news) if !news.is_empty() => {
                    self.news = news.into();
                    continue;
                }
                Ok(_) if self.seen.is_some_and(is_last) => return None,
                // A job that is gone has no events, and every other has one.
                Ok(_) if seen::is_gone(&self.pool, &self.id).await => return None,
                Ok(_) | Err(_) => {}
            }
            let told = tokio::time::timeout(LOOK, self.stopping.wait_for(|stopping| *stopping));
            if told.await.is_ok() {
                return None;
            }
        }
    }
}
