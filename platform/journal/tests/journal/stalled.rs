//! A disk that stalls or fails: memory is bounded, everything is counted.

use crate::disks::{Tap, TappedDisk};
use crate::setup::{all, audit, entry, open};
use einthoven_journal::{Counts, Journal, JournalError, Mode, Recorded, Settings};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn sampled(buffer_bytes: usize) -> Settings {
    Settings {
        mode: Mode::Sampled { share: 1.0 },
        buffer_bytes,
        ..Settings::default()
    }
}

fn adds_up(counts: Counts) {
    assert_eq!(
        counts.received,
        counts.stored + counts.spooled + counts.dropped,
        "{counts:?}"
    );
}

/// Ten minutes at 500 requests a second are 300,000 requests: as many, as fast as they can be handed over.
#[test]
fn stalled_for_ten_minutes_memory_is_bounded_and_everything_counted() {
    const REQUESTS: u64 = 300_000;
    const BUFFER: usize = 4 << 20;
    let folder = tempfile::tempdir().unwrap();
    let tap = Arc::new(Tap::default());
    let journal = Journal::open_on(folder.path(), sampled(BUFFER), Arc::new(TappedDisk(Arc::clone(&tap)))).unwrap();
    journal.record_blocking(entry(0, 5)).unwrap();
    assert!(journal.flush(LONG));
    tap.stall(true);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let journal = journal.clone();
            std::thread::spawn(move || {
                let mut became = (0, 0);
                for number in 0..REQUESTS / 4 {
                    match journal.record_blocking(entry(number, 5)).unwrap() {
                        Recorded::Queued => became.0 += 1,
                        Recorded::Dropped => became.1 += 1,
                        other => panic!("{other:?}"),
                    }
                    if number % 1000 == 0 {
                        adds_up(journal.counts());
                        assert!(journal.counts().spooled_bytes <= BUFFER);
                    }
                }
                became
            })
        })
        .collect();
    let became = threads.into_iter().map(|thread| thread.join().unwrap());
    let (queued, dropped) = became.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let counts = journal.counts();
    adds_up(counts);
    assert_eq!(
        (counts.received, counts.stored, counts.spooled),
        (REQUESTS + 1, 1, queued)
    );
    assert_eq!(counts.dropped, dropped);
    assert!(queued > 1000 && dropped > REQUESTS / 2, "{counts:?}");
    // The disk is back: what was spooled is stored, and room is there again.
    tap.stall(false);
    assert!(journal.flush(LONG));
    assert_eq!(journal.record_blocking(entry(1, 5)).unwrap(), Recorded::Queued);
    journal.close();
    let counts = journal.counts();
    adds_up(counts);
    assert_eq!(
        (counts.stored, counts.spooled, counts.spooled_bytes),
        (queued + 2, 0, 0)
    );
    assert_eq!(all(&journal).len() as u64, counts.stored);
}

#[test]
fn while_sampled_a_disk_that_fails_for_a_while_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let tap = Arc::new(Tap::default());
    let journal = Journal::open_on(folder.path(), sampled(1 << 20), Arc::new(TappedDisk(Arc::clone(&tap)))).unwrap();
    for number in 0..100 {
        match number {
            10 => tap.failing_writes.store(3, Ordering::SeqCst),
            40 => tap.failing_syncs.store(2, Ordering::SeqCst),
            70 => tap.full.store(true, Ordering::SeqCst),
            _ => {}
        }
        journal.record_blocking(entry(number, 2)).unwrap();
        if number % 10 == 9 && number < 70 {
            assert!(journal.flush(LONG));
        }
        if number == 75 {
            tap.failing_writes.store(1, Ordering::SeqCst);
        }
    }
    std::thread::sleep(Duration::from_millis(50));
    tap.full.store(false, Ordering::SeqCst);
    assert!(journal.flush(LONG));
    journal.close();
    let counts = journal.counts();
    assert_eq!((counts.stored, counts.dropped), (100, 0));
    assert!(counts.failed_writes >= 4, "{counts:?}");
    drop(journal);
    let numbers: Vec<_> = all(&open(folder.path()))
        .into_iter()
        .map(|entry| entry.latency.total_us - 1500)
        .collect();
    assert_eq!(numbers, (0..100).rev().collect::<Vec<_>>());
}

#[test]
fn audited_an_answer_waits_for_the_disk_and_is_refused_where_the_disk_fails() {
    let folder = tempfile::tempdir().unwrap();
    let tap = Arc::new(Tap::default());
    let journal = Journal::open_on(folder.path(), audit(), Arc::new(TappedDisk(Arc::clone(&tap)))).unwrap();
    assert_eq!(journal.record_blocking(entry(1, 2)).unwrap(), Recorded::Durable);
    for number in 10..20 {
        journal.record_blocking(entry(number, 2)).unwrap();
        assert_eq!(tap.unsynced.load(Ordering::SeqCst), 0, "answered before it was synced");
    }
    // One failure is got over in a new segment.
    tap.failing_syncs.store(1, Ordering::SeqCst);
    assert_eq!(journal.record_blocking(entry(2, 2)).unwrap(), Recorded::Durable);
    tap.full.store(true, Ordering::SeqCst);
    tap.failing_writes.store(1, Ordering::SeqCst);
    assert!(matches!(
        journal.record_blocking(entry(3, 2)),
        Err(JournalError::Io { .. })
    ));
    tap.full.store(false, Ordering::SeqCst);
    assert_eq!(journal.record_blocking(entry(4, 2)).unwrap(), Recorded::Durable);
    // Whoever waits does so until it is on disk, not only written.
    tap.stall(true);
    let waiting = {
        let journal = journal.clone();
        std::thread::spawn(move || journal.record_blocking(entry(5, 2)))
    };
    std::thread::sleep(Duration::from_millis(100));
    assert!(!waiting.is_finished());
    tap.stall(false);
    waiting.join().unwrap().unwrap();
    let counts = journal.counts();
    assert_eq!((counts.received, counts.stored, counts.dropped), (15, 14, 1));
    let numbers: Vec<_> = all(&journal)
        .into_iter()
        .map(|entry| entry.latency.total_us - 1500)
        .collect();
    assert_eq!(numbers[..3], [5, 4, 2]);
    assert_eq!(numbers.len(), 14);
    journal.close();
    drop(journal);
    assert_eq!(all(&open(folder.path())).len(), 14);
}

#[test]
fn audited_more_than_the_buffer_is_refused_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let tap = Arc::new(Tap::default());
    let settings = Settings {
        buffer_bytes: 8 << 10,
        ..audit()
    };
    let journal = Journal::open_on(folder.path(), settings, Arc::new(TappedDisk(Arc::clone(&tap)))).unwrap();
    tap.stall(true);
    let waiting: Vec<_> = (0..32)
        .map(|number| {
            let journal = journal.clone();
            std::thread::spawn(move || journal.record_blocking(entry(number, 1)))
        })
        .collect();
    while journal.counts().received < 32 {
        std::thread::sleep(Duration::from_millis(5));
    }
    adds_up(journal.counts());
    tap.stall(false);
    let done: Vec<_> = waiting.into_iter().map(|thread| thread.join().unwrap()).collect();
    let stored = done.iter().filter(|done| matches!(done, Ok(Recorded::Durable))).count();
    let refused = done
        .iter()
        .filter(|done| matches!(done, Err(JournalError::Full { .. })))
        .count();
    assert!(stored >= 1 && refused >= 1, "{stored} stored, {refused} refused");
    assert_eq!(stored + refused, 32);
    assert_eq!(all(&journal).len(), stored);
}

#[test]
fn many_who_wait_share_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let tap = Arc::new(Tap::default());
    let journal = Journal::open_on(folder.path(), audit(), Arc::new(TappedDisk(Arc::clone(&tap)))).unwrap();
    journal.record_blocking(entry(0, 1)).unwrap();
    tap.stall(true);
    let before = tap.syncs.load(Ordering::SeqCst);
    let waiting: Vec<_> = (0..50)
        .map(|number| {
            let journal = journal.clone();
            std::thread::spawn(move || journal.record_blocking(entry(number, 1)).unwrap())
        })
        .collect();
    while journal.counts().spooled < 50 {
        std::thread::sleep(Duration::from_millis(5));
    }
    tap.stall(false);
    for thread in waiting {
        thread.join().unwrap();
    }
    // Those that the first one found, and the rest.
    assert!(tap.syncs.load(Ordering::SeqCst) - before <= 2);
}

#[test]
fn sampling_follows_the_id_and_shadows_follow_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        mode: Mode::Sampled { share: 0.25 },
        ..Settings::default()
    };
    let journal = Journal::open(folder.path(), settings).unwrap();
    let mut wanted = 0;
    for number in 0..4000 {
        let champion = entry(number, 1);
        let mut shadow = entry(number, 1);
        shadow.arm = Some(einthoven_journal::Arm {
            experiment: "e".into(),
            arm: "challenger".into(),
            beside: Some(champion.id),
        });
        let wants = journal.wants(champion.id);
        wanted += u64::from(wants);
        let expected = if wants { Recorded::Queued } else { Recorded::Unsampled };
        assert_eq!(journal.record_blocking(champion).unwrap(), expected);
        assert_eq!(journal.record_blocking(shadow).unwrap(), expected);
    }
    // Six sigma of a thousand.
    assert!((835..1165).contains(&wanted), "{wanted}");
    let counts = journal.counts();
    assert_eq!((counts.received, counts.unsampled), (2 * wanted, 2 * (4000 - wanted)));
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_take_the_entry_along() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let entry = entry(1, 3);
    let id = entry.id;
    drop(tokio::time::timeout(Duration::ZERO, journal.record(entry)).await);
    assert!(journal.flush(LONG));
    assert!(journal.get(id).unwrap().is_some());
    // A large one is encoded elsewhere.
    let large = crate::setup::entry(2, 20_000);
    let id = large.id;
    assert_eq!(journal.record(large.clone()).await.unwrap(), Recorded::Durable);
    assert_eq!(journal.get(id).unwrap(), Some(large));
    journal.close();
    assert!(matches!(
        journal.record(crate::setup::entry(3, 1)).await,
        Err(JournalError::Closed)
    ));
}

#[test]
fn a_label_that_did_not_reach_the_disk_was_not_given() {
    let folder = tempfile::tempdir().unwrap();
    let tap = Arc::new(Tap::default());
    let journal = Journal::open_on(folder.path(), audit(), Arc::new(TappedDisk(Arc::clone(&tap)))).unwrap();
    let entry = entry(1, 3);
    journal.record_blocking(entry.clone()).unwrap();
    let label = crate::reading::label(&entry, "ana", "k");
    journal.label(crate::reading::label(&entry, "ben", "k")).unwrap();
    tap.failing_syncs.store(1, Ordering::SeqCst);
    assert!(matches!(journal.label(label.clone()), Err(JournalError::Io { .. })));
    tap.failing_writes.store(1, Ordering::SeqCst);
    assert!(matches!(journal.label(label.clone()), Err(JournalError::Io { .. })));
    tap.full.store(true, Ordering::SeqCst);
    assert!(matches!(journal.label(label.clone()), Err(JournalError::Io { .. })));
    assert_eq!(journal.labels().of(entry.id).unwrap().len(), 1);
    tap.full.store(false, Ordering::SeqCst);
    assert_eq!(journal.label(label.clone()).unwrap().new, 1);
    assert_eq!(tap.unsynced.load(Ordering::SeqCst), 0);
    journal.close();
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(journal.labels().of(entry.id).unwrap().len(), 2);
    assert_eq!(journal.label(label).unwrap().repeated, 1);
}
