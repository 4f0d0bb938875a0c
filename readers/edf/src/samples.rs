//! Samples out of the data records.

use crate::header::Header;
use crate::leads::Lead;
use crate::timeline::Timeline;

/// Fills a lead with millivolts; what no data record covers becomes NaN.
pub(crate) fn fill(out: &mut [f32], header: &Header<'_>, lead: &Lead, timeline: &Timeline) {
    if timeline.runs.len() > 1 {
        out.fill(f32::NAN);
    }
    let bytes = lead.per_record * header.width;
    for run in &timeline.runs {
        let records = header
            .data
            .chunks_exact(header.record_bytes)
            .skip(run.record)
            .take(run.records);
        let pieces = out
            .get_mut(run.start..)
            .unwrap_or_default()
            .chunks_exact_mut(lead.per_record);
        for (piece, record) in pieces.zip(records) {
            let stored = record[lead.offset..lead.offset + bytes].chunks_exact(header.width);
            for (sample, stored) in piece.iter_mut().zip(stored) {
                let digital = match stored {
                    [low, high] => i32::from(i16::from_le_bytes([*low, *high])),
                    [low, middle, high] => i32::from_le_bytes([0, *low, *middle, *high]) >> 8,
                    _ => continue,
                };
                *sample = lead.millivolts_of(f64::from(digital));
            }
        }
    }
}
