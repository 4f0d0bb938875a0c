//! Record 100 from bytes to answer against the sum of its parts, and a day of one lead.

use crate::table::Row;
use anyhow::Context;
use einthoven_classify::{Choice, Options, PackageFile, ServedModel, Serving, classify};
use einthoven_ecg::readers::{self, Hints, Input, Limits, NamedFile};
use einthoven_ecg::recipe::{Recipe, Tensor};
use einthoven_ecg::recording::Recording;
use einthoven_ecg::{detect, quality};
use einthoven_plugin_host::{Engines, Plugin};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const RUNS: usize = 11;

/// The embedded model as the server loads it.
pub(crate) fn model() -> anyhow::Result<ServedModel> {
    let embedded = einthoven_models::embedded()
        .first()
        .context("there is no embedded model")?;
    let files = [
        PackageFile {
            name: "manifest.json",
            bytes: embedded.manifest_json.as_bytes(),
        },
        PackageFile {
            name: "model.onnx",
            bytes: embedded.onnx,
        },
        PackageFile {
            name: "golden.json",
            bytes: embedded.golden_json.as_bytes(),
        },
    ];
    let mut engines = Engines::default();
    let tract = Plugin::linked_engine::<einthoven_backend_tract::TractEngine>()?;
    engines.add(tract, &serde_json::json!({}))?;
    let serving = Serving {
        engines,
        workers: Arc::default(),
    };
    let choice = Choice {
        engine: "tract".to_owned(),
        file: "model.onnx".to_owned(),
        tolerance: 1e-4,
    };
    Ok(ServedModel::load(&serving, &files, choice, None)?)
}

/// Median seconds of a piece of work.
fn median<T>(runs: usize, mut work: impl FnMut() -> T) -> f64 {
    let mut seconds: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[runs / 2]
}

fn files(database: &Path) -> anyhow::Result<[(&'static str, Vec<u8>); 2]> {
    let read = |name| std::fs::read(database.join(name)).with_context(|| format!("cannot read {name}"));
    Ok([("100.hea", read("100.hea")?), ("100.dat", read("100.dat")?)])
}

fn parse(files: &[(&str, Vec<u8>)]) -> anyhow::Result<Recording> {
    let named: Vec<_> = files.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
    match readers::read(&named, &Hints::default(), &Limits::default())?.input {
        Input::Recording(recording) => Ok(recording),
        Input::BeatRows(_) => anyhow::bail!("record 100 was read as rows"),
    }
}

pub(crate) fn record_100(database: &Path, model: &ServedModel, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let files = files(database)?;
    let recording = parse(&files)?;
    let (lead, rate) = (&recording.leads[0], recording.sampling_rate_hz);
    let peaks = detect::r_peaks(&lead.samples_mv, rate);
    let positions: Vec<f64> = peaks.iter().map(|&peak| peak as f64).collect();
    let prepared_once = Recipe::BeatRrV1.prepare(&lead.samples_mv, rate, &positions)?;
    // All tensors at once, so that inference is measured alone.
    let tensors = prepared_once.tensors(0..peaks.len());
    let batch = |range: std::ops::Range<usize>| {
        tensors
            .iter()
            .map(|tensor| {
                let width = tensor.values.len() / peaks.len();
                let mut dims = tensor.dims.clone();
                dims[0] = range.len();
                Tensor {
                    name: tensor.name,
                    dims,
                    values: tensor.values[range.start * width..range.end * width].to_vec(),
                }
            })
            .collect()
    };

    let parsed = median(RUNS, || parse(&files));
    let detected = median(RUNS, || detect::r_peaks(&lead.samples_mv, rate));
    let graded = median(RUNS, || quality::assess(lead, rate, &peaks));
    let prepared = median(RUNS, || {
        let prepared = Recipe::BeatRrV1.prepare(&lead.samples_mv, rate, &positions);
        prepared.map(|prepared| prepared.tensors(0..peaks.len()))
    });
    let inferred = median(RUNS, || model.predict(peaks.len(), batch));
    let whole = median(RUNS, || {
        let recording = parse(&files)?;
        anyhow::Ok(classify(&recording, model, &Options::default())?)
    });
    let sum = parsed + detected + prepared + inferred;
    rows.push(Row {
        what: "record 100 (30 min, 2 leads), bytes to answer, against parse + detect + recipe + inference alone"
            .to_owned(),
        figure: format!(
            "{:.2} ({:.1} ms against {:.1} + {:.1} + {:.1} + {:.1} ms; quality alone {:.1} ms)",
            whole / sum,
            whole * 1e3,
            parsed * 1e3,
            detected * 1e3,
            prepared * 1e3,
            inferred * 1e3,
            graded * 1e3
        ),
        bound: "1.3",
        holds: whole <= 1.3 * sum,
    });
    let speed = recording.duration_s() / detected;
    rows.push(Row {
        what: "R peaks of one lead at 360 Hz, times real time".to_owned(),
        figure: format!("{:.0} x", speed),
        bound: "50,000 x",
        holds: speed >= 50_000.0,
    });
    let beat = inferred / peaks.len() as f64 * 1e6;
    rows.push(Row {
        what: "inference a beat, in batches, one core".to_owned(),
        figure: format!("{beat:.1} us"),
        bound: "20 us",
        holds: beat <= 20.0,
    });
    Ok(())
}

/// A day of one lead at 360 Hz: record 100's, end to end.
pub(crate) fn a_day(database: &Path, model: &ServedModel, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let mut recording = parse(&files(database)?)?;
    recording.leads.truncate(1);
    let piece = std::mem::take(&mut recording.leads[0].samples_mv);
    let samples = (86_400.0 * recording.sampling_rate_hz) as usize;
    recording.leads[0].samples_mv = piece.iter().copied().cycle().take(samples).collect();
    let beats = classify(&recording, model, &Options::default())?.beats.len();
    let seconds = median(3, || classify(&recording, model, &Options::default()));
    rows.push(Row {
        what: "24 h of one lead at 360 Hz, recording to answer, one core".to_owned(),
        figure: format!("{seconds:.1} s ({beats} beats)"),
        bound: "10 s",
        holds: seconds < 10.0,
    });
    let lead = &recording.leads[0].samples_mv;
    let detected = median(3, || detect::r_peaks(lead, recording.sampling_rate_hz));
    rows.push(Row {
        what: "of which R peaks".to_owned(),
        figure: format!("{detected:.2} s"),
        bound: "2 s",
        holds: detected < 2.0,
    });
    Ok(())
}
