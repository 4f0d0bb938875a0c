//! Rows of the Kaggle heartbeat set: 187 values of one beat, and its class in the 188th.

use super::layout::{Layout, number_or_gap};
use super::lines;
use crate::beat::BeatClass;
use crate::readers::{BeatRows, Limits, NamedFile, ReadError};
use crate::recording::Flag;

const VALUES: usize = 187;

/// Whether a table of so many columns is one of these.
pub(super) fn is_row_width(columns: usize) -> bool {
    columns == VALUES || columns == VALUES + 1
}

pub(super) fn read(
    file: &NamedFile<'_>,
    bytes: &[u8],
    layout: &Layout,
    limits: &Limits,
) -> Result<BeatRows, ReadError> {
    let mut rows = Vec::new();
    let mut labels = Vec::new();
    for (number, line) in lines(bytes)
        .skip(layout.first_line - 1)
        .filter(|(_, line)| !line.is_empty())
    {
        let wrong = |why: String| ReadError::malformed(file.base(), format!("line {number}: {why}"));
        let mut row = [0.0_f32; VALUES];
        let mut columns = 0;
        for field in layout.fields(line) {
            let value = number_or_gap(field, layout.decimal_comma)
                .filter(|value| value.is_finite())
                .ok_or_else(|| wrong(format!("value {} is not a number", columns + 1)))?;
            if columns < VALUES {
                row[columns] = value as f32;
            } else if columns == VALUES {
                let class = [0.0, 1.0, 2.0, 3.0, 4.0].iter().position(|label| *label == value);
                let class = class.ok_or_else(|| wrong("the class in column 188 must be 0, 1, 2, 3 or 4".to_owned()))?;
                labels.push(BeatClass::ALL[class]);
            }
            columns += 1;
        }
        if columns != layout.columns {
            return Err(wrong(format!("{columns} values, the first row has {}", layout.columns)));
        }
        rows.push(row);
        if (rows.len() * VALUES) as u64 > limits.max_samples {
            return Err(ReadError::TooLarge {
                name: file.base().to_owned(),
                what: "samples",
                count: (rows.len() * VALUES) as u64,
                limit: limits.max_samples,
            });
        }
    }
    let detail = "rows hold one beat each; which recorder, lead and patient they come from is not known";
    let flags = vec![Flag {
        code: "origin_unknown",
        detail: detail.to_owned(),
    }];
    let labels = (layout.columns > VALUES).then_some(labels);
    Ok(BeatRows {
        name: file.stem().to_owned(),
        rows,
        labels,
        flags,
    })
}
