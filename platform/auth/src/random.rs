//! Secrets made by the system's generator, and what is kept of them.

use crate::error::AuthError;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// 256 bits, as nobody guesses them.
pub(crate) fn bytes() -> Result<Zeroizing<[u8; 32]>, AuthError> {
    let mut bytes = Zeroizing::new([0; 32]);
    fill(bytes.as_mut())?;
    Ok(bytes)
}

/// Fills with what nobody guesses.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), AuthError> {
    getrandom::fill(bytes).map_err(|cause| AuthError::System(format!("the system gives no random numbers: {cause}")))
}

/// 256 bits as 64 hexadecimal digits.
pub(crate) fn text() -> Result<Zeroizing<String>, AuthError> {
    Ok(Zeroizing::new(hex::encode(bytes()?.as_ref())))
}

/// SHA-256.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
