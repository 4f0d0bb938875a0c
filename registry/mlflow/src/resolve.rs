//! From what a person names to where its files lie.

use crate::http::Failure;
use crate::location::{Place, place};
use crate::{ArtifactPath, Client, Error, Location, ModelVersion, Reference};
use serde::Deserialize;

/// Models that one run may have logged, for `runs:/`.
const MOST_OUTPUTS: usize = 1000;

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The registered version, unless the reference names a run's or a logged model.
    pub version: Option<ModelVersion>,
    /// Where its files lie.
    pub location: Location,
}

#[derive(Deserialize)]
struct DownloadUri {
    artifact_uri: String,
}

#[derive(Deserialize)]
struct Logged {
    model: LoggedModel,
}

#[derive(Deserialize)]
struct LoggedModel {
    info: LoggedInfo,
}

#[derive(Deserialize)]
struct LoggedInfo {
    #[serde(default)]
    name: String,
    artifact_uri: String,
}

#[derive(Deserialize)]
struct OneRun {
    run: Run,
}

#[derive(Deserialize)]
struct Run {
    info: RunInfo,
    #[serde(default)]
    outputs: Outputs,
}

#[derive(Deserialize)]
struct RunInfo {
    artifact_uri: String,
}

#[derive(Default, Deserialize)]
struct Outputs {
    #[serde(default)]
    model_outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    model_id: String,
}

impl Client {
    /// The version a reference names, and where its files lie.
    ///
    /// # Errors
    ///
    /// [`Error::NoModel`], [`Error::NoVersion`], [`Error::NoAlias`], [`Error::NotFound`], [`Error::Location`], and as
    /// for every call.
    pub async fn resolve(&self, reference: &Reference) -> Result<Resolved, Error> {
        let version = match reference {
            Reference::Alias { model, alias } => self.version_by_alias(model, alias).await?,
            Reference::Version { model, version } => self.version(model, *version).await?,
            Reference::Logged { id } => {
                return Ok(Resolved {
                    version: None,
                    location: self.in_logged(id).await?,
                });
            }
            Reference::Run { run, path } => {
                return Ok(Resolved {
                    version: None,
                    location: self.in_run(run, path).await?,
                });
            }
        };
        let location = self.location(&version).await?;
        Ok(Resolved {
            version: Some(version),
            location,
        })
    }

    /// Where the files of a version lie.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Location`], and as for every call.
    pub async fn location(&self, version: &ModelVersion) -> Result<Location, Error> {
        let number = version.version.to_string();
        let query = [("name", version.name.as_str()), ("version", number.as_str())];
        let answer: DownloadUri = match self.http.call("model-versions/get-download-uri", &query).await {
            Err(Failure::Denied { denied, .. }) if denied.is_missing() => {
                return Err(Error::NoVersion {
                    model: version.name.clone(),
                    version: version.version,
                });
            }
            other => other?,
        };
        // MLflow hands some sources out as they were registered.
        if answer.artifact_uri.starts_with("runs:/") || answer.artifact_uri.starts_with("models:/") {
            return match answer.artifact_uri.parse()? {
                Reference::Logged { id } => self.in_logged(&id).await,
                Reference::Run { run, path } => self.in_run(&run, &path).await,
                Reference::Alias { .. } | Reference::Version { .. } => Err(Error::Location {
                    uri: answer.artifact_uri,
                    why: "the version is a copy that names another one; name that one".to_owned(),
                }),
            };
        }
        self.at(&answer.artifact_uri)
    }

    async fn in_logged(&self, id: &str) -> Result<Location, Error> {
        self.at(&self.logged(id).await?.artifact_uri)
    }

    async fn logged(&self, id: &str) -> Result<LoggedInfo, Error> {
        let answer = self.http.call(&format!("logged-models/{id}"), &[]).await;
        match answer {
            Ok(Logged { model }) => Ok(model.info),
            Err(Failure::Denied { denied, .. }) if denied.is_missing() => Err(Error::NotFound {
                what: format!("logged model {id}"),
            }),
            Err(failure) => Err(failure.into()),
        }
    }

    /// A model of a run: since MLflow 3 a logged model of that name, before that a folder among its artifacts.
    async fn in_run(&self, run: &str, path: &ArtifactPath) -> Result<Location, Error> {
        let answer: OneRun = match self.http.call("runs/get", &[("run_id", run)]).await {
            Err(Failure::Denied { denied, .. }) if denied.is_missing() => {
                return Err(Error::NotFound {
                    what: format!("run {run}"),
                });
            }
            other => other?,
        };
        for output in answer.run.outputs.model_outputs.iter().rev().take(MOST_OUTPUTS) {
            let logged = self.logged(&output.model_id).await?;
            if logged.name == path.as_str() {
                return self.at(&logged.artifact_uri);
            }
        }
        self.at(&format!(
            "{}/{path}",
            answer.run.info.artifact_uri.trim_end_matches('/')
        ))
    }

    fn at(&self, uri: &str) -> Result<Location, Error> {
        let source = self.http.source();
        let place = place(uri, &source.url)?;
        if let Place::Folder(path) = &place {
            // Said now rather than at the listing, so that a rule that can never work is seen at once.
            crate::folder::Folder::open(path, &source.artifact_roots)?;
        }
        Ok(Location(place))
    }
}
