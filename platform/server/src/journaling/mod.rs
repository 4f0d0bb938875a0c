//! Answers into the journal: what was asked, what was answered, and making an answer again.

mod arguments;
mod asked;
mod bundle;
mod entry;
mod everywhere;
mod followed;
mod kept;
mod key;
mod live;
mod people;
mod replay;
mod shared;
mod tensors;

pub(crate) use arguments::JournalArguments;
pub(crate) use asked::{Asked, read_noted};
pub(crate) use bundle::{is_kept, opened};
pub(crate) use entry::Computed;
use entry::entry;
pub(crate) use everywhere::{Erased, Everywhere};
pub(crate) use kept::Kept;
pub(crate) use live::LiveAsked;
pub(crate) use people::Here;
use people::People;
pub(crate) use replay::replay;
pub(crate) use tensors::Protocol;

use crate::http::problem::Problem;
use crate::input::{Answer, Request};
use crate::lifecycle::Lifecycle;
use axum::http::StatusCode;
use einthoven_journal::{Entry, Journal, JournalError, Mode, Recorded};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// How often recordings that are no longer kept are looked for.
const HOURLY: Duration = Duration::from_secs(3600);

/// How long what was answered a moment ago is waited for: it may still be on its way to the disk.
const PATIENCE: Duration = Duration::from_secs(2);

/// The journal of this server, where it has one; cheap to clone.
#[derive(Clone)]
pub(crate) struct Journaling(Option<Open>);

#[derive(Clone)]
struct Open {
    journal: Journal,
    /// Recordings are kept too.
    keeps: bool,
    people: Arc<People>,
    /// Where other servers erase too.
    everywhere: Option<Arc<Everywhere>>,
    /// How often a person could not be erased here.
    unerased: Arc<AtomicU64>,
}

impl Journaling {
    /// Nothing is remembered.
    pub(crate) fn off() -> Self {
        Self(None)
    }

    pub(crate) fn new(journal: Journal, keeps: bool, everywhere: Option<Everywhere>) -> Self {
        Self(Some(Open {
            journal,
            keeps,
            people: Arc::default(),
            everywhere: everywhere.map(Arc::new),
            unerased: Arc::default(),
        }))
    }

    /// What servers that share a database know of each other's erasing; none where this one is alone.
    pub(crate) fn everywhere(&self) -> Option<Arc<Everywhere>> {
        self.0.as_ref()?.everywhere.clone()
    }

    /// The journal, or that there is none.
    pub(crate) fn journal(&self) -> Result<&Journal, Problem> {
        let open = self.0.as_ref().map(|open| &open.journal);
        open.ok_or_else(|| {
            let detail = "this server keeps no journal; start it with --journal sampled or audit";
            Problem::new(StatusCode::NOT_FOUND, "no_journal", detail)
        })
    }

    /// Whether recordings are kept.
    pub(crate) fn keeps_recordings(&self) -> bool {
        self.0.as_ref().is_some_and(|open| open.keeps)
    }

    /// That something about a person begins, by the name that the caller gave; none where nobody was named, or nothing is
    /// remembered.
    pub(crate) fn here(&self, person: Option<&str>) -> Option<Arc<Here>> {
        let open = self.0.as_ref()?;
        Some(open.people.here(&open.journal.subject(person?)))
    }

    /// The same by the pseudonym.
    pub(crate) fn here_as(&self, subject: Option<&str>) -> Option<Arc<Here>> {
        Some(self.0.as_ref()?.people.here(subject?))
    }

    /// Tells whatever is under way about a person to end; resolves when it has.
    pub(crate) fn leave(&self, subject: &str) -> impl Future<Output = ()> + use<> {
        let left = self.0.as_ref().map(|open| open.people.leave(subject));
        async move {
            if let Some(left) = left {
                left.await;
            }
        }
    }

    /// A person could not be erased here.
    pub(crate) fn not_erased(&self) {
        if let Some(open) = &self.0 {
            open.unerased.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often a person could not be erased here, and how many are still to be.
    pub(crate) fn unerased(&self) -> (u64, u64) {
        let Some(open) = &self.0 else { return (0, 0) };
        let left = open.everywhere.as_ref().map_or(0, |all| all.open_here().len() as u64);
        (open.unerased.load(Ordering::Relaxed), left)
    }

    /// A request that is to be answered now, by whom, and about which person.
    pub(crate) fn asked(&self, principal: &str, here: Option<Arc<Here>>) -> Option<Asked> {
        self.0.as_ref().map(|_| Asked::new(principal, here))
    }

    /// The entry of an answer; its recording is kept where that is wanted, and is on disk when this returns.
    pub(crate) fn entry(
        &self,
        asked: Asked,
        computed: Computed<'_>,
        answer: &Answer,
    ) -> Result<Option<Entry>, Problem> {
        let Some(open) = &self.0 else { return Ok(None) };
        let (mut made, bundle) = entry(&open.journal, asked, computed, answer)?;
        if let Some(bundle) = bundle.filter(|_| open.journal.wants(made.id)) {
            match open.journal.recordings().put(made.subject.as_deref(), &bundle) {
                Ok(kept) => {
                    let named = kept.map(|digest| (bundle::PARAMETER.to_owned(), digest));
                    made.parameters.extend(named);
                }
                Err(cause) if open.journal.mode() == Mode::Audit => return Err(refused(&cause)),
                Err(cause) => tracing::error!("a recording is not kept: {cause}"),
            }
        }
        Ok(Some(made))
    }

    /// Records an entry and names it in the answer where it was taken. In mode `audit` it is on disk when this returns, or the
    /// answer must not be given.
    pub(crate) async fn record(&self, entry: Option<Entry>, answer: &mut Answer) -> Result<(), Problem> {
        if let (Some(open), Some(entry)) = (&self.0, entry) {
            let id = entry.id;
            named(open.journal.record(entry).await, id, answer)?;
        }
        Ok(())
    }

    /// The same where nothing is asynchronous.
    pub(crate) fn record_blocking(&self, entry: Option<Entry>, answer: &mut Answer) -> Result<(), Problem> {
        if let (Some(open), Some(entry)) = (&self.0, entry) {
            let id = entry.id;
            named(open.journal.record_blocking(entry), id, answer)?;
        }
        Ok(())
    }

    /// Deletes recordings that are no longer kept, once an hour, and ends the journal with the process.
    pub(crate) fn attend(&self, lifecycle: &Lifecycle) {
        let Some(Open { journal, .. }) = self.0.clone() else {
            return;
        };
        let lifecycle = lifecycle.clone();
        tokio::spawn(async move {
            loop {
                let retained = journal.clone();
                let done = tokio::task::spawn_blocking(move || retained.retain(jiff::Timestamp::now()));
                if let Ok(Err(cause)) = done.await {
                    tracing::error!("what is no longer kept was not deleted: {cause}");
                }
                tokio::select! {
                    () = tokio::time::sleep(HOURLY) => {}
                    () = lifecycle.closing() => return,
                }
            }
        });
    }

    /// Writes what waits; nothing more is taken.
    pub(crate) async fn close(&self) {
        if let Some(Open { journal, .. }) = self.0.clone() {
            // It ends by a panic alone, which was logged.
            let _ = tokio::task::spawn_blocking(move || journal.close()).await;
        }
    }
}

fn named(done: Result<Recorded, JournalError>, id: Uuid, answer: &mut Answer) -> Result<(), Problem> {
    if taken(done)? {
        answer.remembered_as(id.to_string());
    }
    Ok(())
}

/// Whether an entry was taken, or why the answer may not be given.
fn taken(done: Result<Recorded, JournalError>) -> Result<bool, Problem> {
    let recorded = done.map_err(|cause| refused(&cause))?;
    Ok(matches!(recorded, Recorded::Durable | Recorded::Queued))
}

/// An answer that may not be given, because it cannot be remembered.
fn refused(cause: &JournalError) -> Problem {
    tracing::error!("an answer was held back: {cause}");
    let detail = "the answer could not be written to the journal, and this server gives none that is not; try again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "journal", detail).retry_after(5)
}

/// Files as they came, to be read without being given away.
fn borrowed<'a>(files: &'a [(String, Cow<'static, [u8]>)]) -> Vec<(String, Cow<'a, [u8]>)> {
    let each = |(name, bytes): &'a (String, Cow<'static, [u8]>)| (name.clone(), Cow::Borrowed(bytes.as_ref()));
    files.iter().map(each).collect()
}

/// What a request says about its files, without what may name somebody.
fn stated(request: &Request) -> std::collections::BTreeMap<String, String> {
    let rate = request.hints.sampling_rate_hz.map(|rate| ("rate", rate.to_string()));
    let unit = request.hints.unit.map(|unit| ("unit", unit.name().to_owned()));
    let each = [rate, unit].into_iter().flatten();
    each.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Waits until what was answered a moment ago can be read, on a thread that may wait.
pub(crate) fn catch_up(journal: &Journal) {
    if journal.counts().spooled > 0 && !journal.flush(PATIENCE) {
        tracing::warn!("the journal's disk is slow: what was answered a moment ago is not among what is read");
    }
}
