//! Looking back.

use crate::error::OpenError;
use crate::registry::{PAGE, record};
use crate::view::View;
use einthoven_registry_log::{Entry, Hash, Log};
use einthoven_registry_state::{Event, Record};
use schemars::JsonSchema;
use serde::Serialize;

/// One entry, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AuditEntry {
    /// Its place in the log.
    pub seq: u64,
    /// What it is known by; the next entry names it.
    pub hash: Hash,
    /// When, who, why, what. Hashes of passwords and keys are left out.
    #[serde(flatten)]
    pub record: Record,
}

/// Which entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// About that model.
    pub model: Option<String>,
    /// Asked for by that person.
    pub who: Option<String>,
    /// Older than that entry.
    pub before: Option<u64>,
    /// That many at most.
    pub limit: usize,
}

impl Filter {
    fn takes(&self, record: &Record) -> bool {
        let about = |model: &String| record.event.model().is_some_and(|name| name.as_str() == model);
        self.model.as_ref().is_none_or(about) && self.who.as_ref().is_none_or(|who| *who == record.who)
    }
}

pub(crate) async fn read(
    log: &Log,
    view: Option<&View>,
    newest: u64,
    filter: &Filter,
) -> Result<Vec<AuditEntry>, OpenError> {
    let mut before = filter.before.unwrap_or(u64::MAX).min(newest + 1);
    let mut found = Vec::new();
    while found.len() < filter.limit && before > 1 {
        // What the view cannot say is found by walking back through the log.
        let indexed = view.and_then(|view| match (&filter.model, &filter.who) {
            (Some(model), _) => view.entries("of", model, before, PAGE),
            (None, Some(who)) => view.entries("who", who, before, PAGE),
            (None, None) => None,
        });
        let mut entries = Vec::new();
        match indexed {
            Some(seqs) if seqs.is_empty() => break,
            Some(seqs) => {
                for seq in seqs.iter().take(filter.limit) {
                    entries.extend(log.read(seq - 1, 1).await?);
                }
            }
            None => {
                let first = before.saturating_sub(PAGE as u64).max(1);
                let count = usize::try_from(before - first).unwrap_or(PAGE);
                entries = log.read(first - 1, count).await?;
                entries.reverse();
            }
        }
        let Some(oldest) = entries.last().map(|entry| entry.seq) else {
            break;
        };
        before = oldest;
        for entry in &entries {
            let record = record(entry)?;
            if filter.takes(&record) && found.len() < filter.limit {
                found.push(shown(entry, record));
            }
        }
    }
    Ok(found)
}

fn shown(entry: &Entry, mut record: Record) -> AuditEntry {
    // Who may look back need not see what passwords and keys hash to.
    if let Event::Access(event) = record.event {
        record.event = Event::Access(event.concealed());
    }
    AuditEntry {
        seq: entry.seq,
        hash: entry.hash,
        record,
    }
}
