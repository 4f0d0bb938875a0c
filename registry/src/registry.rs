//! The registry as others use it.

use crate::audit::{AuditEntry, Filter};
use crate::error::{ChangeError, OpenError};
use crate::view::View;
use crate::writer::{Request, Writer};
use arc_swap::ArcSwap;
use einthoven_registry_log::{Entry, Head, Log};
use einthoven_registry_state::{Change, Record, State};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Entries read at a time.
pub(crate) const PAGE: usize = 1000;

/// A handle on the registry; cheap to clone.
#[derive(Clone)]
pub struct Registry {
    log: Log,
    view: Option<View>,
    now: Arc<ArcSwap<State>>,
    requests: mpsc::Sender<Request>,
    changed: watch::Receiver<u64>,
}

/// A change with who asks for it and what they had seen.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who.
    pub who: String,
    /// Their reason; may be empty.
    pub why: String,
    /// What.
    pub change: Change,
    /// The revision of the model or source they decided on; the change is refused when it is another by now.
    pub seen: Option<u64>,
}

/// A change that was made and is on disk.
#[derive(Debug, Clone)]
pub struct Done {
    /// The state right after it.
    pub state: Arc<State>,
    /// The entries it made; none when all was so already.
    pub entries: Vec<(u64, Record)>,
}

impl Registry {
    /// Folds the log into a state and starts taking changes. A `view` folder that is missing, old or corrupt is made anew.
    ///
    /// Must be called within a tokio runtime; the registry takes changes as long as that runs.
    ///
    /// # Errors
    /// [`OpenError`] when the log cannot be read.
    pub async fn open(log: Log, view: Option<&Path>) -> Result<Self, OpenError> {
        let view = view.and_then(View::open);
        let (mut state, mut head) = kept(&log, view.as_ref()).await?;
        let from = state.seq;
        catch_up(&log, &mut state, &mut head, view.as_ref()).await?;
        tracing::debug!(from, to = state.seq, "the registry is folded");
        let now = Arc::new(ArcSwap::from_pointee(state));
        let (announce, changed) = watch::channel(now.load().seq);
        let (requests, asked) = mpsc::channel(1024);
        let writer = Writer {
            log: log.clone(),
            view: view.clone(),
            now: Arc::clone(&now),
            announce,
            head,
        };
        tokio::spawn(writer.run(asked));
        Ok(Self {
            log,
            view,
            now,
            requests,
            changed,
        })
    }

    /// The state now. Never waits.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.now.load_full()
    }

    /// The state now, without touching its count of users: for the way of a request.
    #[must_use]
    pub fn glance(&self) -> arc_swap::Guard<Arc<State>> {
        self.now.load()
    }

    /// The newest entry that is folded in; tells of every change, of other processes too.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    /// Makes a change: all of it or nothing, on disk when this returns.
    ///
    /// # Errors
    /// [`ChangeError`]; nothing was changed unless its text says that this is not known.
    pub async fn change(&self, asked: Asked) -> Result<Done, ChangeError> {
        let (answer, answered) = oneshot::channel();
        let request = Request { asked, answer };
        self.requests.send(request).await.map_err(|_| ChangeError::Closing)?;
        answered.await.map_err(|_| ChangeError::Closing)?
    }

    /// Entries of the log, newest first.
    ///
    /// # Errors
    /// [`OpenError`] when the log cannot be read.
    pub async fn audit(&self, filter: &Filter) -> Result<Vec<AuditEntry>, OpenError> {
        crate::audit::read(&self.log, self.view.as_ref(), self.state().seq, filter).await
    }

    /// The log underneath, for verification and backups.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }
}

/// What the view remembers, if the log still says the same.
async fn kept(log: &Log, view: Option<&View>) -> Result<(State, Head), OpenError> {
    let Some(view) = view else {
        return Ok((State::default(), Head::EMPTY));
    };
    if let Some((head, state)) = view.load() {
        match goes_on(log, head).await {
            Ok(()) => return Ok((state, head)),
            Err(OpenError::Rewritten { .. }) => {}
            Err(cause) => return Err(cause),
        }
    }
    view.clear();
    Ok((State::default(), Head::EMPTY))
}

/// Folds in what the log has more than the state, page by page: after an error both stand at the end of the last whole page.
///
/// # Errors
/// [`OpenError::Rewritten`] where the log does not go on from `head`.
pub(crate) async fn catch_up(
    log: &Log,
    state: &mut State,
    head: &mut Head,
    view: Option<&View>,
) -> Result<(), OpenError> {
    goes_on(log, *head).await?;
    loop {
        let entries = log.read(head.seq, PAGE).await?;
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        if first.seq != head.seq + 1 || first.previous != head.hash {
            return Err(OpenError::Rewritten { seq: head.seq });
        }
        // All of them are understood before any is folded in.
        let records = entries.iter().map(|entry| Ok((entry.seq, record(entry)?)));
        let records = records.collect::<Result<Vec<_>, OpenError>>()?;
        for (seq, record) in &records {
            state.apply(*seq, record);
        }
        *head = last.head();
        if let Some(view) = view {
            view.keep(*head, state, &records);
        }
    }
}

/// That the log still holds the entry that a state stands at.
async fn goes_on(log: &Log, head: Head) -> Result<(), OpenError> {
    if head == Head::EMPTY {
        return Ok(());
    }
    let there = log.read(head.seq - 1, 1).await?;
    match there.first() {
        Some(entry) if entry.head() == head => Ok(()),
        _ => Err(OpenError::Rewritten { seq: head.seq }),
    }
}

pub(crate) fn record(entry: &Entry) -> Result<Record, OpenError> {
    serde_json::from_str(&entry.body).map_err(|cause| OpenError::Entry {
        seq: entry.seq,
        cause: cause.to_string(),
    })
}
