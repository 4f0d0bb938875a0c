//! What stands in the journal for the name of a person or of a record.

use crate::JournalError;
use crate::recordings::master::MasterKey;
use std::path::Path;

/// Makes pseudonyms: keyed hashes, under a key that lies beside the entries.
///
/// Whoever has the key and a name finds what is recorded under it; whoever has the entries alone cannot try names out.
pub(crate) struct Pseudonyms(MasterKey);

impl Pseudonyms {
    /// The key is made where there is none.
    pub(crate) fn open(folder: &Path) -> Result<Self, JournalError> {
        MasterKey::read_or_make(&folder.join("pseudonyms.key")).map(Self)
    }

    pub(crate) fn subject(&self, name: &str) -> String {
        format!("s_{}", self.0.stand_in(&format!("subject {name}")))
    }

    pub(crate) fn record(&self, name: &str) -> String {
        format!("r_{}", self.0.stand_in(&format!("record {name}")))
    }
}
