//! The store, wherever it lies.

use crate::bucket::{Bucket, Remote};
use crate::digest::Digest;
use crate::disk::Disk;
use crate::error::{FilesError, io};
use bytes::Bytes;
use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One content in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stored {
    /// What it is known by.
    pub digest: Digest,
    /// Its length in bytes.
    pub size_bytes: u64,
}

/// What [`Store::collect`] removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Number of files.
    pub files: u64,
    /// Their bytes together.
    pub bytes: u64,
}

impl Collected {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// What [`Store::copy_all`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// Number of files written.
    pub files: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// Number of files that the other store had already, and whole.
    pub had: u64,
}

/// Files known by their content. Clones are the same store.
///
/// Every content that is given out was read through and has the digest it was asked for by. What was acknowledged
/// survives a kill and a loss of power. Any number of tasks may write the same content at once. One folder belongs to one
/// process and is opened once in it; a bucket may be shared by many.
#[derive(Debug, Clone)]
pub struct Store {
    /// The files themselves, or with a bucket a cache of them.
    disk: Disk,
    bucket: Option<Remote>,
}

impl Store {
    /// Opens or makes a store in a folder. Blocks for the time of a few hundred calls to the file system.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub fn on_disk(folder: &Path) -> Result<Self, FilesError> {
        Ok(Self {
            disk: Disk::open(folder)?,
            bucket: None,
        })
    }

    /// A store in a bucket, with a folder of this process as its cache. The bucket is not asked for anything yet.
    ///
    /// Uploads that a killed process leaves half done cost space until the bucket's own rule for unfinished multipart
    /// uploads removes them.
    ///
    /// # Errors
    /// [`FilesError::Settings`], and [`FilesError::Io`] for the cache.
    pub fn in_bucket(settings: &Bucket, cache: &Path) -> Result<Self, FilesError> {
        Ok(Self {
            disk: Disk::open(cache)?,
            bucket: Some(Remote::new(settings)?),
        })
    }

    /// A folder on the same disk for uploads and for unpacking. [`Store::collect`] empties it of what a killed process left.
    #[must_use]
    pub fn incoming(&self) -> &Path {
        self.disk.incoming()
    }

    /// Stores the content of a file, which is left where it is. It streams; returned means safe.
    ///
    /// # Errors
    /// [`FilesError::Io`], [`FilesError::Bucket`].
    pub async fn put_file(&self, path: &Path) -> Result<Stored, FilesError> {
        let path = path.to_owned();
        let stored = self
            .blocking(move |disk| disk.put(&mut File::open(&path).map_err(io("read", &path))?))
            .await?;
        self.publish(stored).await
    }

    /// Stores a content that is in memory. Returned means safe.
    ///
    /// # Errors
    /// [`FilesError::Io`], [`FilesError::Bucket`].
    pub async fn put_bytes(&self, bytes: Bytes) -> Result<Stored, FilesError> {
        let stored = self.blocking(move |disk| disk.put(&mut bytes.as_ref())).await?;
        self.publish(stored).await
    }

    /// Brings what lies in the cache to the bucket.
    async fn publish(&self, stored: Stored) -> Result<Stored, FilesError> {
        if let Some(remote) = &self.bucket {
            let path = self.blocking(move |disk| disk.local(&stored.digest)).await?;
            remote.upload(&path, stored).await?;
        }
        Ok(stored)
    }

    /// A content whole in memory, for small files.
    ///
    /// # Errors
    /// [`FilesError::Missing`], [`FilesError::Corrupt`] with both digests, [`FilesError::Io`], [`FilesError::Bucket`].
    pub async fn get(&self, digest: &Digest) -> Result<Bytes, FilesError> {
        let digest = *digest;
        match self.blocking(move |disk| disk.get(&digest)).await {
            Err(cause) => {
                self.fetch(&digest, cause).await?;
                self.blocking(move |disk| disk.get(&digest)).await
            }
            got => got,
        }
    }

    /// A file of this machine that holds a content. It is read through at each call, so call it once per load; it must
    /// not be written to.
    ///
    /// # Errors
    /// [`FilesError::Missing`], [`FilesError::Corrupt`] with both digests, [`FilesError::Io`], [`FilesError::Bucket`].
    pub async fn local(&self, digest: &Digest) -> Result<PathBuf, FilesError> {
        let digest = *digest;
        match self.blocking(move |disk| disk.local(&digest)).await {
            Err(cause) => {
                self.fetch(&digest, cause).await?;
                self.blocking(move |disk| disk.local(&digest)).await
            }
            got => got,
        }
    }

    /// Brings a content from the bucket to the cache where the cache lacks it or had it wrong.
    async fn fetch(&self, digest: &Digest, cause: FilesError) -> Result<(), FilesError> {
        match (&self.bucket, cause) {
            (Some(remote), FilesError::Missing { .. } | FilesError::Corrupt { .. }) => {
                remote.download(digest, &self.disk).await
            }
            (_, cause) => Err(cause),
        }
    }

    /// Whether a content is there. It is not read; [`Store::local`] may yet find it corrupt.
    ///
    /// # Errors
    /// [`FilesError::Io`], [`FilesError::Bucket`].
    pub async fn contains(&self, digest: &Digest) -> Result<bool, FilesError> {
        Ok(self.size(digest).await?.is_some())
    }

    /// Length of a content in bytes, where it is there.
    ///
    /// # Errors
    /// [`FilesError::Io`], [`FilesError::Bucket`].
    pub async fn size(&self, digest: &Digest) -> Result<Option<u64>, FilesError> {
        let digest = *digest;
        match &self.bucket {
            Some(remote) => remote.size(&digest).await,
            None => self.blocking(move |disk| disk.size(&digest)).await,
        }
    }

    /// All contents, in no order.
    ///
    /// # Errors
    /// [`FilesError::Io`], [`FilesError::Bucket`].
    pub async fn list(&self) -> Result<Vec<Stored>, FilesError> {
        match &self.bucket {
            Some(remote) => remote.list().await,
            None => self.blocking(|disk| disk.list()).await,
        }
    }

    /// Removes a content; one that is not there is no error.
    ///
    /// # Errors
    /// [`FilesError::Io`], [`FilesError::Bucket`].
    pub async fn delete(&self, digest: &Digest) -> Result<(), FilesError> {
        let digest = *digest;
        if let Some(remote) = &self.bucket {
            remote.delete(&digest).await?;
        }
        self.blocking(move |disk| disk.delete(&digest)).await
    }

    /// Removes contents that are not in `keep`, what killed processes left half written, and what was set aside as corrupt and is not
    /// needed or was replaced. Nothing younger than `older_than` is touched, since its row may be about to be written; storing a content again makes it young.
    ///
    /// With a bucket, age is by the bucket's clock, and another process that stores an old unused content again in the
    /// instant of its removal loses it: let `older_than` be longer than a version stays unused before it is pulled again, or
    /// collect from one process while no pull is under way. The cache counts as well.
    ///
    /// # Errors
    /// [`FilesError::Io`], [`FilesError::Bucket`]; what was removed before stays removed.
    pub async fn collect(&self, keep: &HashSet<Digest>, older_than: Duration) -> Result<Collected, FilesError> {
        let mut collected = match &self.bucket {
            Some(remote) => remote.collect(keep, older_than).await?,
            None => Collected::default(),
        };
        let local = self.collect_cache(keep, older_than).await?;
        collected.files += local.files;
        collected.bytes += local.bytes;
        Ok(collected)
    }

    /// [`Store::collect`] in the folder of this process alone; a bucket stays as it is.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub async fn collect_cache(&self, keep: &HashSet<Digest>, older_than: Duration) -> Result<Collected, FilesError> {
        let keep = keep.clone();
        self.blocking(move |disk| disk.collect(&keep, older_than)).await
    }

    /// Copies contents into another store, as for a backup. Each is verified here, and there what is there already; in a
    /// bucket that is by its length alone.
    ///
    /// # Errors
    /// The first that cannot be read, is corrupt or cannot be written; what was copied before stays.
    pub async fn copy_all(&self, digests: impl IntoIterator<Item = Digest>, into: &Self) -> Result<Copied, FilesError> {
        let mut copied = Copied::default();
        for digest in digests {
            let path = self.local(&digest).await?;
            if into.has_whole(&digest, &path).await? {
                copied.had += 1;
                continue;
            }
            let stored = into.put_file(&path).await?;
            if stored.digest != digest {
                // It changed between being verified and being copied; reading it again sets it aside.
                self.local(&digest).await?;
                return Err(FilesError::Corrupt {
                    expected: digest,
                    found: stored.digest,
                    size_bytes: stored.size_bytes,
                });
            }
            copied.files += 1;
            copied.bytes += stored.size_bytes;
        }
        Ok(copied)
    }

    async fn has_whole(&self, digest: &Digest, original: &Path) -> Result<bool, FilesError> {
        if self.bucket.is_some() {
            let length = std::fs::metadata(original).map_err(io("read", original))?.len();
            return Ok(self.size(digest).await? == Some(length));
        }
        match self.local(digest).await {
            Ok(_) => Ok(true),
            Err(FilesError::Missing { .. } | FilesError::Corrupt { .. }) => Ok(false),
            Err(cause) => Err(cause),
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T, FilesError> + Send + 'static,
    ) -> Result<T, FilesError> {
        blocking(&self.disk, work).await
    }
}

/// Runs work on the disk where it may wait. It goes on when the caller gives up.
pub(crate) async fn blocking<T: Send + 'static>(
    disk: &Disk,
    work: impl FnOnce(&Disk) -> Result<T, FilesError> + Send + 'static,
) -> Result<T, FilesError> {
    let worker = disk.clone();
    let done = tokio::task::spawn_blocking(move || work(&worker)).await;
    done.unwrap_or_else(|_| {
        Err(FilesError::Ending {
            path: disk.root().to_owned(),
        })
    })
}
