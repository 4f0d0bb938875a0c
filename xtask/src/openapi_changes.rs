//! What of a newer OpenAPI document would break clients that were made from an older one.
//!
//! What is sent may become more, what is answered may become more; neither may lose anything. A new word in a list of words that is
//! answered counts as more: clients must take words that they do not know.

use serde_json::Value;
use std::collections::BTreeSet;

/// Which way something goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Sent,
    Answered,
}

struct Comparison<'a> {
    older: &'a Value,
    newer: &'a Value,
    findings: Vec<String>,
    /// Pairs of named schemas that were compared already, which may hold themselves.
    seen: BTreeSet<(String, String, Way)>,
}

/// Everything that would break, each with its place.
pub(crate) fn breaking(older: &Value, newer: &Value) -> Vec<String> {
    let mut comparison = Comparison {
        older,
        newer,
        findings: Vec::new(),
        seen: BTreeSet::new(),
    };
    for (path, methods) in fields(&older["paths"]) {
        for (method, before) in fields(methods) {
            let place = format!("{} {path}", method.to_uppercase());
            match newer["paths"][path].get(method) {
                Some(after) => comparison.operation(&place, before, after),
                None => comparison.find(&place, "is gone"),
            }
        }
    }
    comparison.findings
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The types of a schema; none where any goes.
fn types(schema: &Value) -> BTreeSet<&str> {
    let one = schema["type"].as_str().into_iter();
    one.chain(items(&schema["type"]).iter().filter_map(Value::as_str))
        .collect()
}

impl Comparison<'_> {
    fn find(&mut self, place: &str, what: impl std::fmt::Display) {
        self.findings.push(format!("{place}: {what}"));
    }

    fn operation(&mut self, place: &str, before: &Value, after: &Value) {
        for name in ["operationId", "x-scope"] {
            if before[name] != after[name] {
                self.find(place, format_args!("`{name}` was {}, is {}", before[name], after[name]));
            }
        }
        self.parameters(place, before, after);
        let (body, other) = (&before["requestBody"], &after["requestBody"]);
        if body["required"] != true && other["required"] == true {
            self.find(place, "needs a body now");
        }
        self.contents(place, body, other, Way::Sent);
        for (status, answer) in fields(&before["responses"]).filter(|(status, _)| status.starts_with('2')) {
            match after["responses"].get(status) {
                None => self.find(place, format_args!("does not answer {status} any more")),
                Some(other) => self.contents(&format!("{place} {status}"), answer, other, Way::Answered),
            }
        }
    }

    fn parameters(&mut self, place: &str, before: &Value, after: &Value) {
        let same = |a: &Value, b: &Value| a["name"] == b["name"] && a["in"] == b["in"];
        for parameter in items(&before["parameters"]) {
            let name = parameter["name"].as_str().unwrap_or_default();
            match items(&after["parameters"]).iter().find(|other| same(parameter, other)) {
                None => self.find(place, format_args!("the parameter `{name}` is gone")),
                Some(other) => {
                    if parameter["required"] != true && other["required"] == true {
                        self.find(place, format_args!("the parameter `{name}` is required now"));
                    }
                    let place = format!("{place} {name}");
                    self.schema(&place, &parameter["schema"], &other["schema"], Way::Sent);
                }
            }
        }
        for parameter in items(&after["parameters"]) {
            let known = items(&before["parameters"]).iter().any(|other| same(parameter, other));
            if !known && parameter["required"] == true {
                self.find(
                    place,
                    format_args!("the parameter {} is new and required", parameter["name"]),
                );
            }
        }
    }

    fn contents(&mut self, place: &str, before: &Value, after: &Value, way: Way) {
        for (kind, content) in fields(&before["content"]) {
            match after["content"].get(kind) {
                None => self.find(place, format_args!("{kind} is gone")),
                Some(other) => self.schema(&format!("{place} {kind}"), &content["schema"], &other["schema"], way),
            }
        }
    }

    fn schema(&mut self, place: &str, before: &Value, after: &Value, way: Way) {
        if before == after && before["$ref"].is_null() {
            return;
        }
        if let (Some(a), Some(b)) = (before["$ref"].as_str(), after["$ref"].as_str())
            && !self.seen.insert((a.to_owned(), b.to_owned(), way))
        {
            return;
        }
        let (older, newer) = (self.older, self.newer);
        let before = resolved(older, before);
        let after = resolved(newer, after);
        let (had, has) = (types(before), types(after));
        let lost = match way {
            Way::Sent => !has.is_empty() && (had.is_empty() || !had.is_subset(&has)),
            Way::Answered => !had.is_empty() && (has.is_empty() || !has.is_subset(&had)),
        };
        if lost {
            self.find(place, format_args!("the type was {had:?}, is {has:?}"));
        }
        self.words(place, before, after, way);
        self.properties(place, before, after, way);
        for name in ["items", "additionalProperties"] {
            if before[name].is_object() && after[name].is_object() {
                self.schema(&format!("{place}/{name}"), &before[name], &after[name], way);
            }
        }
        for name in ["anyOf", "oneOf", "allOf"] {
            let (before, after) = (items(&before[name]), items(&after[name]));
            // What may be sent in more ways, or is answered in fewer, breaks nobody; the ways are compared in their order.
            let fewer = way == Way::Sent && after.len() < before.len();
            let more = way == Way::Answered && after.len() > before.len() && !before.is_empty();
            if fewer || more {
                self.find(
                    place,
                    format_args!("{name} had {} ways, has {}", before.len(), after.len()),
                );
            }
            for (number, (before, after)) in before.iter().zip(after).enumerate() {
                self.schema(&format!("{place}/{name}/{number}"), before, after, way);
            }
        }
    }

    fn words(&mut self, place: &str, before: &Value, after: &Value, way: Way) {
        if way == Way::Sent && after["enum"].is_array() {
            let gone = items(&before["enum"])
                .iter()
                .filter(|word| !items(&after["enum"]).contains(word));
            let gone: Vec<_> = gone.map(Value::to_string).collect();
            if !gone.is_empty() || !before["enum"].is_array() {
                self.find(
                    place,
                    format_args!("not every word is taken any more: {}", gone.join(", ")),
                );
            }
        }
    }

    fn properties(&mut self, place: &str, before: &Value, after: &Value, way: Way) {
        let requires =
            |schema: &Value, name: &String| items(&schema["required"]).iter().any(|required| required == name);
        for (name, property) in fields(&before["properties"]) {
            let place = format!("{place}/{name}");
            match after["properties"].get(name) {
                None => self.find(&place, "is gone"),
                Some(other) => self.schema(&place, property, other, way),
            }
            let (was, is) = (requires(before, name), requires(after, name));
            if way == Way::Sent && is && !was {
                self.find(&place, "is required now");
            }
            if way == Way::Answered && was && !is {
                self.find(&place, "may be missing now");
            }
        }
        if way == Way::Sent {
            let known = |name: &String| before["properties"].get(name).is_some();
            let new = fields(&after["properties"]).filter(|(name, _)| !known(name) && requires(after, name));
            for (name, _) in new {
                self.find(&format!("{place}/{name}"), "is new and required");
            }
        }
    }
}

/// What a reference leads to, in its own document.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema["$ref"]
        .as_str()
        .and_then(|to| document.pointer(to.strip_prefix('#')?));
    target.unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "paths": {"/v1/things": {"post": {
                "operationId": "create_thing", "x-scope": "predict",
                "parameters": [{"name": "limit", "in": "query", "required": false, "schema": {"type": "integer"}}],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/s/Given"}}}},
                "responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/s/Thing"}}}}, "422": {}},
            }}},
            "s": {
                "Given": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "string"}}},
                "Thing": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "again": {"$ref": "#/s/Thing"}}},
            },
        })
    }

    fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut newer = document();
        change(&mut newer);
        breaking(&document(), &newer)
    }

    #[test]
    fn what_adds_breaks_nothing() {
        let findings = after(|newer| {
            newer["paths"]["/v1/more"] = json!({"get": {}});
            newer["s"]["Given"]["properties"]["c"] = json!({"type": "string"});
            newer["s"]["Given"]["properties"]["a"]["enum"] = json!(["x", "y", "z"]);
            newer["s"]["Thing"]["properties"]["more"] = json!({"type": "string"});
            newer["paths"]["/v1/things"]["post"]["responses"]["202"] = json!({});
        });
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn what_takes_away_is_found() {
        type Change = fn(&mut Value);
        let cases: [(Change, &str); 10] = [
            (|d| d["paths"] = json!({}), "is gone"),
            (
                |d| d["paths"]["/v1/things"]["post"]["x-scope"] = "admin".into(),
                "x-scope",
            ),
            (
                |d| d["paths"]["/v1/things"]["post"]["parameters"] = json!([]),
                "`limit` is gone",
            ),
            (
                |d| d["paths"]["/v1/things"]["post"]["parameters"][0]["required"] = true.into(),
                "required now",
            ),
            (|d| d["s"]["Given"]["required"] = json!(["a", "b"]), "required now"),
            (|d| d["s"]["Given"]["properties"]["a"]["enum"] = json!(["x"]), "\"y\""),
            (
                |d| d["s"]["Given"]["properties"] = json!({"a": {"type": "string", "enum": ["x", "y"]}}),
                "/b: is gone",
            ),
            (|d| d["s"]["Thing"]["required"] = json!([]), "may be missing"),
            (
                |d| d["s"]["Thing"]["properties"]["id"]["type"] = json!(["string", "null"]),
                "the type was",
            ),
            (
                |d| d["paths"]["/v1/things"]["post"]["responses"] = json!({"200": {}}),
                "does not answer 201",
            ),
        ];
        for (change, said) in cases {
            let findings = after(change);
            assert!(
                findings.iter().any(|finding| finding.contains(said)),
                "{said}: {findings:?}"
            );
        }
    }
}
