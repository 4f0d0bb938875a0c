//! FLAC-compressed signal files (formats 508, 516, 524). The stream's own sampling rate means nothing.

use super::super::ReadError;
use super::decode::INVALID;
use claxon::{FlacReader, FlacReaderOptions};
use std::io::Cursor;

/// All channels interleaved, at most `limit` values.
pub(super) fn values(file: &str, format: u32, bytes: &[u8], limit: usize) -> Result<Vec<i32>, ReadError> {
    let damaged = |cause: claxon::Error| ReadError::malformed(file, format!("the FLAC stream is damaged: {cause}"));
    let options = FlacReaderOptions {
        metadata_only: false,
        read_vorbis_comment: false,
    };
    let mut reader = FlacReader::new_ext(Cursor::new(bytes), options).map_err(damaged)?;
    // Samples are signed at the stream's own width; the lowest code is the invalid one.
    let width = format - 500;
    let lowest = -(1_i32 << (width.min(31) - 1));
    let mut values = Vec::new();
    let mut blocks = reader.blocks();
    let mut buffer = Vec::new();
    while let Some(block) = blocks.read_next_or_eof(buffer).map_err(damaged)? {
        for sample in 0..block.duration() {
            for channel in 0..block.channels() {
                let value = block.sample(channel, sample);
                values.push(if value == lowest { INVALID } else { value });
            }
        }
        if values.len() >= limit {
            break;
        }
        buffer = block.into_buffer();
    }
    values.truncate(limit);
    Ok(values)
}
