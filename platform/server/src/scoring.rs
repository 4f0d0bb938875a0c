//! One record's answer against its reference beats, by the rules of EC57.

use einthoven_classify::Document;
use einthoven_ecg::annotation::Annotation;
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::score::{RecordScore, Rules, compare, compare_runs};

/// Beats, runs and calibration of one record.
pub(crate) fn score(document: &Document, reference: &[Annotation], rules: &Rules) -> RecordScore {
    let test = einthoven_classify::annotations(document);
    let rate = document.recording.sampling_rate_hz;
    let beats = compare(reference, &test, rate, rules);
    let mut score = RecordScore {
        name: document.recording.name.clone(),
        v_runs: compare_runs(reference, &test, rate, rules, BeatClass::V),
        s_runs: compare_runs(reference, &test, rate, rules, BeatClass::S),
        ..RecordScore::default()
    };
    for (index, class) in &beats.pairs {
        let sample = test[*index].sample as usize;
        let beat = document
            .beats
            .binary_search_by_key(&sample, |beat| beat.sample)
            .ok()
            .map(|at| &document.beats[at]);
        if let Some((called, probabilities)) = beat.and_then(|beat| Some((beat.class?, beat.probabilities.as_ref()?))) {
            score.calibration.add(
                probabilities.get(&called).copied().unwrap_or_default(),
                called == *class,
            );
        }
    }
    score.beats = beats;
    score
}
