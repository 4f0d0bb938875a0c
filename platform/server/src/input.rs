//! From files to an answer: unpack, read, classify. The same for the command line and every route.

use crate::plugin_reading;
use einthoven_classify::{ClassifyError, Document, Options, RowsDocument, ServedModel};
use einthoven_ecg::readers::{self, Hints, Input, Limits, NamedFile, ReadError, Reading};
use einthoven_ecg::recording::Recording;
use einthoven_intake::{Bounds, IntakeError, unpack};
use einthoven_plugin_host::{Failure, Readers};
use std::borrow::Cow;
use std::sync::Arc;

/// Bytes and files one upload may unpack to.
pub(crate) const UNPACKED: Bounds = Bounds {
    bytes: 1 << 30,
    files: 512,
};

/// What a caller states about the files, and chooses.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Request {
    pub(crate) hints: Hints,
    pub(crate) lead: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) version: Option<String>,
}

/// An answer with what it was made from.
pub(crate) enum Answer {
    Beats {
        recording: Arc<Recording>,
        document: Box<Document>,
    },
    Rows(Box<RowsDocument>),
}

impl Answer {
    /// Whether it has an entry in the journal.
    pub(crate) fn is_remembered(&self) -> bool {
        match self {
            Self::Beats { document, .. } => document.prediction.is_some(),
            Self::Rows(document) => document.prediction.is_some(),
        }
    }

    /// Names its entry in the journal.
    pub(crate) fn remembered_as(&mut self, id: String) {
        match self {
            Self::Beats { document, .. } => document.prediction = Some(id),
            Self::Rows(document) => document.prediction = Some(id),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Plugin(Failure),
    #[error(transparent)]
    Classify(#[from] ClassifyError),
}

/// Reads files that make up one recording, or one file of rows: by our own readers, or else by a plugin that knows them.
pub(crate) fn read(
    files: Vec<(String, Cow<'_, [u8]>)>,
    request: &Request,
    readers: &Readers,
) -> Result<Reading, InputError> {
    let mut unpacked = Vec::new();
    let mut left = UNPACKED;
    for (name, bytes) in files {
        let found = unpack(&name, bytes, &left)?;
        // The bound holds for all files of the upload together.
        let used: u64 = found.iter().map(|file| file.bytes.len() as u64).sum();
        left = Bounds {
            bytes: left.bytes.saturating_sub(used),
            files: left.files.saturating_sub(found.len()),
        };
        unpacked.extend(found);
    }
    let named: Vec<_> = unpacked
        .iter()
        .map(|file| NamedFile {
            name: &file.name,
            bytes: file.bytes.as_ref(),
        })
        .collect();
    let limits = Limits::default();
    readers::read(&named, &request.hints, &limits).or_else(|refused| {
        plugin_reading::read(readers, &named, &request.hints, &limits).unwrap_or(Err(InputError::Read(refused)))
    })
}

/// The model that answers for such an input where none is named: the one of its recipe that comes with the server.
pub(crate) fn default_model(input: &Input) -> &'static str {
    match input {
        Input::Recording(_) => "heartbeat",
        Input::BeatRows(_) => "heartbeat-row",
    }
}

/// Classifies what was read.
pub(crate) fn answer(reading: Reading, model: &ServedModel, lead: Option<String>) -> Result<Answer, InputError> {
    let options = Options {
        lead,
        ..Options::default()
    };
    answer_for(reading, model, options)
}

/// The same for somebody, who gets a share of the model's queue of their own.
pub(crate) fn answer_for(reading: Reading, model: &ServedModel, options: Options) -> Result<Answer, InputError> {
    match reading.input {
        Input::Recording(recording) => {
            let document = einthoven_classify::classify(&recording, model, &options)?;
            Ok(Answer::Beats {
                recording: Arc::new(recording),
                document: Box::new(document),
            })
        }
        Input::BeatRows(rows) => {
            let document = einthoven_classify::classify_rows_for(&options.demand, &rows, model)?;
            Ok(Answer::Rows(Box::new(document)))
        }
    }
}
