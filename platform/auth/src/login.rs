//! What is waited for: the owner's link, and browsers that are signing in elsewhere. In this server's memory alone, so a browser
//! must come back to the server that sent it; behind a balancer that takes no more than a sticky address.

use crate::error::AuthError;
use crate::random;
use einthoven_registry_state::IssuerName;
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;
use url::Url;
use zeroize::Zeroizing;

/// How long somebody may take to sign in elsewhere.
const PATIENCE: Duration = Duration::from_secs(600);

/// Browsers that are on their way at once.
const MOST: usize = 10_000;

/// Everything that is waited for. Of secrets that come back only hashes are kept.
pub(crate) struct Logins {
    link_lives: Duration,
    link: Mutex<Option<([u8; 32], Instant)>>,
    away: Mutex<HashMap<[u8; 32], Away>>,
}

/// A browser that was sent to an issuer.
pub(crate) struct Away {
    pub(crate) issuer: IssuerName,
    /// Revision of the issuer's settings with which it was sent.
    pub(crate) revision: u64,
    pub(crate) nonce: Zeroizing<String>,
    pub(crate) verifier: Zeroizing<String>,
    /// Where it comes back to.
    pub(crate) back: Url,
    /// Hash of what its cookie holds.
    browser: [u8; 32],
    since: Instant,
}

/// What a browser takes along.
pub(crate) struct Sent {
    pub(crate) state: Zeroizing<String>,
    pub(crate) cookie: SecretString,
    pub(crate) nonce: Zeroizing<String>,
    pub(crate) verifier: Zeroizing<String>,
}

impl Logins {
    pub(crate) fn new(link_lives: Duration) -> Self {
        Self {
            link_lives,
            link: Mutex::default(),
            away: Mutex::default(),
        }
    }

    /// A new link; the one before counts no more.
    pub(crate) fn new_link(&self) -> Result<SecretString, AuthError> {
        let token = random::text()?;
        let kept = (random::digest(&token), Instant::now());
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(SecretString::from(token.as_str()))
    }

    /// Whether it is the link; it is none any more then.
    pub(crate) fn take_link(&self, token: &str) -> bool {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        let given = random::digest(token);
        let good = link.is_some_and(|(kept, made)| bool::from(kept.ct_eq(&given)) && made.elapsed() < self.link_lives);
        if good {
            *link = None;
        }
        good
    }

    /// Remembers a browser that is sent to an issuer; none where too many are on their way.
    pub(crate) fn send(&self, issuer: &IssuerName, revision: u64, back: &Url) -> Result<Option<Sent>, AuthError> {
        let cookie = random::text()?;
        let sent = Sent {
            state: random::text()?,
            cookie: SecretString::from(cookie.as_str()),
            nonce: random::text()?,
            verifier: random::text()?,
        };
        let waits = Away {
            issuer: issuer.clone(),
            revision,
            nonce: sent.nonce.clone(),
            verifier: sent.verifier.clone(),
            back: back.clone(),
            browser: random::digest(&cookie),
            since: Instant::now(),
        };
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if away.len() >= MOST {
            away.retain(|_, waits| waits.since.elapsed() < PATIENCE);
        }
        if away.len() >= MOST {
            return Ok(None);
        }
        away.insert(random::digest(&sent.state), waits);
        Ok(Some(sent))
    }

    /// The browser that was sent with this state and holds this cookie. A state counts once, also when the cookie is wrong: it
    /// was shown to somebody else then.
    pub(crate) fn take(&self, state: &str, cookie: &str) -> Option<Away> {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = away.remove(&random::digest(state))?;
        let same = bool::from(waits.browser.ct_eq(&random::digest(cookie)));
        (same && waits.since.elapsed() < PATIENCE).then_some(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_link_counts_once_and_only_the_newest() {
        let logins = Logins::new(Duration::from_secs(60));
        assert!(!logins.take_link(""));
        let old = logins.new_link().unwrap();
        let new = logins.new_link().unwrap();
        assert!(!logins.take_link(old.expose_secret()));
        assert!(logins.take_link(new.expose_secret()));
        assert!(!logins.take_link(new.expose_secret()));
        let short = Logins::new(Duration::ZERO);
        let late = short.new_link().unwrap();
        assert!(!short.take_link(late.expose_secret()));
    }

    #[test]
    fn a_state_counts_once_and_for_the_browser_that_was_sent() {
        let logins = Logins::new(Duration::from_secs(60));
        let lab: IssuerName = "lab".parse().unwrap();
        let back = Url::parse("https://ecg.example/back").unwrap();
        let send = || logins.send(&lab, 1, &back).unwrap().unwrap();
        let (mine, other) = (send(), send());
        assert!(logins.take("", "").is_none());
        assert!(logins.take(&mine.state, other.cookie.expose_secret()).is_none());
        assert!(
            logins.take(&mine.state, mine.cookie.expose_secret()).is_none(),
            "it was shown to another browser"
        );
        let back = logins.take(&other.state, other.cookie.expose_secret()).unwrap();
        assert_eq!(back.nonce, other.nonce);
        assert!(
            logins.take(&other.state, other.cookie.expose_secret()).is_none(),
            "replayed"
        );
    }

    #[test]
    fn browsers_on_their_way_are_bounded() {
        let logins = Logins::new(Duration::from_secs(60));
        let lab: IssuerName = "lab".parse().unwrap();
        let back = Url::parse("https://ecg.example/back").unwrap();
        for _ in 0..MOST {
            logins.send(&lab, 1, &back).unwrap().unwrap();
        }
        assert!(logins.send(&lab, 1, &back).unwrap().is_none());
    }
}
