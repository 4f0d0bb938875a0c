//! Jobs of one server in its own folder.

use crate::error::JobsError;
use crate::events::{Followed, Log, progress};
use crate::folder::Folder;
use crate::jobs::View;
use crate::life::{self, Life, Living};
use crate::record::{Info, Record, State};
use crate::settings::{New, Settings};
use crate::table::{Entry, Table};
use crate::worker::{Failed, Progress, Stage, Task, Tell, Work, internal, run, stopped};
use jiff::Timestamp;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How often one with nothing to do looks again; it is told when there is something.
const IDLE: Duration = Duration::from_secs(60);

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Local(Arc<Inner>);

struct Inner {
    settings: Settings,
    folder: Folder,
    table: Table,
    life: Life,
}

impl Local {
    pub(crate) fn open(settings: Settings) -> Result<Self, JobsError> {
        let (folder, records) = Folder::open(settings.folder.clone())?;
        let table = Table::default();
        for mut record in records {
            let before = record.state;
            record.after_restart();
            if record.state != before {
                folder.save(&record)?;
            }
            if record.state.is_end() {
                folder.remove_input(&record);
            }
            table.lock().jobs.insert(record.id.clone(), Entry::new(record));
        }
        let this = Self(Arc::new(Inner {
            settings,
            folder,
            table,
            life: Life::new(),
        }));
        this.sweep();
        Ok(this)
    }

    pub(crate) fn start(&self, work: &Arc<dyn Work>) {
        life::start(self, self.0.settings.at_once, work);
    }

    pub(crate) async fn create(&self, new: New) -> Result<Info, JobsError> {
        let this = self.clone();
        // In a task: half a creation would be done after a restart though nobody has its id.
        let made = tokio::task::spawn_blocking(move || {
            let record = Record::new(uuid::Uuid::now_v7().to_string(), &new);
            let Inner {
                settings,
                table,
                folder,
                ..
            } = &*this.0;
            table.lock().reserve(settings, &record.owner, record.input_bytes)?;
            let written = folder.create(&record, &new.files);
            let mut inner = table.lock();
            inner.release(&record.owner, record.input_bytes);
            written?;
            let info = record.info(None);
            inner.jobs.insert(record.id.clone(), Entry::new(record));
            drop(inner);
            this.0.life.more();
            Ok(info)
        });
        made.await.unwrap_or(Err(JobsError::Stopping))
    }

    pub(crate) fn list(&self, view: View<'_>) -> Vec<Info> {
        let inner = self.0.table.lock();
        let seen = inner.jobs.values().rev().filter(|entry| view.shows(&entry.record));
        seen.map(|entry| entry.record.info(entry.stage.clone())).collect()
    }

    pub(crate) fn counts(&self) -> [(&'static str, u64); 5] {
        let inner = self.0.table.lock();
        State::ALL.map(|state| {
            let those = inner.jobs.values().filter(|entry| entry.record.state == state);
            (state.as_str(), those.count() as u64)
        })
    }

    pub(crate) fn get(&self, view: View<'_>, id: &str) -> Result<Info, JobsError> {
        let entry = self.entry(view, id)?;
        Ok(entry.record.info(entry.stage))
    }

    pub(crate) fn events(&self, view: View<'_>, id: &str, seen: Option<u64>) -> Result<Followed, JobsError> {
        let entry = self.entry(view, id)?;
        Ok(Followed::new(entry.log, seen, self.0.life.stopping()))
    }

    pub(crate) async fn result(&self, view: View<'_>, id: &str) -> Result<Vec<u8>, JobsError> {
        let record = self.entry(view, id)?.record;
        record.has_result()?;
        let folder = self.0.folder.clone();
        let read = tokio::task::spawn_blocking(move || folder.result(&record));
        read.await.unwrap_or(Err(JobsError::Stopping))
    }

    pub(crate) async fn delete(&self, view: View<'_>, id: &str) -> Result<(), JobsError> {
        self.entry(view, id)?;
        let (this, id) = (self.clone(), id.to_owned());
        let done = tokio::task::spawn_blocking(move || this.delete_now(&id));
        done.await.unwrap_or(Err(JobsError::Stopping))
    }

    pub(crate) async fn erase(
        &self,
        wanted: impl Fn(&serde_json::Value, Timestamp) -> bool,
    ) -> Result<usize, JobsError> {
        let ids: Vec<String> = {
            let mut inner = self.0.table.lock();
            let those = inner
                .jobs
                .values_mut()
                .filter(|entry| wanted(&entry.record.wish, entry.record.created));
            those
                .map(|entry| {
                    if !entry.record.state.is_end() {
                        entry.record.end(State::Cancelled, None);
                        entry.control.cancel();
                        entry.log.state(&entry.record.info(None));
                    }
                    entry.record.id.clone()
                })
                .collect()
        };
        let idle = |_| {
            let inner = self.0.table.lock();
            ids.iter()
                .all(|id| inner.jobs.get(id).is_none_or(|entry| !entry.under_way))
        };
        self.0.life.running(idle).await;
        let erased = ids.len();
        let this = self.clone();
        let removed = tokio::task::spawn_blocking(move || {
            for id in ids {
                let entry = this.0.table.lock().jobs.remove(&id);
                // One that its owner removed meanwhile is gone already.
                if let Some(entry) = entry {
                    this.0.folder.remove(&entry.record)?;
                }
            }
            Ok(())
        });
        removed.await.unwrap_or(Err(JobsError::Stopping))?;
        Ok(erased)
    }

    pub(crate) async fn stop(&self) {
        {
            let mut inner = self.0.table.lock();
            inner.stopping = true;
            for entry in inner.jobs.values().filter(|entry| entry.record.state == State::Running) {
                entry.control.stop();
            }
        }
        // Nothing begins from here on, so the count can only fall.
        self.count();
        self.0.life.stop();
        self.0.life.running(|running| running == 0).await;
    }

    fn entry(&self, view: View<'_>, id: &str) -> Result<Entry, JobsError> {
        let inner = self.0.table.lock();
        let found = inner.jobs.get(id).filter(|entry| view.shows(&entry.record));
        found.cloned().ok_or(JobsError::NoSuchJob)
    }

    fn delete_now(&self, id: &str) -> Result<(), JobsError> {
        let mut inner = self.0.table.lock();
        let entry = inner.jobs.get_mut(id).ok_or(JobsError::NoSuchJob)?;
        if entry.record.state.is_end() {
            let record = entry.record.clone();
            inner.jobs.remove(id);
            drop(inner);
            return self.0.folder.remove(&record);
        }
        let was_running = entry.record.state == State::Running;
        entry.record.end(State::Cancelled, None);
        entry.control.cancel();
        let entry = entry.clone();
        drop(inner);
        self.save(&entry)?;
        if !was_running {
            self.0.folder.remove_input(&entry.record);
        }
        entry.log.state(&entry.record.info(None));
        Ok(())
    }

    /// Writes the newest record of a job.
    fn save(&self, entry: &Entry) -> Result<(), JobsError> {
        let _one = entry.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = self
            .0
            .table
            .lock()
            .jobs
            .get(&entry.record.id)
            .map(|entry| entry.record.clone());
        newest.map_or(Ok(()), |record| self.0.folder.save(&record))
    }

    fn count(&self) {
        let running = self.0.table.lock().running();
        self.0.life.count(|count| *count = running);
    }

    fn one(&self, entry: &Entry, work: &dyn Work) {
        let Inner { folder, table, .. } = &*self.0;
        let record = &entry.record;
        let done = self
            .save(entry)
            .and_then(|()| folder.files(record))
            .map_err(|cause| internal(&cause));
        let done = done.and_then(|files| {
            let told: Box<dyn Tell> = Box::new(Told {
                table: table.clone(),
                id: record.id.clone(),
                runs: record.runs,
                log: Arc::clone(&entry.log),
            });
            let task = Task {
                id: record.id.clone(),
                owner: record.owner.clone(),
                wish: record.wish.clone(),
                files,
                progress: Progress::new(told, Arc::clone(&entry.control)),
            };
            run(work, task)
        });
        let done = done.and_then(|result| folder.save_result(record, &result).map_err(|cause| internal(&cause)));
        let ended = {
            let mut inner = table.lock();
            inner.jobs.get_mut(&record.id).map(|entry| {
                // Who cancelled it has the last word.
                if entry.record.state == State::Running {
                    match done {
                        Ok(()) => entry.record.end(State::Done, None),
                        Err(Failed::Problem(problem)) => entry.record.end(State::Failed, Some(problem)),
                        Err(Failed::Stopped) if entry.control.is_stopping() => entry.record.state = State::Queued,
                        Err(Failed::Stopped) => entry.record.end(State::Failed, Some(stopped())),
                    }
                }
                entry.clone()
            })
        };
        if let Some(entry) = ended {
            if let Err(cause) = self.save(&entry) {
                tracing::error!("the end of a job was not written down: {cause}");
            }
            if entry.record.state.is_end() {
                folder.remove_input(&entry.record);
            }
            entry.log.state(&entry.record.info(None));
        }
        self.sweep();
        // Only now: who waits until nothing runs finds the end written down.
        table.lock().ended(&record.id, &record.owner);
    }

    fn sweep(&self) {
        let gone = self.0.table.lock().expire(&self.0.settings, Timestamp::now());
        for entry in gone {
            if let Err(cause) = self.0.folder.remove(&entry.record) {
                tracing::error!("an old job was not removed: {cause}");
            }
        }
    }
}

impl Living for Local {
    fn life(&self) -> &Life {
        &self.0.life
    }

    async fn work(self, _: usize, work: Arc<dyn Work>) {
        let Inner { table, life, .. } = &*self.0;
        loop {
            let begun = table.lock().begin();
            let Some(entry) = begun else {
                if life.is_stopping() {
                    return;
                }
                life.wait(IDLE).await;
                continue;
            };
            self.count();
            let (this, work) = (self.clone(), Arc::clone(&work));
            let done = tokio::task::spawn_blocking(move || this.one(&entry, &*work)).await;
            if let Err(cause) = done {
                tracing::error!("a job's thread ended: {cause}");
            }
            self.count();
            // There may be more, and it may be another's turn to see it.
            life.more();
        }
    }

    async fn tidy(&self) {
        let this = self.clone();
        // It panics where the process ends meanwhile.
        let _ = tokio::task::spawn_blocking(move || this.sweep()).await;
    }
}

/// Where a job of this process says how far it is.
#[derive(Debug)]
struct Told {
    table: Table,
    id: String,
    runs: u32,
    log: Arc<Log>,
}

impl Tell for Told {
    fn reached(&self, percent: u8, stage: Stage) {
        self.log.push(progress(percent, &stage, self.runs));
        self.table.progress(&self.id, stage);
    }
}
