//! The audit trail, filtered and in pages.

use crate::setup::{add, change, close, open, promote};
use einthoven_registry::{AuditEntry, Filter, Registry};
use einthoven_registry_log::{FileLog, Log};

async fn pages(registry: &Registry, model: Option<&str>, who: Option<&str>, limit: usize) -> Vec<AuditEntry> {
    let mut filter = Filter {
        model: model.map(str::to_owned),
        who: who.map(str::to_owned),
        before: None,
        limit,
    };
    let mut all = Vec::new();
    loop {
        let page = registry.audit(&filter).await.unwrap();
        let Some(last) = page.last() else { return all };
        filter.before = Some(last.seq);
        assert!(page.len() <= limit);
        all.extend(page);
    }
}

#[tokio::test]
async fn entries_are_found_by_model_and_person_with_and_without_the_view() {
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path()).await;
    for number in 1..=20 {
        add(&registry, if number % 2 == 0 { "even" } else { "odd" }, number).await;
    }
    for number in 1..=10 {
        change(&registry, "ben", promote("even", number)).await.unwrap();
    }
    let everything = pages(&registry, None, None, 7).await;
    let seqs: Vec<_> = everything.iter().map(|entry| entry.seq).collect();
    let newest = registry.state().seq;
    assert_eq!(seqs, (1..=newest).rev().collect::<Vec<_>>());
    let by_ben = pages(&registry, None, Some("ben"), 3).await;
    assert_eq!(by_ben.len(), 10);
    let even = pages(&registry, Some("even"), None, 4).await;
    let both = pages(&registry, Some("even"), Some("ben"), 4).await;
    assert_eq!(both, by_ben);
    assert!(pages(&registry, Some("eve"), None, 4).await.is_empty());
    close(registry, folder.path()).await;

    let log = Log::File(FileLog::open(folder.path().join("log")).await.unwrap());
    let without = Registry::open(log, None).await.unwrap();
    assert_eq!(pages(&without, Some("even"), None, 5).await, even);
    assert_eq!(pages(&without, None, Some("ben"), 5).await, by_ben);
}
