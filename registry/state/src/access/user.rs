//! People who sign in with a password.

use super::grant::{Grant, Scope};
use crate::name::UserName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A person who signs in with a password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// What they sign in as.
    pub name: UserName,
    /// Hash of the password.
    pub password: PasswordHash,
    /// What they do here; sorted, each once.
    pub roles: Vec<Role>,
    /// When they were added.
    pub created_at: Timestamp,
    /// Who added them.
    pub created_by: String,
    /// The entry of the log that added them or gave them the newest password: what was issued before it is refused.
    pub valid_from: u64,
    /// The entry of the log that changed them last: their ETag.
    pub revision: u64,
}

impl User {
    /// What they may do, by their roles.
    #[must_use]
    pub fn grants(&self) -> Vec<Grant> {
        let mut scopes: Vec<_> = self.roles.iter().flat_map(|role| role.scopes()).copied().collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes.into_iter().map(Grant::all).collect()
    }
}

/// What somebody does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks at models and has recordings computed.
    Viewer,
    /// Says what predictions should have been.
    Labeler,
    /// Brings models.
    DataScientist,
    /// Decides which version answers.
    Operator,
    /// Does everything.
    Owner,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Viewer,
        Self::Labeler,
        Self::DataScientist,
        Self::Operator,
        Self::Owner,
    ];

    /// What somebody in this role may do, with every model.
    #[must_use]
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Viewer => &[Scope::Predict, Scope::ModelsRead],
            Self::Labeler => &[Scope::Predict, Scope::Label, Scope::ModelsRead],
            Self::DataScientist => &[Scope::Predict, Scope::Label, Scope::ModelsRead, Scope::ModelsWrite],
            Self::Operator => &[Scope::Predict, Scope::ModelsRead, Scope::Traffic, Scope::AuditRead],
            Self::Owner => &[Scope::Admin],
        }
    }
}

/// Hash of a password with its salt and parameters, in the PHC format. Printed nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(hash of a password)")
    }
}
