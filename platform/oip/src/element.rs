//! Single elements, from numbers of JSON to bytes.

use crate::datatype::Datatype;
use half::f16;

/// Appends a number with a fraction or an exponent. Says why where the type does not take it.
#[inline]
pub(crate) fn push_float(out: &mut Vec<u8>, datatype: Datatype, value: f64) -> Result<(), String> {
    match datatype {
        Datatype::Fp32 => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "to the nearest there is; infinity is refused"
            )]
            let single = value as f32;
            if !single.is_finite() {
                return Err(format!("{value} is beyond FP32"));
            }
            out.extend_from_slice(&single.to_le_bytes());
        }
        Datatype::Fp64 => out.extend_from_slice(&value.to_le_bytes()),
        Datatype::Fp16 => {
            let half = f16::from_f64(value);
            if !half.is_finite() {
                return Err(format!("{value} is beyond FP16"));
            }
            out.extend_from_slice(&half.to_le_bytes());
        }
        Datatype::Bytes => return Err(format!("{value} is a number; BYTES takes strings")),
        Datatype::Bool => return Err(format!("{value} is a number; BOOL takes true and false")),
        _ => {
            return Err(format!(
                "{value} has a fraction or an exponent; {datatype} takes whole numbers"
            ));
        }
    }
    Ok(())
}

/// Appends a whole number.
pub(crate) fn push_whole(out: &mut Vec<u8>, datatype: Datatype, value: i128) -> Result<(), String> {
    macro_rules! fit {
        ($kind:ty) => {
            match <$kind>::try_from(value) {
                Ok(number) => out.extend_from_slice(&number.to_le_bytes()),
                Err(_) => return Err(format!("{value} is beyond {datatype}")),
            }
        };
    }
    match datatype {
        Datatype::Bool => match value {
            0 | 1 => out.push(u8::from(value == 1)),
            _ => return Err(format!("{value} is a number; BOOL takes true and false")),
        },
        Datatype::Int8 => fit!(i8),
        Datatype::Int16 => fit!(i16),
        Datatype::Int32 => fit!(i32),
        Datatype::Int64 => fit!(i64),
        Datatype::Uint8 => fit!(u8),
        Datatype::Uint16 => fit!(u16),
        Datatype::Uint32 => fit!(u32),
        Datatype::Uint64 => fit!(u64),
        #[expect(clippy::cast_precision_loss, reason = "to the nearest there is")]
        Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 => return push_float(out, datatype, value as f64),
        Datatype::Bytes => return Err(format!("{value} is a number; BYTES takes strings")),
    }
    Ok(())
}

/// Appends a truth.
pub(crate) fn push_truth(out: &mut Vec<u8>, datatype: Datatype, value: bool) -> Result<(), String> {
    if datatype != Datatype::Bool {
        return Err(format!("{value} is a truth; {datatype} does not take it"));
    }
    out.push(u8::from(value));
    Ok(())
}

/// Appends a string.
pub(crate) fn push_text(out: &mut Vec<u8>, datatype: Datatype, value: &[u8]) -> Result<(), String> {
    if datatype != Datatype::Bytes {
        return Err(format!("a string where {datatype} was to be"));
    }
    crate::tensor::push_string(out, value);
    Ok(())
}
