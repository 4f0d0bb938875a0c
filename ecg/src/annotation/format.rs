//! MIT annotation files: 16-bit little-endian words of a code (six bits) and an interval (ten bits); annot(5).

use super::{Annotation, code};

const SKIP: u8 = 59;
const NUM: u8 = 60;
const SUB: u8 = 61;
const CHN: u8 = 62;
const AUX: u8 = 63;

/// Longest interval that fits a word.
const LONGEST: i64 = 1023;

/// Why bytes are no annotation file, or annotations cannot be written as one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnnotationError {
    /// The file ends in the middle.
    #[error("the annotation file is cut off at byte {at}")]
    Truncated {
        /// Byte.
        at: usize,
    },
    /// A modifier with nothing to modify, or a time before the start.
    #[error("the annotation file is damaged at byte {at}: {why}")]
    Malformed {
        /// Byte.
        at: usize,
        /// What.
        why: &'static str,
    },
    /// Not in order of time, a code that is none, or a text of over 255 bytes.
    #[error("annotation {index} cannot be written: {why}")]
    Unwritable {
        /// Which.
        index: usize,
        /// What.
        why: &'static str,
    },
}

/// Reads an annotation file.
///
/// # Errors
/// [`AnnotationError`] naming the byte at which the file stops making sense.
pub fn decode(bytes: &[u8]) -> Result<Vec<Annotation>, AnnotationError> {
    let mut annotations: Vec<Annotation> = Vec::new();
    let (mut at, mut time, mut channel, mut number) = (0_usize, 0_i64, 0_u8, 0_i8);
    loop {
        let word = word_at(bytes, at)?;
        if word == 0 {
            return Ok(annotations);
        }
        let (kind, interval) = ((word >> 10) as u8, word & 0x3ff);
        at += 2;
        let modified = annotations.last_mut().ok_or(AnnotationError::Malformed {
            at,
            why: "a modifier comes first",
        });
        match kind {
            SKIP => {
                // PDP-11 order: the high word first.
                let (high, low) = (word_at(bytes, at)?, word_at(bytes, at + 2)?);
                at += 4;
                time += i64::from((u32::from(high) << 16 | u32::from(low)) as i32);
            }
            NUM => {
                number = interval as u8 as i8;
                modified?.number = number;
            }
            SUB => modified?.subtype = interval as u8 as i8,
            CHN => {
                channel = interval as u8;
                modified?.channel = channel;
            }
            AUX => {
                let length = usize::from(interval);
                let text = bytes.get(at..at + length).ok_or(AnnotationError::Truncated { at })?;
                // Readers of C strings write a terminator; it is no part of the text.
                modified?.aux = text.strip_suffix(&[0]).unwrap_or(text).to_vec();
                at += length.next_multiple_of(2);
            }
            50..=58 => {
                return Err(AnnotationError::Malformed {
                    at,
                    why: "a reserved code",
                });
            }
            code => {
                time += i64::from(interval);
                let sample = u64::try_from(time).map_err(|_| AnnotationError::Malformed {
                    at,
                    why: "a time before the start",
                })?;
                annotations.push(Annotation {
                    sample,
                    code,
                    channel,
                    number,
                    ..Annotation::default()
                });
            }
        }
    }
}

fn word_at(bytes: &[u8], at: usize) -> Result<u16, AnnotationError> {
    match bytes.get(at..at + 2) {
        Some(&[low, high]) => Ok(u16::from_le_bytes([low, high])),
        _ => Err(AnnotationError::Truncated { at }),
    }
}

/// Writes an annotation file.
///
/// # Errors
/// [`AnnotationError::Unwritable`] for annotations out of order, codes that are none, and texts of over 255 bytes.
pub fn encode(annotations: &[Annotation]) -> Result<Vec<u8>, AnnotationError> {
    let mut bytes = Vec::with_capacity(2 * annotations.len() + 2);
    let mut put = |kind: u8, value: u16| bytes.extend_from_slice(&(u16::from(kind) << 10 | value).to_le_bytes());
    let (mut time, mut channel, mut number) = (0_i64, 0_u8, 0_i8);
    for (index, annotation) in annotations.iter().enumerate() {
        let refuse = |why| AnnotationError::Unwritable { index, why };
        if !(1..50).contains(&annotation.code) {
            return Err(refuse("its code is not between 1 and 49"));
        }
        if annotation.aux.len() > 255 || annotation.aux.last() == Some(&0) {
            return Err(refuse("its text has over 255 bytes or ends in a zero byte"));
        }
        let sample = i64::try_from(annotation.sample).map_err(|_| refuse("its time is too large"))?;
        let mut interval = sample - time;
        if interval < 0 {
            return Err(refuse("it lies before the one in front of it"));
        }
        while interval > LONGEST {
            let step = interval.min(i64::from(i32::MAX));
            put(SKIP, 0);
            put((step as u32 >> 26) as u8, (step as u32 >> 16 & 0x3ff) as u16);
            put((step as u32 >> 10 & 0x3f) as u8, (step as u32 & 0x3ff) as u16);
            interval -= step;
        }
        put(annotation.code, interval as u16);
        time = sample;
        if annotation.subtype != 0 {
            put(SUB, u16::from(annotation.subtype as u8));
        }
        if annotation.channel != channel {
            channel = annotation.channel;
            put(CHN, u16::from(channel));
        }
        if annotation.number != number {
            number = annotation.number;
            put(NUM, u16::from(number as u8));
        }
        if !annotation.aux.is_empty() {
            put(AUX, annotation.aux.len() as u16);
            for pair in annotation.aux.chunks(2) {
                let word = u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
                put((word >> 10) as u8, word & 0x3ff);
            }
        }
    }
    put(0, 0);
    Ok(bytes)
}

/// Ticks a second of the annotation file itself, where it says so in a note at its start.
#[must_use]
pub fn time_resolution(annotations: &[Annotation]) -> Option<f64> {
    annotations
        .iter()
        .take_while(|annotation| annotation.sample == 0)
        .filter(|annotation| annotation.code == code::COMMENT)
        .find_map(|annotation| {
            std::str::from_utf8(&annotation.aux)
                .ok()?
                .strip_prefix("## time resolution:")?
                .trim()
                .parse()
                .ok()
        })
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn annotation()(
            gap in prop_oneof![0_u64..1100, 0_u64..10_000_000_000],
            code in 1_u8..50, subtype: i8, channel in 0_u8..4, number: i8,
            aux in proptest::collection::vec(1_u8..=255, 0..20),
        ) -> (u64, Annotation) {
            (gap, Annotation { sample: 0, code, subtype, channel, number, aux })
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(gaps in proptest::collection::vec(annotation(), 0..30)) {
            let mut time = 0;
            let annotations: Vec<_> = gaps.into_iter().map(|(gap, annotation)| {
                time += gap;
                Annotation { sample: time, ..annotation }
            }).collect();
            prop_assert_eq!(decode(&encode(&annotations).unwrap()).unwrap(), annotations);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused_by_its_index() {
        let beat = |sample, code| Annotation {
            sample,
            code,
            ..Annotation::default()
        };
        for bad in [
            vec![beat(5, 1), beat(4, 1)],
            vec![beat(0, 1), beat(1, 50)],
            vec![beat(0, 1), beat(1, 0)],
        ] {
            assert!(matches!(
                encode(&bad),
                Err(AnnotationError::Unwritable { index: 1, .. })
            ));
        }
        let note = Annotation {
            code: code::COMMENT,
            aux: b"## time resolution: 1000".to_vec(),
            ..Annotation::default()
        };
        assert_eq!(time_resolution(&[note]), Some(1000.0));
    }
}
