//! The body of a request as named files, raw or multipart, within the bounds.

use super::App;
use super::problem::Problem;
use super::received::{bad_form, cut_off};
use crate::input::Request;
use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Query, Request as HttpRequest};
use axum::http::{StatusCode, header};
use einthoven_ecg::readers::{Hints, Unit};
use einthoven_telemetry::Stage;
use futures_util::StreamExt;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// What a caller may state or choose, in the query or as form fields of the same names.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fields {
    /// Samples per second, where the files do not say.
    rate: Option<String>,
    /// `mV`, `uV` or `V`, where the files do not say.
    unit: Option<String>,
    /// The lead to classify; by default the one most like lead II, by name.
    lead: Option<String>,
    /// Which record to take, where there are several.
    record: Option<String>,
    /// `NAME`, `NAME/VERSION` or `NAME@ALIAS`.
    model: Option<String>,
    /// `VERSION` or `@ALIAS`.
    version: Option<String>,
    /// Name of a file sent as the raw body.
    name: Option<String>,
    /// `false`: a job is wanted, not the answer.
    wait: Option<bool>,
}

/// Files by their names.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// Files and wishes of one request, and the room its bytes take until it is answered.
pub(crate) struct Upload {
    pub(super) files: Files,
    pub(super) request: Request,
    /// Whether the answer is waited for.
    waits: bool,
    pub(super) room: Vec<OwnedSemaphorePermit>,
}

impl Upload {
    /// Reads the whole body, refusing what is too large as soon as that is known.
    pub(crate) async fn receive(app: &Arc<App>, request: HttpRequest) -> Result<Self, Problem> {
        let declared = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: usize| length > app.body_limit) {
            return Err(Problem::too_large(app.body_limit));
        }
        let Query(mut fields) = Query::<Fields>::try_from_uri(request.uri())
            .map_err(|cause| Problem::new(StatusCode::BAD_REQUEST, "bad_query", cause.body_text()))?;
        let prefers_async = request
            .headers()
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| {
                value
                    .split(',')
                    .any(|one| one.trim().eq_ignore_ascii_case("respond-async"))
            });
        let mut room = Room {
            app: Arc::clone(app),
            most: app.body_limit,
            taken: 0,
            permits: Vec::new(),
        };
        let _clock = Stage::Receive.running();
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let files = if content_type.is_some_and(|value| value.starts_with("multipart/form-data")) {
            multipart(request, &mut fields, &mut room).await?
        } else {
            let name = fields.name.clone().unwrap_or_else(|| "recording".to_owned());
            vec![(name, raw(request.into_body(), &mut room).await?)]
        };
        if files.is_empty() {
            let detail = "no file was sent; put the recording in the body or in a form part with a file name";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "empty_file", detail).at("file"));
        }
        Ok(Self {
            files,
            waits: fields.wait.unwrap_or(!prefers_async),
            request: fields.stated()?,
            room: room.permits,
        })
    }

    /// The files as they were sent, with the room they take, where nothing else can be stated.
    pub(crate) fn into_files(self) -> Result<(Files, Vec<OwnedSemaphorePermit>), Problem> {
        if self.request != Request::default() {
            let detail =
                "files alone are taken here: what they are is read from them, and the address names the version";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "unknown_field", detail));
        }
        Ok((self.files, self.room))
    }

    /// Whether the answer is waited for; else a job is wanted.
    pub(crate) fn waits(&self) -> bool {
        self.waits
    }
}

/// Keeps count of a body's bytes, against the bound of one request and of all together.
struct Room {
    app: Arc<App>,
    /// Bytes of this one.
    most: usize,
    taken: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Room {
    fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        let before = self.taken.div_ceil(1024);
        self.taken += bytes;
        if self.taken > self.most {
            return Err(Problem::too_large(self.most));
        }
        let more = u32::try_from(self.taken.div_ceil(1024) - before).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.app.upload_kib)
            .try_acquire_many_owned(more)
            .map_err(|_| Problem::busy("too many uploads at once; try again in a few seconds"))?;
        if let Some(first) = self.permits.first_mut() {
            first.merge(permit);
        } else {
            self.permits.push(permit);
        }
        Ok(())
    }
}

/// The whole of a body of at most `most` bytes, and the room it takes among all bodies until that is dropped.
pub(crate) async fn whole(
    app: &Arc<App>,
    body: Body,
    most: usize,
) -> Result<(Vec<u8>, Vec<OwnedSemaphorePermit>), Problem> {
    let mut room = Room {
        app: Arc::clone(app),
        most: most.min(app.body_limit),
        taken: 0,
        permits: Vec::new(),
    };
    let content = raw(body, &mut room).await?;
    Ok((content, room.permits))
}

async fn raw(body: Body, room: &mut Room) -> Result<Vec<u8>, Problem> {
    let mut stream = body.into_data_stream();
    let mut content = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|cause| cut_off(&cause))?;
        room.take(chunk.len())?;
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

async fn multipart(request: HttpRequest, fields: &mut Fields, room: &mut Room) -> Result<Files, Problem> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|cause| malformed(cause.body_text()))?;
    let mut files = Vec::new();
    while let Some(mut part) = form.next_field().await.map_err(|cause| bad_form(&cause))? {
        let mut content = Vec::new();
        while let Some(chunk) = part.chunk().await.map_err(|cause| bad_form(&cause))? {
            room.take(chunk.len())?;
            content.extend_from_slice(&chunk);
        }
        match part.file_name() {
            Some("") => {}
            Some(name) => files.push((name.to_owned(), content)),
            None => {
                let name = part.name().unwrap_or_default().to_owned();
                let value = String::from_utf8(content).map_err(malformed)?;
                fields.set(&name, value)?;
            }
        }
    }
    Ok(files)
}

/// A form that is none.
pub(super) fn malformed(cause: impl fmt::Display) -> Problem {
    let detail = format!("the form cannot be read: {cause}");
    Problem::new(StatusCode::BAD_REQUEST, "bad_form", detail)
}

impl Fields {
    fn set(&mut self, name: &str, value: String) -> Result<(), Problem> {
        let slot = match name {
            "rate" => &mut self.rate,
            "unit" => &mut self.unit,
            "lead" => &mut self.lead,
            "record" => &mut self.record,
            "model" => &mut self.model,
            "version" => &mut self.version,
            _ => {
                let detail = format!(
                    "the form field `{name}` is not known; known are rate, unit, lead, record, model, version, and files"
                );
                return Err(Problem::new(StatusCode::BAD_REQUEST, "unknown_field", detail).at(name));
            }
        };
        *slot = Some(value);
        Ok(())
    }

    fn stated(mut self) -> Result<Request, Problem> {
        for field in [
            &mut self.rate,
            &mut self.unit,
            &mut self.lead,
            &mut self.record,
            &mut self.model,
            &mut self.version,
        ] {
            if field.as_ref().is_some_and(|value| value.trim().is_empty()) {
                *field = None;
            }
        }
        let wrong =
            |detail: String, pointer| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at(pointer);
        let sampling_rate_hz = match self.rate {
            None => None,
            Some(text) => match text.trim().parse::<f64>() {
                Ok(rate) if rate.is_finite() && rate > 0.0 => Some(rate),
                _ => {
                    let detail =
                        format!("`rate` is `{text}`; give samples per second as a number above zero, such as 360");
                    return Err(wrong(detail, "sampling_rate"));
                }
            },
        };
        let unit = match self.unit {
            None => None,
            Some(text) => Some(
                Unit::from_name(text.trim())
                    .ok_or_else(|| wrong(format!("`unit` is `{text}`; give mV, uV or V"), "unit"))?,
            ),
        };
        Ok(Request {
            hints: Hints {
                sampling_rate_hz,
                unit,
                record: self.record,
            },
            lead: self.lead,
            model: self.model,
            version: self.version,
        })
    }
}
