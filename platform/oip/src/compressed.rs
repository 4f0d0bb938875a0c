//! Compressed bodies, unpacked within a bound.

use crate::error::OipError;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or, as some clients have it, RFC 1951 alone.
    Deflate,
}

impl Compression {
    /// What a `Content-Encoding` says; none where nothing is compressed.
    ///
    /// # Errors
    /// [`OipError::Unsupported`] naming what is known.
    pub fn of(encoding: &str) -> Result<Option<Self>, OipError> {
        match encoding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(None),
            "gzip" | "x-gzip" => Ok(Some(Self::Gzip)),
            "deflate" => Ok(Some(Self::Deflate)),
            _ => Err(OipError::unsupported(
                "content-encoding",
                "this content-encoding is not known; known are gzip and deflate",
            )),
        }
    }
}

/// The body unpacked, at most `limit_bytes` long.
///
/// # Errors
/// [`OipError`] where it is larger or not compressed so.
pub fn inflated(body: &[u8], compression: Compression, limit_bytes: usize) -> Result<Vec<u8>, OipError> {
    let limit = u64::try_from(limit_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut out = Vec::new();
    let read = match compression {
        Compression::Gzip => MultiGzDecoder::new(body).take(limit).read_to_end(&mut out),
        Compression::Deflate if is_zlib(body) => ZlibDecoder::new(body).take(limit).read_to_end(&mut out),
        Compression::Deflate => DeflateDecoder::new(body).take(limit).read_to_end(&mut out),
    };
    if out.len() > limit_bytes {
        return Err(OipError::TooLarge { limit_bytes });
    }
    read.map_err(|cause| {
        let detail = format!("the body is not compressed as content-encoding says: {cause}");
        OipError::malformed("content-encoding", detail)
    })?;
    Ok(out)
}

fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31))
}
