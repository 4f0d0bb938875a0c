//! `POST /v1/models/{model}/versions`: files in, a version out. Streamed to disk; nothing is in memory whole.

use super::App;
use super::body::Path;
use super::caller::Caller;
use super::problem::Problem;
use super::received::{bad_form, too_slow};
use super::upload::malformed;
use super::versions::version_out;
use axum::extract::{FromRequest, Multipart, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use einthoven_onboard::{Added, By, Candidate, CandidateFile, FieldProblem, Stated};
use einthoven_registry_files::{Bounds, Digest, ReceivedFile, Unpacked, receive, unpack, valid_names};
use einthoven_registry_state::{ModelName, Origin, Phase, VersionName};
use futures_util::TryStreamExt;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for a verdict, in seconds.
const LONGEST_WAIT_S: u64 = 120;

/// Files that one version may have.
const FILES: usize = 2000;

/// Bytes of one text field of a form.
const LONGEST_FIELD: usize = 1 << 20;

/// How many times larger than packed an archive may be: weights hardly shrink.
const RATIO: u64 = 100;

/// A version of files that are here already, known by their digests.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "VersionByDigest")]
#[serde(deny_unknown_fields)]
pub(crate) struct ByDigest {
    files: Vec<NamedDigest>,
    #[serde(default)]
    manifest: serde_json::Map<String, serde_json::Value>,
    version: Option<VersionName>,
    reason: Option<String>,
    wait_s: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "FileByDigest")]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedDigest {
    name: String,
    sha256: Digest,
}

/// What was said beside the files.
#[derive(Default)]
struct Fields {
    version: Option<VersionName>,
    reason: Option<String>,
    wait_s: u64,
    /// Name of a file sent as the raw body.
    name: Option<String>,
    stated: Stated,
}

/// Uploads on disk, with what they were unpacked to; both go when this does.
#[derive(Default)]
struct Uploads {
    received: Vec<ReceivedFile>,
    unpacked: Vec<Unpacked>,
    first_name: String,
}

pub(crate) async fn create_version(
    State(app): State<Arc<App>>,
    Path(model): Path<ModelName>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let Query(query) = Query::<BTreeMap<String, String>>::try_from_uri(request.uri())
        .map_err(|cause| Problem::new(StatusCode::BAD_REQUEST, "bad_query", cause.body_text()))?;
    let mut fields = Fields::default();
    for (name, value) in query {
        fields.set(&name, &value)?;
    }
    if content_type.starts_with("application/json") {
        return by_digest(&app, &caller, model, request).await;
    }
    let mut uploads = Uploads::default();
    if content_type.starts_with("multipart/form-data") {
        multipart(&app, request, &mut fields, &mut uploads).await?;
    } else {
        let name = fields.name.clone().ok_or_else(|| {
            let detail = "say what the file is called, as in `?name=model.onnx`, or send a form with a file";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "missing_field", detail).at("name")
        })?;
        uploads.take(&app, name, request.into_body().into_data_stream()).await?;
    }
    let candidate = uploads.candidate(fields.stated)?;
    let origin = Origin::Upload {
        file: uploads.first_name.clone(),
    };
    let by = caller.by(fields.reason)?;
    let added = app
        .onboarding
        .add(&by, model, fields.version, origin, candidate)
        .await?;
    answer(&app, &added, fields.wait_s).await
}

/// 201 with a verdict, where it was waited for; else 202 with where to look.
async fn answer(app: &App, added: &Added, wait_s: u64) -> Result<Response, Problem> {
    let wait = Duration::from_secs(wait_s.min(LONGEST_WAIT_S));
    let phase = app.onboarding.settled(added, wait).await?;
    let status = match phase {
        Phase::Fetching | Phase::Verifying => StatusCode::ACCEPTED,
        _ => StatusCode::CREATED,
    };
    located(app, status, added).await
}

/// The version with its address.
pub(super) async fn located(app: &App, status: StatusCode, added: &Added) -> Result<Response, Problem> {
    let mut response = version_out(app, status, &added.model, &added.version).await?;
    let location = format!("/v1/models/{}/versions/{}", added.model, added.version);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn by_digest(app: &App, caller: &Caller, model: ModelName, request: Request) -> Result<Response, Problem> {
    let super::body::Body(body) = super::body::Body::<ByDigest>::from_request(request, &()).await?;
    let names: Vec<_> = body.files.iter().map(|file| file.name.as_str()).collect();
    valid_names(names.iter().copied())?;
    let mut candidate = Candidate {
        files: Vec::new(),
        stated: Stated::from_object(body.manifest).map_err(field)?,
    };
    for file in body.files {
        let path = app.loaded.settings().files.local(&file.sha256).await?;
        candidate.files.push(CandidateFile { name: file.name, path });
    }
    let file = candidate
        .files
        .first()
        .map(|file| file.name.clone())
        .unwrap_or_default();
    let by: By = caller.by(body.reason)?;
    let origin = Origin::Upload { file };
    let added = app.onboarding.add(&by, model, body.version, origin, candidate).await?;
    answer(app, &added, body.wait_s.unwrap_or(0)).await
}

async fn multipart(app: &App, request: Request, fields: &mut Fields, uploads: &mut Uploads) -> Result<(), Problem> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|cause| malformed(cause.body_text()))?;
    while let Some(mut part) = form.next_field().await.map_err(|cause| bad_form(&cause))? {
        match part.file_name().map(str::to_owned) {
            Some(name) => uploads.take(app, name, part).await?,
            None => {
                let name = part.name().unwrap_or_default().to_owned();
                let mut text = Vec::new();
                while let Some(chunk) = part.chunk().await.map_err(|cause| bad_form(&cause))? {
                    if text.len() + chunk.len() > LONGEST_FIELD {
                        let detail = format!("a text field of the form is larger than {LONGEST_FIELD} bytes");
                        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
                    }
                    text.extend_from_slice(&chunk);
                }
                let text = String::from_utf8(text).map_err(|cause| malformed(cause.to_string()))?;
                fields.set(&name, &text)?;
            }
        }
    }
    Ok(())
}

impl Fields {
    fn set(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        match name {
            "version" => self.version = Some(text.trim().parse()?),
            "reason" => self.reason = Some(text.to_owned()),
            "name" => self.name = Some(text.to_owned()),
            "wait_s" => {
                self.wait_s = text.trim().parse().map_err(|_| {
                    let detail = format!("`wait_s` is a number of seconds up to {LONGEST_WAIT_S}");
                    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("wait_s")
                })?;
            }
            _ if text.trim().is_empty() => {}
            _ => self.stated.set(name, text).map_err(field)?,
        }
        Ok(())
    }
}

impl Uploads {
    async fn take<S, E>(&mut self, app: &App, name: String, stream: S) -> Result<(), Problem>
    where
        S: futures_util::Stream<Item = Result<bytes::Bytes, E>>,
        E: std::error::Error + 'static,
    {
        let so_far: u64 = self.received.iter().map(ReceivedFile::size_bytes).sum();
        let incoming = app.loaded.settings().files.incoming().to_owned();
        let mut slow = None;
        let stream = stream.inspect_err(|cause| slow = too_slow(cause));
        let received = receive(stream, app.model_limit.saturating_sub(so_far), &incoming).await;
        let received = received.map_err(|cause| slow.unwrap_or_else(|| cause.into()))?;
        // The bound holds for all files of the upload together.
        let unpacked = self.unpacked.iter().flat_map(|unpacked| &unpacked.files);
        let bytes = app
            .model_limit
            .saturating_sub(unpacked.map(|file| file.size_bytes).sum());
        let path = received.path().to_owned();
        let bounds = Bounds {
            files: FILES.saturating_sub(self.unpacked.iter().map(|unpacked| unpacked.files.len()).sum()),
            bytes,
            ratio: RATIO,
        };
        let called = name.clone();
        let unpacked = tokio::task::spawn_blocking(move || unpack(&path, &called, &incoming, &bounds))
            .await
            .map_err(Problem::from)??;
        if self.received.is_empty() {
            self.first_name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        }
        self.received.push(received);
        self.unpacked.push(unpacked);
        Ok(())
    }

    fn candidate(&self, stated: Stated) -> Result<Candidate, Problem> {
        let unpacked = self.unpacked.iter().flat_map(|unpacked| &unpacked.files);
        let mut files: Vec<_> = unpacked
            .map(|file| CandidateFile {
                name: file.name.clone(),
                path: file.path.clone(),
            })
            .collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        if files.is_empty() {
            let detail = "no file was sent; put the network in the body or in a form part with a file name";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "empty_file", detail).at("file"));
        }
        valid_names(files.iter().map(|file| file.name.as_str()))?;
        Ok(Candidate { files, stated })
    }
}

fn field(problem: FieldProblem) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_field", problem.detail).at(problem.pointer)
}
