//! Bringing a version in: files checked, engine chosen, loaded, golden answers compared.

use crate::error::ServingError;
use crate::loaded::{Key, Loaded, ready};
use bytes::Bytes;
use einthoven_classify::{Choice, EngineTable, KnownAs, Manifest, PackageFile, ServedModel};
use einthoven_registry_files::Digest;
use einthoven_registry_state::{ModelName, Origin, Version};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What a load came to.
pub(crate) type Outcome = Result<Arc<ServedModel>, ServingError>;

/// A load that is under way; none until it is done.
pub(crate) type UnderWay = watch::Receiver<Option<Outcome>>;

/// How long a load that failed is not tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(3);

/// A version's files in memory.
pub(crate) type Files = Vec<(String, Bytes)>;

impl Loaded {
    /// The version, loaded: at once if it is, else when its load is done. Other loads and all answers go on meanwhile. A load
    /// is one for all who ask, and goes on when who asked first stops waiting; one that failed is not tried again for some
    /// seconds.
    ///
    /// # Errors
    /// [`ServingError`] saying which step failed; what was loaded before is as it was.
    pub async fn load(&self, model: &ModelName, version: &Version) -> Result<Arc<ServedModel>, ServingError> {
        ready(model, version)?;
        if let Some(loaded) = self.get(model, version) {
            return Ok(loaded);
        }
        let mut outcome = self.under_way(model, version);
        match outcome.wait_for(Option::is_some).await {
            Ok(done) => Option::clone(&done).unwrap_or_else(|| Err(ended(&version.title(model)))),
            Err(_) => Err(ended(&version.title(model))),
        }
    }

    /// The load that is under way, begun where there was none.
    fn under_way(&self, model: &ModelName, version: &Version) -> UnderWay {
        let name = (model.clone(), version.digest.clone().unwrap_or_default());
        let mut loads = self.0.loads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = loads.get(&name) {
            return outcome.clone();
        }
        let (tell, outcome) = watch::channel(None);
        loads.insert(name.clone(), outcome.clone());
        let (this, key, version) = (self.clone(), (model.clone(), version.name.clone()), version.clone());
        tokio::spawn(async move {
            let begun = Instant::now();
            let done = this.load_now(&key, &version).await;
            einthoven_telemetry::load_took(begun.elapsed(), done.is_ok());
            let failed = done.is_err();
            tell.send_replace(Some(done));
            if failed {
                tokio::time::sleep(AFTER_FAILURE).await;
            }
            this.0
                .loads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&name);
        });
        outcome
    }

    async fn load_now(&self, key: &Key, version: &Version) -> Result<Arc<ServedModel>, ServingError> {
        let title = version.title(&key.0);
        let _turn = self.0.at_once.acquire().await.map_err(|_| ended(&title))?;
        let settings = &self.0.settings;
        let digest = version.digest.clone().unwrap_or_default();
        let embedded = version.origin == Origin::Embedded;
        let table = settings.tables.kept(&digest, &settings.serving);
        // What does not fit is refused before it is read.
        let fastest = table.as_ref().and_then(EngineTable::fastest);
        let smallest = fastest
            .and_then(|row| version.file(&row.file))
            .map_or(0, |file| file.size_bytes);
        self.must_fit(key, smallest)?;
        // Measuring takes the whole machine: one at a time, and others wait here, not in a thread.
        let _alone = match table {
            None if !embedded => Some(self.0.measuring.acquire().await.map_err(|_| ended(&title))?),
            _ => None,
        };
        let files = self.files(&title, version).await?;
        let (this, known_as, broken) = (self.clone(), known_as(key), title.clone());
        let blocking =
            tokio::task::spawn_blocking(move || this.load_blocking(title, &files, known_as, &digest, embedded));
        let (model, file_bytes) = blocking.await.map_err(|cause| ServingError::Broken {
            title: broken,
            cause: cause.to_string(),
        })??;
        let model = Arc::new(model);
        self.take_in(key.clone(), Arc::clone(&model), file_bytes)?;
        Ok(model)
    }

    /// Every file of a version, its content compared with its digest.
    pub(crate) async fn files(&self, title: &str, version: &Version) -> Result<Files, ServingError> {
        let mut files = Vec::with_capacity(version.files.len());
        for file in &version.files {
            let failed = |cause| ServingError::Files {
                title: title.to_owned(),
                cause: Arc::new(cause),
            };
            let digest: Digest = file.sha256.parse().map_err(failed)?;
            let content = self.0.settings.files.get(&digest).await.map_err(failed)?;
            files.push((file.name.clone(), content));
        }
        Ok(files)
    }

    fn load_blocking(
        &self,
        title: String,
        files: &Files,
        known_as: KnownAs,
        digest: &str,
        embedded: bool,
    ) -> Result<(ServedModel, u64), ServingError> {
        let (serving, tables) = (&self.0.settings.serving, &self.0.settings.tables);
        let parts = parts(files);
        let failed = |cause| ServingError::Load {
            title: title.clone(),
            cause: Arc::new(cause),
        };
        // What the binary carries need not be tried in a child before it answers; it is measured later.
        let first = if embedded && tables.kept(digest, serving).is_none() {
            manifest(&parts).and_then(|manifest| Choice::first(&serving.engines, &manifest, &parts))
        } else {
            None
        };
        let choice = match first {
            Some(choice) => choice,
            None => {
                let table = tables.measured(serving, &parts).map_err(failed)?;
                let fastest = table.fastest().map(Choice::of);
                fastest.ok_or_else(|| ServingError::NoEngine {
                    title: title.clone(),
                    reasons: reasons(&table),
                })?
            }
        };
        let size = parts
            .iter()
            .find(|part| part.name == choice.file)
            .map_or(0, |part| part.bytes.len());
        let model = ServedModel::load(serving, &parts, choice, Some(known_as)).map_err(failed)?;
        Ok((model, size as u64))
    }

    /// Measures a version that was loaded without, and goes over to the fastest engine. Takes seconds; answers go on.
    pub(crate) async fn measure(&self, key: Key, version: Arc<Version>) {
        let title = version.title(&key.0);
        let files = match self.files(&title, &version).await {
            Ok(files) => files,
            Err(cause) => return tracing::error!("{title} was not measured: {cause}"),
        };
        let this = self.clone();
        let measured = tokio::task::spawn_blocking(move || {
            let parts = parts(&files);
            let serving = &this.0.settings.serving;
            let table = this.0.settings.tables.measured(serving, &parts)?;
            let now = this.get(&key.0, &version);
            let (Some(choice), Some(now)) = (table.fastest().map(Choice::of), now) else {
                return Ok(());
            };
            if (now.engine(), now.file()) != (choice.engine.as_str(), choice.file.as_str()) {
                let model = ServedModel::load(serving, &parts, choice, Some(known_as(&key)))?;
                tracing::info!("{title} now runs on {} with {}", model.engine(), model.file());
                this.replace(&key, Arc::new(model));
            }
            Ok::<_, einthoven_classify::LoadError>(())
        });
        match measured.await {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => tracing::error!("a version stays on its first engine: {cause}"),
            Err(cause) => tracing::error!("a version was not measured: {cause}"),
        }
    }
}

fn ended(title: &str) -> ServingError {
    ServingError::Broken {
        title: title.to_owned(),
        cause: "the server is closing".to_owned(),
    }
}

fn known_as(key: &Key) -> KnownAs {
    KnownAs {
        model: key.0.to_string(),
        version: key.1.to_string(),
    }
}

fn parts(files: &Files) -> Vec<PackageFile<'_>> {
    files.iter().map(|(name, bytes)| PackageFile { name, bytes }).collect()
}

fn manifest(parts: &[PackageFile<'_>]) -> Option<Manifest> {
    let file = parts.iter().find(|part| part.name == "manifest.json")?;
    serde_json::from_slice(file.bytes).ok()
}

/// What every engine said, for the error.
fn reasons(table: &EngineTable) -> String {
    if table.engines.is_empty() {
        return "none loads any of its files".to_owned();
    }
    let said = table.engines.iter().map(|row| {
        let reason = row.reason.as_deref().unwrap_or("no reason");
        format!("{} with {}: {reason}", row.engine, row.file)
    });
    said.collect::<Vec<_>>().join("; ")
}
