//! People and their sessions.

use crate::place::{PASSWORD, bearer, by, cookie, place, secret};
use einthoven_auth::{Auth, AuthError, Kind, LoginError, Refused, Role, Scope, Session, UserName};
use einthoven_registry::ChangeError;
use einthoven_registry_state::Refusal;
use secrecy::ExposeSecret;

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

async fn add(auth: &Auth, user: &str, roles: &[Role]) {
    auth.create_user(by(), name(user), secret(PASSWORD), roles.to_vec())
        .await
        .unwrap();
}

async fn login(auth: &Auth, user: &str) -> Session {
    auth.login(user, &secret(PASSWORD)).await.unwrap()
}

#[tokio::test]
async fn a_person_signs_in_and_may_what_their_roles_say_now() {
    let place = place().await;
    let auth = &place.auth;
    add(auth, "ana", &[Role::Labeler, Role::Viewer, Role::Labeler]).await;
    let session = login(auth, "ana").await;
    let ana = cookie(auth, &session.cookie).await.unwrap();
    assert_eq!((ana.name(), ana.kind()), ("user:ana", Kind::Session));
    assert!(ana.may(Scope::Label) && !ana.may(Scope::Traffic));
    auth.set_roles(by(), &name("ana"), vec![Role::Operator]).await.unwrap();
    let ana = cookie(auth, &session.cookie).await.unwrap();
    assert!(!ana.may(Scope::Label) && ana.may(Scope::Traffic));
    // A cookie is no token, and no key.
    assert!(bearer(auth, session.cookie.expose_secret()).await.is_err());
    for (user, password) in [
        ("ana", "wrong password"),
        ("ana", ""),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("../x", PASSWORD),
    ] {
        let refused = auth.login(user, &secret(password)).await;
        assert!(matches!(refused, Err(LoginError::Wrong)), "{user} {refused:?}");
    }
    let weak = auth.create_user(by(), name("ben"), secret("short"), vec![]).await;
    assert!(matches!(weak, Err(AuthError::Field { field: "password", .. })));
}

#[tokio::test]
async fn a_session_ends_when_it_is_ended_and_all_of_them_at_once() {
    let place = place().await;
    let auth = &place.auth;
    for user in ["ana", "ben"] {
        add(auth, user, &[Role::Viewer]).await;
    }
    let (one, two, ben) = (
        login(auth, "ana").await,
        login(auth, "ana").await,
        login(auth, "ben").await,
    );
    auth.end(by(), &one.principal).await.unwrap();
    assert_eq!(cookie(auth, &one.cookie).await.unwrap_err(), Refused::Revoked);
    assert!(auth.renew(one.cookie.expose_secret()).is_none());
    cookie(auth, &two.cookie).await.unwrap();
    auth.end_all(by(), "user:ana").await.unwrap();
    assert_eq!(cookie(auth, &two.cookie).await.unwrap_err(), Refused::Revoked);
    cookie(auth, &ben.cookie).await.unwrap();
    // In the same second, and still another session.
    let three = login(auth, "ana").await;
    cookie(auth, &three.cookie).await.unwrap();
    auth.set_password(by(), &name("ana"), secret("another password"))
        .await
        .unwrap();
    assert_eq!(cookie(auth, &three.cookie).await.unwrap_err(), Refused::Revoked);
    assert!(matches!(
        auth.login("ana", &secret(PASSWORD)).await,
        Err(LoginError::Wrong)
    ));
    let four = auth.login("ana", &secret("another password")).await.unwrap();
    auth.delete_user(by(), &name("ana")).await.unwrap();
    assert_eq!(cookie(auth, &four.cookie).await.unwrap_err(), Refused::Revoked);
    // Somebody else of that name does not inherit what was the first one's.
    add(auth, "ana", &[Role::Owner]).await;
    assert_eq!(cookie(auth, &four.cookie).await.unwrap_err(), Refused::Revoked);
}

#[tokio::test]
async fn the_last_owner_stays() {
    let place = place().await;
    let auth = &place.auth;
    add(auth, "ana", &[Role::Owner]).await;
    let last =
        |done: Result<(), AuthError>| matches!(done, Err(AuthError::Change(ChangeError::Refused(Refusal::LastOwner))));
    assert!(last(auth.delete_user(by(), &name("ana")).await));
    assert!(last(
        auth.set_roles(by(), &name("ana"), vec![Role::Viewer]).await.map(drop)
    ));
    add(auth, "ben", &[Role::Owner]).await;
    auth.delete_user(by(), &name("ana")).await.unwrap();
    assert!(last(auth.delete_user(by(), &name("ben")).await));
}

#[tokio::test]
async fn the_owners_link_opens_once() {
    let place = place().await;
    let auth = &place.auth;
    let link = auth.owner_link().unwrap();
    assert!(matches!(auth.redeem_link("0000").await, Err(LoginError::Stale)));
    let session = auth.redeem_link(link.expose_secret()).await.unwrap();
    assert!(cookie(auth, &session.cookie).await.unwrap().may(Scope::Admin));
    assert!(matches!(
        auth.redeem_link(link.expose_secret()).await,
        Err(LoginError::Stale)
    ));
    assert!(!auth.configured(), "a link alone is nobody");
    auth.end_all(by(), "link:owner").await.unwrap();
    assert!(cookie(auth, &session.cookie).await.is_err());
}
