//! Time of detection and of grading, for one lead of a day at 360 Hz: `cargo bench -p einthoven-ecg --bench detect`.
//!
//! Criterion reports samples a second; divided by 360 that is times real time. A day is 31,104,000 samples, so 50,000
//! times real time is 1.73 s, and 18 million samples a second.
#![allow(missing_docs, clippy::panic, reason = "a benchmark program")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use einthoven_ecg::detect::{r_peaks, second_opinion};
use einthoven_ecg::quality::assess;
use einthoven_ecg::recording::Lead;
use std::hint::black_box;
use std::path::PathBuf;

const RATE_HZ: f64 = 360.0;
const DAY_S: usize = 86_400;

/// The committed minute of record 203 (format 212, first channel), repeated for a day.
fn day() -> Lead {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mitdb-excerpts/203x.dat");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let minute: Vec<f32> = bytes
        .chunks_exact(3)
        .map(|pair| {
            let raw = i16::from(pair[0]) | i16::from(pair[1] & 0x0f) << 8;
            f32::from((raw << 4 >> 4) - 1024) / 200.0
        })
        .collect();
    Lead {
        name: "MLII".into(),
        standard: None,
        samples_mv: minute.iter().copied().cycle().take(DAY_S * RATE_HZ as usize).collect(),
        rails_mv: None,
    }
}

fn detection(criterion: &mut Criterion) {
    let lead = day();
    let samples = &lead.samples_mv;
    let beats = r_peaks(samples, RATE_HZ);
    let start = std::time::Instant::now();
    black_box(r_peaks(black_box(samples), RATE_HZ));
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "one day, {} beats: {seconds:.2} s, {:.0} times real time",
        beats.len(),
        DAY_S as f64 / seconds
    );

    let mut group = criterion.benchmark_group("one day of one lead");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(samples.len() as u64));
    group.bench_function("r_peaks", |b| b.iter(|| r_peaks(black_box(samples), RATE_HZ)));
    group.bench_function("second_opinion", |b| {
        b.iter(|| second_opinion(black_box(samples), RATE_HZ))
    });
    group.bench_function("assess", |b| b.iter(|| assess(black_box(&lead), RATE_HZ, &beats)));
    group.finish();
}

criterion_group!(benches, detection);
criterion_main!(benches);
