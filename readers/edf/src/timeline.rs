//! Where data records lie in time: one after the other, or (`EDF+D`, `BDF+D`) where their onsets say.

use crate::Note;
use crate::header::{Header, Signal};
use einthoven_plugin_sdk::Failure;

/// Gaps are filled with NaN; together they may last an hour, or ten times what was recorded if that is longer.
const GAPS_S: f64 = 3600.0;
const GAPS_SHARE: f64 = 10.0;

/// The data records in time.
pub(crate) struct Timeline {
    /// Runs of data records without a gap between them, in order.
    pub(crate) runs: Vec<Run>,
    /// Samples per lead, gaps included.
    pub(crate) samples: usize,
    /// What is to be said about gaps.
    pub(crate) note: Option<Note>,
}

/// Data records that follow each other without a gap.
pub(crate) struct Run {
    /// Index of the first data record.
    pub(crate) record: usize,
    /// How many.
    pub(crate) records: usize,
    /// The sample its first sample becomes.
    pub(crate) start: usize,
}

impl Timeline {
    pub(crate) fn of(header: &Header<'_>, records: usize, per_record: usize, rate: f64) -> Result<Self, Failure> {
        let mut runs = vec![Run {
            record: 0,
            records,
            start: 0,
        }];
        let recorded = records * per_record;
        if !header.discontinuous {
            return Ok(Self {
                runs,
                samples: recorded,
                note: None,
            });
        }
        let Some(annotations) = header.signals.iter().find(|signal| signal.is_annotations()) else {
            return Err(header.bad(
                "header",
                "the file says it has gaps (EDF+D) and has no annotations signal to say where",
            ));
        };
        let record_s = per_record as f64 / rate;
        let bound = GAPS_S.max(GAPS_SHARE * recorded as f64 / rate);
        let mut gaps_s = 0.0;
        let mut samples = per_record;
        let mut previous = onset(header, annotations, 0)?;
        for record in 1..records {
            let place = || format!("data record {record}");
            let now = onset(header, annotations, record)?;
            // Onsets are rounded when written: less than a sample is no gap.
            let gap = now - previous - record_s;
            previous = now;
            if gap * rate < -1.0 {
                return Err(header.bad(&place(), "it starts before the data record in front of it ends"));
            }
            if gap * rate >= 1.0 {
                gaps_s += gap;
                if gaps_s > bound {
                    let what = format!(
                        "the gaps up to here last {gaps_s:.0} s, and at most {bound:.0} s are filled; split the \
                         recording at its gaps"
                    );
                    return Err(header.bad(&place(), &what));
                }
                samples = samples.saturating_add((gap * rate).round() as usize);
                let last = runs.len() - 1;
                runs[last].records = record - runs[last].record;
                runs.push(Run {
                    record,
                    records: records - record,
                    start: samples,
                });
            }
            samples = samples.saturating_add(per_record);
        }
        let gaps = runs.len() - 1;
        let note = (gaps > 0).then(|| Note {
            code: "gaps",
            detail: format!(
                "{}: {gaps} gaps of {gaps_s:.1} s together lie between the data records; their samples are marked \
                 invalid.",
                header.file
            ),
        });
        Ok(Self { runs, samples, note })
    }
}

/// Seconds from the file's start at which a data record starts: the first entry of its annotations.
fn onset(header: &Header<'_>, annotations: &Signal<'_>, record: usize) -> Result<f64, Failure> {
    let start = record * header.record_bytes + annotations.offset;
    let bytes = &header.data[start..start + annotations.per_record * header.width];
    seconds(bytes).ok_or_else(|| {
        header.bad(
            &format!("data record {record}"),
            "its annotations do not start with the time at which it starts",
        )
    })
}

/// `+1.5` followed by the mark that ends an onset (0x14), or the one that starts a duration (0x15).
fn seconds(annotations: &[u8]) -> Option<f64> {
    // Longer than any time written to be read.
    const LONGEST: usize = 32;
    let end = annotations
        .iter()
        .take(LONGEST)
        .position(|byte| matches!(byte, 0x14 | 0x15))?;
    let raw = &annotations[..end];
    matches!(raw.first()?, b'+' | b'-')
        .then(|| crate::field::number(raw))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn onsets_are_signed_numbers_with_their_mark() {
        assert_eq!(seconds(b"+0\x14\x14\0"), Some(0.0));
        assert_eq!(seconds(b"-1.25\x1510\x14\x14\0"), Some(-1.25));
        assert_eq!(seconds(b"+12,5\x14\x14\0"), Some(12.5));
        for wrong in [
            &b""[..],
            b"+5",
            b"5\x14",
            b"\0\0\0\0",
            b"+\x14",
            b"+nan\x14",
            b"\x14+1\x14",
        ] {
            assert_eq!(seconds(wrong), None, "{}", wrong.escape_ascii());
        }
    }
}
