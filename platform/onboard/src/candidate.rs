//! What is to become a version: files on disk, and what somebody stated about them.

use crate::error::FieldProblem;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Files of a version to be, with what was stated beside them.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    /// Sorted by name.
    pub files: Vec<CandidateFile>,
    /// Fields of the manifest; they win over those of a `manifest.json` among the files.
    pub stated: Stated,
}

/// One file, where it lies now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateFile {
    /// Name in the version.
    pub name: String,
    /// Where its content is.
    pub path: PathBuf,
}

/// Fields of a manifest that somebody stated.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stated(pub(crate) Map<String, Value>);

/// Fields that may be stated beside the files.
const FIELDS: [&str; 14] = [
    "recipe",
    "labels",
    "feeds",
    "inputs",
    "outputs",
    "variants",
    "engine",
    "device",
    "isolation",
    "warm_up_rows",
    "instances",
    "max_batch_rows",
    "training",
    "description",
];

impl Stated {
    /// Fields as a JSON object.
    ///
    /// # Errors
    /// [`FieldProblem`] naming a field that is not known.
    pub fn from_object(object: Map<String, Value>) -> Result<Self, FieldProblem> {
        match object.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            Some(unknown) => Err(FieldProblem {
                pointer: unknown.clone(),
                detail: format!("the field `{unknown}` is not known; known are {}", FIELDS.join(", ")),
            }),
            None => Ok(Self(object)),
        }
    }

    /// One field as a form or a tag gives it: JSON where it is JSON, a list where the field is one and the text has commas.
    ///
    /// # Errors
    /// [`FieldProblem`] for a field that is not known.
    pub fn set(&mut self, field: &str, text: &str) -> Result<(), FieldProblem> {
        let text = text.trim();
        let value = match (field, text.as_bytes().first()) {
            (_, Some(b'{' | b'[')) => serde_json::from_str(text).map_err(|cause| FieldProblem {
                pointer: field.to_owned(),
                detail: format!("`{field}` begins like JSON and is none: {cause}"),
            })?,
            // What is no number is refused where the manifest is read.
            ("instances" | "max_batch_rows", _) => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
            ("labels", _) => text.split(',').map(|label| Value::from(label.trim())).collect(),
            _ => Value::from(text),
        };
        let one = Self::from_object(Map::from_iter([(field.to_owned(), value)]))?;
        self.0.extend(one.0);
        Ok(())
    }

    /// Takes over what `other` states and this does not.
    pub fn complete_from(&mut self, other: &Self) {
        for (field, value) in &other.0 {
            self.0.entry(field).or_insert_with(|| value.clone());
        }
    }

    /// The fields as a JSON object.
    #[must_use]
    pub fn into_object(self) -> Map<String, Value> {
        self.0
    }
}

impl Candidate {
    /// Where the file of that name lies.
    pub(crate) fn file(&self, name: &str) -> Option<&CandidateFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_as_text_or_json() {
        let mut stated = Stated::default();
        stated.set("labels", "N, S,V").unwrap();
        stated.set("recipe", "beat-rr-v1").unwrap();
        stated.set("warm_up_rows", "[1, 64]").unwrap();
        stated.set("instances", "2").unwrap();
        stated.set("max_batch_rows", "many").unwrap();
        assert_eq!(stated.0["instances"], serde_json::json!(2));
        assert_eq!(stated.0["max_batch_rows"], serde_json::json!("many"));
        assert_eq!(stated.0["labels"], serde_json::json!(["N", "S", "V"]));
        assert_eq!(stated.0["warm_up_rows"], serde_json::json!([1, 64]));
        assert!(stated.set("lables", "N").is_err());
        assert!(stated.set("labels", "[1,").is_err());
    }
}
