//! The MLflow servers that versions come from: clients for them, and how they were when last looked at.

use crate::error::OnboardError;
use crate::onboarding::Onboarding;
use einthoven_registry_mlflow::Client;
use einthoven_registry_state::{Source, SourceName};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use tokio::sync::Notify;

/// How a source was when it was last looked at. Not remembered over a restart.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SourceStatus {
    /// Seconds since 1970 of the last look.
    pub looked_at_s: Option<u64>,
    /// What went wrong then.
    pub error: Option<String>,
    /// The version that each followed alias pointed at, as `MODEL@ALIAS`.
    pub seen: HashMap<String, u64>,
    /// Versions whose files are on their way, with what keeps them.
    pub waiting: HashMap<String, String>,
}

#[derive(Default)]
pub(crate) struct Sources {
    clients: Mutex<HashMap<SourceName, (u64, Client)>>,
    status: Mutex<HashMap<SourceName, SourceStatus>>,
    /// Told when a webhook says that there is something to look at.
    pub(crate) nudged: Notify,
    pub(crate) due: Mutex<Vec<SourceName>>,
}

impl Onboarding {
    /// The client of a source.
    ///
    /// # Errors
    /// [`OnboardError::Settings`] when its settings make none.
    pub fn client(&self, source: &Source) -> Result<Client, OnboardError> {
        let mut clients = self.sources.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((revision, client)) = clients.get(&source.name)
            && *revision == source.revision
        {
            return Ok(client.clone());
        }
        let client = Client::new(&settings(&source.name, &source.settings)?)?;
        clients.insert(source.name.clone(), (source.revision, client.clone()));
        Ok(client)
    }

    /// How a source was when it was last looked at.
    #[must_use]
    pub fn source_status(&self, source: &SourceName) -> SourceStatus {
        let status = self.sources.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.get(source).cloned().unwrap_or_default()
    }

    pub(crate) fn note(&self, source: &SourceName, note: impl FnOnce(&mut SourceStatus)) {
        let mut status = self.sources.status.lock().unwrap_or_else(PoisonError::into_inner);
        let status = status.entry(source.clone()).or_default();
        status.looked_at_s = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()
            .map(|since| since.as_secs());
        note(status);
    }

    /// Looks at a source as soon as may be, as when its webhook called.
    pub fn nudge(&self, source: SourceName) {
        self.sources
            .due
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(source);
        self.sources.nudged.notify_one();
    }
}

/// A source's settings as the client takes them. Secrets are named by file: the log is for ever.
///
/// # Errors
/// [`OnboardError::Settings`].
pub fn settings(
    name: &SourceName,
    settings: &serde_json::Value,
) -> Result<einthoven_registry_mlflow::Source, OnboardError> {
    let wrong = |cause: String| OnboardError::Settings {
        source_name: name.to_string(),
        cause,
    };
    for (secret, file) in [("token", "token_file"), ("password", "password_file")] {
        if settings["credentials"].get(secret).is_some() {
            let detail =
                format!("`{secret}` would be kept in the log for ever; write it to a file and name that in `{file}`");
            return Err(wrong(detail));
        }
    }
    let source: einthoven_registry_mlflow::Source =
        serde_json::from_value(settings.clone()).map_err(|cause| wrong(cause.to_string()))?;
    source.check().map_err(|cause| wrong(cause.to_string()))?;
    Ok(source)
}
