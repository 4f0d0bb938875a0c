//! Shapes of what is taken and given. A type that is read otherwise than written has two schemas: what is taken is then called
//! `...Input`.

use super::Edition;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, ReplaceBoolSchemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const HERE: &str = "#/components/schemas/";
/// Where what is taken is said to lie until its final name is known.
const TAKEN: &str = "#/taken/";

/// The shape of something, as a type has it.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    taken: bool,
    of: fn(&mut SchemaGenerator) -> Schema,
}

/// What is sent to us.
pub(super) fn taken<T: JsonSchema>() -> Shape {
    Shape {
        taken: true,
        of: SchemaGenerator::subschema_for::<T>,
    }
}

/// What we answer.
pub(super) fn given<T: JsonSchema>() -> Shape {
    Shape {
        taken: false,
        of: SchemaGenerator::subschema_for::<T>,
    }
}

/// A field of an object.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) schema: Value,
}

/// Collects all shapes of a document.
pub(super) struct Schemas {
    given: SchemaGenerator,
    taken: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new(edition: Edition) -> Self {
        let settings = |place: &'static str| {
            let settings = match edition {
                Edition::V31 => SchemaSettings::draft2020_12(),
                Edition::V30 => SchemaSettings::openapi3(),
            };
            let mut settings = settings.with(|settings| {
                settings.definitions_path = place.into();
                settings.meta_schema = None;
            });
            settings
                .transforms
                .insert(0, Box::new(RecursiveTransform(words_together)));
            // Generators of clients do not know that `true` is a schema.
            let mut bools = ReplaceBoolSchemas::default();
            bools.skip_additional_properties = true;
            settings.transforms.push(Box::new(bools));
            if edition == Edition::V30 {
                settings.transforms.push(Box::new(RecursiveTransform(null_with_type)));
                settings.transforms.push(Box::new(RecursiveTransform(list_of_any)));
            }
            settings
        };
        Self {
            given: settings("/components/schemas").for_serialize().into_generator(),
            taken: settings("/taken").for_deserialize().into_generator(),
        }
    }

    pub(super) fn of(&mut self, shape: Shape) -> Value {
        let generator = if shape.taken { &mut self.taken } else { &mut self.given };
        let mut schema = (shape.of)(generator);
        for transform in generator.transforms_mut() {
            transform.transform(&mut schema);
        }
        let mut schema = schema.to_value();
        if !shape.taken {
            open(&mut schema);
        }
        schema
    }

    /// The fields of an object that is sent in a query.
    pub(super) fn fields(&mut self, shape: Shape) -> Vec<Field> {
        let mut generator = SchemaSettings::clone(self.taken.settings())
            .with(|settings| settings.inline_subschemas = true)
            .into_generator();
        let mut schema = (shape.of)(&mut generator);
        for transform in generator.transforms_mut() {
            transform.transform(&mut schema);
        }
        let schema = schema.to_value();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let fields = schema["properties"].as_object().into_iter().flatten();
        let each = fields.map(|(name, schema)| Field {
            name: name.clone(),
            required: required.iter().any(|required| required == name),
            schema: not_null(schema.clone()),
        });
        each.collect()
    }

    /// Puts every definition into the document, under its final name.
    pub(super) fn finish(mut self, document: &mut Value) {
        let mut given = self.given.take_definitions(true);
        given.values_mut().for_each(open);
        let taken = self.taken.take_definitions(true);
        let other = read_otherwise(&given, &taken);
        let rename = |value: &mut Value| {
            refer(value, &|to| {
                let name = to.strip_prefix(TAKEN)?;
                let ending = if other.contains(name) { "Input" } else { "" };
                Some(format!("{HERE}{name}{ending}"))
            });
        };
        let mut all: Map<String, Value> = given;
        for (name, mut schema) in taken {
            rename(&mut schema);
            if other.contains(&name) {
                all.insert(format!("{name}Input"), schema);
            } else {
                all.entry(name).or_insert(schema);
            }
        }
        rename(&mut document["paths"]);
        let known = all.clone();
        all.values_mut().for_each(|schema| with_own_fields(schema, &known));
        let mut sorted: Vec<_> = all.into_iter().collect();
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        document["components"]["schemas"] = Value::Object(sorted.into_iter().collect());
    }
}

/// Names of types that are read otherwise than they are written, or hold such a type.
fn read_otherwise(given: &Map<String, Value>, taken: &Map<String, Value>) -> BTreeSet<String> {
    let mut other = BTreeSet::new();
    loop {
        let before = other.len();
        for (name, schema) in taken.iter().filter(|(name, _)| given.contains_key(*name)) {
            let mut schema = schema.clone();
            refer(&mut schema, &|to| {
                let name = to.strip_prefix(TAKEN)?;
                let place = if other.contains(name) { TAKEN } else { HERE };
                Some(format!("{place}{name}"))
            });
            if given.get(name) != Some(&schema) {
                other.insert(name.clone());
            }
        }
        if other.len() == before {
            return other;
        }
    }
}

/// Gives references another aim, where there is one.
fn refer(value: &mut Value, aim: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get_mut("$ref")
                && let Some(other) = aim(to)
            {
                *to = other;
            }
            fields.values_mut().for_each(|value| refer(value, aim));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| refer(value, aim)),
        _ => {}
    }
}

/// A reference with fields beside it as one object: generators of clients see the one or the others alone.
fn with_own_fields(value: &mut Value, known: &Map<String, Value>) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("properties")
                && let Some(other) = referred(fields, known)
            {
                fields.remove("$ref");
                if let (Some(own), Some(more)) = (fields["properties"].as_object_mut(), other["properties"].as_object())
                {
                    own.extend(more.clone());
                }
                let more = other["required"].as_array().cloned().unwrap_or_default();
                if let Some(Value::Array(required)) = fields.get_mut("required") {
                    required.extend(more);
                }
            }
            fields.values_mut().for_each(|value| with_own_fields(value, known));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| with_own_fields(value, known)),
        _ => {}
    }
}

/// The object with fields that a reference in it leads to.
fn referred<'a>(fields: &Map<String, Value>, known: &'a Map<String, Value>) -> Option<&'a Value> {
    let to = fields.get("$ref")?.as_str()?.strip_prefix(HERE)?;
    known.get(to).filter(|schema| schema["properties"].is_object())
}

/// Answers may gain fields; a client that refused them would break.
fn open(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["additionalProperties", "unevaluatedProperties"] {
                if fields.get(name) == Some(&Value::Bool(false)) {
                    fields.remove(name);
                }
            }
            fields.values_mut().for_each(open);
        }
        Value::Array(items) => items.iter_mut().for_each(open),
        _ => {}
    }
}

/// An enum of words as one list of them: its variants' meanings go into the description.
fn words_together(schema: &mut Schema) {
    let Some(variants) = schema.get("oneOf").and_then(Value::as_array) else {
        return;
    };
    let mut words = Vec::new();
    let mut meanings = Vec::new();
    for variant in variants {
        if variant["type"] != "string" {
            return;
        }
        match (&variant["const"], variant["enum"].as_array()) {
            (Value::String(word), None) => {
                words.push(Value::from(word.as_str()));
                let meaning = variant["description"]
                    .as_str()
                    .unwrap_or_default()
                    .trim_end_matches('.');
                meanings.push(format!("`{word}`: {meaning}"));
            }
            (_, Some(more)) => words.extend(more.iter().cloned()),
            _ => return,
        }
    }
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words.into());
    let before = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let said = format!("{before} {}.", meanings.join("; "));
    schema.insert("description".to_owned(), said.trim().into());
}

/// In 3.0 something may be null only beside a type.
fn null_with_type(schema: &mut Schema) {
    if schema.get("nullable").is_some() && schema.get("type").is_none() && schema.get("enum").is_some() {
        schema.insert("type".to_owned(), "string".into());
    }
}

/// 3.0 has no lists with a schema for each place: any of them in any place then, and as many as there are places.
fn list_of_any(schema: &mut Schema) {
    let places = ["prefixItems", "items"].map(|name| schema.get(name).and_then(Value::as_array).cloned());
    let Some(places) = places.into_iter().flatten().next() else {
        return;
    };
    schema.remove("prefixItems");
    let mut kinds: Vec<Value> = Vec::new();
    for place in places {
        if !kinds.contains(&place) {
            kinds.push(place);
        }
    }
    let item = match <[Value; 1]>::try_from(kinds) {
        Ok([only]) => only,
        Err(several) => serde_json::json!({"anyOf": several}),
    };
    schema.insert("items".to_owned(), item);
}

/// A parameter that may be left out is never null.
fn not_null(mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("nullable");
        fields.remove("default");
        if let Some(Value::Array(words)) = fields.get_mut("enum") {
            words.retain(|word| !word.is_null());
        }
        if let Some(Value::Array(types)) = fields.get("type") {
            let rest: Vec<_> = types.iter().filter(|kind| *kind != "null").cloned().collect();
            if let [only] = rest.as_slice() {
                let only = only.clone();
                fields.insert("type".to_owned(), only);
            }
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, JsonSchema)]
    struct Places {
        _span: (f64, f64),
        _named: (String, u32, String),
    }

    /// As the document of that edition has it.
    fn written(edition: Edition) -> Value {
        let mut schemas = Schemas::new(edition);
        let mut document = serde_json::json!({"paths": schemas.of(given::<Places>()), "components": {}});
        schemas.finish(&mut document);
        document["components"]["schemas"]["Places"]["properties"].take()
    }

    #[test]
    fn a_tuple_is_a_list_in_the_edition_that_has_no_tuples() {
        let older = written(Edition::V30);
        assert_eq!(older["_span"]["items"]["type"], "number", "{older}");
        let kinds = older["_named"]["items"]["anyOf"].as_array().unwrap();
        let kinds: Vec<_> = kinds.iter().map(|kind| kind["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["string", "integer"], "{older}");
        for field in ["_span", "_named"] {
            let places = if field == "_span" { 2 } else { 3 };
            assert_eq!(
                (&older[field]["minItems"], &older[field]["maxItems"]),
                (&places.into(), &places.into())
            );
        }
        assert!(written(Edition::V31)["_span"]["prefixItems"].is_array());
    }
}
