//! Labels: a layer over the answer.

use crate::reading::label;
use crate::setup::{entry, open};
use einthoven_journal::labels::{
    Agreement, Given, Label, Mark, Source, Truth, cohen, current, fleiss, from_reference, standing,
};
use einthoven_journal::{Entry, Journal, JournalError, Unit};
use jiff::SignedDuration;
use proptest::prelude::*;

fn recorded(folder: &std::path::Path) -> (Journal, Entry) {
    let journal = open(folder);
    let entry = entry(1, 20);
    journal.record_blocking(entry.clone()).unwrap();
    (journal, entry)
}

fn class(class: &str) -> Truth {
    Truth::Class { class: class.into() }
}

/// What `reader` says so many seconds after the prediction.
fn said(entry: &Entry, reader: &str, seconds: i64, marks: &[(u64, Truth)]) -> Label {
    Label {
        prediction: entry.id,
        reader: reader.to_owned(),
        at: entry.at + SignedDuration::from_secs(seconds),
        key: seconds.to_string(),
        why: String::new(),
        source: Source::Api,
        adjudication: false,
        marks: marks.iter().cloned().map(|(at, truth)| Mark { at, truth }).collect(),
    }
}

#[test]
fn the_same_again_is_one_label_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, entry) = recorded(folder.path());
    let first = label(&entry, "ana", "key-1");
    assert_eq!(journal.label(first.clone()).unwrap(), Given { new: 1, repeated: 0 });
    assert_eq!(journal.label(first.clone()).unwrap(), Given { new: 0, repeated: 1 });
    journal.close();
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(journal.label(first.clone()).unwrap(), Given { new: 0, repeated: 1 });
    assert_eq!(journal.labels().of(entry.id).unwrap(), std::slice::from_ref(&first));
    // The same key for something else is a mistake of the client.
    let mut other = first.clone();
    other.marks[0].truth = Truth::NotABeat;
    assert!(matches!(journal.label(other), Err(JournalError::KeyReused { .. })));
    // Another reader's key is another key; another beat under the same key is new.
    assert_eq!(journal.label(label(&entry, "ben", "key-1")).unwrap().new, 1);
    let mut more = first;
    more.marks.push(Mark {
        at: entry.beats.at[1],
        truth: class("N"),
    });
    assert_eq!(journal.label(more).unwrap(), Given { new: 1, repeated: 1 });
    // The answer is what it was.
    assert_eq!(journal.get(entry.id).unwrap(), Some(entry));
}

#[test]
fn the_same_label_sent_by_many_at_once_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, entry) = recorded(folder.path());
    let new: usize = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| journal.label(label(&entry, "ana", "k")).unwrap().new))
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    assert_eq!(new, 1);
    assert_eq!(journal.labels().of(entry.id).unwrap().len(), 1);
}

#[test]
fn labels_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, entry) = recorded(folder.path());
    let try_mark = |at, truth| {
        let mut label = label(&entry, "ana", "k");
        label.marks = vec![Mark { at, truth }];
        journal.label(label)
    };
    let there = entry.beats.at[2];
    assert!(matches!(
        try_mark(there + 1, class("V")),
        Err(JournalError::NoSuchBeat { .. })
    ));
    assert!(matches!(
        try_mark(there + 1, Truth::NotABeat),
        Err(JournalError::NoSuchBeat { .. })
    ));
    assert!(matches!(
        try_mark(there, Truth::Missed { class: None }),
        Err(JournalError::NoSuchBeat { .. })
    ));
    assert!(matches!(
        try_mark(there, class("")),
        Err(JournalError::NoSuchBeat { .. })
    ));
    let mut twice = label(&entry, "ana", "k");
    twice.marks.push(twice.marks[0].clone());
    assert!(matches!(journal.label(twice), Err(JournalError::NoSuchBeat { .. })));
    let mut nobody = label(&entry, "", "k");
    nobody.why = String::new();
    assert!(matches!(journal.label(nobody), Err(JournalError::Labels { .. })));
    let unknown = label(&crate::setup::entry(2, 1), "ana", "k");
    assert!(matches!(
        journal.label(unknown),
        Err(JournalError::NoSuchPrediction { .. })
    ));
    let mut rows = crate::setup::entry(3, 3);
    rows.unit = Unit::Rows;
    journal.record_blocking(rows.clone()).unwrap();
    let mut missed = label(&rows, "ana", "k");
    missed.marks[0] = Mark {
        at: 5,
        truth: Truth::Missed { class: None },
    };
    assert!(matches!(journal.label(missed), Err(JournalError::NoSuchBeat { .. })));
    assert_eq!(journal.labels().predictions(), 0);
}

#[test]
fn the_last_word_of_each_reader_counts_then_most_readers_then_nobody() {
    let entry = entry(1, 5);
    let at = entry.beats.at[0];
    let holds = |labels: &[Label]| {
        current(labels)
            .get(&at)
            .map(|current| (current.truth.clone(), current.adjudicated))
    };
    let ana = said(&entry, "ana", 10, &[(at, class("V"))]);
    let ben = said(&entry, "ben", 20, &[(at, class("S"))]);
    let cleo = said(&entry, "cleo", 5, &[(at, class("S"))]);
    assert_eq!(holds(&[]), None);
    assert_eq!(holds(std::slice::from_ref(&ana)), Some((Some(class("V")), false)));
    assert_eq!(
        holds(&[ana.clone(), ben.clone()]),
        Some((None, false)),
        "as many say another thing"
    );
    assert_eq!(
        holds(&[ana.clone(), ben.clone(), cleo.clone()]),
        Some((Some(class("S")), false))
    );
    // Ana said something else before, which arrives late: her last word stands.
    let early = said(&entry, "ana", 1, &[(at, class("N"))]);
    assert_eq!(holds(&[ana.clone(), early.clone()]), Some((Some(class("V")), false)));
    assert_eq!(holds(&[early, ana.clone()]), Some((Some(class("V")), false)));
    // Who takes it back has said nothing.
    let back = said(&entry, "ben", 30, &[(at, Truth::Withdrawn)]);
    assert_eq!(
        holds(&[ana.clone(), ben.clone(), back.clone()]),
        Some((Some(class("V")), false))
    );
    assert_eq!(holds(&[back, ben.clone()]), None);
    // An adjudication settles it, whoever comes after.
    let mut settled = said(&entry, "dora", 2, &[(at, Truth::NotABeat)]);
    settled.adjudication = true;
    assert_eq!(holds(&[settled, ana, ben, cleo]), Some((Some(Truth::NotABeat), true)));
}

#[test]
fn of_each_reader_the_last_word_stands_with_when_it_was_said() {
    let entry = entry(1, 5);
    let [first, second] = [entry.beats.at[0], entry.beats.at[1]];
    let both = said(&entry, "ana", 10, &[(first, class("V")), (second, class("V"))]);
    let other = said(&entry, "ana", 20, &[(first, class("S"))]);
    let ben = said(&entry, "ben", 15, &[(second, class("N"))]);
    let back = said(&entry, "ben", 30, &[(second, Truth::Withdrawn)]);
    let mut settled = said(&entry, "ana", 5, &[(first, Truth::NotABeat)]);
    settled.adjudication = true;
    let at = [both.at, other.at, settled.at];
    let found: Vec<_> = standing(&[both, other, ben, back, settled])
        .into_iter()
        .map(|label| (label.reader, label.at, label.marks))
        .collect();
    let mark = |at, truth| vec![Mark { at, truth }];
    assert_eq!(
        found,
        [
            ("ana".to_owned(), at[0], mark(second, class("V"))),
            ("ana".to_owned(), at[1], mark(first, class("S"))),
            ("ana".to_owned(), at[2], mark(first, Truth::NotABeat)),
        ]
    );
}

proptest! {
    #[test]
    fn in_whatever_order_labels_arrive_the_same_holds(
        words in prop::collection::vec((0_usize..3, 0_u64..3, 0_usize..4, any::<bool>()), 1..20),
        order in any::<u64>(),
    ) {
        let entry = entry(1, 5);
        // No two at the same time: then arrival decides, and only then.
        let labels: Vec<Label> = words.iter().enumerate().map(|(second, (reader, beat, truth, adjudication))| {
            let truth = [class("N"), class("V"), Truth::NotABeat, Truth::Withdrawn][*truth].clone();
            let mut label = said(&entry, ["ana", "ben", "cleo"][*reader], second as i64, &[(entry.beats.at[*beat as usize], truth)]);
            label.adjudication = *adjudication;
            label
        }).collect();
        let mut shuffled = labels.clone();
        let mut state = order | 1;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(place, (state >> 33) as usize % (place + 1));
        }
        prop_assert_eq!(current(&labels), current(&shuffled));
    }
}

#[test]
fn kappas_are_those_of_the_literature() {
    // Cohen: 20 both yes, 15 both no, 5 yes/no, 10 no/yes: 0.4 (observed 0.7, expected 0.5).
    let mut pairs = vec![("yes", "yes"); 20];
    pairs.extend(vec![("no", "no"); 15]);
    pairs.extend(vec![("yes", "no"); 5]);
    pairs.extend(vec![("no", "yes"); 10]);
    assert!((cohen(&pairs).unwrap() - 0.4).abs() < 1e-12);
    // Fleiss with 14 readers of 10 subjects into 5 categories, the example that textbooks repeat: 0.2099.
    let table = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    .map(|row| row.to_vec());
    assert!((fleiss(&table).unwrap() - 0.209_930_704_422_195_2).abs() < 1e-12);
    assert_eq!(cohen::<&str>(&[]), None);
    assert_eq!(
        cohen(&[("N", "N"); 5]),
        None,
        "who always says the same one thing shows no skill"
    );
    assert_eq!(fleiss(&[]), None);
    assert_eq!(fleiss(&[vec![1, 1], vec![3, 0]]), None);
}

#[test]
fn agreement_is_over_beats_that_several_read() {
    let entry = entry(1, 20);
    let at = |beat: usize| entry.beats.at[beat];
    let ana = said(
        &entry,
        "ana",
        1,
        &[
            (at(0), class("N")),
            (at(1), class("V")),
            (at(2), class("N")),
            (at(3), class("N")),
        ],
    );
    let ben = said(
        &entry,
        "ben",
        2,
        &[(at(0), class("N")), (at(1), class("V")), (at(2), class("V"))],
    );
    let cleo = said(&entry, "cleo", 3, &[(at(0), class("N")), (at(1), class("V"))]);
    let mut agreement = Agreement::default();
    agreement.add(&[ana, ben, cleo]);
    let pairs = agreement.pairs();
    assert_eq!(pairs.len(), 3);
    assert_eq!(pairs[0].readers, ("ana".to_owned(), "ben".to_owned()));
    assert_eq!((pairs[0].beats, pairs[0].agreed), (3, 2));
    assert!((pairs[0].kappa.unwrap() - 0.4).abs() < 1e-12);
    assert_eq!(agreement.fleiss(), Some((1.0, 3, 2)));
}

#[test]
fn reference_beats_become_classes_misses_and_false_beats() {
    // At 360 Hz beats every 300 samples from 77 on.
    let entry = entry(1, 4);
    let reference = [
        (80, "V".to_owned()),
        // Nearer to the second beat than the next one, which is then missed.
        (375, "N".to_owned()),
        (390, "S".to_owned()),
        // 55 samples are more than 150 ms.
        (677 + 55, "N".to_owned()),
    ];
    let marks = from_reference(&entry, &reference).unwrap();
    let missed = |class: &str| Truth::Missed {
        class: Some(class.into()),
    };
    let expected = [
        (77, class("V")),
        (377, class("N")),
        (390, missed("S")),
        (677, Truth::NotABeat),
        (732, missed("N")),
        (977, Truth::NotABeat),
    ];
    assert_eq!(
        marks.into_iter().map(|mark| (mark.at, mark.truth)).collect::<Vec<_>>(),
        expected
    );
    // All of it can be given.
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.record_blocking(entry.clone()).unwrap();
    let mut label = label(&entry, "reference 100.atr", "sha");
    label.marks = from_reference(&entry, &reference).unwrap();
    assert_eq!(journal.label(label).unwrap().new, 6);
    let mut rows = entry.clone();
    rows.unit = Unit::Rows;
    assert!(from_reference(&rows, &reference).is_err());
    // What cannot be heartbeats is refused, not computed for ever.
    let mut dense = entry;
    dense.sampling_rate_hz = Some(1e9);
    dense.beats.at = (0..20_000).collect();
    let crowd: Vec<_> = (0..20_000).map(|at| (at, "N".to_owned())).collect();
    assert!(from_reference(&dense, &crowd).is_err());
}

proptest! {
    #[test]
    fn every_reference_and_every_beat_is_accounted_for_once(
        found in prop::collection::btree_set(0_u64..4000, 0..40),
        truth in prop::collection::btree_set(0_u64..4000, 0..40),
    ) {
        let mut entry = entry(1, 0);
        for at in &found {
            entry.beats.push(*at, Some(0), &[0.97, 0.01, 0.01, 0.01]);
        }
        let reference: Vec<_> = truth.iter().map(|at| (*at, "V".to_owned())).collect();
        let marks = from_reference(&entry, &reference).unwrap();
        let count = |wanted: fn(&Truth) -> bool| marks.iter().filter(|mark| wanted(&mark.truth)).count();
        let (right, missed, none) = (
            count(|truth| matches!(truth, Truth::Class { .. })),
            count(|truth| matches!(truth, Truth::Missed { .. })),
            count(|truth| matches!(truth, Truth::NotABeat)),
        );
        prop_assert_eq!(right + missed, truth.len());
        prop_assert_eq!(right + none, found.len());
        if !marks.is_empty() {
            Label { marks, ..said(&entry, "reference", 0, &[]) }.check(&entry).unwrap();
        }
    }
}

/// Two predictions about two persons, with one label each that belong together.
fn together(folder: &std::path::Path) -> (Journal, Vec<Entry>, Vec<Label>) {
    let journal = open(folder);
    let entries = vec![entry(1, 20), entry(2, 20)];
    for entry in &entries {
        journal.record_blocking(entry.clone()).unwrap();
    }
    let labels = entries.iter().map(|entry| label(entry, "ana", "together")).collect();
    (journal, entries, labels)
}

#[test]
fn labels_that_come_together_are_taken_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, entries, labels) = together(folder.path());
    // Under this key something else was said about the second one.
    let mut other = labels[1].clone();
    other.marks[0].truth = Truth::NotABeat;
    journal.label(other).unwrap();
    let refused = journal.label_all(labels.clone());
    assert!(matches!(refused, Err(JournalError::KeyReused { .. })), "{refused:?}");
    assert!(!journal.labels().has(entries[0].id));
    // One that cannot be taken keeps the other from being written, whichever comes first.
    let mut wrong = labels.clone();
    wrong[1].key = "another".to_owned();
    wrong[1].marks[0].at += 1;
    let refused = journal.label_all(wrong);
    assert!(matches!(refused, Err(JournalError::NoSuchBeat { .. })), "{refused:?}");
    assert!(!journal.labels().has(entries[0].id));
    // Twice the same in one request is one.
    let twice = vec![labels[0].clone(), labels[0].clone()];
    assert_eq!(journal.label_all(twice).unwrap(), Given { new: 1, repeated: 1 });
}

#[test]
fn labels_that_come_together_are_there_together_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, entries, labels) = together(folder.path());
    let segment = || {
        let all = crate::setup::files(&folder.path().join("labels"));
        let mut segments = all
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "seg"));
        segments.next_back().unwrap()
    };
    journal.label(label(&entries[0], "ben", "before")).unwrap();
    let before = std::fs::metadata(segment()).unwrap().len();
    assert_eq!(
        journal.label_all(labels.clone()).unwrap(),
        Given { new: 2, repeated: 0 }
    );
    drop(journal);
    let path = segment();
    let whole = std::fs::read(&path).unwrap();
    // Killed after any number of bytes had come to the disk.
    for end in (usize::try_from(before).unwrap()..whole.len())
        .step_by(7)
        .chain([whole.len() - 1])
    {
        std::fs::write(&path, &whole[..end]).unwrap();
        drop(open(folder.path()));
        let journal = open(folder.path());
        let there: Vec<_> = entries
            .iter()
            .map(|entry| journal.labels().of(entry.id).unwrap().len())
            .collect();
        assert_eq!(there, [1, 0], "{end} of {}", whole.len());
        // What never came is no trace of a person either.
        let left = std::fs::read(&path).unwrap();
        assert!(!left.windows(8).any(|window| window == b"together"), "{end}");
    }
    std::fs::write(&path, &whole).unwrap();
    let journal = open(folder.path());
    assert_eq!(
        journal.label_all(labels.clone()).unwrap(),
        Given { new: 0, repeated: 2 }
    );
    // Erasing one of the persons takes nothing from the other.
    let (gone, stays) = (&entries[0], &entries[1]);
    journal.erase_subject(gone.subject.as_deref().unwrap()).unwrap();
    drop(journal);
    let journal = open(folder.path());
    assert!(!journal.labels().has(gone.id));
    assert_eq!(journal.labels().of(stays.id).unwrap(), labels[1..]);
}

/// `platform/experiments/tests/python/statsmodels_figures.py` wrote its figures down.
#[test]
fn agreement_beyond_chance_equals_that_of_statsmodels() {
    #[derive(serde::Deserialize)]
    struct Figures {
        said: Vec<Vec<u32>>,
        fleiss: f64,
        tables: Vec<[[usize; 4]; 4]>,
        kappas: Vec<f64>,
    }
    let figures: Figures = serde_json::from_str(include_str!("statsmodels.json")).unwrap();
    assert!((fleiss(&figures.said).unwrap() - figures.fleiss).abs() < 1e-9);
    for (table, theirs) in figures.tables.iter().zip(&figures.kappas) {
        let cells = (0..4).flat_map(|row| (0..4).map(move |column| (row, column)));
        let pairs: Vec<(usize, usize)> = cells
            .flat_map(|(row, column)| std::iter::repeat_n((row, column), table[row][column]))
            .collect();
        assert!((cohen(&pairs).unwrap() - theirs).abs() < 1e-9, "{theirs}");
    }
}
