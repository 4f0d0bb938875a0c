//! Recordings that are kept for looking at, and those of the page's samples.

use super::classify::Classified;
use super::operation::{Operation, operation};
use super::problems::HEADERS;
use crate::http::recordings::{RecordingList, Span};
use crate::http::samples::SampleList;
use crate::recordings::Points;
use axum::http::Method;
use einthoven_classify::{Document, RowsDocument};
use serde_json::json;

pub(super) fn operations() -> Vec<Operation> {
    let one = |method, path, id, summary| {
        operation("recordings", method, path, id, summary)
            .problems(HEADERS)
            .problems(&[(404, "not_found")])
    };
    vec![
        operation(
            "recordings",
            Method::POST,
            "/v1/recordings",
            "create_recording",
            "Classifies a recording and keeps it to look at",
        )
        .description("Recordings are kept until the server stops or newer ones need the room.")
        .takes_recording()
        .answers::<Document>(201, "The beats, and the `id` of what is kept.")
        .with(&["Location"])
        .answers::<RowsDocument>(200, "Rows, of which nothing is kept.")
        .classifies(),
        operation(
            "recordings",
            Method::GET,
            "/v1/recordings",
            "list_recordings",
            "Lists the recordings that are kept",
        )
        .answers::<RecordingList>(200, "Recordings, newest first.")
        .problems(HEADERS),
        one(
            Method::GET,
            "/v1/recordings/{id}",
            "get_recording",
            "Gives the beats of a recording again",
        )
        .answers::<Document>(200, "The beats."),
        one(
            Method::DELETE,
            "/v1/recordings/{id}",
            "delete_recording",
            "Forgets a recording",
        )
        .answers_nothing(204, "It is gone."),
        one(
            Method::GET,
            "/v1/recordings/{id}/signal",
            "get_signal",
            "Gives the signal of a lead, as minima and maxima or as samples",
        )
        .query::<Span>(json!({"lead": "MLII", "from": 0.0, "to": 10.0, "points": 2000}))
        .answers::<Points>(200, "Points in mV; with enough of them, the samples.")
        .problems(&[(404, "no_such_lead"), (422, "bad_field")]),
        one(
            Method::GET,
            "/v1/recordings/{id}/annotations",
            "get_annotations",
            "Gives the beats as an MIT annotation file",
        )
        .answers_raw(
            200,
            "The file.",
            "application/octet-stream",
            json!({"type": "string", "format": "binary"}),
        )
        .with(&["Content-Disposition"]),
        one(
            Method::GET,
            "/v1/recordings/{id}/fhir",
            "get_fhir",
            "Gives the result as a FHIR R4 bundle",
        )
        .description(
            "A `collection` of one `DiagnosticReport`, its `Observation`s and the `Device` that made them, without a subject: \
             who was recorded is not known here. One observation has the beats as components; for who may read labels, one more for \
             each time that a reader said something has what of it still counts, with who and when.",
        )
        .answers_raw(
            200,
            "The bundle.",
            "application/fhir+json",
            json!({"type": "object", "required": ["resourceType", "type", "entry"], "properties": {
                "resourceType": {"type": "string", "enum": ["Bundle"]}, "type": {"type": "string", "enum": ["collection"]}, "timestamp": {"type": "string", "format": "date-time"},
                "entry": {"type": "array", "items": {"type": "object"}},
            }}),
        )
        .with(&["Content-Disposition"]),
    ]
}

pub(super) fn sample_list() -> Operation {
    operation(
        "recordings",
        Method::GET,
        "/v1/samples",
        "list_samples",
        "Lists recordings to try the product with",
    )
    .answers::<SampleList>(200, "Samples.")
}

pub(super) fn sample() -> Operation {
    operation(
        "recordings",
        Method::POST,
        "/v1/samples/{id}",
        "create_sample_recording",
        "Classifies a sample recording and keeps it to look at",
    )
    .answers::<Classified>(201, "The beats.")
    .with(&["Location"])
    .problems(HEADERS)
    .problems(&[(404, "not_found")])
    .classifies()
}
