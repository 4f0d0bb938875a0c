//! Numbers of any element type as they stand in JSON, and as bytes.

use einthoven_plugin_host::DType;
use half::f16;

/// Numbers as a tensor's elements: little-endian; what a type cannot hold becomes the nearest it can.
#[must_use]
pub fn to_bytes(dtype: DType, numbers: &[f64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(numbers.len() * dtype.size());
    for &number in numbers {
        match dtype {
            DType::F32 => bytes.extend((number as f32).to_le_bytes()),
            DType::F16 => bytes.extend(f16::from_f64(number).to_le_bytes()),
            DType::I64 => bytes.extend((number as i64).to_le_bytes()),
            DType::I8 => bytes.extend((number as i8).to_le_bytes()),
            DType::U8 => bytes.push(number as u8),
            DType::Bool => bytes.push(u8::from(number != 0.0)),
        }
    }
    bytes
}

/// A tensor's elements as numbers; integers beyond 2^53 lose their last digits.
#[must_use]
pub fn from_bytes(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    match dtype {
        DType::F32 => of(bytes, |element| f64::from(f32::from_le_bytes(element))),
        DType::F16 => of(bytes, |element| f16::from_le_bytes(element).to_f64()),
        DType::I64 => of(bytes, |element| i64::from_le_bytes(element) as f64),
        DType::I8 => of(bytes, |element| f64::from(i8::from_le_bytes(element))),
        DType::U8 | DType::Bool => of(bytes, |[element]| f64::from(element)),
    }
}

fn of<const SIZE: usize>(bytes: &[u8], number: impl Fn([u8; SIZE]) -> f64) -> Vec<f64> {
    bytes.as_chunks::<SIZE>().0.iter().copied().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_from_every_type() {
        for dtype in DType::ALL {
            let numbers = [0.0, 1.0, 1.0, 0.0];
            assert_eq!(from_bytes(dtype, &to_bytes(dtype, &numbers)), numbers, "{dtype}");
        }
        let numbers = [-1.0, 2.0, 100.0];
        for dtype in [DType::F32, DType::F16, DType::I64, DType::I8] {
            assert_eq!(from_bytes(dtype, &to_bytes(dtype, &numbers)), numbers, "{dtype}");
        }
        assert_eq!(
            from_bytes(DType::U8, &to_bytes(DType::U8, &[-1.0, 300.0])),
            [0.0, 255.0]
        );
    }
}
