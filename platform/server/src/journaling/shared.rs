//! What servers that share a database have there about people: the key of their pseudonyms, and who is to be forgotten.

use einthoven_registry_log::{Schema, take_turns};
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use tokio::time::timeout;

/// The longest that a call waits for the database.
const PATIENCE: Duration = Duration::from_secs(8);

/// The advisory lock of whoever makes a row: "einfgt" in ASCII. Rows are seen in the order of their numbers that way.
const LOCK: i64 = 0x6569_6e66_6774;

const SCHEMA: Schema = Schema {
    name: "people",
    tables: &["einthoven_keys", "einthoven_erasures", "einthoven_journals"],
    steps: &[&CREATE],
};

// Numbers begin again in a database that is made anew or put back from a copy; names do not. A server says by `at`, a name, how far it is,
// so that what it said of another list counts for nothing.
const CREATE: [&str; 3] = [
    "create table einthoven_keys (name text primary key, wrapped text not null)",
    "create table einthoven_erasures (
        seq bigint generated always as identity primary key,
        id text not null unique default gen_random_uuid()::text,
        subject text not null,
        asked timestamptz not null default now(),
        entries bigint not null default 0,
        labels bigint not null default 0,
        recordings bigint not null default 0,
        jobs bigint not null default 0,
        shown bigint not null default 0,
        sessions bigint not null default 0
    )",
    "create table einthoven_journals (
        id text primary key,
        at text,
        failed bigint[] not null,
        seen timestamptz not null default now()
    )",
];

/// Makes the tables where they are missing, and brings older ones to their newest shape.
pub(super) async fn prepare(pool: &PgPool) -> Result<(), sqlx::Error> {
    bounded(SCHEMA.prepare(pool)).await
}

/// Waits for others who make rows, until the transaction ends.
pub(super) async fn lock(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    take_turns(transaction, LOCK).await
}

pub(super) async fn bounded<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(PATIENCE, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
