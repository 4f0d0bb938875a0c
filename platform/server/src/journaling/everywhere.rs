//! Erasing on all servers that share a database: who is to be forgotten stands there, and each server follows.
//!
//! An erasure is a row with a number and a name. Each server writes down, beside its journal, the names of those that it has followed, so one
//! that was away follows at its next start, before it answers, and so does a journal that is put back from a copy. Servers that are there
//! say every second how far they are, and which failed; whoever erases waits for all of them.

use super::followed::{Followed, Listed};
use super::key;
use super::shared::{bounded, lock, prepare};
use anyhow::Context;
use einthoven_journal::{JournalError, PseudonymKey};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::PgPool;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;
use tokio::sync::{Mutex, MutexGuard};

/// Seconds after which a server that said nothing is not waited for.
const SILENT_S: f64 = 10.0;

/// What was erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Erased {
    /// Predictions.
    pub(crate) entries: usize,
    pub(crate) labels: usize,
    /// Recordings that were kept with predictions.
    pub(crate) recordings: usize,
    /// Jobs, with what they were given and what came of them.
    pub(crate) jobs: usize,
    /// Recordings that were kept for looking at.
    pub(crate) shown: usize,
    /// Sessions of live samples, which end.
    pub(crate) sessions: usize,
}

/// One that this server has not followed yet.
pub(crate) struct Wanted {
    listed: Listed,
    /// Who is to be forgotten, by the pseudonym.
    pub(crate) subject: String,
    /// When that was asked for, by the database's clock.
    pub(crate) asked: Timestamp,
}

impl Wanted {
    /// Its number.
    pub(crate) fn seq(&self) -> i64 {
        self.listed.seq
    }
}

/// What servers know of each other's erasing.
pub(crate) struct Everywhere {
    pool: PgPool,
    /// This process among those that follow.
    id: String,
    /// Where it stands what this journal has followed.
    mark: PathBuf,
    followed: RwLock<Followed>,
    /// Whoever follows holds it.
    following: Mutex<()>,
    /// Whoever tells the others holds it, so that what is told last is what is so.
    telling: Mutex<()>,
}

impl Everywhere {
    /// Makes the tables where they are missing. A journal whose folder is new has nothing to forget.
    pub(crate) async fn open(pool: PgPool, folder: &Path) -> anyhow::Result<Self> {
        let mark = folder.join("erased");
        let of_tables = "the tables of what was erased";
        prepare(&pool).await.context(of_tables)?;
        let read = Followed::read(&mark).with_context(|| format!("cannot read {}", mark.display()))?;
        let followed = match read {
            Some(followed) => followed,
            None => {
                // A volume that is new is there, and empty.
                let ids: Vec<String> = match folder.join("entries").exists() {
                    true => Vec::new(),
                    false => bounded(sqlx::query_scalar("select id from einthoven_erasures").fetch_all(&pool))
                        .await
                        .context(of_tables)?,
                };
                std::fs::create_dir_all(folder)
                    .and_then(|()| Followed::begin(&mark, ids.into_iter().collect()))
                    .with_context(|| format!("cannot write {}", mark.display()))?
            }
        };
        Ok(Self {
            pool,
            id: uuid::Uuid::new_v4().to_string(),
            mark,
            followed: RwLock::new(followed),
            following: Mutex::default(),
            telling: Mutex::default(),
        })
    }

    /// The key of pseudonyms that all have.
    pub(crate) async fn pseudonyms(
        &self,
        folder: &Path,
        master: &Path,
        previous: Option<&Path>,
    ) -> anyhow::Result<PseudonymKey> {
        key::pseudonyms(&self.pool, folder, master, previous).await
    }

    /// Asks all servers to erase a person; gives the erasure's number.
    pub(crate) async fn ask(&self, subject: &str) -> Result<i64, sqlx::Error> {
        bounded(async {
            let mut transaction = self.pool.begin().await?;
            lock(&mut transaction).await?;
            let asked = sqlx::query_scalar("insert into einthoven_erasures (subject) values ($1) returning seq");
            let seq = asked.bind(subject).fetch_one(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(seq)
        })
        .await
    }

    /// Nobody else follows while that is held.
    pub(crate) async fn following(&self) -> MutexGuard<'_, ()> {
        self.following.lock().await
    }

    /// Those that this server has not erased yet and is to try now, in order.
    pub(crate) async fn wanted(&self) -> Result<Vec<Wanted>, sqlx::Error> {
        let (from, failed) = self.read().from();
        let mut listed = self.listed(from, &failed).await?;
        let read: Vec<Listed> = listed.iter().map(|one| one.listed.clone()).collect();
        if !self.read().is_of(&read) {
            tracing::warn!(
                "the list of erasures is another one than before: the database was made anew, or put back from a copy; \
                 what this server has not followed of it, it follows now"
            );
            listed = self.listed(0, &[]).await?;
        }
        let (now, mut followed) = (Instant::now(), self.write());
        // Only now: how far it is must not be nothing for longer than that takes.
        followed.goes_on(&read);
        let done = followed.done();
        let mut wanted: Vec<Wanted> = Vec::new();
        for one in listed {
            if followed.wants(&one.listed, now) {
                wanted.push(one);
            } else if one.listed.seq > done && wanted.is_empty() {
                followed.pass(&one.listed);
            }
        }
        // What failed before holds up nothing that is new.
        wanted.sort_by_key(|one| one.seq() <= done);
        Ok(wanted)
    }

    async fn listed(&self, from: i64, failed: &[i64]) -> Result<Vec<Wanted>, sqlx::Error> {
        let asked = sqlx::query_as(
            "select seq, id, subject, (extract(epoch from asked) * 1000000)::bigint from einthoven_erasures \
             where seq >= $1 or seq = any($2) order by seq",
        );
        let rows: Vec<(i64, String, String, i64)> =
            bounded(asked.bind(from).bind(failed).fetch_all(&self.pool)).await?;
        let each = |(seq, id, subject, micros)| Wanted {
            listed: Listed { seq, id },
            subject,
            asked: Timestamp::from_microsecond(micros).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(each).collect())
    }

    /// This server has followed one, and erased this.
    pub(crate) async fn followed(&self, one: &Wanted, erased: Erased) -> anyhow::Result<()> {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let added = sqlx::query(
            "update einthoven_erasures set entries = entries + $2, labels = labels + $3, recordings = recordings + $4, \
             jobs = jobs + $5, shown = shown + $6, sessions = sessions + $7 where id = $1",
        )
        .bind(&one.listed.id)
        .bind(count(erased.entries))
        .bind(count(erased.labels))
        .bind(count(erased.recordings))
        .bind(count(erased.jobs))
        .bind(count(erased.shown))
        .bind(count(erased.sessions));
        bounded(added.execute(&self.pool)).await?;
        self.write().follow(&one.listed).map_err(|cause| JournalError::Io {
            action: "write",
            path: self.mark.clone(),
            cause: cause.to_string(),
        })?;
        Ok(())
    }

    /// This server could not erase one; it goes on with the next, and tries that one again later.
    pub(crate) fn failed(&self, one: &Wanted) {
        self.write().fail(&one.listed, Instant::now());
    }

    /// Numbers of those that failed here and are tried again.
    pub(crate) fn open_here(&self) -> Vec<i64> {
        self.read().failed()
    }

    /// The number up to which this server has looked at all.
    pub(crate) fn done(&self) -> i64 {
        self.read().done()
    }

    /// Whether a person was to be forgotten after that number.
    pub(crate) async fn asked_since(&self, subject: &str, seq: i64) -> Result<bool, sqlx::Error> {
        let asked =
            sqlx::query_scalar("select exists (select from einthoven_erasures where subject = $1 and seq > $2)");
        bounded(asked.bind(subject).bind(seq).fetch_one(&self.pool)).await
    }

    /// Tells the others that this server is there, and how far it is; forgets those that have not been for a day.
    pub(crate) async fn here(&self) -> Result<(), sqlx::Error> {
        let _telling = self.telling.lock().await;
        let said = sqlx::query(
            "with gone as (delete from einthoven_journals where seen < now() - interval '1 day') \
             insert into einthoven_journals (id, at, failed) values ($1, $2, $3) \
             on conflict (id) do update set at = $2, failed = $3, seen = now()",
        );
        let said = {
            let followed = self.read();
            let at = followed.at().map(|at| at.id.clone());
            said.bind(&self.id).bind(at).bind(followed.failed())
        };
        bounded(said.execute(&self.pool)).await.map(drop)
    }

    /// This server ends, and nobody need wait for it.
    pub(crate) async fn leave(&self) -> Result<(), sqlx::Error> {
        let left = sqlx::query("delete from einthoven_journals where id = $1").bind(&self.id);
        bounded(left.execute(&self.pool)).await.map(drop)
    }

    /// What all have erased, once all that are there have followed that one.
    pub(crate) async fn erased(&self, seq: i64) -> Result<Option<Erased>, sqlx::Error> {
        let asked = sqlx::query_as::<_, (i64, i64, i64, i64, i64, i64)>(
            "select entries, labels, recordings, jobs, shown, sessions from einthoven_erasures where seq = $1 and not exists \
             (select from einthoven_journals there where seen > now() - make_interval(secs => $2) and ($1 = any(failed) \
             or not exists (select from einthoven_erasures done where done.id = there.at and done.seq >= $1)))",
        );
        let found = bounded(asked.bind(seq).bind(SILENT_S).fetch_optional(&self.pool)).await?;
        let each = |(entries, labels, recordings, jobs, shown, sessions)| Erased {
            entries: usize::try_from(entries).unwrap_or_default(),
            labels: usize::try_from(labels).unwrap_or_default(),
            recordings: usize::try_from(recordings).unwrap_or_default(),
            jobs: usize::try_from(jobs).unwrap_or_default(),
            shown: usize::try_from(shown).unwrap_or_default(),
            sessions: usize::try_from(sessions).unwrap_or_default(),
        };
        Ok(found.map(each))
    }

    fn read(&self) -> RwLockReadGuard<'_, Followed> {
        self.followed.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Followed> {
        self.followed.write().unwrap_or_else(PoisonError::into_inner)
    }
}
