//! What is remembered about models: events, the changes that make them, and the state they fold into.
//!
//! Pure: no files, no clock, no async. [`State::decide`] says which [`Event`]s a [`Change`] makes, or why it is refused;
//! [`State::apply`] folds a [`Record`] in. Where records are kept is no concern of this crate's.
#![forbid(unsafe_code)]

mod access;
mod change;
mod decide;
mod event;
mod experiment;
mod fold;
mod gate;
mod model;
mod name;
mod reference;
mod refusal;
mod shared;
mod source;
mod state;
mod traffic;
mod version;

pub use access::{
    Access, AccessChange, AccessEvent, ClaimRule, Grant, GrantError, Issuer, IssuerSettings, Key, KeyDigest, KeySpec,
    LoginClient, ModelPattern, OWNER_KEY, PasswordHash, Rate, Role, Scope, SignedOut, SigningAlgorithm, SigningKey,
    User, covers,
};
pub use change::{Change, Package};
pub use event::{Event, Record, TrafficAction};
pub use experiment::{Ended, Experiment, FrozenReference, Wanted, Withdrawn};
pub use gate::{Gate, MetricRule};
pub use model::{Model, Proposal, TrafficChange};
pub use name::{
    AliasName, ExperimentName, IssuerName, KeyName, ModelName, NameError, SetName, SourceName, UserName, VersionName,
};
pub use reference::{Reference, Selector};
pub use refusal::Refusal;
pub use source::{FollowRule, Source};
pub use state::State;
pub use traffic::{Challenger, Percent, Traffic};
pub use version::{Evaluation, Origin, Phase, Rejection, Step, StoredFile, Verified, Version};
