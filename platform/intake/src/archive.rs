//! Zip, tar and gzip, told by their first bytes.

use crate::error::IntakeError;
use std::borrow::Cow;
use std::io::{Cursor, Read};

/// How much an upload may unpack to.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Number of files.
    pub files: usize,
}

/// One file of an upload.
#[derive(Debug, Clone)]
pub struct File<'a> {
    /// Its name, without folders.
    pub name: String,
    /// Its content; borrowed when it came as it is.
    pub bytes: Cow<'a, [u8]>,
}

/// Unpacks an uploaded file when it is an archive (zip, tar, gzip, tar in gzip), or passes it on as it is.
///
/// Folders are skipped, and so are the metadata files that macOS packs beside each file.
///
/// # Errors
/// [`IntakeError`] for damage, links and devices, absolute names or `..`, and anything above `bounds`.
pub fn unpack<'a>(name: &str, bytes: Cow<'a, [u8]>, bounds: &Bounds) -> Result<Vec<File<'a>>, IntakeError> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return unzip(name, &bytes, bounds);
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let inner = gunzip(name, &bytes, bounds)?;
        let stem = name
            .strip_suffix(".gz")
            .or_else(|| name.strip_suffix(".tgz"))
            .unwrap_or(name);
        if is_tar(&inner) {
            return untar(stem, &inner, bounds);
        }
        return Ok(vec![File {
            name: stem.to_owned(),
            bytes: Cow::Owned(inner),
        }]);
    }
    if is_tar(&bytes) {
        return untar(name, &bytes, bounds);
    }
    Ok(vec![File {
        name: name.to_owned(),
        bytes,
    }])
}

fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// Collects unpacked files and keeps the bounds.
struct Unpacked<'b> {
    archive: String,
    files: Vec<File<'static>>,
    left: u64,
    bounds: &'b Bounds,
}

impl<'b> Unpacked<'b> {
    fn new(archive: &str, bounds: &'b Bounds) -> Self {
        Self {
            archive: archive.to_owned(),
            files: Vec::new(),
            left: bounds.bytes,
            bounds,
        }
    }

    /// Reads one entry to its end or to the bound, whatever size the archive claims for it.
    fn add(&mut self, entry: &str, kind: &'static str, reader: impl Read) -> Result<(), IntakeError> {
        if entry.starts_with('/')
            || entry.contains('\\')
            || entry.contains('\0')
            || entry.get(1..3).is_some_and(|drive| drive == ":\\" || drive == ":/")
        {
            return Err(self.unsafe_entry(entry, "an absolute name"));
        }
        if entry.split('/').any(|part| part == "..") {
            return Err(self.unsafe_entry(entry, "a name that leads out of the archive"));
        }
        let base = entry.rsplit('/').next().unwrap_or(entry);
        if base.is_empty() || base.starts_with("._") || entry.starts_with("__MACOSX/") {
            return Ok(());
        }
        if self.files.len() == self.bounds.files {
            return Err(IntakeError::TooMany {
                name: self.archive.clone(),
                limit: self.bounds.files,
            });
        }
        if self.files.iter().any(|file| file.name == base) {
            return Err(self.unsafe_entry(entry, "a second file of the same name"));
        }
        let mut content = Vec::new();
        let read = reader
            .take(self.left + 1)
            .read_to_end(&mut content)
            .map_err(|cause| damaged(&self.archive, kind, &cause))?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| IntakeError::TooLarge {
                name: self.archive.clone(),
                limit_bytes: self.bounds.bytes,
            })?;
        self.files.push(File {
            name: base.to_owned(),
            bytes: Cow::Owned(content),
        });
        Ok(())
    }

    fn unsafe_entry(&self, entry: &str, what: &'static str) -> IntakeError {
        IntakeError::UnsafeEntry {
            archive: self.archive.clone(),
            entry: entry.escape_debug().collect(),
            what,
        }
    }
}

fn damaged(name: &str, kind: &'static str, cause: &dyn std::fmt::Display) -> IntakeError {
    IntakeError::Damaged {
        name: name.to_owned(),
        kind,
        cause: cause.to_string(),
    }
}

fn unzip(name: &str, bytes: &[u8], bounds: &Bounds) -> Result<Vec<File<'static>>, IntakeError> {
    // Each entry has a header of 46 bytes in the directory at the end; more of them than allowed are not even listed.
    let entries = count(bytes, b"PK\x01\x02");
    if entries > bounds.files {
        return Err(IntakeError::TooMany {
            name: name.to_owned(),
            limit: bounds.files,
        });
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|cause| damaged(name, "zip", &cause))?;
    let mut unpacked = Unpacked::new(name, bounds);
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|cause| damaged(name, "zip", &cause))?;
        let entry_name = entry.name().to_owned();
        if entry.is_dir() {
            continue;
        }
        if entry.is_symlink() {
            return Err(unpacked.unsafe_entry(&entry_name, "a link"));
        }
        unpacked.add(&entry_name, "zip", entry)?;
    }
    Ok(unpacked.files)
}

/// How often a signature occurs; data that happen to hold it only make the bound stricter.
fn count(bytes: &[u8], signature: &[u8; 4]) -> usize {
    bytes.windows(4).filter(|window| window == signature).count()
}

fn gunzip(name: &str, bytes: &[u8], bounds: &Bounds) -> Result<Vec<u8>, IntakeError> {
    let mut content = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(bytes)
        .take(bounds.bytes + 1)
        .read_to_end(&mut content)
        .map_err(|cause| damaged(name, "gzip", &cause))?;
    if read as u64 > bounds.bytes {
        return Err(IntakeError::TooLarge {
            name: name.to_owned(),
            limit_bytes: bounds.bytes,
        });
    }
    Ok(content)
}

fn untar(name: &str, bytes: &[u8], bounds: &Bounds) -> Result<Vec<File<'static>>, IntakeError> {
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    let mut unpacked = Unpacked::new(name, bounds);
    let entries = archive.entries().map_err(|cause| damaged(name, "tar", &cause))?;
    for entry in entries {
        let entry = entry.map_err(|cause| damaged(name, "tar", &cause))?;
        let entry_name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        if !kind.is_file() {
            return Err(unpacked.unsafe_entry(&entry_name, "a link, device or other special file"));
        }
        let declared = entry.size();
        let before = unpacked.files.len();
        unpacked.add(&entry_name, "tar", entry)?;
        // The tar reader stops silently where a truncated archive stops.
        if let Some(file) = unpacked.files.get(before)
            && file.bytes.len() as u64 != declared
        {
            return Err(damaged(name, "tar", &format!("`{}` ends early", file.name)));
        }
    }
    Ok(unpacked.files)
}
