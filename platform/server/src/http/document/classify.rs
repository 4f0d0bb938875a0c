//! Recordings in, heartbeats out.

use super::operation::{Operation, operation};
use super::problems::{CLASSIFYING, LOADING, READING, UPLOAD};
use super::{parameters, recordings};
use crate::http::flask::Predictions;
use crate::http::upload::Fields;
use axum::http::Method;
use einthoven_classify::{Document, RowsDocument};
use einthoven_jobs::Info;
use schemars::{JsonSchema, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A recording's beats, or the classes of rows.
pub(super) struct Classified;

impl JsonSchema for Classified {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Classified".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let either = [
            generator.subschema_for::<Document>(),
            generator.subschema_for::<RowsDocument>(),
        ];
        json_schema!({"anyOf": either})
    }
}

impl Operation {
    /// Takes a recording as a form or as the raw body.
    pub(super) fn takes_recording(self) -> Self {
        self.query::<Fields>(
            json!({"rate": "360", "unit": "mV", "lead": "MLII", "model": "heartbeat", "name": "100.csv"}),
        )
        .raw_body("multipart/form-data", recording_form())
        .raw_body(
            "application/octet-stream",
            json!({"type": "string", "format": "binary"}),
        )
        .raw_body("text/csv", json!({"type": "string"}))
        .parameter(parameters::subject())
        .problems(UPLOAD)
    }

    /// Reads it and classifies it.
    pub(super) fn classifies(self) -> Self {
        self.problems(READING).problems(LOADING).problems(CLASSIFYING)
    }
}

/// The form of a recording: its files together, and what they do not say.
pub(super) fn recording_form() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"},
                "description": "The files of one recording, or a zip or tar of them.",
            },
            "rate": text("Samples per second, where the files do not say."),
            "unit": {"type": "string", "enum": ["mV", "uV", "V"], "description": "The unit, where the files do not say."},
            "lead": text("The lead to classify; by default the one most like lead II, by name."),
            "record": text("Which record to take, where there are several."),
            "model": text("`NAME`, `NAME/VERSION` or `NAME@ALIAS`."),
            "version": text("`VERSION` or `@ALIAS`."),
        },
    })
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        operation(
            "classify",
            Method::POST,
            "/v1/classify",
            "classify_recording",
            "Finds and classifies every heartbeat of a recording",
        )
        .description(
            "Nothing is assumed: where the files do not say their sampling rate or unit, the answer is the problem `missing_field`, \
             which names it. With `Prefer: respond-async` or `wait=false` a job is made instead.",
        )
        .takes_recording()
        .parameter(parameters::header(
            "Prefer",
            "`respond-async`: a job is wanted, not the answer.",
            &json!({"type": "string"}),
            &json!("respond-async"),
        ))
        .answers::<Classified>(200, "The beats; for files of rows, the rows.")
        .answers::<Info>(202, "The job.")
        .with(&["Location"])
        .classifies()
        .problems(&[(429, "too_many_jobs")]),
        operation(
            "classify",
            Method::POST,
            "/upload",
            "upload_csv",
            "Classifies as the Flask application that came before",
        )
        .takes_recording()
        .answers::<Predictions>(200, "One class letter for each row or beat.")
        .classifies(),
        operation(
            "classify",
            Method::GET,
            "/v1/stream",
            "open_stream",
            "Classifies samples while they are recorded, over a WebSocket",
        )
        .description(
            "The first message is JSON: `rate`, `unit`, `lead`, and where wanted `model`, `format` (`f32` or `i16` with \
             `counts_per_unit`); or `session` and `last_sample` to go on. Then samples, binary in little endian or as JSON arrays; \
             `{\"end\": true}` ends it. Beats come as JSON.",
        )
        .answers_nothing(101, "A WebSocket from here on.")
        .problems(&[(400, "bad_header"), (403, "foreign_page"), (426, "not_a_websocket")]),
        recordings::sample_list(),
        recordings::sample(),
    ]
}
