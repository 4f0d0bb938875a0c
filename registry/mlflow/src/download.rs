//! Files from MLflow to the local disk: streamed, resumed after a cut, counted, hashed, and named only when whole.

use crate::folder::Folder;
use crate::http::{Failure, Http, broken, pause, shown};
use crate::listing::RemoteFile;
use crate::location::Place;
use crate::{Error, Location};
use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Response, StatusCode};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use url::Url;

/// Bytes read at once when a part is hashed or a local file copied.
const PIECE: usize = 256 << 10;
/// Bytes a request must bring for the count of failures to start anew, so that a wire that drips is given up.
const PROGRESS: u64 = 64 << 10;

/// What a file must be to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Bytes at most.
    pub most_bytes: u64,
    /// The SHA-256, where an earlier download or a manifest gave it.
    pub sha256: Option<[u8; 32]>,
}

impl Expected {
    /// Any content of at most this many bytes.
    #[must_use]
    pub fn at_most(most_bytes: u64) -> Self {
        Self {
            most_bytes,
            sha256: None,
        }
    }
}

/// A file that is whole and on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its content.
    pub sha256: [u8; 32],
}

/// A small file, whole in memory.
pub(crate) async fn read(http: &Http, location: &Location, file: &RemoteFile, limit: usize) -> Result<Bytes, Error> {
    if file.bytes > limit as u64 {
        return Err(too_large(file, limit as u64));
    }
    let content = match &location.0 {
        Place::Proxy(root) => {
            let url = http.artifact(&root.join(file.path.as_str())?);
            http.body(&url, limit).await.map_err(|failure| missing(failure, file))?
        }
        Place::Folder(folder) => {
            let opened = Folder::open(folder, &http.source().artifact_roots)?.file(&file.path)?;
            let mut content = Vec::new();
            opened
                .take(file.bytes.saturating_add(1))
                .read_to_end(&mut content)
                .map_err(|cause| Error::Io {
                    path: folder.join(file.path.as_str()),
                    cause,
                })?;
            content.into()
        }
    };
    if content.len() as u64 != file.bytes {
        return Err(length(file, content.len().to_string()));
    }
    Ok(content)
}

pub(crate) async fn download(
    http: &Http,
    location: &Location,
    file: &RemoteFile,
    to: &Path,
    expected: &Expected,
) -> Result<Downloaded, Error> {
    if file.bytes > expected.most_bytes {
        return Err(too_large(file, expected.most_bytes));
    }
    let mut part = Part::open(file, to).await?;
    let fetched = match &location.0 {
        Place::Proxy(root) => part.fetch(http, &http.artifact(&root.join(file.path.as_str())?)).await,
        Place::Folder(folder) => {
            let opened = Folder::open(folder, &http.source().artifact_roots)?.file(&file.path)?;
            part.copy(File::from_std(opened)).await
        }
    };
    match fetched {
        Ok(()) => part.finish(to, expected).await,
        Err(error) => {
            if error.is_passing() {
                part.keep().await?;
            } else {
                part.discard().await;
            }
            Err(error)
        }
    }
}

/// The file while it is not whole.
struct Part<'a> {
    file: &'a RemoteFile,
    path: PathBuf,
    /// Beside the part: the ETag that its bytes belong to.
    tag_path: PathBuf,
    out: File,
    bytes: u64,
    hasher: Sha256,
    /// A strong ETag; without one nothing is resumed.
    tag: Option<HeaderValue>,
}

impl<'a> Part<'a> {
    /// Opens the part of an earlier call if it says which content it belongs to, else an empty one.
    async fn open(file: &'a RemoteFile, to: &Path) -> Result<Self, Error> {
        let path = ending(to, ".part");
        let tag_path = ending(to, ".part.etag");
        let tag = match fs::read(&tag_path).await {
            Ok(text) => HeaderValue::from_bytes(&text).ok().filter(is_strong),
            Err(_) => None,
        };
        let out = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(tag.is_none())
            .open(&path)
            .await
            .map_err(|cause| io(&path, cause))?;
        let mut part = Self {
            file,
            path,
            tag_path,
            out,
            bytes: 0,
            hasher: Sha256::new(),
            tag,
        };
        let mut piece = vec![0; PIECE];
        loop {
            let count = part.out.read(&mut piece).await.map_err(|cause| io(&part.path, cause))?;
            if count == 0 {
                break;
            }
            part.hasher.update(&piece[..count]);
            part.bytes += count as u64;
        }
        if part.bytes >= file.bytes {
            part.restart().await?;
        }
        Ok(part)
    }

    /// Asks until all bytes are there; a request that brought enough makes the count of failures start anew.
    async fn fetch(&mut self, http: &Http, url: &Url) -> Result<(), Error> {
        let mut failed = 0;
        loop {
            let before = self.bytes;
            let error = match self.ask(http, url).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !error.is_passing() {
                return Err(error);
            }
            if self.tag.is_none() {
                self.restart().await?;
                failed += 1;
            } else if self.bytes >= before.saturating_add(PROGRESS) {
                failed = 0;
            } else {
                failed += 1;
            }
            if failed > http.source().retries {
                return Err(error);
            }
            tracing::debug!(file = %self.file.path, bytes = self.bytes, %error, "a download goes on after a failure");
            pause(failed).await;
        }
    }

    async fn ask(&mut self, http: &Http, url: &Url) -> Result<(), Error> {
        let mut headers = HeaderMap::new();
        if let Some(tag) = self.tag.as_ref().filter(|_| self.bytes > 0)
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.bytes))
        {
            headers.insert(RANGE, range);
            headers.insert(IF_RANGE, tag.clone());
        }
        let mut response = match http.get(url, headers).await {
            Ok(response) => response,
            // The content is shorter than what is here, so what is here is of another content.
            Err(Failure::Denied { denied, .. }) if denied.status == 416 && self.bytes > 0 => {
                self.restart().await?;
                http.get(url, HeaderMap::new())
                    .await
                    .map_err(|failure| missing(failure, self.file))?
            }
            Err(failure) => return Err(missing(failure, self.file)),
        };
        self.begin(&response, url).await?;
        while let Some(chunk) = response.chunk().await.map_err(|cause| broken(url, &cause))? {
            if self.bytes + chunk.len() as u64 > self.file.bytes {
                return Err(length(self.file, "more".to_owned()));
            }
            self.write(&chunk).await?;
        }
        if self.bytes != self.file.bytes {
            return Err(length(self.file, format!("{} and ends", self.bytes)));
        }
        Ok(())
    }

    /// Holds the answer's head against what is here and what is listed.
    async fn begin(&mut self, response: &Response, url: &Url) -> Result<(), Error> {
        let announced = if response.status() == StatusCode::PARTIAL_CONTENT {
            let (start, total) = response
                .headers()
                .get(CONTENT_RANGE)
                .and_then(|value| range(value.to_str().ok()?))
                .filter(|(start, _)| *start == self.bytes)
                .ok_or_else(|| Error::Answer {
                    url: shown(url),
                    why: format!(
                        "it sends another range than the one asked for, from byte {}",
                        self.bytes
                    ),
                })?;
            if total != self.file.bytes {
                return Err(length(self.file, total.to_string()));
            }
            response.content_length().map(|rest| rest.saturating_add(start))
        } else {
            // Without a range asked for, without support for ranges, or of a content that changed: from its start.
            if self.bytes > 0 {
                self.restart().await?;
            }
            let tag = response.headers().get(ETAG).cloned().filter(is_strong);
            match &tag {
                Some(tag) => fs::write(&self.tag_path, tag.as_bytes())
                    .await
                    .map_err(|cause| io(&self.tag_path, cause))?,
                None => forget(&self.tag_path).await,
            }
            self.tag = tag;
            response.content_length()
        };
        match announced {
            Some(announced) if announced != self.file.bytes => Err(length(self.file, announced.to_string())),
            _ => Ok(()),
        }
    }

    async fn copy(&mut self, mut from: File) -> Result<(), Error> {
        self.restart().await?;
        let mut piece = vec![0; PIECE];
        loop {
            let count = from.read(&mut piece).await.map_err(|cause| io(&self.path, cause))?;
            if count == 0 {
                break;
            }
            if self.bytes + count as u64 > self.file.bytes {
                return Err(length(self.file, "more".to_owned()));
            }
            self.write(&piece[..count]).await?;
        }
        if self.bytes != self.file.bytes {
            return Err(length(self.file, self.bytes.to_string()));
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).await.map_err(|cause| io(&self.path, cause))?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    async fn restart(&mut self) -> Result<(), Error> {
        let emptied = async {
            self.out.flush().await?;
            self.out.set_len(0).await?;
            self.out.rewind().await
        };
        emptied.await.map_err(|cause| io(&self.path, cause))?;
        forget(&self.tag_path).await;
        self.bytes = 0;
        self.hasher = Sha256::new();
        self.tag = None;
        Ok(())
    }

    /// Leaves what came for a later call.
    async fn keep(&mut self) -> Result<(), Error> {
        self.out.flush().await.map_err(|cause| io(&self.path, cause))
    }

    async fn discard(self) {
        forget(&self.tag_path).await;
        forget(&self.path).await;
    }

    async fn finish(mut self, to: &Path, expected: &Expected) -> Result<Downloaded, Error> {
        let sha256: [u8; 32] = self.hasher.clone().finalize().into();
        if let Some(wanted) = expected.sha256.filter(|wanted| *wanted != sha256) {
            let error = Error::Checksum {
                file: self.file.path.to_string(),
                expected: hex::encode(wanted),
                found: hex::encode(sha256),
            };
            self.discard().await;
            return Err(error);
        }
        let synced = async {
            self.out.flush().await?;
            self.out.sync_all().await?;
            fs::rename(&self.path, to).await
        };
        synced.await.map_err(|cause| io(to, cause))?;
        forget(&self.tag_path).await;
        Ok(Downloaded {
            bytes: self.bytes,
            sha256,
        })
    }
}

/// `bytes START-END/TOTAL`: start and total.
fn range(text: &str) -> Option<(u64, u64)> {
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = span.split_once('-')?;
    let (start, end, total): (u64, u64, u64) = (start.parse().ok()?, end.parse().ok()?, total.parse().ok()?);
    (start <= end && end.checked_add(1) == Some(total)).then_some((start, total))
}

/// A weak ETag may name contents that differ in bytes.
fn is_strong(tag: &HeaderValue) -> bool {
    tag.as_bytes().first() == Some(&b'"')
}

fn ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Removes a file that may not be there; one that stays is overwritten by the next download.
async fn forget(path: &Path) {
    if let Err(error) = fs::remove_file(path).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a part of a download stays on the disk");
    }
}

fn missing(failure: Failure, file: &RemoteFile) -> Error {
    match failure {
        Failure::Denied { denied, .. } if denied.is_missing() => Error::NotFound {
            what: format!("file {} any more", file.path),
        },
        failure => failure.into(),
    }
}

fn too_large(file: &RemoteFile, limit: u64) -> Error {
    Error::TooLarge {
        what: format!("{} with {} bytes", file.path, file.bytes),
        limit: format!("{limit} bytes"),
    }
}

fn length(file: &RemoteFile, sent: String) -> Error {
    Error::Length {
        file: file.path.to_string(),
        listed: file.bytes,
        sent,
    }
}

fn io(path: &Path, cause: std::io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        cause,
    }
}
