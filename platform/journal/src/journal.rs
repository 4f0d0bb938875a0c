//! The journal: one folder, one process.

use crate::index::Catalog;
use crate::labels::{Given, Label, Labels, Taken};
use crate::pseudonym::PseudonymKey;
use crate::query::Entries;
use crate::queue::Queue;
use crate::recordings::{KeepRecordings, Recordings};
use crate::segments::{Damage, Disk, Keep, LocalDisk, Segments};
use crate::writer::{Writer, day, encode};
use crate::{Counts, Cursor, Entry, Filter, JournalError, Page, erase};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use uuid::Uuid;

/// Bytes of an entry in memory above which it is encoded where that holds nobody up.
const LARGE: usize = 64 << 10;
/// Why a thread of ours is named: to be found in a debugger.
const THREAD: &str = "journal";

/// What an answer waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Nothing: entries wait in a bounded buffer and are dropped, and counted, where it is full. After a crash of the
    /// process those in the buffer are lost, after one of the machine those of about the last second.
    Sampled {
        /// The share of requests that is recorded, 0 to 1. Whether one is follows from its id.
        share: f64,
    },
    /// Its entry being on disk.
    Audit,
}

/// How a journal is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What an answer waits for.
    pub mode: Mode,
    /// Bytes of memory that what waits for the disk may take.
    pub buffer_bytes: usize,
    /// How long entries are kept.
    pub keep: Keep,
    /// Whether and how long recordings are kept.
    pub recordings: KeepRecordings,
    /// What names of people and records become; none takes a key of the folder's own.
    pub pseudonyms: Option<PseudonymKey>,
}

impl Default for Settings {
    /// Everything is recorded, nothing waits for the disk, at most 32 MiB wait; no recordings.
    fn default() -> Self {
        Self {
            mode: Mode::Sampled { share: 1.0 },
            buffer_bytes: 32 << 20,
            keep: Keep::default(),
            recordings: KeepRecordings::default(),
            pseudonyms: None,
        }
    }
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is on disk.
    Durable,
    /// It will be written soon.
    Queued,
    /// It is lost, because too much waits for the disk.
    Dropped,
    /// Sampling left it out.
    Unsampled,
}

/// The journal; cheap to clone. Dropping the last one writes what waits; [`Journal::close`] says when that is done.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    mode: Mode,
    queue: Arc<Queue>,
    catalog: Arc<Catalog>,
    segments: Arc<Mutex<Segments>>,
    labels: Arc<Labels>,
    recordings: Recordings,
    pseudonyms: PseudonymKey,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens the journal in a folder; makes it when missing. An erasure that a crash interrupted is finished.
    ///
    /// # Errors
    /// [`JournalError::InUse`] and [`JournalError::Io`]. Damage in a segment is no error: see [`Journal::damage`].
    pub fn open(folder: &Path, settings: Settings) -> Result<Self, JournalError> {
        Self::open_on(folder, settings, Arc::new(LocalDisk))
    }

    /// The same, writing segments elsewhere than to files of this machine.
    ///
    /// # Errors
    /// As for [`Journal::open`].
    pub fn open_on(folder: &Path, settings: Settings, disk: Arc<dyn Disk>) -> Result<Self, JournalError> {
        let segments = Segments::open(&folder.join("entries"), Arc::clone(&disk), settings.keep)?;
        erase::finish(folder)?;
        let labels = Arc::new(Labels::open(&folder.join("labels"), disk)?);
        let catalog = Arc::new(Catalog::open(segments.list())?);
        let recordings = Recordings::open(&folder.join("recordings"), settings.recordings)?;
        let pseudonyms = settings
            .pseudonyms
            .map_or_else(|| PseudonymKey::in_folder(folder), Ok)?;
        let segments = Arc::new(Mutex::new(segments));
        let queue = Arc::new(Queue::new(settings.buffer_bytes));
        let writer = Writer::new(
            Arc::clone(&segments),
            Arc::clone(&catalog),
            Arc::clone(&queue),
            settings.mode == Mode::Audit,
        );
        let writer = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || writer.run())
            .map_err(JournalError::io("start the writer of", folder))?;
        // Nothing fails from here on: the thread would go on with nobody to end it.
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            mode: settings.mode,
            queue,
            catalog,
            segments,
            labels,
            recordings,
            pseudonyms,
            writer: Mutex::new(Some(writer)),
        })))
    }

    /// What stands in entries for a person's name, such as `s_9f0c2f7a61b84d1e0a5b6c7d`: always the same for the same name.
    #[must_use]
    pub fn subject(&self, name: &str) -> String {
        self.0.pseudonyms.subject(name)
    }

    /// What stands in entries for a record's name.
    #[must_use]
    pub fn record_name(&self, name: &str) -> String {
        self.0.pseudonyms.record(name)
    }

    /// What an answer waits for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.0.mode
    }

    /// Whether a prediction with this id is recorded: where not, its entry need not even be made. A shadow follows the
    /// prediction that it computes beside: give that one's id.
    #[must_use]
    pub fn wants(&self, id: Uuid) -> bool {
        let Mode::Sampled { share } = self.0.mode else {
            return true;
        };
        // The last four bytes of a UUID of version 7 are random.
        let [.., a, b, c, d] = *id.as_bytes();
        f64::from(u32::from_be_bytes([a, b, c, d])) < share * 4_294_967_296.0
    }

    /// Records an entry. In the mode [`Mode::Audit`] it is on disk when this returns `Ok`; the answer must wait for that, and
    /// must not be given after an error. In the mode [`Mode::Sampled`] it waits for nothing. The entry is written also when
    /// the future is dropped.
    ///
    /// # Errors
    /// [`JournalError::Entry`] where it is none, [`JournalError::Closed`]; in the mode audit also [`JournalError::Full`] and
    /// [`JournalError::Io`].
    pub async fn record(&self, entry: Entry) -> Result<Recorded, JournalError> {
        if self.0.mode != Mode::Audit {
            return self.offer(entry);
        }
        let (entry, frame) = if entry.cost() > LARGE {
            let work = tokio::task::spawn_blocking(move || encoded(&entry).map(|frame| (entry, frame)));
            work.await.map_err(|_| JournalError::Closed)??
        } else {
            let frame = encoded(&entry)?;
            (entry, frame)
        };
        let (waiting, done) = oneshot::channel();
        self.0.queue.push(entry, Some(frame), Some(waiting))?;
        done.await.map_err(|_| JournalError::Closed)??;
        Ok(Recorded::Durable)
    }

    /// The same where nothing is asynchronous.
    ///
    /// # Errors
    /// As for [`Journal::record`].
    pub fn record_blocking(&self, entry: Entry) -> Result<Recorded, JournalError> {
        if self.0.mode != Mode::Audit {
            return self.offer(entry);
        }
        let frame = encoded(&entry)?;
        let (waiting, done) = oneshot::channel();
        self.0.queue.push(entry, Some(frame), Some(waiting))?;
        done.blocking_recv().map_err(|_| JournalError::Closed)??;
        Ok(Recorded::Durable)
    }

    /// Counts a prediction that [`Journal::wants`] not, and whose entry was not made.
    pub fn leave_out(&self) {
        self.0.queue.pass_over();
    }

    /// Puts it into the buffer.
    fn offer(&self, entry: Entry) -> Result<Recorded, JournalError> {
        let beside = entry.arm.as_ref().and_then(|arm| arm.beside);
        if !self.wants(beside.unwrap_or(entry.id)) {
            self.0.queue.pass_over();
            return Ok(Recorded::Unsampled);
        }
        match self.0.queue.push(entry, None, None) {
            Ok(()) => Ok(Recorded::Queued),
            Err(JournalError::Full { .. }) => Ok(Recorded::Dropped),
            Err(cause) => Err(cause),
        }
    }

    /// What became of everything since the journal was opened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.queue.counts()
    }

    /// The entry with this id; none where it is not there or not written yet.
    ///
    /// # Errors
    /// [`JournalError::Io`], [`JournalError::Damaged`].
    pub fn get(&self, id: Uuid) -> Result<Option<Entry>, JournalError> {
        let Some(found) = self.0.catalog.by_id(id)? else {
            return Ok(None);
        };
        let after = Cursor::after(&found);
        let mut entries = self.entries(Filter::default(), Some(after));
        // Where it went a moment ago, the next one is another's.
        Ok(entries.next().transpose()?.filter(|entry| entry.id == id))
    }

    /// Entries that are wanted, newest first, one after the other.
    #[must_use]
    pub fn entries(&self, filter: Filter, after: Option<Cursor>) -> Entries {
        Entries::new(Arc::clone(&self.0.catalog), Arc::clone(&self.0.labels), filter, after)
    }

    /// At most `limit` entries (1 to 1,000) that are wanted, newest first. A page of very large entries holds fewer.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn page(&self, filter: Filter, after: Option<Cursor>, limit: usize) -> Result<Page, JournalError> {
        self.entries(filter, after).page(limit)
    }

    /// The names of all classes that models knew, sorted.
    ///
    /// # Errors
    /// [`JournalError::Export`] where a segment has more names than it lists.
    pub fn classes(&self) -> Result<Vec<String>, JournalError> {
        let mut classes = std::collections::BTreeSet::new();
        for summary in self.0.catalog.summaries() {
            if summary.overflowed() {
                return Err(JournalError::Export {
                    what: "there are too many models, versions or classes in one segment".to_owned(),
                });
            }
            classes.extend(summary.classes().iter().cloned());
        }
        Ok(classes.into_iter().collect())
    }

    /// Takes a label; it is on disk when this returns. The same again changes nothing.
    ///
    /// # Errors
    /// [`JournalError::NoSuchPrediction`], [`JournalError::NoSuchBeat`], [`JournalError::KeyReused`],
    /// [`JournalError::Labels`], [`JournalError::Io`].
    pub fn label(&self, label: Label) -> Result<Given, JournalError> {
        self.label_all(vec![label])
    }

    /// Takes labels of one or several predictions, all or none, also where the process ends meanwhile.
    ///
    /// # Errors
    /// As for [`Journal::label`]; nothing was taken then.
    pub fn label_all(&self, labels: Vec<Label>) -> Result<Given, JournalError> {
        let mut checked = Vec::with_capacity(labels.len());
        for label in labels {
            let id = label.prediction;
            let entry = self.get(id)?.ok_or(JournalError::NoSuchPrediction { id })?;
            label.check(&entry)?;
            checked.push(Taken {
                label,
                subject: entry.subject,
            });
        }
        self.0.labels.give(checked)
    }

    /// All labels.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.0.labels
    }

    /// The recordings that are kept.
    #[must_use]
    pub fn recordings(&self) -> &Recordings {
        &self.0.recordings
    }

    /// Erases everything about a person: the keys of their recordings, so that no copy of those can be opened, then the
    /// recordings, entries and labels themselves. What is recorded while this runs is not covered.
    ///
    /// # Errors
    /// [`JournalError::Io`]: run it again. [`JournalError::Full`] where the disk does not take what waits.
    pub fn erase_subject(&self, subject: &str) -> Result<erase::Erased, JournalError> {
        if !self.flush(Duration::from_secs(30)) {
            return Err(JournalError::Full {
                waiting_bytes: self.counts().spooled_bytes,
            });
        }
        let recordings = self.0.recordings.erase_subject(subject)?;
        let filter = Filter {
            subject: Some(subject.to_owned()),
            ..Filter::default()
        };
        // Nobody deletes or begins a segment meanwhile.
        let _segments = self.segments();
        let entries = self.entries(filter, None);
        erase::erase(&self.0.folder, &self.0.catalog, &self.0.labels, subject, entries)
            .map(|erased| erase::Erased { recordings, ..erased })
    }

    /// Deletes segments and recordings that are no longer kept. The writer does so for segments by itself; call it once an
    /// hour for recordings.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn retain(&self, now: Timestamp) -> Result<(), JournalError> {
        let gone = self.segments().retain(day(now))?;
        self.0.catalog.forget(&gone);
        self.0.recordings.retain(now)
    }

    /// Bytes in the middle of segments that are damaged and passed over, as far as they were noticed while indexes were made.
    #[must_use]
    pub fn damage(&self) -> Vec<Damage> {
        self.0.catalog.damage()
    }

    /// Waits until everything that is spooled now is written; false when `patience` ends before.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        self.0.queue.drained(patience)
    }

    /// Takes nothing more, writes what waits, ends.
    pub fn close(&self) {
        self.0.close();
    }

    fn segments(&self) -> MutexGuard<'_, Segments> {
        self.0.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn close(&self) {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the journal's writer ended by a panic");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn encoded(entry: &Entry) -> Result<Vec<u8>, JournalError> {
    let mut frame = Vec::with_capacity(1024);
    encode(entry, &mut frame)?;
    Ok(frame)
}
