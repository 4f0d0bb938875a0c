//! What lies in a model's folder.

use crate::folder::Folder;
use crate::http::{Failure, Http};
use crate::location::Place;
use crate::registered::number;
use crate::{ArtifactPath, Error, Location};
use serde::Deserialize;

/// Files of one model; a model with external data has hundreds.
pub(crate) const MOST_FILES: usize = 10_000;
/// Folders within folders.
pub(crate) const DEEPEST: usize = 32;

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Below the model's folder.
    pub path: ArtifactPath,
    /// Bytes, as listed.
    pub bytes: u64,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    files: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    #[serde(default)]
    is_dir: bool,
    #[serde(default, deserialize_with = "number")]
    file_size: u64,
}

/// All files below a location, sorted by path.
pub(crate) async fn files(http: &Http, location: &Location) -> Result<Vec<RemoteFile>, Error> {
    let mut files = match &location.0 {
        Place::Proxy(root) => proxied(http, root).await?,
        Place::Folder(path) => {
            let folder = Folder::open(path, &http.source().artifact_roots)?;
            tokio::task::spawn_blocking(move || folder.files())
                .await
                .map_err(|cause| Error::Io {
                    path: path.clone(),
                    cause: std::io::Error::other(cause),
                })??
        }
    };
    if files.is_empty() {
        return Err(Error::NotFound {
            what: format!("file at {location}"),
        });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

async fn proxied(http: &Http, root: &ArtifactPath) -> Result<Vec<RemoteFile>, Error> {
    let mut files = Vec::new();
    let mut seen = 0;
    let mut folders: Vec<(Option<ArtifactPath>, usize)> = vec![(None, 0)];
    while let Some((below, depth)) = folders.pop() {
        let folder = match &below {
            None => root.clone(),
            Some(below) => root.join(below.as_str())?,
        };
        let url = http.address(&["api/2.0/mlflow-artifacts/artifacts"], &[("path", folder.as_str())]);
        let answer: Answer = http.json(url).await.map_err(|failure| match failure {
            Failure::Denied { denied, .. } if denied.is_missing() => Error::NotFound {
                what: format!("folder mlflow-artifacts:/{folder}"),
            },
            failure => failure.into(),
        })?;
        for entry in answer.files {
            let path = match &below {
                None => ArtifactPath::new(&entry.path)?,
                Some(below) => below.join(&entry.path)?,
            };
            seen += 1;
            check_extent(root.as_str(), seen, depth)?;
            if entry.is_dir {
                folders.push((Some(path), depth + 1));
            } else {
                files.push(RemoteFile {
                    path,
                    bytes: entry.file_size,
                });
            }
        }
    }
    Ok(files)
}

/// Refuses a folder of too many entries or folders in folders.
pub(crate) fn check_extent(what: &str, entries: usize, depth: usize) -> Result<(), Error> {
    if entries > MOST_FILES || depth > DEEPEST {
        return Err(Error::TooLarge {
            what: format!("the folder {what}"),
            limit: format!("{MOST_FILES} entries, {DEEPEST} deep"),
        });
    }
    Ok(())
}
