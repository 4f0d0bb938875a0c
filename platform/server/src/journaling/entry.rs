//! An answer as an entry.

use super::asked::{Asked, micros};
use crate::http::App;
use crate::http::problem::Problem;
use crate::input::Answer;
use einthoven_classify::{BeatOut, Document, ModelOut, RowsDocument, ServedModel, Spent};
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::figures::place;
use einthoven_ecg::recording::{Recording, StandardLead};
use einthoven_journal::replay::digest;
use einthoven_journal::{Arm, Beats, Digests, Entry, Journal, Latency, Quality, Unit};
use serde::Serialize;
use std::collections::BTreeMap;

/// What computed an answer, as far as the answer does not say.
pub(crate) struct Computed<'a> {
    pub(crate) spent: &'a Spent,
    pub(crate) arm: Option<Arm>,
    /// SHA-256 of the engine's library; none where it is linked in.
    pub(crate) plugin: Option<String>,
}

impl<'a> Computed<'a> {
    /// By this version, for a request that was dealt into that arm.
    pub(crate) fn by(app: &App, arm: Option<&einthoven_serving::Arm>, model: &ServedModel, spent: &'a Spent) -> Self {
        let arm = arm.map(|arm| Arm {
            experiment: arm.experiment.clone(),
            arm: model.manifest().version.clone(),
            beside: None,
        });
        Self {
            spent,
            arm,
            plugin: plugin(app, model.engine()),
        }
    }

    /// By a version that computed beside another.
    pub(crate) fn beside(app: &App, arm: Arm, model: &ServedModel, spent: &'a Spent) -> Self {
        Self {
            spent,
            arm: Some(arm),
            plugin: plugin(app, model.engine()),
        }
    }
}

/// SHA-256 of an engine's library, where it has one.
pub(super) fn plugin(app: &App, engine: &str) -> Option<String> {
    app.plugins.serving.engines.sha256(engine).map(str::to_owned)
}

/// The SHA-256 that an answer has without its ids.
pub(super) fn bytes(document: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(document).map_err(|cause| Problem::internal(&cause))
}

/// An entry, with the recording where it is to be kept.
pub(crate) fn entry(
    journal: &Journal,
    asked: Asked,
    computed: Computed<'_>,
    answer: &Answer,
) -> Result<(Entry, Option<Vec<u8>>), Problem> {
    let said = match answer {
        Answer::Beats { recording, document } => Said::of_beats(document, recording, bytes(document)?)?,
        Answer::Rows(document) => Said::of_rows(document, bytes(document)?)?,
    };
    let Said {
        model,
        name,
        lead,
        sampling_rate_hz,
        unit,
        labels,
        beats,
        quality,
        summary,
        answer,
    } = said;
    let subject = asked.subject();
    let mut parameters = asked.parameters;
    parameters.extend(lead.map(|lead| ("lead".to_owned(), lead)));
    let entry = Entry {
        id: asked.id,
        at: asked.at,
        principal: asked.principal,
        subject,
        record: Some(journal.record_name(name)),
        model: model.name.clone(),
        version: model.version.clone(),
        digests: Digests {
            input: asked.input,
            model: model.digest.trim_start_matches("sha256:").to_owned(),
            recipe: digest(model.recipe.as_bytes()),
            plugin: computed.plugin,
            answer: digest(&answer),
        },
        recipe: model.recipe.clone(),
        engine: model.engine.clone(),
        device: model.device.clone(),
        provider: model.provider.clone(),
        parameters,
        arm: computed.arm,
        latency: Latency {
            total_us: micros(asked.began.elapsed()),
            read_us: micros(asked.read),
            prepare_us: computed.spent.prepare_us(),
            queue_us: computed.spent.queue_us(),
            compute_us: computed.spent.compute_us(),
        },
        sampling_rate_hz,
        labels: labels.iter().map(|class| class.letter().to_string()).collect(),
        unit,
        beats,
        quality,
        summary,
    };
    Ok((entry, asked.bundle))
}

/// What an answer says, beats or rows.
struct Said<'a> {
    model: &'a ModelOut,
    name: &'a str,
    lead: Option<String>,
    sampling_rate_hz: Option<f64>,
    unit: Unit,
    labels: Vec<BeatClass>,
    beats: Beats,
    quality: Quality,
    summary: serde_json::Value,
    answer: Vec<u8>,
}

impl<'a> Said<'a> {
    fn of_beats(document: &'a Document, samples: &Recording, answer: Vec<u8>) -> Result<Self, Problem> {
        let labels = classes(&document.model);
        let beats = beats_of(&document.beats, &labels);
        let mut summary = serde_json::to_value(&document.summary).map_err(|cause| Problem::internal(&cause))?;
        // They are the same in every answer.
        if let Some(summary) = summary.as_object_mut() {
            summary.remove("definitions");
        }
        let recording = &document.recording;
        let report = &document.summary;
        let share = report.readable_s / report.duration_s;
        let mut figures = BTreeMap::from([
            ("duration_s".to_owned(), recording.duration_s),
            ("samples".to_owned(), recording.samples as f64),
            ("leads".to_owned(), samples.leads.len() as f64),
            ("unreadable_spans".to_owned(), document.unreadable.len() as f64),
        ]);
        // Of beats in unreadable spans nothing is measured.
        let readable = document.beats.iter().filter(|beat| beat.class.is_some());
        let peaks: Vec<usize> = readable.map(|beat| beat.sample).collect();
        let lead_at = place(samples, &document.lead);
        figures.extend(einthoven_ecg::figures::figures(samples, lead_at, &peaks));
        figures.extend(report.rate.mean_bpm.map(|rate| ("rate_bpm".to_owned(), rate)));
        for (name, value) in [
            ("k_sqi", mean(document.quality.iter().map(|window| window.k_sqi))),
            ("p_sqi", mean(document.quality.iter().map(|window| window.p_sqi))),
            ("bas_sqi", mean(document.quality.iter().map(|window| window.bas_sqi))),
        ] {
            figures.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(Self {
            model: &document.model,
            name: &recording.name,
            lead: Some(lead_name(&document.lead, lead_at)),
            sampling_rate_hz: Some(recording.sampling_rate_hz),
            unit: Unit::Beats,
            labels,
            beats,
            quality: Quality {
                readable_share: Some(share).filter(|share| share.is_finite()),
                flags: recording.flags.iter().map(|flag| flag.code.to_string()).collect(),
                figures,
            },
            summary,
            answer,
        })
    }

    fn of_rows(document: &'a RowsDocument, answer: Vec<u8>) -> Result<Self, Problem> {
        let labels = classes(&document.model);
        let mut beats = Beats::default();
        for row in &document.rows {
            push(&mut beats, &labels, row.row, Some(row.class), Some(&row.probabilities));
        }
        let recording = &document.recording;
        Ok(Self {
            model: &document.model,
            name: &recording.name,
            lead: None,
            sampling_rate_hz: None,
            unit: Unit::Rows,
            labels,
            beats,
            quality: Quality {
                readable_share: None,
                flags: recording.flags.iter().map(|flag| flag.code.to_string()).collect(),
                figures: BTreeMap::from([("rows".to_owned(), recording.rows as f64)]),
            },
            summary: serde_json::to_value(&document.counts).map_err(|cause| Problem::internal(&cause))?,
            answer,
        })
    }
}

/// A lead's name where that says which lead it is, else its place, counted from one. A file may call a lead anything, also by a
/// person's name.
pub(super) fn lead_name(name: &str, place: usize) -> String {
    match StandardLead::from_name(name) {
        Some(_) => name.to_owned(),
        None => format!("lead {}", place + 1),
    }
}

/// The classes among a model's labels.
pub(super) fn classes(model: &ModelOut) -> Vec<BeatClass> {
    let class = |label: &String| {
        let letter = label.chars().next().filter(|_| label.chars().count() == 1)?;
        BeatClass::from_letter(letter)
    };
    model.labels.iter().filter_map(class).collect()
}

/// Beats as an entry has them, with a probability for each label.
pub(super) fn beats_of(found: &[BeatOut], labels: &[BeatClass]) -> Beats {
    let mut beats = Beats::default();
    for beat in found {
        push(&mut beats, labels, beat.sample, beat.class, beat.probabilities.as_ref());
    }
    beats
}

fn push(
    beats: &mut Beats,
    labels: &[BeatClass],
    at: usize,
    class: Option<BeatClass>,
    probabilities: Option<&einthoven_classify::Probabilities>,
) {
    let place = class.and_then(|class| labels.iter().position(|label| *label == class));
    let given = |label: &BeatClass| {
        let value = probabilities.and_then(|probabilities| probabilities.get(label));
        value.map_or(f32::NAN, |value| *value as f32)
    };
    let row: Vec<f32> = labels.iter().map(given).collect();
    beats.push(at as u64, place.and_then(|place| u16::try_from(place).ok()), &row);
}

fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let known: Vec<f64> = values.flatten().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}
