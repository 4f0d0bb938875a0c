//! The keys with which servers sign tokens of our own: their public halves.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The public half of a server's signing key (Ed25519). Its private half never leaves the server's data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// `kid` in the header of what it signed: the key's thumbprint (RFC 7638).
    pub kid: String,
    /// The server that signs with it.
    pub server: String,
    /// The 32 bytes of the public key, base64url without padding: `x` of its JWK.
    pub public: String,
    /// From when on it signs.
    pub from: Timestamp,
    /// Until when what it signed counts; without end while it signs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Timestamp>,
}
