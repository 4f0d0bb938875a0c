//! From candidate to a version that is there: drafted, stored, written down.

use crate::candidate::{Candidate, CandidateFile};
use crate::draft::draft;
use crate::error::OnboardError;
use crate::golden::Input;
use crate::pull::mlflow_folder;
use crate::sources::Sources;
use bytes::Bytes;
use einthoven_registry::{Asked, ChangeError, Done, Registry};
use einthoven_registry_files::{Collected, Digest, FileEntry, Store, package_digest};
use einthoven_registry_mlflow::{Error as MlflowError, Networks};
use einthoven_registry_state::{Change, Event, ModelName, Origin, Package, StoredFile, VersionName};
use einthoven_serving::Loaded;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Brings versions in; cheap to clone.
#[derive(Clone)]
pub struct Onboarding {
    loaded: Loaded,
    /// Trials at once: each uses the whole machine to measure.
    pub(crate) trials: Arc<Semaphore>,
    /// Drafts at once: each holds the network's files in memory.
    drafts: Arc<Semaphore>,
    pub(crate) sources: Arc<Sources>,
    /// Where sources may lie.
    pub(crate) networks: Networks,
}

/// Who asks, and for what reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub who: String,
    /// Why; may be empty.
    pub why: String,
}

/// A version that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionName,
}

impl By {
    /// The server itself.
    #[must_use]
    pub fn system(why: &str) -> Self {
        Self {
            who: "einthoven".to_owned(),
            why: why.to_owned(),
        }
    }
}

impl Onboarding {
    /// Brings versions in beside these that are loaded.
    #[must_use]
    pub fn new(loaded: Loaded) -> Self {
        Self {
            loaded,
            trials: Arc::new(Semaphore::new(1)),
            drafts: Arc::new(Semaphore::new(1)),
            sources: Arc::default(),
            networks: Networks::default(),
        }
    }

    /// Sources are reached in these networks alone.
    #[must_use]
    pub fn with_networks(self, networks: Networks) -> Self {
        Self { networks, ..self }
    }

    /// What is loaded.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.loaded.settings().registry
    }

    pub(crate) fn store(&self) -> &Store {
        &self.loaded.settings().files
    }

    /// Drafts, stores and adds a candidate; its trial goes on in the background. See [`Onboarding::settled`].
    ///
    /// # Errors
    /// [`OnboardError`]; then nothing was added.
    pub async fn add(
        &self,
        by: &By,
        model: ModelName,
        version: Option<VersionName>,
        origin: Origin,
        candidate: Candidate,
    ) -> Result<Added, OnboardError> {
        // The files are at hand: what is wrong with them is no failure of an MLflow server.
        let (candidate, example) = mlflow_folder(candidate).map_err(|cause| match cause {
            OnboardError::Mlflow(MlflowError::Refused(refused)) => OnboardError::RefusedFormat(refused.to_string()),
            OnboardError::Mlflow(cause) => OnboardError::NotAVersion(cause.to_string()),
            other => other,
        })?;
        let package = self.stored(candidate, example).await?;
        let change = Change::AddVersion {
            model: model.clone(),
            version,
            origin,
            package: Some(package),
        };
        // Whoever asked may leave: what is written down is tried all the same.
        let (this, by, name) = (self.clone(), by.clone(), model);
        let adding = tokio::spawn(async move {
            let added = added(&name, &this.change(&by, change, None).await?)?;
            this.try_in_background(added.model.clone(), added.version.clone(), None);
            Ok(added)
        });
        adding.await.map_err(|cause| OnboardError::Broken(cause.to_string()))?
    }

    /// The complete package of a candidate, all its files stored.
    pub(crate) async fn stored(
        &self,
        candidate: Candidate,
        example: Option<Vec<Input>>,
    ) -> Result<Package, OnboardError> {
        let turn = Arc::clone(&self.drafts).acquire_owned().await;
        let turn = turn.map_err(|cause| OnboardError::Broken(cause.to_string()))?;
        let serving = self.loaded.settings().serving.clone();
        let drafting = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let drafted = draft(&serving, &candidate, example);
            (candidate, drafted)
        });
        let (candidate, drafted) = drafting
            .await
            .map_err(|cause| OnboardError::Broken(cause.to_string()))?;
        let drafted = match drafted {
            // Stored without a version, and collected unless one comes: nobody has to send them twice.
            Err(OnboardError::Incomplete { problems, draft, .. }) => {
                let files = stored_files(self.put_files(&candidate.files).await?);
                return Err(OnboardError::Incomplete { problems, draft, files });
            }
            drafted => drafted?,
        };
        let broken = |cause: serde_json::Error| OnboardError::Broken(cause.to_string());
        let mut files = Vec::new();
        let manifest = serde_json::to_vec_pretty(&drafted.manifest).map_err(broken)?;
        files.push(self.put("manifest.json", manifest.into()).await?);
        if let Some(golden) = &drafted.golden {
            let golden = serde_json::to_vec(golden).map_err(broken)?;
            files.push(self.put("golden.json", golden.into()).await?);
        }
        let others = candidate.files.iter().filter(|file| file.name != "manifest.json");
        let others: Vec<_> = others.cloned().collect();
        files.extend(self.put_files(&others).await?);
        package(files)
    }

    async fn put_files(&self, files: &[CandidateFile]) -> Result<Vec<FileEntry>, OnboardError> {
        let mut entries = Vec::new();
        for file in files {
            let stored = self.store().put_file(&file.path).await?;
            entries.push(FileEntry {
                name: file.name.clone(),
                size_bytes: stored.size_bytes,
                sha256: stored.digest,
            });
        }
        Ok(entries)
    }

    pub(crate) async fn put(&self, name: &str, bytes: Bytes) -> Result<FileEntry, OnboardError> {
        let stored = self.store().put_bytes(bytes).await?;
        Ok(FileEntry {
            name: name.to_owned(),
            size_bytes: stored.size_bytes,
            sha256: stored.digest,
        })
    }

    /// Removes files that no version has, once they are older than that: an upload under way has no version yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn collect(&self, older_than: Duration) -> Result<Collected, OnboardError> {
        match self.kept().await {
            Some(keep) => Ok(self.store().collect(&keep, older_than).await?),
            None => Ok(Collected::default()),
        }
    }

    /// The same for what this machine holds of a bucket, which stays as it is.
    ///
    /// # Errors
    /// [`OnboardError::Files`].
    pub async fn collect_cache(&self, older_than: Duration) -> Result<Collected, OnboardError> {
        match self.kept().await {
            Some(keep) => Ok(self.store().collect_cache(&keep, older_than).await?),
            None => Ok(Collected::default()),
        }
    }

    /// Files of versions; none where others may have added some that are not known here yet.
    async fn kept(&self) -> Option<HashSet<Digest>> {
        let state = self.registry().state();
        let head = self.registry().log().head().await;
        if head.map(|head| head.seq).ok() != Some(state.seq) {
            return None;
        }
        let files = state.files().into_iter();
        Some(files.filter_map(|digest| digest.parse().ok()).collect())
    }

    pub(crate) async fn change(&self, by: &By, change: Change, seen: Option<u64>) -> Result<Done, ChangeError> {
        let asked = Asked {
            who: by.who.clone(),
            why: by.why.clone(),
            change,
            seen,
        };
        self.registry().change(asked).await
    }
}

/// The version that a change added.
pub(crate) fn added(model: &ModelName, done: &Done) -> Result<Added, OnboardError> {
    let version = done.entries.iter().find_map(|(_, record)| match &record.event {
        Event::VersionAdded { version, .. } => Some(version.clone()),
        _ => None,
    });
    let version = version.ok_or_else(|| OnboardError::Broken("no version was added".to_owned()))?;
    Ok(Added {
        model: model.clone(),
        version,
    })
}

/// Files as the registry knows them, with the digest over all.
pub(crate) fn package(mut files: Vec<FileEntry>) -> Result<Package, OnboardError> {
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let digest = package_digest(&files).to_string();
    let files = stored_files(files);
    Ok(Package { digest, files })
}

fn stored_files(files: Vec<FileEntry>) -> Vec<StoredFile> {
    let files = files.into_iter().map(|file| StoredFile {
        name: file.name,
        size_bytes: file.size_bytes,
        sha256: file.sha256.to_string(),
    });
    files.collect()
}
