//! The interface as an OpenAPI document. Paths, methods and scopes come from the table of routes, shapes from the types that
//! handlers read and write; only words stand here, one file for each resource.
//!
//! Whoever adds a route adds its [`Operation`] to the file of its resource: a test names every route without one.

mod access;
mod auth;
mod classify;
mod experiments;
mod inference;
mod jobs;
mod links;
mod models;
mod operation;
mod parameters;
mod predictions;
mod problems;
mod recordings;
mod schemas;
mod serve;
mod sources;
mod system;
mod versions;

use super::access::{Access, Row};
use operation::Operation;
use schemas::Schemas;
use serde_json::{Value, json};
pub(crate) use serve::{get_document, get_document_3_0};
use std::collections::BTreeMap;

/// Which edition of OpenAPI a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edition {
    /// 3.1, whose schemas are JSON Schema.
    V31,
    /// 3.0, for tools that read no other.
    V30,
}

/// The groups of operations, in the order in which they are shown.
const TAGS: [(&str, &str); 13] = [
    ("classify", "Recordings in, heartbeats out."),
    ("jobs", "Long work that is not waited for."),
    ("recordings", "Recordings that are kept for looking at."),
    ("models", "Names that clients use, and what answers under them."),
    ("versions", "What a model was, is, and may become."),
    ("predictions", "What was answered, and what is said about it later."),
    ("experiments", "Versions compared on the same people."),
    ("sources", "MLflow servers that versions are pulled from."),
    ("inference", "The Open Inference Protocol, and MLflow's scoring."),
    ("auth", "Signing in, and tokens for programs."),
    ("access", "Keys, users, and others who say who somebody is."),
    ("audit", "Every change: what, when, by whom, why."),
    ("system", "Health, engines, metrics."),
];

/// Words of every operation.
fn operations() -> Vec<Operation> {
    [
        classify::operations(),
        jobs::operations(),
        recordings::operations(),
        models::operations(),
        versions::operations(),
        predictions::operations(),
        experiments::operations(),
        sources::operations(),
        inference::operations(),
        auth::operations(),
        access::operations(),
        system::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a route is none of the interface that is described: files of the page, gRPC, and the paths of the Open Inference
/// Protocol a second time with a slash at their end.
fn is_beside(path: &str) -> bool {
    path.ends_with('/')
        || path.starts_with("/assets/")
        || path.starts_with("/docs")
        || path.starts_with("/inference.")
        || path.starts_with("/grpc.")
}

/// A path as OpenAPI writes it: without the star of a parameter that takes the rest.
fn written(path: &str) -> String {
    path.replace("{*", "{")
}

/// The document of these routes.
pub(crate) fn document(rows: impl Iterator<Item = Row>, edition: Edition) -> Value {
    let mut words: BTreeMap<(String, &str), Operation> = operations()
        .into_iter()
        .map(|operation| ((operation.method.to_string(), operation.path), operation))
        .collect();
    let mut schemas = Schemas::new(edition);
    let mut paths = serde_json::Map::new();
    for row in rows.filter(|row| !is_beside(row.path)) {
        let Some(operation) = words.remove(&(row.method.to_string(), row.path)) else {
            continue;
        };
        let written = operation.written(row.access, &mut schemas);
        let path = paths.entry(self::written(row.path)).or_insert_with(|| json!({}));
        path[row.method.as_str().to_lowercase()] = written;
    }
    links::write(&mut paths);
    let version = match edition {
        Edition::V31 => "3.1.0",
        Edition::V30 => "3.0.3",
    };
    let mut license = json!({"name": "Apache-2.0"});
    match edition {
        Edition::V31 => license["identifier"] = "Apache-2.0".into(),
        Edition::V30 => license["url"] = "https://www.apache.org/licenses/LICENSE-2.0".into(),
    }
    let mut document = json!({
        "openapi": version,
        "info": {
            "title": "Einthoven",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Every heartbeat in an ECG recording found, classified and shown.",
            "description": INTRODUCTION,
            "license": license,
        },
        "servers": [{"url": "/", "description": "The server that this document came from."}],
        "tags": TAGS.map(|(name, description)| json!({"name": name, "description": description})),
        "paths": paths,
        "components": {
            "schemas": {},
            "headers": operation::headers(),
            "securitySchemes": security_schemes(),
        },
    });
    if edition == Edition::V30
        && let Some(info) = document["info"].as_object_mut()
    {
        info.remove("summary");
    }
    schemas.finish(&mut document);
    document
}

const INTRODUCTION: &str = "Research use only, not for diagnosis.\n\n\
    Send an API key in `X-Api-Key` or in `Authorization: Bearer`. What an operation asks of a key stands in its `x-scope`; \
    where `x-scope-for` is `model`, the scope must hold for the model of the path, where it is `some`, for at least one.\n\n\
    What goes wrong is told as `application/problem+json` (RFC 9457): a stable `type` for programs, `detail` for people, and the \
    fields in `errors`. `x-problems` lists the types of an answer. Times are RFC 3339 in UTC, digests are `sha256:` and 64 \
    hexadecimal digits. Lists give `next` where there is more: send it as `cursor`.";

fn security_schemes() -> Value {
    json!({
        "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "An API key."},
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a token of this server or of an issuer it knows."},
        "session": {
            "type": "apiKey", "in": "cookie", "name": "einthoven_session",
            "description": "The page's session. A change must bear the header `X-Einthoven-Page` too.",
        },
    })
}

/// `x-scope` and `x-scope-for` of what a route asks for.
fn scope(access: Access) -> Option<(&'static str, &'static str)> {
    match access {
        Access::Open | Access::SignedIn => None,
        Access::Needs(scope) => Some((scope.as_str(), "model")),
        Access::NeedsForSome(scope) => Some((scope.as_str(), "some")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn both() -> [Value; 2] {
        [Edition::V31, Edition::V30].map(|edition| document(super::super::table().rows(), edition))
    }

    /// Every operation with its path and method.
    fn each(document: &Value) -> Vec<(String, String, Value)> {
        let paths = document["paths"].as_object().unwrap();
        let methods = |(path, item): (&String, &Value)| {
            let methods = item.as_object().unwrap().clone();
            let path = path.clone();
            methods
                .into_iter()
                .map(move |(method, operation)| (path.clone(), method.to_uppercase(), operation))
        };
        paths.iter().flat_map(methods).collect()
    }

    #[test]
    fn every_route_is_described_and_nothing_else_with_the_scope_that_the_table_has() {
        let table = super::super::table();
        let routes: BTreeSet<_> = table
            .rows()
            .filter(|row| !is_beside(row.path))
            .map(|row| format!("{} {} {:?}", row.method, written(row.path), scope(row.access)))
            .collect();
        for document in both() {
            let described: BTreeSet<_> = each(&document)
                .into_iter()
                .map(|(path, method, operation)| {
                    let word = |name: &str| operation[name].as_str().map(str::to_owned);
                    let scope = word("x-scope").map(|scope| {
                        let of = word("x-scope-for").unwrap();
                        (scope, if of == "all" { "model".to_owned() } else { of })
                    });
                    format!("{method} {path} {scope:?}")
                })
                .collect();
            let missing: Vec<_> = routes.difference(&described).collect();
            let extra: Vec<_> = described.difference(&routes).collect();
            assert!(
                missing.is_empty() && extra.is_empty(),
                "not described: {missing:#?}; no routes: {extra:#?}"
            );
        }
        let words = operations();
        assert_eq!(
            words.len(),
            routes.len(),
            "an operation is described twice, or is of no route"
        );
    }

    #[test]
    fn every_operation_has_an_id_of_verb_and_resource_a_summary_a_tag_and_answers() {
        let [document, _] = both();
        let mut ids = BTreeSet::new();
        for (path, method, operation) in each(&document) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert!(
                id.contains('_')
                    && id
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                "{method} {path}: {id}"
            );
            assert!(operation["summary"].as_str().unwrap().len() > 5, "{id}");
            let tag = operation["tags"][0].as_str().unwrap();
            assert!(TAGS.iter().any(|(name, _)| *name == tag), "{id}: {tag}");
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with(['1', '2', '3'])), "{id}");
            for (status, answer) in answers.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
                let types = answer["x-problems"].as_array().unwrap();
                assert!(!types.is_empty(), "{id} {status}");
                let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{id} {status}");
            }
            for parameter in operation["parameters"].as_array().unwrap() {
                let said = parameter["description"].as_str();
                assert!(said.is_some_and(|said| said.len() > 5), "{id}: {}", parameter["name"]);
            }
            let named: Vec<_> = operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| &p["name"])
                .collect();
            for (index, name) in named.iter().enumerate() {
                // Clients have one argument for each.
                assert!(!named[..index].contains(name), "{id}: {name} twice, in path and query");
            }
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')) {
                let name = part.trim_end_matches('}');
                let named = |parameter: &&Value| parameter["name"] == name && parameter["in"] == "path";
                assert!(
                    operation["parameters"].as_array().unwrap().iter().any(|p| named(&p)),
                    "{id}: {name}"
                );
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_used() {
        fn references(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(to)) = fields.get("$ref") {
                        found.insert(to.clone());
                    }
                    fields.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        for document in both() {
            let mut found = BTreeSet::new();
            references(&document, &mut found);
            for to in &found {
                assert!(document.pointer(&to[1..]).is_some(), "{to}");
            }
            for name in document["components"]["schemas"].as_object().unwrap().keys() {
                assert!(
                    found.contains(&format!("#/components/schemas/{name}")),
                    "{name} is used nowhere"
                );
                // Two types of one name would be told apart by numbers, which say nothing and move.
                assert!(
                    !name.ends_with(|c: char| c.is_ascii_digit()),
                    "{name}: give one of the two another name"
                );
            }
        }
    }

    #[test]
    fn the_older_edition_holds_nothing_that_it_does_not_know() {
        fn look(value: &Value, at: &str) {
            match value {
                Value::Object(fields) => {
                    for (name, value) in fields {
                        let unknown = [
                            "const",
                            "prefixItems",
                            "patternProperties",
                            "unevaluatedProperties",
                            "propertyNames",
                        ];
                        assert!(
                            !unknown.contains(&name.as_str()) || at.ends_with("properties"),
                            "{at}/{name}"
                        );
                        if name == "type" && !at.ends_with("properties") {
                            assert!(value.is_string() && value != "null", "{at}: {value}");
                        }
                        if name == "items" && !at.ends_with("properties") {
                            assert!(value.is_object(), "{at}: a list has one schema for all its items");
                        }
                        look(value, &format!("{at}/{name}"));
                    }
                }
                Value::Array(items) => items.iter().for_each(|value| look(value, at)),
                _ => {}
            }
        }
        let [_, older] = both();
        look(&older["components"]["schemas"], "schemas");
        look(&older["paths"], "paths");
    }
}
