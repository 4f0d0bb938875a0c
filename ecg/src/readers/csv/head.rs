//! The first lines of a table: how its cells are separated, what its columns are called, and what it says about
//! itself.
//!
//! Of the lines above the samples only a sampling rate, a unit, lead names and column names are kept. Everything else
//! there (name, date of birth, symptoms, device) is read by nobody.

use super::number::{Delimiter, bare, cells, seconds, value};
use super::unit_name;
use crate::readers::Unit;
use crate::readers::error::{ReadError, shown};
use crate::recording::StandardLead;

/// Bytes in which the first row of numbers must begin.
const HEAD_BYTES: usize = 64 * 1024;
/// Lines in which the first row of numbers must begin.
const HEAD_LINES: usize = 256;
/// Columns of the widest table that is looked at.
const MAX_COLUMNS: usize = 1024;

/// What the head of a table says.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) format: &'static str,
    pub(super) delimiter: Delimiter,
    pub(super) decimal_comma: bool,
    /// Byte offset of the first row of numbers, and its line number from 1.
    pub(super) data_at: usize,
    pub(super) data_line: usize,
    /// Which columns of the first row hold numbers or times (text columns are left out).
    pub(super) numeric: Vec<bool>,
    /// Column names, where there is a line of them.
    pub(super) names: Option<Vec<String>>,
    /// The line of units under the names, where there is one.
    pub(super) units: Option<Vec<String>>,
    pub(super) rate_hz: Option<f64>,
    pub(super) unit: Option<Unit>,
    /// A lead name that stands by itself, above a single column.
    pub(super) lead: Option<String>,
    /// Whether the first of several columns increases evenly over the first rows, as no lead does.
    pub(super) counts_first: bool,
}

/// Whether the first column increases evenly over the first rows: a count or a time.
fn counts_first(rows: &[u8], shape: &Shape) -> bool {
    let column: Option<Vec<f64>> = rows[..rows.len().min(HEAD_BYTES)]
        .split_inclusive(|b| *b == b'\n')
        .filter(|line| line.ends_with(b"\n"))
        .take(64)
        .map(|line| seconds(cells(line, shape.delimiter).next()?, shape.decimal_comma))
        .collect();
    let Some(column) = column.filter(|column| column.len() >= 16 && shape.numeric.len() > 1) else {
        return false;
    };
    let (least, most) = column
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), step| {
            (least.min(step), most.max(step))
        });
    // Printed to milliseconds, the steps at 360 Hz are 2 and 3.
    least > 0.0 && most <= 2.5 * least
}

/// Reads the head of a table.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Head, ReadError> {
    let mut at = 0;
    let mut above: Vec<&[u8]> = Vec::new();
    for number in 1..=HEAD_LINES {
        let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty() && at < HEAD_BYTES) else {
            break;
        };
        let line_end = rest.iter().take(HEAD_BYTES).position(|b| *b == b'\n');
        let line = &rest[..line_end.unwrap_or(rest.len().min(HEAD_BYTES))];
        check_width(file, number, line)?;
        if line_end.is_none() && rest.len() > HEAD_BYTES {
            return Err(ReadError::TooLarge {
                file: shown(file),
                what: format!("line {number} is longer than {HEAD_BYTES} bytes"),
                limit: HEAD_BYTES as u64,
            });
        }
        let comment = matches!(line.trim_ascii().first(), None | Some(b'#' | b'%'));
        if !comment && let Some(shape) = shape(line, &above) {
            let counts_first = counts_first(rest, &shape);
            return Ok(describe(shape, &above, at, number, counts_first));
        }
        above.push(line);
        at += line.len() + 1;
    }
    Err(ReadError::NotAnEcg {
        file: shown(file),
        found: "there is no row of numbers at its beginning".to_owned(),
    })
}

fn check_width(file: &str, number: usize, line: &[u8]) -> Result<(), ReadError> {
    let delimiters = line.iter().filter(|b| matches!(b, b',' | b';' | b'\t')).count();
    if delimiters < MAX_COLUMNS {
        return Ok(());
    }
    Err(ReadError::TooLarge {
        file: shown(file),
        what: format!(
            "line {number} has over {delimiters} columns (one row per sample and one column per lead are expected; \
             turn a table round that has its samples in a row)"
        ),
        limit: MAX_COLUMNS as u64,
    })
}

struct Shape {
    delimiter: Delimiter,
    decimal_comma: bool,
    numeric: Vec<bool>,
}

/// How a line must be cut to be a row of numbers, if it is one.
fn shape(line: &[u8], above: &[&[u8]]) -> Option<Shape> {
    let comma = Delimiter::Byte(b',');
    // `-265,868` under a head of one column is one number with a decimal comma.
    let lone = matches!(cells(line, comma).count(), 1 | 2);
    if lone && value(line, true).is_some() && value(line, false).is_none() && one_column(above) {
        return Some(Shape {
            delimiter: Delimiter::None,
            decimal_comma: true,
            numeric: vec![true],
        });
    }
    for (delimiter, may_have_comma) in [
        (Delimiter::Byte(b'\t'), true),
        (Delimiter::Byte(b';'), true),
        (comma, false),
        (Delimiter::Blanks, true),
    ] {
        let row: Vec<&[u8]> = cells(line, delimiter).collect();
        if row.len() < 2 && delimiter != comma {
            continue;
        }
        let numeric: Vec<bool> = row.iter().map(|cell| seconds(cell, may_have_comma).is_some()).collect();
        let filled = row.iter().filter(|cell| !bare(cell).is_empty()).count();
        let numbers = row
            .iter()
            .filter(|cell| seconds(cell, may_have_comma).is_some_and(|number| !number.is_nan()))
            .count();
        // `Recorded Date,2024-01-02 03:04:05` is a statement; a row of samples begins with a number or a time.
        let begins = row
            .iter()
            .zip(&numeric)
            .find(|(cell, _)| !bare(cell).is_empty())
            .is_some_and(|(_, numeric)| *numeric);
        if begins && numbers > 0 && 2 * numbers >= filled {
            return Some(Shape {
                delimiter,
                decimal_comma: may_have_comma,
                numeric,
            });
        }
    }
    None
}

/// Whether the lines above describe a single column: the last of them has one cell, or the file states a rate and a
/// unit for itself (Apple Watch).
fn one_column(above: &[&[u8]]) -> bool {
    let (rate, unit, _) = statements(above);
    let last = above.iter().rev().find(|line| !line.trim_ascii().is_empty());
    (rate.is_some() && unit.is_some())
        || last.is_some_and(|line| cells(line, Delimiter::Byte(b',')).count() == 1 && !line.starts_with(b"#"))
}

fn describe(shape: Shape, above: &[&[u8]], data_at: usize, data_line: usize, counts_first: bool) -> Head {
    let (rate_hz, unit, lead) = statements(above);
    let columns = shape.numeric.len();
    let mut titles: Vec<Vec<String>> = above
        .iter()
        .rev()
        .map(|line| line.trim_ascii())
        .filter(|line| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"%"))
        .take(2)
        .map(|line| row_of_text(line, shape.delimiter, columns))
        .take_while(|row| row.len() == columns)
        .collect();
    // A statement such as `Unit,mV` above two columns is no row of titles.
    let stated = rate_hz.is_some() && (unit.is_some() || lead.is_some());
    if stated && columns <= 2 {
        titles.clear();
    }
    let units = match titles.first() {
        Some(row) if titles.len() == 2 && is_unit_row(row) => Some(titles.remove(0)),
        _ => None,
    };
    let names = (!titles.is_empty()).then(|| titles.swap_remove(0));
    let comment = |mark: &[u8]| {
        above
            .iter()
            .any(|line| line.windows(mark.len()).any(|part| part == mark))
    };
    let format = if stated && columns == 1 && !comment(b":=") {
        "csv-apple-watch"
    } else if comment(b":=") {
        "text-biosppy"
    } else if comment(b"'Elapsed time'") || comment(b"'sample #'") {
        "csv-rdsamp"
    } else {
        "csv"
    };
    Head {
        format,
        delimiter: shape.delimiter,
        decimal_comma: shape.decimal_comma,
        data_at,
        data_line,
        numeric: shape.numeric,
        names,
        units,
        rate_hz,
        unit,
        lead,
        counts_first,
    }
}

fn text(bytes: &[u8]) -> String {
    // Latin-1 has the micro sign in one byte, which is no UTF-8.
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
    }
}

fn row_of_text(line: &[u8], delimiter: Delimiter, columns: usize) -> Vec<String> {
    let mut row: Vec<String> = cells(line, delimiter).map(|cell| text(bare(cell))).collect();
    if row.len() == columns + 1 && row.last().is_some_and(String::is_empty) {
        row.pop();
    }
    row
}

/// Whether most cells are units or words for the unit of a time or a count.
fn is_unit_row(row: &[String]) -> bool {
    let known = row
        .iter()
        .filter(|cell| {
            let bare = cell.trim_matches(['(', ')', '[', ']', ' ']).to_lowercase();
            unit_name(cell).is_some() || bare.contains("sec") || matches!(bare.as_str(), "s" | "ms" | "hh:mm:ss.mmm")
        })
        .count();
    2 * known >= row.len() && known > 0
}

/// A sampling rate, a unit and a lead name stated above the samples, as `key,value`, `key: value` or `key:= value`.
///
/// The keys are in the language of the phone that wrote the file, so values are recognised by what they are.
fn statements(above: &[&[u8]]) -> (Option<f64>, Option<Unit>, Option<String>) {
    let (mut rate, mut unit, mut lead) = (None, None, None);
    for line in above {
        let line = text(line);
        let line = line.trim().trim_start_matches(['#', '%', ' ']);
        let Some((key, value)) = [":=", ";", ",", "\t", ":", "="]
            .iter()
            .find_map(|mark| line.split_once(mark))
        else {
            continue;
        };
        let key = key.trim_matches(['"', '\'', ' ']).to_lowercase();
        let value = value.trim_matches(['"', '\'', ' ', ';', ',']);
        if rate.is_none() {
            rate = stated_rate(&key, value);
            if rate.is_some() {
                continue;
            }
        }
        // A bare `V` could be a lead.
        if let Some(found) = unit_name(value)
            && (found != Unit::Volt || key.contains("unit"))
        {
            unit = unit.or(Some(found));
        } else if rate.is_some() || key.contains("lead") || key.contains("label") {
            let last = value.split_whitespace().last().unwrap_or_default();
            if StandardLead::from_name(last).is_some() && value.split_whitespace().count() <= 2 {
                lead = lead.or(Some(last.to_owned()));
            }
        }
    }
    (rate, unit, lead)
}

fn stated_rate(key: &str, value: &str) -> Option<f64> {
    let filter = ["filter", "pass", "cut", "band", "mains", "notch", "heart"];
    if filter.iter().any(|word| key.contains(word)) {
        return None;
    }
    let end = value
        .find(|c: char| !matches!(c, '0'..='9' | '.' | ',' | ' '))
        .unwrap_or(value.len());
    let (number, rest) = value.split_at(end);
    let rest = rest.trim().to_lowercase();
    let named = ["sampl", "abtast", "messrate"].iter().any(|word| key.contains(word)) || key == "fs" || key == "rate";
    // Hertz as phones write it in their languages: hertz, hercios, herc, hercow, and in other scripts.
    let hertz = [
        "hz",
        "her",
        "\u{433}\u{435}\u{440}\u{446}",
        "\u{8d6b}",
        "\u{30d8}\u{30eb}\u{30c4}",
        "\u{d5e4}\u{b974}",
    ];
    let in_hertz = hertz.iter().any(|word| rest.starts_with(word));
    if !(in_hertz || (named && rest.is_empty())) {
        return None;
    }
    let number = number.trim().replace(',', ".");
    number.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
}
