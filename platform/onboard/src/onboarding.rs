//! From candidate to verdict.

use crate::candidate::{Candidate, CandidateFile};
use crate::draft::draft;
use crate::error::OnboardError;
use crate::golden::Input;
use crate::pull::mlflow_folder;
use crate::sources::Sources;
use crate::verify::Verdict;
use bytes::Bytes;
use einthoven_registry::{Asked, ChangeError, Done, Registry};
use einthoven_registry_files::{Collected, Digest, FileEntry, Store, package_digest};
use einthoven_registry_mlflow::Error as MlflowError;
use einthoven_registry_state::{
    Change, Event, Model, ModelName, Origin, Package, Phase, Refusal, StoredFile, Version, VersionName,
};
use einthoven_serving::Loaded;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest pause until something of ours that failed is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Brings versions in; cheap to clone.
#[derive(Clone)]
pub struct Onboarding {
    loaded: Loaded,
    /// Trials at once: each uses the whole machine to measure.
    trials: Arc<Semaphore>,
    /// Drafts at once: each holds the network's files in memory.
    drafts: Arc<Semaphore>,
    pub(crate) sources: Arc<Sources>,
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
        }
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

    /// Tries a version in the background; then promotes it, where `promote` says so.
    pub(crate) fn try_in_background(&self, model: ModelName, version: VersionName, promote: Option<By>) {
        let this = self.clone();
        tokio::spawn(async move {
            if let Err(cause) = this.tried(&model, &version, promote).await {
                tracing::error!("the trial of {model}/{version} broke off: {cause}");
            }
        });
    }

    async fn tried(&self, model: &ModelName, version: &VersionName, promote: Option<By>) -> Result<(), OnboardError> {
        let _turn = self
            .trials
            .acquire()
            .await
            .map_err(|cause| OnboardError::Broken(cause.to_string()))?;
        let state = self.registry().state();
        // Deleted while it waited.
        let Ok(found) = state.model(model).and_then(|model| model.version(version)) else {
            return Ok(());
        };
        let origin = found.origin.clone();
        let by = By::system("it was tried on every engine");
        let (model, version) = (model.clone(), version.clone());
        let Some(verdict) = self.verdict(&model, found).await else {
            return Ok(());
        };
        let change = match verdict {
            Verdict::Ready(verified) => Change::Verified {
                model: model.clone(),
                version: version.clone(),
                verified,
            },
            Verdict::Rejected(rejection) => Change::Reject {
                model: model.clone(),
                version: version.clone(),
                rejection,
            },
        };
        let ready = matches!(change, Change::Verified { .. });
        if !self.pronounce(&by, change, &model, found).await? {
            return Ok(());
        }
        // An alias that has moved on meanwhile wants another one.
        if let Some(by) = promote.filter(|_| ready && !self.sources.has_left(&origin)) {
            self.promote(&by, &model, &version, None).await?;
        }
        Ok(())
    }

    /// A verdict, however often our own storage fails before there is one; none when the version is deleted meanwhile.
    async fn verdict(&self, model: &ModelName, version: &Version) -> Option<Verdict> {
        let mut pause = Duration::from_secs(1);
        loop {
            tokio::select! {
                judged = self.judge(model, version) => match judged {
                    Ok(verdict) => return Some(verdict),
                    Err(cause) => tracing::error!("{} is tried again: {cause}", version.title(model)),
                },
                () = self.gone(model, version) => return None,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits until a version is deleted.
    pub(crate) async fn gone(&self, model: &ModelName, version: &Version) {
        let mut changed = self.registry().changed();
        while self.is_there(model, version) && changed.changed().await.is_ok() {}
    }

    /// Whether that very version is there, and no other of its name.
    fn is_there(&self, model: &ModelName, version: &Version) -> bool {
        let state = self.registry().state();
        let there = state.model(model).and_then(|model| model.version(&version.name));
        there.is_ok_and(|there| there.added_seq == version.added_seq)
    }

    /// Writes a verdict down, unless what was judged is gone: another version may have its name by now. Says whether it was.
    pub(crate) async fn pronounce(
        &self,
        by: &By,
        verdict: Change,
        model: &ModelName,
        judged: &Version,
    ) -> Result<bool, OnboardError> {
        let mut pause = Duration::from_secs(1);
        loop {
            let state = self.registry().state();
            let Ok(found) = state.model(model) else {
                return Ok(false);
            };
            if !self.is_there(model, judged) {
                return Ok(false);
            }
            match self.change(by, verdict.clone(), Some(found.revision)).await {
                Err(ChangeError::Refused(Refusal::ChangedMeanwhile { .. })) => {}
                // The log is away for a while; the verdict stands.
                Err(cause @ (ChangeError::Log(_) | ChangeError::Unknown(_))) => {
                    tracing::error!("the verdict on {} waits: {cause}", judged.title(model));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                done => return done.map(|_| true).map_err(Into::into),
            }
        }
    }

    /// Loads a version here, then lets it answer: between two requests, with nothing dropped. What answered before goes on
    /// until then, and for ever where the load fails.
    ///
    /// # Errors
    /// Why it does not load, or why the registry says no.
    pub async fn promote(
        &self,
        by: &By,
        model: &ModelName,
        version: &VersionName,
        seen: Option<u64>,
    ) -> Result<Done, OnboardError> {
        let change = Change::Promote {
            model: model.clone(),
            version: version.clone(),
        };
        let state = self.registry().state();
        let found = state.model(model)?;
        // What is refused anyway, or only proposed, loads nothing.
        let events = state.decide(&by.who, change.clone())?;
        let changes = |event: &Event| matches!(event, Event::TrafficChanged { .. });
        if seen.is_none_or(|seen| seen == found.revision) && events.iter().any(changes) {
            self.loaded.load(model, found.version(version)?).await?;
        }
        Ok(self.change(by, change, seen).await?)
    }

    /// The previous traffic again, loaded before it answers.
    ///
    /// # Errors
    /// As for [`Onboarding::promote`].
    pub async fn roll_back(&self, by: &By, model: &ModelName, seen: Option<u64>) -> Result<Done, OnboardError> {
        loop {
            let state = self.registry().state();
            let found = state.model(model)?;
            for version in found.past.last().iter().flat_map(|traffic| traffic.versions()) {
                self.loaded.load(model, found.version(version)?).await?;
            }
            // What was loaded must be what comes back.
            let pinned = seen.or(Some(found.revision));
            match self.change(by, Change::RollBack { model: model.clone() }, pinned).await {
                Err(ChangeError::Refused(Refusal::ChangedMeanwhile { .. })) if seen.is_none() => {}
                done => return Ok(done?),
            }
        }
    }

    /// Waits until a version is neither being fetched nor tried, for as long as that; gives how far it is then.
    ///
    /// # Errors
    /// When it is deleted meanwhile.
    pub async fn settled(&self, added: &Added, longest: Duration) -> Result<Phase, OnboardError> {
        let mut changed = self.registry().changed();
        let end = tokio::time::Instant::now() + longest;
        loop {
            let state = self.registry().state();
            let phase = state.model(&added.model)?.version(&added.version)?.phase.clone();
            if !matches!(phase, Phase::Fetching | Phase::Verifying) {
                return Ok(phase);
            }
            match tokio::time::timeout_at(end, changed.changed()).await {
                Ok(Ok(())) => {}
                _ => return Ok(phase),
            }
        }
    }

    /// Takes up what an earlier process left half done: versions that were being fetched or tried.
    pub async fn resume(&self) {
        let state = self.registry().state();
        for model in state.models.values() {
            for version in model.versions.values() {
                match version.phase {
                    Phase::Verifying => {
                        let promote = followed(version);
                        self.try_in_background(model.name.clone(), version.name.clone(), promote);
                    }
                    Phase::Ready(_) if never_promoted(model, version) => {
                        let (this, model, version) = (self.clone(), model.name.clone(), Arc::clone(version));
                        tokio::spawn(async move { this.promote_followed(&model, &version).await });
                    }
                    Phase::Fetching => self.fetch_in_background(model.name.clone(), version.name.clone()),
                    _ => {}
                }
            }
        }
    }

    async fn promote_followed(&self, model: &ModelName, version: &Version) {
        if let Some(by) = followed(version)
            && let Err(cause) = self.promote(&by, model, &version.name, None).await
        {
            tracing::error!("{} was not promoted: {cause}", version.title(model));
        }
    }

    /// Removes files that no version has, once they are older than that: an upload under way has no version yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn collect(&self, older_than: Duration) -> Result<Collected, OnboardError> {
        let state = self.registry().state();
        let head = self.registry().log().head().await;
        // Others may have added versions that are not known here yet.
        if head.map(|head| head.seq).ok() != Some(state.seq) {
            return Ok(Collected::default());
        }
        let keep: HashSet<Digest> = state
            .files()
            .into_iter()
            .filter_map(|digest| digest.parse().ok())
            .collect();
        Ok(self.store().collect(&keep, older_than).await?)
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

/// Who promotes a version once it is ready, where it was asked for so: whoever brought it.
pub(crate) fn followed(version: &Version) -> Option<By> {
    match version.origin {
        Origin::Mlflow { promote: true, .. } => Some(By {
            who: version.added_by.clone(),
            why: "it was to answer as soon as it is ready".to_owned(),
        }),
        _ => None,
    }
}

/// Whether a version was to answer once ready, and an earlier process ended before it did: nothing was decided since.
fn never_promoted(model: &Model, version: &Version) -> bool {
    let decided = model
        .history
        .last()
        .is_some_and(|change| change.seq > version.added_seq);
    !decided && model.proposal.is_none() && followed(version).is_some()
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
