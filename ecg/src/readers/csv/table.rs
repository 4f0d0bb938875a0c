//! The rows of a table, read in one pass.

use super::columns::Role;
use super::head::Head;
use super::number::{Delimiter, cells, seconds, value};
use crate::readers::Limits;
use crate::readers::error::{ReadError, shown};

/// The samples of the lead columns and the values of the time column.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) leads: Vec<Vec<f32>>,
    /// As printed, clock times in seconds and unrolled over midnight; empty without a time column.
    pub(super) times: Vec<f64>,
}

/// Reads all rows. `factors` are millivolts per unit of each lead column.
pub(super) fn read(
    file: &str,
    bytes: &[u8],
    head: &Head,
    roles: &[Role],
    factors: &[f64],
    limits: &Limits,
) -> Result<Table, ReadError> {
    let mut table = Table {
        leads: vec![Vec::new(); factors.len()],
        times: Vec::new(),
    };
    let mut rows = 0_u64;
    let most = limits.max_samples / (factors.len().max(1) as u64);
    let mut rest = &bytes[head.data_at..];
    let mut number = head.data_line;
    let fast = match head.delimiter {
        Delimiter::Byte(byte) => Some(byte),
        Delimiter::Blanks | Delimiter::None => None,
    };
    while !rest.is_empty() {
        if let Some(after) = fast.and_then(|byte| fast_row(rest, byte, roles, factors, &mut table)) {
            rest = after;
        } else {
            let end = rest.iter().position(|b| *b == b'\n');
            let line = &rest[..end.unwrap_or(rest.len())];
            rest = end.map_or(&[], |end| &rest[end + 1..]);
            let trimmed = line.trim_ascii();
            if trimmed.is_empty() || trimmed.starts_with(b"#") {
                number += 1;
                continue;
            }
            slow_row(file, number, line, head, roles, factors, &mut table)?;
        }
        number += 1;
        rows += 1;
        if rows > most {
            return Err(ReadError::TooLarge {
                file: shown(file),
                what: format!("there are more than {most} rows of {} leads", factors.len()),
                limit: limits.max_samples,
            });
        }
    }
    Ok(table)
}

/// Reads a row of plain numbers, or nothing: then the row is left for [`slow_row`] and nothing was added.
#[inline]
fn fast_row<'b>(
    bytes: &'b [u8],
    delimiter: u8,
    roles: &[Role],
    factors: &[f64],
    table: &mut Table,
) -> Option<&'b [u8]> {
    let mut rest = bytes;
    let mut lead = 0;
    let mut done = 0;
    let complete = loop {
        let role = roles[done];
        let consumed = match role {
            Role::Time => match fast_float2::parse_partial::<f64, _>(rest) {
                Ok((time, consumed)) if time.is_finite() => {
                    table.times.push(time);
                    consumed
                }
                _ => break false,
            },
            Role::Lead => match fast_float2::parse_partial::<f64, _>(rest) {
                Ok((number, consumed)) => {
                    let sample = (number * factors[lead]) as f32;
                    table.leads[lead].push(if sample.is_finite() { sample } else { f32::NAN });
                    lead += 1;
                    consumed
                }
                Err(_) => break false,
            },
            Role::Skip => match rest
                .iter()
                .position(|b| *b == delimiter || matches!(b, b'\n' | b'\r' | b'"'))
            {
                Some(end) if rest[end] != b'"' => end,
                _ => break false,
            },
        };
        done += 1;
        rest = &rest[consumed..];
        match rest {
            [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] if done == roles.len() => {
                rest = after;
                break true;
            }
            [byte, after @ ..] if *byte == delimiter && done < roles.len() => rest = after,
            _ => break false,
        }
    };
    if complete {
        return Some(rest);
    }
    // Take back what this row added.
    for samples in table.leads.iter_mut().take(lead) {
        samples.pop();
    }
    if roles[..roles.len().min(done + 1)].contains(&Role::Time) {
        let rows = table.leads.first().map_or(0, Vec::len);
        table.times.truncate(rows);
    }
    None
}

fn slow_row(
    file: &str,
    number: usize,
    line: &[u8],
    head: &Head,
    roles: &[Role],
    factors: &[f64],
    table: &mut Table,
) -> Result<(), ReadError> {
    let mut lead = 0;
    let mut width = 0;
    for cell in cells(line, head.delimiter) {
        let unreadable = || {
            // The text itself is not repeated: it may be a name.
            ReadError::malformed(
                file,
                number,
                format!("the text in column {} is not a number", width + 1),
            )
        };
        match roles.get(width) {
            Some(Role::Lead) => {
                let number = value(cell, head.decimal_comma).ok_or_else(unreadable)?;
                let sample = (number * factors[lead]) as f32;
                table.leads[lead].push(if sample.is_finite() { sample } else { f32::NAN });
                lead += 1;
            }
            Some(Role::Time) => {
                let mut time = seconds(cell, head.decimal_comma).ok_or_else(unreadable)?;
                // A clock starts again at midnight.
                if let Some(last) = table.times.last()
                    && time < *last
                    && cell.contains(&b':')
                {
                    time += ((last - time) / 86_400.0).ceil() * 86_400.0;
                }
                table.times.push(time);
            }
            Some(Role::Skip) => {}
            None if cell.is_empty() => continue,
            None => {}
        }
        width += 1;
    }
    if width != roles.len() {
        return Err(ReadError::malformed(
            file,
            number,
            format!("there are {width} cells where the first row has {}", roles.len()),
        ));
    }
    Ok(())
}
