//! Rows of the Kaggle heartbeat set: 187 values of one beat, and in most files its class as a 188th.

use super::number::{Delimiter, cells, value};
use crate::beat::BeatClass;
use crate::readers::error::{ReadError, shown};
use crate::readers::files::stem_and_extension;
use crate::readers::{BeatRows, Limits};
use crate::recording::Flag;

/// Values of one beat.
const VALUES: usize = 187;
const COMMA: Delimiter = Delimiter::Byte(b',');

/// Whether the first line has as many comma-separated cells as a row of the set, the first of them a number.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64 * 1024)];
    let line = head
        .split(|b| *b == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default();
    let width = cells(line, COMMA).take(VALUES + 2).count();
    (VALUES..=VALUES + 1).contains(&width)
}

/// Reads all rows.
pub(super) fn read(file: &str, bytes: &[u8], limits: &Limits) -> Result<BeatRows, ReadError> {
    let mut rows: Vec<[f32; VALUES]> = Vec::new();
    let mut labels: Vec<BeatClass> = Vec::new();
    let mut outside = 0_usize;
    let mut width = None;
    let mut first = true;
    for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let number = index + 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if std::mem::take(&mut first) && is_title(line) {
            continue;
        }
        let mut row = [0.0_f32; VALUES];
        let mut count = 0;
        let mut label = None;
        for cell in cells(line, COMMA) {
            let sample = fast_float2::parse::<f32, _>(cell)
                .ok()
                .or_else(|| value(cell, false).map(|v| v as f32));
            let Some(sample) = sample.filter(|sample| sample.is_finite()) else {
                let what = format!("the text in column {} is not a number", count + 1);
                return Err(ReadError::malformed(file, number, what));
            };
            match row.get_mut(count) {
                Some(place) => *place = sample,
                None => label = Some(sample),
            }
            count += 1;
            if count > VALUES + 1 {
                break;
            }
        }
        if *width.get_or_insert(count) != count || !(VALUES..=VALUES + 1).contains(&count) {
            let what = format!("{count} values where a beat has {VALUES}, and its class as one more");
            return Err(ReadError::malformed(file, number, what));
        }
        if let Some(label) = label {
            let class = BeatClass::ALL
                .iter()
                .enumerate()
                .find(|(code, _)| *code as f32 == label);
            let Some((_, class)) = class else {
                let what = format!("the class {label} in column 188 is none of 0 to 4 (N S V F Q)");
                return Err(ReadError::malformed(file, number, what));
            };
            labels.push(*class);
        }
        outside += usize::from(!row.iter().all(|sample| (-1e-6..=1.000_001).contains(sample)));
        rows.push(row);
        if rows.len() as u64 * VALUES as u64 > limits.max_samples {
            return Err(ReadError::TooLarge {
                file: shown(file),
                what: format!("there are more than {} rows of {VALUES} values", rows.len() - 1),
                limit: limits.max_samples,
            });
        }
    }
    if rows.is_empty() {
        return Err(ReadError::EmptyFile { file: shown(file) });
    }
    let mut flags = vec![Flag {
        code: "origin_unknown".into(),
        detail: "Rows of 187 values carry no recorder, lead or sampling rate; they are taken as they are.".to_owned(),
    }];
    if outside > 0 {
        flags.push(Flag {
            code: "value_out_of_range".into(),
            detail: format!("{outside} rows have values outside 0 to 1, so they were not scaled as the set is."),
        });
    }
    Ok(BeatRows {
        name: stem_and_extension(file).0.to_owned(),
        labels: (width == Some(VALUES + 1)).then_some(labels),
        rows,
        flags,
    })
}

/// Whether a first line names the columns: by words, or by counting them.
fn is_title(line: &[u8]) -> bool {
    let mut cells = cells(line, COMMA).map(|cell| value(cell, false));
    let counting = |from: f64| move |(index, cell): (usize, Option<f64>)| cell.is_none_or(|v| v == from + index as f64);
    let all: Vec<_> = cells.by_ref().take(VALUES).collect();
    all.iter().all(Option::is_none)
        || all.iter().copied().enumerate().all(counting(0.0))
        || all.iter().copied().enumerate().all(counting(1.0))
}
