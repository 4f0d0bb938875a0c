//! The table and the statements on it.

use super::{Schema, failed};
use crate::{Entry, Hash, Head, LogError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};

/// The table's name.
pub(crate) const TABLE: &str = "einthoven_log";
/// The channel of notifications.
pub(super) const CHANNEL: &str = "einthoven_log";
/// The advisory lock of whoever appends: "einlog" in ASCII.
const LOCK: i64 = 0x6569_6e6c_6f67;

const SCHEMA: Schema = Schema {
    name: "log",
    tables: &[TABLE],
    steps: &[&[CREATE]],
};

const CREATE: &str = "create table einthoven_log (
    seq bigint primary key check (seq > 0),
    previous bytea not null unique check (octet_length(previous) = 32),
    hash bytea not null unique check (octet_length(hash) = 32),
    body text not null check (octet_length(body) between 2 and 1048576)
)";

/// Makes the table, and refuses a database that would alter bodies.
pub(super) async fn prepare(pool: &PgPool) -> Result<(), LogError> {
    let (encoding, fsync): (String, String) =
        sqlx::query_as("select current_setting('server_encoding'), current_setting('fsync')")
            .fetch_one(pool)
            .await
            .map_err(failed)?;
    if encoding != "UTF8" {
        return Err(LogError::Refused {
            cause: format!("the database keeps texts in {encoding}"),
        });
    }
    if fsync == "off" {
        tracing::warn!(
            postgres.fsync = fsync,
            "PostgreSQL runs with fsync off: acknowledged changes are lost when its machine fails"
        );
    }
    SCHEMA.prepare(pool).await.map_err(failed)
}

/// Makes other writers wait until this transaction ends, and its commit wait for the disk.
pub(super) async fn lock(connection: &mut PgConnection) -> Result<(), LogError> {
    sqlx::query(
        "select pg_advisory_xact_lock($1), set_config('synchronous_commit', \
         case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, true)",
    )
    .bind(LOCK)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(failed)
}

/// The newest entry's number and hash.
pub(super) async fn head<'e>(executor: impl sqlx::PgExecutor<'e>) -> Result<Head, LogError> {
    let row = sqlx::query("select seq, hash from einthoven_log order by seq desc limit 1")
        .fetch_optional(executor)
        .await
        .map_err(failed)?;
    let Some(row) = row else {
        return Ok(Head::EMPTY);
    };
    Ok(Head {
        seq: number(&row)?,
        hash: hash(&row, "hash")?,
    })
}

/// Entries after one, in order.
pub(super) async fn read(pool: &PgPool, after: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
    sqlx::query("select seq, previous, hash, body from einthoven_log where seq > $1 order by seq limit $2")
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await
        .map_err(failed)?
        .iter()
        .map(|row| {
            Ok(Entry {
                seq: number(row)?,
                previous: hash(row, "previous")?,
                hash: hash(row, "hash")?,
                body: row.try_get("body").map_err(failed)?,
            })
        })
        .collect()
}

/// Inserts entries and tells who listens once they are committed.
pub(super) async fn insert(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), sqlx::Error> {
    let mut seqs = Vec::with_capacity(entries.len());
    for entry in entries {
        seqs.push(i64::try_from(entry.seq).map_err(|cause| sqlx::Error::Encode(Box::new(cause)))?);
    }
    let previous: Vec<&[u8]> = entries
        .iter()
        .map(|entry| entry.previous.as_bytes().as_slice())
        .collect();
    let hashes: Vec<&[u8]> = entries.iter().map(|entry| entry.hash.as_bytes().as_slice()).collect();
    let bodies: Vec<&str> = entries.iter().map(|entry| entry.body.as_str()).collect();
    sqlx::query(
        "with added as (
            insert into einthoven_log (seq, previous, hash, body)
            select * from unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[])
         )
         select pg_notify($5, $6)",
    )
    .bind(&seqs)
    .bind(&previous)
    .bind(&hashes)
    .bind(&bodies)
    .bind(CHANNEL)
    .bind(seqs.last().copied().unwrap_or_default().to_string())
    .execute(connection)
    .await
    .map(|_| ())
}

fn number(row: &PgRow) -> Result<u64, LogError> {
    let seq: i64 = row.try_get("seq").map_err(failed)?;
    u64::try_from(seq).map_err(|_| LogError::Refused {
        cause: format!("a row has the number {seq}"),
    })
}

fn hash(row: &PgRow, column: &str) -> Result<Hash, LogError> {
    let bytes: &[u8] = row.try_get(column).map_err(failed)?;
    <[u8; 32]>::try_from(bytes)
        .map(Hash::from)
        .map_err(|_| LogError::Refused {
            cause: format!("a {column} has {} bytes, not 32", bytes.len()),
        })
}
