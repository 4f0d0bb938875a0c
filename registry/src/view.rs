//! The view: the folded state and an index over the log, in sled. Only to be quick; the log is the truth.
//!
//! sled 0.34 does not fsync and may panic on what an interrupted machine left: whatever it says is compared with the log by
//! hash, and whatever it cannot say is made anew.

use einthoven_registry_log::{Hash, Head};
use einthoven_registry_state::{Event, Record, State};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of sled's cache: the state is in memory anyway.
const CACHE_BYTES: u64 = 1 << 20;

/// Layout of what is stored; another number makes the view anew.
const LAYOUT: &[u8] = b"2";

/// The view; cheap to clone.
#[derive(Clone)]
pub(crate) struct View {
    tree: sled::Db,
    /// After a failed step rows may be missing: nothing more is kept or asked, and the next start goes on from the last
    /// whole step.
    failed: Arc<AtomicBool>,
}

impl View {
    /// Opens the view in this folder; one that cannot be opened is removed and made anew. None when even that fails: the
    /// registry works without.
    pub(crate) fn open(folder: &Path) -> Option<Self> {
        for last in [false, true] {
            match guarded(|| sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).open()) {
                Ok(tree) => {
                    let failed = Arc::default();
                    return Some(Self { tree, failed });
                }
                Err(cause) => {
                    tracing::warn!("the view in {} is made anew: {cause}", folder.display());
                    if last || std::fs::remove_dir_all(folder).is_err() {
                        return None;
                    }
                }
            }
        }
        None
    }

    /// The state kept here with the entry it stands at; none unless it is whole.
    pub(crate) fn load(&self) -> Option<(Head, State)> {
        let loaded = guarded(|| {
            let Some(layout) = self.tree.get("layout")? else {
                return Ok(None);
            };
            let Some(head) = self.tree.get("head")?.filter(|_| layout == LAYOUT) else {
                return Ok(None);
            };
            let Some(head) = read_head(&head) else {
                return Ok(None);
            };
            let mut state = State {
                seq: head.seq,
                ..State::default()
            };
            for row in self.tree.scan_prefix("model/") {
                let Some(model) = read(&row?.1) else { return Ok(None) };
                let model: einthoven_registry_state::Model = model;
                state.models.insert(model.name.clone(), Arc::new(model));
            }
            for row in self.tree.scan_prefix("source/") {
                let Some(source) = read(&row?.1) else { return Ok(None) };
                let source: einthoven_registry_state::Source = source;
                state.sources.insert(source.name.clone(), Arc::new(source));
            }
            // Views from before there was anybody to remember have no such row.
            if let Some(row) = self.tree.get("access")? {
                let Some(access) = read(&row) else { return Ok(None) };
                state.access = Arc::new(access);
            }
            if let Some(row) = self.tree.get("past_experiments")? {
                let Some(names) = read(&row) else { return Ok(None) };
                state.past_experiments = Arc::new(names);
            }
            Ok(Some((head, state)))
        });
        loaded.unwrap_or_else(|cause| {
            tracing::warn!("the view cannot be read: {cause}");
            None
        })
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        if let Err(cause) = guarded(|| self.tree.clear()) {
            tracing::warn!("the view cannot be emptied: {cause}");
        }
    }

    /// Keeps what these entries changed, and that the view stands at `head` now: in one step.
    pub(crate) fn keep(&self, head: Head, state: &State, records: &[(u64, Record)]) {
        if self.failed.load(Ordering::Relaxed) {
            return;
        }
        let mut batch = sled::Batch::default();
        for (seq, record) in records {
            batch.insert(index_key("who", &record.who, *seq), &[][..]);
            if let Some(model) = record.event.model() {
                batch.insert(index_key("of", model.as_str(), *seq), &[][..]);
                let key = format!("model/{model}");
                match state
                    .models
                    .get(model)
                    .and_then(|model| serde_json::to_vec(model.as_ref()).ok())
                {
                    Some(json) => batch.insert(key.as_bytes(), json),
                    None => batch.remove(key.as_bytes()),
                }
            }
        }
        for (name, source) in &state.sources {
            if let Ok(json) = serde_json::to_vec(source.as_ref()) {
                batch.insert(format!("source/{name}").as_bytes(), json);
            }
        }
        for (_, record) in records {
            if let Event::SourceRemoved { source } = &record.event {
                batch.remove(format!("source/{source}").as_bytes());
            }
        }
        let access = records
            .iter()
            .any(|(_, record)| matches!(record.event, Event::Access(_)));
        if let (true, Ok(json)) = (access, serde_json::to_vec(state.access.as_ref())) {
            batch.insert("access", json);
        }
        let deleted = records
            .iter()
            .any(|(_, record)| matches!(record.event, Event::ModelDeleted { .. }));
        if let (true, Ok(json)) = (deleted, serde_json::to_vec(state.past_experiments.as_ref())) {
            batch.insert("past_experiments", json);
        }
        batch.insert("layout", LAYOUT);
        batch.insert("head", format!("{} {}", head.seq, head.hash).as_bytes());
        if let Err(cause) = guarded(|| self.tree.apply_batch(batch)) {
            tracing::warn!("the view stays behind until the next start: {cause}");
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    /// Entries about a model or by a person, newest first, before `before`; none when the view cannot say.
    pub(crate) fn entries(&self, index: &str, name: &str, before: u64, limit: usize) -> Option<Vec<u64>> {
        if self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let range = index_key(index, name, 0)..index_key(index, name, before);
        let read = guarded(|| {
            let keys = self.tree.range(range).keys().rev().take(limit);
            keys.map(|key| Ok(key?.last_chunk().map(|seq| u64::from_be_bytes(*seq))))
                .collect()
        });
        read.ok().flatten()
    }
}

/// `<index>/<length of name><name><seq>`, so that no name is the beginning of another's key.
fn index_key(index: &str, name: &str, seq: u64) -> Vec<u8> {
    let mut key = format!("{index}/").into_bytes();
    key.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
    key.extend_from_slice(name.as_bytes());
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

fn read<T: serde::de::DeserializeOwned>(json: &[u8]) -> Option<T> {
    serde_json::from_slice(json).ok()
}

fn read_head(text: &[u8]) -> Option<Head> {
    let (seq, hash) = std::str::from_utf8(text).ok()?.split_once(' ')?;
    Some(Head {
        seq: seq.parse().ok()?,
        hash: hash.parse::<Hash>().ok()?,
    })
}

/// sled says some kinds of corruption by panicking.
fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|cause| cause.to_string()),
        Err(_) => Err("it is corrupt".to_owned()),
    }
}
