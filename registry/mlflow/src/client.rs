//! The client: what MLflow's registry holds, and downloads.

use crate::download::{self, Downloaded, Expected};
use crate::http::{Failure, Http};
use crate::listing::{self, RemoteFile};
use crate::{Error, Location, ModelVersion, Networks, RegisteredModel, Source};
use bytes::Bytes;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

/// Items asked for at once; MLflow allows up to 1000 models.
const PAGE: u32 = 200;
/// Items after which a listing is taken for endless.
const MOST_ITEMS: usize = 1_000_000;
/// Speaks to one MLflow server. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: Arc<Http>,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In the server's order.
    pub items: Vec<T>,
    /// What to ask for the next part with; `None` after the last.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Models {
    #[serde(default)]
    registered_models: Vec<RegisteredModel>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    model_versions: Vec<ModelVersion>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct OneModel {
    registered_model: RegisteredModel,
}

#[derive(Deserialize)]
struct OneVersion {
    model_version: ModelVersion,
}

impl Client {
    /// Reads certificates and makes the connections' settings; asks the server nothing. It is reached wherever it is, except by
    /// addresses that no server has.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`], or [`Error::Io`] for a certificate's file.
    pub fn new(source: &Source) -> Result<Self, Error> {
        Self::within(source, Networks::default())
    }

    /// The same in these networks alone, whatever its name resolves to at the time.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`], or [`Error::Io`] for a certificate's file.
    pub fn within(source: &Source, networks: Networks) -> Result<Self, Error> {
        Ok(Self {
            http: Arc::new(Http::new(source, networks)?),
        })
    }

    /// The settings it was made with.
    #[must_use]
    pub fn source(&self) -> &Source {
        self.http.source()
    }

    /// Whether the server answers at all; it needs no credentials.
    ///
    /// # Errors
    ///
    /// As for every call.
    pub async fn health(&self) -> Result<(), Error> {
        self.http.body(&self.http.address(&["health"], &[]), 4096).await?;
        Ok(())
    }

    /// MLflow's version, as `3.17.2`.
    ///
    /// # Errors
    ///
    /// As for every call.
    pub async fn server_version(&self) -> Result<String, Error> {
        let body = self.http.body(&self.http.address(&["version"], &[]), 4096).await?;
        Ok(String::from_utf8_lossy(&body).trim().to_owned())
    }

    /// Some registered models; `filter` in MLflow's language, such as `name LIKE 'ecg%'`.
    ///
    /// # Errors
    ///
    /// As for every call.
    pub async fn models_page(
        &self,
        filter: Option<&str>,
        size: u32,
        token: Option<&str>,
    ) -> Result<Page<RegisteredModel>, Error> {
        let size = size.to_string();
        let mut query = vec![("max_results", size.as_str())];
        query.extend(filter.map(|filter| ("filter", filter)));
        query.extend(token.map(|token| ("page_token", token)));
        let answer: Models = self.http.call("registered-models/search", &query).await?;
        Ok(Page {
            items: answer.registered_models,
            next: answer.next_page_token.filter(|token| !token.is_empty()),
        })
    }

    /// All registered models, page after page.
    ///
    /// # Errors
    ///
    /// As for every call.
    pub async fn models(&self, filter: Option<&str>) -> Result<Vec<RegisteredModel>, Error> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.models_page(filter, PAGE, token.as_deref()).await?;
            all.extend(page.items);
            match next(token.as_deref(), page.next, all.len())? {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// One registered model, with its aliases and tags.
    ///
    /// # Errors
    ///
    /// [`Error::NoModel`], and as for every call.
    pub async fn model(&self, model: &str) -> Result<RegisteredModel, Error> {
        match self.http.call("registered-models/get", &[("name", model)]).await {
            Ok(OneModel { registered_model }) => Ok(registered_model),
            Err(Failure::Denied { denied, .. }) if denied.is_missing() => Err(Error::NoModel {
                model: model.to_owned(),
            }),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Some versions of a model; they carry no aliases.
    ///
    /// # Errors
    ///
    /// As for every call; a model that does not exist has no versions.
    pub async fn versions_page(
        &self,
        model: &str,
        size: u32,
        token: Option<&str>,
    ) -> Result<Page<ModelVersion>, Error> {
        let filter = match (model.contains('\''), model.contains('"')) {
            (false, _) => format!("name='{model}'"),
            (true, false) => format!("name=\"{model}\""),
            (true, true) => {
                return Err(Error::Reference {
                    given: model.to_owned(),
                    why: "MLflow cannot search for a name with both kinds of quotes".to_owned(),
                });
            }
        };
        let size = size.to_string();
        let mut query = vec![("filter", filter.as_str()), ("max_results", size.as_str())];
        query.extend(token.map(|token| ("page_token", token)));
        let answer: Versions = self.http.call("model-versions/search", &query).await?;
        Ok(Page {
            items: answer.model_versions,
            next: answer.next_page_token.filter(|token| !token.is_empty()),
        })
    }

    /// All versions of a model, the lowest number first; they carry no aliases.
    ///
    /// # Errors
    ///
    /// As for every call; a model that does not exist has no versions.
    pub async fn versions(&self, model: &str) -> Result<Vec<ModelVersion>, Error> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.versions_page(model, PAGE, token.as_deref()).await?;
            all.extend(page.items);
            match next(token.as_deref(), page.next, all.len())? {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        all.sort_by_key(|version| version.version);
        Ok(all)
    }

    /// One version, with its aliases and tags.
    ///
    /// # Errors
    ///
    /// [`Error::NoModel`], [`Error::NoVersion`], and as for every call.
    pub async fn version(&self, model: &str, version: u64) -> Result<ModelVersion, Error> {
        let number = version.to_string();
        let query = [("name", model), ("version", number.as_str())];
        match self.http.call("model-versions/get", &query).await {
            Ok(OneVersion { model_version }) => Ok(model_version),
            Err(Failure::Denied { denied, .. }) if denied.is_missing() => {
                self.model(model).await?;
                Err(Error::NoVersion {
                    model: model.to_owned(),
                    version,
                })
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// The version an alias points at.
    ///
    /// # Errors
    ///
    /// [`Error::NoModel`], [`Error::NoAlias`], and as for every call.
    pub async fn version_by_alias(&self, model: &str, alias: &str) -> Result<ModelVersion, Error> {
        let query = [("name", model), ("alias", alias)];
        match self.http.call("registered-models/alias", &query).await {
            Ok(OneVersion { model_version }) => Ok(model_version),
            // MLflow answers 400 where only the alias is missing.
            Err(Failure::Denied { url, denied }) => {
                let known = self.model(model).await?;
                if known.aliases.contains_key(alias) {
                    return Err(Failure::Denied { url, denied }.into());
                }
                Err(Error::NoAlias {
                    model: model.to_owned(),
                    alias: alias.to_owned(),
                })
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// All files at a location with their sizes, sorted by path.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for none, [`Error::Path`], [`Error::Location`], [`Error::TooLarge`], and as for every call.
    pub async fn files(&self, location: &Location) -> Result<Vec<RemoteFile>, Error> {
        listing::files(&self.http, location).await
    }

    /// The content of a small file, such as `MLmodel`.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] above `limit` bytes, [`Error::Length`] when it is not as long as listed, and as for every call.
    pub async fn read(&self, location: &Location, file: &RemoteFile, limit: usize) -> Result<Bytes, Error> {
        download::read(&self.http, location, file, limit).await
    }

    /// Streams a file to the path `to`, whose folder exists. The name `to` appears when all bytes are there and right;
    /// until then they are in `to` with `.part` added, from where a later call goes on.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], [`Error::Length`], [`Error::Checksum`], [`Error::Io`], and as for every call.
    pub async fn download(
        &self,
        location: &Location,
        file: &RemoteFile,
        to: &Path,
        expected: &Expected,
    ) -> Result<Downloaded, Error> {
        download::download(&self.http, location, file, to, expected).await
    }

    /// Downloads files into `folder`, with their folders below it, if together they have at most `most_bytes`.
    ///
    /// # Errors
    ///
    /// As [`Client::download`].
    pub async fn download_all(
        &self,
        location: &Location,
        files: &[RemoteFile],
        folder: &Path,
        most_bytes: u64,
    ) -> Result<Vec<Downloaded>, Error> {
        let total = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        if total > most_bytes {
            return Err(Error::TooLarge {
                what: format!("{location} with {total} bytes"),
                limit: format!("{most_bytes} bytes"),
            });
        }
        let mut done = Vec::with_capacity(files.len());
        for file in files {
            let to = folder.join(file.path.as_str());
            if let Some(parent) = to.parent() {
                tokio::fs::create_dir_all(parent).await.map_err(|cause| Error::Io {
                    path: parent.to_owned(),
                    cause,
                })?;
            }
            done.push(
                self.download(location, file, &to, &Expected::at_most(most_bytes))
                    .await?,
            );
        }
        Ok(done)
    }
}

/// The next page's token, unless the server goes round in circles.
fn next(asked: Option<&str>, next: Option<String>, items: usize) -> Result<Option<String>, Error> {
    if next.is_some() && (next.as_deref() == asked || items > MOST_ITEMS) {
        return Err(Error::Answer {
            url: "a listing".to_owned(),
            why: "its pages do not end".to_owned(),
        });
    }
    Ok(next)
}
