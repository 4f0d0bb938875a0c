//! Files that are cut off, overwritten or lost.

use crate::setup::{all, entry, files, open, segments};
use einthoven_journal::{Cursor, Filter, Journal, JournalError, Kind};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// A journal of `number` small entries, closed; gives their ids, oldest first.
fn filled(folder: &Path, number: u64) -> Vec<uuid::Uuid> {
    let journal = open(folder);
    let ids = (0..number).map(|number| {
        let entry = entry(number, 1);
        let id = entry.id;
        journal.record_blocking(entry).unwrap();
        id
    });
    let ids = ids.collect();
    journal.close();
    ids
}

fn ids(journal: &Journal) -> Vec<uuid::Uuid> {
    let mut ids: Vec<_> = all(journal).into_iter().map(|entry| entry.id).collect();
    ids.reverse();
    ids
}

#[test]
fn cut_off_anywhere_it_opens_with_what_is_whole_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let written = filled(folder.path(), 3);
    let whole = fs::read(&segments(folder.path())[0]).unwrap();
    // Where each frame ends.
    let mut ends = vec![8];
    while ends.last().copied().unwrap() < whole.len() {
        let at = *ends.last().unwrap();
        ends.push(at + einthoven_journal::decode(&whole[at..]).unwrap().length);
    }
    assert_eq!(ends.len(), 4);
    // Every byte of the frames' heads and ends, and some of the rest: a start syncs often.
    let near = |end: &usize| ends.iter().any(|frame| frame.abs_diff(*end) <= 17);
    for end in (0..=whole.len()).filter(|end| near(end) || end % 41 == 0) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("entries")).unwrap();
        fs::write(folder.path().join("entries/20251124-00000001.seg"), &whole[..end]).unwrap();
        let journal = open(folder.path());
        let kept = ends.iter().filter(|frame| **frame <= end).count().saturating_sub(1);
        assert_eq!(ids(&journal), written[..kept], "cut after {end} bytes");
        assert!(journal.damage().is_empty());
        let more = entry(9, 1);
        let id = more.id;
        journal.record_blocking(more).unwrap();
        assert_eq!(ids(&journal).last(), Some(&id));
        journal.close();
        drop(journal);
        assert_eq!(ids(&open(folder.path())).len(), kept + 1);
    }
}

#[test]
fn a_damaged_entry_in_the_middle_is_told_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let written = filled(folder.path(), 5);
    let path = segments(folder.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let first = 8 + einthoven_journal::decode(&whole[8..]).unwrap().length;
    let second = einthoven_journal::decode(&whole[first..]).unwrap().length;
    // In its header, where its length stands, and in its payload: found again by looking for the next frame.
    for place in [0, 5, 12, 16, 40, second - 1] {
        let mut bytes = whole.clone();
        bytes[first + place] ^= 0x55;
        fs::write(&path, &bytes).unwrap();
        // The index still says where everything is.
        let journal = open(folder.path());
        let damaged = journal.page(Filter::default(), None, 100).unwrap();
        assert_eq!((damaged.entries.len(), damaged.damaged), (4, 1));
        assert!(matches!(journal.get(written[1]), Err(JournalError::Damaged { .. })));
        journal.close();
        drop(journal);
        // Without the index it is not even found, and that is told.
        fs::remove_file(path.with_extension("idx")).unwrap();
        let journal = open(folder.path());
        let mut left = written.clone();
        left.remove(1);
        assert_eq!(ids(&journal), left, "damage at {place}");
        assert_eq!(journal.get(written[1]).unwrap(), None);
        let damage = journal.damage();
        assert_eq!(damage.len(), 1);
        assert_eq!((damage[0].offset, damage[0].bytes), (first as u64, second as u64));
        journal.close();
        drop(journal);
        fs::write(&path, &whole).unwrap();
        fs::remove_file(path.with_extension("idx")).unwrap();
        open(folder.path()).close();
    }
}

#[test]
fn rubbish_between_frames_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let written = filled(folder.path(), 2);
    let path = segments(folder.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let first = 8 + einthoven_journal::decode(&whole[8..]).unwrap().length;
    // More than one look for the next frame reaches, with false beginnings in it.
    let mut bytes = whole[..first].to_vec();
    bytes.extend([0xE1, 0x4A, 1, 0, 7].repeat(40_000));
    bytes.extend(&whole[first..]);
    fs::write(&path, &bytes).unwrap();
    let journal = open(folder.path());
    assert_eq!(ids(&journal), written);
    assert_eq!(journal.damage()[0].bytes, 200_000);
}

#[test]
fn an_index_that_is_lost_or_damaged_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let written = filled(folder.path(), 40);
    let index = segments(folder.path()).remove(0).with_extension("idx");
    let sound = fs::read(&index).unwrap();
    let page = |folder: &Path| {
        let journal = open(folder);
        let filter = Filter {
            model: Some("atria".into()),
            class: Some("S".into()),
            ..Filter::default()
        };
        let some = journal.page(filter, None, 100).unwrap();
        let found = (
            ids(&journal),
            some,
            journal.get(written[7]).unwrap().map(|entry| entry.id),
        );
        journal.close();
        found
    };
    let expected = page(folder.path());
    assert!(!expected.1.entries.is_empty());
    assert_eq!(expected.2, Some(written[7]));
    let damages: [fn(&mut Vec<u8>); 6] = [
        Vec::clear,
        |bytes| bytes.truncate(39),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes[20] ^= 0xff,
        |bytes| bytes[60] ^= 1,
        |bytes| *bytes.last_mut().unwrap() ^= 1,
    ];
    for (number, damage) in damages.iter().enumerate() {
        let mut bytes = sound.clone();
        damage(&mut bytes);
        fs::write(&index, &bytes).unwrap();
        assert_eq!(page(folder.path()), expected, "damage {number}");
    }
    fs::remove_file(&index).unwrap();
    assert_eq!(page(folder.path()), expected);
    assert_eq!(fs::read(&index).unwrap(), sound, "made anew it is the same");
}

#[test]
fn two_processes_do_not_write_one_journal() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let second = Journal::open(folder.path(), crate::setup::audit());
    assert!(matches!(second, Err(JournalError::InUse { .. })));
    first.close();
    drop(first);
    open(folder.path());
}

#[test]
fn nobody_else_may_read_its_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 2);
    for path in files(folder.path()) {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn a_cursor_that_no_page_gave_is_refused() {
    for text in [
        "",
        ".",
        "1",
        "1.",
        ".1",
        "-1.2",
        "1.2.3",
        "99999999999.1",
        "a.b",
        "1.99999999999999999999",
    ] {
        assert!(
            matches!(text.parse::<Cursor>(), Err(JournalError::Cursor { .. })),
            "{text}"
        );
    }
    // One from elsewhere finds what there is.
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3);
    let journal = open(folder.path());
    let far: Cursor = "4000000000.18446744073709551615".parse().unwrap();
    assert_eq!(journal.page(Filter::default(), Some(far), 10).unwrap().entries.len(), 3);
    assert_eq!(
        journal
            .page(Filter::default(), Some("1.2".parse().unwrap()), 10)
            .unwrap()
            .entries
            .len(),
        2
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is in the file, the journal opens, gives whole entries only, and goes on.
    #[test]
    fn any_bytes_as_a_segment_are_survived(
        rubbish in prop::collection::vec(any::<u8>(), 0..300),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        sound in any::<bool>(),
    ) {
        let mut bytes = b"EINTSEG1".to_vec();
        let written = [entry(1, 1), entry(2, 1), entry(3, 1)];
        for entry in &written {
            einthoven_journal::encode(Kind::Entry, &serde_json::to_vec(entry).unwrap(), &mut bytes).unwrap();
            if sound {
                bytes.extend(&rubbish);
            }
        }
        if !sound {
            bytes = rubbish;
        }
        for (place, byte) in changes {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("entries")).unwrap();
        fs::write(folder.path().join("entries/20251124-00000001.seg"), &bytes).unwrap();
        let journal = open(folder.path());
        let found = all(&journal);
        prop_assert!(found.iter().all(|entry| written.contains(entry)));
        let more = entry(9, 1);
        let id = more.id;
        journal.record_blocking(more).unwrap();
        prop_assert!(journal.get(id).unwrap().is_some());
        prop_assert_eq!(all(&journal).len(), found.len() + 1);
    }
}
