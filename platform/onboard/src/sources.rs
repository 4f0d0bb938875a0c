//! The MLflow servers that versions come from: clients for them, and how they were when last looked at.

use crate::error::OnboardError;
use crate::onboarding::Onboarding;
use einthoven_registry_mlflow::{Client, Credentials};
use einthoven_registry_state::{Origin, Source, SourceName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio::sync::{Notify, Semaphore};

/// How a source was when it was last looked at. Not remembered over a restart.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
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
    /// Told when a source answers again: downloads that wait need not wait longer.
    pub(crate) answers_again: Notify,
    pub(crate) due: Mutex<HashSet<SourceName>>,
    turns: Mutex<HashMap<SourceName, Arc<Turn>>>,
    /// Versions there that an alias pointed at and has left: those do not answer by themselves any more.
    left: Mutex<HashSet<(SourceName, String, String)>>,
}

/// Whose turn it is at a source.
pub(crate) struct Turn {
    pub(crate) looking: tokio::sync::Mutex<()>,
    /// Whether a look waits already.
    pub(crate) waiting: AtomicBool,
    /// Downloads at once: of each source, so that one that hangs holds up none of the others.
    pub(crate) fetches: Semaphore,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            looking: tokio::sync::Mutex::default(),
            waiting: AtomicBool::default(),
            fetches: Semaphore::new(2),
        }
    }
}

impl Sources {
    pub(crate) fn turn(&self, source: &SourceName) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(source.clone()).or_default())
    }

    /// An alias points elsewhere now.
    pub(crate) fn left(&self, source: &SourceName, model: &str, number: u64) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.insert((source.clone(), model.to_owned(), number.to_string()));
    }

    /// An alias points at it, or somebody asked for it.
    pub(crate) fn wanted(&self, source: &SourceName, model: &str, number: impl ToString) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.remove(&(source.clone(), model.to_owned(), number.to_string()));
    }

    /// Whether an alias pointed at a version and has left it while it was on its way.
    pub(crate) fn has_left(&self, origin: &Origin) -> bool {
        let Origin::Mlflow {
            source, model, version, ..
        } = origin
        else {
            return false;
        };
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.contains(&(source.clone(), model.clone(), version.clone()))
    }
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
        let client = Client::within(&settings(&source.name, &source.settings)?, self.networks.clone())?;
        clients.insert(source.name.clone(), (source.revision, client.clone()));
        Ok(client)
    }

    /// Whether these can be a source's settings here.
    ///
    /// # Errors
    /// [`OnboardError::Settings`] where they are wrong, or name an address that sources may not have.
    pub fn check_source(&self, name: &SourceName, new: &serde_json::Value) -> Result<(), OnboardError> {
        let source = settings(name, new)?;
        self.networks
            .check(&source.url)
            .map_err(|cause| OnboardError::Settings {
                source_name: name.to_string(),
                cause: cause.to_string(),
            })
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
            .insert(source);
        self.sources.nudged.notify_one();
    }
}

/// A source's settings as the client takes them. Secrets are named by file: the log is for ever.
///
/// # Errors
/// [`OnboardError::Settings`].
fn settings(
    name: &SourceName,
    settings: &serde_json::Value,
) -> Result<einthoven_registry_mlflow::Source, OnboardError> {
    let wrong = |cause: String| OnboardError::Settings {
        source_name: name.to_string(),
        cause,
    };
    let source: einthoven_registry_mlflow::Source =
        serde_json::from_value(settings.clone()).map_err(|cause| wrong(cause.to_string()))?;
    let held = match &source.credentials {
        Credentials::Bearer { token: Some(_), .. } => Some(("token", "token_file")),
        Credentials::Basic { password: Some(_), .. } => Some(("password", "password_file")),
        _ => None,
    };
    if let Some((secret, file)) = held {
        let detail =
            format!("`{secret}` would be kept in the log for ever; write it to a file and name that in `{file}`");
        return Err(wrong(detail));
    }
    source.check().map_err(|cause| wrong(cause.to_string()))?;
    Ok(source)
}
