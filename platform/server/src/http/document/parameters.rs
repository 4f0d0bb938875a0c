//! Parameters in paths and headers, each described once.

use serde_json::{Value, json};

/// What names are made of.
pub(super) const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._-]*$";

/// What is known of a parameter of a path: its description, an example, and whether it is a name.
fn in_path(path: &str, name: &str) -> (&'static str, &'static str, bool) {
    match name {
        "model" => ("The model's name.", "heartbeat", true),
        "version" if path.starts_with("/v2") => ("The version's name or number, or `@` and an alias.", "1.0.0", false),
        "version" => ("The version's name within its model.", "1.0.0", true),
        "alias" => ("A movable name for a version.", "staging", true),
        "set" => (
            "The name of a frozen set of recordings with reference beats.",
            "holdout",
            true,
        ),
        "source" => ("The name of an MLflow server here.", "mlflow", true),
        "issuer" => ("The name of an issuer here.", "hospital", true),
        "name" if path.starts_with("/v1/experiments") => ("The experiment's name.", "autumn", true),
        "name" if path.starts_with("/v1/users") => ("What somebody signs in as.", "ana", true),
        "name" if path.starts_with("/v1/issuers") => ("The name of an issuer here.", "hospital", true),
        "name" => (
            "A file of the version, as its list of files names it.",
            "manifest.json",
            false,
        ),
        "pseudonym" => (
            "The person, as entries of the journal show them.",
            "s_9f0c2f7a61b84d1e0a5b6c7d",
            false,
        ),
        "id" if path.starts_with("/v1/samples") => ("Which sample.", "normal-rhythm", false),
        "id" if path.starts_with("/v1/keys") => ("The part of the key that is shown.", "x7k2m9qa", false),
        _ => (
            "As it was given when it was made.",
            "01938f6e-7a3b-7c10-8d55-0d3c2b1a0f9e",
            false,
        ),
    }
}

/// The parameters of a path.
pub(super) fn of_path(path: &str) -> impl Iterator<Item = Value> {
    let names = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(move |name| {
        let name = name.trim_start_matches('*');
        let (description, example, is_name) = in_path(path, name);
        let mut schema = json!({"type": "string", "minLength": 1});
        if is_name {
            schema["pattern"] = NAME.into();
            schema["maxLength"] = if name == "model" { 128 } else { 64 }.into();
        }
        json!({
            "name": name, "in": "path", "required": true, "description": description, "schema": schema, "example": example,
        })
    })
}

/// The revision that a change is decided on.
pub(super) fn if_match() -> Value {
    json!({
        "name": "If-Match", "in": "header", "required": false,
        "description": "The `ETag` of what the change is decided on: refused where it is another by now.",
        "schema": {"type": "string", "pattern": "^(\\*|\"[0-9]{1,19}\")$"}, "example": "\"12\"",
    })
}

/// Whom a request is about.
pub(super) fn subject() -> Value {
    json!({
        "name": "X-Einthoven-Subject", "in": "header", "required": false,
        "description": "Whom the recording is of, as you call them: the same subject gets the same version while an experiment goes on.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[!-~]([ -~]*[!-~])?$"}, "example": "p-17",
    })
}

/// A header of a request.
pub(super) fn header(name: &str, description: &str, schema: &Value, example: &Value) -> Value {
    json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema, "example": example})
}

/// A parameter of the query, where no type reads it.
pub(super) fn in_query(name: &str, description: &str, schema: &Value, example: &Value) -> Value {
    json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema, "example": example})
}
