//! Paths of artifacts, checked before they become a URL or a file.

use crate::Error;
use std::fmt;

/// Bytes of a path, the limit of Linux.
const LONGEST_PATH: usize = 4096;
/// Bytes of a name in it, the limit of Linux's file systems.
const LONGEST_NAME: usize = 255;

/// A relative path below a model's folder: names joined by `/`, none of which leads elsewhere, whoever decodes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactPath(String);

impl ArtifactPath {
    /// Checks a path.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] when it is empty, absolute or too long, or has an empty name, `.`, `..`, a backslash, a control
    /// character, a colon or a percent sign (which a server might decode once more than we do).
    pub fn new(path: &str) -> Result<Self, Error> {
        match wrong(path) {
            None => Ok(Self(path.to_owned())),
            Some(why) => Err(Error::Path {
                path: path.chars().take(200).collect(),
                why,
            }),
        }
    }

    /// This path and one below it.
    ///
    /// # Errors
    ///
    /// As [`ArtifactPath::new`].
    pub fn join(&self, below: &str) -> Result<Self, Error> {
        Self::new(below)?;
        Self::new(&format!("{}/{below}", self.0))
    }

    /// As text, with `/` between names.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

fn wrong(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.len() > LONGEST_PATH {
        return Some("it is longer than 4096 bytes");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    if path.contains('\\') {
        return Some("it has a backslash");
    }
    if path.contains('%') {
        return Some("it has a percent sign");
    }
    if path.contains(':') {
        return Some("it has a colon");
    }
    if path.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    for name in path.split('/') {
        match name {
            "" => return Some("it has an empty name"),
            "." | ".." => return Some("it has a name that leads elsewhere"),
            _ if name.len() > LONGEST_NAME => return Some("it has a name longer than 255 bytes"),
            _ => {}
        }
    }
    None
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
