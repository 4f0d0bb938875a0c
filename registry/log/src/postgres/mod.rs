//! The log in a table of PostgreSQL.
//!
//! The table's primary key and its unique hashes make the chain linear whoever writes; an advisory lock makes writers wait
//! instead of failing. Bodies are `text`, because `jsonb` would alter them. All calls are bounded in time.

mod append;
mod import;
mod listen;
mod schema;
mod table;

use crate::{ChainBroken, Entry, Head, LogError, Verified, diagnose};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

pub use schema::{Schema, take_turns};
pub(crate) use table::TABLE;

/// The longest that a call waits for PostgreSQL; an append that ends in doubt asks once more for as long.
const PATIENCE: Duration = Duration::from_secs(4);
/// Entries that a check reads at once.
const PAGE: usize = 1_000;

/// A log in PostgreSQL; cheap to clone.
#[derive(Debug, Clone)]
pub struct PostgresLog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    newest: watch::Sender<u64>,
    listener: AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl PostgresLog {
    /// Connects by a URL (`postgres://user:password@host:5432/database?sslmode=verify-full`); makes the table when missing.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the server does not answer in time, [`LogError::Refused`] when it does not allow what
    /// the log needs or the URL is none.
    pub async fn connect(url: &str) -> Result<Self, LogError> {
        // The cause may repeat the URL and its password, so it is not shown.
        let options = url.parse::<PgConnectOptions>().map_err(|_| LogError::Refused {
            cause: "the address is no URL like postgres://user:password@host:5432/database".into(),
        })?;
        Self::connect_with(options).await
    }

    /// Connects with options; see [`PostgresLog::connect`].
    ///
    /// # Errors
    /// As [`PostgresLog::connect`].
    pub async fn connect_with(options: PgConnectOptions) -> Result<Self, LogError> {
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        let head = bounded(async {
            table::prepare(&pool).await?;
            table::head(&pool).await
        })
        .await?;
        let newest = watch::Sender::new(head.seq);
        let listener = tokio::spawn(listen::run(pool.clone(), newest.clone())).abort_handle();
        Ok(Self(Arc::new(Inner { pool, newest, listener })))
    }

    /// See [`crate::Log::head`].
    ///
    /// # Errors
    /// [`LogError::Unavailable`], [`LogError::Refused`].
    pub async fn head(&self) -> Result<Head, LogError> {
        bounded(table::head(&self.0.pool)).await
    }

    /// See [`crate::Log::append`]. When the connection is lost during the commit, the table is read before this answers.
    ///
    /// Two callers that append the very same bodies after the same head at once may both be told that they did, if the
    /// connection of one is lost during its commit: put something into bodies that is not the same twice.
    ///
    /// # Errors
    /// [`LogError::Moved`], [`LogError::Body`], [`LogError::Unavailable`], [`LogError::Refused`]: nothing was appended.
    /// [`LogError::Unknown`]: the table could not be read either.
    pub async fn append(&self, after: Head, bodies: Vec<String>) -> Result<Vec<Entry>, LogError> {
        append::append(&self.0.pool, &self.0.newest, after, bodies).await
    }

    /// See [`crate::Log::read`].
    ///
    /// # Errors
    /// [`LogError::Broken`] when an entry is not what was written, [`LogError::Unavailable`], [`LogError::Refused`].
    pub async fn read(&self, after_seq: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        let entries = bounded(table::read(&self.0.pool, after_seq, limit)).await?;
        let Some(first) = entries.first() else {
            return Ok(entries);
        };
        let mut at = Head {
            seq: after_seq,
            hash: first.previous,
        };
        for entry in &entries {
            diagnose::follows(at, entry, || place(entry), entry.seq, |_| false)?;
            at = entry.head();
        }
        Ok(entries)
    }

    /// See [`crate::Log::watch`].
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.newest.subscribe()
    }

    /// See [`crate::Log::verify`].
    ///
    /// # Errors
    /// The first thing that is wrong with the chain.
    pub async fn verify(&self, anchors: &[Head]) -> Result<Verified, ChainBroken> {
        let mut at = Head::EMPTY;
        let newest = self.head().await?.seq;
        loop {
            let page = bounded(table::read(&self.0.pool, at.seq, PAGE)).await?;
            if page.is_empty() {
                break;
            }
            for entry in page {
                // Rows come by their numbers, so none stands further on.
                diagnose::follows(at, &entry, || place(&entry), newest, |_| false)?;
                at = entry.head();
                diagnose::is_anchored(at, anchors)?;
            }
        }
        diagnose::is_complete(at, anchors)?;
        Ok(Verified {
            head: at,
            anchors: anchors.len(),
            unfinished: 0,
        })
    }
}

fn place(entry: &Entry) -> String {
    format!("table {TABLE}, row {}", entry.seq)
}

/// Tells what nobody has appended yet from what somebody has.
fn announce(newest: &watch::Sender<u64>, seq: u64) {
    newest.send_if_modified(|known| {
        let moved = seq > *known;
        *known = seq.max(*known);
        moved
    });
}

async fn bounded<T>(work: impl Future<Output = Result<T, LogError>>) -> Result<T, LogError> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}

fn late() -> LogError {
    LogError::Unavailable {
        cause: format!("no answer within {} s", PATIENCE.as_secs()),
    }
}

/// What an error of the driver means to a caller; nothing may have been committed when it is used.
fn failed(cause: sqlx::Error) -> LogError {
    let refused = match &cause {
        // Connections lost, too many of them, disk full, shutting down, cancelled by a time limit, deadlock or lock.
        sqlx::Error::Database(database) => database.code().is_none_or(|code| {
            let class = code.get(..2).unwrap_or_default();
            !matches!(class, "08" | "40" | "53" | "55" | "57" | "58")
        }),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => false,
        // What a server says that dies while it answers.
        sqlx::Error::Protocol(_) => false,
        _ => true,
    };
    let cause = cause.to_string();
    if refused {
        LogError::Refused { cause }
    } else {
        LogError::Unavailable { cause }
    }
}
