//! Sessions of the page. A session is a signed token in a cookie, with a time until which it is used again and one at which it
//! ends. Nothing of it is stored, so every server of a registry knows it, also after a start; that it ended before its time
//! stands in the log, as that a user, a key or an issuer is gone.

use crate::auth::Auth;
use crate::credential::{By, Credential, Session};
use crate::error::{AuthError, LoginError};
use crate::issued::{LINK, REVISION, SESSION, session_audience};
use crate::jws::Jws;
use crate::principal::Principal;
use einthoven_registry_state::{Access, AccessChange, Grant, IssuerName, Scope};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

/// Longest value of a cookie; browsers keep 4,096 bytes with its name.
const LONGEST_COOKIE: usize = 3900;

/// A cookie is renewed when this part of its time is used up.
const USED_UP: i64 = 10;

/// What goes on when a session is prolonged.
struct Begun {
    id: String,
    subject: String,
    /// What it was given; nothing where it may what its user may.
    scope: Option<String>,
    /// When it ends, in seconds since 1970.
    until: i64,
    /// What was known when it began. It stays so: a session that is prolonged is none that began anew.
    revision: u64,
}

impl Auth {
    /// Begins a session of a subject who was proven at this revision of who may do what.
    pub(crate) fn begin_session(
        &self,
        subject: &str,
        grants: Option<&[Grant]>,
        revision: u64,
    ) -> Result<Session, LoginError> {
        let now = Timestamp::now().as_second();
        let scope = grants.map(|grants| grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        let begun = Begun {
            id: crate::random::text().map_err(failed)?.to_string(),
            subject: subject.to_owned(),
            scope,
            until: now.saturating_add(seconds(self.0.settings.session_longest)),
            revision,
        };
        self.session(&begun, now).map_err(failed)
    }

    fn session(&self, begun: &Begun, now: i64) -> Result<Session, AuthError> {
        let settings = &self.0.settings;
        let expires = now.saturating_add(seconds(settings.session_idle)).min(begun.until);
        let mut claims = serde_json::json!({
            "iss": settings.issuer, "aud": session_audience(settings), "sub": begun.subject, "jti": begun.id,
            "iat": now, "nbf": now, "exp": expires, "session_until": begun.until, REVISION: begun.revision,
        });
        if let Some(scope) = &begun.scope {
            claims["scope"] = scope.as_str().into();
        }
        let cookie = self.0.signer.load().sign(SESSION, &claims)?;
        if cookie.len() > LONGEST_COOKIE {
            let why = format!(
                "{} has too many grants for a cookie; give fewer, with `*`",
                begun.subject
            );
            return Err(AuthError::System(why));
        }
        // What was just made is looked at as any other: it may have ended meanwhile.
        let principal = self.authenticate_at(Credential::Session(&cookie), now);
        Ok(Session {
            principal: principal.map_err(|refused| AuthError::System(refused.to_string()))?,
            cookie: SecretString::from(cookie.as_str()),
            expires_at: Timestamp::from_second(expires).unwrap_or(Timestamp::MAX),
        })
    }

    /// A session that goes on longer, where this one has used up some of its time; nothing where its cookie is good enough,
    /// or no good at all.
    #[must_use]
    pub fn renew(&self, cookie: &str) -> Option<Session> {
        self.renew_at(cookie, Timestamp::now().as_second())
    }

    pub(crate) fn renew_at(&self, cookie: &str, now: i64) -> Option<Session> {
        self.authenticate_at(Credential::Session(cookie), now).ok()?;
        let jws = Jws::parse(cookie).ok()?;
        let whole = |claim: &str| jws.claims.get(claim).and_then(Value::as_i64);
        let until = whole("session_until")?;
        let idle = seconds(self.0.settings.session_idle);
        let longer = now.saturating_add(idle).min(until);
        if longer.saturating_sub(whole("exp")?) < (idle / USED_UP).max(1) {
            return None;
        }
        let begun = Begun {
            id: jws.text("jti")?.to_owned(),
            subject: jws.text("sub")?.to_owned(),
            scope: jws.text("scope").map(str::to_owned),
            until,
            revision: jws.claims.get(REVISION).and_then(Value::as_u64)?,
        };
        self.session(&begun, now).ok()
    }

    /// Ends the session, or revokes the token, that this principal came with. Who came with a key has none to end.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn end(&self, by: By, principal: &Principal) -> Result<(), AuthError> {
        let Some((token, until)) = principal.token() else {
            return Err(AuthError::Field {
                field: "session",
                why: "you came without one; a key is revoked under /v1/keys".to_owned(),
            });
        };
        let token = token.to_owned();
        self.change(by, AccessChange::RevokeToken { token, until })
            .await
            .map(drop)
    }

    /// Ends all sessions of a subject (`user:ana`, `oidc:lab:4711`) and revokes all that was issued to it until now.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn end_all(&self, by: By, subject: &str) -> Result<(), AuthError> {
        let subject = subject.to_owned();
        self.change(by, AccessChange::SignOut { subject }).await.map(drop)
    }

    /// Revokes one token by its `jti`: of an issuer's, or of our own where none is named. `until` is when it expires, after
    /// which it need not be remembered.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn revoke_token(
        &self,
        by: By,
        issuer: Option<&IssuerName>,
        jti: &str,
        until: Timestamp,
    ) -> Result<(), AuthError> {
        let token = Access::token_id(issuer, jti);
        self.change(by, AccessChange::RevokeToken { token, until })
            .await
            .map(drop)
    }

    /// A token for [`redeem_link`](Self::redeem_link), to be printed at start; any earlier one counts no more.
    ///
    /// # Errors
    /// [`AuthError::System`].
    pub fn owner_link(&self) -> Result<SecretString, AuthError> {
        self.0.logins.new_link()
    }

    /// Begins a session that may do everything; once.
    ///
    /// # Errors
    /// [`LoginError::Stale`].
    #[allow(clippy::unused_async, reason = "callers await it, so that it may come to wait")]
    pub async fn redeem_link(&self, token: &str) -> Result<Session, LoginError> {
        if !self.0.logins.take_link(token) {
            return Err(LoginError::Stale);
        }
        let revision = self.0.registry.glance().access.revision;
        self.begin_session(LINK, Some(&[Grant::all(Scope::Admin)]), revision)
    }
}

pub(crate) fn seconds(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

/// What went wrong here is the operator's to know.
pub(crate) fn failed(cause: AuthError) -> LoginError {
    tracing::error!("nobody can sign in: {cause}");
    LoginError::Failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use einthoven_registry::Registry;
    use einthoven_registry_log::{FileLog, Log};
    use secrecy::ExposeSecret;
    use std::time::Duration;

    #[tokio::test]
    async fn a_session_that_is_used_goes_on_and_one_that_is_not_ends() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::File(FileLog::open(folder.path().join("log")).await.unwrap());
        let registry = Registry::open(log, None).await.unwrap();
        let mut settings = Settings::new(folder.path().join("auth"), "https://ecg.example");
        settings.session_idle = Duration::from_secs(100);
        settings.session_longest = Duration::from_secs(250);
        let auth = Auth::open(settings, registry).await.unwrap();
        let link = auth.owner_link().unwrap();
        let session = auth.redeem_link(link.expose_secret()).await.unwrap();
        let start = session.expires_at.as_second() - 100;
        let good = |session: &Session, now: i64| {
            let credential = Credential::Session(session.cookie.expose_secret());
            auth.authenticate_at(credential, start + now).is_ok()
        };
        let renew = |session: &Session, now: i64| auth.renew_at(session.cookie.expose_secret(), start + now);
        assert!(good(&session, 99) && !good(&session, 100));
        assert!(
            renew(&session, 0).is_none() && renew(&session, 9).is_none(),
            "it is new enough"
        );
        let second = renew(&session, 90).unwrap();
        assert_eq!(
            second.principal.token(),
            session.principal.token(),
            "it is the same session"
        );
        assert!(good(&second, 189) && !good(&second, 190));
        assert!(renew(&session, 100).is_none(), "it has ended");
        let third = renew(&second, 180).unwrap();
        assert!(good(&third, 249) && !good(&third, 250), "no session lives for ever");
        assert!(renew(&third, 249).is_none());
        // All of it ends where any part is ended.
        auth.end(By::name("a test"), &second.principal).await.unwrap();
        assert!(!good(&third, 200) && !good(&session, 1));
    }

    /// Servers await them on any thread.
    #[test]
    fn what_is_awaited_can_move_between_threads() {
        fn moves<T: Send>(_: impl FnOnce(&'static Auth) -> T) {}
        moves(|auth| auth.finish_login("", "", ""));
        moves(|auth| auth.login("", Box::leak(Box::new(SecretString::from("")))));
        moves(|auth| auth.rotate(By::name("")));
        moves(|auth| auth.authenticate(Credential::ApiKey("")));
    }
}
