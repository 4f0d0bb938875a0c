//! Two servers on one real PostgreSQL.

use crate::place::{PASSWORD, by, cookie, issued, key, secret, settings, spec, until};
use crate::postgres::Server;
use einthoven_auth::{Auth, Role};
use einthoven_registry::Registry;
use einthoven_registry_log::{Log, PostgresLog};
use std::path::Path;
use std::time::Duration;

/// More than the second that is promised, for machines that do other things as well.
const SOON: Duration = Duration::from_secs(5);

async fn open(server: &Server, folder: &Path) -> Auth {
    let log = Log::Postgres(PostgresLog::connect(&server.url()).await.unwrap());
    let registry = Registry::open(log, None).await.unwrap();
    Auth::open(settings(folder), registry).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_and_taken_on_one_server_holds_on_the_other() {
    let server = Server::start().await;
    let folders = tempfile::tempdir().unwrap();
    let one = open(&server, &folders.path().join("one")).await;
    let two = open(&server, &folders.path().join("two")).await;
    let (made, text) = one.create_key(by(), spec("ci", &["predict"])).await.unwrap();
    until(|| async { key(&two, &text).await.is_ok() }).await;
    one.create_user(by(), "ana".parse().unwrap(), secret(PASSWORD), vec![Role::Owner])
        .await
        .unwrap();
    until(|| async { two.list_users().len() == 1 && one.jwks() == two.jwks() }).await;

    let session = one.login("ana", &secret(PASSWORD)).await.unwrap();
    cookie(&two, &session.cookie).await.unwrap();
    let token = two
        .issue(
            &key(&two, &text).await.unwrap(),
            &["predict".parse().unwrap()],
            Duration::from_secs(600),
        )
        .unwrap();
    issued(&one, &token).await.unwrap();

    one.rotate(by()).await.unwrap();
    let new = one.login("ana", &secret(PASSWORD)).await.unwrap();
    let took = until(|| async { cookie(&two, &new.cookie).await.is_ok() }).await;
    println!("a new signing key was known after {took:?}");
    assert!(took < SOON, "{took:?}");
    cookie(&two, &session.cookie).await.unwrap();

    two.end_all(by(), "user:ana").await.unwrap();
    let took =
        until(|| async { cookie(&one, &session.cookie).await.is_err() && cookie(&one, &new.cookie).await.is_err() })
            .await;
    println!("signed out everywhere after {took:?}");
    assert!(took < SOON, "{took:?}");

    one.revoke_key(by(), &made.id).await.unwrap();
    let took = until(|| async { key(&two, &text).await.is_err() && issued(&two, &token).await.is_err() }).await;
    println!("a revoked key was refused after {took:?}");
    assert!(took < SOON, "{took:?}");
}
