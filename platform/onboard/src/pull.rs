//! Bringing a version from MLflow: announced, fetched to disk, drafted, stored, tried. What is not whole is never visible.

use crate::candidate::{Candidate, CandidateFile, Stated};
use crate::error::OnboardError;
use crate::golden::Input;
use crate::onboarding::{Added, By, Onboarding, added};
use crate::remedy::rejection;
use crate::resume::followed;
use einthoven_registry::ChangeError;
use einthoven_registry_mlflow::{
    ArtifactPath, Client, Error as MlflowError, ExampleTensor, MlModel, Reference, RemoteFile, Resolved, example,
    servable,
};
use einthoven_registry_state::{Change, ModelName, Origin, Package, Refusal, SourceName, Step, VersionName};
use serde_json::{Map, Value};
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes of one version's files at most: 16 GiB.
const MOST_BYTES: u64 = 16 << 30;

/// Bytes of an input example at most.
const LONGEST_EXAMPLE: usize = 16 << 20;

/// How long a version is waited for while MLflow does not answer: over a night and a weekend.
const PATIENCE: Duration = Duration::from_secs(3 * 24 * 3600);

/// How long it is waited for while answers have another length than MLflow lists: a proxy on the way does that for a
/// moment, a damaged store for ever.
const PATIENCE_WITH_LENGTHS: Duration = Duration::from_secs(60);

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Tags and metadata that state fields of the manifest begin like this.
const PREFIX: &str = "einthoven.";

/// What is to be pulled.
#[derive(Debug, Clone)]
pub struct Pull {
    /// From where.
    pub source: SourceName,
    /// `NAME@ALIAS`, `NAME/3`, `models:/...`, `runs:/...`.
    pub reference: String,
    /// The model here; the same as there unless given.
    pub into: Option<ModelName>,
    /// Fields of the manifest that the files do not tell.
    pub stated: Map<String, Value>,
    /// Whether it answers as soon as it is ready.
    pub promote: bool,
}

impl Onboarding {
    /// Announces a version of MLflow's and fetches it in the background. One that is here already is not fetched again.
    ///
    /// # Errors
    /// When MLflow has no such version, or the registry says no.
    pub async fn pull(&self, by: &By, pull: Pull) -> Result<Added, OnboardError> {
        let stated = Stated::from_object(pull.stated).map_err(|problem| OnboardError::Incomplete {
            problems: vec![problem],
            draft: Value::Null,
            files: Vec::new(),
        })?;
        let source = std::sync::Arc::clone(self.registry().state().source(&pull.source)?);
        let reference: Reference = pull.reference.parse()?;
        let resolved = self.client(&source)?.resolve(&reference).await?;
        let (name, number, run_id) = match &resolved.version {
            Some(version) => (
                version.name.clone(),
                version.version.to_string(),
                version.run_id.clone(),
            ),
            None => (String::new(), pull.reference.clone(), None),
        };
        self.sources.wanted(&pull.source, &name, &number);
        let into = pull.into.map_or_else(|| name.parse(), Ok).map_err(|cause| {
            let cause = format!("{cause}; say in `into` what the model is called here");
            OnboardError::NotAVersion(cause)
        })?;
        let origin = Origin::Mlflow {
            source: pull.source,
            model: name,
            version: number.clone(),
            run_id,
            manifest: stated.0,
            promote: pull.promote,
        };
        let version = self.free_name(&into, &number);
        let add = Change::AddVersion {
            model: into.clone(),
            version: version.clone(),
            origin,
            package: None,
        };
        // Whoever asked may leave: what is written down is fetched all the same.
        let (this, by) = (self.clone(), by.clone());
        let adding = tokio::spawn(async move {
            match this.change(&by, add, None).await {
                Ok(done) => {
                    let added = added(&into, &done)?;
                    this.fetch_in_background(added.model.clone(), added.version.clone());
                    Ok(added)
                }
                Err(ChangeError::Refused(Refusal::SameOrigin { model, version })) => Ok(Added { model, version }),
                Err(cause) => Err(cause.into()),
            }
        });
        adding.await.map_err(|cause| OnboardError::Broken(cause.to_string()))?
    }

    /// MLflow's number, where no version here has it; else the next free one like it.
    fn free_name(&self, model: &ModelName, number: &str) -> Option<VersionName> {
        let state = self.registry().state();
        let taken = |name: &VersionName| {
            state
                .models
                .get(model)
                .is_some_and(|model| model.versions.contains_key(name))
        };
        let name: VersionName = number.parse().ok()?;
        if !taken(&name) {
            return Some(name);
        }
        let again = (2..1000).filter_map(|count| format!("{number}-{count}").parse().ok());
        again.into_iter().find(|name| !taken(name))
    }

    /// Fetches an announced version, however long MLflow is away, within bounds; then tries it.
    pub(crate) fn fetch_in_background(&self, model: ModelName, version: VersionName) {
        let this = self.clone();
        tokio::spawn(async move {
            if let Err(cause) = this.fetched(&model, &version).await {
                tracing::error!("{model}/{version} was not fetched: {cause}");
            }
        });
    }

    async fn fetched(&self, model: &ModelName, version: &VersionName) -> Result<(), OnboardError> {
        let state = self.registry().state();
        let found = state.model(model)?.version(version)?;
        let Origin::Mlflow { source, .. } = &found.origin else {
            return Ok(());
        };
        let title = found.title(model);
        let done = tokio::select! {
            done = self.fetch_patiently(source, &title, &found.origin) => done,
            // Deleted meanwhile: nobody waits any more.
            () = self.gone(model, found) => return Ok(()),
        };
        self.note(source, |status| drop(status.waiting.remove(&title)));
        let by = By::system("its files came from MLflow");
        let (model, version) = (model.clone(), version.clone());
        match done {
            Ok(package) => {
                let fetched = Change::Fetched {
                    model: model.clone(),
                    version: version.clone(),
                    package,
                };
                if self.pronounce(&by, fetched, &model, found).await? {
                    self.try_in_background(model, version, followed(found));
                }
            }
            Err(cause) => {
                let step = match cause {
                    OnboardError::Incomplete { .. } => Step::Manifest,
                    OnboardError::Unloadable(_) => Step::Load,
                    _ => Step::Fetch,
                };
                let reject = Change::Reject {
                    model: model.clone(),
                    version,
                    rejection: rejection(step, cause.to_string()),
                };
                self.pronounce(&by, reject, &model, found).await?;
            }
        }
        Ok(())
    }

    /// Fetches until it is done or cannot be.
    async fn fetch_patiently(
        &self,
        source: &SourceName,
        title: &str,
        origin: &Origin,
    ) -> Result<Package, OnboardError> {
        let (start, mut pause) = (Instant::now(), Duration::from_millis(500));
        let at = self.sources.turn(source);
        loop {
            let turn = at.fetches.acquire().await;
            let turn = turn.map_err(|cause| OnboardError::Broken(cause.to_string()))?;
            let done = self.fetch(origin).await;
            drop(turn);
            match done {
                Err(cause) if start.elapsed() < patience(&cause) => {
                    tracing::warn!("{title} waits: {cause}");
                    self.note(source, |status| {
                        drop(status.waiting.insert(title.to_owned(), cause.to_string()));
                    });
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = self.sources.answers_again.notified() => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                done => return done,
            }
        }
    }

    async fn fetch(&self, origin: &Origin) -> Result<Package, OnboardError> {
        let Origin::Mlflow {
            source,
            model,
            version,
            manifest,
            ..
        } = origin
        else {
            return Err(OnboardError::NotAVersion("it does not come from MLflow".to_owned()));
        };
        let source = std::sync::Arc::clone(self.registry().state().source(source)?);
        let client = self.client(&source)?;
        let reference = if model.is_empty() {
            version.clone()
        } else {
            format!("models:/{model}/{version}")
        };
        let resolved = client.resolve(&reference.parse()?).await?;
        let folder = tempfile::tempdir_in(self.store().incoming()).map_err(|cause| OnboardError::Read {
            name: self.store().incoming().display().to_string(),
            cause: cause.to_string(),
        })?;
        let mut candidate = download(&client, &resolved, folder.path()).await?;
        candidate.stated = Stated(manifest.clone());
        if let Some(version) = &resolved.version {
            candidate.stated.complete_from(&from_tags(version.tags.iter()));
        }
        let (candidate, example) = mlflow_folder(candidate)?;
        self.stored(candidate, example).await
    }
}

/// How long what went wrong may go on going wrong. A token may be rotated while it is refused; our own disk may be full.
fn patience(cause: &OnboardError) -> Duration {
    match cause {
        OnboardError::Mlflow(MlflowError::Length { .. }) => PATIENCE_WITH_LENGTHS,
        OnboardError::Mlflow(MlflowError::Unauthorised { .. } | MlflowError::Forbidden { .. }) => PATIENCE,
        OnboardError::Mlflow(cause) if cause.is_passing() => PATIENCE,
        OnboardError::Files(_) | OnboardError::Read { .. } | OnboardError::Broken(_) => PATIENCE,
        _ => Duration::ZERO,
    }
}

/// The files of a version that can be served, in a folder.
async fn download(client: &Client, resolved: &Resolved, folder: &Path) -> Result<Candidate, OnboardError> {
    let location = &resolved.location;
    let all = client.files(location).await?;
    let file = all.iter().find(|file| file.path.as_str() == MlModel::FILE);
    let wanted = match file {
        Some(file) => {
            let model = MlModel::parse(&client.read(location, file, MlModel::LONGEST).await?)?;
            servable(&model, &all)?
        }
        // Files that were registered without a flavour: a manifest says what they are.
        None if all.iter().any(|file| file.path.as_str() == "manifest.json") => all,
        None => {
            let detail = "there is no MLmodel and no manifest.json among its files; log it with mlflow.onnx.log_model, or add one";
            return Err(OnboardError::NotAVersion(detail.to_owned()));
        }
    };
    client.download_all(location, &wanted, folder, MOST_BYTES).await?;
    let mut files: Vec<_> = wanted
        .iter()
        .map(|file| CandidateFile {
            name: file.path.as_str().to_owned(),
            path: folder.join(file.path.as_str()),
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Candidate {
        files,
        stated: Stated::default(),
    })
}

/// Where the files are a model as MLflow writes it: those of them that can be served, with what its metadata states and
/// its input example. Any other candidate stays as it is.
pub(crate) fn mlflow_folder(mut candidate: Candidate) -> Result<(Candidate, Option<Vec<Input>>), OnboardError> {
    let Some(file) = candidate.file(MlModel::FILE).cloned() else {
        return Ok((candidate, None));
    };
    let read = |path: &Path, name: &str| {
        std::fs::read(path).map_err(|cause| OnboardError::Read {
            name: name.to_owned(),
            cause: cause.to_string(),
        })
    };
    let model = MlModel::parse(&read(&file.path, &file.name)?)?;
    let listed = candidate.files.iter().map(|file| {
        let length = std::fs::metadata(&file.path).map_or(0, |found| found.len());
        Ok(RemoteFile {
            path: ArtifactPath::new(&file.name)?,
            bytes: length,
        })
    });
    let listed = listed.collect::<Result<Vec<_>, MlflowError>>()?;
    let kept = servable(&model, &listed)?;
    if let Some(metadata) = model.metadata.as_ref().and_then(Value::as_object) {
        let texts = metadata.iter().map(|(key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (key.clone(), text)
        });
        let texts: Vec<_> = texts.collect();
        candidate
            .stated
            .complete_from(&from_tags(texts.iter().map(|(key, text)| (key, text))));
    }
    let example = match model.example_path()? {
        Some(path) => match candidate.file(path.as_str()) {
            Some(file) if std::fs::metadata(&file.path).is_ok_and(|found| found.len() <= LONGEST_EXAMPLE as u64) => {
                let tensors = example(&read(&file.path, &file.name)?, &model);
                tensors.ok().map(|tensors| tensors.into_iter().map(input).collect())
            }
            _ => None,
        },
        None => None,
    };
    candidate
        .files
        .retain(|file| kept.iter().any(|kept| kept.path.as_str() == file.name));
    Ok((candidate, example))
}

fn input(tensor: ExampleTensor) -> Input {
    Input {
        dtype: einthoven_plugin_host::DType::F32,
        name: tensor.name.unwrap_or_default(),
        dims: tensor.shape,
        values: tensor.values.iter().map(|value| *value as f32).collect(),
    }
}

/// Fields that tags state, as `einthoven.recipe`; other tags are not ours.
fn from_tags<'a>(tags: impl Iterator<Item = (&'a String, &'a String)>) -> Stated {
    let mut stated = Stated::default();
    for (key, text) in tags {
        if let Some(field) = key.strip_prefix(PREFIX)
            && let Err(problem) = stated.set(field, text)
        {
            tracing::warn!("the tag `{key}` is left out: {}", problem.detail);
        }
    }
    stated
}
