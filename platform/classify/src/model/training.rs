//! What a version was trained on, and whether a set that it is measured on holds the same.

use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// Records of one person in the MIT-BIH Arrhythmia Database: the only two of its 48.
const ONE_PERSON: [&str; 2] = ["201", "202"];
const MIT_BIH: &str = "MIT-BIH Arrhythmia";

/// The training data that a manifest declares.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Training {
    /// The database, as its maker calls it.
    pub database: String,
    /// Names of the records.
    pub records: Vec<String>,
    /// Who a record is of, by any name that stands for one person alone.
    pub subjects: BTreeMap<String, String>,
}

/// A record of a set that the version has seen, or whose person it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The record of the set.
    pub record: String,
    /// The record it was trained on.
    pub trained_on: String,
}

impl Training {
    /// The records of a set that are not new to the version: its own, or of a person that one of its own is of. Folders before a
    /// name do not count.
    #[must_use]
    pub fn leaks<'a>(&self, records: impl IntoIterator<Item = &'a str>) -> Vec<Leak> {
        let stem = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        let leak = |record: &str| {
            let name = stem(record);
            let mut trained = self.records.iter().map(|trained| (trained, stem(trained)));
            let (trained_on, _) = trained.find(|(_, trained)| *trained == name || self.one_person(trained, &name))?;
            Some(Leak {
                record: record.to_owned(),
                trained_on: trained_on.clone(),
            })
        };
        records.into_iter().filter_map(leak).collect()
    }

    fn one_person(&self, one: &str, other: &str) -> bool {
        let known = self.subjects.get(one).zip(self.subjects.get(other));
        let both = ONE_PERSON.contains(&one) && ONE_PERSON.contains(&other);
        known.is_some_and(|(one, other)| one == other) || (both && self.database.contains(MIT_BIH))
    }
}

/// The section as it should be; none where it is something else, which is its maker's own business.
pub(super) fn declared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Training, D::Error> {
    let section = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(section).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaks(training: &str, records: &[&str]) -> Vec<(String, String)> {
        let training: Training = serde_json::from_str(training).unwrap();
        let leaks = training.leaks(records.iter().copied());
        leaks.into_iter().map(|leak| (leak.record, leak.trained_on)).collect()
    }

    #[test]
    fn what_was_seen_is_found_by_record_and_by_person() {
        let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
        let ours = r#"{"database": "MIT-BIH Arrhythmia Database 1.0.0", "records": ["101", "201"]}"#;
        assert_eq!(leaks(ours, &["100", "set/101", "1010"]), [pair("set/101", "101")]);
        // Records 201 and 202 are one person's.
        assert_eq!(leaks(ours, &["202", "203"]), [pair("202", "201")]);
        let other = r#"{"database": "ward", "records": ["201"]}"#;
        assert_eq!(leaks(other, &["202"]), []);
        let named = r#"{"records": ["a1"], "subjects": {"a1": "p", "a2": "p", "b1": "q"}}"#;
        assert_eq!(leaks(named, &["a2", "b1"]), [pair("a2", "a1")]);
        assert_eq!(leaks("{}", &["a2"]), []);
    }
}
