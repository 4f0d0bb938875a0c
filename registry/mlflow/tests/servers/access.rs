//! Who may ask: passwords, tokens, certificates and names of hosts.

use crate::common::{PASSWORD, client_certificate, guarded, sealed, source, three};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use einthoven_registry_mlflow::{Client, Credentials, Error};
use std::sync::{Arc, Mutex};

fn basic(password: &str) -> Credentials {
    Credentials::Basic {
        user: "admin".to_owned(),
        password: Some(password.to_owned().into()),
        password_file: None,
    }
}

#[tokio::test]
async fn user_and_password() {
    let mut source = guarded().source();
    let without = Client::new(&source).unwrap();
    without.health().await.unwrap();
    assert!(matches!(without.models(None).await, Err(Error::Unauthorised { .. })));
    source.credentials = basic("wrong");
    assert!(matches!(
        Client::new(&source).unwrap().models(None).await,
        Err(Error::Unauthorised { .. })
    ));
    source.credentials = basic(PASSWORD);
    assert!(Client::new(&source).unwrap().models(None).await.unwrap().is_empty());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    source.credentials = Credentials::Basic {
        user: "admin".to_owned(),
        password: None,
        password_file: Some(file),
    };
    Client::new(&source).unwrap().models(None).await.unwrap();
}

#[tokio::test]
async fn certificates_of_both_sides() {
    let server = sealed();
    let mut source = source(&format!("https://127.0.0.1:{}", server.port));
    let error = Client::new(&source).unwrap().models(None).await.unwrap_err();
    assert!(
        matches!(error, Error::Tls { .. }) && error.to_string().contains("ca_file"),
        "{error}"
    );

    // In TLS 1.3 the server tells that it wants a certificate after the handshake, or just hangs up.
    source.ca_file = Some(server.folder.join("authority.pem"));
    let error = Client::new(&source).unwrap().models(None).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. } | Error::Cut { .. }), "{error}");

    source.credentials = client_certificate(&server.folder);
    assert!(Client::new(&source).unwrap().models(None).await.unwrap().is_empty());

    source.ca_file = Some(server.folder.join("authority.key"));
    assert!(matches!(
        Client::new(&source),
        Err(Error::Settings { setting: "ca_file", .. })
    ));
}

#[derive(Clone)]
struct Gate {
    token: Arc<Mutex<String>>,
    to: u16,
}

/// Lets through to the real server whoever has the token.
async fn gate(State(gate): State<Gate>, request: Request) -> Response {
    let wanted = format!("Bearer {}", gate.token.lock().unwrap());
    let given = request.headers().get(header::AUTHORIZATION);
    if given.and_then(|value| value.to_str().ok()) != Some(&wanted) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let path = request.uri().path_and_query().unwrap();
    let answer = reqwest::Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap()
        .get(format!("http://127.0.0.1:{}{path}", gate.to))
        .send()
        .await
        .unwrap();
    (answer.status(), answer.bytes().await.unwrap()).into_response()
}

async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_token_is_read_again_when_it_is_rotated() {
    let token = Arc::new(Mutex::new("first".to_owned()));
    let state = Gate {
        token: Arc::clone(&token),
        to: three().port,
    };
    let url = serve(axum::Router::new().fallback(gate).with_state(state)).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let mut source = source(&url);
    source.credentials = Credentials::Bearer {
        token: None,
        token_file: Some(file.clone()),
    };
    let client = Client::new(&source).unwrap();
    client.model("beat").await.unwrap();

    *token.lock().unwrap() = "second".to_owned();
    assert!(matches!(client.model("beat").await, Err(Error::Unauthorised { .. })));
    std::fs::write(&file, "second\n").unwrap();
    client.model("beat").await.unwrap();

    std::fs::write(&file, "\n").unwrap();
    assert!(matches!(client.model("beat").await, Err(Error::Settings { .. })));
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(client.model("beat").await, Err(Error::Io { .. })));
}

#[tokio::test]
async fn redirects_stay_at_the_origin() {
    let to = format!("http://127.0.0.1:{}/health", three().port);
    let url = serve(axum::Router::new().fallback(move || async move { Redirect::temporary(&to) })).await;
    let error = Client::new(&source(&url)).unwrap().health().await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error}");

    let within = axum::Router::new()
        .route("/health", axum::routing::get(|| async { Redirect::temporary("/fine") }))
        .route("/fine", axum::routing::get(|| async { "OK" }));
    let url = serve(within).await;
    Client::new(&source(&url)).unwrap().health().await.unwrap();
}

#[tokio::test]
async fn a_name_the_server_does_not_know() {
    // MLflow 3 answers to localhost and private addresses; this name resolves to the loopback but is neither.
    let url = format!("http://mlflow.localhost:{}", three().port);
    match Client::new(&source(&url)).unwrap().models(None).await {
        Err(error @ Error::HostRefused { .. }) => assert!(error.to_string().contains("--allowed-hosts")),
        // Not every resolver knows names below localhost.
        Err(Error::Unreachable { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_there() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let client = Client::new(&source(&format!("http://127.0.0.1:{port}"))).unwrap();
    assert!(matches!(client.models(None).await, Err(Error::Unreachable { .. })));
}
