//! Which events a change makes.

use super::change::AccessChange;
use super::event::AccessEvent;
use super::grant::{Grant, Scope};
use super::issuer::IssuerSettings;
use super::key::{Key, KeySpec, Rate};
use super::user::Role;
use super::{Access, OWNER_KEY, shown};
use crate::refusal::Refusal;
use jiff::Timestamp;

/// Grants of one key or rule, audiences, algorithms, clients and rules of one issuer.
const MOST: usize = 100;

/// Longest text of an issuer's settings.
const LONGEST: usize = 2000;

/// Longest name of a token or a subject.
const LONGEST_ID: usize = 600;

/// Tokens that can be refused at once. Each is forgotten when it would have expired.
const MOST_REVOKED: usize = 100_000;

impl Access {
    /// The events a change makes; none when it is so already.
    ///
    /// # Errors
    /// [`Refusal`] saying why the change is not made.
    pub fn decide(&self, change: AccessChange) -> Result<Vec<AccessEvent>, Refusal> {
        match change {
            AccessChange::AddKey { id, digest, key } => {
                if self.keys.contains_key(&id) || self.key_named(key.name.as_str()).is_some() || is_owners(&id, &key) {
                    return Err(Refusal::KeyExists { key: key.name });
                }
                sound_key(&key.grants, key.rate)?;
                Ok(vec![AccessEvent::KeyAdded { id, digest, key }])
            }
            AccessChange::SetOwnerKey { digest } => {
                let before = self.keys.get(OWNER_KEY);
                if before.is_some_and(|key| key.digest == digest) {
                    return Ok(Vec::new());
                }
                let replaced = before.is_some();
                Ok(vec![AccessEvent::OwnerKeySet { digest, replaced }])
            }
            AccessChange::ChangeKey {
                id,
                grants,
                rate,
                expires_at,
            } => self.change_key(id, grants, rate, expires_at),
            AccessChange::RevokeKey { id } => {
                let key = self.key(&id)?;
                self.another_owner(key.is_owner())?;
                let name = key.name.clone();
                Ok(vec![AccessEvent::KeyRevoked { id, name }])
            }
            AccessChange::AddUser { user, password, roles } => {
                if self.users.contains_key(&user) {
                    return Err(Refusal::UserExists { user });
                }
                let roles = sorted(roles);
                Ok(vec![AccessEvent::UserAdded { user, password, roles }])
            }
            AccessChange::SetPassword { user, password } => {
                self.user(&user)?;
                Ok(vec![AccessEvent::PasswordSet { user, password }])
            }
            AccessChange::SetRoles { user, roles } => {
                let from = self.user(&user)?.roles.clone();
                let to = sorted(roles);
                if from == to {
                    return Ok(Vec::new());
                }
                self.another_owner(from.contains(&Role::Owner) && !to.contains(&Role::Owner))?;
                Ok(vec![AccessEvent::RolesSet { user, from, to }])
            }
            AccessChange::RemoveUser { user } => {
                self.another_owner(self.user(&user)?.roles.contains(&Role::Owner))?;
                Ok(vec![AccessEvent::UserRemoved { user }])
            }
            AccessChange::SetIssuer { issuer, settings } => {
                sound_issuer(&settings)?;
                let mut others = self.issuers.values().filter(|other| other.name != issuer);
                if let Some(other) = others.find(|other| other.settings.issuer == settings.issuer) {
                    let issuer = other.name.clone();
                    return Err(Refusal::SameIssuer { issuer });
                }
                if self
                    .issuers
                    .get(&issuer)
                    .is_some_and(|before| before.settings == settings)
                {
                    return Ok(Vec::new());
                }
                Ok(vec![AccessEvent::IssuerSet { issuer, settings }])
            }
            AccessChange::RemoveIssuer { issuer } => {
                self.issuer(&issuer)?;
                Ok(vec![AccessEvent::IssuerRemoved { issuer }])
            }
            AccessChange::PublishSigningKey {
                server,
                kid,
                public,
                overlap_s,
            } => {
                let signs = self.signing.get(&kid).is_some_and(|key| key.until.is_none());
                if signs {
                    return Ok(Vec::new());
                }
                Ok(vec![AccessEvent::SigningKeyPublished {
                    server,
                    kid,
                    public,
                    overlap_s,
                }])
            }
            AccessChange::RevokeToken { token, until } => self.revoke(token, until),
            AccessChange::SignOut { subject } => {
                bounded("subject", &subject, LONGEST_ID)?;
                Ok(vec![AccessEvent::SignedOut { subject }])
            }
        }
    }

    /// The revision of the key, user or issuer that a change is about; none where it makes one, or is about none.
    ///
    /// # Errors
    /// [`Refusal`] where there is no such key, user or issuer.
    pub fn seen_by(&self, change: &AccessChange) -> Result<Option<u64>, Refusal> {
        Ok(match change {
            AccessChange::ChangeKey { id, .. } | AccessChange::RevokeKey { id } => Some(self.key(id)?.revision),
            AccessChange::SetPassword { user, .. }
            | AccessChange::SetRoles { user, .. }
            | AccessChange::RemoveUser { user } => Some(self.user(user)?.revision),
            AccessChange::SetIssuer { issuer, .. } | AccessChange::RemoveIssuer { issuer } => {
                Some(self.issuer(issuer)?.revision)
            }
            _ => None,
        })
    }

    fn change_key(
        &self,
        id: String,
        grants: Vec<Grant>,
        rate: Option<Rate>,
        expires_at: Option<Timestamp>,
    ) -> Result<Vec<AccessEvent>, Refusal> {
        let key = self.key(&id)?;
        sound_key(&grants, rate)?;
        if (&key.grants, key.rate, key.expires_at) == (&grants, rate, expires_at) {
            return Ok(Vec::new());
        }
        let stays = expires_at.is_none() && grants.iter().any(|grant| grant.allows(Scope::Admin));
        self.another_owner(key.is_owner() && !stays)?;
        let name = key.name.clone();
        Ok(vec![AccessEvent::KeyChanged {
            id,
            name,
            grants,
            rate,
            expires_at,
        }])
    }

    fn revoke(&self, token: String, until: Timestamp) -> Result<Vec<AccessEvent>, Refusal> {
        bounded("token", &token, LONGEST_ID)?;
        if self.revoked.get(&token).is_some_and(|known| *known >= until) {
            return Ok(Vec::new());
        }
        if self.revoked.len() >= MOST_REVOKED {
            return Err(Refusal::AccessField {
                field: "token",
                why: format!("{MOST_REVOKED} tokens are refused already; sign their subjects out instead"),
            });
        }
        Ok(vec![AccessEvent::TokenRevoked { token, until }])
    }

    /// Refuses to take away the last that can do everything: nobody could give it back.
    fn another_owner(&self, is_owner: bool) -> Result<(), Refusal> {
        if is_owner && self.owners() <= 1 {
            return Err(Refusal::LastOwner);
        }
        Ok(())
    }
}

impl Key {
    /// Whether it can do everything and never expires.
    pub(crate) fn is_owner(&self) -> bool {
        self.expires_at.is_none() && self.grants.iter().any(|grant| grant.allows(Scope::Admin))
    }
}

fn is_owners(id: &str, key: &KeySpec) -> bool {
    id == OWNER_KEY || key.name.as_str() == OWNER_KEY
}

fn sorted(mut roles: Vec<Role>) -> Vec<Role> {
    roles.sort_unstable();
    roles.dedup();
    roles
}

fn sound_key(grants: &[Grant], rate: Option<Rate>) -> Result<(), Refusal> {
    if grants.is_empty() || grants.len() > MOST {
        return wrong("grants", format!("a key needs 1 to {MOST} of them"));
    }
    if rate.is_some_and(|rate| !rate.is_sound()) {
        let why = "`per_second` is between 0.001 and 1000000, `burst` between 1 and 1000000";
        return wrong("rate", why.to_owned());
    }
    Ok(())
}

fn sound_issuer(settings: &IssuerSettings) -> Result<(), Refusal> {
    bounded("issuer", &settings.issuer, LONGEST)?;
    for (field, count, least) in [
        ("audiences", settings.audiences.len(), 1),
        ("algorithms", settings.algorithms.len(), 1),
        ("clients", settings.clients.len(), 0),
        ("rules", settings.rules.len(), 0),
    ] {
        if count < least || count > MOST {
            return wrong(field, format!("an issuer needs {least} to {MOST} of them"));
        }
    }
    let texts = settings.audiences.iter().chain(&settings.clients);
    for text in texts {
        bounded("audiences", text, LONGEST)?;
    }
    for rule in &settings.rules {
        bounded("claim", &rule.claim, LONGEST)?;
        bounded("value", &rule.value, LONGEST)?;
        if rule.grants.is_empty() || rule.grants.len() > MOST {
            return wrong("grants", format!("a rule needs 1 to {MOST} of them"));
        }
    }
    Ok(())
}

fn bounded(field: &'static str, text: &str, longest: usize) -> Result<(), Refusal> {
    if text.is_empty() || text.len() > longest || text.contains(char::is_control) {
        let why = format!("it must be one line of 1 to {longest} bytes, not `{}`", shown(text));
        return wrong(field, why);
    }
    Ok(())
}

fn wrong<T>(field: &'static str, why: String) -> Result<T, Refusal> {
    Err(Refusal::AccessField { field, why })
}
