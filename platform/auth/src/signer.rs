//! The key with which this server signs tokens of our own.

use crate::error::AuthError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The file in the server's folder, and what it is called until it is whole.
const FILE: &str = "signing-key.json";
const NEW: &str = "signing-key.json.new";

/// A server's signing key, both halves.
pub(crate) struct Signer {
    /// The server, across rotations.
    pub(crate) server: String,
    pub(crate) kid: String,
    /// The public half, base64url.
    pub(crate) public: String,
    secret: Zeroizing<[u8; 32]>,
    signs: EncodingKey,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    server: String,
    /// 32 bytes of an Ed25519 key, base64url.
    secret: Zeroizing<String>,
}

impl Signer {
    /// A new key; of this server, or of a new one.
    pub(crate) fn make(server: Option<&str>) -> Result<Self, AuthError> {
        let server = match server {
            Some(server) => server.to_owned(),
            None => server_id()?,
        };
        Self::of(server, crate::random::bytes()?)
    }

    fn of(server: String, secret: Zeroizing<[u8; 32]>) -> Result<Self, AuthError> {
        let key = SigningKey::from_bytes(&secret);
        let public = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let der = key
            .to_pkcs8_der()
            .map_err(|cause| AuthError::System(cause.to_string()))?;
        Ok(Self {
            server,
            kid: thumbprint(&public),
            public,
            secret,
            signs: EncodingKey::from_ed_der(der.as_bytes()),
        })
    }

    /// The key kept in the folder; none where there is none yet.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, AuthError> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(AuthError::Io { path, cause }),
        };
        let mode = fs::metadata(&path).map(|found| found.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            let why = "others than its owner can read it, so it may be known; it must have mode 0600".to_owned();
            return Err(AuthError::SigningKey { path, why });
        }
        let unusable = |why: &str| AuthError::SigningKey {
            path: path.clone(),
            why: why.to_owned(),
        };
        // What serde says may repeat what it read.
        let kept: Kept = serde_json::from_str(&text).map_err(|_| unusable("it is not written as one"))?;
        let mut secret = Zeroizing::new([0; 32]);
        let read = URL_SAFE_NO_PAD.decode_slice(kept.secret.as_bytes(), secret.as_mut());
        if !read.is_ok_and(|length| length == 32) {
            return Err(unusable("it is not 32 bytes in base64url"));
        }
        Self::of(kept.server, secret).map(Some)
    }

    /// Writes it beside the one in the folder; [`Written::take_effect`] puts it in its place.
    pub(crate) fn write(&self, folder: &Path) -> Result<Written, AuthError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |cause| AuthError::Io { path, cause }
        };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(io(folder))?;
        let path = folder.join(NEW);
        // One left by a server that was stopped in between.
        let _ = fs::remove_file(&path);
        let kept = Kept {
            server: self.server.clone(),
            secret: Zeroizing::new(URL_SAFE_NO_PAD.encode(self.secret.as_ref())),
        };
        let text = serde_json::to_string(&kept).map_err(|cause| AuthError::System(cause.to_string()))?;
        let text = Zeroizing::new(text);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(io(&path))?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(io(&path))?;
        Ok(Written {
            new: path,
            folder: folder.to_owned(),
        })
    }

    /// Signs the claims.
    pub(crate) fn sign(&self, typ: &str, claims: &serde_json::Value) -> Result<Zeroizing<String>, AuthError> {
        let header = serde_json::json!({"alg": "EdDSA", "kid": self.kid, "typ": typ});
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.signs, Algorithm::EdDSA);
        let signature = signature.map_err(|cause| AuthError::System(format!("cannot sign: {cause}")))?;
        Ok(Zeroizing::new(format!("{message}.{signature}")))
    }
}

/// A key that was written and is not in its place yet.
pub(crate) struct Written {
    new: PathBuf,
    folder: PathBuf,
}

impl Written {
    pub(crate) fn take_effect(self) -> Result<(), AuthError> {
        let path = self.folder.join(FILE);
        let done = fs::rename(&self.new, &path).and_then(|()| File::open(&self.folder)?.sync_all());
        done.map_err(|cause| AuthError::Io { path, cause })
    }
}

/// 64 bits as hexadecimal digits.
fn server_id() -> Result<String, AuthError> {
    let mut bytes = [0; 8];
    crate::random::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// The thumbprint of an Ed25519 key's JWK (RFC 7638, RFC 8037).
fn thumbprint(public: &str) -> String {
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(jwk.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        let public = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(thumbprint(public), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_key_is_kept_for_its_owner_alone_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("auth");
        assert!(Signer::read(&folder).unwrap().is_none());
        let made = Signer::make(None).unwrap();
        made.write(&folder).unwrap();
        assert!(Signer::read(&folder).unwrap().is_none(), "not in its place yet");
        made.write(&folder).unwrap().take_effect().unwrap();
        let path = folder.join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let read = Signer::read(&folder).unwrap().unwrap();
        assert_eq!((&read.kid, &read.server), (&made.kid, &made.server));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Signer::read(&folder).is_err_and(|error| error.to_string().contains("0600")));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for wrong in ["", "{}", r#"{"server":"a","secret":"c2hvcnQ"}"#] {
            fs::write(&path, wrong).unwrap();
            let Err(error) = Signer::read(&folder) else {
                panic!("{wrong}")
            };
            assert!(!error.to_string().contains("c2hvcnQ"));
        }
    }
}
