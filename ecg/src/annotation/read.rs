//! Reading MIT annotation files (`annot(5)` of the WFDB library).
//!
//! A file is a row of little-endian 16-bit words, six bits of code above ten bits of value. Words that modify an
//! annotation follow it.

use super::Annotation;
use thiserror::Error;

pub(super) const SKIP: u8 = 59;
pub(super) const NUM: u8 = 60;
pub(super) const SUB: u8 = 61;
pub(super) const CHN: u8 = 62;
pub(super) const AUX: u8 = 63;
/// The last code an annotation may have.
pub(super) const LAST_CODE: u8 = 49;
/// Samples beyond this are refused: 2^40 is 34 years at 1000 Hz.
pub(super) const LAST_SAMPLE: u64 = 1 << 40;

/// Why bytes are not an annotation file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file ends before its end mark.
    #[error("the annotation file ends at byte {offset} before its end mark; send the whole file")]
    Truncated {
        /// Where more bytes were expected.
        offset: u64,
    },
    /// A code that no annotation has.
    #[error("the annotation code {code} at byte {offset} does not exist; this is no MIT annotation file")]
    UnknownCode {
        /// The code.
        code: u8,
        /// Where it stands.
        offset: u64,
    },
    /// A modifier with nothing before it to modify.
    #[error("the annotation file begins with a modifier at byte {offset}; this is no MIT annotation file")]
    NothingToModify {
        /// Where it stands.
        offset: u64,
    },
    /// A time before the record's start or beyond 2^40 samples.
    #[error("the annotation time {sample} at byte {offset} lies outside any record; this is no MIT annotation file")]
    TimeOutOfRange {
        /// The time in samples.
        sample: i64,
        /// Where it stands.
        offset: u64,
    },
}

impl DecodeError {
    /// The byte the error is about.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self {
            Self::Truncated { offset }
            | Self::UnknownCode { offset, .. }
            | Self::NothingToModify { offset }
            | Self::TimeOutOfRange { offset, .. } => *offset,
        }
    }
}

/// Reads an annotation file. Samples count in the file's own time resolution
/// ([`time_resolution`](super::time_resolution)), which is the record's frame rate where the file states none.
///
/// Channel and number hold from one annotation to the next, the subtype does not, as `annot(5)` says.
///
/// # Errors
///
/// [`DecodeError`] names the byte.
pub fn decode(bytes: &[u8]) -> Result<Vec<Annotation>, DecodeError> {
    let mut annotations: Vec<Annotation> = Vec::new();
    let mut at = 0_usize;
    let mut time = 0_i64;
    let (mut channel, mut number) = (0_u8, 0_i8);
    let word_at = |at: usize| match bytes.get(at..at + 2) {
        Some(&[low, high]) => Ok(u16::from_le_bytes([low, high])),
        _ => Err(DecodeError::Truncated {
            offset: bytes.len() as u64,
        }),
    };
    loop {
        let offset = at as u64;
        let word = word_at(at)?;
        at += 2;
        let (code, value) = ((word >> 10) as u8, word & 0x3ff);
        if word == 0 {
            return Ok(annotations);
        }
        if code <= LAST_CODE {
            time += i64::from(value);
            let sample = u64::try_from(time).ok().filter(|sample| *sample <= LAST_SAMPLE);
            let Some(sample) = sample else {
                return Err(DecodeError::TimeOutOfRange { sample: time, offset });
            };
            // Code 0 with an interval marks no event; it only moves the time.
            if code > 0 {
                annotations.push(Annotation {
                    sample,
                    code,
                    subtype: 0,
                    channel,
                    number,
                    aux: Vec::new(),
                });
            }
            continue;
        }
        if code == SKIP {
            // A PDP-11 long: the high word comes first.
            let (high, low) = (word_at(at)?, word_at(at + 2)?);
            at += 4;
            time = time.saturating_add(i64::from((u32::from(high) << 16 | u32::from(low)) as i32));
            continue;
        }
        if !(NUM..=AUX).contains(&code) {
            return Err(DecodeError::UnknownCode { code, offset });
        }
        let Some(last) = annotations.last_mut() else {
            return Err(DecodeError::NothingToModify { offset });
        };
        match code {
            NUM => {
                number = value as u8 as i8;
                last.number = number;
            }
            SUB => last.subtype = value as u8 as i8,
            CHN => {
                channel = value as u8;
                last.channel = channel;
            }
            _ => {
                let length = usize::from(value);
                let Some(text) = bytes.get(at..at + length) else {
                    return Err(DecodeError::Truncated {
                        offset: bytes.len() as u64,
                    });
                };
                // Programs in C write the terminator of their strings; it is no part of the text.
                last.aux = text.strip_suffix(&[0]).unwrap_or(text).to_vec();
                at += length + length % 2;
            }
        }
    }
}
