//! Signing in.

use super::operation::{Operation, operation};
use super::problems::CHANGE;
use crate::http::auth::{HowFar, Link, Login, Nobody, Returned, TokenOut, Wanted, WhoIs};
use axum::http::Method;
use schemars::{JsonSchema, json_schema};
use serde_json::json;
use std::borrow::Cow;

/// Who is signed in, or the ways to.
struct SessionState;

impl JsonSchema for SessionState {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SessionState".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let either = [
            generator.subschema_for::<WhoIs<'static>>(),
            generator.subschema_for::<Nobody>(),
        ];
        json_schema!({"anyOf": either})
    }
}

pub(super) fn operations() -> Vec<Operation> {
    const SESSION: &str = "/v1/auth/session";
    let auth = |method, path, id, summary| operation("auth", method, path, id, summary);
    vec![
        auth(Method::GET, SESSION, "get_session", "Says who is signed in, or how to")
            .answers::<SessionState>(200, "Who you are; for nobody, the ways to sign in.")
            .problems(&[(401, "credential_refused")]),
        auth(Method::POST, SESSION, "create_session", "Signs in by name and password")
            .body::<Login>(json!({"name": "ana", "password": "a long password of hers"}))
            .answers::<WhoIs<'static>>(201, "Who you are; the cookie proves it from now on.")
            .with(&["Location", "Set-Cookie"])
            .problems(&[(401, "wrong_password"), (429, "too_many_requests")]),
        auth(
            Method::DELETE,
            SESSION,
            "delete_session",
            "Signs out, here or everywhere",
        )
        .query::<HowFar>(json!({"everywhere": false}))
        .answers_nothing(204, "Signed out.")
        .with(&["Set-Cookie"])
        .problems(CHANGE)
        .problems(&[(409, "no_session")]),
        auth(
            Method::POST,
            "/v1/auth/token",
            "create_token",
            "Exchanges a credential for a token that may do less, and expires",
        )
        .body::<Wanted>(json!({"grants": ["predict:heartbeat"], "ttl_s": 900}))
        .answers::<TokenOut<'static>>(201, "The token, shown once.")
        .problems(&[(400, "bad_header"), (403, "more_than_yours"), (422, "bad_field")]),
        auth(
            Method::GET,
            "/v1/auth/link",
            "redeem_link",
            "Redeems the link that a server without users and keys prints",
        )
        .query::<Link>(json!({"token": "as-it-was-printed"}))
        .answers_nothing(303, "The page, signed in.")
        .with(&["Location", "Set-Cookie"])
        .problems(&[
            (401, "not_confirmed"),
            (401, "wrong_password"),
            (429, "too_many_requests"),
        ]),
        auth(
            Method::GET,
            "/v1/auth/oidc/{issuer}/start",
            "start_oidc",
            "Sends the browser to an issuer, to sign in there",
        )
        .answers_nothing(303, "The issuer's page.")
        .with(&["Location", "Set-Cookie"])
        .problems(&[(404, "no_such_issuer"), (429, "too_many_requests")]),
        auth(
            Method::GET,
            "/v1/auth/oidc/{issuer}/callback",
            "finish_oidc",
            "Takes a browser that comes back from an issuer",
        )
        .query::<Returned>(json!({"state": "s", "code": "c"}))
        .answers_nothing(303, "The page, signed in.")
        .with(&["Location", "Set-Cookie"])
        .problems(&[
            (401, "not_confirmed"),
            (404, "no_such_issuer"),
            (429, "too_many_requests"),
        ]),
        auth(
            Method::GET,
            "/.well-known/jwks.json",
            "get_jwks",
            "Gives the public keys that verify tokens of this server",
        )
        .answers_raw(
            200,
            "A JSON Web Key Set (RFC 7517).",
            "application/json",
            json!({
                "type": "object", "required": ["keys"],
                "properties": {"keys": {"type": "array", "items": {"type": "object", "additionalProperties": true}}},
            }),
        ),
    ]
}
