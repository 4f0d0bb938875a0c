//! Settings as they are printed: a file that would say the same, with where each was said.

use super::{Origin, Settings, Value};
use crate::commands::OWNER_KEY;
use std::fmt;

/// Column of where a value was said.
const COLUMN: usize = 48;

impl fmt::Display for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Sections end a TOML file's own keys, so lists of them are written with dots.
        for value in &self.values {
            let Value { key, origin, .. } = value;
            if value.values.is_empty() {
                writeln!(out, "# {key} is not set")?;
            } else if value.secret {
                writeln!(out, "# {key} is set by {origin} and not shown")?;
            } else {
                for line in lines(value) {
                    writeln!(out, "{line:COLUMN$} # {origin}")?;
                }
            }
        }
        if std::env::var_os(OWNER_KEY).is_some_and(|key| !key.is_empty()) {
            writeln!(out, "# {OWNER_KEY} is set and not shown")?;
        }
        Ok(())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => out.write_str(name),
            Self::File { path, line } => write!(out, "{} line {line}", path.display()),
            Self::Default => out.write_str("default"),
        }
    }
}

fn lines(value: &Value) -> Vec<String> {
    let texts: Vec<_> = value.values.iter().map(|text| text.to_string_lossy()).collect();
    let sections: Option<Vec<_>> = texts.iter().map(|text| section(text)).collect();
    if let Some(sections) = sections {
        let line = |(name, section)| format!("{}.{name} = {section}", value.key);
        return sections.into_iter().map(line).collect();
    }
    let mut values: Vec<_> = texts.iter().map(|text| literal(text)).collect();
    let text = match values.len() {
        1 => values.remove(0),
        _ => format!("[{}]", values.join(", ")),
    };
    vec![format!("{} = {text}", value.key)]
}

/// Numbers and truths are bare, all else is quoted; when it is read again both give the same word.
fn literal(text: &str) -> String {
    let bare = text.parse::<i64>().is_ok_and(|number| number.to_string() == text) || matches!(text, "true" | "false");
    match bare {
        true => text.to_owned(),
        false => toml::Value::from(text).to_string(),
    }
}

/// `NAME={"key": "value"}` as a key and an inline table.
fn section(text: &str) -> Option<(String, String)> {
    let (name, json) = text.split_once("={")?;
    let table: toml::Table = serde_json::from_str(&format!("{{{json}")).ok()?;
    let name = match name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
    {
        true => name.to_owned(),
        false => toml::Value::from(name).to_string(),
    };
    Some((name, toml::Value::Table(table).to_string()))
}
