//! The main job: a recording and a model in, classified beats and their summary out.
//!
//! Start reading at [`classify`]; what comes out is [`Document`], the same for the page, the API and the command line.
#![forbid(unsafe_code)]

mod annotations;
mod beats;
mod document;
mod error;
mod fhir;
mod lead;
mod live;
mod model;
mod rows;

pub use annotations::annotations;
pub use beats::{Found, Options, Step, classify, classify_in_steps};
pub use document::{
    BeatOut, Document, LeadOut, ModelOut, Probabilities, RecordingOut, RowOut, RowsDocument, WindowOut,
};
pub use einthoven_plugin_worker::Cancel;
pub use error::ClassifyError;
pub use fhir::{ReaderLabel, ReaderMark, fhir};
pub use live::LiveBeats;
pub use model::{
    BATCHES, Choice, Demand, EngineRow, EngineTable, EngineWish, Isolation, KnownAs, Leak, LoadError, Manifest,
    PackageFile, ServedModel, Serving, Spent, Training, TrialStep, Variant, digest, from_bytes, measure, to_bytes,
};
pub use rows::{classify_rows, classify_rows_for};

/// Stands on every result until an owner configures otherwise.
pub const NOTICE: &str = "Research use only. Not for diagnosis.";
