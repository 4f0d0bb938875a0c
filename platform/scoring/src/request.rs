//! Requests.

use crate::csv;
use crate::error::ScoringError;
use crate::frame::{Frame, Object};
use crate::kind::ContentType;
use crate::wanted::Wanted;
use einthoven_oip::{Tensor, parse_data};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashSet;

/// What a request brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// One tensor for each input of the model.
    pub inputs: Vec<Tensor>,
    /// `params`, as they came; empty where none did.
    pub params: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(borrow)]
    dataframe_split: Option<Split<'a>>,
    #[serde(borrow)]
    dataframe_records: Option<Vec<Object<'a>>>,
    #[serde(borrow)]
    instances: Option<&'a RawValue>,
    #[serde(borrow)]
    inputs: Option<&'a RawValue>,
    #[serde(default)]
    params: serde_json::Map<String, serde_json::Value>,
    /// Another field of TensorFlow Serving's, which MLflow takes beside `instances`.
    #[serde(default)]
    signature_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Split<'a> {
    #[serde(default)]
    columns: Option<Vec<serde_json::Value>>,
    #[serde(borrow)]
    data: Vec<Vec<&'a RawValue>>,
    #[serde(default)]
    #[expect(dead_code, reason = "rows are answered in their order, whatever they are called")]
    index: Option<serde::de::IgnoredAny>,
}

/// Reads a body for a model that takes these inputs.
///
/// # Errors
/// [`ScoringError`] saying which field was wrong, and what the model takes.
pub fn parse(body: &[u8], kind: ContentType, wanted: &[Wanted]) -> Result<Scored, ScoringError> {
    match kind {
        ContentType::Csv => {
            let (columns, rows) = csv::read(body)?;
            let rows = rows
                .iter()
                .map(|row| row.iter().map(String::as_str).collect())
                .collect();
            let frame = Frame {
                field: "body",
                columns,
                rows,
            };
            Ok(Scored {
                inputs: frame.tensors(wanted)?,
                params: serde_json::Map::new(),
            })
        }
        ContentType::Json => json(body, wanted),
    }
}

fn json(body: &[u8], wanted: &[Wanted]) -> Result<Scored, ScoringError> {
    let document: Document<'_> = serde_json::from_slice(body).map_err(|cause| {
        let detail = format!("the body is not a request that MLflow's scoring has: {cause}");
        ScoringError::new("body", detail)
    })?;
    let given = [
        document.dataframe_split.is_some(),
        document.dataframe_records.is_some(),
        document.instances.is_some(),
        document.inputs.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() != 1 {
        let detail = "the body must have exactly one of dataframe_split, dataframe_records, instances and inputs";
        return Err(ScoringError::new("body", detail));
    }
    if document.signature_name.is_some_and(|name| name != "serving_default") {
        let detail = "`signature_name`: models here have one signature; leave it out";
        return Err(ScoringError::new("signature_name", detail));
    }
    let inputs = if let Some(split) = document.dataframe_split {
        split.frame()?.tensors(wanted)?
    } else if let Some(records) = document.dataframe_records {
        Frame::of_records("dataframe_records", records)?.tensors(wanted)?
    } else if let Some(instances) = document.instances {
        of_instances(instances.get(), wanted)?
    } else {
        of_inputs(document.inputs.map_or("null", RawValue::get), wanted)?
    };
    Ok(Scored {
        inputs,
        params: document.params,
    })
}

impl<'a> Split<'a> {
    fn frame(self) -> Result<Frame<'a>, ScoringError> {
        let field = "dataframe_split";
        let rows: Vec<Vec<&str>> = self
            .data
            .into_iter()
            .map(|row| row.into_iter().map(RawValue::get).collect())
            .collect();
        let width = rows.first().map_or(0, Vec::len);
        let columns: Vec<String> = match self.columns {
            None => (0..width).map(|index| index.to_string()).collect(),
            Some(columns) => columns
                .into_iter()
                .map(|column| match column {
                    serde_json::Value::String(name) => name,
                    other => other.to_string(),
                })
                .collect(),
        };
        Ok(Frame { field, columns, rows })
    }
}

/// Rows: tensors one after the other, or objects with a tensor for each input.
fn of_instances(json: &str, wanted: &[Wanted]) -> Result<Vec<Tensor>, ScoringError> {
    let field = "instances";
    let objects = json.trim_start_matches('[').trim_start().starts_with('{');
    if objects && json.starts_with('[') {
        let records: Vec<Object<'_>> =
            serde_json::from_str(json).map_err(|cause| ScoringError::new(field, format!("`{field}`: {cause}")))?;
        return Frame::of_records(field, records)?.tensors(wanted);
    }
    Ok(vec![alone(field, json, wanted)?])
}

/// Columns: one tensor, or an object with a tensor for each input.
fn of_inputs(json: &str, wanted: &[Wanted]) -> Result<Vec<Tensor>, ScoringError> {
    let field = "inputs";
    if !json.starts_with('{') {
        return Ok(vec![alone(field, json, wanted)?]);
    }
    let wrong = |detail: String| ScoringError::new(field, format!("`{field}`: {detail}"));
    let Object(fields) = serde_json::from_str(json).map_err(|cause| wrong(cause.to_string()))?;
    let mut before = HashSet::new();
    for (name, _) in &fields {
        if !before.insert(name.as_str()) {
            return Err(wrong(format!("`{name}` is there twice")));
        }
        if !wanted.iter().any(|input| input.name == *name) {
            return Err(wrong(format!(
                "the model has no input `{name}`; it takes {}",
                list(wanted)
            )));
        }
    }
    let each = |input: &Wanted| {
        let found = fields.iter().find(|(name, _)| *name == input.name);
        let (_, value) = found.ok_or_else(|| {
            wrong(format!(
                "input `{}` is missing; the model takes {}",
                input.name,
                list(wanted)
            ))
        })?;
        tensor(field, value.get(), input)
    };
    wanted.iter().map(each).collect()
}

/// The tensor of a model of one input.
fn alone(field: &'static str, json: &str, wanted: &[Wanted]) -> Result<Tensor, ScoringError> {
    let [input] = wanted else {
        let detail = format!("`{field}` names no inputs, and the model takes {}", list(wanted));
        return Err(ScoringError::new(field, detail));
    };
    tensor(field, json, input)
}

fn tensor(field: &'static str, json: &str, input: &Wanted) -> Result<Tensor, ScoringError> {
    let wrong = |detail: String| ScoringError::new(field, format!("`{field}`: {detail}"));
    let data = parse_data(input.datatype, json).map_err(|cause| wrong(cause.to_string()))?;
    let Some((rows, lengths)) = data.lengths.split_first() else {
        return Err(wrong("a list of rows is needed".to_owned()));
    };
    if *rows == 0 {
        return Err(wrong("there are no rows".to_owned()));
    }
    input.tensor(*rows, lengths, data.bytes, data.elements).map_err(wrong)
}

/// `row [1,187] FP32`, for each.
pub(crate) fn list(wanted: &[Wanted]) -> String {
    let each = |input: &Wanted| format!("`{}` {} {}", input.name, input.said(), input.datatype);
    wanted.iter().map(each).collect::<Vec<_>>().join(", ")
}
