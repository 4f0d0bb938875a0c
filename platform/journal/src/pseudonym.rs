//! What stands in the journal for the name of a person or of a record.

use crate::JournalError;
use crate::recordings::master::MasterKey;
use crate::segments::make;
use std::path::Path;

/// What a key of pseudonyms is bound to where it lies under a master key.
const NAME: &str = "pseudonyms";

/// Where it lies in the folder of a journal that shares it with none.
const FILE: &str = "pseudonyms.key";

/// The key under which names become pseudonyms: keyed hashes.
///
/// Whoever has the key and a name finds what is recorded under it; whoever has the entries alone cannot try names out.
#[derive(Clone)]
pub struct PseudonymKey(MasterKey);

impl std::fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PseudonymKey(..)")
    }
}

impl PartialEq for PseudonymKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.id() == other.0.id()
    }
}

impl PseudonymKey {
    /// The one that lies in a journal's folder; made where there is none.
    ///
    /// # Errors
    /// [`JournalError::MasterKey`], [`JournalError::Io`].
    pub fn in_folder(folder: &Path) -> Result<Self, JournalError> {
        make(folder)?;
        MasterKey::read_or_make(&folder.join(FILE)).map(Self)
    }

    /// A new one, which lies nowhere yet.
    ///
    /// # Errors
    /// [`JournalError::Io`] where the system gives no random numbers.
    pub fn new(master: &MasterKey) -> Result<Self, JournalError> {
        master.another().map(Self)
    }

    /// Whether a journal's folder has one.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).exists()
    }

    /// Puts it into a journal's folder that has none.
    ///
    /// # Errors
    /// [`JournalError::Io`], also where there is one.
    pub fn put_in_folder(&self, folder: &Path) -> Result<(), JournalError> {
        make(folder)?;
        self.0.put(&folder.join(FILE))
    }

    /// It under a master key, to lie where several servers find it.
    ///
    /// # Errors
    /// [`JournalError::Io`] where the system gives no random numbers.
    pub fn wrapped(&self, master: &MasterKey) -> Result<String, JournalError> {
        master.wrap_other(&self.0, NAME)
    }

    /// The same back; none where it lies under another master key, or was changed.
    #[must_use]
    pub fn unwrapped(text: &str, master: &MasterKey) -> Option<Self> {
        master.unwrap_other(text, NAME).map(Self)
    }

    pub(crate) fn subject(&self, name: &str) -> String {
        format!("s_{}", self.0.stand_in(&format!("subject {name}")))
    }

    pub(crate) fn record(&self, name: &str) -> String {
        format!("r_{}", self.0.stand_in(&format!("record {name}")))
    }
}
