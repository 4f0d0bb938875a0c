//! The uploaded files by their plain names.

use super::error::{ReadError, shown, shown_list};
use super::{Hints, NamedFile};

/// Files by the last component of their names.
pub(super) struct Files<'a> {
    files: Vec<NamedFile<'a>>,
}

impl<'a> Files<'a> {
    /// Takes the last path component of every name; what an operating system adds on its own is left out.
    pub(super) fn new(files: &[NamedFile<'a>]) -> Self {
        let mut files: Vec<_> = files
            .iter()
            .map(|file| NamedFile {
                name: file.name.rsplit(['/', '\\']).next().unwrap_or_default(),
                bytes: file.bytes,
            })
            .filter(|file| !file.name.starts_with("._") && file.name != ".DS_Store" && !file.name.is_empty())
            .collect();
        files.sort_by_key(|file| file.name);
        Self { files }
    }

    /// All files whose names end in `.extension`, whatever the case.
    pub(super) fn with_extension(&self, extension: &str) -> impl Iterator<Item = NamedFile<'a>> {
        self.files
            .iter()
            .copied()
            .filter(move |file| stem_and_extension(file.name).1.eq_ignore_ascii_case(extension))
    }

    /// The file of that name, which must be there once.
    pub(super) fn get(&self, name: &str) -> Result<Option<NamedFile<'a>>, ReadError> {
        let start = self.files.partition_point(|file| file.name < name);
        let same = |at: usize| self.files.get(at).filter(|file| file.name == name);
        match (same(start), same(start + 1)) {
            (Some(first), Some(second)) if first.bytes != second.bytes => Err(ReadError::Malformed {
                file: shown(name),
                place: "upload".to_owned(),
                what: "two different files have this name; send the files of one recording".to_owned(),
            }),
            (first, _) => Ok(first.copied()),
        }
    }

    /// The one file that may be a table of samples, or why there is none.
    pub(super) fn only_table(&self, hints: &Hints) -> Result<NamedFile<'a>, ReadError> {
        let tables: Vec<_> = self
            .files
            .iter()
            .filter(|file| !stem_and_extension(file.name).1.eq_ignore_ascii_case("atr"))
            .collect();
        let chosen = match (&hints.record, tables.as_slice()) {
            (Some(record), many @ [_, _, ..]) => many
                .iter()
                .find(|file| file.name == record || stem_and_extension(file.name).0 == record)
                .ok_or_else(|| ReadError::UnknownRecord {
                    record: shown(record),
                    names: shown_list(many.iter().map(|file| file.name)),
                })?,
            (_, [one]) => one,
            (_, []) => {
                return Err(match self.files.first() {
                    Some(lone) => headerless(lone.name),
                    None => ReadError::EmptyFile {
                        file: "upload".to_owned(),
                    },
                });
            }
            (None, many) => {
                // Samples without their header are the likelier mistake than two recordings.
                let lone = |file: &&&NamedFile<'_>| is_signal_file(file.name) && binary_kind(file.bytes).is_some();
                if let Some(signal) = many.iter().find(lone) {
                    return Err(headerless(signal.name));
                }
                return Err(ReadError::SeveralRecordings {
                    count: many.len(),
                    names: shown_list(many.iter().map(|file| file.name)),
                });
            }
        };
        if chosen.bytes.is_empty() {
            return Err(ReadError::EmptyFile {
                file: shown(chosen.name),
            });
        }
        match binary_kind(chosen.bytes) {
            None => Ok(**chosen),
            Some(Binary::Named(kind)) => Err(ReadError::Unsupported {
                file: shown(chosen.name),
                what: format!("this is {kind}, a format that is not read"),
            }),
            Some(Binary::Unknown) if is_signal_file(chosen.name) => Err(headerless(chosen.name)),
            Some(Binary::Unknown) => Err(ReadError::NotAnEcg {
                file: shown(chosen.name),
                found: "the bytes are neither text nor a known recording".to_owned(),
            }),
        }
    }
}

/// The file's name without its extension, and the extension without its dot.
pub(super) fn stem_and_extension(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or((name, ""))
}

/// The extensions WFDB signal and annotation files have by custom.
fn is_signal_file(name: &str) -> bool {
    let extension = stem_and_extension(name).1.to_ascii_lowercase();
    matches!(extension.as_str(), "dat" | "mat" | "atr" | "qrs")
        || extension
            .strip_prefix('d')
            .is_some_and(|rest| rest.parse::<u16>().is_ok())
}

fn headerless(name: &str) -> ReadError {
    ReadError::MissingFile {
        file: format!("{}.hea", shown(stem_and_extension(name).0)),
        needed_by: shown(name),
    }
}

enum Binary {
    Named(&'static str),
    Unknown,
}

/// What a file is when it is not text in an eight-bit encoding.
fn binary_kind(bytes: &[u8]) -> Option<Binary> {
    const MAGIC: [(usize, &[u8], &str); 16] = [
        (0, b"0       ", "an EDF file"),
        (0, b"\xffBIOSEMI", "a BDF file"),
        (128, b"DICM", "a DICOM file"),
        (0, b"ISHNE1.0", "an ISHNE Holter file"),
        (0, b"ALIVE", "an AliveCor file"),
        (16, b"SCPECG", "an SCP-ECG file"),
        (0, b"PK\x03\x04", "a zip archive (or a spreadsheet) inside the upload"),
        (0, b"\x1f\x8b", "a gzip file inside the upload"),
        (0, b"%PDF", "a PDF document"),
        (0, b"\x89PNG", "a PNG picture"),
        (0, b"\xff\xd8\xff", "a JPEG picture"),
        (0, b"RIFF", "a RIFF (WAV) file"),
        (0, b"\xff\xfe", "UTF-16 text (save it as UTF-8)"),
        (0, b"\xfe\xff", "UTF-16 text (save it as UTF-8)"),
        (0, b"<?xml", "an XML document"),
        (0, b"\xef\xbb\xbf<?xml", "an XML document"),
    ];
    for (offset, magic, kind) in MAGIC {
        if bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic)) {
            return Some(Binary::Named(kind));
        }
    }
    // Text has no control characters but white space, and outside UTF-8 few letters beyond ASCII.
    let head = &bytes[..bytes.len().min(4096)];
    let control = head
        .iter()
        .any(|b| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c));
    let utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let high = head.iter().filter(|b| **b >= 0x80).count();
    (control || (!utf8 && 4 * high > head.len())).then_some(Binary::Unknown)
}
