//! The key of pseudonyms that servers share: it lies in their database, under the master key.

use super::shared::bounded;
use anyhow::{Context, bail};
use einthoven_journal::PseudonymKey;
use einthoven_journal::recordings::MasterKey;
use sqlx::PgPool;
use std::path::Path;

/// The key of pseudonyms that all have. The first server puts it there: its journal's own where it has one, so that what is recorded
/// there keeps its pseudonyms.
pub(super) async fn pseudonyms(
    pool: &PgPool,
    folder: &Path,
    master: &Path,
    previous: Option<&Path>,
) -> anyhow::Result<PseudonymKey> {
    let key = shared(pool, folder, &MasterKey::read(master)?, previous).await?;
    if PseudonymKey::is_in(folder) && PseudonymKey::in_folder(folder)? != key {
        tracing::warn!(
            "what is in the journal in {} from before has pseudonyms of its own: people in it are erased by those",
            folder.display()
        );
    }
    Ok(key)
}

async fn shared(
    pool: &PgPool,
    folder: &Path,
    master: &MasterKey,
    previous: Option<&Path>,
) -> anyhow::Result<PseudonymKey> {
    if wrapped(pool).await?.is_none() {
        let own = match PseudonymKey::is_in(folder) {
            true => PseudonymKey::in_folder(folder)?,
            false => PseudonymKey::new(master)?,
        };
        put(pool, &own.wrapped(master)?).await?;
    }
    let there = wrapped(pool).await?.context("the key of pseudonyms went away")?;
    if let Some(key) = PseudonymKey::unwrapped(&there, master) {
        return Ok(key);
    }
    let old = previous.map(MasterKey::read).transpose()?;
    let Some(key) = old.and_then(|old| PseudonymKey::unwrapped(&there, &old)) else {
        bail!(
            "the key of pseudonyms in the database lies under another master key: give every server the same --master-key, \
             and while that changes the one before as --previous-master-key"
        );
    };
    let again = sqlx::query("update einthoven_keys set wrapped = $1 where name = 'pseudonyms' and wrapped = $2");
    bounded(again.bind(key.wrapped(master)?).bind(&there).execute(pool)).await?;
    Ok(key)
}

/// The key as it lies in the database; none where no server has put it there.
pub(super) async fn wrapped(pool: &PgPool) -> Result<Option<String>, sqlx::Error> {
    let asked = sqlx::query_scalar("select wrapped from einthoven_keys where name = 'pseudonyms'");
    bounded(asked.fetch_optional(pool)).await
}

/// Puts it there where there is none; of two that do at once, both have the one that came first.
pub(super) async fn put(pool: &PgPool, wrapped: &str) -> Result<(), sqlx::Error> {
    let made = sqlx::query("insert into einthoven_keys values ('pseudonyms', $1) on conflict do nothing");
    bounded(made.bind(wrapped).execute(pool)).await.map(drop)
}
