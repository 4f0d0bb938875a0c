//! Heads exported into a file that is kept elsewhere, so that truncation shows.

use crate::file::{blocking, sync_folder};
use crate::{Hash, Head, LogError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

/// An exported head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// When it was exported.
    pub at: Timestamp,
    /// Where the log ended then.
    pub head: Head,
}

/// The line in a file, in the order in which people read it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorLine {
    at: Timestamp,
    seq: u64,
    hash: Hash,
}

/// A head as one line, without its end: `{"at":"2026-01-31T00:00:00Z","seq":12,"hash":"<64 digits>"}`.
pub fn export_head(head: &Head, at: Timestamp) -> String {
    format!("{{\"at\":\"{at}\",\"seq\":{},\"hash\":\"{}\"}}", head.seq, head.hash)
}

impl FromStr for Anchor {
    type Err = LogError;

    fn from_str(line: &str) -> Result<Self, LogError> {
        match serde_json::from_str(line) {
            Ok(AnchorLine { at, seq, hash }) => Ok(Self {
                at,
                head: Head { seq, hash },
            }),
            Err(cause) => Err(LogError::Anchor {
                place: format!("the line `{}`", line.chars().take(80).collect::<String>()),
                cause: cause.to_string(),
            }),
        }
    }
}

/// Adds an exported head to a file, durably; makes the file when missing. The beginning of a line that a crash left at the
/// end is taken out first.
///
/// # Errors
/// [`LogError::Io`].
pub async fn append_head_file(path: impl AsRef<Path>, head: Head, at: Timestamp) -> Result<(), LogError> {
    let path = path.as_ref().to_owned();
    blocking(move || {
        let fresh = !path.exists();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(LogError::io("open", &path))?;
        let text = fs::read(&path).map_err(LogError::io("read", &path))?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(LogError::io("shorten", &path))?;
        }
        file.write_all(format!("{}\n", export_head(&head, at)).as_bytes())
            .map_err(LogError::io("write", &path))?;
        file.sync_all().map_err(LogError::io("sync", &path))?;
        match path.parent().filter(|_| fresh) {
            Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
            Some(_) => sync_folder(Path::new(".")),
            None => Ok(()),
        }
    })
    .await
}

/// Reads a file of exported heads, oldest first; a line without its end is passed over.
///
/// # Errors
/// [`LogError::Anchor`] naming the line that is no exported head, [`LogError::Io`].
pub async fn read_head_file(path: impl AsRef<Path>) -> Result<Vec<Anchor>, LogError> {
    let path = path.as_ref().to_owned();
    blocking(move || {
        let text = fs::read(&path).map_err(LogError::io("read", &path))?;
        let text = String::from_utf8(text)
            .map_err(|cause| LogError::io("read", &path)(io::Error::new(io::ErrorKind::InvalidData, cause)))?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = whole.lines().enumerate();
        lines
            .map(|(index, line)| {
                line.parse().map_err(|cause| match cause {
                    LogError::Anchor { cause, .. } => LogError::Anchor {
                        place: format!("{} line {}", path.display(), index + 1),
                        cause,
                    },
                    other => other,
                })
            })
            .collect()
    })
    .await
}
