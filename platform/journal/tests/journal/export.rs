//! Tables: read back with the crate's own reader, and by hand.

use crate::reading::label;
use crate::setup::{entry, open};
use einthoven_journal::export::{Format, Split, Splitting, predictions, training};
use einthoven_journal::labels::{Mark, Truth};
use einthoven_journal::{Filter, Journal};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::collections::{BTreeMap, BTreeSet};

fn filled(folder: &std::path::Path, number: u64) -> Journal {
    let journal = open(folder);
    for number in 0..number {
        let mut entry = entry(number, 20);
        if number == 1 {
            entry.labels.push("Q".into());
            entry.beats.probabilities = entry
                .beats
                .probabilities
                .chunks(4)
                .flat_map(|row| [row, &[0.5]].concat())
                .collect();
            entry.record = Some("=cmd(\"x\"), or so".into());
        }
        journal.record_blocking(entry.clone()).unwrap();
        let mut label = label(&entry, "ana", "k");
        label.marks = vec![
            Mark {
                at: 77,
                truth: Truth::Class { class: "V".into() },
            },
            Mark {
                at: 78,
                truth: Truth::Missed {
                    class: Some("S".into()),
                },
            },
        ];
        journal.label(label).unwrap();
    }
    journal
}

type Rows = Vec<BTreeMap<String, Field>>;

fn parquet_rows(bytes: Vec<u8>) -> Rows {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns().into_iter().collect())
        .collect()
}

#[test]
fn parquet_has_a_row_for_each_beat() {
    let folder = tempfile::tempdir().unwrap();
    let journal = filled(folder.path(), 3);
    let mut bytes = Vec::new();
    let number = predictions(
        &journal,
        journal.entries(Filter::default(), None),
        Format::Parquet,
        &mut bytes,
    )
    .unwrap();
    let rows = parquet_rows(bytes);
    // Twenty beats and one that was missed, three times.
    assert_eq!((number, rows.len()), (63, 63));
    let newest = &rows[0];
    assert_eq!(newest["record"], Field::Str("record-2".into()));
    assert_eq!(newest["at"], Field::Long(77));
    assert_eq!(newest["class"], Field::Str("V".into()));
    assert_eq!(newest["truth"], Field::Str("V".into()));
    assert_eq!(newest["probability"], Field::Double(0.91));
    assert_eq!(newest["p_N"], Field::Double(0.03));
    assert_eq!(newest["p_Q"], Field::Null);
    assert_eq!(newest["time"], Field::TimestampMicros(1_764_000_002_000_000));
    assert_eq!(rows[16]["class"], Field::Null);
    assert_eq!(rows[16]["p_N"], Field::Null);
    assert_eq!(rows[20]["truth"], Field::Str("missed S".into()));
    assert_eq!(rows[20]["class"], Field::Null);
    assert_eq!(rows[21]["p_Q"], Field::Double(0.5));
    let some = Filter {
        model: Some("atria".into()),
        ..Filter::default()
    };
    let mut bytes = Vec::new();
    assert_eq!(
        predictions(&journal, journal.entries(some, None), Format::Parquet, &mut bytes).unwrap(),
        21
    );
    // An empty table is a table.
    let none = Filter {
        model: Some("none".into()),
        ..Filter::default()
    };
    let mut bytes = Vec::new();
    assert_eq!(
        predictions(&journal, journal.entries(none, None), Format::Parquet, &mut bytes).unwrap(),
        0
    );
    assert!(parquet_rows(bytes).is_empty());
}

#[test]
fn more_rows_than_one_group_holds() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.record_blocking(entry(0, 40_000)).unwrap();
    let mut bytes = Vec::new();
    predictions(
        &journal,
        journal.entries(Filter::default(), None),
        Format::Parquet,
        &mut bytes,
    )
    .unwrap();
    let rows = parquet_rows(bytes);
    assert_eq!(rows.len(), 40_000);
    assert_eq!(rows[39_999]["at"], Field::Long(39_999 * 300 + 77));
}

/// Fields of a line after RFC 4180.
fn fields(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            other => field.push(other),
        }
    }
    rows
}

#[test]
fn csv_says_the_same_as_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let journal = filled(folder.path(), 3);
    let (mut csv, mut binary) = (Vec::new(), Vec::new());
    predictions(
        &journal,
        journal.entries(Filter::default(), None),
        Format::Csv,
        &mut csv,
    )
    .unwrap();
    predictions(
        &journal,
        journal.entries(Filter::default(), None),
        Format::Parquet,
        &mut binary,
    )
    .unwrap();
    let mut lines = fields(std::str::from_utf8(&csv).unwrap()).into_iter();
    let names = lines.next().unwrap();
    let rows = parquet_rows(binary);
    assert_eq!(lines.len(), rows.len());
    for (line, row) in lines.zip(rows) {
        assert_eq!(line.len(), names.len());
        for (name, text) in names.iter().zip(line) {
            match &row[name] {
                Field::Null => assert_eq!(text, ""),
                // What a spreadsheet would run is made harmless.
                Field::Str(value) if value.starts_with('=') => assert_eq!(text, format!(" {value}")),
                Field::Str(value) => assert_eq!(&text, value),
                Field::Long(value) => assert_eq!(text, value.to_string()),
                Field::Double(value) => assert_eq!(text.parse::<f64>().unwrap(), *value),
                Field::TimestampMicros(value) => {
                    assert_eq!(text.parse::<jiff::Timestamp>().unwrap().as_microsecond(), *value)
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn training_keeps_persons_apart() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 0..200_u64 {
        let mut entry = entry(number, 2);
        // Forty persons, five recordings each; some of nobody known.
        entry.subject = (number % 40 != 7).then(|| format!("p{}", number % 40));
        journal.record_blocking(entry.clone()).unwrap();
        journal.label(label(&entry, "ana", "k")).unwrap();
    }
    // Labels without an answer that is theirs: two readers who disagree.
    let disputed = entry(900, 2);
    journal.record_blocking(disputed.clone()).unwrap();
    journal.label(label(&disputed, "ana", "k")).unwrap();
    let mut other = label(&disputed, "ben", "k");
    other.marks[0].truth = Truth::NotABeat;
    journal.label(other).unwrap();
    let splitting = Splitting::default();
    let mut bytes = Vec::new();
    let number = training(
        &journal,
        journal.entries(Filter::default(), None),
        &splitting,
        false,
        Format::Parquet,
        &mut bytes,
    )
    .unwrap();
    let rows = parquet_rows(bytes);
    assert_eq!((number, rows.len()), (200, 200));
    let mut splits: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for row in &rows {
        let (Field::Str(group), Field::Str(split)) = (&row["group"], &row["split"]) else {
            panic!("{row:?}");
        };
        splits.entry(group.clone()).or_default().insert(split.clone());
        names.insert(split.clone());
        let (Field::Str(truth), Field::Bool(right)) = (&row["truth"], &row["right"]) else {
            panic!("{row:?}");
        };
        assert_eq!(truth, "V");
        assert_eq!(*right, row["said"] == Field::Str("V".into()));
    }
    assert!(
        splits.values().all(|parts| parts.len() == 1),
        "a person is in two parts"
    );
    assert_eq!(splits.len(), 39 + 5);
    assert_eq!(names.len(), 3);
    let mut bytes = Vec::new();
    let wrong = training(
        &journal,
        journal.entries(Filter::default(), None),
        &splitting,
        true,
        Format::Csv,
        &mut bytes,
    )
    .unwrap();
    assert_eq!(wrong, 150);
}

#[test]
fn shares_are_kept_and_never_change_with_what_else_is_there() {
    let splitting = Splitting::default();
    let count = |split| {
        (0..20_000)
            .filter(|person| splitting.of(&format!("person {person}")) == split)
            .count()
    };
    // Five sigma.
    assert!((3717..4283).contains(&count(Split::Test)));
    assert!((1787..2213).contains(&count(Split::Validation)));
    assert_eq!(splitting.of("100"), Splitting::default().of("100"));
}
