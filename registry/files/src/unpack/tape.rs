//! Tar, block by block.
//!
//! The blocks are walked here, and not by the tar library's own reader, which takes the end of a cut archive for its end
//! and reads the long names of its extensions into memory whatever their length. What a header means is the library's word.

use super::output::Output;
use crate::error::FilesError;
use std::io::{ErrorKind, Read};
use tar::{EntryType, Header, PaxExtensions};

const BLOCK: usize = 512;
/// Bytes of an extension, which holds little more than a name.
const LONGEST_EXTENSION: u64 = 1 << 16;

/// Whether these bytes begin as a tar archive does: with a header whose checksum is right.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    let block = bytes.get(..BLOCK).and_then(|block| <[u8; BLOCK]>::try_from(block).ok());
    block.is_some_and(|block| block.iter().any(|&byte| byte != 0) && checksum_is_right(&header(&block)))
}

fn header(block: &[u8; BLOCK]) -> Header {
    let mut header = Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    header
}

/// The checksum is over the header with its own field as spaces.
fn checksum_is_right(header: &Header) -> bool {
    let bytes = header.as_bytes();
    let spaces = 8 * u32::from(b' ');
    let sum: u32 = bytes.iter().map(|&byte| u32::from(byte)).sum();
    let field: u32 = bytes
        .get(148..156)
        .unwrap_or_default()
        .iter()
        .map(|&byte| u32::from(byte))
        .sum();
    header.cksum().is_ok_and(|stated| stated == sum - field + spaces)
}

/// Name and length that extensions give to the member after them.
#[derive(Default)]
struct Extended {
    name: Option<String>,
    size: Option<u64>,
}

/// Writes the members of a tar archive.
pub(super) fn unpack(mut source: impl Read, output: &mut Output<'_>) -> Result<(), FilesError> {
    let mut extended = Extended::default();
    loop {
        let mut block = [0; BLOCK];
        source.read_exact(&mut block).map_err(|cause| ended(output, &cause))?;
        if block.iter().all(|&byte| byte == 0) {
            break;
        }
        let header = header(&block);
        if !checksum_is_right(&header) {
            return Err(output.damaged("the checksum of a header is wrong"));
        }
        let stated = header.entry_size().map_err(|cause| output.damaged(cause))?;
        let kind = header.entry_type();
        let size = match kind {
            EntryType::XHeader | EntryType::GNULongName | EntryType::XGlobalHeader | EntryType::GNULongLink => {
                extend(kind, stated, &mut source, &mut extended, output)?;
                stated
            }
            _ => {
                let extended = std::mem::take(&mut extended);
                let size = extended.size.unwrap_or(stated);
                let name = match extended.name {
                    Some(name) => name,
                    None => text(&header.path_bytes(), output)?,
                };
                member(kind, &name, size, &mut source, output)?
            }
        };
        skip(size.next_multiple_of(BLOCK as u64) - size, &mut source, output)?;
    }
    // The rest is padding; a gzip stream around it is checked only when read to its end.
    std::io::copy(&mut source, &mut std::io::sink()).map_err(|cause| output.failed(&cause))?;
    Ok(())
}

/// Writes one member, and says how many bytes of the archive it took.
fn member(
    kind: EntryType,
    name: &str,
    size: u64,
    source: &mut impl Read,
    output: &mut Output<'_>,
) -> Result<u64, FilesError> {
    let what = match kind {
        EntryType::Regular | EntryType::Continuous | EntryType::Directory => None,
        EntryType::Symlink => Some("a symbolic link"),
        EntryType::Link => Some("a hard link"),
        EntryType::Char | EntryType::Block => Some("a device"),
        EntryType::Fifo => Some("a named pipe"),
        EntryType::GNUSparse => Some("a file with holes"),
        _ => Some("a member of a kind that is not known here"),
    };
    if let Some(what) = what {
        return Err(output.refused(name, what));
    }
    let folder = kind == EntryType::Directory || name.ends_with('/');
    if folder && size != 0 {
        return Err(output.refused(name, "a folder with content"));
    }
    let named = if folder {
        format!("{}/", name.trim_end_matches('/'))
    } else {
        name.to_owned()
    };
    let Some(wanted) = output.name(&named)? else {
        skip(size, source, output)?;
        return Ok(size);
    };
    let written = output.write(wanted, &mut source.by_ref().take(size))?;
    if written != size {
        return Err(output.damaged(format!("`{name}` ends early")));
    }
    Ok(size)
}

/// Reads an extension; of what it can say, only the name and the length are of use.
fn extend(
    kind: EntryType,
    size: u64,
    source: &mut impl Read,
    extended: &mut Extended,
    output: &Output<'_>,
) -> Result<(), FilesError> {
    if size > LONGEST_EXTENSION {
        return Err(output.damaged(format!(
            "an extension has {size} bytes; {LONGEST_EXTENSION} are allowed"
        )));
    }
    let mut content = Vec::new();
    let read = source.by_ref().take(size).read_to_end(&mut content);
    if read.map_err(|cause| output.failed(&cause))? as u64 != size {
        return Err(output.damaged("it ends early"));
    }
    match kind {
        EntryType::GNULongName => {
            let name = content.strip_suffix(&[0]).unwrap_or(&content);
            extended.name = Some(text(name, output)?);
        }
        EntryType::XHeader => {
            for record in PaxExtensions::new(&content) {
                let record = record.map_err(|cause| output.damaged(cause))?;
                let value = record.value_bytes();
                match record.key_bytes() {
                    b"path" => extended.name = Some(text(value, output)?),
                    b"size" => {
                        let size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok());
                        extended.size = Some(size.ok_or_else(|| output.damaged("a length is no number"))?);
                    }
                    key if key.starts_with(b"GNU.sparse.") => {
                        return Err(output.damaged("it holds a file with holes; pack it without them"));
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn text(bytes: &[u8], output: &Output<'_>) -> Result<String, FilesError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(output.refused(&String::from_utf8_lossy(bytes), "a name that is not UTF-8")),
    }
}

fn skip(bytes: u64, source: &mut impl Read, output: &Output<'_>) -> Result<(), FilesError> {
    let skipped = std::io::copy(&mut source.by_ref().take(bytes), &mut std::io::sink());
    if skipped.map_err(|cause| output.failed(&cause))? != bytes {
        return Err(output.damaged("it ends early"));
    }
    Ok(())
}

fn ended(output: &Output<'_>, cause: &std::io::Error) -> FilesError {
    if cause.kind() == ErrorKind::UnexpectedEof {
        return output.damaged("it ends without its end mark");
    }
    output.failed(cause)
}
