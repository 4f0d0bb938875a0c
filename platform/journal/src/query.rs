//! Reading back: by filters, newest first, a page or a stream at a time.
//!
//! Newest means written last. A cursor is a place in the journal, so pages neither repeat nor leave out anything while
//! entries are appended or old ones deleted.

use crate::index::{Catalog, Found, Row, Summary, experiment_hash, subject_hash};
use crate::labels::Labels;
use crate::segments::read_frame;
use crate::{Entry, JournalError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

/// Bytes of entries in one page: a page may hold fewer than asked for.
const PAGE_BYTES: usize = 16 << 20;
/// Entries in one page at most.
const PAGE: usize = 1000;

/// What is wanted; what is not given does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// The model's name.
    pub model: Option<String>,
    /// The version's name.
    pub version: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// At least one beat has this class.
    pub class: Option<String>,
    /// A reader said something about it.
    pub labelled: Option<bool>,
    /// The person.
    pub subject: Option<String>,
    /// The experiment that it took part in.
    pub experiment: Option<String>,
    /// The arm's name in an experiment.
    pub arm: Option<String>,
}

/// A place in the journal, between two entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    segment: u32,
    position: usize,
}

/// Some entries and how to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins; none where nothing follows.
    pub next: Option<Cursor>,
    /// Entries that could not be read because their bytes are damaged.
    pub damaged: u64,
}

/// Whether an entry is wanted, where a filter cannot say.
type Only = Box<dyn Fn(&Entry) -> bool + Send>;

/// Entries one after the other, newest first; holds one at a time.
pub struct Entries {
    catalog: Arc<Catalog>,
    labels: Arc<Labels>,
    filter: Filter,
    only: Option<Only>,
    below: Option<(u32, usize)>,
    /// The segment that was read last.
    file: Option<(u32, File)>,
    /// Of the last entry, unpacked.
    bytes: usize,
    place: Option<Place>,
}

/// Where an entry is on disk.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) path: PathBuf,
    pub(crate) offset: u64,
    /// Bytes of its frame.
    pub(crate) length: usize,
}

impl Cursor {
    /// After everything that is newer than this row: it comes next.
    pub(crate) fn after(found: &Found) -> Self {
        Self {
            segment: found.segment,
            position: found.position + 1,
        }
    }
}

impl Entries {
    pub(crate) fn new(catalog: Arc<Catalog>, labels: Arc<Labels>, filter: Filter, after: Option<Cursor>) -> Self {
        Self {
            catalog,
            labels,
            filter,
            only: None,
            below: after.map(|cursor| (cursor.segment, cursor.position)),
            file: None,
            bytes: 0,
            place: None,
        }
    }

    /// Passes over what this does not want, such as models that whoever asks may not see.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&Entry) -> bool + Send + 'static) -> Self {
        self.only = Some(Box::new(wanted));
        self
    }

    /// Where the last entry comes once more.
    #[must_use]
    pub fn again(&self) -> Option<Cursor> {
        self.below.map(|(segment, position)| Cursor {
            segment,
            position: position.saturating_add(1),
        })
    }

    /// Where the last entry is on disk.
    pub(crate) fn place(&self) -> Option<Place> {
        self.place.clone()
    }

    /// Where it goes on.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.below.map(|(segment, position)| Cursor { segment, position })
    }

    /// A page from here on: at most `limit` entries, 1 to 1,000. A page of very large entries holds fewer.
    ///
    /// # Errors
    /// [`JournalError::Io`]; damaged entries are counted and passed over.
    pub fn page(mut self, limit: usize) -> Result<Page, JournalError> {
        let limit = limit.clamp(1, PAGE);
        let mut page = Page {
            entries: Vec::new(),
            next: None,
            damaged: 0,
        };
        let mut bytes = 0;
        loop {
            let before = self.cursor();
            match self.next() {
                None => return Ok(page),
                Some(Err(JournalError::Damaged { .. })) => page.damaged += 1,
                Some(Err(cause)) => return Err(cause),
                Some(Ok(_)) if page.entries.len() == limit => {
                    page.next = before;
                    return Ok(page);
                }
                Some(Ok(entry)) => {
                    bytes += self.bytes;
                    page.entries.push(entry);
                    if bytes > PAGE_BYTES {
                        page.next = self.cursor();
                        return Ok(page);
                    }
                }
            }
        }
    }

    fn look(&self) -> Result<Option<Found>, JournalError> {
        let filter = &self.filter;
        let labelled = filter.labelled;
        let subject = filter.subject.as_deref().map(subject_hash);
        let experiment = filter.experiment.as_deref().map(experiment_hash);
        let from = filter.from.map(Timestamp::as_millisecond);
        // What is within the last millisecond is asked of the entry.
        let until = filter.until.map(|until| until.as_millisecond().saturating_add(1));
        self.catalog.newest(self.below, |summary: &Summary| {
            if !summary.overlaps(from, until) {
                return None;
            }
            let known = |name: &Option<String>, at: &dyn Fn(&str) -> Option<u16>| match name {
                None => Some(None),
                Some(name) => at(name).map(Some),
            };
            let model = known(&filter.model, &|name| summary.model_at(name))?;
            let version = known(&filter.version, &|name| summary.version_at(name))?;
            let class = match &filter.class {
                None => u64::MAX,
                Some(name) => summary.class_bit(name)?,
            };
            let any_class = filter.class.is_none();
            Some(move |row: &Row| {
                model.is_none_or(|model| row.model == model)
                    && version.is_none_or(|version| row.version == version)
                    && (any_class || row.classes & class != 0)
                    && from.is_none_or(|from| row.at_ms >= from)
                    && until.is_none_or(|until| row.at_ms < until)
                    && subject.is_none_or(|subject| row.subject == subject)
                    && experiment.is_none_or(|experiment| row.experiment == experiment)
                    && labelled.is_none_or(|labelled| self.labels.has(row.id) == labelled)
            })
        })
    }

    fn wants(&self, entry: &Entry) -> bool {
        self.filter.wants(entry) && self.only.as_ref().is_none_or(|only| only(entry))
    }

    fn read(&mut self, found: &Found) -> Result<Entry, JournalError> {
        let file = match self.file.take().filter(|(segment, _)| *segment == found.segment) {
            Some((_, file)) => file,
            None => File::open(&found.path).map_err(JournalError::io("open", &found.path))?,
        };
        let (mut bytes, mut length) = (0, 0);
        let read = read_frame(&file, &found.path, found.row.offset, |frame| {
            (bytes, length) = (frame.payload.len(), frame.length);
            serde_json::from_slice::<Entry>(&frame.payload).map_err(|cause| cause.to_string())
        });
        self.bytes = bytes;
        self.place = Some(Place {
            segment: found.segment,
            path: found.path.clone(),
            offset: found.row.offset,
            length,
        });
        self.file = Some((found.segment, file));
        read
    }
}

/// Those that can be read: damaged ones are passed over.
pub fn readable(
    entries: impl Iterator<Item = Result<Entry, JournalError>>,
) -> impl Iterator<Item = Result<Entry, JournalError>> {
    entries.filter(|entry| !matches!(entry, Err(JournalError::Damaged { .. })))
}

impl Iterator for Entries {
    type Item = Result<Entry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = match self.look() {
                Ok(found) => found?,
                Err(cause) => {
                    // Not for ever the same.
                    self.below = Some((0, 0));
                    return Some(Err(cause));
                }
            };
            self.below = Some((found.segment, found.position));
            match self.read(&found) {
                Ok(entry) if self.wants(&entry) => return Some(Ok(entry)),
                Ok(_) => {}
                // Retention deleted it between looking and reading.
                Err(_) if !found.path.exists() => {}
                Err(cause) => return Some(Err(cause)),
            }
        }
    }
}

impl Filter {
    /// Whether it is wanted, as far as the entry itself can say.
    fn wants(&self, entry: &Entry) -> bool {
        let same = |wanted: &Option<String>, given: Option<&str>| wanted.is_none() || wanted.as_deref() == given;
        same(&self.model, Some(&entry.model))
            && same(&self.version, Some(&entry.version))
            && same(&self.subject, entry.subject.as_deref())
            && same(&self.experiment, entry.arm.as_ref().map(|arm| arm.experiment.as_str()))
            && same(&self.arm, entry.arm.as_ref().map(|arm| arm.arm.as_str()))
            && self.from.is_none_or(|from| entry.at >= from)
            && self.until.is_none_or(|until| entry.at < until)
            && self
                .class
                .as_deref()
                .is_none_or(|class| entry.beats().any(|beat| beat.class == Some(class)))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.segment, self.position)
    }
}

impl FromStr for Cursor {
    type Err = JournalError;

    fn from_str(text: &str) -> Result<Self, JournalError> {
        let read = || {
            let (segment, position) = text.split_once('.')?;
            Some(Self {
                segment: segment.parse().ok()?,
                position: position.parse().ok()?,
            })
        };
        read().ok_or_else(|| JournalError::Cursor {
            given: text.chars().take(64).collect(),
        })
    }
}
