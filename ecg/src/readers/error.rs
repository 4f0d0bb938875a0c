//! Why files were refused: which thing, what was wrong, what to do.

/// Why files were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Nothing in it.
    #[error("`{name}` is empty; send a file that holds a recording")]
    EmptyFile {
        /// The file.
        name: String,
    },
    /// No reader knows it.
    #[error(
        "`{name}` is not an ECG that can be read: {why}. Send a WFDB header with its signal files, a CSV of leads, or rows of 187 values"
    )]
    NotAnEcg {
        /// The file.
        name: String,
        /// What was seen instead.
        why: String,
    },
    /// The file does not say it, and neither did the caller.
    #[error(
        "`{name}` does not say its {what}; give it by the query parameter `{parameter}`, the form field `{parameter}` or the flag `--{parameter}`{guess}"
    )]
    MissingField {
        /// The file.
        name: String,
        /// For people.
        what: &'static str,
        /// For programs.
        field: &'static str,
        /// How callers name it.
        parameter: &'static str,
        /// What it might be, to be confirmed; empty or a sentence part.
        guess: String,
    },
    /// The file says one thing, the caller another.
    #[error(
        "`{name}` says its {what} is {in_file}, the request says {stated}; leave the parameter away, or correct the file"
    )]
    Contradiction {
        /// The file.
        name: String,
        /// For people.
        what: &'static str,
        /// For programs.
        field: &'static str,
        /// In the file.
        in_file: String,
        /// By the caller.
        stated: String,
    },
    /// A file that another one names was not sent.
    #[error("`{name}` is missing: {why}; send it together with the others")]
    MissingFile {
        /// The file that is not there.
        name: String,
        /// Who needs it.
        why: String,
    },
    /// A header names a file by a path.
    #[error("`{header}` names the file `{name}`; files are named without folders and lie beside their header")]
    UnsafeFileName {
        /// The header.
        header: String,
        /// The name in it.
        name: String,
    },
    /// A file ends before its declared end.
    #[error("`{name}` is cut off: {declared} samples a signal are declared, {present} are there; send the whole file")]
    Truncated {
        /// The file.
        name: String,
        /// By the header.
        declared: u64,
        /// In the file.
        present: u64,
    },
    /// The files hold several recordings.
    #[error("the files hold several recordings: {}; send one, or choose it by the query parameter `record`, the form field `record` or the flag `--record`", names.join(", "))]
    SeveralRecordings {
        /// All of them.
        names: Vec<String>,
    },
    /// The record asked for is not among the files.
    #[error("there is no record `{asked}` among the files: {}", there.join(", "))]
    NoSuchRecord {
        /// By the caller.
        asked: String,
        /// What there is.
        there: Vec<String>,
    },
    /// Above a bound.
    #[error("`{name}` has {count} {what}, {limit} are allowed; send a part of it")]
    TooLarge {
        /// The file.
        name: String,
        /// Samples, leads or columns.
        what: &'static str,
        /// How many.
        count: u64,
        /// The bound.
        limit: u64,
    },
    /// The structure does not hold.
    #[error("`{name}`: {why}")]
    Malformed {
        /// The file.
        name: String,
        /// Where and what.
        why: String,
    },
    /// Understood, and not readable here.
    #[error("`{name}`: {why}")]
    Unsupported {
        /// The file.
        name: String,
        /// What is not supported, and what would be.
        why: String,
    },
}

impl ReadError {
    pub(super) fn malformed(name: &str, why: impl Into<String>) -> Self {
        Self::Malformed {
            name: name.to_owned(),
            why: why.into(),
        }
    }

    /// Stable code for answers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyFile { .. } => "empty_file",
            Self::NotAnEcg { .. } => "not_an_ecg",
            Self::MissingField { .. } => "missing_field",
            Self::Contradiction { .. } => "contradiction",
            Self::MissingFile { .. } => "missing_file",
            Self::UnsafeFileName { .. } => "unsafe_file_name",
            Self::Truncated { .. } => "truncated",
            Self::SeveralRecordings { .. } => "several_recordings",
            Self::NoSuchRecord { .. } => "no_such_record",
            Self::TooLarge { .. } => "too_large",
            Self::Malformed { .. } => "malformed",
            Self::Unsupported { .. } => "unsupported",
        }
    }

    /// The field that is missing or wrong: `sampling_rate`, `unit` or `record`.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::MissingField { field, .. } | Self::Contradiction { field, .. } => Some(field),
            Self::SeveralRecordings { .. } | Self::NoSuchRecord { .. } => Some("record"),
            _ => None,
        }
    }

    pub(super) fn missing_rate(name: &str) -> Self {
        Self::MissingField {
            name: name.to_owned(),
            what: "sampling rate (samples per second)",
            field: "sampling_rate",
            parameter: "rate",
            guess: String::new(),
        }
    }

    pub(super) fn missing_unit(name: &str) -> Self {
        Self::MissingField {
            name: name.to_owned(),
            what: "unit (mV, uV or V)",
            field: "unit",
            parameter: "unit",
            guess: String::new(),
        }
    }
}
