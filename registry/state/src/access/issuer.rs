//! Others who say who somebody is: OpenID Connect issuers.

use super::grant::Grant;
use crate::name::IssuerName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An issuer whose tokens count here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Issuer {
    /// Its name here; in the names of those who come by it: `oidc:<issuer>:<subject>`.
    pub name: IssuerName,
    /// How its tokens are checked.
    pub settings: IssuerSettings,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// The entry of the log that changed it last: its ETag.
    pub revision: u64,
}

/// How tokens of an issuer are checked and what they allow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// The `iss` of its tokens, letter by letter; its discovery document lies under it.
    pub issuer: String,
    /// Where its keys are; the discovery document says so unless given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub jwks_uri: Option<String>,
    /// One of these must be in a token's `aud`.
    pub audiences: Vec<String>,
    /// Clients (`azp`) whose tokens are taken where a token has several audiences; `client_id` always is.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub clients: Vec<String>,
    /// How its tokens may be signed.
    #[serde(default = "IssuerSettings::usual_algorithms")]
    pub algorithms: Vec<SigningAlgorithm>,
    /// What claims allow.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rules: Vec<ClaimRule>,
    /// Signing in at the page; only tokens that come with requests count where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login: Option<LoginClient>,
    /// File with certificates in PEM to trust beside those of the operating system.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ca_file: Option<String>,
}

impl IssuerSettings {
    fn usual_algorithms() -> Vec<SigningAlgorithm> {
        vec![SigningAlgorithm::RS256]
    }
}

/// Our registration as a client of the issuer, for the authorization code flow with PKCE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginClient {
    /// What it knows us as.
    pub client_id: String,
    /// File with the client's secret; a public client without one where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_secret_file: Option<String>,
    /// Scopes that are asked for beside `openid`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub scopes: Vec<String>,
}

/// An asymmetric signature of JWS. There is no other kind here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA over P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// Who has this value in that claim may do this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRule {
    /// Name of the claim; `realm_access.roles` is `roles` in the object `realm_access`.
    pub claim: String,
    /// The claim is this text, a list that holds it, or (`scope`) words that hold it.
    pub value: String,
    /// What it allows.
    pub grants: Vec<Grant>,
}
