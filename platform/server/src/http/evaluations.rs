//! A version against a frozen set of recordings with reference beats: what a gate may ask for.

use super::App;
use super::blocking;
use super::body::{Path, Query};
use super::caller::Caller;
use super::problem::Problem;
use super::upload::Upload;
use crate::input::{self, Answer, UNPACKED};
use crate::scoring::score;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use einthoven_classify::{Leak, PackageFile, ServedModel};
use einthoven_ecg::readers::Hints;
use einthoven_ecg::score::{RecordScore, Report, Rules};
use einthoven_intake::unpack;
use einthoven_registry_state::{Change, Evaluation, ModelName, SetName, VersionName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a version was measured to be.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Evaluated {
    /// As the registry keeps it.
    pub(crate) evaluation: Evaluation,
    /// In full.
    #[schemars(with = "Report")]
    report: serde_json::Value,
}

/// How a version is measured.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measuring {
    /// Name of a file sent as the raw body.
    #[serde(rename = "name")]
    _name: Option<String>,
    /// `flag`: measured although the version was trained on records of the set, which is written down; else refused.
    leaks: Option<OnLeaks>,
}

/// What becomes of a set with records that the version was trained on.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OnLeaks {
    Flag,
    Refuse,
}

/// Takes the set as files, or as a zip or tar of WFDB records with `.atr` files, measures the version on it, and writes the
/// measures into the registry: means over records by their name, and pooled over beats as `gross_NAME`. A set with records that the
/// version's manifest says it was trained on is refused; with `leaks=flag` it is measured and they are named.
pub(crate) async fn create_evaluation(
    State(app): State<Arc<App>>,
    Path((model, version, set)): Path<(ModelName, VersionName, SetName)>,
    caller: Caller,
    Query(measuring): Query<Measuring>,
    mut request: Request,
) -> Result<Response, Problem> {
    let flags = measuring.leaks == Some(OnLeaks::Flag);
    *request.uri_mut() = of_the_upload(request.uri())?;
    let found = Arc::clone(app.registry().state().model(&model)?.version(&version)?);
    let (files, room) = Upload::receive(&app, request).await?.into_files()?;
    let served = app.loaded.load(&model, &found).await?;
    let reader = Arc::clone(&app);
    let (evaluation, report) = blocking(Arc::clone(&app.evaluations), move || {
        let _room = room;
        evaluated(&reader, &served, files, flags)
    })
    .await?;
    let change = Change::Evaluated {
        model,
        version,
        set,
        evaluation: evaluation.clone(),
    };
    app.change(&caller, None, change).await?;
    Ok((StatusCode::CREATED, Json(Evaluated { evaluation, report })).into_response())
}

fn evaluated(
    app: &App,
    model: &ServedModel,
    files: Vec<(String, Vec<u8>)>,
    flags: bool,
) -> Result<(Evaluation, serde_json::Value), Problem> {
    let mut all = Vec::new();
    for (name, bytes) in files {
        let unpacked = unpack(&name, Cow::Owned(bytes), &UNPACKED)
            .map_err(|cause| Problem::from(input::InputError::from(cause)))?;
        all.extend(unpacked.into_iter().map(|file| (file.name, file.bytes.into_owned())));
    }
    let parts: Vec<_> = all.iter().map(|(name, bytes)| PackageFile { name, bytes }).collect();
    let set_digest = einthoven_classify::digest(&parts);
    let names = all.iter().filter_map(|(name, _)| name.strip_suffix(".atr"));
    let mut records: Vec<_> = names
        .filter(|name| all.iter().any(|(other, _)| *other == format!("{name}.hea")))
        .collect();
    records.sort_unstable();
    if records.is_empty() {
        let detail = "the set holds no WFDB record with an .atr file of reference beats beside its .hea";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_a_set", detail));
    }
    let leaks = model.manifest().training.leaks(records.iter().copied());
    if !leaks.is_empty() && !flags {
        return Err(leaking(&leaks));
    }
    let rules = Rules::default();
    let scores = records
        .iter()
        .map(|name| record(app, model, &all, name, &rules))
        .collect::<Result<Vec<_>, _>>()?;
    let report = serde_json::to_value(Report::of(&scores, &rules)).map_err(|cause| Problem::internal(&cause))?;
    let evaluation = Evaluation {
        set_digest,
        recordings: scores.len(),
        metrics: metrics(&report),
        at: jiff::Timestamp::now(),
        leaks: leaks.into_iter().map(|leak| leak.record).collect(),
    };
    Ok((evaluation, report))
}

/// The address with what of the query the upload reads.
fn of_the_upload(uri: &Uri) -> Result<Uri, Problem> {
    let parts = uri.query().unwrap_or_default().split('&');
    let name = parts.filter(|part| part.starts_with("name=")).collect::<String>();
    let uri = format!("{}?{name}", uri.path());
    uri.parse().map_err(|cause| Problem::internal(&cause))
}

fn leaking(leaks: &[Leak]) -> Problem {
    let each = leaks.iter().take(10).map(|leak| {
        if leak.record == leak.trained_on {
            format!("`{}`", leak.record)
        } else {
            format!("`{}` (trained on `{}`)", leak.record, leak.trained_on)
        }
    });
    let detail = format!(
        "the version was trained on records or persons of this set: {}{}; measure it on others, or say `leaks=flag` to measure it all \
         the same and have that written down",
        each.collect::<Vec<_>>().join(", "),
        if leaks.len() > 10 { " and more" } else { "" }
    );
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "leak", detail)
}

/// One record's files, without those of the others.
fn record(
    app: &App,
    model: &ServedModel,
    all: &[(String, Vec<u8>)],
    name: &str,
    rules: &Rules,
) -> Result<RecordScore, Problem> {
    let own = |file: &&(String, Vec<u8>)| {
        file.0
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['.', '_']))
    };
    let files = all.iter().filter(own);
    let files = files
        .map(|(name, bytes)| (name.clone(), Cow::Borrowed(bytes.as_slice())))
        .collect();
    let request = input::Request {
        hints: Hints {
            record: Some(name.to_owned()),
            ..Hints::default()
        },
        ..input::Request::default()
    };
    let reading = input::read(files, &request, &app.plugins.readers)?;
    let unusable = |what: &str| {
        let detail = format!("the record `{name}` of the set {what}");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_a_set", detail)
    };
    let reference = reading
        .annotations
        .clone()
        .ok_or_else(|| unusable("has no reference beats that can be read"))?;
    match input::answer(reading, model, None)? {
        Answer::Beats { document, .. } => Ok(score(&document, &reference, rules)),
        Answer::Rows(_) => Err(unusable("holds rows, not a recording")),
    }
}

/// Every measure of a report by its name.
fn metrics(report: &serde_json::Value) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    for (part, prefix) in [("average", ""), ("gross", "gross_")] {
        for (name, value) in report[part].as_object().into_iter().flatten() {
            metrics.extend(value.as_f64().map(|value| (format!("{prefix}{name}"), value)));
        }
    }
    metrics
}
