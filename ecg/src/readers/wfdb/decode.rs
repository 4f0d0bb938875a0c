//! Bytes of a signal file to the converter's values, one format each (signal(5)).

use super::super::ReadError;

/// Stands for a sample that the recorder marked invalid, in every format.
pub(super) const INVALID: i32 = i32::MIN;

/// A frame-interleaved signal file as one run of values.
///
/// `wanted` values are decoded at most, `None` decodes all there are. `initial` are the starting values of format 8, one
/// for each value of a frame.
pub(super) fn values(
    file: &str,
    format: u32,
    bytes: &[u8],
    wanted: Option<usize>,
    initial: &[i32],
) -> Result<Vec<i32>, ReadError> {
    let limit = wanted.unwrap_or(usize::MAX);
    Ok(match format {
        8 => differences(bytes, limit, initial),
        16 => words(bytes, limit, |b| i16::from_le_bytes([b[0], b[1]])),
        61 => words(bytes, limit, |b| i16::from_be_bytes([b[0], b[1]])),
        24 => bytes
            .chunks_exact(3)
            .take(limit)
            .map(|b| valid(i32::from_le_bytes([0, b[0], b[1], b[2]]) >> 8, -(1 << 23)))
            .collect(),
        // The 32-bit format's invalid code is `INVALID` itself.
        32 => bytes
            .chunks_exact(4)
            .take(limit)
            .map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
        80 => bytes
            .iter()
            .take(limit)
            .map(|&b| valid(i32::from(b) - 128, -128))
            .collect(),
        160 => bytes
            .chunks_exact(2)
            .take(limit)
            .map(|b| valid(i32::from(u16::from_le_bytes([b[0], b[1]])) - 32768, -32768))
            .collect(),
        212 => packed_212(bytes, limit),
        310 => packed_310(bytes, limit),
        311 => packed_311(bytes, limit),
        508 | 516 | 524 => super::flac::values(file, format, bytes, limit)?,
        other => {
            return Err(ReadError::Unsupported {
                name: file.to_owned(),
                why: format!(
                    "signal format {other} cannot be read; 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516 and 524 can"
                ),
            });
        }
    })
}

/// Values that `bytes` hold in a format, or `None` where only decoding tells.
pub(super) fn capacity(format: u32, bytes: u64) -> Option<u64> {
    Some(match format {
        8 | 80 => bytes,
        16 | 61 | 160 => bytes / 2,
        24 => bytes / 3,
        32 => bytes / 4,
        // Two bytes carry the first of a pair.
        212 => bytes / 3 * 2 + u64::from(bytes % 3 == 2),
        310 => bytes / 4 * 3 + if bytes % 4 >= 2 { 1 } else { 0 },
        311 => bytes / 4 * 3 + if bytes % 4 == 3 { 2 } else { u64::from(bytes % 4 == 2) },
        _ => return None,
    })
}

fn valid(value: i32, invalid: i32) -> i32 {
    if value == invalid { INVALID } else { value }
}

fn words(bytes: &[u8], limit: usize, word: impl Fn(&[u8]) -> i16) -> Vec<i32> {
    bytes
        .chunks_exact(2)
        .take(limit)
        .map(|b| valid(i32::from(word(b)), -32768))
        .collect()
}

/// First differences; the values of a frame each go on from their own last.
fn differences(bytes: &[u8], limit: usize, initial: &[i32]) -> Vec<i32> {
    let mut last = initial.to_vec();
    let width = last.len().max(1);
    bytes
        .iter()
        .take(limit)
        .enumerate()
        .map(|(index, &byte)| {
            let value = &mut last[index % width];
            *value = value.wrapping_add(i32::from(byte as i8));
            *value
        })
        .collect()
}

/// Pairs of 12 bits in three bytes; pairs run across frames, and a file may end in half a pair.
fn packed_212(bytes: &[u8], limit: usize) -> Vec<i32> {
    let extended = |value: i32| valid((value << 20) >> 20, -2048);
    let mut values = Vec::with_capacity((bytes.len() / 3 * 2 + 1).min(limit.saturating_add(1)));
    for b in bytes.chunks(3) {
        if values.len() >= limit || b.len() < 2 {
            break;
        }
        values.push(extended(i32::from(b[0]) | i32::from(b[1] & 0x0f) << 8));
        if let Some(&last) = b.get(2) {
            values.push(extended(i32::from(last) | i32::from(b[1] & 0xf0) << 4));
        }
    }
    values.truncate(limit);
    values
}

fn ten_bits(value: u32) -> i32 {
    valid((((value & 0x3ff) as i32) << 22) >> 22, -512)
}

/// Three values of ten bits in two words: bits 1 to 10 of each, the third in the remaining bits of both.
fn packed_310(bytes: &[u8], limit: usize) -> Vec<i32> {
    let mut values = Vec::new();
    for b in bytes.chunks(4) {
        if values.len() >= limit || b.len() < 2 {
            break;
        }
        let first = u32::from(u16::from_le_bytes([b[0], b[1]]));
        values.push(ten_bits(first >> 1));
        if let [_, _, low, high] = *b {
            let second = u32::from(u16::from_le_bytes([low, high]));
            values.push(ten_bits(second >> 1));
            values.push(ten_bits((first >> 11) | (second >> 11) << 5));
        }
    }
    values.truncate(limit);
    values
}

/// Three values of ten bits in four bytes, low bits first.
fn packed_311(bytes: &[u8], limit: usize) -> Vec<i32> {
    let mut values = Vec::new();
    for b in bytes.chunks(4) {
        if values.len() >= limit {
            break;
        }
        let word = b.iter().rev().fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
        let whole = match b.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => 0,
        };
        values.extend((0..whole).map(|index| ten_bits(word >> (10 * index))));
    }
    values.truncate(limit);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs as the formats' descriptions say, independently of the decoders above.
    fn pack(format: u32, samples: &[i32]) -> Vec<u8> {
        match format {
            212 => samples
                .chunks(2)
                .flat_map(|pair| {
                    let first = (pair[0] & 0xfff) as u32;
                    match pair.get(1) {
                        Some(&second) => {
                            let second = (second & 0xfff) as u32;
                            vec![first as u8, (first >> 8 | (second >> 8) << 4) as u8, second as u8]
                        }
                        None => vec![first as u8, (first >> 8) as u8],
                    }
                })
                .collect(),
            310 => samples
                .chunks(3)
                .flat_map(|three| {
                    let [a, b, c] = [0, 1, 2].map(|i| (three.get(i).unwrap_or(&0) & 0x3ff) as u16);
                    let words = [a << 1 | (c & 0x1f) << 11, b << 1 | (c >> 5) << 11];
                    words.into_iter().flat_map(u16::to_le_bytes)
                })
                .collect(),
            _ => samples
                .chunks(3)
                .flat_map(|three| {
                    let word = (0..3).fold(0_u32, |word, i| {
                        word | ((three.get(i).unwrap_or(&0) & 0x3ff) as u32) << (10 * i)
                    });
                    word.to_le_bytes()
                })
                .collect(),
        }
    }

    proptest::proptest! {
        #[test]
        fn packed_formats_give_back_what_was_packed(samples in proptest::collection::vec(-511..512_i32, 0..60), format in proptest::sample::select(vec![212, 310, 311])) {
            let bytes = pack(format, &samples);
            let decoded = values("x", format, &bytes, Some(samples.len()), &[]).unwrap();
            proptest::prop_assert_eq!(decoded, samples);
        }

        #[test]
        fn capacity_is_what_decoding_gives(bytes in proptest::collection::vec(0..=255_u8, 0..50), format in proptest::sample::select(vec![8, 16, 24, 32, 61, 80, 160, 212, 310, 311])) {
            let decoded = values("x", format, &bytes, None, &[0]).unwrap();
            proptest::prop_assert_eq!(decoded.len() as u64, capacity(format, bytes.len() as u64).unwrap());
        }
    }

    #[test]
    fn the_lowest_code_of_each_format_is_an_invalid_sample() {
        for (format, bytes) in [
            (16, vec![0x00, 0x80]),
            (61, vec![0x80, 0x00]),
            (24, vec![0, 0, 0x80]),
            (32, vec![0, 0, 0, 0x80]),
            (80, vec![0]),
            (160, vec![0, 0]),
            (212, vec![0x00, 0x08]),
        ] {
            assert_eq!(values("x", format, &bytes, None, &[]).unwrap(), [INVALID], "{format}");
        }
    }
}
