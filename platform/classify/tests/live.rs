//! Beats of a lead that goes on against those of the whole recording: the same but at the edges, and soon.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use einthoven_classify::{
    BeatOut, Choice, LiveBeats, Options, PackageFile, ServedModel, Serving, Step, classify, classify_in_steps,
};
use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, read};
use einthoven_ecg::recording::Recording;
use einthoven_plugin_host::{Engines, Plugin};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

fn model() -> Arc<ServedModel> {
    let mut engines = Engines::default();
    let tract = Plugin::linked_engine::<einthoven_backend_tract::TractEngine>().unwrap();
    engines.add(tract, &serde_json::json!({})).unwrap();
    let serving = Serving {
        engines,
        workers: Arc::default(),
    };
    let embedded = einthoven_models::by_name("heartbeat").unwrap();
    let file = |name, bytes| PackageFile { name, bytes };
    let files = [
        file("manifest.json", embedded.manifest_json.as_bytes()),
        file("model.onnx", embedded.onnx),
        file("golden.json", embedded.golden_json.as_bytes()),
    ];
    let choice = Choice {
        engine: "tract".to_owned(),
        file: "model.onnx".to_owned(),
        tolerance: 1e-4,
    };
    Arc::new(ServedModel::load(&serving, &files, choice, None).unwrap())
}

/// A record of a folder; none where it is not at hand.
fn record(folder: &str, name: &str) -> Option<Recording> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files: Vec<(String, Vec<u8>)> = ["hea", "dat"]
        .iter()
        .map(|ending| format!("{name}.{ending}"))
        .map(|file| Some((file.clone(), std::fs::read(folder.join(file)).ok()?)))
        .collect::<Option<_>>()?;
    let named: Vec<NamedFile<'_>> = files.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
    let Input::Recording(recording) = read(&named, &Hints::default(), &Limits::default()).unwrap().input else {
        panic!("{name} is no recording")
    };
    Some(recording)
}

/// Every beat with the samples that had come when it was said, and the seconds of computing.
fn live(model: &Arc<ServedModel>, samples: &[f32], rate: f64, piece: usize) -> (Vec<(BeatOut, u64)>, f64) {
    let mut live = LiveBeats::new(Arc::clone(model), "MLII".to_owned(), rate).unwrap();
    let (mut said, start) = (Vec::new(), Instant::now());
    for piece in samples.chunks(piece) {
        let beats = live.push(piece).unwrap();
        said.extend(beats.into_iter().map(|beat| (beat, live.samples())));
    }
    let beats = live.finish().unwrap();
    said.extend(beats.into_iter().map(|beat| (beat, live.samples())));
    (said, start.elapsed().as_secs_f64())
}

#[derive(Debug, Default)]
struct Agreement {
    whole: usize,
    live: usize,
    both: usize,
    same: usize,
    /// Samples and intervals from a peak to its answer.
    late: Vec<(u64, f64)>,
}

/// Away from the edges: after the first 60 s, before the last 10 s.
fn compared(model: &Arc<ServedModel>, recording: &Recording) -> (Agreement, f64) {
    let rate = recording.sampling_rate_hz;
    let document = classify(recording, model, &Options::default()).unwrap();
    let lead = recording.leads.iter().find(|lead| lead.name == document.lead).unwrap();
    let (said, seconds) = live(model, &lead.samples_mv, rate, 36);
    let inside = |sample: usize| (60.0 * rate..recording.len() as f64 - 10.0 * rate).contains(&(sample as f64));
    let whole: Vec<&BeatOut> = document.beats.iter().filter(|beat| inside(beat.sample)).collect();
    let mut sum = Agreement {
        whole: whole.len(),
        ..Agreement::default()
    };
    let near = (0.15 * rate) as usize;
    for (index, (beat, when)) in said.iter().enumerate().filter(|(_, (beat, _))| inside(beat.sample)) {
        sum.live += 1;
        if let Some((next, _)) = said.get(index + 1) {
            let late = when - beat.sample as u64;
            sum.late.push((late, late as f64 / (next.sample - beat.sample) as f64));
        }
        let place = whole.partition_point(|other| other.sample + near < beat.sample);
        if let Some(other) = whole
            .get(place)
            .filter(|other| other.sample.abs_diff(beat.sample) <= near)
        {
            sum.both += 1;
            sum.same += usize::from(other.class == beat.class);
        }
    }
    (sum, seconds / (recording.len() as f64 / rate))
}

#[test]
fn live_beats_are_those_of_the_whole_recording() {
    let model = model();
    let mut records = vec![
        record("../server/samples", "100s").unwrap(),
        record("../server/samples", "105s").unwrap(),
        record("../server/samples", "200s").unwrap(),
    ];
    let whole = ["100", "119", "203", "208", "221", "232"];
    let found: Vec<_> = whole
        .iter()
        .filter_map(|name| record("../../../shared/data/mitdb", name))
        .collect();
    if found.is_empty() {
        eprintln!("SKIPPED: the MIT-BIH Arrhythmia Database is not in ../shared/data/mitdb");
    }
    records.extend(found);
    let mut all = Agreement::default();
    for recording in &records {
        let (one, share) = compared(&model, recording);
        let mut late: Vec<u64> = one.late.iter().map(|(samples, _)| *samples).collect();
        let mut beats: Vec<f64> = one.late.iter().map(|(_, beats)| *beats).collect();
        late.sort_unstable();
        beats.sort_by(f64::total_cmp);
        let at = |part: usize| {
            (
                late[(late.len() - 1) * part / 100],
                beats[(beats.len() - 1) * part / 100],
            )
        };
        let percent = |part: usize, of: usize| 100.0 * part as f64 / of as f64;
        eprintln!(
            "{}: Se {:.2} +P {:.2} same class {:.2} %; late (samples, beats) p50 {:?} p99 {:?} most {:?}; {:.2} % of a core",
            recording.name,
            percent(one.both, one.whole),
            percent(one.both, one.live),
            percent(one.same, one.both),
            at(50),
            at(99),
            at(100),
            100.0 * share
        );
        all.whole += one.whole;
        all.live += one.live;
        all.both += one.both;
        all.same += one.same;
        all.late.extend(one.late);
    }
    let share = |part: usize, of: usize| part as f64 / of as f64;
    let soon = all.late.iter().filter(|(_, beats)| *beats <= 2.0).count();
    eprintln!(
        "all: Se {:.4} +P {:.4} same class {:.4}, within two beats {:.4}",
        share(all.both, all.whole),
        share(all.both, all.live),
        share(all.same, all.both),
        share(soon, all.late.len())
    );
    assert!(
        share(all.both, all.whole) > 0.99 && share(all.both, all.live) > 0.99,
        "{:?}",
        (all.both, all.whole, all.live)
    );
    assert!(share(all.same, all.both) > 0.95, "{:?}", (all.same, all.both));
    // The others are beats whose next one came early: settling takes longer than two such intervals.
    assert!(share(soon, all.late.len()) > 0.95, "{soon} of {}", all.late.len());
}

#[test]
fn how_samples_are_cut_changes_no_answer() {
    let model = model();
    let recording = record("../server/samples", "200s").unwrap();
    let samples = &recording.leads[0].samples_mv[..20_000];
    let text = |said: Vec<(BeatOut, u64)>| -> Vec<String> {
        said.iter()
            .map(|(beat, _)| serde_json::to_string(beat).unwrap())
            .collect()
    };
    let one = text(live(&model, samples, 360.0, 1).0);
    assert!(one.len() > 50);
    for piece in [7, 36, 1000, 20_000] {
        assert_eq!(text(live(&model, samples, 360.0, piece).0), one, "{piece}");
    }
}

#[test]
fn nothing_that_comes_brings_it_down() {
    let model = model();
    let mut live = LiveBeats::new(Arc::clone(&model), "MLII".to_owned(), 250.0).unwrap();
    for round in 0..40_u32 {
        let wild: Vec<f32> = (0..500_u32)
            .map(|i| match (round % 5, i % 7) {
                (0, _) => f32::NAN,
                (1, 0) => f32::INFINITY,
                (2, _) => 1e30 * (i as f32 - 250.0),
                (3, _) => 0.0,
                _ => ((i * i * 31 + round) % 200) as f32 / 100.0 - 1.0,
            })
            .collect();
        live.push(&wild).unwrap();
    }
    live.finish().unwrap();
    for rate in [0.0, f64::NAN, 89.0, 4001.0, f64::INFINITY] {
        assert!(
            LiveBeats::new(Arc::clone(&model), "MLII".to_owned(), rate).is_err(),
            "{rate}"
        );
    }
}

#[test]
fn steps_are_told_and_can_end_the_work() {
    let model = model();
    let recording = record("../server/samples", "100s").unwrap();
    let options = Options::default();
    let mut told = Vec::new();
    let document = classify_in_steps(&recording, &model, &options, &mut |step| {
        told.push(step);
        ControlFlow::Continue(())
    });
    let beats = document.unwrap().beats.len();
    assert_eq!(told[0], Step::Found(beats));
    assert!(
        told.len() > 2
            && told[1..]
                .iter()
                .all(|step| matches!(step, Step::Classified(done) if *done < beats))
    );
    let mut left = 3;
    let ended = classify_in_steps(&recording, &model, &options, &mut |_| {
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(matches!(ended, Err(einthoven_classify::ClassifyError::Stopped)));
}
