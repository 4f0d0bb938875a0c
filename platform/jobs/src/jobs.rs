//! All jobs, wherever they lie.

use crate::error::JobsError;
use crate::events::{Events, Source};
use crate::local::Local;
use crate::record::{Info, Record};
use crate::settings::{New, Settings, Sharing};
use crate::shared::Shared;
use crate::worker::Work;
use jiff::Timestamp;
use std::sync::Arc;

/// Whose jobs somebody may see.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// Their own.
    Of(&'a str),
    /// Everybody's.
    All,
}

impl View<'_> {
    pub(crate) fn shows(self, record: &Record) -> bool {
        match self {
            Self::Of(owner) => record.owner == owner,
            Self::All => true,
        }
    }
}

/// Jobs of one server in its folder, or of several in their database; cheap to clone.
#[derive(Clone)]
pub struct Jobs(Place);

#[derive(Clone)]
enum Place {
    Folder(Local),
    Database(Shared),
}

impl Jobs {
    /// Opens the folder; jobs that had not ended wait again.
    ///
    /// # Errors
    /// [`JobsError::Disk`] when the folder cannot be used.
    pub fn open(settings: Settings) -> Result<Self, JobsError> {
        Ok(Self(Place::Folder(Local::open(settings)?)))
    }

    /// Opens those that several servers share; makes the tables where they are missing. The folder is not used.
    ///
    /// # Errors
    /// [`JobsError::Unavailable`] when the database does not answer, [`JobsError::Refused`] when it does not take what it is asked.
    pub async fn share(settings: Settings, sharing: Sharing) -> Result<Self, JobsError> {
        Ok(Self(Place::Database(Shared::open(settings, sharing).await?)))
    }

    /// Begins to do jobs, in tasks of the runtime that calls. A server that does not, only looks at them.
    pub fn start(&self, work: &Arc<dyn Work>) {
        match &self.0 {
            Place::Folder(jobs) => jobs.start(work),
            Place::Database(jobs) => jobs.start(work),
        }
    }

    /// Makes a job. It is safe when this returns, and is done whatever happens to the process.
    ///
    /// # Errors
    /// [`JobsError`] saying what there is no room for, or what is away.
    pub async fn create(&self, new: New) -> Result<Info, JobsError> {
        match &self.0 {
            Place::Folder(jobs) => jobs.create(new).await,
            Place::Database(jobs) => jobs.create(new).await,
        }
    }

    /// Those that one may see, newest first.
    ///
    /// # Errors
    /// [`JobsError::Unavailable`].
    pub async fn list(&self, view: View<'_>) -> Result<Vec<Info>, JobsError> {
        match &self.0 {
            Place::Folder(jobs) => Ok(jobs.list(view)),
            Place::Database(jobs) => jobs.list(view).await,
        }
    }

    /// How many there are of each state, whosever they are; of a database that is away, what was known last.
    pub async fn counts(&self) -> [(&'static str, u64); 5] {
        match &self.0 {
            Place::Folder(jobs) => jobs.counts(),
            Place::Database(jobs) => jobs.counts().await,
        }
    }

    /// One of them.
    ///
    /// # Errors
    /// [`JobsError::NoSuchJob`], [`JobsError::Unavailable`].
    pub async fn get(&self, view: View<'_>, id: &str) -> Result<Info, JobsError> {
        match &self.0 {
            Place::Folder(jobs) => jobs.get(view, id),
            Place::Database(jobs) => jobs.get(view, id).await,
        }
    }

    /// Follows one from the event after `seen`, or from its beginning.
    ///
    /// # Errors
    /// [`JobsError::NoSuchJob`], [`JobsError::Unavailable`].
    pub async fn events(&self, view: View<'_>, id: &str, seen: Option<u64>) -> Result<Events, JobsError> {
        Ok(Events(match &self.0 {
            Place::Folder(jobs) => Source::Memory(jobs.events(view, id, seen)?),
            Place::Database(jobs) => Source::Database(jobs.events(view, id, seen).await?),
        }))
    }

    /// The result.
    ///
    /// # Errors
    /// [`JobsError`] saying why there is none.
    pub async fn result(&self, view: View<'_>, id: &str) -> Result<Vec<u8>, JobsError> {
        match &self.0 {
            Place::Folder(jobs) => jobs.result(view, id).await,
            Place::Database(jobs) => jobs.result(view, id).await,
        }
    }

    /// Cancels one that has not ended; removes one that has.
    ///
    /// # Errors
    /// [`JobsError::NoSuchJob`], or that of the disk, the database or the bucket.
    pub async fn delete(&self, view: View<'_>, id: &str) -> Result<(), JobsError> {
        match &self.0 {
            Place::Folder(jobs) => jobs.delete(view, id).await,
            Place::Database(jobs) => jobs.delete(view, id).await,
        }
    }

    /// Ends and removes every job whose wish is `wanted`, whosever it is: when this returns nothing of them runs, and nothing of
    /// them is kept. Gives how many there were.
    ///
    /// # Errors
    /// That of the disk, the database or the bucket.
    pub async fn erase(&self, wanted: impl Fn(&serde_json::Value, Timestamp) -> bool) -> Result<usize, JobsError> {
        match &self.0 {
            Place::Folder(jobs) => jobs.erase(wanted).await,
            Place::Database(jobs) => jobs.erase(wanted).await,
        }
    }

    /// Ends what runs here, so that it is done again, after the next start or by another server; returns when nothing runs any more.
    pub async fn stop(&self) {
        match &self.0 {
            Place::Folder(jobs) => jobs.stop().await,
            Place::Database(jobs) => jobs.stop().await,
        }
    }
}
