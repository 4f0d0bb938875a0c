//! Webhook calls, signed as MLflow's `mlflow/webhooks/delivery.py` does.
#![allow(clippy::unwrap_used)]

use einthoven_registry_mlflow::webhook::{Event, Headers, Unbelieved, WINDOW, parse, verify};
use jiff::Timestamp;
use secrecy::SecretString;

/// Made by MLflow 3.17.2's `_generate_hmac_signature("hush", DELIVERY, "1795537326", BODY)`.
const SIGNATURE: &str = "v1,dRtPt0p48HpJTZQQNggKiVf5zzhj49N9m37YTbKrsJE=";
const DELIVERY: &str = "4b2a7f0e-2f64-4d5e-9a62-0f6f6f3f3a11";
const SENT: i64 = 1_795_537_326;
const BODY: &str = r#"{"entity": "model_version_alias", "action": "created", "timestamp": "2026-11-24T16:22:06.903000+00:00", "data": {"name": "beat", "alias": "champion", "version": "3"}}"#;

fn check(signature: &str, delivery: &str, sent: &str, body: &str, now: i64) -> Result<(), Unbelieved> {
    let headers = Headers {
        signature: Some(signature),
        timestamp: Some(sent),
        delivery: Some(delivery),
    };
    let now = Timestamp::from_second(now).unwrap();
    verify(&SecretString::from("hush"), headers, body.as_bytes(), now, WINDOW)
}

#[test]
fn a_call_of_mlflow_is_believed_and_nothing_else() {
    let sent = SENT.to_string();
    check(SIGNATURE, DELIVERY, &sent, BODY, SENT).unwrap();
    check(SIGNATURE, DELIVERY, &sent, BODY, SENT + 300).unwrap();
    check(SIGNATURE, DELIVERY, &sent, BODY, SENT - 300).unwrap();
    assert_eq!(
        check(SIGNATURE, DELIVERY, &sent, BODY, SENT + 301),
        Err(Unbelieved::Outdated(301))
    );
    assert_eq!(
        check(SIGNATURE, DELIVERY, &sent, BODY, SENT - 301),
        Err(Unbelieved::Outdated(301))
    );
    let changed = BODY.replace('3', "4");
    assert_eq!(
        check(SIGNATURE, DELIVERY, &sent, &changed, SENT),
        Err(Unbelieved::Signature)
    );
    assert_eq!(check(SIGNATURE, "other", &sent, BODY, SENT), Err(Unbelieved::Signature));
    let later = (SENT + 1).to_string();
    assert_eq!(
        check(SIGNATURE, DELIVERY, &later, BODY, SENT),
        Err(Unbelieved::Signature)
    );
    for wrong in ["", "v1,", "v1,AAAA", "v2,AAAA", &SIGNATURE[3..], "v1,*"] {
        assert!(check(wrong, DELIVERY, &sent, BODY, SENT).is_err(), "{wrong}");
    }
    let now = Timestamp::from_second(SENT).unwrap();
    let bare = verify(
        &SecretString::from("hush"),
        Headers::default(),
        BODY.as_bytes(),
        now,
        WINDOW,
    );
    assert!(matches!(bare, Err(Unbelieved::Missing(_))));
}

#[test]
fn events_are_typed_and_unknown_ones_kept() {
    let call = parse(BODY.as_bytes()).unwrap();
    let alias = Event::AliasCreated {
        name: "beat".to_owned(),
        alias: "champion".to_owned(),
        version: 3,
    };
    assert_eq!(call.event, alias);
    assert_eq!(call.at.as_millisecond(), SENT * 1000 + 903);
    let with = |entity: &str, action: &str, data: &str| {
        format!(
            r#"{{"entity": "{entity}", "action": "{action}", "timestamp": "2026-11-24T16:22:06+00:00", "data": {data}}}"#
        )
    };
    let created = with(
        "model_version",
        "created",
        r#"{"name": "beat", "version": "1", "source": "models:/m-1", "run_id": null, "tags": {"a": "b"}, "description": null}"#,
    );
    match parse(created.as_bytes()).unwrap().event {
        Event::VersionCreated {
            version: 1,
            source,
            run_id: None,
            tags,
            ..
        } => {
            assert_eq!((source.as_str(), tags["a"].as_str()), ("models:/m-1", "b"));
        }
        other => panic!("{other:?}"),
    }
    for (entity, action, data) in [
        (
            "registered_model",
            "created",
            r#"{"name": "beat", "tags": null, "description": null}"#,
        ),
        (
            "model_version_tag",
            "set",
            r#"{"name": "beat", "version": "1", "key": "k", "value": "v"}"#,
        ),
        (
            "model_version_tag",
            "deleted",
            r#"{"name": "beat", "version": "1", "key": "k"}"#,
        ),
        (
            "model_version_alias",
            "deleted",
            r#"{"name": "beat", "alias": "champion"}"#,
        ),
    ] {
        let call = parse(with(entity, action, data).as_bytes()).unwrap();
        assert_eq!(call.event.model(), Some("beat"), "{entity}");
    }
    let other = parse(with("prompt", "created", r#"{"name": "x"}"#).as_bytes()).unwrap();
    assert!(matches!(other.event, Event::Other { .. }));
    let short = with("model_version_alias", "created", r#"{"name": "beat"}"#);
    assert!(parse(short.as_bytes()).is_err());
    assert!(parse(b"[]").is_err());
}
