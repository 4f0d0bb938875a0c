//! XChaCha20-Poly1305: recordings in chunks after the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015), so that
//! chunks can be neither changed, swapped nor left out; keys in one piece.

use chacha20poly1305::aead::stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

const MAGIC: [u8; 8] = *b"EINTREC1";
/// Bytes of a chunk before it is encrypted.
const CHUNK: usize = 64 << 10;
/// Bytes that encryption adds to a chunk.
const TAG: usize = 16;
/// The nonce's bytes before the chunk's number and whether it is the last.
const PREFIX: usize = 19;
const NONCE: usize = 24;
const KEY: usize = 32;

/// The key of one recording.
pub(super) struct DataKey(pub(super) Zeroizing<[u8; KEY]>);

/// A data key encrypted under the master key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrapped {
    /// Which master key.
    pub(super) master: String,
    pub(super) nonce: [u8; NONCE],
    pub(super) key: Vec<u8>,
}

impl DataKey {
    /// From the system's randomness.
    pub(super) fn new() -> Result<Self, String> {
        let mut key = Zeroizing::new([0; KEY]);
        random(key.as_mut())?;
        Ok(Self(key))
    }

    /// The recording encrypted, bound to its name.
    pub(super) fn seal(&self, name: &str, recording: &[u8]) -> Result<Vec<u8>, String> {
        let mut prefix = [0; PREFIX];
        random(&mut prefix)?;
        let mut stream = EncryptorBE32::<XChaCha20Poly1305>::new((&*self.0).into(), (&prefix).into());
        let mut sealed = Vec::with_capacity(recording.len() + TAG * (recording.len() / CHUNK + 1) + 64);
        sealed.extend_from_slice(&MAGIC);
        sealed.extend_from_slice(&prefix);
        let whole = recording.len().saturating_sub(1) / CHUNK * CHUNK;
        let (chunks, last) = recording.split_at(whole);
        let fail = |_| "it is too long".to_owned();
        for msg in chunks.chunks(CHUNK) {
            let aad = name.as_bytes();
            sealed.extend(stream.encrypt_next(Payload { msg, aad }).map_err(fail)?);
        }
        let aad = name.as_bytes();
        sealed.extend(stream.encrypt_last(Payload { msg: last, aad }).map_err(fail)?);
        Ok(sealed)
    }

    /// The recording; none where anything is not as it was written.
    pub(super) fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let rest = sealed.strip_prefix(&MAGIC)?;
        let (prefix, rest) = rest.split_first_chunk::<PREFIX>()?;
        let mut stream = DecryptorBE32::<XChaCha20Poly1305>::new((&*self.0).into(), prefix.into());
        let whole = rest.len().saturating_sub(1) / (CHUNK + TAG) * (CHUNK + TAG);
        let (chunks, last) = rest.split_at(whole);
        let aad = name.as_bytes();
        let mut recording = Vec::with_capacity(rest.len());
        for msg in chunks.chunks(CHUNK + TAG) {
            recording.extend(stream.decrypt_next(Payload { msg, aad }).ok()?);
        }
        recording.extend(stream.decrypt_last(Payload { msg: last, aad }).ok()?);
        Some(recording)
    }
}

/// A data key encrypted under this key, bound to its recording's name.
pub(super) fn wrap(master: &[u8; KEY], id: String, key: &DataKey, name: &str) -> Result<Wrapped, String> {
    let mut nonce = [0; NONCE];
    random(&mut nonce)?;
    let payload = Payload {
        msg: key.0.as_ref(),
        aad: name.as_bytes(),
    };
    let wrapped = XChaCha20Poly1305::new(master.into()).encrypt(XNonce::from_slice(&nonce), payload);
    Ok(Wrapped {
        master: id,
        nonce,
        key: wrapped.map_err(|_| "the cipher refused".to_owned())?,
    })
}

/// The data key; none where it was changed or is another recording's.
pub(super) fn unwrap(master: &[u8; KEY], wrapped: &Wrapped, name: &str) -> Option<DataKey> {
    let payload = Payload {
        msg: &wrapped.key,
        aad: name.as_bytes(),
    };
    let cipher = XChaCha20Poly1305::new(master.into());
    let key = Zeroizing::new(cipher.decrypt(XNonce::from_slice(&wrapped.nonce), payload).ok()?);
    let mut data = Zeroizing::new([0; KEY]);
    data.copy_from_slice(key.get(..KEY).filter(|_| key.len() == KEY)?);
    Some(DataKey(data))
}

impl Wrapped {
    /// `<master> <nonce> <wrapped key>` in hexadecimal digits.
    pub(super) fn to_text(&self) -> String {
        format!(
            "{} {} {}\n",
            self.master,
            hex::encode(self.nonce),
            hex::encode(&self.key)
        )
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(text).ok()?.trim_end().split(' ');
        let wrapped = Self {
            master: parts.next()?.to_owned(),
            nonce: hex::decode(parts.next()?).ok()?.try_into().ok()?,
            key: hex::decode(parts.next()?).ok()?,
        };
        (parts.next().is_none() && wrapped.key.len() == KEY + TAG).then_some(wrapped)
    }
}

pub(super) fn random(bytes: &mut [u8]) -> Result<(), String> {
    getrandom::fill(bytes).map_err(|cause| format!("the system gives no random numbers: {cause}"))
}
