//! Versions of a model.

use super::operation::{Operation, operation};
use super::parameters::{NAME, in_query};
use super::problems::{CLASSIFYING, LOADING, ONBOARDING, READING, UPLOAD, VERSION};
use crate::http::evaluations::{Evaluated, Measuring};
use crate::http::models::{List, Reason};
use crate::http::version_upload::ByDigest;
use crate::http::versions::{Verification, VersionOut};
use axum::http::Method;
use einthoven_registry_state::Version;
use serde_json::{Value, json};

/// The form of a version: its files, and fields of its manifest.
fn version_form() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"},
                "description": "The network with its other files, or a zip or tar of them.",
            },
            "version": text("A name for it; else the manifest's, else the next number."),
            "reason": text("Why it is brought in."),
            "wait_s": text("Seconds to wait for the verdict, up to 120."),
        },
        // Fields of the manifest, such as `recipe` and `labels`.
        "additionalProperties": {"type": "string"},
    })
}

/// The form of a frozen set.
fn set_form() -> Value {
    json!({
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"},
                "description": "WFDB records with `.atr` files of reference beats, or a zip or tar of them.",
            },
        },
    })
}

pub(super) fn operations() -> Vec<Operation> {
    const ONE: &str = "/v1/models/{model}/versions/{version}";
    let version = |method, path, id, summary| operation("versions", method, path, id, summary).problems(VERSION);
    vec![
        operation(
            "versions",
            Method::GET,
            "/v1/models/{model}/versions",
            "list_versions",
            "Lists the versions of a model",
        )
        .answers::<List<Version>>(200, "Versions, newest first.")
        .problems(&[(404, "no_such_model")]),
        operation(
            "versions",
            Method::POST,
            "/v1/models/{model}/versions",
            "create_version",
            "Brings a version in",
        )
        .description(
            "The network and its files as a form, as the raw body with `name`, or by the digests of files that are here. What the \
             files do not tell is asked for: the problem `incomplete_manifest` names the fields and holds the `draft`.",
        )
        .parameter(in_query("name", "Name of a file sent as the raw body.", &json!({"type": "string"}), &json!("model.onnx")))
        .parameter(in_query(
            "version",
            "A name for it; else the manifest's, else the next number.",
            &json!({"type": "string", "pattern": NAME, "maxLength": 64}),
            &json!("2.0.0"),
        ))
        .parameter(in_query("reason", "Why it is brought in.", &json!({"type": "string", "maxLength": 500}), &json!("retrained")))
        .parameter(in_query(
            "wait_s",
            "Seconds to wait for the verdict, up to 120.",
            &json!({"type": "integer", "minimum": 0}),
            &json!(60),
        ))
        .raw_body("multipart/form-data", version_form())
        .raw_body("application/octet-stream", json!({"type": "string", "format": "binary"}))
        .body::<ByDigest>(json!({
            "files": [{"name": "model.onnx", "sha256": format!("sha256:{}", "0".repeat(64))}],
            "manifest": {"recipe": "beat-rr-v1", "labels": ["N", "S", "V", "F"]},
            "version": "2.0.0", "wait_s": 60,
        }))
        .answers::<VersionOut>(201, "The version with its verdict.")
        .with(&["Location", "ETag"])
        .answers::<VersionOut>(202, "The version, which is being tried: `Location` says where to look.")
        .with(&["Location", "ETag"])
        .change()
        .problems(ONBOARDING),
        version(Method::GET, ONE, "get_version", "Gives a version with its manifest")
            .answers::<VersionOut>(200, "The version.")
            .with(&["ETag"])
            .problems(&[(503, "file_corrupt")]),
        version(Method::DELETE, ONE, "delete_version", "Forgets a version that nothing points at")
            .query::<Reason>(json!({"reason": "superseded"}))
            .answers_nothing(204, "It is gone.")
            .change()
            .problems(&[(409, "pointed_at"), (409, "wrong_state")]),
        version(
            Method::POST,
            "/v1/models/{model}/versions/{version}/retire",
            "retire_version",
            "Lets a version serve no more",
        )
        .body::<Reason>(json!({"reason": "trained on wrong labels"}))
        .body_may_be_left_out()
        .answers::<VersionOut>(200, "The version.")
        .with(&["ETag"])
        .change()
        .problems(&[(409, "pointed_at"), (409, "wrong_state"), (503, "file_corrupt")]),
        version(
            Method::POST,
            "/v1/models/{model}/versions/{version}/evaluations/{set}",
            "create_evaluation",
            "Measures a version on recordings with reference beats",
        )
        .query::<Measuring>(json!({"name": "holdout.zip", "leaks": "flag"}))
        .raw_body("multipart/form-data", set_form())
        .raw_body("application/octet-stream", json!({"type": "string", "format": "binary"}))
        .answers::<Evaluated>(201, "The measures, as the registry keeps them and in full.")
        .change()
        .problems(UPLOAD)
        .problems(READING)
        .problems(LOADING)
        .problems(CLASSIFYING)
        .problems(&[(409, "wrong_state"), (422, "leak"), (422, "not_a_set")]),
        version(
            Method::GET,
            "/v1/models/{model}/versions/{version}/verification",
            "get_verification",
            "Says how far a version has come, and what each engine made of it",
        )
        .answers::<Verification>(200, "The verdict.")
        .problems(&[(503, "file_corrupt")]),
        version(
            Method::GET,
            "/v1/models/{model}/versions/{version}/files/{*name}",
            "get_file",
            "Gives a file of a version, as it came",
        )
        .answers_raw(
            200,
            "The file.",
            "application/octet-stream",
            json!({"type": "string", "format": "binary"}),
        )
        .with(&["ETag"])
        .problems(&[(404, "not_found"), (503, "file_corrupt")]),
    ]
}
