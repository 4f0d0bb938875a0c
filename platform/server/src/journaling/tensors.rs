//! An answer in tensors as an entry: rows without beats, by the classes that the manifest names.

use super::asked::{Asked, micros};
use super::entry::Computed;
use super::{Journaling, Open, taken};
use crate::http::App;
use crate::http::problem::Problem;
use einthoven_classify::{ServedModel, Spent};
use einthoven_dispatch::{Done, Tensor};
use einthoven_journal::{Beats, Digests, Entry, Latency, Quality, Unit};
use einthoven_plugin_host::DType;
use einthoven_serving::Arm;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Bytes of tensors that are digested and read on the spot; more is done where it holds up nobody.
const AT_ONCE: usize = 16 << 10;
/// Classes of a model, and values of one answer, that an entry holds at most. Of more it says how many rows there were.
const MOST_CLASSES: usize = 64;
const MOST_VALUES: usize = 1 << 20;

/// Which protocol was spoken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Rest,
    Grpc,
    Scoring,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Rest => "v2",
            Self::Grpc => "grpc",
            Self::Scoring => "invocations",
        }
    }
}

/// What was asked in tensors; their digest is made while the queue computes.
pub(crate) struct TensorsAsked {
    asked: Asked,
    protocol: Protocol,
    digest: Digesting,
}

enum Digesting {
    Done(String),
    UnderWay(JoinHandle<String>),
}

impl Journaling {
    /// Notes what is asked. None where nothing is remembered, or sampling leaves this one out, which is counted.
    pub(crate) fn tensors_asked(
        &self,
        asked: Option<Asked>,
        protocol: Protocol,
        inputs: &[Tensor],
    ) -> Option<TensorsAsked> {
        let (open, asked) = (self.0.as_ref()?, asked?);
        if !open.journal.wants(asked.id) {
            open.journal.leave_out();
            return None;
        }
        let digest = if bytes(inputs) <= AT_ONCE {
            Digesting::Done(digest(inputs))
        } else {
            let inputs = inputs.to_vec();
            Digesting::UnderWay(tokio::task::spawn_blocking(move || digest(&inputs)))
        };
        Some(TensorsAsked {
            asked,
            protocol,
            digest,
        })
    }

    /// Records an answer in tensors; its id where it was taken. In mode `audit` it is on disk when this returns, or the answer must
    /// not be given.
    pub(crate) async fn tensors_answered(
        &self,
        app: &App,
        asked: TensorsAsked,
        arm: Option<&Arm>,
        model: &Arc<ServedModel>,
        done: &Done,
    ) -> Result<Option<Uuid>, Problem> {
        let Some(Open { journal, .. }) = &self.0 else {
            return Ok(None);
        };
        let TensorsAsked {
            mut asked,
            protocol,
            digest,
        } = asked;
        let _here = asked.here();
        asked.input = match digest {
            Digesting::Done(digest) => digest,
            Digesting::UnderWay(work) => work.await?,
        };
        let answered = if bytes(&done.outputs) <= AT_ONCE {
            Answered::of(model, &done.outputs)
        } else {
            let (model, outputs) = (Arc::clone(model), done.outputs.clone());
            tokio::task::spawn_blocking(move || Answered::of(&model, &outputs)).await?
        };
        let spent = Spent::default();
        let computed = Computed::by(app, arm, model, &spent);
        let entry = entry(asked, protocol, computed, model, done, answered);
        let id = entry.id;
        Ok(taken(journal.record(entry).await)?.then_some(id))
    }
}

/// What the outputs say.
struct Answered {
    digest: String,
    rows: usize,
    labels: Vec<String>,
    beats: Beats,
    flags: Vec<String>,
}

impl Answered {
    fn of(model: &ServedModel, outputs: &[Tensor]) -> Self {
        let labels = &model.manifest().labels;
        let rows = outputs.first().map_or(0, Tensor::rows);
        let mut answered = Self {
            digest: digest(outputs),
            rows,
            labels: Vec::new(),
            beats: Beats::default(),
            flags: Vec::new(),
        };
        let columns = |output: &&Tensor| {
            output.dtype == DType::F32 && output.dims.iter().skip(1).product::<usize>() == labels.len()
        };
        let Some(output) = outputs.iter().find(columns).filter(|_| !labels.is_empty()) else {
            return answered;
        };
        if labels.len() > MOST_CLASSES || rows.saturating_mul(labels.len()) > MOST_VALUES {
            answered.flags.push("rows_left_out".to_owned());
            return answered;
        }
        answered.labels.clone_from(labels);
        answered.beats = beats(&output.data, labels.len());
        answered
    }
}

/// The class of each row is the largest of its values. They are probabilities where all of them lie between 0 and 1; else they
/// are not kept.
fn beats(data: &[u8], columns: usize) -> Beats {
    let values: Vec<f32> = data
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect();
    let are_probabilities = values.iter().all(|value| value.is_nan() || (0.0..=1.0).contains(value));
    let mut beats = Beats::default();
    for (place, row) in values.chunks_exact(columns).enumerate() {
        let largest = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let class = largest.filter(|_| row.iter().all(|value| !value.is_nan()));
        let class = class.and_then(|(place, _)| u16::try_from(place).ok());
        beats.push(place as u64 + 1, class, if are_probabilities { row } else { &[] });
    }
    beats
}

fn entry(
    asked: Asked,
    protocol: Protocol,
    computed: Computed<'_>,
    model: &ServedModel,
    done: &Done,
    answered: Answered,
) -> Entry {
    let manifest = model.manifest();
    let subject = asked.subject();
    Entry {
        id: asked.id,
        at: asked.at,
        principal: asked.principal,
        subject,
        record: None,
        model: manifest.name.clone(),
        version: manifest.version.clone(),
        digests: Digests {
            input: asked.input,
            model: model.digest().trim_start_matches("sha256:").to_owned(),
            // Whoever asked made the tensors.
            recipe: String::new(),
            plugin: computed.plugin,
            answer: answered.digest,
        },
        recipe: String::new(),
        engine: model.engine().to_owned(),
        device: model.device().to_string(),
        provider: done.provider.to_string(),
        parameters: BTreeMap::from([("protocol".to_owned(), protocol.name().to_owned())]),
        arm: computed.arm,
        latency: Latency {
            total_us: micros(asked.began.elapsed()),
            read_us: 0,
            prepare_us: 0,
            queue_us: micros(done.queued),
            compute_us: micros(done.computed),
        },
        sampling_rate_hz: None,
        labels: answered.labels,
        unit: Unit::Tensors,
        beats: answered.beats,
        quality: Quality {
            readable_share: None,
            flags: answered.flags,
            figures: BTreeMap::from([("rows".to_owned(), answered.rows as f64)]),
        },
        summary: serde_json::Value::Null,
    }
}

fn bytes(tensors: &[Tensor]) -> usize {
    tensors.iter().map(|tensor| tensor.data.len()).sum()
}

/// SHA-256 over name, type, dimensions and elements of every tensor, by name: the same however they were written down.
fn digest(tensors: &[Tensor]) -> String {
    let mut sorted: Vec<&Tensor> = tensors.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut all = Sha256::new();
    for tensor in sorted {
        // It takes all that is written.
        let _ = writeln!(all, "{} {:?} {:?}", tensor.name, tensor.dtype, tensor.dims);
        all.update(&tensor.data);
    }
    hex::encode(all.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, dims: &[usize], values: &[f32]) -> Tensor {
        Tensor {
            name: name.into(),
            dtype: DType::F32,
            dims: dims.to_vec(),
            data: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect::<Vec<_>>()
                .into(),
        }
    }

    #[test]
    fn the_digest_knows_names_shapes_and_elements_but_no_order() {
        let (a, b) = (tensor("a", &[1, 2], &[1.0, 2.0]), tensor("b", &[1, 1], &[3.0]));
        let of = |tensors: &[Tensor]| digest(tensors);
        assert_eq!(of(&[a.clone(), b.clone()]), of(&[b.clone(), a.clone()]));
        for other in [
            tensor("c", &[1, 2], &[1.0, 2.0]),
            tensor("a", &[2, 1], &[1.0, 2.0]),
            tensor("a", &[1, 2], &[1.0, 2.5]),
        ] {
            assert_ne!(of(&[a.clone(), b.clone()]), of(&[other, b.clone()]));
        }
    }

    #[test]
    fn a_row_has_the_class_of_its_largest_value() {
        let data = |values: &[f32]| tensor("x", &[1], values).data;
        let said = beats(&data(&[0.2, 0.8, 0.9, 0.1, f32::NAN, 0.5]), 2);
        assert_eq!(said.at, [1, 2, 3]);
        assert_eq!(said.class, [Some(1), Some(0), None]);
        assert_eq!(said.probabilities, [0.2, 0.8, 0.9, 0.1]);
        // Logits are no probabilities.
        let said = beats(&data(&[-3.0, 4.0]), 2);
        assert_eq!((said.class, said.probabilities), (vec![Some(1)], vec![]));
    }
}
