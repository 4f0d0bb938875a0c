//! The steps from a recording to its document.

use crate::document::{BeatOut, Document, ModelOut, Probabilities, RecordingOut, SpanOut, WindowOut, rounded};
use crate::error::ClassifyError;
use crate::lead;
use crate::model::{Demand, ServedModel};
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::quality::{Grade, Quality};
use einthoven_ecg::recipe::{RATE_RANGE_HZ, Recipe, RecipeError};
use einthoven_ecg::recording::{Flag, Recording};
use einthoven_ecg::{detect, quality, rhythm};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

/// What a caller may choose.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The lead, by name.
    pub lead: Option<String>,
    /// Who it is for.
    pub demand: Demand,
    /// Where the beats of this recording and lead are, once somebody has looked.
    pub found: Found,
}

/// The beats that were found in one lead of one recording, and how far each can be trusted. Empty until it is classified for the
/// first time; whoever classifies the same again with a clone finds the same beats without looking.
#[derive(Debug, Clone, Default)]
pub struct Found(Arc<OnceLock<(Vec<usize>, Quality)>>);

/// How far a recording is classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many beats were found.
    Found(usize),
    /// So many of them are classified or about to be.
    Classified(usize),
}

/// Finds every beat of the recording's chosen lead, grades the signal, classifies the beats and sums them up.
///
/// # Errors
/// [`ClassifyError`] when the lead does not exist, the model takes another kind of input, or the engine fails.
pub fn classify(recording: &Recording, model: &ServedModel, options: &Options) -> Result<Document, ClassifyError> {
    classify_in_steps(recording, model, options, &mut |_| ControlFlow::Continue(()))
}

/// The same, telling how far it is; `tell` may end it.
///
/// # Errors
/// As [`classify`], and [`ClassifyError::Stopped`].
pub fn classify_in_steps(
    recording: &Recording,
    model: &ServedModel,
    options: &Options,
    tell: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<Document, ClassifyError> {
    model.classifies()?;
    let Some(recipe) = model.recipe().ok().filter(|recipe| *recipe == Recipe::BeatRrV1) else {
        return Err(ClassifyError::WrongKind {
            model: model.manifest().name.clone(),
            takes: "rows of 187 values that hold one beat each",
            given: "a recording",
        });
    };
    let lead = &recording.leads[lead::choose(recording, options.lead.as_deref())?];
    let rate = recording.sampling_rate_hz;
    // Before anything is computed: work and memory grow with the recording's length in seconds.
    let (low, high) = RATE_RANGE_HZ;
    if !(low..=high).contains(&rate) {
        return Err(ClassifyError::Recipe(RecipeError::Rate {
            rate_hz: rate,
            low,
            high,
        }));
    }
    let (peaks, graded) = options.found.0.get_or_init(|| {
        let peaks = detect::r_peaks(&lead.samples_mv, rate);
        let graded = quality::assess(lead, rate, &peaks);
        (peaks, graded)
    });
    if tell(Step::Found(peaks.len())).is_break() {
        return Err(ClassifyError::Stopped);
    }
    let mut described = RecordingOut::of(recording);
    let positions: Vec<f64> = peaks.iter().map(|&peak| peak as f64).collect();
    let probabilities = match recipe.prepare(&lead.samples_mv, rate, &positions) {
        Ok(prepared) => {
            let mut stopped = false;
            let rows = model.predict_for(&options.demand, prepared.beats(), |range| {
                stopped |= tell(Step::Classified(range.start)).is_break();
                // Without its inputs the batch fails, and with it the rest.
                if stopped { Vec::new() } else { prepared.tensors(range) }
            });
            if stopped {
                return Err(ClassifyError::Stopped);
            }
            rows?
        }
        Err(cause) => {
            described.flags.push(Flag {
                code: "not_classified".into(),
                detail: cause.to_string(),
            });
            Vec::new()
        }
    };
    let beats = beats(peaks, rate, graded, &probabilities, model);

    if beats.is_empty() {
        described.flags.push(Flag {
            code: "no_beats".into(),
            detail: format!(
                "no heartbeat was found in lead `{}`; see the unreadable spans and their reasons",
                lead.name
            ),
        });
    }
    let seconds = |sample: usize| rounded(sample as f64 / rate, 1e4);
    let unreadable: Vec<_> = graded
        .unreadable
        .iter()
        .map(|span| SpanOut {
            start_s: seconds(span.start),
            end_s: seconds(span.end),
            reasons: span.reasons.clone(),
        })
        .collect();
    let timed: Vec<_> = beats
        .iter()
        .map(|beat| rhythm::TimedBeat {
            time_s: beat.sample as f64 / rate,
            class: beat.class,
            readable: beat.quality != Grade::Unreadable,
        })
        .collect();
    let spans: Vec<_> = unreadable.iter().map(|span| (span.start_s, span.end_s)).collect();
    Ok(Document {
        id: None,
        prediction: None,
        notice: crate::NOTICE,
        recording: described,
        model: ModelOut::of(model),
        lead: lead.name.clone(),
        summary: rhythm::summarize(&timed, &spans, recording.duration_s()),
        beats,
        unreadable,
        quality: graded
            .windows
            .iter()
            .map(|window| window_out(window, seconds))
            .collect(),
    })
}

/// Beats with their classes. Withheld ones went through the model too, since their neighbours' rhythm needs them.
fn beats(peaks: &[usize], rate: f64, graded: &Quality, probabilities: &[f32], model: &ServedModel) -> Vec<BeatOut> {
    let labels: Vec<_> = classes(model);
    peaks
        .iter()
        .zip(&graded.beats)
        .enumerate()
        .map(|(index, (&sample, &grade))| {
            let row = probabilities
                .get(index * labels.len()..(index + 1) * labels.len())
                .unwrap_or_default();
            // A model that gives no number says nothing about the beat.
            let quality = if row.iter().all(|value| value.is_finite()) {
                grade
            } else {
                Grade::Unreadable
            };
            let silent = quality == Grade::Unreadable || row.is_empty();
            let (class, probabilities) = if silent { (None, None) } else { verdict(&labels, row) };
            BeatOut {
                sample,
                time_s: rounded(sample as f64 / rate, 1e4),
                class,
                probabilities,
                quality,
            }
        })
        .collect()
}

/// The classes of a model's output columns; a label that is no class of EC57 has none.
pub(crate) fn classes(model: &ServedModel) -> Vec<Option<BeatClass>> {
    let letter = |label: &String| label.chars().next().filter(|_| label.len() == 1);
    model
        .manifest()
        .labels
        .iter()
        .map(|label| letter(label).and_then(BeatClass::from_letter))
        .collect()
}

/// The likeliest class of one output row, and all probabilities.
pub(crate) fn verdict(labels: &[Option<BeatClass>], row: &[f32]) -> (Option<BeatClass>, Option<Probabilities>) {
    let known: BTreeMap<_, _> = labels
        .iter()
        .zip(row)
        .filter_map(|(label, value)| label.map(|class| (class, rounded(f64::from(*value), 1e5))))
        .collect();
    let best = labels
        .iter()
        .zip(row)
        .filter_map(|(label, value)| label.map(|class| (class, value)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(class, _)| class);
    (best, Some(known))
}

fn window_out(window: &quality::Window, seconds: impl Fn(usize) -> f64) -> WindowOut {
    let finite = |value: f32| Some(rounded(f64::from(value), 1e3)).filter(|value| value.is_finite());
    WindowOut {
        start_s: seconds(window.start),
        end_s: seconds(window.end),
        grade: window.grade,
        reasons: window.reasons.clone(),
        k_sqi: finite(window.k_sqi),
        p_sqi: finite(window.p_sqi),
        bas_sqi: finite(window.bas_sqi),
        agreement: finite(window.agreement),
    }
}
