//! Archives as people make them, and as people who mean harm make them.

use std::io::{Cursor, Write};
use tar::{EntryType, Header};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// A member of a tar archive, with its name and size as written in its header whatever they are.
pub(crate) struct Member<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) kind: EntryType,
    pub(crate) content: &'a [u8],
    pub(crate) stated: u64,
}

impl<'a> Member<'a> {
    pub(crate) fn file(name: &'a str, content: &'a [u8]) -> Self {
        Self::of(name, EntryType::Regular, content)
    }

    pub(crate) fn of(name: &'a str, kind: EntryType, content: &'a [u8]) -> Self {
        Self {
            name: name.as_bytes(),
            kind,
            content,
            stated: content.len() as u64,
        }
    }
}

/// Written by hand, since the library's writer refuses hostile names.
pub(crate) fn tar_of(members: &[Member<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..member.name.len()].copy_from_slice(member.name);
        header.set_entry_type(member.kind);
        header.set_size(member.stated);
        header.set_mode(0o644);
        if matches!(member.kind, EntryType::Link | EntryType::Symlink) {
            header.as_mut_bytes()[157..160].copy_from_slice(b"../");
        }
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(member.content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.extend([0; 1024]);
    bytes
}

/// A record of a PAX extension: its length counts itself.
pub(crate) fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(
        members,
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated),
    )
}

pub(crate) fn zip_with(members: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Where each header of a zip archive's members begins: those before the contents, and those of the directory.
pub(crate) fn zip_headers(bytes: &[u8]) -> (Vec<usize>, Vec<usize>) {
    let find = |magic: &[u8]| (0..bytes.len()).filter(|&at| bytes[at..].starts_with(magic)).collect();
    (find(b"PK\x03\x04"), find(b"PK\x01\x02"))
}

/// Writes the same bytes into every header of a zip archive, whose fields lie two bytes further back in the directory.
pub(crate) fn patched_zip(mut bytes: Vec<u8>, local_offset: usize, directory_offset: usize, field: &[u8]) -> Vec<u8> {
    let (local, directory) = zip_headers(&bytes);
    let places = local
        .iter()
        .map(|at| at + local_offset)
        .chain(directory.iter().map(|at| at + directory_offset));
    for at in places {
        bytes[at..at + field.len()].copy_from_slice(field);
    }
    bytes
}

/// The Unix mode of every member of a zip archive.
pub(crate) fn zip_with_mode(mut bytes: Vec<u8>, mode: u32) -> Vec<u8> {
    for at in zip_headers(&bytes).1 {
        // Made by Unix, and the mode in the upper half of the external attributes.
        bytes[at + 5] = 3;
        bytes[at + 38..at + 42].copy_from_slice(&(mode << 16).to_le_bytes());
    }
    bytes
}
