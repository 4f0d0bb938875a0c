//! An entry as one line of a file.
//!
//! There is one way to write an entry, and only that is read:
//! `{"seq":1,"previous":"<64 digits>","hash":"<64 digits>","body":{...}}`. All entries of one step but its last carry
//! `"more":true` before the body, so a step that was cut short is known by its end. The mark is outside the hash: it says
//! how entries were written, not what they say. It is a word and no number because no single flipped bit makes one valid
//! line of it into another.

use crate::{Entry, Hash, MAX_BODY};
use serde::de::IgnoredAny;
use std::fmt::Write as _;
use std::str;

const SEQ: &[u8] = b"{\"seq\":";
const PREVIOUS: &[u8] = b",\"previous\":\"";
const HASH: &[u8] = b"\",\"hash\":\"";
const MORE: &[u8] = b"\",\"more\":true,\"body\":";
const BODY: &[u8] = b"\",\"body\":";

/// The most bytes of a line with its end.
pub(crate) const MAX_LINE: usize = MAX_BODY + 256;

/// An entry as it stands in a line. Nothing is said about its hash yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The entry's number.
    pub seq: u64,
    /// The hash of the entry before.
    pub previous: Hash,
    /// The entry's hash.
    pub hash: Hash,
    /// Whether entries of the same step follow.
    pub more: bool,
    /// The entry's body.
    pub body: &'a str,
}

/// Why bytes are no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// They end too early; more bytes could make them a line.
    #[error("it ends too early")]
    Short,
    /// No bytes after them could make them a line.
    #[error("it is not written as an entry is")]
    Malformed,
}

impl<'a> Line<'a> {
    /// Reads a line without its end. Whether the body is JSON is not looked at: its hash says that it is what was written.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadLine> {
        let (line, rest) = Self::header(bytes)?;
        let body = rest
            .strip_suffix(b"}")
            .filter(|body| body.ends_with(b"}"))
            .ok_or(BadLine::Short)?;
        if !body.starts_with(b"{") {
            return Err(BadLine::Malformed);
        }
        let body = str::from_utf8(body).map_err(|_| BadLine::Malformed)?;
        Ok(Self { body, ..line })
    }

    /// Whether these bytes, which are no intact line, are the beginning of one.
    pub(crate) fn is_begun(bytes: &[u8]) -> bool {
        match Self::header(bytes) {
            Err(cause) => cause == BadLine::Short,
            Ok((_, rest)) if rest.first().is_some_and(|byte| *byte != b'{') => false,
            Ok((_, rest)) => serde_json::from_slice::<IgnoredAny>(rest).map_or_else(|cause| cause.is_eof(), |_| true),
        }
    }

    /// What stands before the body, and the bytes from there on.
    fn header(bytes: &[u8]) -> Result<(Line<'static>, &[u8]), BadLine> {
        let mut rest = bytes;
        literal(&mut rest, SEQ)?;
        let seq = number(&mut rest)?;
        literal(&mut rest, PREVIOUS)?;
        let previous = digits(&mut rest)?;
        literal(&mut rest, HASH)?;
        let hash = digits(&mut rest)?;
        let more = match literal(&mut rest, MORE) {
            Err(BadLine::Malformed) => {
                literal(&mut rest, BODY)?;
                false
            }
            other => other.map(|()| true)?,
        };
        let line = Line {
            seq,
            previous,
            hash,
            more,
            body: "",
        };
        Ok((line, rest))
    }

    /// Whether the hash is the one of the other fields.
    pub(crate) fn is_intact(&self) -> bool {
        self.hash == Hash::of(self.seq, self.previous, self.body)
    }

    /// The entry in it.
    pub(crate) fn to_entry(self) -> Entry {
        Entry {
            seq: self.seq,
            previous: self.previous,
            hash: self.hash,
            body: self.body.to_owned(),
        }
    }
}

/// Writes entries of one step, each with its line's end; gives the position of each from the text's old end.
pub(crate) fn write(text: &mut String, entries: &[Entry]) -> Vec<u64> {
    let start = text.len();
    let mut starts = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        starts.push((text.len() - start) as u64);
        let more = if index + 1 < entries.len() {
            "\"more\":true,"
        } else {
            ""
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{{\"seq\":{},\"previous\":\"{}\",\"hash\":\"{}\",{more}\"body\":{}}}",
            entry.seq, entry.previous, entry.hash, entry.body
        );
    }
    starts
}

/// Takes this off the front.
fn literal(rest: &mut &[u8], expected: &[u8]) -> Result<(), BadLine> {
    if let Some(after) = rest.strip_prefix(expected) {
        *rest = after;
        return Ok(());
    }
    Err(if expected.starts_with(rest) {
        BadLine::Short
    } else {
        BadLine::Malformed
    })
}

/// Takes a number without leading zeros off the front; a number at the very end may go on.
fn number(rest: &mut &[u8]) -> Result<u64, BadLine> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at(length);
    if digits.first() == Some(&b'0') {
        return Err(BadLine::Malformed);
    }
    if after.is_empty() && length <= 20 {
        return Err(BadLine::Short);
    }
    *rest = after;
    str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(BadLine::Malformed)
}

/// Takes 64 hexadecimal digits off the front.
fn digits(rest: &mut &[u8]) -> Result<Hash, BadLine> {
    let Some((digits, after)) = rest.split_at_checked(64) else {
        let begun = rest.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        return Err(if begun { BadLine::Short } else { BadLine::Malformed });
    };
    *rest = after;
    Hash::from_digits(digits).ok_or(BadLine::Malformed)
}
