//! The signal formats of WFDB (`signal(5)` of the WFDB library) and how one sample is cut out of packed bytes.

/// How samples lie in a signal file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// No samples (`~` lines).
    Null,
    /// 8-bit first differences.
    Differences8,
    /// 16-bit little endian.
    Little16,
    /// 24-bit little endian.
    Little24,
    /// 32-bit little endian.
    Little32,
    /// 16-bit big endian.
    Big16,
    /// 8-bit offset binary.
    Offset8,
    /// 16-bit offset binary, little endian.
    Offset16,
    /// Two 12-bit samples in three bytes.
    Packed12,
    /// Three 10-bit samples in two little-endian words, each word's lowest bit unused.
    Packed10Words,
    /// Three 10-bit samples in one little-endian 32-bit word, lowest first.
    Packed10Long,
    /// FLAC of that many bits.
    Flac { bits: u32 },
}

impl Format {
    /// The format of that number in a header.
    pub(super) fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Null,
            8 => Self::Differences8,
            16 => Self::Little16,
            24 => Self::Little24,
            32 => Self::Little32,
            61 => Self::Big16,
            80 => Self::Offset8,
            160 => Self::Offset16,
            212 => Self::Packed12,
            310 => Self::Packed10Words,
            311 => Self::Packed10Long,
            508 => Self::Flac { bits: 8 },
            516 => Self::Flac { bits: 16 },
            524 => Self::Flac { bits: 24 },
            _ => return None,
        })
    }

    pub(super) fn is_flac(self) -> bool {
        matches!(self, Self::Flac { .. })
    }

    /// The value that marks a sample as invalid (WFDB library, `lib/signal.c`).
    pub(super) fn invalid(self) -> Option<i32> {
        Some(match self {
            Self::Null | Self::Differences8 => return None,
            Self::Offset8 | Self::Flac { bits: 8 } => -0x80,
            Self::Packed10Words | Self::Packed10Long => -0x200,
            Self::Packed12 => -0x800,
            Self::Little16 | Self::Big16 | Self::Offset16 | Self::Flac { bits: 16 } => -0x8000,
            Self::Little24 | Self::Flac { .. } => -0x80_0000,
            Self::Little32 => i32::MIN,
        })
    }

    /// How many whole samples lie in that many bytes; FLAC says so itself.
    pub(super) fn samples_in(self, bytes: u64) -> u64 {
        match self {
            Self::Null | Self::Flac { .. } => 0,
            Self::Differences8 | Self::Offset8 => bytes,
            Self::Little16 | Self::Big16 | Self::Offset16 => bytes / 2,
            Self::Little24 => bytes / 3,
            Self::Little32 => bytes / 4,
            // The file may end in half a pair or in the first one or two of three.
            Self::Packed12 => bytes / 3 * 2 + u64::from(bytes % 3 == 2),
            Self::Packed10Words => bytes / 4 * 3 + u64::from(bytes % 4 >= 2),
            Self::Packed10Long => bytes / 4 * 3 + [0, 0, 1, 2][(bytes % 4) as usize],
        }
    }

    /// Calls `each` with the sample at every index in turn. The indices must lie below [`Format::samples_in`].
    pub(super) fn visit(self, bytes: &[u8], indices: impl Iterator<Item = usize>, mut each: impl FnMut(i32)) {
        let byte = |at: usize| i32::from(bytes.get(at).copied().unwrap_or_default());
        let word = |at: usize| byte(at) | byte(at + 1) << 8;
        let ten = |value: i32| ((value & 0x3ff) ^ 0x200) - 0x200;
        match self {
            Self::Null | Self::Flac { .. } => {}
            Self::Differences8 => indices.for_each(|k| each(i32::from(byte(k) as i8))),
            Self::Offset8 => indices.for_each(|k| each(byte(k) - 0x80)),
            Self::Little16 => indices.for_each(|k| each(i32::from(word(2 * k) as i16))),
            Self::Big16 => indices.for_each(|k| each(i32::from((byte(2 * k) << 8 | byte(2 * k + 1)) as i16))),
            Self::Offset16 => indices.for_each(|k| each(word(2 * k) - 0x8000)),
            Self::Little24 => indices.for_each(|k| each((word(3 * k) | byte(3 * k + 2) << 16) << 8 >> 8)),
            Self::Little32 => indices.for_each(|k| each(word(4 * k) | word(4 * k + 2) << 16)),
            Self::Packed12 => indices.for_each(|k| {
                let at = k / 2 * 3;
                let middle = byte(at + 1);
                let value = if k % 2 == 0 {
                    byte(at) | (middle & 0x0f) << 8
                } else {
                    byte(at + 2) | (middle & 0xf0) << 4
                };
                each(((value & 0xfff) ^ 0x800) - 0x800);
            }),
            Self::Packed10Words => indices.for_each(|k| {
                let at = k / 3 * 4;
                each(ten(match k % 3 {
                    0 => word(at) >> 1,
                    1 => word(at + 2) >> 1,
                    _ => word(at) >> 11 & 0x1f | (word(at + 2) >> 11 & 0x1f) << 5,
                }));
            }),
            Self::Packed10Long => indices.for_each(|k| {
                let at = k / 3 * 4;
                each(ten(match k % 3 {
                    0 => word(at),
                    1 => word(at + 1) >> 2,
                    _ => word(at + 2) >> 4,
                }));
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(number: u32, bytes: &[u8]) -> Vec<i32> {
        let format = Format::from_number(number).unwrap();
        let count = format.samples_in(bytes.len() as u64) as usize;
        let mut out = Vec::new();
        format.visit(bytes, 0..count, |sample| out.push(sample));
        out
    }

    #[test]
    fn each_format_is_cut_as_the_specification_says() {
        assert_eq!(all(8, &[1, 0xff]), [1, -1]);
        assert_eq!(all(16, &[0x01, 0x80, 0xff, 0x7f, 9]), [-32767, 32767]);
        assert_eq!(all(61, &[0x80, 0x01]), [-32767]);
        assert_eq!(all(80, &[0, 128, 255]), [-128, 0, 127]);
        assert_eq!(all(160, &[0, 0, 1, 0x80]), [-32768, 1]);
        assert_eq!(all(24, &[0, 0, 0x80, 0xff, 0xff, 0x7f]), [-0x80_0000, 0x7f_ffff]);
        assert_eq!(all(32, &[0, 0, 0, 0x80, 2, 1, 0, 0]), [i32::MIN, 258]);
        // 0x7ff and -2048 in one pair, then half a pair.
        assert_eq!(all(212, &[0xff, 0x87, 0x00, 0x05, 0x0f]), [2047, -2048, -251]);
        // 311: -1, 1 and -512 in 30 bits, lowest first; the last byte missing leaves two.
        let word = (0x3ff_u32 | 1 << 10 | 0x200 << 20).to_le_bytes();
        assert_eq!(all(311, &word), [-1, 1, -512]);
        assert_eq!(all(311, &word[..3]), [-1, 1]);
        assert_eq!(all(311, &word[..2]), [-1]);
        // 310: the third sample's low half sits in the first word's top bits.
        let (w0, w1) = (0x3ff_u16 << 1 | 3 << 11, 5_u16 << 1 | 0x10 << 11);
        let bytes = [w0.to_le_bytes(), w1.to_le_bytes()].concat();
        assert_eq!(all(310, &bytes), [-1, 5, 3 | -512]);
        assert_eq!(all(310, &bytes[..3]), [-1]);
    }
}
