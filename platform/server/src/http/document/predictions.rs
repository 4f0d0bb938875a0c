//! The journal: what was answered, and what is said about it later.

use super::operation::{Operation, operation};
use super::parameters;
use super::problems::{Code, HEADERS};
use crate::http::predictions::agreement::Agreed;
use crate::http::predictions::at_once::{self, Placed};
use crate::http::predictions::clusters::ClusterList;
use crate::http::predictions::filter::Wanted;
use crate::http::predictions::journal::JournalOut;
use crate::http::predictions::labels::{self, LabelList, Said};
use crate::http::predictions::list::PredictionList;
use crate::http::predictions::misclassified::MisclassifiedList;
use crate::http::predictions::reference::About;
use crate::http::predictions::view::Whole;
use crate::http::recordings::Span;
use crate::journaling::Erased;
use crate::recordings::Points;
use axum::http::Method;
use einthoven_journal::labels::Mark;
use einthoven_journal::replay::Replayed;
use serde_json::{Value, json};

/// Where the server keeps no journal, and where its disk does not follow.
const JOURNAL: &[Code] = &[(404, "no_journal"), (503, "busy")];

/// Of a prediction that a path names.
const ONE: &[Code] = &[(404, "not_found")];

/// Of a page.
const PAGE: &[Code] = &[(400, "bad_cursor"), (422, "bad_field")];

/// Of what readers say.
const LABEL: &[Code] = &[(409, "key_reused"), (422, "bad_label"), (422, "no_such_beat")];

fn idempotency_key() -> Value {
    parameters::header(
        "Idempotency-Key",
        "The same key with the same content again is no new label.",
        &json!({"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}),
        &json!("a1"),
    )
}

fn binary() -> Value {
    json!({"type": "string", "format": "binary"})
}

pub(super) fn operations() -> Vec<Operation> {
    let op = |method, path, id, summary| {
        operation("predictions", method, path, id, summary)
            .problems(JOURNAL)
            .problems(HEADERS)
    };
    let list = |path, id, summary| {
        op(Method::GET, path, id, summary)
            .query::<Wanted>(json!({"model": "heartbeat", "limit": 50}))
            .parameter(parameters::subject())
            .problems(PAGE)
    };
    vec![
        op(
            Method::GET,
            "/v1/journal",
            "get_journal",
            "Says what is remembered of answers",
        )
        .answers::<JournalOut>(200, "Its settings, and what became of everything that was answered."),
        list("/v1/predictions", "list_predictions", "Lists what was answered")
            .answers::<PredictionList>(200, "Predictions, newest first."),
        list(
            "/v1/predictions/export",
            "export_predictions",
            "Gives what was answered as a table",
        )
        .answers_raw(200, "A row for each beat.", "text/csv", json!({"type": "string"}))
        .answers_raw(200, "A row for each beat.", "application/vnd.apache.parquet", binary())
        .with(&["Content-Disposition"])
        .problems(&[(422, "no_export")]),
        op(
            Method::GET,
            "/v1/predictions/{id}",
            "get_prediction",
            "Gives an answer with its beats and what was said about them",
        )
        .answers::<Whole>(200, "The prediction.")
        .problems(ONE),
        op(
            Method::GET,
            "/v1/predictions/{id}/labels",
            "list_labels",
            "Lists what readers say about an answer",
        )
        .answers::<LabelList>(
            200,
            "Labels in the order in which they came, what holds, and how far readers agree.",
        )
        .problems(ONE),
        op(
            Method::POST,
            "/v1/predictions/{id}/labels",
            "create_label",
            "Says what beats should have been",
        )
        .description("As marks, or as a file of reference beats (`.atr`). The reader is who the credential says.")
        .query::<About>(json!({"mapping": "aami-dechazal"}))
        .parameter(idempotency_key())
        .body::<Said<Mark>>(json!({"why": "wide QRS", "marks": [{"at": 77, "is": "class", "class": "V"}]}))
        .raw_body("application/octet-stream", binary())
        .answers::<labels::Taken>(201, "What is new.")
        .answers::<labels::Taken>(200, "Nothing was new.")
        .problems(ONE)
        .problems(LABEL)
        .problems(&[(422, "bad_annotations"), (422, "bad_field")]),
        op(
            Method::GET,
            "/v1/predictions/{id}/signal",
            "get_prediction_signal",
            "Gives the signal that an answer was about, where the recording is kept",
        )
        .query::<Span>(json!({"lead": "MLII", "from": 0.0, "to": 10.0, "points": 2000}))
        .answers::<Points>(200, "Points in mV; with enough of them, the samples.")
        .problems(ONE)
        .problems(&[(404, "no_such_lead"), (404, "not_kept"), (422, "bad_field")]),
        op(
            Method::POST,
            "/v1/predictions/{id}/replay",
            "replay_prediction",
            "Makes an answer again and compares it byte for byte",
        )
        .answers::<Replayed>(200, "Whether it is the same.")
        .problems(ONE)
        .problems(&[(404, "not_kept"), (503, "file_corrupt"), (503, "not_loaded")]),
        op(
            Method::POST,
            "/v1/labels",
            "create_labels",
            "Says what beats of several answers should have been",
        )
        .description("All are taken or none.")
        .parameter(idempotency_key())
        .body::<Said<Placed>>(json!({"marks": [
            {"prediction": "01938f6e-7a3b-7c10-8d55-0d3c2b1a0f9e", "at": 77, "is": "class", "class": "V"},
        ]}))
        .answers::<at_once::Taken>(201, "What is new.")
        .answers::<at_once::Taken>(200, "Nothing was new.")
        .problems(ONE)
        .problems(LABEL)
        .problems(&[(422, "bad_field")]),
        list("/v1/labels/agreement", "get_agreement", "Says how far readers agree")
            .answers::<Agreed>(200, "Kappa of each pair, and of all."),
        list(
            "/v1/labels/export",
            "export_labels",
            "Gives labelled beats for training",
        )
        .answers_raw(200, "A row for each beat.", "text/csv", json!({"type": "string"}))
        .answers_raw(200, "A row for each beat.", "application/vnd.apache.parquet", binary())
        .answers_raw(200, "Records with annotations.", "application/x-tar", binary())
        .with(&["Content-Disposition"])
        .problems(&[(422, "no_export")]),
        list(
            "/v1/misclassified",
            "list_misclassified",
            "Lists beats whose truth is another than what was answered",
        )
        .answers::<MisclassifiedList>(200, "Beats, newest first.")
        .problems(&[(422, "missing_field")]),
        list(
            "/v1/misclassified/clusters",
            "list_clusters",
            "Lists misclassified beats by shape",
        )
        .answers::<ClusterList>(200, "Clusters, the largest first.")
        .problems(&[(422, "missing_field")]),
        op(
            Method::DELETE,
            "/v1/subjects/{pseudonym}",
            "delete_subject",
            "Erases everything about a person",
        )
        .description(
            "Entries, labels and recordings of the journal, jobs with their results, recordings that are shown, sessions of live samples. What is under way about them ends first. Servers that share a database and a master key erase together, and the answer counts what all of them had.",
        )
        .answers::<Erased>(200, "What is gone."),
    ]
}
