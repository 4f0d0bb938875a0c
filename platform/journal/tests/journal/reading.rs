//! Reading back: what a filter gives is what looking at every entry gives.

use crate::setup::{all, audit, entry, open};
use einthoven_journal::labels::{Label, Mark, Source, Truth};
use einthoven_journal::{Entry, Filter, Journal, Keep, Settings};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::HashSet;

/// Many small segments, so that everything crosses their borders.
fn small() -> Settings {
    Settings {
        keep: Keep {
            segment_bytes: 6000,
            ..Keep::default()
        },
        ..audit()
    }
}

fn filters() -> impl Strategy<Value = Filter> {
    let name = |names: &'static [&'static str]| {
        prop::option::weighted(0.4, prop::sample::select(names).prop_map(str::to_owned))
    };
    let time = || {
        prop::option::weighted(
            0.3,
            (0_i64..70_000).prop_map(|ms| Timestamp::from_millisecond(1_764_000_000_000 + ms).unwrap()),
        )
    };
    (
        name(&["heartbeat", "atria", "none such"]),
        name(&["0", "1", "2", "3"]),
        time(),
        time(),
        name(&["N", "S", "V", "F", "Q"]),
        prop::option::weighted(0.3, any::<bool>()),
        name(&["subject-1", "subject-2", "subject-3", "subject"]),
        name(&["e1", "e2", "e3"]),
    )
        .prop_map(
            |(model, version, from, until, class, labelled, subject, experiment)| Filter {
                model,
                version,
                from,
                until,
                class,
                labelled,
                subject,
                experiment,
                arm: None,
            },
        )
}

fn wants(filter: &Filter, entry: &Entry, labelled: &HashSet<uuid::Uuid>) -> bool {
    filter.model.as_ref().is_none_or(|model| *model == entry.model)
        && filter.version.as_ref().is_none_or(|version| *version == entry.version)
        && filter.from.is_none_or(|from| entry.at >= from)
        && filter.until.is_none_or(|until| entry.at < until)
        && filter
            .class
            .as_deref()
            .is_none_or(|class| entry.beats().any(|beat| beat.class == Some(class)))
        && filter
            .labelled
            .is_none_or(|wanted| labelled.contains(&entry.id) == wanted)
        && filter
            .experiment
            .as_ref()
            .is_none_or(|experiment| entry.arm.as_ref().is_some_and(|arm| arm.experiment == *experiment))
        && filter
            .subject
            .as_ref()
            .is_none_or(|subject| entry.subject.as_ref() == Some(subject))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn filters_and_pages_give_what_a_look_at_everything_gives(
        filters in prop::collection::vec((filters(), 1_usize..9), 1..12),
        reopen in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), small()).unwrap();
        let mut written = Vec::new();
        let mut labelled = HashSet::new();
        for number in 0..60 {
            let mut entry = entry(number, 1 + (number % 3) as usize);
            entry.arm = (number % 3 > 0).then(|| einthoven_journal::Arm {
                experiment: format!("e{}", number % 3),
                arm: "champion".into(),
                beside: None,
            });
            journal.record_blocking(entry.clone()).unwrap();
            if number % 7 == 0 {
                labelled.insert(entry.id);
                journal.label(label(&entry, "ana", "1")).unwrap();
            }
            written.push(entry);
        }
        if reopen {
            journal.close();
            drop(journal);
            journal = Journal::open(folder.path(), small()).unwrap();
        }
        prop_assert!(crate::setup::segments(folder.path()).len() > 3);
        written.reverse();
        for (filter, size) in filters {
            let expected: Vec<_> = written.iter().filter(|entry| wants(&filter, entry, &labelled)).cloned().collect();
            let mut found = Vec::new();
            let mut cursor = None;
            loop {
                let page = journal.page(filter.clone(), cursor, size).unwrap();
                prop_assert!(page.entries.len() <= size);
                prop_assert!(page.next.is_none() || page.entries.len() == size);
                found.extend(page.entries);
                // As a client sends it.
                cursor = page.next.map(|next| next.to_string().parse().unwrap());
                if cursor.is_none() {
                    break;
                }
            }
            prop_assert_eq!(found, expected);
        }
        for entry in &written {
            prop_assert_eq!(journal.get(entry.id).unwrap(), Some(entry.clone()));
        }
        prop_assert_eq!(journal.get(uuid::Uuid::now_v7()).unwrap(), None);
    }
}

pub(crate) fn label(entry: &Entry, reader: &str, key: &str) -> Label {
    Label {
        prediction: entry.id,
        reader: reader.to_owned(),
        at: entry.at,
        key: key.to_owned(),
        why: "seen on paper".to_owned(),
        source: Source::Page,
        adjudication: false,
        marks: vec![Mark {
            at: entry.beats.at[0],
            truth: Truth::Class { class: "V".into() },
        }],
    }
}

#[test]
fn pages_stay_true_while_entries_come() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), small()).unwrap();
    let written: Vec<_> = (0..50)
        .map(|number| {
            let entry = entry(number, 2);
            journal.record_blocking(entry.clone()).unwrap();
            entry.id
        })
        .collect();
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = journal.page(Filter::default(), cursor, 7).unwrap();
        found.extend(page.entries.iter().map(|entry| entry.id));
        for number in 0..9 {
            journal.record_blocking(entry(1000 + number, 2)).unwrap();
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    found.reverse();
    assert_eq!(found, written);
}

#[test]
fn large_entries_make_short_pages() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 0..12 {
        journal.record_blocking(entry(number, 100_000)).unwrap();
    }
    let page = journal.page(Filter::default(), None, 1000).unwrap();
    assert!((1..12).contains(&page.entries.len()), "{}", page.entries.len());
    let mut cursor = page.next;
    let mut seen = page.entries.len();
    while let Some(next) = cursor {
        let page = journal.page(Filter::default(), Some(next), 1000).unwrap();
        seen += page.entries.len();
        cursor = page.next;
    }
    assert_eq!(seen, 12);
}

#[test]
fn read_while_written() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), small()).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..300 {
                journal.record_blocking(entry(number, 1)).unwrap();
            }
        });
        while !writer.is_finished() {
            let ids: Vec<_> = all(&journal).into_iter().map(|entry| entry.latency.total_us).collect();
            assert!(ids.is_sorted_by(|newer, older| newer > older));
        }
    });
    assert_eq!(all(&journal).len(), 300);
}

#[test]
fn more_names_than_the_index_lists_are_found_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        mode: einthoven_journal::Mode::Sampled { share: 1.0 },
        ..Settings::default()
    };
    let journal = Journal::open(folder.path(), settings).unwrap();
    for number in 0..5000 {
        let mut entry = entry(number, 1);
        entry.model = format!("model-{number}");
        // A hundred classes; each entry has one of them.
        entry.labels = (0..100).map(|class| format!("c{class}")).collect();
        entry.beats.class[0] = Some(u16::try_from(number % 100).unwrap());
        entry.beats.probabilities.clear();
        journal.record_blocking(entry).unwrap();
    }
    assert!(journal.flush(std::time::Duration::from_secs(60)));
    let count = |filter: Filter| journal.entries(filter, None).map(Result::unwrap).count();
    let named = |model: &str, class: Option<&str>| Filter {
        model: Some(model.into()),
        class: class.map(str::to_owned),
        ..Filter::default()
    };
    for (model, expected) in [("model-7", 1), ("model-4095", 1), ("model-4999", 1), ("model-5000", 0)] {
        assert_eq!(count(named(model, None)), expected, "{model}");
    }
    for class in ["c0", "c62", "c63", "c64", "c99"] {
        let filter = Filter {
            class: Some(class.into()),
            ..Filter::default()
        };
        assert_eq!(count(filter), 50, "{class}");
    }
    assert_eq!(count(named("model-4999", Some("c98"))), 0);
    // A table with so many columns is refused, not cut.
    let table = einthoven_journal::export::predictions(
        &journal,
        journal.entries(Filter::default(), None),
        einthoven_journal::export::Format::Csv,
        Vec::new(),
    );
    assert!(matches!(table, Err(einthoven_journal::JournalError::Export { .. })));
}

/// What a filter cannot say is left out by the one who reads, on pages too; the last entry can be asked for once more.
#[test]
fn entries_that_somebody_may_not_see_are_on_no_page() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut ids = Vec::new();
    for number in 0..9 {
        let mut one = entry(number, 2);
        one.arm = (number % 3 == 0).then(|| einthoven_journal::Arm {
            experiment: "first".to_owned(),
            arm: if number == 0 { "1" } else { "2" }.to_owned(),
            beside: None,
        });
        ids.push(one.id);
        journal.record_blocking(one).unwrap();
    }
    let page = |after, limit| {
        let entries = journal.entries(Filter::default(), after);
        entries.only(|entry| entry.model == "heartbeat").page(limit).unwrap()
    };
    let (first, rest) = (page(None, 2), page(page(None, 2).next, 10));
    let found: Vec<_> = first
        .entries
        .iter()
        .chain(&rest.entries)
        .map(|entry| entry.id)
        .collect();
    assert_eq!(found, [ids[8], ids[6], ids[4], ids[2], ids[0]]);
    assert!(rest.next.is_none());
    let arm = Filter {
        arm: Some("2".to_owned()),
        ..Filter::default()
    };
    let found: Vec<_> = journal.entries(arm, None).map(|entry| entry.unwrap().id).collect();
    assert_eq!(found, [ids[6], ids[3]]);
    let mut entries = journal.entries(Filter::default(), None);
    let (_, second) = (entries.next(), entries.next().unwrap().unwrap());
    let mut again = journal.entries(Filter::default(), entries.again());
    assert_eq!(again.next().unwrap().unwrap().id, second.id);
}

/// A pseudonym is the same for ever in one journal, and another one in another journal.
#[test]
fn names_become_pseudonyms_under_the_journals_own_key() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = [0, 1].map(|number| open(folders[number].path()).subject("Erika Mustermann"));
    assert!(
        one.starts_with("s_") && one.len() == 26 && one != other,
        "{one} {other}"
    );
    let again = open(folders[0].path());
    assert_eq!(again.subject("Erika Mustermann"), one);
    assert_ne!(again.subject("Erika Musterman"), one);
    // A record of a person's name is not that person.
    assert_ne!(again.record_name("Erika Mustermann")[2..], one[2..]);
    use std::os::unix::fs::PermissionsExt;
    let key = std::fs::metadata(folders[0].path().join("pseudonyms.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o077, 0);
}
