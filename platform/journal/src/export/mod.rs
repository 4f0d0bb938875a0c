//! Entries and labels as tables: CSV for people, Parquet for programs, one row for each beat.

mod column;
mod csv;
mod parquet;
mod predictions;
mod training;

pub use column::{Column, Value};
pub use csv::CsvTable;
pub use parquet::ParquetTable;
pub use predictions::predictions;
pub use training::{Split, Splitting, training};

use crate::JournalError;

/// A table that is being written; holds a bounded number of rows.
pub trait Table {
    /// Appends a row: one value for each column, of its kind or missing.
    ///
    /// # Errors
    /// [`JournalError::Export`], also for a row that does not fit.
    fn row(&mut self, row: &[Value<'_>]) -> Result<(), JournalError>;

    /// Writes what is left.
    ///
    /// # Errors
    /// [`JournalError::Export`].
    fn finish(self: Box<Self>) -> Result<(), JournalError>;
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, RFC 4180, UTF-8, with a line of names.
    Csv,
    /// Parquet with Snappy.
    Parquet,
}

impl Format {
    /// Begins a table.
    ///
    /// # Errors
    /// [`JournalError::Export`].
    pub fn begin<'a>(
        self,
        columns: Vec<Column>,
        out: impl std::io::Write + Send + 'a,
    ) -> Result<Box<dyn Table + 'a>, JournalError> {
        Ok(match self {
            Self::Csv => Box::new(CsvTable::begin(&columns, out)?),
            Self::Parquet => Box::new(ParquetTable::begin(columns, out)?),
        })
    }
}

pub(crate) fn failed(cause: impl std::fmt::Display) -> JournalError {
    JournalError::Export {
        what: cause.to_string(),
    }
}
