//! Jobs on disk: whole or not there, whenever the process ends.

use crate::error::JobsError;
use crate::record::Record;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const RECORD: &str = "job.json";
const RESULT: &str = "result";
/// Before the name of what is not whole yet; ids never begin so.
const UNFINISHED: char = '.';

/// The folder of all jobs.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Opens it and removes what never became whole.
    pub(crate) fn open(path: PathBuf) -> Result<(Self, Vec<Record>), JobsError> {
        at(&path, make(&path))?;
        let mut records = Vec::new();
        for entry in at(&path, fs::read_dir(&path))? {
            let place = at(&path, entry)?.path();
            let name = place.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(UNFINISHED) {
                at(&place, fs::remove_dir_all(&place))?;
                continue;
            }
            let read = fs::read(place.join(RECORD)).map_err(|cause| cause.to_string());
            let record = read.and_then(|text| serde_json::from_slice(&text).map_err(|cause| cause.to_string()));
            match record.map(|record: Record| (record.id == name, record)) {
                Ok((true, record)) => records.push(record),
                // It is not ours to throw away; it is no job either.
                Ok((false, _)) => tracing::error!("{} holds the record of another job", place.display()),
                Err(cause) => tracing::error!("{} is no job: {cause}", place.display()),
            }
        }
        records.sort_by(|a, b| a.id.cmp(&b.id));
        Ok((Self(path), records))
    }

    /// Writes a new job: all of it is on disk before it has its name.
    pub(crate) fn create(&self, record: &Record, files: &[(String, Vec<u8>)]) -> Result<(), JobsError> {
        let unfinished = self.0.join(format!("{UNFINISHED}{}", record.id));
        let written = self.write_all(&unfinished, record, files);
        if written.is_err() {
            let _ = fs::remove_dir_all(&unfinished);
        }
        written
    }

    fn write_all(&self, unfinished: &Path, record: &Record, files: &[(String, Vec<u8>)]) -> Result<(), JobsError> {
        at(unfinished, make(unfinished))?;
        for (index, (_, bytes)) in files.iter().enumerate() {
            let path = unfinished.join(input(index));
            at(&path, write(&path, bytes))?;
        }
        let path = unfinished.join(RECORD);
        at(&path, write(&path, &text(record)))?;
        at(unfinished, sync(unfinished))?;
        let place = self.place(record);
        at(&place, fs::rename(unfinished, &place))?;
        at(&self.0, sync(&self.0))
    }

    /// Replaces the record.
    pub(crate) fn save(&self, record: &Record) -> Result<(), JobsError> {
        self.replace(record, RECORD, &text(record))
    }

    /// Writes the result; the record that says so comes after it.
    pub(crate) fn save_result(&self, record: &Record, bytes: &[u8]) -> Result<(), JobsError> {
        self.replace(record, RESULT, bytes)
    }

    fn replace(&self, record: &Record, name: &str, bytes: &[u8]) -> Result<(), JobsError> {
        let place = self.place(record);
        let unfinished = place.join(format!("{UNFINISHED}{name}"));
        at(&unfinished, write(&unfinished, bytes))?;
        let path = place.join(name);
        at(&path, fs::rename(&unfinished, &path))?;
        at(&place, sync(&place))
    }

    /// The input.
    pub(crate) fn files(&self, record: &Record) -> Result<Vec<(String, Vec<u8>)>, JobsError> {
        let read = |(index, name): (usize, &String)| {
            let path = self.place(record).join(input(index));
            Ok((name.clone(), at(&path, fs::read(&path))?))
        };
        record.files.iter().enumerate().map(read).collect()
    }

    /// The result's bytes.
    pub(crate) fn result(&self, record: &Record) -> Result<Vec<u8>, JobsError> {
        let path = self.place(record).join(RESULT);
        at(&path, fs::read(&path))
    }

    /// Removes the input of a job that has ended: nobody needs it any more, and it is somebody's heart.
    pub(crate) fn remove_input(&self, record: &Record) {
        for index in 0..record.files.len() {
            let path = self.place(record).join(input(index));
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    tracing::error!("{} was not removed: {cause}", path.display());
                }
                _ => {}
            }
        }
    }

    /// Removes all of a job.
    pub(crate) fn remove(&self, record: &Record) -> Result<(), JobsError> {
        let (place, gone) = (self.place(record), self.0.join(format!("{UNFINISHED}{}", record.id)));
        at(&place, fs::rename(&place, &gone))?;
        at(&gone, fs::remove_dir_all(&gone))
    }

    fn place(&self, record: &Record) -> PathBuf {
        self.0.join(&record.id)
    }
}

fn input(index: usize) -> String {
    format!("input-{index}")
}

fn text(record: &Record) -> Vec<u8> {
    // A record holds strings, numbers and JSON: it can always be written.
    serde_json::to_vec(record).unwrap_or_default()
}

/// For this user alone: what lies here may be recordings.
fn make(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn at<T>(path: &Path, done: io::Result<T>) -> Result<T, JobsError> {
    done.map_err(|cause| JobsError::Disk {
        path: path.to_owned(),
        cause,
    })
}
