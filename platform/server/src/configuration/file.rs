//! The file of settings: TOML whose keys are the flags' names.

use super::near::nearest;
use super::setting::Setting;
use std::ffi::OsString;
use std::path::Path;
use toml::Value;
use toml::de::DeTable;

/// What a file says of one setting.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) values: Vec<OsString>,
}

/// The file's entries, and beside them everything that is wrong with it.
pub(super) fn read(path: &Path, all: &[Setting<'_>], problems: &mut Vec<String>) -> Vec<Entry> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let (entries, wrong) = entries(&text, all);
            let place = |(line, what): (usize, String)| format!("{} line {line}: {what}", path.display());
            problems.extend(wrong.into_iter().map(place));
            entries
        }
        Err(cause) => {
            problems.push(format!("cannot read the settings in {}: {cause}", path.display()));
            Vec::new()
        }
    }
}

fn entries(text: &str, all: &[Setting<'_>]) -> (Vec<Entry>, Vec<(usize, String)>) {
    let line = |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    // An error's own text shows the line it stands on, which may hold a secret.
    let broken = |cause: &toml::de::Error| {
        let at = cause.span().map_or(1, |span| line(span.start));
        (Vec::new(), vec![(at, format!("this is no TOML: {}", cause.message()))])
    };
    let spans = match DeTable::parse(text) {
        Ok(table) => table,
        Err(cause) => return broken(&cause),
    };
    let mut table: toml::Table = match toml::from_str(text) {
        Ok(table) => table,
        Err(cause) => return broken(&cause),
    };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for name in spans.get_ref().keys() {
        let (key, line) = (name.get_ref().as_ref(), line(name.span().start));
        let Some(setting) = all.iter().find(|setting| setting.key() == key) else {
            let keys: Vec<_> = all.iter().map(Setting::key).collect();
            let meant = nearest(&key.replace('-', "_"), keys.iter().map(String::as_str));
            let meant = meant
                .map(|meant| format!("; did you mean `{meant}`?"))
                .unwrap_or_default();
            wrong.push((line, format!("there is no setting `{key}`{meant}")));
            continue;
        };
        let Some(value) = table.remove(key) else { continue };
        match values(setting, value) {
            Ok(values) => found.push(Entry {
                key: key.to_owned(),
                line,
                values,
            }),
            Err(reason) => wrong.push((line, format!("{key}: {reason}"))),
        }
    }
    wrong.sort();
    (found, wrong)
}

/// The values as they would stand on the command line.
fn values(setting: &Setting<'_>, value: Value) -> Result<Vec<OsString>, String> {
    match value {
        Value::Boolean(_) if setting.is_switch() => {}
        _ if setting.is_switch() => return Err("say true or false".to_owned()),
        Value::Array(all) if setting.is_list() => return all.into_iter().map(word).collect(),
        // Sections: `[engine.onnxruntime]` is what `--engine onnxruntime={...}` says.
        Value::Table(sections) if setting.is_list() => {
            let section = |(name, section): (String, Value)| {
                let json = serde_json::to_string(&section).map_err(|cause| cause.to_string())?;
                Ok(OsString::from(format!("{name}={json}")))
            };
            return sections.into_iter().map(section).collect();
        }
        _ => {}
    }
    Ok(vec![word(value)?])
}

fn word(value: Value) -> Result<OsString, String> {
    Ok(match value {
        Value::String(text) => text.into(),
        Value::Integer(number) => number.to_string().into(),
        Value::Float(number) => number.to_string().into(),
        Value::Boolean(truth) => truth.to_string().into(),
        Value::Datetime(_) => return Err("a time is no value here".to_owned()),
        Value::Array(_) => return Err("it takes one value, not a list".to_owned()),
        Value::Table(_) => return Err("it takes one value, not a section".to_owned()),
    })
}
