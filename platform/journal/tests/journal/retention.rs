//! Segments turn over by size and day and go by days and bytes.

use crate::setup::{all, audit, entry, files, segments};
use einthoven_journal::{Cursor, Filter, Journal, Keep, Settings};
use jiff::{SignedDuration, Timestamp};

fn keeping(keep: Keep) -> Settings {
    Settings { keep, ..audit() }
}

#[test]
fn a_new_day_begins_a_new_segment_and_old_days_go() {
    let folder = tempfile::tempdir().unwrap();
    let today = Timestamp::now();
    let settings = keeping(Keep {
        days: Some(30),
        ..Keep::default()
    });
    let journal = Journal::open(folder.path(), settings).unwrap();
    for ago in [50, 40, 31, 30, 10, 0] {
        for number in 0..3 {
            let mut entry = entry(number, 1);
            entry.at = today - SignedDuration::from_hours(24 * ago);
            entry.version = ago.to_string();
            journal.record_blocking(entry).unwrap();
        }
    }
    journal.retain(today).unwrap();
    let mut versions: Vec<_> = all(&journal).into_iter().map(|entry| entry.version).collect();
    versions.dedup();
    assert_eq!(versions, ["0", "10", "30"]);
    assert_eq!(segments(folder.path()).len(), 3);
    // Indexes go with them, and a cursor into what is gone finds nothing.
    assert!(files(&folder.path().join("entries")).len() <= 3 + 2 + 1);
    let gone: Cursor = "2.2".parse().unwrap();
    assert!(
        journal
            .page(Filter::default(), Some(gone), 10)
            .unwrap()
            .entries
            .is_empty()
    );
    journal.retain(today + SignedDuration::from_hours(24 * 90)).unwrap();
    assert_eq!(all(&journal).len(), 3, "the newest is never deleted");
}

#[test]
fn bytes_are_bounded_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep {
        segment_bytes: 20_000,
        bytes: Some(100_000),
        days: None,
    };
    let journal = Journal::open(folder.path(), keeping(keep)).unwrap();
    let mut last = None;
    for number in 0..600 {
        let entry = entry(number, 3);
        last = Some(entry.id);
        journal.record_blocking(entry).unwrap();
    }
    journal.close();
    let total: u64 = segments(folder.path())
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert!(total <= 120_000, "{total}");
    let kept = all(&journal);
    assert!(kept.len() > 50 && kept.len() < 600);
    assert_eq!(Some(kept[0].id), last);
}

#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), audit()).unwrap();
    let now = Timestamp::now();
    for hours in [0, -72, 48, -200, 0] {
        let mut entry = entry(1, 1);
        entry.at = now + SignedDuration::from_hours(hours);
        journal.record_blocking(entry).unwrap();
    }
    assert_eq!(all(&journal).len(), 5);
    journal.close();
    drop(journal);
    assert_eq!(all(&crate::setup::open(folder.path())).len(), 5);
}
