//! Named contents in a bucket, beside the files of versions: what servers hand each other.

use crate::bucket::{Bucket, connect, refused};
use crate::error::FilesError;
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{Error as Refusal, ObjectStore, ObjectStoreExt};
use std::sync::Arc;

/// Named contents of a bucket; clones are the same. Nothing here is collected: whoever puts one takes it away.
#[derive(Debug, Clone)]
pub struct Objects {
    bucket: Arc<dyn ObjectStore>,
    folder: Key,
}

impl Objects {
    /// Those below a folder of the bucket. The bucket is not asked for anything yet.
    ///
    /// # Errors
    /// [`FilesError::Settings`].
    pub fn in_bucket(settings: &Bucket, folder: &str) -> Result<Self, FilesError> {
        let (bucket, prefix) = connect(settings)?;
        let folder = prefix.join(folder);
        Ok(Self { bucket, folder })
    }

    /// Puts one in a group, in the place of what was there under that name. Returned means safe.
    ///
    /// # Errors
    /// [`FilesError::Bucket`].
    pub async fn put(&self, group: &str, name: &str, content: Bytes) -> Result<(), FilesError> {
        let key = self.group(group).join(name);
        let sent = self.bucket.put(&key, content.into()).await;
        sent.map(drop).map_err(refused("take", &key))
    }

    /// One of a group; none where it is not there.
    ///
    /// # Errors
    /// [`FilesError::Bucket`].
    pub async fn get(&self, group: &str, name: &str) -> Result<Option<Bytes>, FilesError> {
        let key = self.group(group).join(name);
        match self.bucket.get(&key).await {
            Ok(got) => Ok(Some(got.bytes().await.map_err(refused("give", &key))?)),
            Err(Refusal::NotFound { .. }) => Ok(None),
            Err(cause) => Err(refused("give", &key)(cause)),
        }
    }

    /// Removes those of a group whose name begins so; that there are none is no error.
    ///
    /// # Errors
    /// [`FilesError::Bucket`]; what was removed before stays removed.
    pub async fn remove(&self, group: &str, beginning: &str) -> Result<(), FilesError> {
        let folder = self.group(group);
        let listed = self.bucket.list(Some(&folder)).try_collect::<Vec<_>>().await;
        for object in listed.map_err(refused("list", &folder))? {
            let key = object.location;
            if key.filename().is_some_and(|name| name.starts_with(beginning)) {
                match self.bucket.delete(&key).await {
                    Ok(()) | Err(Refusal::NotFound { .. }) => {}
                    Err(cause) => return Err(refused("remove", &key)(cause)),
                }
            }
        }
        Ok(())
    }

    /// The names of all groups that have something.
    ///
    /// # Errors
    /// [`FilesError::Bucket`].
    pub async fn groups(&self) -> Result<Vec<String>, FilesError> {
        let listed = self.bucket.list_with_delimiter(Some(&self.folder)).await;
        let groups = listed.map_err(refused("list", &self.folder))?.common_prefixes;
        let names = groups.iter().filter_map(|group| group.filename().map(str::to_owned));
        Ok(names.collect())
    }

    fn group(&self, group: &str) -> Key {
        self.folder.clone().join(group)
    }
}
