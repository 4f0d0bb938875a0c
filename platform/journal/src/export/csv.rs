//! CSV after RFC 4180.

use super::{Column, Table, Value, failed};
use crate::JournalError;
use std::io::{BufWriter, Write};

/// A table as CSV. What a spreadsheet would take for a formula gets a space before it.
pub struct CsvTable<W: Write> {
    out: BufWriter<W>,
    columns: usize,
}

impl<W: Write> CsvTable<W> {
    /// Writes the line of names.
    ///
    /// # Errors
    /// [`JournalError::Export`].
    pub fn begin(columns: &[Column], out: W) -> Result<Self, JournalError> {
        let mut table = Self {
            out: BufWriter::new(out),
            columns: columns.len(),
        };
        let names: Vec<_> = columns.iter().map(|column| Value::Text(&column.name)).collect();
        table.row(&names)?;
        Ok(table)
    }

    fn write(&mut self, row: &[Value<'_>]) -> std::io::Result<()> {
        for (number, value) in row.iter().enumerate() {
            if number > 0 {
                self.out.write_all(b",")?;
            }
            match value {
                Value::Missing => {}
                Value::Text(text) => self.text(text)?,
                Value::Integer(value) => write!(self.out, "{value}")?,
                Value::Time(value) => write!(self.out, "{value}")?,
                Value::Real(value) if value.is_finite() => write!(self.out, "{value}")?,
                Value::Real(_) => {}
                Value::Truth(value) => write!(self.out, "{value}")?,
            }
        }
        self.out.write_all(b"\r\n")
    }

    fn text(&mut self, text: &str) -> std::io::Result<()> {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = if formula { format!(" {text}") } else { text.to_owned() };
        if text.contains(['"', ',', '\r', '\n']) || formula {
            return write!(self.out, "\"{}\"", text.replace('"', "\"\""));
        }
        self.out.write_all(text.as_bytes())
    }
}

impl<W: Write> Table for CsvTable<W> {
    fn row(&mut self, row: &[Value<'_>]) -> Result<(), JournalError> {
        if row.len() != self.columns {
            return Err(failed(format!(
                "a row has {} values for {} columns",
                row.len(),
                self.columns
            )));
        }
        self.write(row).map_err(failed)
    }

    fn finish(mut self: Box<Self>) -> Result<(), JournalError> {
        self.out.flush().map_err(failed)
    }
}
