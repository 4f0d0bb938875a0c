//! What `einthoven backup` takes along of what servers share about people, and `einthoven restore` puts back.
//!
//! The key of pseudonyms stays under the master key, which is in no backup. Without it nobody would be found again by their name in the
//! journals that are left; and without the list of erasures a journal that is put back from a copy would bring back who was forgotten.

use super::key;
use super::shared::{bounded, lock, prepare};
use anyhow::{Context, ensure};
use einthoven_journal::PseudonymKey;
use einthoven_journal::recordings::MasterKey;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What of the servers' database is about people.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// The key of pseudonyms, under the master key; none where no server had one.
    pseudonyms: Option<String>,
    erasures: Vec<Erasure>,
}

/// One who is to be forgotten.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Erasure {
    id: String,
    /// The pseudonym.
    subject: String,
    /// Microseconds since 1970 in UTC.
    asked_us: i64,
}

impl Kept {
    /// What is in a database.
    pub(crate) async fn of(pool: &PgPool) -> anyhow::Result<Self> {
        let read = async {
            prepare(pool).await?;
            let asked = sqlx::query_as(
                "select id, subject, (extract(epoch from asked) * 1000000)::bigint from einthoven_erasures order by seq",
            );
            let rows: Vec<(String, String, i64)> = bounded(asked.fetch_all(pool)).await?;
            Ok::<_, sqlx::Error>((key::wrapped(pool).await?, rows))
        };
        let (pseudonyms, rows) = read.await.context("the key of pseudonyms and the list of erasures")?;
        let each = |(id, subject, asked_us)| Erasure { id, subject, asked_us };
        Ok(Self {
            pseudonyms,
            erasures: rows.into_iter().map(each).collect(),
        })
    }

    /// What lies in a backup; none in one of a server that shared nothing.
    pub(crate) fn read(backup: &Path) -> anyhow::Result<Option<Self>> {
        let path = file(backup);
        let text = match std::fs::read(&path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let kept = serde_json::from_slice(&text);
        kept.map(Some)
            .with_context(|| format!("{} is not what a backup wrote", path.display()))
    }

    /// For this user alone, and on disk when this returns.
    pub(crate) fn write(&self, backup: &Path) -> anyhow::Result<()> {
        let path = file(backup);
        let write = || {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Puts it into a database that has none of it, or the same.
    pub(crate) async fn put_back(&self, pool: &PgPool) -> anyhow::Result<()> {
        let what = "the key of pseudonyms and the list of erasures";
        prepare(pool).await.context(what)?;
        if let Some(wrapped) = &self.pseudonyms {
            key::put(pool, wrapped).await.context(what)?;
            // Which key it is cannot be seen under different master keys; the very same text is the same.
            ensure!(
                key::wrapped(pool).await.context(what)?.as_ref() == Some(wrapped),
                "the database has a key of pseudonyms already, which is not the backup's: a server was started on it before it was \
                 restored; remove its row from einthoven_keys and restore again"
            );
        }
        let put = async {
            let mut transaction = pool.begin().await?;
            lock(&mut transaction).await?;
            // All at once, as there may be many thousands.
            let added = sqlx::query(
                "insert into einthoven_erasures (id, subject, asked) \
                 select id, subject, timestamptz 'epoch' + us * interval '1 microsecond' \
                 from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as kept (id, subject, us, place) \
                 order by place on conflict (id) do nothing",
            );
            let text = |of: fn(&Erasure) -> &str| self.erasures.iter().map(of).collect::<Vec<_>>();
            let added = added.bind(text(|one| &one.id)).bind(text(|one| &one.subject));
            let times: Vec<i64> = self.erasures.iter().map(|one| one.asked_us).collect();
            added.bind(times).execute(&mut *transaction).await?;
            transaction.commit().await
        };
        bounded(put).await.context(what)
    }

    /// Puts the key where a server that shares nothing has it, beside the journal in a data folder.
    pub(crate) fn put_beside(&self, data: &Path, master: &Path) -> anyhow::Result<()> {
        let Some(wrapped) = &self.pseudonyms else {
            return Ok(());
        };
        let key = PseudonymKey::unwrapped(wrapped, &MasterKey::read(master)?);
        let key = key.with_context(|| {
            format!(
                "the backup's key of pseudonyms lies under another master key than the one in {}",
                master.display()
            )
        })?;
        let folder = data.join("journal");
        if !PseudonymKey::is_in(&folder) {
            key.put_in_folder(&folder)?;
        }
        // By a restore that was interrupted, or else by a server.
        ensure!(
            PseudonymKey::in_folder(&folder)? == key,
            "pseudonyms.key in {} is another key than the backup's: a server was started there before it was restored; name another --data",
            folder.display()
        );
        Ok(())
    }

    /// How many are to be forgotten.
    pub(crate) fn erasures(&self) -> usize {
        self.erasures.len()
    }

    /// Whether there is a key that would have to be put somewhere.
    pub(crate) fn has_key(&self) -> bool {
        self.pseudonyms.is_some()
    }
}

fn file(backup: &Path) -> PathBuf {
    backup.join("people.json")
}
