//! A new master key in the place of another, also by a process that is killed while it changes them.

use crate::setup::{audit, files};
use einthoven_journal::recordings::KeepRecordings;
use einthoven_journal::{Journal, JournalError, Settings};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const FOLDER: &str = "EINTHOVEN_JOURNAL_ROTATED_FOLDER";

fn master(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    if !path.exists() {
        let digits = format!("{:x}", name.bytes().map(u32::from).sum::<u32>() % 16);
        fs::write(&path, digits.repeat(64)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    path
}

fn open(folder: &Path, now: &str, before: Option<&str>) -> Result<Journal, JournalError> {
    let recordings = KeepRecordings {
        keep: true,
        master_key: Some(master(folder, now)),
        previous_master_key: before.map(|name| master(folder, name)),
        ..KeepRecordings::default()
    };
    Journal::open(&folder.join("journal"), Settings { recordings, ..audit() })
}

/// Recordings of so many people, with who and the digest.
fn kept(folder: &Path, people: usize, each: usize) -> Vec<(String, String)> {
    let journal = open(folder, "a", None).unwrap();
    let mut kept = Vec::new();
    for person in 0..people {
        for recording in 0..each {
            let (person, content) = (format!("person {person}"), format!("heart {person} {recording}"));
            let digest = journal.recordings().put(Some(&person), content.as_bytes()).unwrap();
            kept.push((person, digest.unwrap()));
        }
    }
    journal.close();
    kept
}

/// How many keys lie under each master key.
fn under(folder: &Path) -> HashMap<String, usize> {
    let mut under = HashMap::new();
    for path in files(&folder.join("journal/recordings/keys")) {
        if path.extension().is_some_and(|ending| ending == "key") {
            let text = fs::read_to_string(path).unwrap();
            *under.entry(text.split(' ').next().unwrap().to_owned()).or_default() += 1;
        }
    }
    under
}

/// Second names of what lies under the keys' names now, by which it is found when those lead elsewhere.
fn witnessed(folder: &Path, round: usize) {
    let witnesses = folder.join("witnesses").join(round.to_string());
    fs::create_dir_all(&witnesses).unwrap();
    for (number, path) in files(&folder.join("journal/recordings/keys")).into_iter().enumerate() {
        // A file that is being written goes on to its name.
        let _ = fs::hard_link(path, witnesses.join(number.to_string()));
    }
}

/// Of what was witnessed, how many files have no other name any more and are nothing but zeros; all others have one.
fn zeroed(folder: &Path) -> usize {
    let keys = files(&folder.join("journal/recordings/keys"));
    let live: HashSet<u64> = keys.iter().map(|path| fs::metadata(path).unwrap().ino()).collect();
    let mut gone: Vec<PathBuf> = files(&folder.join("witnesses"));
    gone.retain(|path| !live.contains(&fs::metadata(path).unwrap().ino()));
    for path in &gone {
        let bytes = fs::read(path).unwrap();
        assert!(
            !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0),
            "an old wrapping is left"
        );
    }
    gone.len()
}

fn readable(journal: &Journal, kept: &[(String, String)]) -> usize {
    let each = kept.iter();
    each.filter(|(person, digest)| journal.recordings().get(Some(person), digest).is_ok())
        .count()
}

#[test]
fn after_a_rotation_the_old_key_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let kept = kept(folder.path(), 3, 2);
    let with_old = under(folder.path());
    // A key that is damaged, and one that nobody knows of, stay what they are, and stop nothing.
    let lost = folder.path().join("journal/recordings/keys/lost");
    fs::create_dir_all(&lost).unwrap();
    fs::write(lost.join("damaged.key"), "not a key").unwrap();
    let journal = open(folder.path(), "b", Some("a")).unwrap();
    assert_eq!(readable(&journal, &kept), kept.len());
    let digest = journal.recordings().put(Some("new"), b"heart").unwrap().unwrap();
    journal.close();
    drop(journal);
    assert_eq!(fs::read_to_string(lost.join("damaged.key")).unwrap(), "not a key");
    fs::remove_dir_all(lost).unwrap();
    let with_new = under(folder.path());
    assert_eq!(with_new.len(), 1);
    assert_eq!(with_new.values().sum::<usize>(), kept.len() + 1);
    assert!(with_old.keys().all(|id| !with_new.contains_key(id)));
    let journal = open(folder.path(), "a", None).unwrap();
    assert_eq!(readable(&journal, &kept), 0);
    let (person, old) = &kept[0];
    let refused = journal.recordings().get(Some(person), old).unwrap_err().to_string();
    assert!(refused.contains("previous"), "{refused}");
    journal.close();
    drop(journal);
    let journal = open(folder.path(), "b", None).unwrap();
    assert_eq!(readable(&journal, &kept), kept.len());
    assert_eq!(journal.recordings().get(Some("new"), &digest).unwrap(), b"heart");
    // Whoever is erased is erased under either key.
    assert_eq!(journal.erase_subject(person).unwrap().recordings, 2);
    assert_eq!(readable(&journal, &kept), kept.len() - 2);
    journal.close();
    drop(journal);
    // A previous key that is not there stops the start before anything changes.
    let recordings = KeepRecordings {
        keep: true,
        master_key: Some(master(folder.path(), "c")),
        previous_master_key: Some(folder.path().join("none")),
        ..KeepRecordings::default()
    };
    let refused = Journal::open(&folder.path().join("journal"), Settings { recordings, ..audit() });
    assert!(matches!(refused.map(drop), Err(JournalError::MasterKey { .. })));
    assert_eq!(under(folder.path()).len(), 1);
}

/// What a process leaves that ends after it has put a new wrapping in the place of the old one, or before: the next start finishes it, though
/// nothing is said of the previous key any more.
#[test]
fn an_old_wrapping_that_was_left_is_overwritten_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let kept = kept(folder.path(), 1, 2);
    let recordings = folder.path().join("journal/recordings");
    let keys = files(&recordings.join("keys"));
    let second = |key: &Path| {
        let within = key.strip_prefix(recordings.join("keys")).unwrap();
        recordings
            .join("replaced")
            .join(within.to_str().unwrap().replace('/', " "))
    };
    fs::create_dir(recordings.join("replaced")).unwrap();
    for key in &keys {
        fs::hard_link(key, second(key)).unwrap();
    }
    let (replaced, witness) = (&keys[0], folder.path().join("witness"));
    fs::hard_link(replaced, &witness).unwrap();
    let text = fs::read(replaced).unwrap();
    fs::remove_file(replaced).unwrap();
    fs::write(replaced, &text).unwrap();
    let journal = open(folder.path(), "a", None).unwrap();
    assert_eq!(readable(&journal, &kept), kept.len());
    journal.close();
    assert_eq!(fs::read(&witness).unwrap(), vec![0; text.len()]);
    assert_eq!(files(&recordings.join("replaced")), Vec::<PathBuf>::new());
}

/// Not a test of its own: what the killed process runs.
#[test]
#[ignore = "run by the test below in a process that it kills"]
fn rotates() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let said = std::env::var("EINTHOVEN_JOURNAL_ROTATED_KEYS").unwrap();
    let (now, before) = said.split_once(' ').unwrap();
    open(folder.as_ref(), now, Some(before)).unwrap().close();
}

fn rotating(folder: &Path, now: &str, before: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "rotated::rotates"])
        .env(FOLDER, folder)
        .env("EINTHOVEN_JOURNAL_ROTATED_KEYS", format!("{now} {before}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_rotation_that_is_killed_loses_nothing_and_goes_on_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let kept = kept(folder.path(), 12, 20);
    let (mut now, mut before) = ("b", "a");
    let mut in_the_middle = 0;
    for round in 0..60 {
        witnessed(folder.path(), round);
        let began = under(folder.path());
        let mut child = rotating(folder.path(), now, before);
        while under(folder.path()) == began && child.try_wait().unwrap().is_none() {}
        child.kill().unwrap();
        child.wait().unwrap();
        let found = under(folder.path());
        assert_eq!(found.values().sum::<usize>(), kept.len(), "{found:?}");
        if found.len() == 2 {
            in_the_middle += 1;
            if in_the_middle == 3 {
                break;
            }
        } else if found != began {
            // It was through before it was killed: the other way round.
            std::mem::swap(&mut now, &mut before);
        }
    }
    assert_eq!(in_the_middle, 3, "it was never killed in the middle");
    let journal = open(folder.path(), now, Some(before)).unwrap();
    assert_eq!(readable(&journal, &kept), kept.len());
    journal.close();
    drop(journal);
    let all = files(&folder.path().join("journal/recordings/keys"));
    assert_eq!(all.len(), kept.len(), "something is left beside the keys");
    assert!(zeroed(folder.path()) >= kept.len());
    assert_eq!(
        files(&folder.path().join("journal/recordings/replaced")),
        Vec::<PathBuf>::new()
    );
    assert_eq!(readable(&open(folder.path(), before, None).unwrap(), &kept), 0);
    assert_eq!(readable(&open(folder.path(), now, None).unwrap(), &kept), kept.len());
}
