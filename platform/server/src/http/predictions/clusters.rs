//! `GET /v1/misclassified/clusters`: misclassified beats by shape, so that many are judged at one look.

use super::super::App;
use super::super::body::Query;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::filter::Wanted;
use super::misclassified::wrong;
use super::reading_all;
use super::recorded::{LeftOut, lead, recording};
use crate::journaling::is_kept;
use axum::Json;
use axum::extract::State;
use einthoven_ecg::shape::{self, Shape};
use einthoven_journal::labels::{Compared, compared};
use einthoven_journal::{Journal, readable};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How alike beats of one cluster are at least.
const LEAST: f64 = 0.9;
/// Beats and recordings that are looked at in one request.
const MOST_BEATS: usize = 2000;
const MOST_RECORDINGS: usize = 200;

#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct ClusterList {
    items: Vec<ClusterOut>,
    /// Beats whose recording is not kept.
    not_kept: usize,
    /// Beats too near an end of the recording, or at invalid samples.
    without_shape: usize,
    /// There are more: narrow the filters down to see them.
    left_out: bool,
    /// How many there are more. Of a prediction with more beats than there is room for, those that are shown are spread evenly over it.
    left_out_beats: usize,
    /// Predictions whose kept recording cannot be read any more; their beats are not among those above.
    unreadable: Vec<LeftOut>,
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Cluster")]
pub(crate) struct ClusterOut {
    id: String,
    beats: usize,
    sampling_rate_hz: f64,
    before_s: f64,
    shape_mv: Vec<f64>,
    /// How often each class was answered; `none` where nothing was.
    said: BTreeMap<String, usize>,
    /// How often each thing holds.
    truth: BTreeMap<String, usize>,
    members: Vec<MemberOut>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClusterMember")]
pub(crate) struct MemberOut {
    prediction: String,
    at: u64,
    correlation: f64,
}

/// A beat with its shape.
struct Beat {
    prediction: String,
    at: u64,
    said: String,
    truth: String,
}

pub(crate) async fn list_clusters(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<ClusterList>, Problem> {
    wanted.one_model()?;
    let inner = Arc::clone(&app);
    reading_all(&app, move |journal| clustered(&inner, &journal, &caller, &wanted))
        .await
        .map(Json)
}

fn clustered(app: &App, journal: &Journal, caller: &Caller, wanted: &Wanted) -> Result<ClusterList, Problem> {
    let mut list = ClusterList::default();
    let (mut beats, mut shapes) = (Vec::new(), Vec::new());
    let (mut recordings, mut looked_at) = (0, 0);
    for entry in readable(wanted.labelled(journal, caller, None)) {
        let entry = entry?;
        let labels = journal.labels().of(entry.id)?;
        let mut wrong: Vec<_> = wrong(wanted, compared(&entry, &labels)).collect();
        if wrong.is_empty() {
            continue;
        }
        if !is_kept(journal, &entry) || !caller.reads_signals(&entry.model) {
            list.not_kept += wrong.len();
            continue;
        }
        let room = if recordings < MOST_RECORDINGS {
            MOST_BEATS - looked_at
        } else {
            0
        };
        list.left_out_beats += wrong.len().saturating_sub(room);
        spread(&mut wrong, room);
        if wrong.is_empty() {
            continue;
        }
        let recording = match recording(app, journal, &entry) {
            Ok(recording) => recording,
            Err(problem) => {
                list.unreadable.push(LeftOut::of(&entry, &problem));
                continue;
            }
        };
        recordings += 1;
        looked_at += wrong.len();
        let lead = recording.as_ref().and_then(|recording| lead(recording, &entry));
        let rate = recording.as_ref().map_or(1.0, |recording| recording.sampling_rate_hz);
        for beat in wrong {
            let place = usize::try_from(beat.at).unwrap_or(usize::MAX);
            match lead.and_then(|lead| Shape::cut(&lead.samples_mv, rate, place)) {
                None => list.without_shape += 1,
                Some(shape) => {
                    shapes.push(shape);
                    beats.push(Beat {
                        prediction: entry.id.to_string(),
                        at: beat.at,
                        said: beat.said.unwrap_or_else(|| "none".to_owned()),
                        truth: beat.truth.to_string(),
                    });
                }
            }
        }
    }
    list.left_out = list.left_out_beats > 0;
    let found = shape::clusters(&shapes, LEAST);
    list.items = found
        .into_iter()
        .enumerate()
        .map(|(number, cluster)| shown(number, &cluster, &beats))
        .collect();
    Ok(list)
}

/// Leaves `room` of them, spread evenly from the first on.
fn spread(beats: &mut Vec<Compared>, room: usize) {
    let (all, mut place, mut kept) = (beats.len(), 0, 0);
    if all <= room {
        return;
    }
    beats.retain(|_| {
        let wanted = kept < room && place * room >= kept * all;
        kept += usize::from(wanted);
        place += 1;
        wanted
    });
}

fn shown(number: usize, cluster: &shape::Cluster, beats: &[Beat]) -> ClusterOut {
    let (mut said, mut truth) = (BTreeMap::new(), BTreeMap::new());
    let mut members = Vec::with_capacity(cluster.members.len());
    for member in &cluster.members {
        let beat = &beats[member.shape];
        *said.entry(beat.said.clone()).or_default() += 1;
        *truth.entry(beat.truth.clone()).or_default() += 1;
        members.push(MemberOut {
            prediction: beat.prediction.clone(),
            at: beat.at,
            correlation: thousandths(member.correlation),
        });
    }
    ClusterOut {
        id: format!("c{}", number + 1),
        beats: members.len(),
        sampling_rate_hz: shape::RATE_HZ,
        before_s: shape::BEFORE_S,
        shape_mv: cluster.mean_mv.iter().copied().map(thousandths).collect(),
        said,
        truth,
        members,
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::spread;
    use einthoven_journal::labels::{Compared, Truth};

    #[test]
    fn of_more_beats_than_there_is_room_for_some_from_everywhere_are_left() {
        for (all, room) in [
            (5_000, 2_000),
            (2_001, 2_000),
            (2_000, 2_000),
            (7, 3),
            (3, 1),
            (3, 0),
            (0, 5),
        ] {
            let beat = |at| Compared {
                at,
                said: None,
                probability: None,
                truth: Truth::NotABeat,
                readers: 1,
                adjudicated: false,
            };
            let mut beats: Vec<_> = (0..all).map(beat).collect();
            spread(&mut beats, room);
            assert_eq!(beats.len() as u64, all.min(room as u64), "{all} {room}");
            let widest = beats.windows(2).map(|pair| pair[1].at - pair[0].at).max();
            assert!(
                widest.is_none_or(|widest| widest <= all.div_ceil(room as u64)),
                "{all} {room}"
            );
        }
    }
}
