//! Jobs that several servers share: rows in PostgreSQL, contents in a bucket.
//!
//! A server takes a job by a lease, which it renews while it works. Whoever finds a lease that has run out takes the job over; what the
//! one before still says is then refused, because it names an older attempt. All times are the database's: what a server's own clock
//! says decides nothing.

mod doing;
mod follow;
mod rows;

pub(crate) use follow::Followed;

use crate::error::JobsError;
use crate::jobs::View;
use crate::record::{Info, Record, State};
use crate::settings::{New, Settings, Sharing};
use crate::worker::{Control, Work};
use bytes::Bytes;
use einthoven_registry_files::Objects;
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How often what was kept long enough, and what others left behind, is looked for.
const LOOK: Duration = Duration::from_secs(600);

/// How often it is asked whether another server has put a job down.
const IDLE: Duration = Duration::from_millis(100);

/// Beginnings of the names of contents.
const INPUT: &str = "input-";
const ANY: &str = "";

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

struct Inner {
    settings: Settings,
    lease: Duration,
    /// This process among those that take jobs.
    server: String,
    pool: PgPool,
    objects: Objects,
    more: Notify,
    stopping: watch::Sender<bool>,
    running: watch::Sender<usize>,
    /// Jobs that run here.
    controls: Mutex<HashMap<String, Arc<Control>>>,
    counts: Mutex<[(&'static str, u64); 5]>,
}

impl Shared {
    pub(crate) async fn open(settings: Settings, sharing: Sharing) -> Result<Self, JobsError> {
        let this = Self(Arc::new(Inner {
            settings,
            lease: sharing.lease,
            server: uuid::Uuid::new_v4().to_string(),
            pool: rows::connect(&sharing.database_url)?,
            objects: sharing.objects,
            more: Notify::new(),
            stopping: watch::Sender::new(false),
            running: watch::Sender::new(0),
            controls: Mutex::default(),
            counts: Mutex::new(State::ALL.map(|state| (state.as_str(), 0))),
        }));
        rows::prepare(&this.0.pool).await?;
        Ok(this)
    }

    pub(crate) fn start(&self, work: &Arc<dyn Work>) {
        for _ in 0..self.0.settings.at_once.max(1) {
            tokio::spawn(self.clone().work(Arc::clone(work)));
        }
        let this = self.clone();
        tokio::spawn(async move {
            let mut stopping = this.0.stopping.subscribe();
            loop {
                this.sweep().await;
                let told = tokio::time::timeout(LOOK, stopping.wait_for(|stopping| *stopping));
                if told.await.is_ok() {
                    return;
                }
            }
        });
    }

    pub(crate) async fn create(&self, new: New) -> Result<Info, JobsError> {
        let this = self.clone();
        // In a task: half a creation would stand in the way until it is swept.
        let made = tokio::spawn(async move { this.create_whole(new).await });
        made.await.unwrap_or(Err(JobsError::Stopping))
    }

    async fn create_whole(&self, new: New) -> Result<Info, JobsError> {
        let Inner {
            settings,
            pool,
            objects,
            stopping,
            more,
            ..
        } = &*self.0;
        if *stopping.borrow() {
            return Err(JobsError::Stopping);
        }
        let record = Record::new(uuid::Uuid::new_v4().to_string(), &new);
        rows::reserve(pool, settings, &record).await?;
        let put = async {
            for (index, (_, bytes)) in new.files.into_iter().enumerate() {
                objects.put(&record.id, &input(index), Bytes::from(bytes)).await?;
            }
            rows::queue(pool, &record.id).await
        };
        match put.await {
            Ok(record) => {
                more.notify_one();
                Ok(record.info(None))
            }
            Err(cause) => {
                // What cannot be taken back now is swept later.
                let _ = objects.remove(&record.id, ANY).await;
                let _ = rows::forget(pool, &record.id).await;
                Err(cause)
            }
        }
    }

    pub(crate) async fn list(&self, view: View<'_>) -> Result<Vec<Info>, JobsError> {
        let found = rows::list(&self.0.pool, view).await?;
        Ok(found.into_iter().map(|row| row.record.info(row.stage)).collect())
    }

    pub(crate) async fn counts(&self) -> [(&'static str, u64); 5] {
        let counted = rows::counts(&self.0.pool).await;
        let mut known = lock(&self.0.counts);
        if let Ok(counted) = counted {
            *known = counted;
        }
        *known
    }

    pub(crate) async fn get(&self, view: View<'_>, id: &str) -> Result<Info, JobsError> {
        let row = rows::get(&self.0.pool, view, id).await?;
        Ok(row.record.info(row.stage))
    }

    pub(crate) async fn events(&self, view: View<'_>, id: &str, seen: Option<u64>) -> Result<Followed, JobsError> {
        rows::get(&self.0.pool, view, id).await?;
        let stopping = self.0.stopping.subscribe();
        Ok(Followed::new(self.0.pool.clone(), id.to_owned(), seen, stopping))
    }

    pub(crate) async fn result(&self, view: View<'_>, id: &str) -> Result<Vec<u8>, JobsError> {
        let record = rows::get(&self.0.pool, view, id).await?.record;
        record.has_result()?;
        let found = self.0.objects.get(id, &result(record.runs)).await?;
        found.map(Vec::from).ok_or(JobsError::NoSuchJob)
    }

    pub(crate) async fn delete(&self, view: View<'_>, id: &str) -> Result<(), JobsError> {
        let Inner { pool, objects, .. } = &*self.0;
        rows::get(pool, view, id).await?;
        if rows::cancel(pool, id).await? {
            if let Some(control) = lock(&self.0.controls).get(id) {
                control.cancel();
            }
            return self.remove_input(id).await;
        }
        objects.remove(id, ANY).await?;
        rows::forget(pool, id).await
    }

    pub(crate) async fn erase(&self, wanted: impl Fn(&serde_json::Value) -> bool) -> Result<usize, JobsError> {
        let Inner { pool, objects, .. } = &*self.0;
        let all = rows::list(pool, View::All).await?.into_iter().map(|row| row.record);
        let ids: Vec<String> = all
            .filter(|record| wanted(&record.wish))
            .map(|record| record.id)
            .collect();
        for id in &ids {
            if rows::cancel(pool, id).await?
                && let Some(control) = lock(&self.0.controls).get(id)
            {
                control.cancel();
            }
        }
        for id in &ids {
            // Until the server that was at it says so, or its lease has run out.
            while !rows::is_idle(pool, id).await? {
                tokio::time::sleep(IDLE).await;
            }
            objects.remove(id, ANY).await?;
            rows::forget(pool, id).await?;
        }
        Ok(ids.len())
    }

    pub(crate) async fn stop(&self) {
        self.0.stopping.send_replace(true);
        for control in lock(&self.0.controls).values() {
            control.stop();
        }
        let _ = self.0.running.subscribe().wait_for(|running| *running == 0).await;
    }

    /// Removes the input of a job that has ended: nobody needs it any more, and it is somebody's heart.
    async fn remove_input(&self, id: &str) -> Result<(), JobsError> {
        self.0.objects.remove(id, INPUT).await?;
        rows::input_is_gone(&self.0.pool, id).await
    }

    /// Removes what was kept long enough, and what servers that ended in the middle left behind.
    async fn sweep(&self) {
        if let Err(cause) = self.try_sweep().await {
            tracing::error!("old jobs were not removed: {cause}");
        }
    }

    async fn try_sweep(&self) -> Result<(), JobsError> {
        let Inner {
            settings,
            pool,
            objects,
            ..
        } = &*self.0;
        for id in rows::ended_with_input(pool).await? {
            self.remove_input(&id).await?;
        }
        for id in rows::old(pool, settings).await? {
            objects.remove(&id, ANY).await?;
            rows::forget(pool, &id).await?;
        }
        Ok(())
    }
}

fn input(index: usize) -> String {
    format!("{INPUT}{index}")
}

/// Of one attempt: what an earlier one still writes is not taken for it.
fn result(runs: u32) -> String {
    format!("result-{runs}.json")
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
