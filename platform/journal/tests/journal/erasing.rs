//! Erasing a person from entries and labels.

use crate::reading::label;
use crate::setup::{all, audit, entry, files};
use einthoven_journal::{Filter, Journal, Keep, Settings};
use std::fs;

fn small() -> Settings {
    Settings {
        keep: Keep {
            segment_bytes: 8000,
            ..Keep::default()
        },
        ..audit()
    }
}

#[test]
fn nothing_of_a_person_is_left_on_disk_and_everything_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), small()).unwrap();
    let mut written = Vec::new();
    for number in 0..60 {
        let mut entry = entry(number, 2);
        if number % 5 == 2 {
            entry.subject = Some("canary-4711".into());
            entry.record = Some("canary-4711-a".into());
        }
        journal.record_blocking(entry.clone()).unwrap();
        let mut said = label(&entry, "ana", "k");
        if number % 5 == 2 {
            said.why = "canary-4711 has a pacemaker".into();
        }
        journal.label(said).unwrap();
        written.push(entry);
    }
    // Entries that are large are packed; a search of bytes would not see them, the reader would.
    let (gone, left): (Vec<_>, Vec<_>) = written
        .into_iter()
        .partition(|entry| entry.subject.as_deref() == Some("canary-4711"));
    let half = journal.page(Filter::default(), None, 30).unwrap();
    let erased = journal.erase_subject("canary-4711").unwrap();
    assert_eq!((erased.entries, erased.labels), (12, 12));
    let found = || {
        let mut found = all(&journal);
        found.reverse();
        found
    };
    assert_eq!(found(), left);
    for entry in &gone {
        assert_eq!(journal.get(entry.id).unwrap(), None);
        assert!(!journal.labels().has(entry.id));
    }
    for entry in &left {
        assert_eq!(journal.labels().of(entry.id).unwrap().len(), 1);
    }
    // Cursors given before stay true.
    let rest = journal.page(Filter::default(), half.next, 1000).unwrap();
    let first: Vec<_> = left
        .iter()
        .rev()
        .map(|entry| entry.id)
        .filter(|id| !half.entries.iter().any(|entry| entry.id == *id))
        .collect();
    assert_eq!(rest.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), first);
    for path in files(folder.path()) {
        let bytes = fs::read(&path).unwrap();
        assert!(
            !bytes.windows(11).any(|window| window == b"canary-4711"),
            "{}",
            path.display()
        );
    }
    assert_eq!(
        journal.erase_subject("canary-4711").unwrap(),
        einthoven_journal::Erased::default()
    );
    // It goes on, and all is so after a restart.
    journal.record_blocking(entry(99, 1)).unwrap();
    journal.close();
    drop(journal);
    let journal = Journal::open(folder.path(), small()).unwrap();
    assert_eq!(all(&journal).len(), left.len() + 1);
    assert!(journal.damage().is_empty());
    assert_eq!(journal.labels().predictions(), left.len());
}

#[test]
fn an_erasure_that_a_crash_interrupted_is_finished_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), small()).unwrap();
    for number in 0..3 {
        journal.record_blocking(entry(number, 2)).unwrap();
    }
    journal.close();
    drop(journal);
    let path = crate::setup::segments(folder.path()).remove(0);
    let bytes = fs::read(&path).unwrap();
    let first = einthoven_journal::decode(&bytes[8..]).unwrap().length;
    let second = einthoven_journal::decode(&bytes[8 + first..]).unwrap().length;
    // The plan was on disk, and half of the second entry was overwritten.
    let name = path.file_name().unwrap().to_str().unwrap();
    let plan = serde_json::json!({ "files": { format!("entries/{name}"): [[8 + first, second], [1_u64 << 40, 99]], "entries/gone.seg": [[8, 40]] } });
    fs::write(folder.path().join("erasing.json"), plan.to_string()).unwrap();
    let mut torn = bytes.clone();
    torn[8 + first + 20..8 + first + 60].fill(0);
    fs::write(&path, torn).unwrap();
    let journal = Journal::open(folder.path(), small()).unwrap();
    let numbers: Vec<_> = all(&journal)
        .into_iter()
        .map(|entry| entry.latency.total_us - 1500)
        .collect();
    assert_eq!(numbers, [2, 0]);
    assert!(journal.damage().is_empty());
    assert!(!folder.path().join("erasing.json").exists());
}

#[test]
fn labels_of_predictions_that_are_no_longer_kept_are_erased_too() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || Settings {
        keep: Keep {
            days: Some(1),
            ..Keep::default()
        },
        ..audit()
    };
    let journal = Journal::open(folder.path(), settings()).unwrap();
    // Of November 2025.
    let old = entry(1, 2);
    journal.record_blocking(old.clone()).unwrap();
    let mut said = label(&old, "ana", "k");
    said.why = "canary-4711".into();
    journal.label(said).unwrap();
    let mut new = entry(2, 2);
    new.at = jiff::Timestamp::now();
    journal.record_blocking(new).unwrap();
    journal.retain(jiff::Timestamp::now()).unwrap();
    assert_eq!(journal.get(old.id).unwrap(), None);
    assert_eq!(journal.labels().of(old.id).unwrap().len(), 1, "labels are kept longer");
    journal.close();
    drop(journal);
    let journal = Journal::open(folder.path(), settings()).unwrap();
    let erased = journal.erase_subject("subject-1").unwrap();
    assert_eq!((erased.entries, erased.labels), (0, 1));
    for path in files(folder.path()) {
        let bytes = fs::read(&path).unwrap();
        assert!(
            !bytes.windows(11).any(|window| window == b"canary-4711"),
            "{}",
            path.display()
        );
    }
}
