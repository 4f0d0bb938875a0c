//! All jobs of this process, in memory.

use crate::error::JobsError;
use crate::events::Log;
use crate::queue;
use crate::record::{Record, State};
use crate::settings::{Asked, Settings};
use crate::worker::{Control, Stage};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Cheap to clone; all clones are the same table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// By id, which is by age.
    pub(crate) jobs: BTreeMap<String, Entry>,
    /// Of owners.
    running: HashMap<String, usize>,
    /// Jobs and bytes that are being written.
    coming: HashMap<String, usize>,
    coming_bytes: u64,
    pub(crate) stopping: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) record: Record,
    pub(crate) log: Arc<Log>,
    pub(crate) control: Arc<Control>,
    pub(crate) stage: Option<Stage>,
    /// A thread is at it, also when it was cancelled meanwhile.
    pub(crate) under_way: bool,
    /// One writer of the record at a time, each with the newest.
    pub(crate) disk: Arc<Mutex<()>>,
}

impl Entry {
    pub(crate) fn new(record: Record) -> Self {
        let log = Log::new();
        log.state(&record.info(None));
        Self {
            record,
            log,
            control: Arc::default(),
            stage: None,
            under_way: false,
            disk: Arc::default(),
        }
    }
}

impl Table {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn progress(&self, id: &str, stage: Stage) {
        if let Some(entry) = self.lock().jobs.get_mut(id) {
            entry.stage = Some(stage);
        }
    }
}

impl Inner {
    /// Keeps a place for a job that is about to be written.
    pub(crate) fn reserve(&mut self, settings: &Settings, owner: &str, bytes: u64) -> Result<(), JobsError> {
        if self.stopping {
            return Err(JobsError::Stopping);
        }
        let waiting = |entry: &&Entry| entry.record.state == State::Queued;
        let own = self
            .jobs
            .values()
            .filter(waiting)
            .filter(|entry| entry.record.owner == owner)
            .count()
            + self.coming.get(owner).copied().unwrap_or(0);
        let all = self.jobs.values().filter(waiting).count() + self.coming.values().sum::<usize>();
        let open = self.jobs.values().filter(|entry| !entry.record.state.is_end());
        let taken: u64 = open.map(|entry| entry.record.input_bytes).sum();
        settings.room_for(Asked {
            all,
            own,
            bytes: taken.saturating_add(self.coming_bytes).saturating_add(bytes),
        })?;
        *self.coming.entry(owner.to_owned()).or_default() += 1;
        self.coming_bytes += bytes;
        Ok(())
    }

    /// Gives the place back, to the job or to nobody.
    pub(crate) fn release(&mut self, owner: &str, bytes: u64) {
        self.coming_bytes = self.coming_bytes.saturating_sub(bytes);
        less(&mut self.coming, owner);
    }

    /// Begins the next job.
    pub(crate) fn begin(&mut self) -> Option<Entry> {
        if self.stopping {
            return None;
        }
        let waiting = |entry: &&Entry| entry.record.state == State::Queued;
        let owners = self
            .jobs
            .values()
            .filter(waiting)
            .map(|entry| entry.record.owner.as_str());
        let place = queue::next(owners, &self.running)?;
        let entry = self.jobs.values_mut().filter(|entry| waiting(&&**entry)).nth(place)?;
        entry.record.begin();
        entry.control = Arc::default();
        entry.stage = None;
        entry.under_way = true;
        entry.log.state(&entry.record.info(None));
        *self.running.entry(entry.record.owner.clone()).or_default() += 1;
        Some(entry.clone())
    }

    /// This job of this owner runs no more.
    pub(crate) fn ended(&mut self, id: &str, owner: &str) {
        if let Some(entry) = self.jobs.get_mut(id) {
            entry.under_way = false;
        }
        less(&mut self.running, owner);
    }

    pub(crate) fn running(&self) -> usize {
        self.running.values().sum()
    }

    /// Takes out what has been kept long enough, and gives it.
    pub(crate) fn expire(&mut self, settings: &Settings, now: Timestamp) -> Vec<Entry> {
        let mut ended: Vec<(Timestamp, String)> = self
            .jobs
            .values()
            .filter(|entry| entry.record.state.is_end())
            .map(|entry| {
                (
                    entry.record.ended.unwrap_or(entry.record.created),
                    entry.record.id.clone(),
                )
            })
            .collect();
        ended.sort();
        let over = ended.len().saturating_sub(settings.kept);
        let kept_s = i64::try_from(settings.kept_for.as_secs()).unwrap_or(i64::MAX);
        let gone = ended
            .into_iter()
            .enumerate()
            .filter(|(place, (at, _))| *place < over || now.as_second().saturating_sub(at.as_second()) >= kept_s);
        gone.filter_map(|(_, (_, id))| self.jobs.remove(&id)).collect()
    }
}

fn less(counts: &mut HashMap<String, usize>, owner: &str) {
    if let Some(count) = counts.get_mut(owner) {
        *count -= 1;
        if *count == 0 {
            counts.remove(owner);
        }
    }
}
