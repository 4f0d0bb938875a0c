//! Passwords: hashed with Argon2id, two at a time, and how often a name may be tried.

use crate::error::{AuthError, LoginError, TooMany};
use crate::meter::Meter;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use einthoven_registry_state::{PasswordHash, Rate};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Memory in KiB, passes and lanes of one hash: what OWASP advises at least.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes at once: 38 MiB at most.
const AT_ONCE: usize = 2;

/// Hashes that wait.
const WAITING: usize = 64;

/// Attempts for one name: ten, and then one every ten seconds. Two hashes at once cannot even try that many names in the time
/// in which a name's attempts come back.
const ATTEMPTS: Rate = Rate {
    per_second: 0.1,
    burst: 10,
};

/// Names whose attempts are counted.
const MOST_NAMES: usize = 10_000;

/// Shortest and longest password, in characters and in bytes.
const SHORTEST: usize = 10;
const LONGEST: usize = 1024;

/// The one place that hashes passwords.
pub(crate) struct Passwords {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// What a password is compared with where there is no such user.
    nobody: PasswordHash,
    attempts: Mutex<HashMap<[u8; 32], Meter>>,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, AuthError> {
        let nobody = hash(&SecretString::from(crate::random::text()?.as_str()))?;
        Ok(Self {
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            nobody,
            attempts: Mutex::default(),
        })
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<PasswordHash, AuthError> {
        let length = password.expose_secret().chars().count();
        if length < SHORTEST || password.expose_secret().len() > LONGEST {
            return Err(AuthError::Field {
                field: "password",
                why: format!("it has {SHORTEST} characters at least, and {LONGEST} bytes at most"),
            });
        }
        let busy = |_| AuthError::System("too many passwords are being hashed; try again".to_owned());
        let _place = Arc::clone(&self.queue).try_acquire_owned().map_err(busy)?;
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|cause| AuthError::System(cause.to_string()))?;
        let hashed = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            hash(&password)
        });
        hashed.await.map_err(|cause| AuthError::System(cause.to_string()))?
    }

    /// Whether it is the password. Takes as long where there is no such user.
    pub(crate) async fn check(
        &self,
        name: &str,
        password: &SecretString,
        kept: Option<PasswordHash>,
    ) -> Result<(), LoginError> {
        let place = Arc::clone(&self.queue).try_acquire_owned();
        let _place = place.map_err(|_| TooMany {
            retry_after: Duration::from_secs(1),
        })?;
        let name = crate::random::digest(name);
        self.attempt(name)?;
        if password.expose_secret().len() > LONGEST {
            return Err(LoginError::Wrong);
        }
        let exists = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobody.clone());
        let password = password.clone();
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|_| LoginError::Failed)?;
        let same = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            is(&password, &kept)
        });
        let same = same.await.map_err(|_| LoginError::Failed)?;
        if !(same && exists) {
            return Err(LoginError::Wrong);
        }
        // Who knows the password starts again with all attempts.
        let attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = attempts.get(&name) {
            meter.fill();
        }
        Ok(())
    }

    fn attempt(&self, name: [u8; 32]) -> Result<(), TooMany> {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= MOST_NAMES && !attempts.contains_key(&name) {
            attempts.retain(|_, meter| !meter.is_full());
            if attempts.len() >= MOST_NAMES {
                return Err(TooMany {
                    retry_after: Duration::from_secs(10),
                });
            }
        }
        attempts.entry(name).or_insert_with(|| Meter::new(ATTEMPTS)).take()
    }
}

fn argon2() -> Result<Argon2<'static>, AuthError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|cause| AuthError::System(cause.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &SecretString) -> Result<PasswordHash, AuthError> {
    let failed = |cause: argon2::password_hash::Error| AuthError::System(cause.to_string());
    let mut salt = [0; 16];
    crate::random::fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt).map_err(failed)?;
    let hashed = argon2()?
        .hash_password(password.expose_secret().as_bytes(), &salt)
        .map_err(failed)?;
    Ok(PasswordHash(hashed.to_string()))
}

fn is(password: &SecretString, kept: &PasswordHash) -> bool {
    let Ok(kept) = argon2::PasswordHash::new(&kept.0) else {
        return false;
    };
    // Its parameters are those it was made with, whatever new ones are.
    Argon2::default()
        .verify_password(password.expose_secret().as_bytes(), &kept)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[tokio::test]
    async fn a_password_is_kept_as_argon2id_with_its_own_salt() {
        let passwords = Passwords::new().unwrap();
        let kept = passwords.hash(secret("correct horse")).await.unwrap();
        assert!(kept.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.0);
        assert_ne!(kept, passwords.hash(secret("correct horse")).await.unwrap());
        passwords
            .check("ana", &secret("correct horse"), Some(kept.clone()))
            .await
            .unwrap();
        let wrong = passwords.check("ana", &secret("correct Horse"), Some(kept)).await;
        assert!(matches!(wrong, Err(LoginError::Wrong)));
        for bad in ["short", "", &"x".repeat(1025)] {
            assert!(matches!(
                passwords.hash(secret(bad)).await,
                Err(AuthError::Field { field: "password", .. })
            ));
        }
    }

    #[tokio::test]
    async fn nobody_takes_as_long_as_somebody() {
        let passwords = Passwords::new().unwrap();
        let kept = passwords.hash(secret("correct horse")).await.unwrap();
        let mut fastest = [Duration::MAX; 2];
        for _ in 0..5 {
            for (index, kept) in [Some(kept.clone()), None].into_iter().enumerate() {
                let start = Instant::now();
                let refused = passwords
                    .check(&format!("name {index}"), &secret("wrong password"), kept)
                    .await;
                assert!(matches!(refused, Err(LoginError::Wrong)));
                fastest[index] = fastest[index].min(start.elapsed());
            }
        }
        // A shortcut would be a thousand times quicker.
        assert!(
            fastest[1] * 3 > fastest[0] && fastest[0] * 3 > fastest[1],
            "{fastest:?}"
        );
    }

    #[tokio::test]
    async fn a_name_can_be_tried_so_often_whether_it_exists_or_not() {
        let passwords = Passwords::new().unwrap();
        for _ in 0..10 {
            let refused = passwords.check("ana", &secret("wrong password"), None).await;
            assert!(matches!(refused, Err(LoginError::Wrong)));
        }
        let refused = passwords.check("ana", &secret("wrong password"), None).await;
        assert!(matches!(refused, Err(LoginError::TooMany(_))), "{refused:?}");
        let other = passwords.check("ben", &secret("wrong password"), None).await;
        assert!(matches!(other, Err(LoginError::Wrong)));
    }
}
