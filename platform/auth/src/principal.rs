//! Who calls, once that is proven.

use crate::meter::Meter;
use einthoven_registry_state::{Grant, Scope};
use jiff::Timestamp;
use std::sync::Arc;

/// Who calls. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Principal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Arc<str>,
    flow: Arc<str>,
    kind: Kind,
    key_id: Option<String>,
    grants: Vec<Grant>,
    meter: Option<Arc<Meter>>,
    token: Option<(String, Timestamp)>,
    revision: Option<u64>,
}

/// How they proved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// With an API key.
    Key,
    /// With a token, our own or an issuer's.
    Token,
    /// With the page's cookie.
    Session,
    /// Not at all: they are on this machine, and nobody is known here yet.
    Local,
}

impl Principal {
    /// Somebody on this machine, while nobody can prove who they are.
    #[must_use]
    pub fn local(name: &str, grants: Vec<Grant>) -> Self {
        Self::made(name, Kind::Local, None, grants, None, None, None)
    }

    pub(crate) fn made(
        name: &str,
        kind: Kind,
        key_id: Option<&str>,
        grants: Vec<Grant>,
        meter: Option<Arc<Meter>>,
        token: Option<(String, Timestamp)>,
        revision: Option<u64>,
    ) -> Self {
        let name: Arc<str> = name.into();
        let flow = key_id.map_or_else(|| Arc::clone(&name), Arc::from);
        Self(Arc::new(Inner {
            name,
            flow,
            kind,
            key_id: key_id.map(str::to_owned),
            grants,
            meter,
            token,
            revision,
        }))
    }

    /// `key:ci`, `user:ana`, `oidc:lab:4711`, `link:owner`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whose share of the queues they use: the key's id, else their name.
    #[must_use]
    pub fn flow(&self) -> Arc<str> {
        Arc::clone(&self.0.flow)
    }

    /// How they proved who they are. What a browser sends by itself is [`Kind::Session`] alone.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The id of the key they use, also by a token that was issued to it.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.0.key_id.as_deref()
    }

    /// What they may do.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.0.grants
    }

    /// The name of the token or session they use, for revoking it, with the time at which it expires by itself.
    #[must_use]
    pub fn token(&self) -> Option<(&str, Timestamp)> {
        self.0.token.as_ref().map(|(id, until)| (id.as_str(), *until))
    }

    /// Whether they may do that without regard to a model: whose grant is limited to models may not.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.0.grants.iter().any(|grant| grant.allows(scope))
    }

    /// Whether they may do that with this model.
    #[must_use]
    pub fn may_for(&self, scope: Scope, model: &str) -> bool {
        self.0.grants.iter().any(|grant| grant.allows_for(scope, model))
    }

    /// Whether they may do that with some model: for lists, which then show what [`may_for`](Self::may_for) allows.
    #[must_use]
    pub fn may_some(&self, scope: Scope) -> bool {
        self.0.grants.iter().any(|grant| grant.scope.implies(scope))
    }

    /// The revision of who may do what at which this was proven; what is issued to them counts as issued then.
    pub(crate) fn revision(&self) -> Option<u64> {
        self.0.revision
    }

    pub(crate) fn meter(&self) -> Option<&Arc<Meter>> {
        self.0.meter.as_ref()
    }
}
