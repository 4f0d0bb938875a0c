//! Makes the operations and types of the client from the server's document (its 3.0 edition, which progenitor reads).
//!
//! progenitor takes one kind of body, one kind of answer and one kind of refusal for an operation, so the document is made so
//! before. What is left out here, `src/` does by hand.

use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

const DOCUMENT: &str = "openapi-3.0.json";

/// Redirects for a browser, a stream of events, a WebSocket, and what MLflow sends.
const LEFT_OUT: [&str; 6] = [
    "redeem_link",
    "start_oidc",
    "finish_oidc",
    "get_events",
    "open_stream",
    "receive_webhook",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={DOCUMENT}");
    println!("cargo:rerun-if-changed=build.rs");
    let mut document: Value = serde_json::from_slice(&fs::read(DOCUMENT)?)?;
    unbound(&mut document);
    let responses = document["components"]["responses"].clone();
    let mut lists = String::new();
    if let Some(paths) = document["paths"].as_object_mut() {
        for item in paths.values_mut().filter_map(Value::as_object_mut) {
            item.retain(|_, operation| !LEFT_OUT.iter().any(|id| operation["operationId"] == *id));
            for operation in item.values_mut() {
                simplify(operation, &responses);
            }
        }
        paths.retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
    }
    for operation in document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, item)| item.get("get"))
    {
        lists.extend(pages(operation, &document["components"]["schemas"]));
    }
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_hooks(HooksMode::Expected)
        .with_inner_type("crate::sending::Sending".parse()?);
    let operations = Generator::new(&settings).generate_tokens(&serde_json::from_value(document)?)?;
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(folder.join("generated.rs"), operations.to_string())?;
    fs::write(folder.join("lists.rs"), lists)?;
    Ok(())
}

/// Texts as they come: their bounds are the server's to judge, and times stay as RFC 3339 has them. What is left out is left
/// out, whatever the server takes it for.
fn unbound(value: &mut Value) {
    match value {
        Value::Object(schema) => {
            if ["type", "allOf"].iter().any(|word| schema.contains_key(*word)) {
                schema.remove("default");
            }
            // Shapes that a word tells apart are called by it.
            for shape in schema
                .get_mut("oneOf")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                let properties = shape["properties"].as_object().into_iter().flatten();
                let mut words = properties.filter_map(|(_, word)| match word["enum"].as_array()?.as_slice() {
                    [word] => word.as_str(),
                    _ => None,
                });
                if let Some(word) = words.next().map(str::to_owned) {
                    shape["title"] = word.into();
                }
            }
            // What stands at which place of an array, that edition cannot say.
            if schema.get("items").is_some_and(Value::is_array) {
                schema.insert("items".to_owned(), json!({}));
            }
            // Something or null, as progenitor knows it.
            if let Some(choices) = schema.get("anyOf").and_then(Value::as_array)
                && let [some, null] = choices.as_slice()
                && null["enum"] == json!([null])
            {
                let some = json!([some]);
                schema.remove("anyOf");
                schema.insert("allOf".to_owned(), some);
                schema.insert("nullable".to_owned(), true.into());
            }
            if schema.get("type").is_some_and(|kind| kind == "string") {
                for bound in ["pattern", "minLength", "maxLength"] {
                    schema.remove(bound);
                }
                schema.retain(|word, format| word != "format" || *format == "binary");
            }
            schema.values_mut().for_each(unbound);
        }
        Value::Array(values) => values.iter_mut().for_each(unbound),
        _ => {}
    }
}

/// One body, one answer, one refusal, one parameter of a name.
fn simplify(operation: &mut Value, responses: &Value) {
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        let mut names = Vec::new();
        // Those of the path come first.
        parameters.retain_mut(|parameter| {
            // A cursor is what the page before says, whatever it is made of.
            if parameter["name"] == "cursor" {
                parameter["schema"] = json!({"type": "string"});
            }
            let new = !names.contains(&parameter["name"]);
            names.push(parameter["name"].clone());
            new
        });
    }
    if let Some(content) = operation
        .pointer_mut("/requestBody/content")
        .and_then(Value::as_object_mut)
    {
        one(content);
    }
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    let mut successes = Vec::new();
    for (status, answer) in answers.iter_mut() {
        if let Some(name) = answer["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
            *answer = responses[name].clone();
        }
        if let Some(content) = answer.get_mut("content").and_then(Value::as_object_mut) {
            if let Some(problem) = content.remove("application/problem+json") {
                content.insert("application/json".to_owned(), problem);
            }
            one(content);
            if status.starts_with('2') {
                successes.extend(content.values().map(|media| media["schema"].clone()));
            }
        }
    }
    successes.dedup();
    // Where success has several shapes, the answer is one of them.
    if successes.len() > 1 {
        for (_, answer) in answers.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            answer["content"] = json!({"application/json": {"schema": {"anyOf": successes}}});
        }
    }
}

/// JSON where that is spoken, else bytes.
fn one(content: &mut Map<String, Value>) {
    let json = content.remove("application/json");
    if json.is_none() && content.is_empty() {
        return;
    }
    content.clear();
    match json {
        Some(media) => content.insert("application/json".to_owned(), media),
        None => content.insert(
            "application/octet-stream".to_owned(),
            json!({"schema": {"type": "string", "format": "binary"}}),
        ),
    };
}

/// That a list comes in pages, where it does.
fn pages(operation: &Value, schemas: &Value) -> Option<String> {
    operation["parameters"]
        .as_array()?
        .iter()
        .find(|parameter| parameter["name"] == "cursor")?;
    let last = |reference: &Value| reference["$ref"].as_str()?.rsplit('/').next().map(str::to_owned);
    let page = last(&operation["responses"]["200"]["content"]["application/json"]["schema"])?;
    let item = last(&schemas[&page]["properties"]["items"]["items"])?;
    let call: String = operation["operationId"]
        .as_str()?
        .split('_')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect();
    Some(format!(
        "impl Paged for builder::{call}<'_> {{
            type Item = types::{item};
            fn after(self, cursor: String) -> Self {{
                self.cursor(cursor)
            }}
            async fn page(self) -> Result<(Vec<Self::Item>, Option<String>), Failure> {{
                let page = self.send().await?.into_inner();
                Ok((page.items, page.next.map(|next| next.to_string())))
            }}
        }}\n"
    ))
}
