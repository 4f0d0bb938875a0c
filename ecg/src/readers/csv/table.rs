//! A table with one lead a column, and perhaps a column of times or sample numbers.

use super::layout::{Layout, number_or_gap};
use super::{agreed_rate, agreed_unit, lead, lines, time};
use crate::readers::{Hints, Limits, NamedFile, ReadError, Unit};
use crate::recording::{Flag, Recording};

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
enum Column {
    /// Times; seconds of one unit, `None` where the header does not say.
    Time(Option<f64>),
    /// Numbers of samples or lines.
    Count,
    Lead {
        name: String,
        unit: Option<Unit>,
        /// A unit that is no voltage.
        foreign: Option<String>,
    },
}

pub(super) fn read(
    file: &NamedFile<'_>,
    bytes: &[u8],
    layout: &Layout,
    hints: &Hints,
    limits: &Limits,
) -> Result<Recording, ReadError> {
    if layout.columns > limits.max_leads + 2 {
        return Err(ReadError::TooLarge {
            name: file.base().to_owned(),
            what: "columns",
            count: layout.columns as u64,
            limit: limits.max_leads as u64 + 2,
        });
    }
    let mut columns = columns(layout);
    let mut values = numbers(file, bytes, layout, limits)?;
    refine(&mut columns, &values);
    let rate = agreed_rate(file, rate_in_file(file, layout, &columns, &values, hints)?, hints)?;
    let format = if layout
        .header
        .iter()
        .any(|line| line.contains("'Elapsed time'") || line.contains("'sample #'"))
    {
        "csv-rdsamp"
    } else {
        "csv"
    };
    let mut recording = Recording {
        name: file.stem().to_owned(),
        format,
        sampling_rate_hz: rate,
        leads: Vec::new(),
        flags: Vec::new(),
    };
    for (column, values) in columns.into_iter().zip(&mut values) {
        let Column::Lead { name, unit, foreign } = column else {
            continue;
        };
        // Programs that write a fixed number of columns leave those of absent leads empty.
        if values.iter().all(|value| value.is_nan()) && layout.columns > 1 {
            continue;
        }
        if let Some(foreign) = foreign {
            let detail = format!("column `{name}` is left out: `{foreign}` is no unit of voltage");
            recording.flags.push(Flag {
                code: "signal_left_out",
                detail,
            });
            continue;
        }
        let scale = agreed_unit(file, unit, hints)?.millivolts();
        let samples = std::mem::take(values)
            .into_iter()
            .map(|value| (value * scale) as f32)
            .collect();
        let lead = lead(name, samples, &mut recording.flags);
        recording.leads.push(lead);
    }
    if recording.leads.is_empty() {
        return Err(ReadError::malformed(file.base(), "the table has no column of samples"));
    }
    Ok(recording)
}

/// All values by column, times of the clock as seconds.
fn numbers(file: &NamedFile<'_>, bytes: &[u8], layout: &Layout, limits: &Limits) -> Result<Vec<Vec<f64>>, ReadError> {
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); layout.columns];
    for (number, line) in lines(bytes).skip(layout.first_line - 1) {
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let mut count = 0;
        for field in layout.fields(line) {
            let value = number_or_gap(field, layout.decimal_comma).or_else(|| time::clock(field));
            match (values.get_mut(count), value) {
                (Some(column), Some(value)) => column.push(value),
                (None, Some(value)) if value.is_nan() => {}
                (_, None) => {
                    let shown: String = String::from_utf8_lossy(&field[..field.len().min(40)])
                        .escape_debug()
                        .collect();
                    return Err(ReadError::malformed(
                        file.base(),
                        format!("line {number}: `{shown}` is not a number"),
                    ));
                }
                (None, _) => {
                    return Err(ReadError::malformed(
                        file.base(),
                        format!(
                            "line {number} has more than the {} columns of the first",
                            layout.columns
                        ),
                    ));
                }
            }
            count += 1;
        }
        if count < layout.columns {
            return Err(ReadError::malformed(
                file.base(),
                format!(
                    "line {number} has {count} columns, the first line of numbers has {}",
                    layout.columns
                ),
            ));
        }
        let total = values[0].len() as u64 * layout.columns as u64;
        if total > limits.max_samples {
            return Err(ReadError::TooLarge {
                name: file.base().to_owned(),
                what: "samples",
                count: total,
                limit: limits.max_samples,
            });
        }
    }
    Ok(values)
}

/// Names and units from the header's last lines that have as many fields as there are columns.
fn columns(layout: &Layout) -> Vec<Column> {
    let rows: Vec<Vec<String>> = layout
        .header
        .iter()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields = layout.fields(line.as_bytes());
            fields
                .map(|field| String::from_utf8_lossy(field).into_owned())
                .collect()
        })
        .filter(|row: &Vec<String>| row.len() == layout.columns)
        .collect();
    let is_unit = |text: &String| {
        Unit::from_name(text).is_some()
            || seconds_of(text).is_some()
            || ["", "hh:mm:ss.mmm", "-"].contains(&text.as_str())
    };
    let (names, units) = match rows.as_slice() {
        [.., names, units]
            if units.iter().any(|unit| !unit.is_empty())
                && units.iter().filter(|unit| is_unit(unit)).count() * 2 >= units.len() =>
        {
            (Some(names), Some(units))
        }
        [.., names] => (Some(names), None),
        [] => (None, None),
    };
    (0..layout.columns)
        .map(|index| {
            let full = names.map_or_else(String::new, |names| names[index].clone());
            let (name, inner) = unit_in_name(&full);
            let unit = units
                .map(|units| units[index].trim_matches(['(', ')', '[', ']']).to_owned())
                .or(inner);
            column(name, unit, index)
        })
        .collect()
}

fn column(name: &str, unit: Option<String>, index: usize) -> Column {
    let lower = name.to_lowercase();
    if [
        "time",
        "elapsed time",
        "t",
        "seconds",
        "sec",
        "timestamp",
        "zeit",
        "temps",
        "tiempo",
    ]
    .contains(&lower.as_str())
    {
        let by_name = ["seconds", "sec"].contains(&lower.as_str()).then_some(1.0);
        let clock = unit.as_deref().is_some_and(|unit| unit.contains(':')).then_some(1.0);
        return Column::Time(unit.as_deref().and_then(seconds_of).or(by_name).or(clock));
    }
    if [
        "sample #",
        "sample",
        "samples",
        "point",
        "index",
        "n",
        "#",
        "sample interval",
    ]
    .contains(&lower.as_str())
    {
        return Column::Count;
    }
    let name = if name.is_empty() {
        format!("column {}", index + 1)
    } else {
        name.to_owned()
    };
    let voltage = unit.as_deref().and_then(Unit::from_name);
    let foreign = unit.filter(|unit| voltage.is_none() && !unit.is_empty() && unit != "-");
    Column::Lead {
        name,
        unit: voltage,
        foreign,
    }
}

/// `II (mV)` and `II [mV]` into name and unit.
fn unit_in_name(full: &str) -> (&str, Option<String>) {
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some(inner) = full.trim_end().strip_suffix(close)
            && let Some((name, unit)) = inner.rsplit_once(open)
        {
            return (name.trim(), Some(unit.trim().to_owned()));
        }
    }
    (full.trim(), None)
}

fn seconds_of(unit: &str) -> Option<f64> {
    match unit.trim().to_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => Some(1.0),
        "ms" | "msec" | "millisecond" | "milliseconds" => Some(1e-3),
        "us" | "\u{b5}s" | "microseconds" => Some(1e-6),
        _ => None,
    }
}

/// A first column without a name that counts evenly upwards is no lead: it is a time or a count.
fn refine(columns: &mut [Column], values: &[Vec<f64>]) {
    if let [Column::Lead { name, .. }, _, ..] = columns
        && name == "column 1"
        && values[0].len() > 8
        && time::rate(&values[0]).is_ok()
        && values[0].windows(2).all(|pair| pair[1] > pair[0])
    {
        let step = values[0][1] - values[0][0];
        columns[0] = if step == 1.0 { Column::Count } else { Column::Time(None) };
    }
}

/// The rate by the time column or a comment such as `# Sampling Rate (Hz):= 1000.00`.
fn rate_in_file(
    file: &NamedFile<'_>,
    layout: &Layout,
    columns: &[Column],
    values: &[Vec<f64>],
    hints: &Hints,
) -> Result<Option<f64>, ReadError> {
    for line in layout.header.iter().map(|line| line.to_lowercase()) {
        if let Some(after) = ["sampling rate", "sample rate", "sampling frequency"]
            .iter()
            .find_map(|key| line.split_once(key))
        {
            let number = after.1.trim_start_matches(|c: char| !c.is_ascii_digit());
            let end = number
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(number.len());
            if let Some(rate) = number[..end].parse::<f64>().ok().filter(|rate| *rate > 0.0) {
                return Ok(Some(rate));
            }
        }
    }
    let Some((index, scale)) = columns.iter().enumerate().find_map(|(index, column)| match column {
        Column::Time(scale) => Some((index, *scale)),
        _ => None,
    }) else {
        return Ok(None);
    };
    let per_unit = time::rate(&values[index]).map_err(|row| {
        let line = layout.first_line + row;
        ReadError::malformed(
            file.base(),
            format!("the times are not evenly spaced near line {line}; resample, or send the parts one by one"),
        )
    })?;
    match scale {
        Some(seconds) => Ok(Some(per_unit / seconds)),
        None if hints.sampling_rate_hz.is_some() => Ok(None),
        None => match ReadError::missing_rate(file.base()) {
            ReadError::MissingField {
                name,
                what,
                field,
                parameter,
                ..
            } => Err(ReadError::MissingField {
                name,
                what,
                field,
                parameter,
                guess: format!(
                    " (its time column has no unit: if it counts seconds the rate is {per_unit} Hz, if milliseconds {} Hz)",
                    per_unit * 1e3
                ),
            }),
            other => Err(other),
        },
    }
}
