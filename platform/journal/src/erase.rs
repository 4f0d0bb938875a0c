//! Erasing entries and labels: zeros where they were, a plan on disk first, so that a crash in the middle is finished at the
//! next start.

use crate::frame;
use crate::index::Catalog;
use crate::labels::Labels;
use crate::query::Entries;
use crate::segments::sync_folder;
use crate::{JournalError, frame::HEADER};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Where the plan lies while it is carried out.
const PLAN: &str = "erasing.json";

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Erased {
    /// Entries.
    pub entries: usize,
    /// Labels.
    pub labels: usize,
    /// Recordings, with their keys.
    pub recordings: usize,
}

/// Frames to be overwritten.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Plan {
    /// By file in the journal's folder: offset and bytes of each.
    files: BTreeMap<PathBuf, Vec<(u64, usize)>>,
}

/// Erases these entries, which are all of one person, and the person's labels.
pub(crate) fn erase(
    folder: &Path,
    catalog: &Catalog,
    labels: &Labels,
    subject: &str,
    mut entries: Entries,
) -> Result<Erased, JournalError> {
    let mut plan = Plan::default();
    let mut segments: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    // Those that are no longer kept, too.
    let mut ids: BTreeSet<Uuid> = labels.predictions_of(subject)?.into_iter().collect();
    let mut erased = Erased::default();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(JournalError::Damaged { .. }) => continue,
            Err(cause) => return Err(cause),
        };
        let Some(place) = entries.place() else { continue };
        plan.add(folder, &place.path, place.offset, place.length);
        segments.entry(place.segment).or_default().push(place.offset);
        erased.entries += 1;
        ids.insert(entry.id);
    }
    for id in &ids {
        for (label, length) in labels.places(*id)? {
            plan.add(folder, &label.path, label.offset, length);
            erased.labels += 1;
        }
    }
    if plan.files.is_empty() {
        return Ok(erased);
    }
    plan.save(folder)?;
    plan.carry_out(folder)?;
    for id in ids {
        labels.forget(id);
    }
    for (segment, offsets) in segments {
        catalog.erased(segment, &offsets)?;
    }
    Plan::done(folder)?;
    Ok(erased)
}

/// Carries out the plan of an erasure that was interrupted.
pub(crate) fn finish(folder: &Path) -> Result<(), JournalError> {
    let path = folder.join(PLAN);
    let json = match fs::read(&path) {
        Ok(json) => json,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(JournalError::io("read", &path)(cause)),
    };
    let plan: Plan = serde_json::from_slice(&json).map_err(|cause| JournalError::Damaged {
        path,
        offset: 0,
        what: cause.to_string(),
    })?;
    plan.carry_out(folder)?;
    Plan::done(folder)
}

impl Plan {
    fn add(&mut self, folder: &Path, path: &Path, offset: u64, length: usize) {
        let path = path.strip_prefix(folder).unwrap_or(path);
        self.files.entry(path.to_owned()).or_default().push((offset, length));
    }

    /// On disk when this returns, whole or not at all.
    fn save(&self, folder: &Path) -> Result<(), JournalError> {
        let path = folder.join(PLAN);
        let fail = || JournalError::io("write", &path);
        let json = serde_json::to_vec(self).map_err(|cause| fail()(cause.into()))?;
        let whole = path.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut out = options.open(&whole).map_err(fail())?;
        out.write_all(&json).and_then(|()| out.sync_all()).map_err(fail())?;
        fs::rename(&whole, &path).map_err(fail())?;
        sync_folder(folder)
    }

    /// Can be done again.
    fn carry_out(&self, folder: &Path) -> Result<(), JournalError> {
        for (path, places) in &self.files {
            let path = folder.join(path);
            let fail = || JournalError::io("erase in", &path);
            // It tells about them too.
            let index = path.with_extension("idx");
            if index.exists() {
                fs::remove_file(&index).map_err(fail())?;
            }
            // Where there is none, retention was quicker.
            if path.exists() {
                overwrite(&path, places)?;
            }
        }
        Ok(())
    }

    fn done(folder: &Path) -> Result<(), JournalError> {
        let path = folder.join(PLAN);
        fs::remove_file(&path).map_err(JournalError::io("remove", &path))?;
        sync_folder(folder)
    }
}

/// Frames of a file that hold nothing from now on; on disk when this returns.
pub(crate) fn overwrite(path: &Path, places: &[(u64, usize)]) -> Result<(), JournalError> {
    let fail = || JournalError::io("erase in", path);
    let file = OpenOptions::new().write(true).open(path).map_err(fail())?;
    let length = file.metadata().map_err(fail())?.len();
    for (offset, bytes) in places {
        let within = *bytes >= HEADER && offset.checked_add(*bytes as u64).is_some_and(|end| end <= length);
        if let (true, Some(frame)) = (within, frame::erased(*bytes)) {
            file.write_all_at(&frame, *offset).map_err(fail())?;
        }
    }
    file.sync_all().map_err(fail())
}
