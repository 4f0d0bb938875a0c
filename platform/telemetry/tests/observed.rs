//! Requests through the layer, and what is counted of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use einthoven_telemetry::{Metrics, ModelReading, ProblemType, Route, Snapshot};
use std::collections::BTreeSet;
use tower::ServiceExt;

const ROUTES: [Route; 3] = [
    Route {
        method: "GET",
        path: "/v1/models/{model}",
    },
    Route {
        method: "POST",
        path: "/v1/classify",
    },
    Route {
        method: "GET",
        path: "/{file}",
    },
];

/// Around every route, as the server has it.
async fn observe(State(metrics): State<Metrics>, request: Request<Body>, next: Next) -> Response {
    metrics.observe(request, |request| next.run(request)).await
}

async fn problem(Path(model): Path<String>) -> Response {
    let kind = if model.len().is_multiple_of(2) {
        "no_such_model"
    } else {
        "bad_name"
    };
    (
        StatusCode::NOT_FOUND,
        Extension(ProblemType {
            kind: kind.into(),
            status: 404,
        }),
    )
        .into_response()
}

async fn length(body: Bytes) -> String {
    body.len().to_string()
}

fn server() -> (Metrics, Router) {
    let metrics = Metrics::new(ROUTES, "1.2.3").unwrap();
    let router = Router::new()
        .route("/v1/models/{model}", get(problem))
        .route("/v1/classify", post(length))
        .route("/{file}", get(|| async { "a file" }))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(axum::middleware::from_fn_with_state(metrics.clone(), observe));
    (metrics, router)
}

/// The series of an exposition, without their values.
fn series(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| unreachable!("no {series} in\n{text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

async fn ask(router: &Router, method: &str, path: &str, body: Body) -> StatusCode {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-api-key", path)
        .header("x-request-id", path)
        .body(body);
    router.clone().oneshot(request.unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn requests_are_counted_under_their_routes() {
    let (metrics, router) = server();
    assert_eq!(
        ask(&router, "POST", "/v1/classify", Body::from("12345")).await,
        StatusCode::OK
    );
    assert_eq!(ask(&router, "HEAD", "/page.css", Body::empty()).await, StatusCode::OK);
    ask(&router, "GET", "/v1/models/ab", Body::empty()).await;
    ask(&router, "PATCH", "/v1/models/ab", Body::empty()).await;
    ask(&router, "GET", "/a/b/c", Body::empty()).await;
    let text = metrics.render(Snapshot::default()).unwrap();
    let count = |labels: &str| value(&text, &format!("einthoven_http_requests_total{{{labels}}}"));
    assert_eq!(count(r#"method="POST",route="/v1/classify",status="2xx""#), 1.0);
    assert_eq!(count(r#"method="GET",route="/{file}",status="2xx""#), 1.0);
    assert_eq!(count(r#"method="GET",route="/v1/models/{model}",status="4xx""#), 1.0);
    assert_eq!(count(r#"method="other",route="other",status="4xx""#), 2.0);
    let bytes = r#"einthoven_http_request_bytes_total{method="POST",route="/v1/classify"}"#;
    assert_eq!(value(&text, bytes), 5.0);
    let seconds = r#"einthoven_http_request_duration_seconds_count{method="POST",route="/v1/classify"}"#;
    assert_eq!(value(&text, seconds), 1.0);
    assert_eq!(
        value(&text, r#"einthoven_problems_total{status="404",type="no_such_model"}"#),
        1.0
    );
    assert_eq!(value(&text, "einthoven_http_requests_in_flight"), 0.0);
    assert_eq!(value(&text, r#"einthoven_build_info{version="1.2.3"}"#), 1.0);
}

/// gRPC refuses with 200 and says why beside it.
#[tokio::test]
async fn what_grpc_refuses_is_no_success() {
    let metrics = Metrics::new(ROUTES, "1").unwrap();
    let refusing = Router::new()
        .route(
            "/{file}",
            get(|Path(code): Path<String>| async move { [("grpc-status", code)] }),
        )
        .layer(axum::middleware::from_fn_with_state(metrics.clone(), observe));
    for code in ["0", "5", "13"] {
        ask(&refusing, "GET", &format!("/{code}"), Body::empty()).await;
    }
    let text = metrics.render(Snapshot::default()).unwrap();
    for status in ["2xx", "4xx", "5xx"] {
        let ended = format!(r#"einthoven_http_requests_total{{method="GET",route="/{{file}}",status="{status}"}}"#);
        assert_eq!(value(&text, &ended), 1.0, "{status}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted_and_no_longer_in_flight() {
    let metrics = Metrics::new(ROUTES, "1").unwrap();
    let never = Router::new()
        .route("/{file}", get(|| async { std::future::pending::<String>().await }))
        .layer(axum::middleware::from_fn_with_state(metrics.clone(), observe));
    let request = Request::get("/x").body(Body::empty()).unwrap();
    let waited = tokio::time::timeout(std::time::Duration::from_millis(20), never.oneshot(request)).await;
    assert!(waited.is_err());
    let text = metrics.render(Snapshot::default()).unwrap();
    let dropped = r#"einthoven_http_requests_total{method="GET",route="/{file}",status="dropped"}"#;
    assert_eq!(value(&text, dropped), 1.0);
    assert_eq!(value(&text, "einthoven_http_requests_in_flight"), 0.0);
}

/// What callers send makes no series: 90,000 paths, models, methods and keys that differ.
#[tokio::test]
async fn the_set_of_series_does_not_grow_with_what_callers_send() {
    let (metrics, router) = server();
    // Each problem that there is, once.
    ask(&router, "GET", "/v1/models/ab", Body::empty()).await;
    ask(&router, "GET", "/v1/models/abc", Body::empty()).await;
    let loaded = Snapshot {
        models: vec![ModelReading {
            model: "heartbeat".to_owned(),
            version: "1".to_owned(),
            ..ModelReading::default()
        }],
        ..Snapshot::default()
    };
    let before = series(&metrics.render(loaded.clone()).unwrap());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for turn in 0..90_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let path = match turn % 4 {
            0 => format!("/v1/models/m{state:x}"),
            1 => format!("/{state:x}"),
            2 => format!("/{state:x}/{turn}"),
            _ => format!("/v1/models/m{state:x}/versions/{turn}?key={state:x}"),
        };
        let method = ["GET", "HEAD", "POST", "PURGE"][(state >> 60) as usize % 4];
        ask(&router, method, &path, Body::empty()).await;
    }
    let after = metrics.render(loaded).unwrap();
    assert_eq!(series(&after), before);
    let total: f64 = after
        .lines()
        .filter(|line| line.starts_with("einthoven_http_requests_total"))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum();
    assert_eq!(total, 90_002.0);
}
