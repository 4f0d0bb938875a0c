//! Files in an S3-compatible bucket.

use crate::digest::Digest;
use crate::disk::Disk;
use crate::error::{FilesError, io};
use crate::hashing::Incoming;
use crate::store::{Collected, Stored, blocking};
use bytes::BytesMut;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, Checksum};
use object_store::path::Path as Key;
use object_store::{
    ClientOptions, Error as Refusal, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart,
};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::AsyncReadExt;

/// Bytes of one part of an upload; 10,000 parts are the most that S3 takes, which makes 160 GB.
const PART: usize = 16 << 20;
/// Bytes read at once.
const PIECE: usize = 1 << 20;
/// Parts on their way at once.
const PARTS_AT_ONCE: usize = 4;
/// After which a silent server counts as gone.
const SILENCE: Duration = Duration::from_secs(30);
/// For which a request is tried again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a bucket is and how to get in.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// URL of the server, such as `https://s3.eu-central-1.amazonaws.com`.
    pub endpoint: String,
    /// Name of the bucket, which must exist.
    pub bucket: String,
    /// Put before every key; empty for none.
    pub prefix: String,
    /// Region that requests are signed for.
    pub region: String,
    /// Who signs.
    pub access_key: String,
    /// What is signed with.
    pub secret_key: SecretString,
    /// Whether `http://` will do.
    pub allow_http: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Remote {
    bucket: Arc<dyn ObjectStore>,
    prefix: Key,
}

/// What came instead of a content, and which state of the object it was.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    content: Stored,
    e_tag: Option<String>,
}

impl Remote {
    pub(crate) fn new(settings: &Bucket) -> Result<Self, FilesError> {
        let (bucket, prefix) = connect(settings)?;
        Ok(Self { bucket, prefix })
    }

    fn key(&self, digest: &Digest) -> Key {
        let hex = digest.hex();
        let folder = hex.get(..2).unwrap_or_default().to_owned();
        self.prefix.clone().join("files").join(folder).join(hex)
    }

    pub(crate) async fn upload(&self, path: &Path, stored: Stored) -> Result<(), FilesError> {
        let key = self.key(&stored.digest);
        if stored.size_bytes <= PART as u64 {
            let content = tokio::fs::read(path).await.map_err(io("read", path))?;
            let sent = self.bucket.put(&key, content.into()).await;
            return sent.map(drop).map_err(refused("take", &key));
        }
        let upload = self.bucket.put_multipart(&key).await.map_err(refused("take", &key))?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        if let Err(cause) = send(path, &key, &mut parts).await {
            // Its own failure changes nothing: the object is not there, and the caller hears why.
            let _ = parts.abort().await;
            return Err(cause);
        }
        parts.finish().await.map(drop).map_err(refused("take", &key))
    }

    /// Downloads a content into the cache. What comes wrong twice in the same way lies wrong in the bucket and is set
    /// aside there; what comes wrong in two ways was spoilt on its way, and stays.
    pub(crate) async fn download(&self, digest: &Digest, cache: &Disk) -> Result<(), FilesError> {
        let Err(first) = self.download_once(digest, cache).await? else {
            return Ok(());
        };
        let Err(second) = self.download_once(digest, cache).await? else {
            return Ok(());
        };
        if first != second || !self.set_aside(digest, &second).await? {
            let source = Refusal::Generic {
                store: "S3",
                source: "it came wrong, and in another way each time; ask again".into(),
            };
            return Err(refused("give", &self.key(digest))(source));
        }
        let Stored {
            digest: found,
            size_bytes,
        } = second.content;
        tracing::error!(expected = %digest, %found, size_bytes, "a file in the bucket is corrupt and was set aside");
        Err(FilesError::Corrupt {
            expected: *digest,
            found,
            size_bytes,
        })
    }

    /// The inner error is what came instead of the content.
    async fn download_once(&self, digest: &Digest, cache: &Disk) -> Result<Result<(), Wrong>, FilesError> {
        let key = self.key(digest);
        let got = match self.bucket.get(&key).await {
            Ok(got) => got,
            Err(Refusal::NotFound { .. }) => return Err(self.set_aside_before(digest).await?),
            Err(cause) => return Err(refused("give", &key)(cause)),
        };
        let e_tag = got.meta.e_tag.clone();
        let mut pieces = got.into_stream();
        let mut incoming = Incoming::new(cache.incoming())?;
        while let Some(piece) = pieces.next().await {
            incoming.write(&piece.map_err(refused("give", &key))?).await?;
        }
        let (file, found, size_bytes) = incoming.finish().await?;
        if found != *digest {
            let content = Stored {
                digest: found,
                size_bytes,
            };
            return Ok(Err(Wrong { content, e_tag }));
        }
        blocking(cache, move |cache| cache.keep(file, &found)).await.map(Ok)
    }

    /// Sets a wrong object aside, unless another process has stored it anew meanwhile.
    async fn set_aside(&self, digest: &Digest, wrong: &Wrong) -> Result<bool, FilesError> {
        let key = self.key(digest);
        let Stored {
            digest: found,
            size_bytes,
        } = wrong.content;
        let aside = format!("{}.{}.{size_bytes}", digest.hex(), found.hex());
        let aside = self.prefix.clone().join("corrupt").join(aside);
        let copied = self.bucket.copy(&key, &aside).await;
        copied.map_err(refused("set aside", &key))?;
        let now = self.bucket.head(&key).await.map_err(refused("set aside", &key))?;
        if now.e_tag != wrong.e_tag {
            self.remove(&aside).await?;
            return Ok(false);
        }
        self.remove(&key).await?;
        Ok(true)
    }

    async fn set_aside_before(&self, digest: &Digest) -> Result<FilesError, FilesError> {
        let folder = self.prefix.clone().join("corrupt");
        let mut all = self.bucket.list(Some(&folder));
        while let Some(object) = all.next().await {
            let object = object.map_err(refused("list", &folder))?;
            let mut parts = object.location.filename().unwrap_or_default().split('.');
            let mut part = || parts.next().and_then(Digest::from_hex);
            if part() == Some(*digest)
                && let Some(found) = part()
            {
                return Ok(FilesError::Corrupt {
                    expected: *digest,
                    found,
                    size_bytes: object.size,
                });
            }
        }
        Ok(FilesError::Missing { digest: *digest })
    }

    pub(crate) async fn size(&self, digest: &Digest) -> Result<Option<u64>, FilesError> {
        let key = self.key(digest);
        match self.bucket.head(&key).await {
            Ok(found) => Ok(Some(found.size)),
            Err(Refusal::NotFound { .. }) => Ok(None),
            Err(cause) => Err(refused("answer for", &key)(cause)),
        }
    }

    pub(crate) async fn list(&self) -> Result<Vec<Stored>, FilesError> {
        let all = self.objects("files").await?;
        Ok(all
            .into_iter()
            .filter_map(|object| {
                let digest = object.location.filename().and_then(Digest::from_hex)?;
                let size_bytes = object.size;
                Some(Stored { digest, size_bytes })
            })
            .collect())
    }

    async fn objects(&self, folder: &str) -> Result<Vec<ObjectMeta>, FilesError> {
        let folder = self.prefix.clone().join(folder);
        let all = self.bucket.list(Some(&folder)).try_collect().await;
        all.map_err(refused("list", &folder))
    }

    pub(crate) async fn delete(&self, digest: &Digest) -> Result<(), FilesError> {
        self.remove(&self.key(digest)).await
    }

    async fn remove(&self, key: &Key) -> Result<(), FilesError> {
        match self.bucket.delete(key).await {
            Ok(()) | Err(Refusal::NotFound { .. }) => Ok(()),
            Err(cause) => Err(refused("remove", key)(cause)),
        }
    }

    pub(crate) async fn collect(&self, keep: &HashSet<Digest>, older_than: Duration) -> Result<Collected, FilesError> {
        let mut collected = Collected::default();
        let files = self.objects("files").await?;
        let known = |object: &ObjectMeta| object.location.filename().and_then(Digest::from_hex);
        let there: HashSet<_> = files.iter().filter_map(known).collect();
        for object in files {
            if known(&object).is_none_or(|digest| keep.contains(&digest)) || !is_older(&object, older_than) {
                continue;
            }
            // The list may be old by now, so the object is asked for its age once more.
            let now = self.bucket.head(&object.location).await;
            if now.is_ok_and(|now| is_older(&now, older_than)) {
                self.remove(&object.location).await?;
                collected.add(object.size);
            }
        }
        for object in self.objects("corrupt").await? {
            let name = object.location.filename().unwrap_or_default();
            let expected = name.split('.').next().and_then(Digest::from_hex);
            let needed = expected.is_some_and(|digest| keep.contains(&digest) && !there.contains(&digest));
            if !needed && is_older(&object, older_than) {
                self.remove(&object.location).await?;
                collected.add(object.size);
            }
        }
        Ok(collected)
    }
}

/// A client for the bucket, and what stands before every key.
pub(crate) fn connect(settings: &Bucket) -> Result<(Arc<dyn ObjectStore>, Key), FilesError> {
    // The HTTP client takes the process's provider of cryptography; whoever sets one first wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let refused = |why: String| FilesError::Settings {
        bucket: settings.bucket.clone(),
        why,
    };
    let plain = settings.allow_http && settings.endpoint.starts_with("http://");
    if !plain && !settings.endpoint.starts_with("https://") {
        let why = format!(
            "its endpoint is `{}`; give an https:// URL, or allow plain HTTP",
            settings.endpoint
        );
        return Err(refused(why));
    }
    let options = ClientOptions::new()
        .with_allow_http(settings.allow_http)
        // A large file takes its time; only silence is an error.
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(SILENCE);
    let bucket = AmazonS3Builder::new()
        .with_endpoint(settings.endpoint.trim_end_matches('/'))
        .with_bucket_name(&settings.bucket)
        .with_region(&settings.region)
        .with_access_key_id(&settings.access_key)
        .with_secret_access_key(settings.secret_key.expose_secret())
        .with_checksum_algorithm(Checksum::SHA256)
        .with_retry(RetryConfig {
            max_retries: 5,
            retry_timeout: PATIENCE,
            ..RetryConfig::default()
        })
        .with_client_options(options)
        .build()
        .map_err(|cause| refused(cause.to_string()))?;
    let prefix = Key::parse(&settings.prefix).map_err(|cause| refused(cause.to_string()))?;
    Ok((Arc::new(bucket), prefix))
}

/// Sends a file in parts, some of them at once.
async fn send(path: &Path, key: &Key, parts: &mut WriteMultipart) -> Result<(), FilesError> {
    let mut file = tokio::fs::File::open(path).await.map_err(io("read", path))?;
    loop {
        let mut piece = BytesMut::with_capacity(PIECE);
        if file.read_buf(&mut piece).await.map_err(io("read", path))? == 0 {
            return Ok(());
        }
        parts
            .wait_for_capacity(PARTS_AT_ONCE)
            .await
            .map_err(refused("take", key))?;
        parts.put(piece.freeze());
    }
}

/// A time in the future counts as young.
fn is_older(object: &ObjectMeta, than: Duration) -> bool {
    let changed = SystemTime::from(object.last_modified);
    SystemTime::now().duration_since(changed).is_ok_and(|age| age >= than)
}

pub(crate) fn refused(action: &'static str, key: &Key) -> impl FnOnce(Refusal) -> FilesError {
    let key = key.to_string();
    move |source| FilesError::Bucket { action, key, source }
}
