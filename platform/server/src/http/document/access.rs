//! Keys, users, issuers, and every change.

use super::operation::{Operation, operation};
use crate::http::audit::{KeptHead, Verification, Which};
use crate::http::issuers::NewIssuer;
use crate::http::keys::{KeyOut, KeyPatch, NewKey};
use crate::http::models::{List, Reason};
use crate::http::users::{NewUser, UserOut, UserPatch};
use axum::http::Method;
use einthoven_auth::Issuer;
use einthoven_registry::AuditEntry;
use einthoven_registry_log::Head;
use serde_json::json;

pub(super) fn operations() -> Vec<Operation> {
    [keys(), users(), issuers(), audit()].into_iter().flatten().collect()
}

fn keys() -> Vec<Operation> {
    const ONE: &str = "/v1/keys/{id}";
    let one = |method, id, summary| operation("access", method, ONE, id, summary).problems(&[(404, "no_such_key")]);
    vec![
        operation(
            "access",
            Method::GET,
            "/v1/keys",
            "list_keys",
            "Lists API keys without their secrets",
        )
        .answers::<List<KeyOut>>(200, "Keys."),
        operation("access", Method::POST, "/v1/keys", "create_key", "Makes an API key")
            .body::<NewKey>(json!({"name": "holter-station-3", "grants": ["predict:heartbeat"]}))
            .answers::<KeyOut>(201, "The key, whose secret is shown this once.")
            .with(&["Location", "ETag"])
            .change()
            .problems(&[(403, "more_than_yours"), (409, "exists_already")]),
        one(Method::GET, "get_key", "Gives an API key without its secret")
            .answers::<KeyOut>(200, "The key.")
            .with(&["ETag"]),
        one(
            Method::PATCH,
            "update_key",
            "Says anew and whole what an API key allows",
        )
        .body::<KeyPatch>(json!({"grants": ["predict"], "rate": {"per_second": 10.0, "burst": 20}, "expires_at": null}))
        .answers::<KeyOut>(200, "The key.")
        .with(&["ETag"])
        .change()
        .problems(&[(403, "more_than_yours"), (409, "last_owner"), (409, "refused")]),
        one(Method::DELETE, "revoke_key", "Refuses an API key from now on")
            .query::<Reason>(json!({"reason": "the laptop was lost"}))
            .answers_nothing(204, "It is revoked.")
            .change()
            .problems(&[(409, "last_owner"), (409, "refused")]),
    ]
}

fn users() -> Vec<Operation> {
    const ONE: &str = "/v1/users/{name}";
    let one = |method, id, summary| operation("access", method, ONE, id, summary).problems(&[(404, "no_such_user")]);
    vec![
        operation(
            "access",
            Method::GET,
            "/v1/users",
            "list_users",
            "Lists people who sign in with a password",
        )
        .answers::<List<UserOut>>(200, "Users."),
        operation("access", Method::POST, "/v1/users", "create_user", "Adds somebody")
            .body::<NewUser>(json!({"name": "bo", "password": "a long password of his", "roles": ["labeler"]}))
            .answers::<UserOut>(201, "The user.")
            .with(&["Location", "ETag"])
            .change()
            .problems(&[(409, "exists_already")]),
        one(Method::GET, "get_user", "Gives a user")
            .answers::<UserOut>(200, "The user.")
            .with(&["ETag"]),
        one(
            Method::PATCH,
            "update_user",
            "Gives somebody another password, or other roles",
        )
        .description("One of `password` and `roles`: each is a change of its own.")
        .body::<UserPatch>(json!({"roles": ["viewer"]}))
        .answers::<UserOut>(200, "The user.")
        .with(&["ETag"])
        .change()
        .problems(&[(409, "last_owner")]),
        one(Method::DELETE, "delete_user", "Removes somebody")
            .query::<Reason>(json!({"reason": "left"}))
            .answers_nothing(204, "They are gone.")
            .change()
            .problems(&[(409, "last_owner")]),
    ]
}

fn issuers() -> Vec<Operation> {
    const ONE: &str = "/v1/issuers/{name}";
    let one = |method, id, summary| operation("access", method, ONE, id, summary);
    vec![
        operation(
            "access",
            Method::GET,
            "/v1/issuers",
            "list_issuers",
            "Lists issuers whose tokens count here",
        )
        .answers::<List<Issuer>>(200, "Issuers."),
        one(Method::GET, "get_issuer", "Gives an issuer")
            .answers::<Issuer>(200, "The issuer.")
            .with(&["ETag"])
            .problems(&[(404, "no_such_issuer")]),
        one(Method::PUT, "set_issuer", "Adds or changes an issuer")
            .body::<NewIssuer>(json!({"settings": {
                "issuer": "https://id.example.org", "audiences": ["einthoven"],
                "rules": [{"claim": "roles", "value": "cardiology", "grants": ["predict"]}],
            }}))
            .answers::<Issuer>(200, "The issuer.")
            .with(&["ETag"])
            .change()
            .problems(&[
                (403, "more_than_yours"),
                (404, "no_such_issuer"),
                (409, "exists_already"),
            ]),
        one(
            Method::DELETE,
            "remove_issuer",
            "Removes an issuer: its tokens count no more",
        )
        .query::<Reason>(json!({"reason": "moved"}))
        .answers_nothing(204, "It is gone.")
        .change()
        .problems(&[(404, "no_such_issuer")]),
    ]
}

fn audit() -> Vec<Operation> {
    vec![
        operation("audit", Method::GET, "/v1/audit", "list_entries", "Lists every change")
            .query::<Which>(json!({"model": "heartbeat", "limit": 100}))
            .answers::<List<AuditEntry>>(200, "Entries of the log, newest first."),
        operation(
            "audit",
            Method::GET,
            "/v1/audit/heads",
            "get_head",
            "Says where the log ends",
        )
        .answers::<Head>(200, "The newest entry's number and hash: what to keep elsewhere."),
        operation(
            "audit",
            Method::GET,
            "/v1/audit/verification",
            "verify_log",
            "Reads the whole log again and says whether it is what was written",
        )
        .description("With a head that was kept elsewhere it also says whether the log goes on from there.")
        .query::<KeptHead>(json!({}))
        .answers::<Verification>(200, "What was found.")
        .problems(&[(422, "bad_field")]),
    ]
}
