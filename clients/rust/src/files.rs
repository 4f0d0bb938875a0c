//! Files of a recording or of a model, and the form that sends them.

use bytes::Bytes;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::Path;

/// A file to send.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// What it holds.
    pub content: Bytes,
}

impl File {
    /// Of that name, with that content.
    pub fn new(name: impl Into<String>, content: impl Into<Bytes>) -> Self {
        Self {
            name: name.into(),
            content: content.into(),
        }
    }
}

/// These files of the disk.
///
/// # Errors
///
/// Where one cannot be read.
pub fn files(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> io::Result<Vec<File>> {
    let read = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let content = std::fs::read(path)
            .map_err(|cause| io::Error::new(cause.kind(), format!("{}: {cause}", path.display())))?;
        Ok(File::new(name, content))
    };
    paths.into_iter().map(|path| read(path.as_ref())).collect()
}

/// All files of a WFDB record, named as WFDB names it: without an ending.
///
/// # Errors
///
/// Where it has no header, or a file cannot be read.
pub fn record(name: impl AsRef<Path>) -> io::Result<Vec<File>> {
    let name = name.as_ref();
    let stem = format!("{}.", name.file_name().unwrap_or_default().to_string_lossy());
    let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder.unwrap_or(Path::new(".")))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&stem) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    if !paths
        .iter()
        .any(|path| path.extension().is_some_and(|ending| ending == "hea"))
    {
        let missing = format!("there is no {}.hea", name.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, missing));
    }
    files(paths)
}

/// A form of fields and files: its media type and its bytes.
pub(crate) fn form(fields: &[(&str, String)], files: &[File]) -> (String, Vec<u8>) {
    // Drawn anew for each form, so that no content can hold it.
    let edge: String = (0..2)
        .map(|_| format!("{:016x}", RandomState::new().build_hasher().finish()))
        .collect();
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--{edge}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    for file in files {
        let name = file.name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let part = format!("--{edge}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(&file.content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{edge}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={edge}"), body)
}
