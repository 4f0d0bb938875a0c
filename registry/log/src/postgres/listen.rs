//! Hearing of what other processes append.

use super::{PATIENCE, announce, failed, table};
use crate::LogError;
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// The table is read this often even when nothing is heard: a connection can die without a word.
const LOOK: Duration = Duration::from_secs(5);
/// The wait between attempts to connect.
const AGAIN: Duration = Duration::from_millis(200);

/// Listens for as long as it is let.
pub(super) async fn run(pool: PgPool, newest: watch::Sender<u64>) {
    let mut heard = true;
    loop {
        let Err(cause) = listen(&pool, &newest, &mut heard).await;
        // Once per outage.
        if std::mem::take(&mut heard) {
            tracing::warn!(
                log.cause = %cause,
                "changes made by other processes are not heard of until PostgreSQL answers again"
            );
        }
        sleep(AGAIN).await;
    }
}

/// Listens until the connection is lost.
async fn listen(
    pool: &PgPool,
    newest: &watch::Sender<u64>,
    heard: &mut bool,
) -> Result<std::convert::Infallible, LogError> {
    // A connection of its own: one that hangs must not be missing where others append.
    let own = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(pool.connect_options().as_ref().clone());
    let mut listener = PgListener::connect_with(&own).await.map_err(failed)?;
    listener.eager_reconnect(false);
    timeout(PATIENCE, listener.listen(table::CHANNEL))
        .await
        .map_err(|_| super::late())?
        .map_err(failed)?;
    loop {
        // After listening has begun, so that nothing appended meanwhile is missed.
        let head = super::bounded(table::head(pool)).await?;
        *heard = true;
        announce(newest, head.seq);
        match timeout(LOOK, listener.try_recv()).await {
            Ok(Ok(Some(_))) => while listener.next_buffered().is_some() {},
            Ok(Ok(None)) => {
                return Err(LogError::Unavailable {
                    cause: "the connection was lost".into(),
                });
            }
            Ok(Err(cause)) => return Err(failed(cause)),
            Err(_) => {}
        }
    }
}
