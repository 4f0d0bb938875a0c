//! API keys.

use crate::place::{PASSWORD, bearer, by, key, place, place_with, registry, secret, settings, spec};
use einthoven_auth::{Auth, AuthError, By, Rate, Refused, Role, Scope};
use einthoven_registry::ChangeError;
use einthoven_registry::Filter;
use einthoven_registry_state::Refusal;
use secrecy::ExposeSecret;
use std::time::Duration;

fn refusal<T>(done: Result<T, AuthError>) -> Refusal {
    match done {
        Err(AuthError::Change(ChangeError::Refused(refusal))) => refusal,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was done"),
    }
}

#[tokio::test]
async fn a_key_opens_what_it_was_made_for_until_it_is_revoked() {
    let place = place().await;
    let auth = &place.auth;
    assert!(!auth.configured());
    let (made, text) = auth
        .create_key(by(), spec("ci", &["predict:ecg-*", "models.read"]))
        .await
        .unwrap();
    assert!(auth.configured());
    assert!(text.expose_secret().starts_with(&format!("ein_{}_", made.id)));
    let principal = key(auth, &text).await.unwrap();
    assert_eq!(
        (principal.name(), principal.key_id()),
        ("key:ci", Some(made.id.as_str()))
    );
    assert!(principal.may(Scope::ModelsRead) && principal.may_for(Scope::ModelsRead, "any"));
    assert!(principal.may_for(Scope::Predict, "ecg-12") && !principal.may_for(Scope::Predict, "heartbeat"));
    assert!(!principal.may(Scope::Predict) && principal.may_some(Scope::Predict));
    assert!(!principal.may_some(Scope::Admin) && !principal.may_some(Scope::ModelsWrite));
    assert_eq!(bearer(auth, text.expose_secret()).await.unwrap().name(), "key:ci");

    // One wrong digit, another's prefix, a part of it.
    let (_, other) = auth.create_key(by(), spec("other", &["predict"])).await.unwrap();
    let mut wrong = text.expose_secret().to_owned();
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    let swapped = format!("ein_{}_{}", made.id, other.expose_secret().rsplit_once('_').unwrap().1);
    for wrong in [
        wrong.as_str(),
        &swapped,
        &text.expose_secret()[..40],
        "",
        " ",
        "ein_",
        "owner",
    ] {
        assert!(key(auth, &secret(wrong)).await.is_err(), "{wrong}");
    }

    assert!(matches!(
        refusal(auth.create_key(by(), spec("ci", &["label"])).await),
        Refusal::KeyExists { .. }
    ));
    let taken = auth.create_key(by(), spec("owner", &["label"])).await;
    assert!(matches!(refusal(taken), Refusal::KeyExists { .. }));
    let changed = auth
        .change_key(by(), &made.id, vec!["label".parse().unwrap()], None, None)
        .await
        .unwrap();
    assert!(key(auth, &text).await.unwrap().may(Scope::Label));
    let late = By {
        seen: Some(changed.revision - 1),
        ..by()
    };
    assert!(matches!(
        refusal(auth.revoke_key(late, &made.id).await),
        Refusal::ChangedMeanwhile { .. }
    ));
    auth.revoke_key(by(), &made.id).await.unwrap();
    assert_eq!(key(auth, &text).await.unwrap_err(), Refused::Unknown);
    assert!(matches!(
        refusal(auth.revoke_key(by(), &made.id).await),
        Refusal::NoSuchKey { .. }
    ));
}

#[tokio::test]
async fn a_key_expires_and_its_rate_is_its_own() {
    let place = place().await;
    let auth = &place.auth;
    let mut short = spec("short", &["predict"]);
    short.expires_at = Some(jiff::Timestamp::now() + Duration::from_secs(4));
    short.rate = Some(Rate {
        per_second: 0.001,
        burst: 2,
    });
    let (_, text) = auth.create_key(by(), short.clone()).await.unwrap();
    let principal = key(auth, &text).await.unwrap();
    let token = auth
        .issue(&principal, &["predict".parse().unwrap()], Duration::from_secs(600))
        .unwrap();
    let by_token = crate::place::issued(auth, &token).await.unwrap();
    assert_eq!(by_token.key_id(), principal.key_id());
    // One bucket, however the key is used, also after something else changed.
    auth.meter(&principal).unwrap();
    auth.create_key(by(), spec("else", &["predict"])).await.unwrap();
    auth.meter(&crate::place::issued(auth, &token).await.unwrap()).unwrap();
    let refused = auth.meter(&key(auth, &text).await.unwrap()).unwrap_err();
    assert!(refused.retry_after > Duration::from_secs(900), "{refused}");
    tokio::time::sleep(Duration::from_millis(4100)).await;
    assert_eq!(key(auth, &text).await.unwrap_err(), Refused::Expired);
    assert!(
        crate::place::issued(auth, &token).await.is_err(),
        "a token outlives its key"
    );
    short.name = "past".parse().unwrap();
    assert!(matches!(
        auth.create_key(by(), short).await,
        Err(AuthError::Field {
            field: "expires_at",
            ..
        })
    ));
    let mut wild = spec("wild", &["predict"]);
    wild.rate = Some(Rate {
        per_second: f64::NAN,
        burst: 1,
    });
    assert!(matches!(
        refusal(auth.create_key(by(), wild).await),
        Refusal::AccessField { field: "rate", .. }
    ));
}

#[tokio::test]
async fn the_owners_key_is_what_the_server_was_started_with() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(folder.path()).await;
    let open = |text: &'static str| {
        let (mut settings, registry) = (settings(folder.path()), registry.clone());
        settings.owner_key = Some(secret(text));
        Auth::open(settings, registry)
    };
    let first = open("a.first.key.of.the.owner").await.unwrap();
    let owner = key(&first, &secret("a.first.key.of.the.owner")).await.unwrap();
    assert!(owner.may(Scope::Admin) && owner.may(Scope::Predict) && owner.may_for(Scope::Traffic, "heartbeat"));
    assert_eq!(owner.name(), "key:owner");
    assert!(matches!(
        refusal(first.revoke_key(by(), "owner").await),
        Refusal::LastOwner
    ));
    let entries = registry.state().seq;
    open("a.first.key.of.the.owner").await.unwrap();
    assert_eq!(registry.state().seq, entries, "the same key is no change");
    // Written as a key of ours, it is the owner's all the same.
    let text = "ein_abcdefgh_0123456789012345678901234567890123456789012345678901234567890123";
    let dotted = open("two.dots.of.a.token").await.unwrap();
    assert_eq!(
        bearer(&dotted, "two.dots.of.a.token").await.unwrap().name(),
        "key:owner"
    );
    let dotted = open("two.dots.sixteen-long").await.unwrap();
    assert_eq!(
        bearer(&dotted, "two.dots.sixteen-long").await.unwrap().name(),
        "key:owner"
    );
    let entries = registry.state().seq;
    let second = open(text).await.unwrap();
    assert_eq!(registry.state().seq, entries + 1);
    assert!(
        key(&first, &secret("a.first.key.of.the.owner")).await.is_err(),
        "replaced"
    );
    key(&first, &secret(text)).await.unwrap();
    assert_eq!(bearer(&second, text).await.unwrap().name(), "key:owner");
    for bad in ["fifteen letters", "with spaces in it, sixteen"] {
        let Err(error) = open(bad).await else { panic!("{bad}") };
        assert!(
            !error.to_string().contains(bad) && error.to_string().contains("EINTHOVEN_OWNER_KEY"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn secrets_are_in_no_log_and_in_nothing_printed() {
    let place = place_with(|settings| settings.owner_key = Some(secret("the-key-of-the-owner"))).await;
    let auth = &place.auth;
    let (made, text) = auth.create_key(by(), spec("ci", &["predict"])).await.unwrap();
    let ana = auth
        .create_user(by(), "ana".parse().unwrap(), secret(PASSWORD), vec![Role::Owner])
        .await
        .unwrap();
    let session = auth.login("ana", &secret(PASSWORD)).await.unwrap();
    let principal = key(auth, &text).await.unwrap();
    let token = auth
        .issue(&principal, &["predict".parse().unwrap()], Duration::from_secs(60))
        .unwrap();
    auth.end(by(), &session.principal).await.unwrap();
    let signing = std::fs::read_to_string(place.folder.path().join("auth/signing-key.json")).unwrap();
    let signing: serde_json::Value = serde_json::from_str(&signing).unwrap();
    let secrets = [
        text.expose_secret().rsplit_once('_').unwrap().1,
        PASSWORD,
        "the-key-of-the-owner",
        session.cookie.expose_secret(),
        token.token.expose_secret(),
        signing["secret"].as_str().unwrap(),
    ];
    let kept = place.registry.log().read(0, 1000).await.unwrap();
    let log: String = kept.iter().map(|entry| entry.body.as_str()).collect();
    let printed = format!(
        "{made:?} {ana:?} {principal:?} {session:?} {token:?} {:?}",
        place.registry.state().access
    );
    for secret in secrets {
        assert!(!secret.is_empty() && !log.contains(secret) && !printed.contains(secret));
    }
    // Hashes are in the log, for it is what keeps them, but not in what is printed or shown to who looks back.
    assert!(log.contains(&made.digest.0) && log.contains("$argon2id$"));
    let filter = Filter {
        model: None,
        who: None,
        before: None,
        limit: 100,
    };
    let shown = serde_json::to_string(&place.registry.audit(&filter).await.unwrap()).unwrap();
    assert!(shown.contains("key_added") && shown.contains("user_added"));
    for hidden in [made.digest.0.as_str(), "$argon2id$"] {
        assert!(!printed.contains(hidden) && !shown.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn what_is_known_comes_back_with_the_registry_with_and_without_its_view() {
    let folder = tempfile::tempdir().unwrap();
    let (text, cookie) = {
        let registry = registry(folder.path()).await;
        let auth = Auth::open(settings(folder.path()), registry).await.unwrap();
        let (_, text) = auth.create_key(by(), spec("ci", &["predict"])).await.unwrap();
        auth.create_user(by(), "ana".parse().unwrap(), secret(PASSWORD), vec![Role::Viewer])
            .await
            .unwrap();
        (text, auth.login("ana", &secret(PASSWORD)).await.unwrap().cookie)
    };
    for with_view in [true, false] {
        // The folder is free when the registry before has let go of it.
        crate::place::until(|| async {
            einthoven_registry_log::FileLog::open(folder.path().join("log"))
                .await
                .is_ok()
        })
        .await;
        if !with_view {
            std::fs::remove_dir_all(folder.path().join("view")).unwrap();
        }
        let registry = registry(folder.path()).await;
        let auth = Auth::open(settings(folder.path()), registry).await.unwrap();
        key(&auth, &text).await.unwrap();
        let session = crate::place::cookie(&auth, &cookie).await.unwrap();
        assert_eq!(session.name(), "user:ana");
    }
}
