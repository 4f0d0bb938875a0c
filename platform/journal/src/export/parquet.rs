//! Parquet, written with the column writers of the crate `parquet`, without Arrow.

use super::column::Kind;
use super::{Column, Table, Value, failed};
use crate::JournalError;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use std::io::Write;
use std::sync::Arc;

/// Rows of a row group: what is held in memory.
const GROUP: usize = 16_384;

/// A table as Parquet; every column may have missing values.
pub struct ParquetTable<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Buffer>,
    rows: usize,
}

/// Values of one column that are not written yet, with one level for each row: 1 where there is a value.
struct Buffer {
    levels: Vec<i16>,
    values: Values,
}

enum Values {
    Text(Vec<ByteArray>),
    Integers(Vec<i64>),
    Times(Vec<i64>),
    Reals(Vec<f64>),
    Truths(Vec<bool>),
}

impl<W: Write + Send> ParquetTable<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// [`JournalError::Export`].
    pub fn begin(columns: Vec<Column>, out: W) -> Result<Self, JournalError> {
        let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
        let schema = Type::group_type_builder("beats")
            .with_fields(fields)
            .build()
            .map_err(failed)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        Ok(Self {
            writer: SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed)?,
            columns: columns.iter().map(|column| Buffer::new(column.kind)).collect(),
            rows: 0,
        })
    }

    fn group(&mut self) -> Result<(), JournalError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for column in &mut self.columns {
            let writer = group.next_column().map_err(failed)?;
            column.write(writer.ok_or_else(|| failed("a column is too many"))?)?;
        }
        group.close().map_err(failed)?;
        self.rows = 0;
        Ok(())
    }
}

impl<W: Write + Send> Table for ParquetTable<W> {
    fn row(&mut self, row: &[Value<'_>]) -> Result<(), JournalError> {
        if row.len() != self.columns.len() {
            return Err(failed(format!(
                "a row has {} values for {} columns",
                row.len(),
                self.columns.len()
            )));
        }
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(value)?;
        }
        self.rows += 1;
        if self.rows == GROUP { self.group() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<(), JournalError> {
        self.group()?;
        self.writer.close().map_err(failed)?;
        Ok(())
    }
}

fn field(column: &Column) -> Result<TypePtr, JournalError> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Integer => (Physical::INT64, None),
        Kind::Time => (
            Physical::INT64,
            Some(LogicalType::timestamp(true, parquet::basic::TimeUnit::MICROS)),
        ),
        Kind::Real => (Physical::DOUBLE, None),
        Kind::Truth => (Physical::BOOLEAN, None),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build();
    Ok(Arc::new(field.map_err(failed)?))
}

impl Buffer {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Integer => Values::Integers(Vec::new()),
            Kind::Time => Values::Times(Vec::new()),
            Kind::Real => Values::Reals(Vec::new()),
            Kind::Truth => Values::Truths(Vec::new()),
        };
        Self {
            levels: Vec::new(),
            values,
        }
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), JournalError> {
        let mut there = 1;
        match (&mut self.values, value) {
            (_, Value::Missing) => there = 0,
            (Values::Reals(_), Value::Real(value)) if !value.is_finite() => there = 0,
            (Values::Text(values), Value::Text(value)) => values.push(ByteArray::from(*value)),
            (Values::Integers(values), Value::Integer(value)) => values.push(*value),
            (Values::Times(values), Value::Time(value)) => values.push(value.as_microsecond()),
            (Values::Reals(values), Value::Real(value)) => values.push(*value),
            (Values::Truths(values), Value::Truth(value)) => values.push(*value),
            _ => return Err(failed("a value is not of its column's kind")),
        }
        self.levels.push(there);
        Ok(())
    }

    fn write(&mut self, writer: SerializedColumnWriter<'_>) -> Result<(), JournalError> {
        let levels = std::mem::take(&mut self.levels);
        match &mut self.values {
            Values::Text(values) => write::<ByteArrayType>(writer, values, &levels),
            Values::Integers(values) | Values::Times(values) => write::<Int64Type>(writer, values, &levels),
            Values::Reals(values) => write::<DoubleType>(writer, values, &levels),
            Values::Truths(values) => write::<BoolType>(writer, values, &levels),
        }
    }
}

fn write<T: DataType>(
    mut writer: SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: &[i16],
) -> Result<(), JournalError> {
    writer
        .typed::<T>()
        .write_batch(values, Some(levels), None)
        .map_err(failed)?;
    values.clear();
    writer.close().map_err(failed)
}
