//! One operation: what is said of it, and how that is written down.

use super::super::access::{Access, Part, part_of};
use super::problems::{self, Code};
use super::schemas::{Schemas, Shape, given, taken};
use super::{parameters, scope, written};
use crate::http::problem::Problem;
use axum::http::{Method, StatusCode};
use schemars::JsonSchema;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of an operation.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    id: &'static str,
    summary: &'static str,
    tag: &'static str,
    description: &'static str,
    parameters: Vec<Value>,
    query: Option<(Shape, Value)>,
    bodies: Vec<Content>,
    body_required: bool,
    answers: Vec<Answer>,
    problems: BTreeSet<Code>,
}

/// Something in a body.
struct Content {
    kind: &'static str,
    form: Form,
    example: Option<Value>,
}

enum Form {
    Typed(Shape),
    Written(Value),
}

struct Answer {
    status: u16,
    description: &'static str,
    content: Vec<Content>,
    headers: Vec<&'static str>,
}

/// An operation of that tag.
pub(super) fn operation(
    tag: &'static str,
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        id,
        summary,
        tag,
        description: "",
        parameters: Vec::new(),
        query: None,
        bodies: Vec::new(),
        body_required: false,
        answers: Vec::new(),
        problems: BTreeSet::new(),
    }
}

impl Operation {
    /// What the summary leaves out.
    pub(super) fn description(mut self, text: &'static str) -> Self {
        self.description = text;
        self
    }

    /// A parameter beside those of path and query.
    pub(super) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// What the query may hold, with examples by name.
    pub(super) fn query<T: JsonSchema>(mut self, examples: Value) -> Self {
        self.query = Some((taken::<T>(), examples));
        self.problems(problems::QUERY)
    }

    /// A JSON body of that type.
    pub(super) fn body<T: JsonSchema>(mut self, example: Value) -> Self {
        self.bodies.push(Content {
            kind: "application/json",
            form: Form::Typed(taken::<T>()),
            example: Some(example),
        });
        self.body_required = true;
        self.problems(problems::BODY)
    }

    /// That an empty body does.
    pub(super) fn body_may_be_left_out(mut self) -> Self {
        self.body_required = false;
        self
    }

    /// A body of another kind.
    pub(super) fn raw_body(mut self, kind: &'static str, schema: Value) -> Self {
        self.bodies.push(Content {
            kind,
            form: Form::Written(schema),
            example: None,
        });
        self.body_required = true;
        self
    }

    /// An example of the body that was named last.
    pub(super) fn example(mut self, example: Value) -> Self {
        if let Some(body) = self.bodies.last_mut() {
            body.example = Some(example);
        }
        self
    }

    /// An answer of that type.
    pub(super) fn answers<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        self.answers_with(status, description, "application/json", Form::Typed(given::<T>()))
    }

    /// An answer of another kind.
    pub(super) fn answers_raw(self, status: u16, description: &'static str, kind: &'static str, schema: Value) -> Self {
        self.answers_with(status, description, kind, Form::Written(schema))
    }

    fn answers_with(mut self, status: u16, description: &'static str, kind: &'static str, form: Form) -> Self {
        let content = Content {
            kind,
            form,
            example: None,
        };
        if let Some(answer) = self.answers.iter_mut().find(|answer| answer.status == status) {
            answer.content.push(content);
            return self;
        }
        self.answers.push(Answer {
            status,
            description,
            content: vec![content],
            headers: Vec::new(),
        });
        self
    }

    /// An answer without a body.
    pub(super) fn answers_nothing(mut self, status: u16, description: &'static str) -> Self {
        self.answers.push(Answer {
            status,
            description,
            content: Vec::new(),
            headers: Vec::new(),
        });
        self
    }

    /// Headers of the answer that was named last, by their names in [`headers`].
    pub(super) fn with(mut self, headers: &[&'static str]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.extend(headers);
        }
        self
    }

    /// Problems it can answer, beside those that follow from its path, its body and what it asks of who calls.
    pub(super) fn problems(mut self, codes: &[Code]) -> Self {
        self.problems.extend(codes);
        self
    }

    /// A change: it takes `If-Match`, and is refused as changes are.
    pub(super) fn change(mut self) -> Self {
        self.parameters.push(parameters::if_match());
        self.problems(problems::CHANGE)
    }

    /// As it stands in the document.
    pub(super) fn written(mut self, access: Access, schemas: &mut Schemas) -> Value {
        self.own_problems(access);
        let mut all: Vec<Value> = parameters::of_path(self.path).collect();
        if let Some((shape, examples)) = self.query {
            for field in schemas.fields(shape) {
                let mut schema = field.schema;
                let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
                let mut parameter = json!({
                    "name": field.name, "in": "query", "required": field.required,
                    "description": description.unwrap_or_default(), "schema": schema,
                });
                if let Some(example) = examples.get(&field.name) {
                    parameter["example"] = example.clone();
                }
                all.push(parameter);
            }
        }
        all.append(&mut self.parameters);
        let mut out = json!({
            "operationId": self.id, "summary": self.summary, "tags": [self.tag], "parameters": all,
            "security": security(access),
        });
        if !self.description.is_empty() {
            out["description"] = self.description.into();
        }
        if let Some((scope, of)) = scope(access) {
            let names_model = self.path.contains("{model}");
            out["x-scope"] = scope.into();
            out["x-scope-for"] = if of == "model" && !names_model { "all" } else { of }.into();
        }
        if !self.bodies.is_empty() {
            out["requestBody"] = json!({"required": self.body_required, "content": content(self.bodies, schemas)});
        }
        let mut answers = BTreeMap::new();
        for answer in self.answers {
            let mut body = json!({"description": answer.description});
            if !answer.content.is_empty() {
                body["content"] = content(answer.content, schemas);
            }
            for name in answer.headers {
                body["headers"][name] = json!({"$ref": format!("#/components/headers/{name}")});
            }
            answers.insert(answer.status, body);
        }
        answers.extend(refusals(&self.problems, schemas));
        let answers = answers.into_iter().map(|(status, answer)| (status.to_string(), answer));
        out["responses"] = Value::Object(answers.collect());
        out
    }

    /// Problems that follow from what the operation is.
    fn own_problems(&mut self, access: Access) {
        let mut add = |codes: &[Code]| self.problems.extend(codes);
        add(problems::ALWAYS);
        if part_of(&self.method, self.path) != Some(Part::Both) {
            add(problems::ROLE);
        }
        if access != Access::Open {
            add(problems::SIGNED_IN);
        }
        if scope(access).is_some() {
            add(problems::SCOPED);
        }
        if !self.method.is_safe() {
            add(problems::FROM_A_PAGE);
        }
        if written(self.path).contains('{') {
            add(problems::PATH);
        }
    }
}

/// Problems by their status.
fn refusals(codes: &BTreeSet<Code>, schemas: &mut Schemas) -> BTreeMap<u16, Value> {
    let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for (status, code) in codes {
        by_status.entry(*status).or_default().push(format!("/problems/{code}"));
    }
    let each = by_status.into_iter().map(|(status, types)| {
        let reason = StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let mut answer = json!({
            "description": format!("{}: {}.", reason.unwrap_or("The caller left"), types.join(", ")),
            "content": {"application/problem+json": {"schema": schemas.of(given::<Problem>())}},
            "x-problems": types,
        });
        let header = match status {
            401 | 403 => Some("WWW-Authenticate"),
            429 | 503 => Some("Retry-After"),
            _ => None,
        };
        if let Some(name) = header {
            answer["headers"][name] = json!({"$ref": format!("#/components/headers/{name}")});
        }
        (status, answer)
    });
    each.collect()
}

fn content(all: Vec<Content>, schemas: &mut Schemas) -> Value {
    let each = all.into_iter().map(|content| {
        let schema = match content.form {
            Form::Typed(shape) => schemas.of(shape),
            Form::Written(schema) => schema,
        };
        let mut body = json!({"schema": schema});
        if let Some(example) = content.example {
            body["example"] = example;
        }
        (content.kind.to_owned(), body)
    });
    Value::Object(each.collect())
}

fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        _ => json!([{"key": []}, {"bearer": []}, {"session": []}]),
    }
}

/// Headers of answers.
pub(super) fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "Location": text("Where what was made is."),
        "ETag": text("The revision: send it as `If-Match` with a change that is decided on it."),
        "Retry-After": {"description": "Seconds after which to ask again.", "schema": {"type": "integer", "minimum": 0}},
        "WWW-Authenticate": text("How to prove who calls."),
        "Set-Cookie": text("The session of the page."),
        "Content-Disposition": text("A name for the file."),
        "X-Einthoven-Prediction": text("The entry in the journal, where the answer is remembered."),
        "Inference-Header-Content-Length": text("Bytes of JSON before the tensors, where they are binary."),
    })
}
