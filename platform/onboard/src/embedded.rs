//! What comes with the binary becomes versions like all others.

use crate::error::OnboardError;
use crate::onboarding::{By, Onboarding};
use bytes::Bytes;
use einthoven_registry::ChangeError;
use einthoven_registry_files::{Digest, FileEntry, package_digest};
use einthoven_registry_state::{Change, ModelName, Origin, Phase, Refusal, Verified, Version, VersionName};
use std::sync::Arc;

/// A version whose files are part of the binary.
pub struct EmbeddedVersion {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionName,
    /// The engine that it is loaded on first.
    pub engine: String,
    /// Its files by name.
    pub files: Vec<(String, &'static [u8])>,
}

impl Onboarding {
    /// Adds a version that the binary carries, unless its content is there already, and lets it answer where nothing else
    /// does. It is ready at once: the binary's own tests tried it.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn add_embedded(&self, embedded: EmbeddedVersion) -> Result<(), OnboardError> {
        let by = By::system("it comes with the server");
        let model = embedded.model;
        if self.answers_already(&model, &embedded.files) {
            self.put_missing(&embedded.files).await;
            return Ok(());
        }
        let mut stored = Vec::new();
        for (name, bytes) in embedded.files {
            stored.push(self.put(&name, Bytes::from_static(bytes)).await?);
        }
        let add = Change::AddVersion {
            model: model.clone(),
            version: Some(embedded.version.clone()),
            origin: Origin::Embedded,
            package: Some(crate::onboarding::package(stored)?),
        };
        match self.change(&by, add, None).await {
            // Added before, perhaps by a process that ended before the steps below.
            Ok(_) | Err(ChangeError::Refused(Refusal::SameContent { .. } | Refusal::VersionExists { .. })) => {}
            Err(cause) => return Err(cause.into()),
        }
        let version = embedded.version;
        let state = self.registry().state();
        let found = state.model(&model)?;
        let Some(there) = found
            .versions
            .get(&version)
            .filter(|there| there.origin == Origin::Embedded)
        else {
            return Ok(());
        };
        if matches!(there.phase, Phase::Verifying) {
            let verified = Verified {
                engine: embedded.engine,
                report: None,
            };
            let ready = Change::Verified {
                model: model.clone(),
                version: version.clone(),
                verified,
            };
            self.change(&by, ready, None).await?;
        }
        if found.history.is_empty() {
            self.change(&by, Change::Promote { model, version }, None).await?;
        }
        Ok(())
    }

    /// Another server on the same registry brought them in, and its files may lie where this one does not look. A store that is away
    /// keeps nobody from starting.
    async fn put_missing(&self, files: &[(String, &'static [u8])]) {
        for (name, bytes) in files {
            let there = self.store().contains(&Digest::of(bytes)).await;
            let put = match there {
                Ok(true) => continue,
                Ok(false) => self.put(name, Bytes::from_static(bytes)).await.map(drop),
                Err(cause) => Err(cause.into()),
            };
            if let Err(cause) = put {
                tracing::warn!("the file {name} of a model that comes with the server was not stored: {cause}");
            }
        }
    }

    /// Whether this very content is ready and traffic was decided since: then a start writes nothing.
    fn answers_already(&self, model: &ModelName, files: &[(String, &'static [u8])]) -> bool {
        let entry = |(name, bytes): &(String, &'static [u8])| FileEntry {
            name: name.clone(),
            size_bytes: bytes.len() as u64,
            sha256: Digest::of(bytes),
        };
        let entries: Vec<_> = files.iter().map(entry).collect();
        let digest = package_digest(&entries).to_string();
        let state = self.registry().state();
        state.models.get(model).is_some_and(|model| {
            let ready = |version: &Arc<Version>| version.is_ready() && version.digest.as_ref() == Some(&digest);
            !model.history.is_empty() && model.versions.values().any(ready)
        })
    }
}
