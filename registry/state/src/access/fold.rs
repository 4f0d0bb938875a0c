//! How events change the state.

use super::event::AccessEvent;
use super::grant::{Grant, Scope};
use super::issuer::Issuer;
use super::key::{Key, KeyDigest, KeySpec};
use super::signing::SigningKey;
use super::user::User;
use super::{Access, OWNER_KEY, SignedOut};
use crate::name::UserName;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

impl Access {
    /// Folds an entry in. What it speaks of and is not there is left alone, as everywhere in the fold.
    pub(crate) fn apply(&mut self, seq: u64, at: Timestamp, who: &str, event: &AccessEvent) {
        self.revision = seq;
        self.forget(at);
        match event {
            AccessEvent::KeyAdded { id, digest, key } => {
                let made = made(id, digest, key, at, who, seq);
                self.keys.insert(id.clone(), Arc::new(made));
            }
            AccessEvent::OwnerKeySet { digest, .. } => {
                // The name is one by the rules of names, so there always is a key.
                let key = OWNER_KEY.parse().map(|name| KeySpec {
                    name,
                    grants: vec![Grant::all(Scope::Admin)],
                    rate: None,
                    expires_at: None,
                });
                if let Ok(key) = key {
                    let made = made(OWNER_KEY, digest, &key, at, who, seq);
                    self.keys.insert(OWNER_KEY.to_owned(), Arc::new(made));
                }
            }
            AccessEvent::KeyChanged {
                id,
                grants,
                rate,
                expires_at,
                ..
            } => {
                if let Some(key) = self.keys.get_mut(id).map(Arc::make_mut) {
                    key.grants.clone_from(grants);
                    key.rate = *rate;
                    key.expires_at = *expires_at;
                    key.revision = seq;
                }
            }
            AccessEvent::KeyRevoked { id, .. } => drop(self.keys.remove(id)),
            AccessEvent::UserAdded { user, password, roles } => {
                let added = User {
                    name: user.clone(),
                    password: password.clone(),
                    roles: roles.clone(),
                    created_at: at,
                    created_by: who.to_owned(),
                    valid_from: seq,
                    revision: seq,
                };
                self.users.insert(user.clone(), Arc::new(added));
            }
            AccessEvent::PasswordSet { user, password } => self.change(seq, user, |user| {
                user.password = password.clone();
                user.valid_from = seq;
            }),
            AccessEvent::RolesSet { user, to, .. } => self.change(seq, user, |user| user.roles.clone_from(to)),
            AccessEvent::UserRemoved { user } => drop(self.users.remove(user)),
            AccessEvent::IssuerSet { issuer, settings } => {
                let set = Issuer {
                    name: issuer.clone(),
                    settings: settings.clone(),
                    changed_at: at,
                    revision: seq,
                };
                self.issuers.insert(issuer.clone(), Arc::new(set));
            }
            AccessEvent::IssuerRemoved { issuer } => drop(self.issuers.remove(issuer)),
            AccessEvent::SigningKeyPublished {
                server,
                kid,
                public,
                overlap_s,
            } => self.publish(server, kid, public, at, *overlap_s),
            AccessEvent::TokenRevoked { token, until } => drop(self.revoked.insert(token.clone(), *until)),
            AccessEvent::SignedOut { subject } => {
                self.signed_out.insert(subject.clone(), SignedOut { at, revision: seq });
            }
        }
    }

    fn change(&mut self, seq: u64, user: &UserName, change: impl FnOnce(&mut User)) {
        if let Some(user) = self.users.get_mut(user).map(Arc::make_mut) {
            change(user);
            user.revision = seq;
        }
    }

    /// The server's key before verifies until what it signed has expired.
    fn publish(&mut self, server: &str, kid: &str, public: &str, at: Timestamp, overlap_s: u32) {
        let until = later(at, overlap_s);
        for key in self.signing.values_mut() {
            if key.server == server && key.until.is_none() {
                Arc::make_mut(key).until = Some(until);
            }
        }
        let key = SigningKey {
            kid: kid.to_owned(),
            server: server.to_owned(),
            public: public.to_owned(),
            from: at,
            until: None,
        };
        self.signing.insert(kid.to_owned(), Arc::new(key));
    }

    /// What has expired need not be refused any more, and signs nothing.
    fn forget(&mut self, now: Timestamp) {
        self.revoked.retain(|_, until| *until > now);
        self.signing.retain(|_, key| key.until.is_none_or(|until| until > now));
    }
}

fn made(id: &str, digest: &KeyDigest, key: &KeySpec, at: Timestamp, who: &str, seq: u64) -> Key {
    Key {
        id: id.to_owned(),
        name: key.name.clone(),
        digest: digest.clone(),
        grants: key.grants.clone(),
        rate: key.rate,
        expires_at: key.expires_at,
        created_at: at,
        created_by: who.to_owned(),
        valid_from: seq,
        revision: seq,
    }
}

fn later(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds.into()))
        .unwrap_or(Timestamp::MAX)
}
