//! The file beside a full segment: its summary and its rows, each with a checksum.

use super::row::ROW;
use super::{Row, Summary};
use crate::JournalError;
use crate::segments::sync_folder;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"EINTIDX1";
/// Bytes of a summary above which it is not believed.
const MOST_SUMMARY: usize = 16 << 20;

/// `….idx` beside `….seg`.
pub(super) fn path(segment: &Path) -> PathBuf {
    segment.with_extension("idx")
}

/// Writes it so that it is either whole or not there.
pub(super) fn save(segment: &Path, bytes: u64, summary: &Summary, rows: &[Row]) -> Result<(), JournalError> {
    let path = path(segment);
    let fail = || JournalError::io("write", &path);
    let summary = serde_json::to_vec(summary).map_err(|cause| fail()(cause.into()))?;
    let mut body = Vec::with_capacity(rows.len() * ROW);
    for row in rows {
        row.write(&mut body);
    }
    let mut file = Vec::with_capacity(summary.len() + body.len() + 64);
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&bytes.to_le_bytes());
    file.extend_from_slice(&(summary.len() as u64).to_le_bytes());
    file.extend_from_slice(&(body.len() as u64).to_le_bytes());
    file.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    file.extend_from_slice(&crc32c::crc32c(&summary).to_le_bytes());
    file.extend_from_slice(&summary);
    file.extend_from_slice(&body);
    let whole = path.with_extension("idx-new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut out = options.open(&whole).map_err(fail())?;
    out.write_all(&file).and_then(|()| out.sync_all()).map_err(fail())?;
    fs::rename(&whole, &path).map_err(fail())?;
    segment.parent().map_or(Ok(()), sync_folder)
}

/// The summary; none unless it is of a segment of just so many bytes, and whole.
pub(super) fn summary(segment: &Path, bytes: u64) -> Option<Summary> {
    let (_, summary) = begin(segment, bytes)?;
    Some(summary)
}

/// The rows; none unless they are whole.
pub(super) fn rows(segment: &Path, bytes: u64) -> Option<Vec<Row>> {
    let (mut begun, _) = begin(segment, bytes)?;
    let there = begun.file.metadata().ok()?.len();
    let mut body = Vec::new();
    if begun.rows > there {
        return None;
    }
    (&mut begun.file).take(begun.rows).read_to_end(&mut body).ok()?;
    if body.len() as u64 != begun.rows || body.len() % ROW != 0 || crc32c::crc32c(&body) != begun.checksum {
        return None;
    }
    body.chunks_exact(ROW).map(Row::read).collect()
}

struct Begun {
    file: File,
    rows: u64,
    checksum: u32,
}

fn begin(segment: &Path, bytes: u64) -> Option<(Begun, Summary)> {
    let mut file = File::open(path(segment)).ok()?;
    let mut head = [0; 40];
    file.read_exact(&mut head).ok()?;
    let number = |from: usize| {
        head.get(from..from + 8)?
            .first_chunk()
            .map(|bytes| u64::from_le_bytes(*bytes))
    };
    let checksum = |from: usize| {
        head.get(from..from + 4)?
            .first_chunk()
            .map(|bytes| u32::from_le_bytes(*bytes))
    };
    if head[..8] != MAGIC || number(8)? != bytes {
        return None;
    }
    let length = usize::try_from(number(16)?)
        .ok()
        .filter(|length| *length <= MOST_SUMMARY)?;
    let mut json = Vec::new();
    (&mut file).take(length as u64).read_to_end(&mut json).ok()?;
    if json.len() != length || crc32c::crc32c(&json) != checksum(36)? {
        return None;
    }
    let begun = Begun {
        file,
        rows: number(24)?,
        checksum: checksum(32)?,
    };
    Some((begun, serde_json::from_slice(&json).ok()?))
}
