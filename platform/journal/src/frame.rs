//! A frame: how one thing lies in a file, so that whatever happens to the file is noticed.
//!
//! Sixteen bytes, all numbers little-endian, then the payload:
//!
//! | bytes | what |
//! |---|---|
//! | 2 | `E1 4A`, by which a reader finds the next frame after damage |
//! | 1 | kind |
//! | 1 | flags: bit 0, the payload is its length (4 bytes) and then raw DEFLATE |
//! | 4 | length of the payload |
//! | 4 | CRC-32C of the payload |
//! | 4 | CRC-32C of the twelve bytes before |

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use std::borrow::Cow;
use std::io::{Read, Write};

/// Bytes of a payload, packed or not, above which nothing is written or read: a day's 100,000 beats take a tenth.
pub const MAX_PAYLOAD: usize = 64 << 20;
/// Bytes of a frame before its payload.
pub(crate) const HEADER: usize = 16;
const MARK: [u8; 2] = [0xE1, 0x4A];
const DEFLATED: u8 = 1;
/// Below this, packing costs more time than the bytes are worth.
const WORTH_PACKING: usize = 1024;

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing any more: zeros where something was that had to be forgotten.
    Erased,
    /// A prediction.
    Entry,
    /// Labels that a reader gave to one prediction.
    Labels,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the payload is.
    pub kind: Kind,
    /// The payload, unpacked.
    pub payload: Cow<'a, [u8]>,
    /// Bytes of the whole frame in the file.
    pub length: usize,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It goes on after the end of what is there.
    #[error("it is cut off")]
    Torn,
    /// These are not the sixteen bytes that begin a frame.
    #[error("no frame begins here")]
    NoFrame,
    /// The payload is not what was written.
    #[error("its checksum differs")]
    Changed {
        /// Bytes of the whole frame, which can be passed over.
        length: usize,
    },
    /// Sound, but of a kind or size that this version does not know.
    #[error("it is of an unknown kind")]
    Unknown {
        /// Bytes of the whole frame, which can be passed over.
        length: usize,
    },
    /// More than [`MAX_PAYLOAD`].
    #[error("it has more than {MAX_PAYLOAD} bytes")]
    TooLarge,
}

/// What the sixteen bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    kind: u8,
    flags: u8,
    pub(crate) payload: usize,
    checksum: u32,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Erased => 0,
            Self::Entry => 1,
            Self::Labels => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Self::Erased, Self::Entry, Self::Labels]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// Appends a frame to `bytes`; packed where that pays.
///
/// # Errors
/// [`FrameError::TooLarge`].
pub fn encode(kind: Kind, payload: &[u8], bytes: &mut Vec<u8>) -> Result<(), FrameError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(FrameError::TooLarge);
    }
    let packed = if payload.len() >= WORTH_PACKING {
        pack(payload)
    } else {
        None
    };
    let (flags, stored) = packed.as_deref().map_or((0, payload), |packed| (DEFLATED, packed));
    write_frame(kind, flags, stored, bytes)
}

fn write_frame(kind: Kind, flags: u8, stored: &[u8], bytes: &mut Vec<u8>) -> Result<(), FrameError> {
    let length = u32::try_from(stored.len()).map_err(|_| FrameError::TooLarge)?;
    let start = bytes.len();
    bytes.extend_from_slice(&MARK);
    bytes.extend_from_slice(&[kind.code(), flags]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(stored).to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[start..]);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(stored);
    Ok(())
}

/// A frame of zeros as long as another one.
pub(crate) fn erased(length: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    write_frame(Kind::Erased, 0, &vec![0; length.checked_sub(HEADER)?], &mut bytes).ok()?;
    Some(bytes)
}

/// The frame at the beginning of `bytes`.
///
/// # Errors
/// Why there is none; never more work than the length that a sound header states.
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let header = header(bytes)?;
    let length = HEADER + header.payload;
    let stored = bytes.get(HEADER..length).ok_or(FrameError::Torn)?;
    header.open(stored)
}

/// The sixteen bytes at the beginning of `bytes`.
pub(crate) fn header(bytes: &[u8]) -> Result<Header, FrameError> {
    let Some(head) = bytes.first_chunk::<HEADER>() else {
        let begins = MARK.iter().zip(bytes).all(|(mark, byte)| mark == byte);
        return Err(if begins { FrameError::Torn } else { FrameError::NoFrame });
    };
    let [m0, m1, kind, flags, l0, l1, l2, l3, p0, p1, p2, p3, h0, h1, h2, h3] = *head;
    if [m0, m1] != MARK || u32::from_le_bytes([h0, h1, h2, h3]) != crc32c::crc32c(&head[..12]) {
        return Err(FrameError::NoFrame);
    }
    let payload = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    if payload > MAX_PAYLOAD + 4 {
        return Err(FrameError::NoFrame);
    }
    Ok(Header {
        kind,
        flags,
        payload,
        checksum: u32::from_le_bytes([p0, p1, p2, p3]),
    })
}

impl Header {
    /// The frame that has this payload.
    pub(crate) fn open(self, stored: &[u8]) -> Result<Frame<'_>, FrameError> {
        let length = HEADER + self.payload;
        if stored.len() != self.payload || crc32c::crc32c(stored) != self.checksum {
            return Err(FrameError::Changed { length });
        }
        let Some(kind) = Kind::of(self.kind) else {
            return Err(FrameError::Unknown { length });
        };
        let payload = match self.flags {
            0 => Cow::Borrowed(stored),
            DEFLATED => Cow::Owned(unpack(stored).ok_or(FrameError::Unknown { length })?),
            _ => return Err(FrameError::Unknown { length }),
        };
        Ok(Frame { kind, payload, length })
    }
}

/// None where it would not become smaller.
fn pack(payload: &[u8]) -> Option<Vec<u8>> {
    let mut packed = Vec::with_capacity(payload.len() / 3);
    packed.extend_from_slice(&u32::try_from(payload.len()).ok()?.to_le_bytes());
    let mut encoder = DeflateEncoder::new(packed, Compression::fast());
    encoder.write_all(payload).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < payload.len()).then_some(packed)
}

fn unpack(stored: &[u8]) -> Option<Vec<u8>> {
    let (length, packed) = stored.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if length > MAX_PAYLOAD {
        return None;
    }
    // What it says it holds is believed only as far as it goes.
    let mut payload = Vec::with_capacity(length.min(1 << 20));
    let most = u64::try_from(length).ok()?.checked_add(1)?;
    DeflateDecoder::new(packed).take(most).read_to_end(&mut payload).ok()?;
    (payload.len() == length).then_some(payload)
}
