//! What can go wrong with MLflow, each with what to do.

use crate::Refused;
use std::path::PathBuf;

/// Why MLflow did not give what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of the source is wrong.
    #[error("setting `{setting}` of the MLflow source: {why}")]
    Settings {
        /// Its name.
        setting: &'static str,
        /// What is wrong, and what to write.
        why: String,
    },
    /// No connection stands.
    #[error("MLflow at {url} cannot be reached: {cause}; see that it runs and that the address is right")]
    Unreachable {
        /// What was asked.
        url: String,
        /// As the network says it.
        cause: String,
    },
    /// The connection ended before the answer did.
    #[error("MLflow at {url} cut the connection: {cause}; asked again in vain, see the server's log")]
    Cut {
        /// What was asked.
        url: String,
        /// As the network says it.
        cause: String,
    },
    /// The answer did not come in time.
    #[error("MLflow at {url} did not answer in time; raise `timeouts` of the source or see why the server is slow")]
    TimedOut {
        /// What was asked.
        url: String,
    },
    /// The TLS handshake failed.
    #[error("TLS with {url} failed: {cause}; name the authority that signed its certificate in `ca_file`")]
    Tls {
        /// What was asked.
        url: String,
        /// As the TLS library says it.
        cause: String,
    },
    /// 401.
    #[error("MLflow at {url} does not accept the credentials (401); set `credentials` of the source, or renew them")]
    Unauthorised {
        /// What was asked.
        url: String,
    },
    /// 403.
    #[error("MLflow at {url} does not allow this (403: {said}); give the user of the source the right to read it")]
    Forbidden {
        /// What was asked.
        url: String,
        /// The server's words.
        said: String,
    },
    /// 403 because the server does not know the name it was called by.
    #[error("MLflow at {url} refuses the name it was called by; start it with --allowed-hosts naming that host")]
    HostRefused {
        /// What was asked.
        url: String,
    },
    /// No such registered model.
    #[error("MLflow has no registered model `{model}`; see the names at the server's page Models")]
    NoModel {
        /// The name asked for.
        model: String,
    },
    /// No such version.
    #[error("MLflow's model `{model}` has no version {version}; see its versions at the server's page")]
    NoVersion {
        /// The model.
        model: String,
        /// The version asked for.
        version: u64,
    },
    /// No such alias.
    #[error("MLflow's model `{model}` has no alias `{alias}`; set it there, or name a version as models:/{model}/1")]
    NoAlias {
        /// The model.
        model: String,
        /// The alias asked for.
        alias: String,
    },
    /// No such run, logged model, folder or file.
    #[error("MLflow has no {what}; it may have been deleted there")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// A reference that names nothing.
    #[error("`{given}` names no model version: {why}")]
    Reference {
        /// As it was given.
        given: String,
        /// What to write.
        why: String,
    },
    /// The files lie where we do not read.
    #[error("the files at {uri} cannot be read: {why}")]
    Location {
        /// Where MLflow says they are.
        uri: String,
        /// Why not, and what to do.
        why: String,
    },
    /// The name of a file could lead elsewhere.
    #[error("the artifact path {path:?} is refused: {why}")]
    Path {
        /// As it was given.
        path: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The model's format is one that is not served.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The answer is longer or shorter than the listing says.
    #[error(
        "{file} is listed with {listed} bytes but MLflow sends {sent}; log the model again or see the server's disk"
    )]
    Length {
        /// The file.
        file: String,
        /// Bytes in the listing.
        listed: u64,
        /// What came: a number, or "more", or "fewer".
        sent: String,
    },
    /// The content is not what it was.
    #[error("{file} has the SHA-256 {found}, expected is {expected}; it was changed in MLflow after it was registered")]
    Checksum {
        /// The file.
        file: String,
        /// In hexadecimal.
        expected: String,
        /// In hexadecimal.
        found: String,
    },
    /// More than may be downloaded.
    #[error("{what} is more than the limit of {limit}; raise the limit or log less")]
    TooLarge {
        /// What, with its size.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// The answer points to another server.
    #[error("{url} redirects to another origin, which is refused; write the final address as `url` of the source")]
    Redirected {
        /// What was asked.
        url: String,
    },
    /// The answer is not one of MLflow's.
    #[error("{url} does not answer as MLflow does: {why}; see that the address is that of the tracking server")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Another 4xx.
    #[error("MLflow at {url} refuses the request ({status}: {said})")]
    Request {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The server's words.
        said: String,
    },
    /// 5xx.
    #[error("MLflow at {url} failed ({status}: {said}); see the server's log")]
    Server {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The server's words.
        said: String,
    },
    /// The file MLmodel, or the input example beside it, is not as MLflow writes it.
    #[error("{file} cannot be read: {why}; log the model again with a current MLflow")]
    Malformed {
        /// The file.
        file: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The local disk.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// As the system says it.
        cause: std::io::Error,
    },
}

impl Error {
    /// Whether the same request may go well later without anyone changing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Cut { .. } | Self::TimedOut { .. } | Self::Server { .. }
        )
    }
}
