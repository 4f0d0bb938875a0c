//! The log's file after crashes, flipped bits and full disks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use einthoven_registry_log::{ChainBroken, FILE, FileLog, Head, Log, LogError};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::{Place, all, append, append_for_ever, are_whole_steps, body, kill_after};

/// Not a test: the process that [`kill_after`] kills.
#[tokio::test]
#[ignore = "run by other tests, in a process of its own"]
async fn child() {
    if let Ok(folder) = std::env::var("EINTHOVEN_TEST_LOG") {
        append_for_ever(Place::Folder(folder.into()).open().await).await;
    }
}

/// A log with steps of 1, 2 and 3 entries; gives the file's bytes and its length after each step.
async fn written(folder: &Path) -> (Vec<u8>, Vec<u64>) {
    let log = Place::Folder(folder.to_owned()).open().await;
    let mut ends = Vec::new();
    for step in 0..6 {
        append(
            &log,
            (0..=step % 3)
                .map(|index| body(format!("\u{e4}\u{1f600} {step} {index}")))
                .collect(),
        )
        .await;
        ends.push(fs::metadata(folder.join(FILE)).unwrap().len());
    }
    (fs::read(folder.join(FILE)).unwrap(), ends)
}

/// Numbers of the last entry of each of those steps.
const LAST: [u64; 6] = [1, 3, 6, 7, 9, 12];

#[tokio::test]
async fn a_file_cut_anywhere_keeps_every_whole_step_and_no_half_one() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = written(folder.path()).await;
    let path = folder.path().join(FILE);
    let entries = all(&Place::Folder(folder.path().to_owned()).open().await).await;
    for cut in 0..=bytes.len() {
        // Also with zeros where the file was made longer but nothing was written.
        for zeros in [0, 700] {
            let mut kept = bytes[..cut].to_vec();
            kept.resize(cut + zeros, 0);
            fs::write(&path, kept).unwrap();
            let reader = FileLog::open_reader(folder.path()).await.unwrap();
            let log = Place::Folder(folder.path().to_owned()).open().await;
            // A step that lacks only its line's end is whole: its last hash says so.
            let whole = |end: u64| cut as u64 >= end || (zeros == 0 && cut as u64 + 1 == end);
            let steps = ends.iter().filter(|end| whole(**end)).count();
            let last = steps.checked_sub(1).map_or(0, |step| LAST[step]);
            assert_eq!(
                all(&log).await,
                entries[..usize::try_from(last).unwrap()],
                "cut at {cut}"
            );
            assert_eq!(reader.head().await, log.head().await, "cut at {cut}");
            let expected = steps.checked_sub(1).map_or(0, |step| ends[step]);
            assert_eq!(fs::metadata(&path).unwrap().len(), expected, "cut at {cut}");
        }
    }
    append(
        &Place::Folder(folder.path().to_owned()).open().await,
        vec![body("goes on")],
    )
    .await;
}

#[tokio::test]
async fn a_flipped_bit_is_found_and_nothing_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = written(folder.path()).await;
    let path = folder.path().join(FILE);
    let more = b"\"more\":true,";
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            fs::write(&path, &flipped).unwrap();
            match FileLog::open(folder.path()).await {
                Err(LogError::Broken(_)) => assert_eq!(fs::read(&path).unwrap(), flipped, "byte {at} bit {bit}"),
                other => panic!("byte {at} bit {bit}: {other:?}"),
            }
        }
    }
    assert!(
        bytes.windows(more.len()).any(|window| window == more),
        "steps are marked"
    );
    let mut flipped = bytes.clone();
    let at = usize::try_from(ends[1]).unwrap() + 200;
    flipped[at] ^= 1;
    fs::write(&path, &flipped).unwrap();
    let text = FileLog::open(folder.path()).await.unwrap_err().to_string();
    for wanted in [
        "entry 4",
        &path.display().to_string(),
        &format!("byte {}", ends[1]),
        "backup",
    ] {
        assert!(text.contains(wanted), "{text}");
    }
}

#[tokio::test]
async fn an_open_log_notices_that_its_file_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let log = Place::Folder(folder.path().to_owned()).open().await;
    let entries = append(&log, vec![body("a"), body("b"), body("c")]).await;
    let file = OpenOptions::new().write(true).open(folder.path().join(FILE)).unwrap();
    file.write_all_at(b"#", 300).unwrap();
    let found = log.verify(&[]).await;
    assert!(matches!(found, Err(ChainBroken::Changed { seq: 2, .. })), "{found:?}");
    assert!(matches!(log.read(0, 9).await, Err(LogError::Broken(_))));
    file.set_len(0).unwrap();
    let found = log.verify(&[]).await;
    let (head, anchor) = (Head::EMPTY, entries[2].head());
    assert_eq!(found, Err(ChainBroken::Truncated { head, anchor }));
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap().to_owned();
    for round in 0..200_u64 {
        let named = place.clone();
        let delay = Duration::from_micros(round * 37 % 1500);
        let steps = 1 + usize::try_from(round % 4).unwrap();
        let acknowledged = tokio::task::spawn_blocking(move || kill_after(&named, steps, delay));
        let acknowledged = acknowledged.await.unwrap().unwrap();
        let log = FileLog::open(folder.path()).await.unwrap();
        assert!(log.head().await.unwrap().seq >= acknowledged, "round {round}");
        are_whole_steps(&all(&Log::File(log)).await);
    }
}

/// A small file system in memory; `None` where this may not be mounted.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let Some(small) = Small::mount() else {
        eprintln!("skipped: a small file system cannot be mounted here");
        return;
    };
    let folder = small.0.path().join("log");
    let log = Place::Folder(folder.clone()).open().await;
    fs::write(small.0.path().join("ballast"), vec![1; 64 << 10]).unwrap();
    let mut entries = Vec::new();
    let refused = loop {
        let head = log.head().await.unwrap();
        match log.append(head, vec![body("x".repeat(5_000)), body("y")]).await {
            Ok(more) => entries.extend(more),
            Err(cause) => break cause,
        }
    };
    assert!(matches!(refused, LogError::Io { .. }), "{refused}");
    assert!(refused.to_string().contains("No space left on device"), "{refused}");
    assert_eq!(all(&log).await, entries);
    assert_eq!(FileLog::verify_folder(&folder, &[]).await.unwrap().unfinished, 0);
    fs::remove_file(small.0.path().join("ballast")).unwrap();
    entries.extend(append(&log, vec![body("z".repeat(5_000))]).await);
    drop(log);
    assert_eq!(all(&Place::Folder(folder).open().await).await, entries);
}
