//! Files of versions, known by their content: kept on disk or in a bucket, received, and unpacked.
//!
//! A [`Store`] holds files under their SHA-256 and never gives out one that does not have it. [`receive()`] brings an upload to
//! disk, [`unpack()`] turns an archive into files with checked names. What the files mean is not known here.
#![forbid(unsafe_code)]

mod bucket;
mod digest;
mod disk;
mod error;
mod hashing;
mod names;
mod objects;
mod receive;
mod store;
mod unpack;

pub use bucket::Bucket;
pub use digest::{Digest, FileEntry, package_digest};
pub use error::FilesError;
pub use names::{valid_name, valid_names};
pub use objects::Objects;
pub use receive::{ReceivedFile, receive};
pub use store::{Collected, Copied, Store, Stored};
pub use unpack::{Bounds, Unpacked, UnpackedFile, unpack};
