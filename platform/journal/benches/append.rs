//! What recording costs: on the request's path where it is sampled, and how many answers a second the disk allows where each
//! waits for it.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark; criterion's macros make functions without words"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use einthoven_journal::{Beats, Digests, Entry, Filter, Journal, Latency, Mode, Quality, Settings, Unit};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn entry(beats: u64) -> Entry {
    let mut said = Beats::default();
    for beat in 0..beats {
        said.push(beat * 300, Some((beat % 4) as u16), &[0.91, 0.03, 0.03, 0.03]);
    }
    Entry {
        id: uuid::Uuid::now_v7(),
        at: jiff::Timestamp::now(),
        principal: "key:ward-3".into(),
        subject: Some("b6f1c2".into()),
        record: None,
        model: "heartbeat".into(),
        version: "7".into(),
        digests: Digests {
            input: "i".repeat(64),
            model: "m".repeat(64),
            recipe: "r".repeat(64),
            plugin: None,
            answer: "a".repeat(64),
        },
        recipe: "beat-rr-v1".into(),
        engine: "onnxruntime".into(),
        device: "cpu".into(),
        provider: "CPUExecutionProvider".into(),
        parameters: [("lead".to_owned(), "MLII".to_owned())].into(),
        arm: None,
        latency: Latency::default(),
        sampling_rate_hz: Some(360.0),
        labels: ["N", "S", "V", "F"].map(str::to_owned).to_vec(),
        unit: Unit::Beats,
        beats: said,
        quality: Quality::default(),
        summary: serde_json::json!({ "heart_rate_bpm": 72.5, "ectopic_burden": 0.01 }),
    }
}

/// One call at a time, as a request makes it, with the writer keeping up beside it.
fn sampled(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sampled");
    for beats in [1, 40, 2000] {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            mode: Mode::Sampled { share: 1.0 },
            buffer_bytes: 256 << 20,
            keep: einthoven_journal::Keep {
                bytes: Some(512 << 20),
                ..Default::default()
            },
            ..Settings::default()
        };
        let journal = Journal::open(folder.path(), settings).unwrap();
        let made = entry(beats);
        group.bench_function(format!("{beats} beats"), |bencher| {
            bencher.iter_custom(|times| {
                let mut spent = Duration::ZERO;
                for _ in 0..times {
                    let entry = made.clone();
                    let begun = Instant::now();
                    let _ = black_box(journal.record_blocking(entry));
                    spent += begun.elapsed();
                    // What is measured is taking an entry, not dropping it.
                    if journal.counts().spooled_bytes > 128 << 20 {
                        let _ = journal.flush(Duration::from_secs(60));
                    }
                }
                spent
            });
        });
        let dropped = journal.counts().dropped;
        assert_eq!(dropped, 0, "the buffer was full: the numbers are of dropping");
    }
    group.finish();
}

/// Sixty-four callers, each of whom waits for its entry to be on disk.
fn audit(criterion: &mut Criterion) {
    const CALLERS: u64 = 64;
    let mut group = criterion.benchmark_group("audit");
    group.sample_size(10).throughput(Throughput::Elements(CALLERS * 20));
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let settings = Settings {
        mode: Mode::Audit,
        ..Settings::default()
    };
    let journal = Journal::open(folder.path(), settings).unwrap();
    for beats in [1, 40] {
        let made = entry(beats);
        group.bench_function(format!("64 callers, {beats} beats, 20 each"), |bencher| {
            bencher.iter(|| {
                std::thread::scope(|scope| {
                    for _ in 0..CALLERS {
                        scope.spawn(|| {
                            for _ in 0..20 {
                                journal.record_blocking(made.clone()).unwrap();
                            }
                        });
                    }
                });
            });
        });
    }
    group.finish();
}

/// A hundred thousand entries in full segments.
fn read_back(criterion: &mut Criterion) {
    const ENTRIES: u64 = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let settings = || Settings {
        buffer_bytes: 1 << 30,
        keep: einthoven_journal::Keep {
            segment_bytes: 8 << 20,
            ..Default::default()
        },
        ..Settings::default()
    };
    let journal = Journal::open(folder.path(), settings()).unwrap();
    let mut ids = Vec::new();
    for number in 0..ENTRIES {
        let mut entry = entry(1);
        if number == 500 {
            entry.model = "rare".into();
        }
        ids.push(entry.id);
        journal.record_blocking(entry).unwrap();
    }
    journal.close();
    drop(journal);
    let journal = Journal::open(folder.path(), settings()).unwrap();
    let mut group = criterion.benchmark_group("read back of 100,000");
    let mut number = 0;
    group.bench_function("by id", |bencher| {
        bencher.iter(|| {
            number = (number + 7919) % ids.len();
            journal.get(ids[number]).unwrap().unwrap()
        });
    });
    group.bench_function("the newest 100", |bencher| {
        bencher.iter(|| journal.page(Filter::default(), None, 100).unwrap());
    });
    let rare = Filter {
        model: Some("rare".into()),
        ..Filter::default()
    };
    group.bench_function("the one of a model", |bencher| {
        bencher.iter(|| assert_eq!(journal.page(rare.clone(), None, 100).unwrap().entries.len(), 1));
    });
    let early = Filter {
        subject: Some("nobody".into()),
        ..Filter::default()
    };
    group.bench_function("none of a subject", |bencher| {
        bencher.iter(|| assert!(journal.page(early.clone(), None, 100).unwrap().entries.is_empty()));
    });
    group.sample_size(10);
    group.bench_function("all", |bencher| {
        bencher.iter(|| assert_eq!(journal.entries(Filter::default(), None).count() as u64, ENTRIES));
    });
    group.finish();
}

criterion_group!(benches, sampled, audit, read_back);
criterion_main!(benches);
