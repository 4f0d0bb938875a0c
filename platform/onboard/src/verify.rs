//! Judging a version whose files are here: every step from digest to warm-up.

use crate::error::OnboardError;
use crate::onboarding::Onboarding;
use crate::remedy::rejection;
use bytes::Bytes;
use einthoven_classify::{
    Cancel, Choice, EngineTable, KnownAs, LoadError, PackageFile, ServedModel, Serving, TrialStep,
};
use einthoven_registry_files::{Digest, FilesError};
use einthoven_registry_state::{ModelName, Rejection, Step, Verified, Version};

/// What a version is found to be.
pub(crate) enum Verdict {
    Ready(Verified),
    Rejected(Rejection),
}

impl Onboarding {
    /// Tries a version on every engine in child processes, which `cancel` ends, then loads the fastest once here.
    ///
    /// # Errors
    /// When the server itself fails; what is wrong with the version is a verdict.
    pub(crate) async fn judge(
        &self,
        model: &ModelName,
        version: &Version,
        cancel: &Cancel,
    ) -> Result<Verdict, OnboardError> {
        let mut files: Vec<(String, Bytes)> = Vec::with_capacity(version.files.len());
        for file in &version.files {
            let digest: Digest = file.sha256.parse()?;
            match self.loaded().settings().files.get(&digest).await {
                Ok(content) => files.push((file.name.clone(), content)),
                // Storage that is away for a while says nothing about the version.
                Err(cause) if !matches!(cause, FilesError::Missing { .. } | FilesError::Corrupt { .. }) => {
                    return Err(cause.into());
                }
                Err(cause) => {
                    let reason = format!("`{}`: {cause}", file.name);
                    return Ok(Verdict::Rejected(rejection(Step::Digest, reason)));
                }
            }
        }
        let settings = self.loaded().settings().clone();
        let trials = settings.serving.until(cancel.clone());
        let known_as = KnownAs {
            model: model.to_string(),
            version: version.name.to_string(),
        };
        let tried = tokio::task::spawn_blocking(move || {
            let parts: Vec<_> = files.iter().map(|(name, bytes)| PackageFile { name, bytes }).collect();
            let table = match settings.tables.measured(&trials, &parts) {
                Ok(table) => table,
                Err(cause) => return Err(rejection(step(&cause, Step::Manifest), cause.to_string())),
            };
            let Some(fastest) = table.fastest() else {
                return Err(refused(&table, &settings.serving));
            };
            let engine = fastest.engine.clone();
            match ServedModel::load(&settings.serving, &parts, Choice::of(fastest), Some(known_as)) {
                Ok(_) => Ok((engine, table)),
                Err(cause) => Err(rejection(step(&cause, Step::WarmUp), cause.to_string())),
            }
        });
        match tried.await.map_err(|cause| OnboardError::Broken(cause.to_string()))? {
            Err(rejection) => Ok(Verdict::Rejected(rejection)),
            Ok((engine, table)) => {
                let report =
                    serde_json::to_vec_pretty(&table).map_err(|cause| OnboardError::Broken(cause.to_string()))?;
                let stored = self.loaded().settings().files.put_bytes(report.into()).await?;
                Ok(Verdict::Ready(Verified {
                    engine,
                    report: Some(stored.digest.to_string()),
                }))
            }
        }
    }
}

/// The step that a failed load stands for.
fn step(cause: &LoadError, otherwise: Step) -> Step {
    match cause {
        LoadError::GoldenFile(_) | LoadError::Golden { .. } => Step::Golden,
        LoadError::Signature { .. } => Step::Signature,
        _ => otherwise,
    }
}

/// The step that the engine that came furthest failed at, with what every engine said.
fn refused(table: &EngineTable, serving: &Serving) -> Rejection {
    let furthest = table.engines.iter().filter_map(|row| row.failed_at).max();
    let step = match furthest {
        Some(TrialStep::Golden) => Step::Golden,
        Some(TrialStep::Signature) => Step::Signature,
        Some(TrialStep::Load) | None => Step::Load,
    };
    let said = table.engines.iter().map(|row| {
        let reason = row.reason.as_deref().unwrap_or("no reason");
        format!("{} with {}: {reason}", row.engine, row.file)
    });
    let mut reason = said.collect::<Vec<_>>().join("; ");
    if reason.is_empty() {
        let here: Vec<_> = serving.engines.states().map(|engine| engine.name).collect();
        reason = format!(
            "no engine here takes any of its files, or the one its manifest names in `engine` is not here; there are {}",
            here.join(", ")
        );
    }
    rejection(step, reason)
}
