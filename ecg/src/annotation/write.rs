//! Writing MIT annotation files, so that `rdann`, `bxb`, WAVE and LightWAVE read them.

use super::Annotation;
use super::read::{AUX, CHN, LAST_CODE, LAST_SAMPLE, NUM, SKIP, SUB};
use thiserror::Error;

/// Why an annotation cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Codes are 1 to 49.
    #[error("annotation {index} has the code {code}; codes are 1 to 49")]
    Code {
        /// Which annotation, from 0.
        index: usize,
        /// Its code.
        code: u8,
    },
    /// Text is at most 255 bytes, which is what other readers take.
    #[error("annotation {index} carries {length} bytes of text; at most 255 fit")]
    AuxTooLong {
        /// Which annotation, from 0.
        index: usize,
        /// Bytes of text.
        length: usize,
    },
    /// A text ends in a zero byte, which readers take for its terminator.
    #[error("the text of annotation {index} ends in a zero byte, which would be lost")]
    AuxEndsInZero {
        /// Which annotation, from 0.
        index: usize,
    },
    /// Samples are at most 2^40.
    #[error("annotation {index} lies at sample {sample}; at most 2^40 can be written")]
    SampleTooLarge {
        /// Which annotation, from 0.
        index: usize,
        /// Its sample.
        sample: u64,
    },
}

/// Writes an annotation file; [`decode`](super::decode) reads back the same annotations.
///
/// Annotations are written in the order given, which should be that of their samples: other programs expect it.
///
/// # Errors
///
/// [`EncodeError`] names the annotation that has no representation.
pub fn encode(annotations: &[Annotation]) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::with_capacity(annotations.len() * 2 + 2);
    let mut time = 0_i64;
    let (mut channel, mut number) = (0_u8, 0_i8);
    for (index, annotation) in annotations.iter().enumerate() {
        check(index, annotation)?;
        let target = annotation.sample as i64;
        while !(0..=0x3ff).contains(&(target - time)) {
            let step = (target - time).clamp(i32::MIN.into(), i32::MAX.into());
            let long = step as i32 as u32;
            push(&mut out, SKIP, 0);
            // A PDP-11 long: the high word comes first.
            out.extend(((long >> 16) as u16).to_le_bytes());
            out.extend((long as u16).to_le_bytes());
            time += step;
        }
        push(&mut out, annotation.code, (target - time) as u16);
        time = target;
        if annotation.number != number {
            number = annotation.number;
            push(&mut out, NUM, u16::from(number as u8));
        }
        if annotation.subtype != 0 {
            push(&mut out, SUB, u16::from(annotation.subtype as u8));
        }
        if annotation.channel != channel {
            channel = annotation.channel;
            push(&mut out, CHN, u16::from(channel));
        }
        if !annotation.aux.is_empty() {
            push(&mut out, AUX, annotation.aux.len() as u16);
            out.extend(&annotation.aux);
            out.resize(out.len().next_multiple_of(2), 0);
        }
    }
    out.extend([0, 0]);
    Ok(out)
}

fn push(out: &mut Vec<u8>, code: u8, value: u16) {
    out.extend((u16::from(code) << 10 | value).to_le_bytes());
}

fn check(index: usize, annotation: &Annotation) -> Result<(), EncodeError> {
    let (code, length, sample) = (annotation.code, annotation.aux.len(), annotation.sample);
    if !(1..=LAST_CODE).contains(&code) {
        return Err(EncodeError::Code { index, code });
    }
    if annotation.aux.last() == Some(&0) {
        return Err(EncodeError::AuxEndsInZero { index });
    }
    if length > 255 {
        return Err(EncodeError::AuxTooLong { index, length });
    }
    if sample > LAST_SAMPLE {
        return Err(EncodeError::SampleTooLarge { index, sample });
    }
    Ok(())
}
