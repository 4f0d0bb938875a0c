//! Beats that two versions call differently, of recordings that both saw.

use super::super::App;
use super::super::blocking;
use super::super::body::{Path, Query};
use super::super::caller::Caller;
use super::super::models::List;
use super::super::problem::Problem;
use super::sources;
use crate::journaling::is_kept;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use einthoven_ecg::score::Rules;
use einthoven_journal::labels::{Truth, current};
use einthoven_journal::{Beat, Cursor, Entry, Journal, JournalError, Unit};
use einthoven_registry_state::{ExperimentName, VersionName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Beats of a page, where the query does not say, and at most.
const PAGE: usize = 100;
const MOST: usize = 1_000;
/// Beats of one recording that are listed: its page may be longer than was asked for.
const OF_ONE: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DisagreementFilter")]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Needless where there is one.
    challenger: Option<VersionName>,
    /// Beats of one answer, 1 to 1000.
    limit: Option<usize>,
    /// `next` of the answer before.
    cursor: Option<String>,
}

/// A beat that two versions call differently.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Disagreement {
    /// The champion's answer.
    prediction: String,
    /// The shadow's.
    beside: String,
    at: Timestamp,
    /// Where its trace is; none where the recording is not kept, or the caller may not look at it.
    signal: Option<String>,
    lead: Option<String>,
    record: Option<String>,
    unit: Unit,
    /// R peak, or the row from one.
    sample: u64,
    time_s: Option<f64>,
    /// None where nothing was said.
    champion: Option<String>,
    challenger: Option<String>,
    champion_probability: Option<f64>,
    challenger_probability: Option<f64>,
    /// None where nobody knows, or where there is no beat.
    truth: Option<String>,
}

pub(crate) async fn list_disagreements(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<ExperimentName>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<List<Disagreement>>, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        let detail = format!("`limit` must be 1 to {MOST}");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("limit"));
    }
    let after: Option<Cursor> = wanted.cursor.as_deref().map(str::parse).transpose()?;
    let (_, sources) = sources(&app, &caller, &name, wanted.challenger)?;
    let looks = caller.reads_signals(&sources.model);
    let done = blocking(Arc::clone(&app.comparing.verdicts), move || {
        let (mut items, mut next) = (Vec::new(), None);
        sources.pairs(after, |champion, shadow, place| {
            items.extend(differing(&sources.journal, champion, shadow, looks)?);
            if items.len() < limit {
                return Ok(ControlFlow::Continue(()));
            }
            next = place.map(|place| place.to_string());
            Ok(ControlFlow::Break(()))
        })?;
        Ok(List { items, next })
    });
    done.await.map(Json)
}

fn differing(
    journal: &Journal,
    champion: &Entry,
    shadow: &Entry,
    looks: bool,
) -> Result<Vec<Disagreement>, JournalError> {
    let signal = (looks && champion.unit == Unit::Beats && is_kept(journal, champion))
        .then(|| format!("/v1/predictions/{}/signal", champion.id));
    let mut told = journal.labels().of(champion.id)?;
    told.extend(journal.labels().of(shadow.id)?);
    let held = current(&told);
    let others: BTreeMap<u64, Beat<'_>> = shadow.beats().map(|beat| (beat.at, beat)).collect();
    let mine: BTreeMap<u64, Beat<'_>> = champion.beats().map(|beat| (beat.at, beat)).collect();
    // Both had the same beats found for them, so the same beat has the same sample.
    let mut places: Vec<u64> = mine.keys().chain(others.keys()).copied().collect();
    places.sort_unstable();
    places.dedup();
    let window = (champion.sampling_rate_hz.unwrap_or(0.0) * Rules::default().window_s) as u64;
    let listed = places.into_iter().filter_map(|sample| {
        let class = |beat: Option<&Beat<'_>>| beat.and_then(|beat| beat.class).map(str::to_owned);
        let sure = |beat: Option<&Beat<'_>>| beat.and_then(|beat| beat.probability).map(f64::from);
        let (one, two) = (mine.get(&sample), others.get(&sample));
        let (first, second) = (class(one), class(two));
        if first == second {
            return None;
        }
        let near = held.range(sample.saturating_sub(window)..=sample.saturating_add(window));
        let nearest = near.min_by_key(|(at, _)| at.abs_diff(sample));
        let truth = nearest.and_then(|(_, held)| held.truth.as_ref()).and_then(Truth::class);
        Some(Disagreement {
            prediction: champion.id.to_string(),
            beside: shadow.id.to_string(),
            at: champion.at,
            signal: signal.clone(),
            lead: champion.parameters.get("lead").cloned(),
            record: champion.record.clone(),
            unit: champion.unit,
            sample,
            time_s: champion.sampling_rate_hz.map(|rate| sample as f64 / rate),
            champion: first,
            challenger: second,
            champion_probability: sure(one),
            challenger_probability: sure(two),
            truth: truth.map(str::to_owned),
        })
    });
    Ok(listed.take(OF_ONE).collect())
}
