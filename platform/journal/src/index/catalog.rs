//! All segments of entries with their rows: shared by the writer and everybody who reads.

use super::{Row, Summary, sidecar};
use crate::frame::Kind;
use crate::segments::{Damage, Segment, scan};
use crate::{Entry, JournalError};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use uuid::Uuid;

/// Full segments whose rows are kept in memory after they were asked for; about six megabytes each.
const CACHED: usize = 4;

/// A row that was looked for.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) segment: u32,
    /// Among the segment's rows.
    pub(crate) position: usize,
    pub(crate) row: Row,
    /// Of the segment.
    pub(crate) path: PathBuf,
}

/// Every segment of entries, oldest first.
#[derive(Default)]
pub(crate) struct Catalog {
    parts: RwLock<Vec<Arc<Part>>>,
    cache: Mutex<Vec<(u32, Arc<Vec<Row>>)>>,
    damage: Mutex<Vec<Damage>>,
}

struct Part {
    number: u32,
    path: PathBuf,
    state: RwLock<State>,
}

enum State {
    /// Being written.
    Live { summary: Summary, rows: Vec<Row> },
    /// So many bytes.
    Full { summary: Summary, bytes: u64 },
}

impl Catalog {
    /// The catalog of segments that nobody writes any more.
    pub(crate) fn open(segments: &[Segment]) -> Result<Self, JournalError> {
        let catalog = Self::default();
        for segment in segments {
            let summary = match sidecar::summary(&segment.path, segment.bytes) {
                Some(summary) => summary,
                None => catalog.make_anew(&segment.path, segment.bytes)?.0,
            };
            write(&catalog.parts).push(Arc::new(Part {
                number: segment.name.number,
                path: segment.path.clone(),
                state: RwLock::new(State::Full {
                    summary,
                    bytes: segment.bytes,
                }),
            }));
        }
        Ok(catalog)
    }

    /// A new segment is being written.
    pub(crate) fn begin(&self, segment: &Segment) {
        write(&self.parts).push(Arc::new(Part {
            number: segment.name.number,
            path: segment.path.clone(),
            state: RwLock::new(State::Live {
                summary: Summary::default(),
                rows: Vec::new(),
            }),
        }));
    }

    /// These entries were appended to a segment that is being written.
    pub(crate) fn add<'a>(&self, segment: u32, entries: impl Iterator<Item = (&'a Entry, u64)>) {
        let Some(part) = self.part(segment) else { return };
        let mut state = write(&part.state);
        if let State::Live { summary, rows } = &mut *state {
            for (entry, offset) in entries {
                rows.push(Row::of(entry, offset, summary));
            }
        }
    }

    /// A segment is full.
    pub(crate) fn seal(&self, segment: u32, bytes: u64) {
        let Some(part) = self.part(segment) else { return };
        let mut state = write(&part.state);
        let State::Live { summary, rows } = &mut *state else {
            return;
        };
        let (summary, rows) = (std::mem::take(summary), std::mem::take(rows));
        if let Err(cause) = sidecar::save(&part.path, bytes, &summary, &rows) {
            tracing::warn!("the index of a full segment will be made anew: {cause}");
        }
        *state = State::Full { summary, bytes };
        drop(state);
        self.remember(segment, Arc::new(rows));
    }

    /// Segments were deleted.
    pub(crate) fn forget(&self, segments: &[u32]) {
        write(&self.parts).retain(|part| {
            let gone = segments.contains(&part.number);
            if gone {
                let _ = fs::remove_file(sidecar::path(&part.path));
            }
            !gone
        });
        lock(&self.cache).retain(|(number, _)| !segments.contains(number));
    }

    /// The entry with this id.
    pub(crate) fn by_id(&self, id: Uuid) -> Result<Option<Found>, JournalError> {
        self.newest(None, |summary| {
            summary.spans(id).then_some(move |row: &Row| row.id == id)
        })
    }

    /// The newest row before `below` (a segment and a position in it; none begins at the newest) that is wanted. `plan`
    /// looks at a segment's summary: none passes over it, else the test for its rows.
    pub(crate) fn newest<T: Fn(&Row) -> bool>(
        &self,
        below: Option<(u32, usize)>,
        plan: impl Fn(&Summary) -> Option<T>,
    ) -> Result<Option<Found>, JournalError> {
        let parts: Vec<_> = read(&self.parts).clone();
        for part in parts.into_iter().rev() {
            let most = match below {
                Some((segment, _)) if part.number > segment => continue,
                Some((segment, position)) if part.number == segment => position,
                _ => usize::MAX,
            };
            if let Some((position, row)) = self.search(&part, most, &plan)? {
                return Ok(Some(part.found(position, row)));
            }
        }
        Ok(None)
    }

    /// Every summary, oldest first.
    pub(crate) fn summaries(&self) -> Vec<Summary> {
        let parts: Vec<_> = read(&self.parts).clone();
        parts
            .iter()
            .map(|part| match &*read(&part.state) {
                State::Live { summary, .. } | State::Full { summary, .. } => summary.clone(),
            })
            .collect()
    }

    /// The entries at these places are no more.
    pub(crate) fn erased(&self, segment: u32, offsets: &[u64]) -> Result<(), JournalError> {
        let Some(part) = self.part(segment) else { return Ok(()) };
        lock(&self.cache).retain(|(number, _)| *number != segment);
        let mut state = write(&part.state);
        match &mut *state {
            State::Live { rows, .. } => {
                for row in rows.iter_mut().filter(|row| offsets.contains(&row.offset)) {
                    *row = Row::erased(row.offset);
                }
            }
            State::Full { summary, bytes } => *summary = self.make_anew(&part.path, *bytes)?.0,
        }
        Ok(())
    }

    /// Bytes in the middle of segments that could not be read when their index was made, since the journal was opened.
    pub(crate) fn damage(&self) -> Vec<Damage> {
        lock(&self.damage).clone()
    }

    fn part(&self, segment: u32) -> Option<Arc<Part>> {
        let parts = read(&self.parts);
        parts.iter().rev().find(|part| part.number == segment).cloned()
    }

    /// The last wanted row among a segment's first `most`.
    fn search<T: Fn(&Row) -> bool>(
        &self,
        part: &Part,
        most: usize,
        plan: impl Fn(&Summary) -> Option<T>,
    ) -> Result<Option<(usize, Row)>, JournalError> {
        let last = |rows: &[Row], wanted: T| {
            let rows = rows.get(..most).unwrap_or(rows);
            let position = rows.iter().rposition(|row| !row.erased && wanted(row))?;
            Some((position, rows[position]))
        };
        let (wanted, bytes) = match &*read(&part.state) {
            State::Live { summary, rows } => return Ok(plan(summary).and_then(|wanted| last(rows, wanted))),
            State::Full { summary, bytes } => (plan(summary), *bytes),
        };
        let Some(wanted) = wanted else { return Ok(None) };
        // Retention may delete the segment meanwhile; then nothing of it is found.
        match self.rows(part, bytes) {
            Ok(rows) => Ok(last(&rows, wanted)),
            Err(_) if !part.path.exists() => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// The rows of a full segment.
    fn rows(&self, part: &Part, bytes: u64) -> Result<Arc<Vec<Row>>, JournalError> {
        let mut cache = lock(&self.cache);
        if let Some(known) = cache.iter().position(|(number, _)| *number == part.number) {
            let known = cache.remove(known);
            let rows = Arc::clone(&known.1);
            cache.push(known);
            return Ok(rows);
        }
        drop(cache);
        let rows = match sidecar::rows(&part.path, bytes) {
            Some(rows) => rows,
            None => self.make_anew(&part.path, bytes)?.1,
        };
        let rows = Arc::new(rows);
        self.remember(part.number, Arc::clone(&rows));
        Ok(rows)
    }

    fn remember(&self, segment: u32, rows: Arc<Vec<Row>>) {
        let mut cache = lock(&self.cache);
        cache.retain(|(number, _)| *number != segment);
        if cache.len() >= CACHED {
            cache.remove(0);
        }
        cache.push((segment, rows));
    }

    /// Makes the index of a full segment by reading it.
    fn make_anew(&self, path: &Path, bytes: u64) -> Result<(Summary, Vec<Row>), JournalError> {
        let mut summary = Summary::default();
        let mut rows = Vec::new();
        let scanned = scan(path, &mut |offset, frame| match frame.kind {
            Kind::Entry => match serde_json::from_slice::<Entry>(&frame.payload) {
                Ok(entry) => rows.push(Row::of(&entry, offset, &mut summary)),
                Err(cause) => tracing::warn!("{} at byte {offset} holds no entry: {cause}", path.display()),
            },
            Kind::Erased => rows.push(Row::erased(offset)),
            Kind::Labels => {}
        })?;
        let mut damage = lock(&self.damage);
        damage.retain(|known| known.path != path);
        damage.extend(scanned.damage);
        drop(damage);
        if let Err(cause) = sidecar::save(path, bytes, &summary, &rows) {
            tracing::warn!("the index of a full segment will be made anew again: {cause}");
        }
        Ok((summary, rows))
    }
}

impl Part {
    fn found(&self, position: usize, row: Row) -> Found {
        Found {
            segment: self.number,
            position,
            row,
            path: self.path.clone(),
        }
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
