//! Archives of versions, from disk to disk.
//!
//! Members are written to files whose names are numbers, in a folder made for them, so no name in an archive ever is
//! a path. What a member's header says about sizes is believed nowhere: bytes are counted as they are written.

mod output;
mod tape;
mod zipped;

use crate::error::{FilesError, io};
use crate::names::valid_name;
use flate2::read::MultiGzDecoder;
use output::{Counted, Output};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How much an archive may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Number of its members, folders among them.
    pub files: usize,
    /// Bytes of all its files together.
    pub bytes: u64,
    /// How many times larger than packed it may be; not looked at below one MiB unpacked.
    pub ratio: u64,
}

/// One file of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackedFile {
    /// Its name within the package; see [`valid_name`].
    pub name: String,
    /// Where its content lies.
    pub path: PathBuf,
    /// Its length in bytes.
    pub size_bytes: u64,
}

/// The files of an upload. What was unpacked is removed when this is dropped.
#[derive(Debug)]
pub struct Unpacked {
    /// At least one, sorted by name; no two names clash.
    pub files: Vec<UnpackedFile>,
    /// Whether it was an archive. Otherwise its one file is the upload itself, where it lay.
    pub archive: bool,
    folder: Option<TempDir>,
}

impl Unpacked {
    /// The folder of what was unpacked; none where the upload was no archive.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(TempDir::path)
    }
}

/// Unpacks an upload into a fresh folder in `into`, where its content is that of a zip, tar or tar.gz archive; anything else is
/// one file. Archives within are not opened.
///
/// A single folder that holds all files is left out of their names. What macOS adds (`__MACOSX`, `.DS_Store`,
/// `._name`) is left out. `original_name` names the upload in errors, and a single file after its last `/` or `\`. Blocks: call it where that
/// may be.
///
/// # Errors
/// [`FilesError::BadName`] and [`FilesError::Refused`] with the member's name, [`FilesError::Damaged`], whatever exceeds `bounds`,
/// [`FilesError::Empty`], [`FilesError::Io`]. Nothing is left on disk then.
pub fn unpack(path: &Path, original_name: &str, into: &Path, bounds: &Bounds) -> Result<Unpacked, FilesError> {
    let mut file = File::open(path).map_err(io("read", path))?;
    let packed = file.metadata().map_err(io("read", path))?.len();
    let kind = Kind::of(&mut file).map_err(io("read", path))?;
    let base = original_name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    if kind == Kind::Other {
        valid_name(base)?;
        return Ok(Unpacked {
            files: vec![UnpackedFile {
                name: base.to_owned(),
                path: path.to_owned(),
                size_bytes: packed,
            }],
            archive: false,
            folder: None,
        });
    }
    file.rewind().map_err(io("read", path))?;
    let folder = tempfile::Builder::new()
        .prefix("unpacked-")
        .tempdir_in(into)
        .map_err(io("create a folder in", into))?;
    let archive: String = base.chars().take(100).flat_map(char::escape_debug).collect();
    let mut output = Output::new(archive, kind.name(), folder.path(), bounds, packed);
    match kind {
        Kind::Zip => zipped::unpack(file, &mut output)?,
        Kind::Tar => tape::unpack(Counted::new(BufReader::new(file), packed), &mut output)?,
        _ => {
            let inner = MultiGzDecoder::new(BufReader::new(file));
            tape::unpack(Counted::new(inner, output.most_bytes()), &mut output)?;
        }
    }
    Ok(Unpacked {
        files: output.finish()?,
        archive: true,
        folder: Some(folder),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Zip,
    Tar,
    TarGz,
    Other,
}

impl Kind {
    fn of(file: &mut File) -> std::io::Result<Self> {
        let mut first = Vec::new();
        file.by_ref().take(512).read_to_end(&mut first)?;
        if [b"PK\x03\x04", b"PK\x05\x06"]
            .iter()
            .any(|magic| first.starts_with(*magic))
        {
            return Ok(Self::Zip);
        }
        if tape::is_header(&first) {
            return Ok(Self::Tar);
        }
        if first.starts_with(&[0x1f, 0x8b, 8]) {
            file.seek(SeekFrom::Start(0))?;
            let mut inner = Vec::new();
            // What cannot be inflated is taken for a damaged archive, and refused as one.
            let read = MultiGzDecoder::new(file).take(512).read_to_end(&mut inner);
            if read.is_err() || tape::is_header(&inner) {
                return Ok(Self::TarGz);
            }
        }
        Ok(Self::Other)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::TarGz => "tar.gz",
            Self::Tar | Self::Other => "tar",
        }
    }
}
