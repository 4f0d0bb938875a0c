//! A log's file read from one position to its end.

use crate::diagnose;
use crate::line::{Line, MAX_LINE};
use crate::{ChainBroken, Head, LogError};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// A position in the file and the head of the entries before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) head: Head,
    pub(super) offset: u64,
}

impl Position {
    pub(super) const START: Self = Self {
        head: Head::EMPTY,
        offset: 0,
    };
}

/// What was read.
pub(super) struct Scanned {
    /// Where each whole entry begins.
    pub(super) starts: Vec<u64>,
    /// After the last whole step.
    pub(super) end: Position,
    /// Bytes after it: the beginning of a step that was never acknowledged.
    pub(super) torn: u64,
    /// The last step is whole but for its line's end, which an editor took.
    pub(super) unterminated: bool,
}

/// Reads whole steps up to `until` bytes and checks every hash. Unless a writer may be at work (`live`), a last line that
/// lacks nothing but its end counts as whole.
pub(super) fn scan(
    path: &Path,
    from: Position,
    until: u64,
    live: bool,
    anchors: &[Head],
) -> Result<Scanned, ChainBroken> {
    let fail = |cause| ChainBroken::Unreadable(Box::new(LogError::io("read", path)(cause)));
    let mut file = File::open(path).map_err(fail)?;
    file.seek(SeekFrom::Start(from.offset)).map_err(fail)?;
    let length = until.saturating_sub(from.offset);
    let mut reader = BufReader::with_capacity(1 << 20, file.take(length));
    let mut bytes = Vec::new();
    let mut at = from;
    let mut starts = Vec::new();
    let mut done = Scanned {
        starts: Vec::new(),
        end: from,
        torn: 0,
        unterminated: false,
    };
    loop {
        bytes.clear();
        let count = reader
            .by_ref()
            .take(MAX_LINE as u64)
            .read_until(b'\n', &mut bytes)
            .map_err(fail)?;
        let ended = bytes.pop_if(|byte| *byte == b'\n').is_some();
        if count == 0 || (!ended && is_torn(&bytes, live)) {
            done.torn = at.offset + count as u64 - done.end.offset;
            break;
        }
        let line = Line::parse(&bytes).map_err(|cause| ChainBroken::Changed {
            seq: at.head.seq + 1,
            cause: cause.to_string(),
            place: place(path, at.offset),
        })?;
        check(path, at, &line)?;
        starts.push(at.offset);
        at.head = Head {
            seq: line.seq,
            hash: line.hash,
        };
        diagnose::is_anchored(at.head, anchors)?;
        at.offset += count as u64;
        if !line.more {
            done.starts.append(&mut starts);
            done.end = at;
            done.unterminated = !ended;
        }
        if !ended && line.more {
            done.torn = at.offset - done.end.offset;
            break;
        }
    }
    diagnose::is_complete(done.end.head, anchors)?;
    Ok(done)
}

/// Whether bytes at the end of a file, without a line's end, are what a crash leaves of a write: the beginning of a line,
/// perhaps with zeros for what never reached the disk.
fn is_torn(bytes: &[u8], live: bool) -> bool {
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let (begun, zeros) = bytes.split_at(written);
    let whole = Line::parse(begun).is_ok_and(|line| line.is_intact());
    if whole {
        live || !zeros.is_empty()
    } else {
        Line::is_begun(begun)
    }
}

fn check(path: &Path, at: Position, line: &Line<'_>) -> Result<(), ChainBroken> {
    let linked = line.seq == at.head.seq + 1 && line.previous == at.head.hash;
    if linked && line.is_intact() {
        return Ok(());
    }
    // The rest of the file is only looked at when something is wrong.
    let others = numbers(path);
    let newest = others.iter().copied().max().unwrap_or_default();
    diagnose::follows(
        at.head,
        &line.to_entry(),
        || place(path, at.offset),
        newest,
        |seq| others.contains(&seq),
    )
}

/// The numbers of all lines that can be read.
fn numbers(path: &Path) -> Vec<u64> {
    let Ok(file) = File::open(path) else {
        return Vec::new();
    };
    BufReader::new(file)
        .split(b'\n')
        .map_while(Result::ok)
        .filter_map(|bytes| Some(Line::parse(&bytes).ok()?.seq))
        .collect()
}

fn place(path: &Path, offset: u64) -> String {
    format!("{}, byte {offset}", path.display())
}
