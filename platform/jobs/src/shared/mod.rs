//! Jobs that several servers share: rows in PostgreSQL, contents in a bucket.
//!
//! A server takes a job by a lease, which it renews while it works. Whoever finds a lease that has run out takes the job over; what the
//! one before still says is then refused, because it names an older attempt. All times are the database's: what a server's own clock
//! says decides nothing.

mod alive;
mod answering;
mod doing;
mod follow;
mod rows;

use answering::Answering;
pub(crate) use follow::Followed;

use crate::error::JobsError;
use crate::jobs::View;
use crate::life::{self, Life, Living};
use crate::record::{Info, Record, State};
use crate::settings::{New, Settings, Sharing};
use crate::worker::{Control, Work};
use bytes::Bytes;
use einthoven_registry_files::Objects;
use jiff::Timestamp;
use rows::{lease, made, seen};
use secrecy::ExposeSecret;
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections for whoever asks about jobs and follows them. Those that renew leases have others, and never wait for these.
const CONNECTIONS: u32 = 4;

/// How often a server that has nothing to do looks for a job that was made at another.
const LOOK: Duration = Duration::from_millis(500);

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
    /// For taking, renewing and ending.
    leases: PgPool,
    answering: Answering,
    objects: Objects,
    bucket_patience: Duration,
    life: Life,
    /// Jobs that run here.
    controls: Mutex<HashMap<String, Arc<Control>>>,
    counts: Mutex<[(&'static str, u64); 5]>,
}

impl Shared {
    pub(crate) async fn open(settings: Settings, sharing: Sharing) -> Result<Self, JobsError> {
        let url = sharing.database_url.expose_secret();
        // Each that works asks for the next job, or renews one and writes down how far it is.
        let workers = u32::try_from(settings.at_once.max(1)).unwrap_or(u32::MAX);
        let this = Self(Arc::new(Inner {
            pool: rows::connect(url, CONNECTIONS)?,
            leases: rows::connect(url, workers.saturating_add(1))?,
            answering: Answering::default(),
            settings,
            lease: sharing.lease,
            server: uuid::Uuid::new_v4().to_string(),
            objects: sharing.objects,
            bucket_patience: sharing.bucket_patience,
            life: Life::new(),
            controls: Mutex::default(),
            counts: Mutex::new(State::ALL.map(|state| (state.as_str(), 0))),
        }));
        rows::prepare(&this.0.pool).await?;
        Ok(this)
    }

    pub(crate) fn start(&self, work: &Arc<dyn Work>) {
        life::start(self, self.0.settings.at_once, work);
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
            life,
            ..
        } = &*self.0;
        if life.is_stopping() {
            return Err(JobsError::Stopping);
        }
        let record = Record::new(uuid::Uuid::new_v4().to_string(), &new);
        made::reserve(pool, settings, &record).await?;
        let put = async {
            for (index, (_, bytes)) in new.files.into_iter().enumerate() {
                objects.put(&record.id, &input(index), Bytes::from(bytes)).await?;
            }
            made::queue(pool, &record.id).await
        };
        match put.await {
            Ok(record) => {
                life.more();
                Ok(record.info(None))
            }
            Err(cause) => {
                // What cannot be taken back now is swept later.
                let _ = objects.remove(&record.id, ANY).await;
                let _ = made::forget(pool, &record.id).await;
                Err(cause)
            }
        }
    }

    pub(crate) async fn list(&self, view: View<'_>) -> Result<Vec<Info>, JobsError> {
        let found = seen::list(&self.0.pool, view).await?;
        Ok(found.into_iter().map(|row| row.record.info(row.stage)).collect())
    }

    pub(crate) async fn counts(&self) -> [(&'static str, u64); 5] {
        let counted = seen::counts(&self.0.pool).await;
        let mut known = lock(&self.0.counts);
        if let Ok(counted) = counted {
            *known = counted;
        }
        *known
    }

    pub(crate) async fn get(&self, view: View<'_>, id: &str) -> Result<Info, JobsError> {
        let row = seen::get(&self.0.pool, view, id).await?;
        Ok(row.record.info(row.stage))
    }

    pub(crate) async fn events(&self, view: View<'_>, id: &str, seen: Option<u64>) -> Result<Followed, JobsError> {
        seen::get(&self.0.pool, view, id).await?;
        let stopping = self.0.life.stopping();
        Ok(Followed::new(self.0.pool.clone(), id.to_owned(), seen, stopping))
    }

    pub(crate) async fn result(&self, view: View<'_>, id: &str) -> Result<Vec<u8>, JobsError> {
        let record = seen::get(&self.0.pool, view, id).await?.record;
        record.has_result()?;
        let found = self.0.objects.get(id, &result(record.runs)).await?;
        found.map(Vec::from).ok_or(JobsError::NoSuchJob)
    }

    pub(crate) async fn delete(&self, view: View<'_>, id: &str) -> Result<(), JobsError> {
        let Inner { pool, objects, .. } = &*self.0;
        seen::get(pool, view, id).await?;
        if made::cancel(pool, id).await? {
            if let Some(control) = lock(&self.0.controls).get(id) {
                control.cancel();
            }
            return self.remove_input(id).await;
        }
        objects.remove(id, ANY).await?;
        made::forget(pool, id).await.map(drop)
    }

    pub(crate) async fn erase(
        &self,
        wanted: impl Fn(&serde_json::Value, Timestamp) -> bool,
    ) -> Result<usize, JobsError> {
        let Inner { pool, objects, .. } = &*self.0;
        let mut erased = 0;
        // First, so that one that is queued meanwhile is found below.
        for (id, wish, created) in seen::coming(pool).await? {
            if wanted(&wish, created) && made::give_up(pool, &id).await? {
                objects.remove(&id, ANY).await?;
                erased += 1;
            }
        }
        let all = seen::list(pool, View::All).await?.into_iter().map(|row| row.record);
        let ids: Vec<String> = all
            .filter(|record| wanted(&record.wish, record.created))
            .map(|record| record.id)
            .collect();
        for id in &ids {
            if made::cancel(pool, id).await?
                && let Some(control) = lock(&self.0.controls).get(id)
            {
                control.cancel();
            }
        }
        // Where several servers erase at once, each job is counted by one of them.
        for id in &ids {
            // Until the server that was at it says so, or its lease has run out.
            while !lease::is_idle(pool, id).await? {
                tokio::time::sleep(IDLE).await;
            }
            objects.remove(id, ANY).await?;
            erased += usize::from(made::forget(pool, id).await?);
        }
        Ok(erased)
    }

    pub(crate) async fn stop(&self) {
        self.0.life.stop();
        for control in lock(&self.0.controls).values() {
            control.stop();
        }
        self.0.life.running(|running| running == 0).await;
    }

    /// Removes the input of a job that has ended: nobody needs it any more, and it is somebody's heart.
    async fn remove_input(&self, id: &str) -> Result<(), JobsError> {
        self.0.objects.remove(id, INPUT).await?;
        made::input_is_gone(&self.0.pool, id).await
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
        for id in seen::ended_with_input(pool).await? {
            self.remove_input(&id).await?;
        }
        for id in seen::old(pool, settings).await? {
            objects.remove(&id, ANY).await?;
            made::forget(pool, &id).await?;
        }
        Ok(())
    }

    /// Removes contents whose job is gone: those of a server that still wrote when the job was erased, and then ended.
    async fn sweep_groups(&self) -> Result<(), JobsError> {
        let Inner { pool, objects, .. } = &*self.0;
        // A job has its row before it has contents, so what is listed first and has no row then has no job.
        let groups = objects.groups().await?;
        for group in seen::without_job(pool, groups).await? {
            objects.remove(&group, ANY).await?;
        }
        Ok(())
    }
}

impl Living for Shared {
    fn life(&self) -> &Life {
        &self.0.life
    }

    /// Under a name that nobody else has.
    async fn work(self, number: usize, work: Arc<dyn Work>) {
        let name = format!("{}/{number}", self.0.server);
        let life = &self.0.life;
        loop {
            // Counted before it is asked for, so that who stops waits for what was just taken.
            life.count(|running| *running += 1);
            let taken = if life.is_stopping() {
                None
            } else {
                self.take(&name).await
            };
            let found = taken.is_some();
            if let Some(record) = taken {
                self.one(record, &work).await;
            }
            life.count(|running| *running -= 1);
            if life.is_stopping() {
                return;
            }
            if !found {
                life.wait(LOOK).await;
            }
        }
    }

    async fn tidy(&self) {
        self.sweep().await;
        if let Err(cause) = self.sweep_groups().await {
            tracing::error!("contents without a job were not removed: {cause}");
        }
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
