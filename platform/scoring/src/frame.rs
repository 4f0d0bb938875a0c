//! Tables, and the way from their cells to tensors.

use crate::error::ScoringError;
use crate::request::list;
use crate::wanted::Wanted;
use einthoven_oip::{Datatype, Tensor, parse_data};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// A table; each cell is a value as JSON writes it, numbers of CSV included.
pub(crate) struct Frame<'a> {
    /// The field that it came by.
    pub(crate) field: &'static str,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<&'a str>>,
}

/// An object with its fields in their order, which is the order of a table's columns.
pub(crate) struct Object<'a>(pub(crate) Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object of columns")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields).map(Object)
    }
}

impl<'a> Frame<'a> {
    /// A table of objects that all have the same fields.
    pub(crate) fn of_records(field: &'static str, records: Vec<Object<'a>>) -> Result<Self, ScoringError> {
        let columns: Vec<String> = records
            .first()
            .map(|Object(fields)| fields.iter().map(|(name, _)| name.clone()).collect())
            .unwrap_or_default();
        let mut rows = Vec::with_capacity(records.len());
        for (index, Object(fields)) in records.into_iter().enumerate() {
            let wrong = |detail: String| ScoringError::new(field, format!("`{field}`: row {index} {detail}"));
            if fields.len() != columns.len() {
                return Err(wrong(format!(
                    "has {} fields, row 0 has {}",
                    fields.len(),
                    columns.len()
                )));
            }
            let in_order = fields.iter().zip(&columns).all(|((name, _), column)| name == column);
            let row: Option<Vec<&str>> = if in_order {
                Some(fields.iter().map(|(_, value)| value.get()).collect())
            } else {
                let by_name: HashMap<&str, &str> = fields
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.get()))
                    .collect();
                columns
                    .iter()
                    .map(|column| by_name.get(column.as_str()).copied())
                    .collect()
            };
            rows.push(row.ok_or_else(|| wrong("has other fields than row 0".to_owned()))?);
        }
        Ok(Self { field, columns, rows })
    }

    /// The tensors of a model that takes these inputs: a column for each input, or, for a model of one input, a column for each
    /// value of a row, in the order in which they stand.
    pub(crate) fn tensors(&self, wanted: &[Wanted]) -> Result<Vec<Tensor>, ScoringError> {
        let width = self.columns.len();
        if self.rows.is_empty() {
            return Err(self.wrong("there are no rows"));
        }
        if let Some((index, row)) = self.rows.iter().enumerate().find(|(_, row)| row.len() != width) {
            let detail = format!("row {index} has {} values for {width} columns", row.len());
            return Err(self.wrong(&detail));
        }
        let mut before = HashSet::new();
        if let Some(column) = self.columns.iter().find(|column| !before.insert(column.as_str())) {
            return Err(self.wrong(&format!("column `{column}` is there twice")));
        }
        let named = width == wanted.len() && wanted.iter().all(|input| self.columns.contains(&input.name));
        if named {
            return wanted.iter().map(|input| self.column(input)).collect();
        }
        match wanted {
            [input] if input.values() == Some(width) => Ok(vec![self.flat(input)?]),
            _ => Err(self.wrong(&format!(
                "there are {width} columns; give one for each input of the model, which takes {}, or, for a model of one input, one for each value of a row",
                list(wanted)
            ))),
        }
    }

    /// A tensor from the column of its name: each cell is a row of it.
    fn column(&self, input: &Wanted) -> Result<Tensor, ScoringError> {
        let at = self
            .columns
            .iter()
            .position(|column| *column == input.name)
            .unwrap_or_default();
        let (mut bytes, mut elements, mut lengths) = (Vec::new(), 0, None::<Vec<usize>>);
        for (index, row) in self.rows.iter().enumerate() {
            let wrong = |detail: String| self.wrong(&format!("row {index}, column `{}`: {detail}", input.name));
            let cell = row[at];
            let nested = cell.starts_with('[');
            let listed = if nested { cell.to_owned() } else { format!("[{cell}]") };
            let data = parse_data(input.datatype, &listed).map_err(|cause| wrong(cause.to_string()))?;
            let found = if nested { data.lengths } else { Vec::new() };
            match &lengths {
                Some(before) if *before != found => {
                    return Err(wrong(format!("it is {found:?}, in rows before it was {before:?}")));
                }
                Some(_) => {}
                None => lengths = Some(found),
            }
            bytes.extend_from_slice(&data.bytes);
            elements += data.elements;
        }
        let lengths = lengths.unwrap_or_default();
        input
            .tensor(self.rows.len(), &lengths, bytes, elements)
            .map_err(|detail| self.wrong(&detail))
    }

    /// A tensor whose rows are the rows of the table.
    fn flat(&self, input: &Wanted) -> Result<Tensor, ScoringError> {
        let mut bytes = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            for (cell, column) in row.iter().zip(&self.columns) {
                let wrong = |detail: String| self.wrong(&format!("row {index}, column `{column}`: {detail}"));
                if cell.starts_with('[') {
                    return Err(wrong("a list where a number was to be".to_owned()));
                }
                push(&mut bytes, input.datatype, cell).map_err(wrong)?;
            }
        }
        let width = self.columns.len();
        let elements = width.saturating_mul(self.rows.len());
        input
            .tensor(self.rows.len(), &[width], bytes, elements)
            .map_err(|detail| self.wrong(&detail))
    }

    fn wrong(&self, detail: &str) -> ScoringError {
        let field = self.field;
        ScoringError::new(field, format!("`{field}`: {detail}"))
    }
}

fn push(bytes: &mut Vec<u8>, datatype: Datatype, cell: &str) -> Result<(), String> {
    if datatype == Datatype::Fp32
        && let Ok(value) = cell.parse::<f32>()
        && value.is_finite()
    {
        bytes.extend_from_slice(&value.to_le_bytes());
        return Ok(());
    }
    let data = parse_data(datatype, &format!("[{cell}]")).map_err(|cause| cause.to_string())?;
    if data.elements != 1 {
        return Err("one value is needed".to_owned());
    }
    bytes.extend_from_slice(&data.bytes);
    Ok(())
}
