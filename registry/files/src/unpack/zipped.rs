//! Zip, member by member of its directory.

use super::output::Output;
use crate::error::FilesError;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use zip::{CompressionMethod, ZipArchive};

/// Begins an entry of the directory at the archive's end.
const ENTRY: [u8; 4] = *b"PK\x01\x02";
/// Length of an entry without its name, extra fields and comment.
const ENTRY_LENGTH: usize = 46;
/// Which bits of a Unix mode say the kind of file, and which kind is a plain one or a folder.
const KIND: u32 = 0o170_000;
const PLAIN: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// Writes the members of a zip archive.
pub(super) fn unpack(mut file: File, output: &mut Output<'_>) -> Result<(), FilesError> {
    // The library holds the whole directory in memory, so more entries than allowed are not even listed.
    let entries = signatures(&mut file).map_err(|cause| output.failed(&cause))?;
    if entries > output.bounds().files {
        return Err(output.too_many());
    }
    let mut archive = ZipArchive::new(BufReader::new(&file)).map_err(|cause| output.damaged(cause))?;
    let listed = archive.len();
    let start = archive.central_directory_start();
    for index in 0..listed {
        unpack_member(&mut archive, index, output)?;
    }
    drop(archive);
    // The library keeps one of several entries of the same name; which one another reader keeps nobody knows.
    let there = directory(&mut file, start).map_err(|cause| output.failed(&cause))?;
    if there != listed {
        return Err(output.damaged(format!(
            "its directory has {there} entries, {listed} of them with names of their own"
        )));
    }
    Ok(())
}

fn unpack_member(
    archive: &mut ZipArchive<BufReader<&File>>,
    index: usize,
    output: &mut Output<'_>,
) -> Result<(), FilesError> {
    let raw = archive.by_index_raw(index).map_err(|cause| output.damaged(cause))?;
    let name = raw.name().to_owned();
    let what = match raw.compression() {
        _ if raw.encrypted() => Some("which is encrypted"),
        CompressionMethod::Stored | CompressionMethod::Deflated => None,
        _ => Some("which is compressed in a way that is not known here"),
    };
    let kind = match raw.unix_mode().map(|mode| mode & KIND) {
        None | Some(0 | PLAIN | FOLDER) => None,
        Some(0o120_000) => Some("a symbolic link"),
        _ => Some("a device, pipe or other special file"),
    };
    if let Some(what) = what.or(kind) {
        return Err(output.refused(&name, what));
    }
    let (folder, size) = (raw.is_dir(), raw.size());
    drop(raw);
    if folder && size != 0 {
        return Err(output.refused(&name, "a folder with content"));
    }
    let Some(wanted) = output.name(&name)? else {
        return Ok(());
    };
    let mut member = archive.by_index(index).map_err(|cause| output.damaged(cause))?;
    let written = output.write(wanted, &mut member)?;
    if written != size {
        return Err(output.damaged(format!("`{name}` has {written} bytes and not {size} as stated")));
    }
    Ok(())
}

/// How often an entry's signature occurs; data that happen to hold it only make the bound stricter.
fn signatures(file: &mut File) -> std::io::Result<usize> {
    const PIECE: usize = 1 << 16;
    file.rewind()?;
    let mut piece = vec![0; PIECE];
    let (mut kept, mut count) = (0, 0);
    loop {
        let free = piece.get_mut(kept..).unwrap_or_default();
        let read = file.read(free)?;
        if read == 0 {
            return Ok(count);
        }
        let filled = kept + read;
        let bytes = piece.get(..filled).unwrap_or_default();
        count += bytes.windows(ENTRY.len()).filter(|window| **window == ENTRY).count();
        // The last three bytes may begin a signature that ends in the next piece.
        let next = filled.min(ENTRY.len() - 1);
        piece.copy_within(filled - next..filled, 0);
        kept = next;
    }
}

/// Entries of the directory that begins at `start`.
fn directory(file: &mut File, start: u64) -> std::io::Result<usize> {
    file.seek(SeekFrom::Start(start))?;
    let mut reader = BufReader::new(file);
    let mut count = 0;
    let mut entry = [0; ENTRY_LENGTH];
    loop {
        match reader.read_exact(&mut entry) {
            Err(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(count),
            read => read?,
        }
        if !entry.starts_with(&ENTRY) {
            return Ok(count);
        }
        count += 1;
        let length = |at: usize| i64::from(u16::from_le_bytes([entry[at], entry[at + 1]]));
        reader.seek_relative(length(28) + length(30) + length(32))?;
    }
}
