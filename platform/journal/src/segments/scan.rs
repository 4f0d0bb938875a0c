//! A segment read from its beginning to its end, with bounded memory, past whatever is damaged.

use super::FIRST;
use crate::JournalError;
use crate::frame::{Frame, FrameError, HEADER, Header, header};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes looked through at once for the next frame after damage.
const WINDOW: usize = 64 << 10;

/// Bytes in the middle of a segment that are no frame any more; they are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub path: PathBuf,
    /// Where.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
    /// What is wrong.
    pub cause: FrameError,
}

/// What a scan found besides frames.
pub(crate) struct Scanned {
    /// After the last whole frame; what follows is no frame.
    pub(crate) end: u64,
    /// In the middle, oldest first.
    pub(crate) damage: Vec<Damage>,
}

/// Gives every whole frame with its offset.
pub(crate) fn scan(path: &Path, found: &mut dyn FnMut(u64, Frame<'_>)) -> Result<Scanned, JournalError> {
    let fail = || JournalError::io("read", path);
    let file = File::open(path).map_err(fail())?;
    let length = file.metadata().map_err(fail())?.len();
    let mut scanned = Scanned {
        end: FIRST.min(length),
        damage: Vec::new(),
    };
    let mut at = scanned.end;
    let mut payload = Vec::new();
    while at < length {
        let cause = match read_header(&file, at, length).map_err(fail())? {
            Err(cause) => cause,
            Ok(header) => {
                payload.resize(header.payload, 0);
                file.read_exact_at(&mut payload, at + HEADER as u64).map_err(fail())?;
                match header.open(&payload) {
                    Ok(frame) => {
                        let next = at + frame.length as u64;
                        damaged(&mut scanned, path, at);
                        found(at, frame);
                        scanned.end = next;
                        at = next;
                        continue;
                    }
                    // Sound, but from a version that knows more: it stays.
                    Err(cause @ FrameError::Unknown { length }) => {
                        damaged(&mut scanned, path, at);
                        scanned.damage.push(Damage {
                            path: path.to_owned(),
                            offset: at,
                            bytes: length as u64,
                            cause,
                        });
                        at += length as u64;
                        scanned.end = at;
                        continue;
                    }
                    Err(cause) => cause,
                }
            }
        };
        // The beginning of damage is known from where the last whole frame ended; its first cause is the telling one.
        if scanned.damage.last().is_none_or(|last| last.offset < scanned.end) {
            scanned.damage.push(Damage {
                path: path.to_owned(),
                offset: scanned.end,
                bytes: 0,
                cause,
            });
        }
        at = match cause {
            FrameError::Changed { length } => at + length as u64,
            _ => find(&file, at + 1, length).map_err(fail())?,
        };
    }
    // Without a whole frame after it, it is not the middle.
    scanned.damage.retain(|damage| damage.bytes > 0);
    Ok(scanned)
}

/// A whole frame begins at `at`: what lies between it and the last one is damage.
fn damaged(scanned: &mut Scanned, path: &Path, at: u64) {
    if let Some(last) = scanned
        .damage
        .last_mut()
        .filter(|last| last.offset == scanned.end && at > last.offset)
    {
        last.bytes = at - last.offset;
        tracing::warn!(
            journal.path = %path.display(),
            journal.offset = last.offset,
            journal.bytes = last.bytes,
            "a segment of the journal is damaged there ({}); those bytes are passed over",
            last.cause
        );
    }
}

/// The header at `at` and its whole payload are within the file.
fn read_header(file: &File, at: u64, length: u64) -> io::Result<Result<Header, FrameError>> {
    let mut bytes = [0; HEADER];
    let there = usize::try_from(length - at).unwrap_or(usize::MAX).min(HEADER);
    file.read_exact_at(&mut bytes[..there], at)?;
    Ok(header(&bytes[..there]).and_then(|header| {
        if header.payload as u64 > length - at - HEADER as u64 {
            return Err(FrameError::Torn);
        }
        Ok(header)
    }))
}

/// Where the next sound header begins, or the file's end.
fn find(file: &File, from: u64, length: u64) -> io::Result<u64> {
    let mut window = vec![0; WINDOW];
    let mut at = from;
    while at < length {
        let there = usize::try_from(length - at).unwrap_or(usize::MAX).min(WINDOW);
        file.read_exact_at(&mut window[..there], at)?;
        let window = &window[..there];
        if let Some(found) = (0..there).find(|start| header(&window[*start..]).is_ok()) {
            return Ok(at + found as u64);
        }
        // The last bytes may be the beginning of a header.
        at += there.saturating_sub(HEADER - 1).max(1) as u64;
    }
    Ok(length)
}

/// One frame by its offset.
pub(crate) fn read_frame<T>(
    file: &File,
    path: &Path,
    offset: u64,
    read: impl FnOnce(Frame<'_>) -> Result<T, String>,
) -> Result<T, JournalError> {
    let damaged = |what: String| JournalError::Damaged {
        path: path.to_owned(),
        offset,
        what,
    };
    let fail = || JournalError::io("read", path);
    let length = file.metadata().map_err(fail())?.len();
    if offset >= length {
        return Err(damaged("the file ends before".to_owned()));
    }
    let header = read_header(file, offset, length).map_err(fail())?;
    let header = header.map_err(|cause| damaged(cause.to_string()))?;
    let mut payload = vec![0; header.payload];
    file.read_exact_at(&mut payload, offset + HEADER as u64)
        .map_err(fail())?;
    let frame = header.open(&payload).map_err(|cause| damaged(cause.to_string()))?;
    read(frame).map_err(damaged)
}
