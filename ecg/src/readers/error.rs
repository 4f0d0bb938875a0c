//! Why a set of files could not be read, in words the sender can act on.

use thiserror::Error;

/// A reader's refusal. Every text names the file, the line or offset, what was wrong and what to do.
///
/// Names that come from a file or a sender are shortened and stripped of control characters before they are printed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No file, or none with a byte in it.
    #[error("{file}: the file is empty; send the recording's own file")]
    EmptyFile {
        /// The file's name.
        file: String,
    },
    /// The bytes hold no recording that any reader knows.
    #[error(
        "{file}: {found}, which is no ECG recording; send a WFDB record (.hea with its signal files) or a CSV \
         with one row per sample"
    )]
    NotAnEcg {
        /// The file's name.
        file: String,
        /// What was found instead, as a phrase.
        found: String,
    },
    /// Something that must be known is not in the file and was not stated.
    #[error("{file}: {what}; give it as {}", ways(.field))]
    MissingField {
        /// The file's name.
        file: String,
        /// `sampling_rate`, `unit`, `record` or `lead`.
        field: &'static str,
        /// What is missing, as a phrase.
        what: String,
    },
    /// A value the caller stated cannot be used.
    #[error("the stated {} {value} {why}; give it as {}", .field.replace('_', " "), ways(.field))]
    InvalidField {
        /// `sampling_rate`, `unit`, `record` or `lead`.
        field: &'static str,
        /// The value as stated.
        value: String,
        /// What is wrong with it, as a phrase.
        why: String,
    },
    /// The caller stated one thing and the file another.
    #[error(
        "{file}: the file says {} {in_file} but {stated} was stated; leave the statement out or correct it",
        .field.replace('_', " ")
    )]
    Contradiction {
        /// The file's name.
        file: String,
        /// `sampling_rate` or `unit`.
        field: &'static str,
        /// The value in the file.
        in_file: String,
        /// The value the caller stated.
        stated: String,
    },
    /// A file that is needed is not among those given.
    #[error("{needed_by} needs the file {file}, which was not sent; send them together")]
    MissingFile {
        /// The file that is missing.
        file: String,
        /// The file that names it.
        needed_by: String,
    },
    /// A header names a file by a path or a stream.
    #[error(
        "{file}, line {line}: the name {name} is not a plain file name; a header may only name files beside itself"
    )]
    UnsafeFileName {
        /// The header.
        file: String,
        /// The line of the header, from 1; 0 where the name was stated by the caller.
        line: usize,
        /// The name.
        name: String,
    },
    /// A signal file ends before the samples its header declares.
    #[error(
        "{file}: truncated: {declared} samples per signal are declared and {present} are present; \
         send the whole file or correct the header's length"
    )]
    Truncated {
        /// The signal file.
        file: String,
        /// Samples (frames) per signal the header declares.
        declared: u64,
        /// Samples (frames) per signal the file holds.
        present: u64,
    },
    /// More than one recording was sent.
    #[error(
        "{count} recordings were sent ({names}); send one at a time or name one with {}",
        ways("record")
    )]
    SeveralRecordings {
        /// How many.
        count: usize,
        /// Their names, comma separated, the first ones of many.
        names: String,
    },
    /// The recording that was asked for is not among the files.
    #[error(
        "there is no recording {record} among the files sent ({names}); name one of them with {}",
        ways("record")
    )]
    UnknownRecord {
        /// The name that was asked for.
        record: String,
        /// The names there are.
        names: String,
    },
    /// More of something than the limits allow.
    #[error("{file}: {what}, and at most {limit} are accepted; send a shorter or smaller recording")]
    TooLarge {
        /// The file's name.
        file: String,
        /// How much of what, as a phrase.
        what: String,
        /// The limit that was passed.
        limit: u64,
    },
    /// The file breaks its format.
    #[error("{file}, {place}: {what}")]
    Malformed {
        /// The file's name.
        file: String,
        /// Where: `line 3`, `byte 12`, `header`.
        place: String,
        /// What was wrong and what was expected.
        what: String,
    },
    /// The file is a recording of a kind that is not read.
    #[error("{file}: {what}; send it as a WFDB record or as CSV")]
    Unsupported {
        /// The file's name.
        file: String,
        /// What it is, as a phrase.
        what: String,
    },
    /// There are signals, but none that can be an ECG lead.
    #[error("{file}: none of its signals is a voltage that can be an ECG lead ({signals}); send a record with an ECG")]
    NoEcgLead {
        /// The file's name.
        file: String,
        /// What the signals are called.
        signals: String,
    },
}

impl ReadError {
    /// A stable name for programs, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyFile { .. } => "empty_file",
            Self::NotAnEcg { .. } => "not_an_ecg",
            Self::MissingField { .. } => "missing_field",
            Self::InvalidField { .. } => "invalid_field",
            Self::Contradiction { .. } => "contradiction",
            Self::MissingFile { .. } => "missing_file",
            Self::UnsafeFileName { .. } => "unsafe_file_name",
            Self::Truncated { .. } => "truncated",
            Self::SeveralRecordings { .. } => "several_recordings",
            Self::UnknownRecord { .. } => "no_such_record",
            Self::TooLarge { .. } => "too_large",
            Self::Malformed { .. } => "malformed",
            Self::Unsupported { .. } => "unsupported",
            Self::NoEcgLead { .. } => "no_ecg_lead",
        }
    }

    /// What the caller could state to help: `sampling_rate`, `unit`, `record` or `lead`.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::MissingField { field, .. } | Self::InvalidField { field, .. } | Self::Contradiction { field, .. } => {
                Some(field)
            }
            Self::SeveralRecordings { .. } | Self::UnknownRecord { .. } => Some("record"),
            _ => None,
        }
    }

    /// What a file lacks, without the ways in which it can be given.
    #[must_use]
    pub fn lacks(&self) -> Option<String> {
        match self {
            Self::MissingField { file, what, .. } => Some(format!("{file}: {what}")),
            _ => None,
        }
    }

    pub(super) fn malformed(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self::Malformed {
            file: shown(file),
            place: format!("line {line}"),
            what: what.into(),
        }
    }
}

/// How a field is given, by request and by command line.
fn ways(field: &str) -> String {
    let name = match field {
        "sampling_rate" => "rate",
        other => other,
    };
    let example = match name {
        "rate" => " (samples per second, such as 360)",
        "unit" => " (mV, uV, V or nV)",
        _ => "",
    };
    format!("query parameter `{name}`, form field `{name}` or flag `--{name}`{example}")
}

/// A name or value from outside, fit to be printed: no control characters, at most 80 characters.
pub(super) fn shown(text: &str) -> String {
    let mut clean: String = text
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .take(81)
        .collect();
    if let Some((cut, _)) = clean.char_indices().nth(80) {
        clean.truncate(cut);
        clean.push_str("...");
    }
    clean
}

/// A list of names fit to be printed: the first twelve and how many more.
pub(super) fn shown_list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(12);
    let mut list = names.take(12).map(shown).collect::<Vec<_>>().join(", ");
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    list
}
