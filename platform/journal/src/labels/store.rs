//! Where labels are kept: the same append-only files as entries, never deleted but by erasing.

use super::{Given, Label, Truth};
use crate::JournalError;
use crate::erase::overwrite;
use crate::frame::{self, Kind};
use crate::index::subject_hash;
use crate::segments::{Disk, Keep, Segments, read_frame, scan};
use crate::writer::day;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use uuid::Uuid;

/// All labels. In memory is only where the labels of each prediction are.
pub struct Labels {
    segments: Mutex<Segments>,
    places: RwLock<HashMap<Uuid, Vec<Place>>>,
}

/// One label on disk.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: Arc<PathBuf>,
    pub(crate) offset: u64,
    /// Of the person, zero where none is known.
    subject: u64,
}

/// As it is on disk: labels outlive the entries that they are about, and must be found when a person is erased.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// Where it was given together with others, which batch: it counts where [`Whole`] of that batch follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch: Option<Uuid>,
    #[serde(flatten)]
    label: Label,
}

/// That all labels of a batch are on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    whole: Uuid,
}

/// A label that is to be taken, and the person that its prediction is about.
pub(crate) struct Taken {
    pub(crate) label: Label,
    pub(crate) subject: Option<String>,
}

impl Labels {
    pub(crate) fn open(folder: &Path, disk: Arc<dyn Disk>) -> Result<Self, JournalError> {
        let segments = Segments::open(folder, disk, Keep::default())?;
        let mut places: HashMap<Uuid, Vec<Place>> = HashMap::new();
        for segment in segments.list() {
            let path = Arc::new(segment.path.clone());
            // A batch is one write, so all of it is in one segment.
            let mut open: HashMap<Uuid, Vec<(Uuid, Place, usize)>> = HashMap::new();
            scan(&segment.path, &mut |offset, frame| {
                if frame.kind != Kind::Labels {
                    return;
                }
                match serde_json::from_slice::<Stored>(&frame.payload) {
                    Ok(stored) => {
                        let place = Place {
                            path: Arc::clone(&path),
                            offset,
                            subject: stored.subject.as_deref().map_or(0, subject_hash),
                        };
                        match stored.batch {
                            None => places.entry(stored.label.prediction).or_default().push(place),
                            Some(batch) => {
                                let label = (stored.label.prediction, place, frame.length);
                                open.entry(batch).or_default().push(label);
                            }
                        }
                    }
                    Err(cause) => match serde_json::from_slice::<Whole>(&frame.payload) {
                        Ok(Whole { whole }) => {
                            for (prediction, place, _) in open.remove(&whole).unwrap_or_default() {
                                places.entry(prediction).or_default().push(place);
                            }
                        }
                        Err(_) => tracing::warn!("{} at byte {offset} holds no label: {cause}", path.display()),
                    },
                }
            })?;
            // Never acknowledged: as if they had not come.
            let torn: Vec<_> = open
                .into_values()
                .flatten()
                .map(|(_, place, length)| (place.offset, length))
                .collect();
            if !torn.is_empty() {
                overwrite(&path, &torn)?;
            }
        }
        Ok(Self {
            segments: Mutex::new(segments),
            places: RwLock::new(places),
        })
    }

    /// Somebody said something about this prediction.
    #[must_use]
    pub fn has(&self, prediction: Uuid) -> bool {
        self.read().contains_key(&prediction)
    }

    /// How many predictions somebody said something about.
    #[must_use]
    pub fn predictions(&self) -> usize {
        self.read().len()
    }

    /// All labels of a prediction, in the order in which they arrived.
    ///
    /// # Errors
    /// [`JournalError::Io`]; damaged labels are passed over with a warning.
    pub fn of(&self, prediction: Uuid) -> Result<Vec<Label>, JournalError> {
        let places = self.read().get(&prediction).cloned().unwrap_or_default();
        let mut labels = Vec::with_capacity(places.len());
        for place in &places {
            match read(place) {
                Ok((stored, _)) => labels.push(stored.label),
                Err(cause @ JournalError::Damaged { .. }) => tracing::warn!("a label is passed over: {cause}"),
                Err(cause) => return Err(cause),
            }
        }
        Ok(labels)
    }

    /// Takes labels that were checked, all or none; they are on disk when this returns.
    pub(crate) fn give(&self, labels: Vec<Taken>) -> Result<Given, JournalError> {
        // One at a time, so that the same label sent twice at once is one label.
        let mut segments = lock(&self.segments);
        let mut given = Given::default();
        let mut new: Vec<Stored> = Vec::with_capacity(labels.len());
        for Taken { mut label, subject } in labels {
            let before = self.of(label.prediction)?;
            let earlier = new.iter().map(|stored| &stored.label);
            let known: HashMap<u64, Truth> = before
                .iter()
                .chain(earlier.filter(|known| known.prediction == label.prediction))
                .filter(|known| known.reader == label.reader && known.key == label.key)
                .flat_map(|known| known.marks.iter().map(|mark| (mark.at, mark.truth.clone())))
                .collect();
            let other = label
                .marks
                .iter()
                .find(|mark| known.get(&mark.at).is_some_and(|truth| *truth != mark.truth));
            if let Some(mark) = other {
                return Err(JournalError::KeyReused {
                    reader: label.reader.clone(),
                    key: label.key.clone(),
                    at: mark.at,
                });
            }
            let asked = label.marks.len();
            label.marks.retain(|mark| !known.contains_key(&mark.at));
            given.new += label.marks.len();
            given.repeated += asked - label.marks.len();
            if !label.marks.is_empty() {
                new.push(Stored {
                    subject,
                    batch: None,
                    label,
                });
            }
        }
        if !new.is_empty() {
            self.write(&mut segments, new)?;
        }
        Ok(given)
    }

    /// Appends them in one write; several with a word after them that says that they are whole.
    fn write(&self, segments: &mut Segments, mut new: Vec<Stored>) -> Result<(), JournalError> {
        let mut bytes = Vec::new();
        let mut frame = |json: serde_json::Result<Vec<u8>>| {
            let refuse = |what: String| JournalError::Labels { what };
            let offset = bytes.len() as u64;
            let json = json.map_err(|cause| refuse(cause.to_string()))?;
            frame::encode(Kind::Labels, &json, &mut bytes).map_err(|cause| refuse(cause.to_string()))?;
            Ok(offset)
        };
        let batch = (new.len() > 1).then(Uuid::now_v7);
        let mut offsets = Vec::with_capacity(new.len());
        for stored in &mut new {
            stored.batch = batch;
            offsets.push(frame(serde_json::to_vec(stored))?);
        }
        if let Some(whole) = batch {
            frame(serde_json::to_vec(&Whole { whole }))?;
        }
        segments.turn(day(jiff::Timestamp::now()), bytes.len() as u64)?;
        let placed = segments.append(&bytes, true)?;
        let path = segments
            .list()
            .last()
            .map(|segment| segment.path.clone())
            .unwrap_or_default();
        let path = Arc::new(path);
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        for (stored, offset) in new.iter().zip(offsets) {
            places.entry(stored.label.prediction).or_default().push(Place {
                path: Arc::clone(&path),
                offset: placed.offset + offset,
                subject: stored.subject.as_deref().map_or(0, subject_hash),
            });
        }
        Ok(())
    }

    /// The predictions of a person that somebody said something about; also those that are no longer kept.
    pub(crate) fn predictions_of(&self, subject: &str) -> Result<Vec<Uuid>, JournalError> {
        let hash = subject_hash(subject);
        let read_lock = self.read();
        let near = read_lock.iter().filter_map(|(prediction, places)| {
            let place = places.iter().find(|place| place.subject == hash)?;
            Some((*prediction, place.clone()))
        });
        let near: Vec<_> = near.collect();
        drop(read_lock);
        let mut predictions = Vec::new();
        for (prediction, place) in near {
            if read(&place)?.0.subject.as_deref() == Some(subject) {
                predictions.push(prediction);
            }
        }
        Ok(predictions)
    }

    /// Where the labels of a prediction are, with the bytes of each.
    pub(crate) fn places(&self, prediction: Uuid) -> Result<Vec<(Place, usize)>, JournalError> {
        let places = self.read().get(&prediction).cloned().unwrap_or_default();
        let mut sized = Vec::with_capacity(places.len());
        for place in places {
            match read(&place) {
                Ok((_, length)) => sized.push((place, length)),
                Err(JournalError::Damaged { .. }) => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(sized)
    }

    /// The labels of a prediction are no more.
    pub(crate) fn forget(&self, prediction: Uuid) {
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        places.remove(&prediction);
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Uuid, Vec<Place>>> {
        self.places.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(place: &Place) -> Result<(Stored, usize), JournalError> {
    let file = File::open(place.path.as_path()).map_err(JournalError::io("open", &place.path))?;
    read_frame(&file, &place.path, place.offset, |frame| {
        let stored = serde_json::from_slice(&frame.payload).map_err(|cause| cause.to_string())?;
        Ok((stored, frame.length))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
