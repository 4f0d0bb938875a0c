//! Everything that is remembered, at one moment.

use crate::access::Access;
use crate::model::Model;
use crate::name::{ExperimentName, ModelName, SourceName};
use crate::reference::Reference;
use crate::refusal::Refusal;
use crate::source::Source;
use crate::version::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The fold over the log. Cheap to copy: models are shared until they change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// The newest entry folded in; 0 before the first.
    pub seq: u64,
    /// By name.
    pub models: BTreeMap<ModelName, Arc<Model>>,
    /// By name.
    pub sources: BTreeMap<SourceName, Arc<Source>>,
    /// Who may do what.
    pub access: Arc<Access>,
    /// Names that answers of deleted models stand under: no experiment has one of them again.
    pub past_experiments: Arc<BTreeSet<ExperimentName>>,
}

impl State {
    /// The model of that name.
    ///
    /// # Errors
    /// [`Refusal::NoSuchModel`].
    pub fn model(&self, name: &ModelName) -> Result<&Arc<Model>, Refusal> {
        self.models
            .get(name)
            .ok_or_else(|| Refusal::NoSuchModel { model: name.clone() })
    }

    /// The source of that name.
    ///
    /// # Errors
    /// [`Refusal::NoSuchSource`].
    pub fn source(&self, name: &SourceName) -> Result<&Arc<Source>, Refusal> {
        self.sources.get(name).ok_or_else(|| Refusal::NoSuchSource {
            source_name: name.clone(),
        })
    }

    /// The version a reference means, whatever its phase.
    ///
    /// # Errors
    /// [`Refusal`] where there is none.
    pub fn resolve(&self, reference: &Reference) -> Result<(&Arc<Model>, &Arc<Version>), Refusal> {
        let model = self.model(&reference.model)?;
        Ok((model, model.resolve(&reference.selector)?))
    }

    /// The digests of every file that some version has, or some experiment.
    #[must_use]
    pub fn files(&self) -> BTreeSet<&str> {
        let versions = self.models.values().flat_map(|model| model.versions.values());
        let mut digests = BTreeSet::new();
        for version in versions {
            digests.extend(version.files.iter().map(|file| file.sha256.as_str()));
            if let crate::Phase::Ready(verified) = &version.phase {
                digests.extend(verified.report.as_deref());
            }
        }
        let experiments = self.models.values().flat_map(|model| model.experiments.values());
        let references = experiments.flat_map(|experiment| experiment.references.values());
        digests.extend(references.map(|reference| reference.sha256.as_str()));
        digests
    }
}
