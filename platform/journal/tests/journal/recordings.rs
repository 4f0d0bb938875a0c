//! Recordings under keys of their own.

use crate::setup::{audit, files};
use einthoven_journal::recordings::KeepRecordings;
use einthoven_journal::{Journal, JournalError, Settings};
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn keeping(recordings: KeepRecordings) -> Settings {
    Settings { recordings, ..audit() }
}

fn open(folder: &Path) -> Journal {
    let settings = keeping(KeepRecordings {
        keep: true,
        ..KeepRecordings::default()
    });
    Journal::open(folder, settings).unwrap()
}

/// Bytes that no compressor and no accident makes.
fn recording(length: usize) -> Vec<u8> {
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

fn with_ending(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let all = files(&folder.join("recordings"));
    all.into_iter()
        .filter(|path| path.extension().is_some_and(|has| has == ending))
        .collect()
}

#[test]
fn what_is_put_comes_back_and_is_not_readable_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for length in [0, 1, 15, 65_535, 65_536, 65_537, 131_072, 300_000] {
        let bytes = recording(length);
        let digest = journal.recordings().put(Some("ana"), &bytes).unwrap().unwrap();
        assert_eq!(
            journal.recordings().get(Some("ana"), &digest).unwrap(),
            bytes,
            "{length} bytes"
        );
        assert!(journal.recordings().has(Some("ana"), &digest));
        // Somebody else's is somebody else's.
        assert!(matches!(
            journal.recordings().get(None, &digest),
            Err(JournalError::NotKept { .. })
        ));
    }
    let bytes = recording(300_000);
    for path in files(folder.path()) {
        let on_disk = fs::read(&path).unwrap();
        assert!(
            !on_disk.windows(32).any(|window| window == &bytes[1000..1032]),
            "{}",
            path.display()
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        assert!(!path.to_string_lossy().contains("ana"));
    }
    // Kept once, however often it is put.
    let before = with_ending(folder.path(), "enc").len();
    journal.recordings().put(Some("ana"), &bytes).unwrap();
    assert_eq!(with_ending(folder.path(), "enc").len(), before);
    journal.close();
    drop(journal);
    let journal = open(folder.path());
    let digest = einthoven_journal::replay::digest(&bytes);
    assert_eq!(journal.recordings().get(Some("ana"), &digest).unwrap(), bytes);
}

#[test]
fn nothing_is_kept_unless_the_settings_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), audit()).unwrap();
    assert_eq!(journal.recordings().put(None, b"samples").unwrap(), None);
    assert!(!folder.path().join("recordings").exists());
}

#[test]
fn an_erased_person_cannot_be_read_from_any_copy() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let bytes = recording(100_000);
    let ana = journal.recordings().put(Some("ana"), &bytes).unwrap().unwrap();
    let ben = journal.recordings().put(Some("ben"), &bytes).unwrap().unwrap();
    let copies: Vec<_> = with_ending(folder.path(), "enc")
        .into_iter()
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    let erased = journal.erase_subject("ana").unwrap();
    assert_eq!(erased.recordings, 1);
    assert!(matches!(
        journal.recordings().get(Some("ana"), &ana),
        Err(JournalError::NotKept { .. })
    ));
    // A backup of the ciphertext is put back; the master key is still there.
    for (bytes, path) in copies {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    assert!(matches!(
        journal.recordings().get(Some("ana"), &ana),
        Err(JournalError::NotKept { .. })
    ));
    // Not even under the key of the same recording of somebody else.
    let keys = with_ending(folder.path(), "key");
    let bens = keys
        .iter()
        .find(|path| path.parent().unwrap().parent().unwrap().ends_with("keys"))
        .unwrap();
    for data in with_ending(folder.path(), "enc") {
        let own = folder.path().join("recordings/keys");
        let person = data.parent().unwrap().file_name().unwrap();
        let key = own.join(person).join(data.file_name().unwrap()).with_extension("key");
        if !key.exists() {
            fs::create_dir_all(key.parent().unwrap()).unwrap();
            fs::copy(bens, key).unwrap();
        }
    }
    assert!(matches!(
        journal.recordings().get(Some("ana"), &ana),
        Err(JournalError::Tampered { .. })
    ));
    assert_eq!(journal.recordings().get(Some("ben"), &ben).unwrap(), bytes);
    assert_eq!(journal.erase_subject("nobody such").unwrap().recordings, 0);
}

#[test]
fn every_change_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let digest = journal.recordings().put(None, &recording(200_000)).unwrap().unwrap();
    let data = with_ending(folder.path(), "enc").remove(0);
    let sound = fs::read(&data).unwrap();
    let chunk = 65_536 + 16;
    let (head, chunks) = sound.split_at(27);
    let mut swapped = head.to_vec();
    swapped.extend(&chunks[chunk..2 * chunk]);
    swapped.extend(&chunks[..chunk]);
    swapped.extend(&chunks[2 * chunk..]);
    let mut left_out = head.to_vec();
    left_out.extend(&chunks[chunk..]);
    let mut changed = vec![
        swapped,
        left_out,
        sound[..27 + 3 * chunk].to_vec(),
        sound[..20].to_vec(),
        Vec::new(),
    ];
    for place in [0, 10, 30, 70_000, sound.len() - 1] {
        let mut bytes = sound.clone();
        bytes[place] ^= 1;
        changed.push(bytes);
    }
    for (number, bytes) in changed.iter().enumerate() {
        fs::write(&data, bytes).unwrap();
        let read = journal.recordings().get(None, &digest);
        assert!(
            matches!(read, Err(JournalError::Tampered { .. })),
            "change {number}: {read:?}"
        );
    }
    fs::write(&data, &sound).unwrap();
    // Another recording under this one's name, with its own key.
    let other = journal.recordings().put(None, &recording(5)).unwrap().unwrap();
    let name = |path: &Path| path.file_stem().unwrap().to_owned();
    let other_data = with_ending(folder.path(), "enc")
        .into_iter()
        .find(|path| name(path) != name(&data))
        .unwrap();
    let key = |data: &Path| {
        let keys = with_ending(folder.path(), "key");
        keys.into_iter().find(|key| name(key) == name(data)).unwrap()
    };
    fs::copy(&other_data, &data).unwrap();
    fs::copy(key(&other_data), key(&data)).unwrap();
    assert!(matches!(
        journal.recordings().get(None, &digest),
        Err(JournalError::Tampered { .. })
    ));
    assert!(journal.recordings().get(None, &other).is_ok());
    fs::write(key(&data), "not a key").unwrap();
    assert!(matches!(
        journal.recordings().get(None, &digest),
        Err(JournalError::Tampered { .. })
    ));
}

#[test]
fn the_master_key_is_made_once_and_missed_when_it_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let digest = journal.recordings().put(None, b"samples").unwrap().unwrap();
    let path = folder.path().join("recordings/master.key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    journal.close();
    drop(journal);
    let key = fs::read(&path).unwrap();
    let open_again = || {
        let settings = keeping(KeepRecordings {
            keep: true,
            ..KeepRecordings::default()
        });
        Journal::open(folder.path(), settings)
    };
    fs::remove_file(&path).unwrap();
    assert!(
        matches!(open_again(), Err(JournalError::MasterKey { .. })),
        "a new one must not be made in silence"
    );
    fs::write(&path, "too short").unwrap();
    assert!(matches!(open_again(), Err(JournalError::MasterKey { .. })));
    // Another key is told as another key.
    fs::write(&path, "ab".repeat(32)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let journal = open_again().unwrap();
    assert!(matches!(
        journal.recordings().get(None, &digest),
        Err(JournalError::MasterKey { .. })
    ));
    journal.close();
    drop(journal);
    fs::write(&path, key).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    assert!(
        matches!(open_again(), Err(JournalError::MasterKey { .. })),
        "everybody can read it"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(
        open_again().unwrap().recordings().get(None, &digest).unwrap(),
        b"samples"
    );
}

#[test]
fn a_named_master_key_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().join("secret");
    let settings = || {
        keeping(KeepRecordings {
            keep: true,
            master_key: Some(named.clone()),
            ..KeepRecordings::default()
        })
    };
    let journal = folder.path().join("journal");
    assert!(matches!(
        Journal::open(&journal, settings()),
        Err(JournalError::MasterKey { .. })
    ));
    fs::write(&named, format!("{}\n", "0f".repeat(32))).unwrap();
    fs::set_permissions(&named, fs::Permissions::from_mode(0o440)).unwrap();
    let journal = Journal::open(&journal, settings()).unwrap();
    let digest = journal.recordings().put(Some("ana"), b"samples").unwrap().unwrap();
    assert_eq!(journal.recordings().get(Some("ana"), &digest).unwrap(), b"samples");
}

#[test]
fn recordings_go_with_their_keys_by_days_and_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let settings = keeping(KeepRecordings {
        keep: true,
        days: Some(7),
        bytes: Some(25_000),
        ..KeepRecordings::default()
    });
    let journal = Journal::open(folder.path(), settings).unwrap();
    for number in 0..5 {
        journal
            .recordings()
            .put(Some(&format!("s{number}")), &recording(10_000 + number))
            .unwrap();
    }
    journal.retain(Timestamp::now()).unwrap();
    assert_eq!(with_ending(folder.path(), "enc").len(), 2);
    // And the master key.
    assert_eq!(with_ending(folder.path(), "key").len(), 3);
    journal
        .retain(Timestamp::now() + SignedDuration::from_hours(24 * 9))
        .unwrap();
    assert_eq!(with_ending(folder.path(), "enc").len(), 0);
    assert_eq!(with_ending(folder.path(), "key").len(), 1);
}
