//! Who calls and what they may do: keys, users, sessions, tokens of our own and of other issuers.
//!
//! [`Auth::authenticate`] makes a [`Principal`] of a [`Credential`]. All that lasts is in the registry's log, so that a change
//! holds on every server within a second; what was verified is remembered only until something there changes.
#![forbid(unsafe_code)]

mod apikey;
mod auth;
mod cache;
mod claims;
mod code_flow;
mod credential;
mod error;
mod fetch;
mod follow;
mod issued;
mod issuers;
mod jwk;
mod jws;
mod keys;
mod login;
mod meter;
mod oidc;
mod password;
mod principal;
mod random;
mod rotation;
mod sessions;
mod settings;
mod signer;
mod tokens;
mod users;

pub use auth::Auth;
pub use credential::{Begun, By, Credential, Session, Token};
pub use einthoven_registry_state::{
    Access, ClaimRule, Grant, GrantError, Issuer, IssuerName, IssuerSettings, Key, KeyName, KeySpec, LoginClient,
    ModelPattern, OWNER_KEY, Rate, Role, Scope, SigningAlgorithm, User, UserName,
};
pub use error::{AuthError, LoginError, Refused, TooMany};
pub use principal::{Kind, Principal};
pub use settings::Settings;
