//! What the router answers, without a browser.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use tower::ServiceExt;

async fn get(path: &str, known: Option<&str>) -> Response<Body> {
    let mut request = Request::builder().uri(path);
    if let Some(tag) = known {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    let router = einthoven_web::routes()
        .into_iter()
        .fold(Router::new(), |router, (path, file)| router.route(path, file));
    router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

fn header_of(response: &Response<Body>, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn the_page_and_every_file_it_names_are_served() {
    let page = get("/", None).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(header_of(&page, "content-type"), "text/html; charset=utf-8");
    let html = text(page).await;
    let named: Vec<&str> = html
        .split(['"', '\''])
        .filter(|part| part.starts_with("/assets/"))
        .collect();
    assert!(
        named.len() >= 3,
        "the page names its style sheets and its first module: {named:?}"
    );
    for path in named {
        let response = get(path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let expected = match path.rsplit_once('.').unwrap().1 {
            "css" => "text/css; charset=utf-8",
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{path}: no content type is expected for .{other}"),
        };
        assert_eq!(header_of(&response, "content-type"), expected, "{path}");
    }
}

#[tokio::test]
async fn the_policy_allows_nothing_but_our_origin() {
    for path in ["/", "/assets/js/app.js", "/assets/no-such-file.js"] {
        let response = get(path, None).await;
        let policy = header_of(&response, "content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'),
            "{policy}"
        );
        assert_eq!(header_of(&response, "x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_known_file_is_not_sent_again() {
    let first = get("/assets/js/app.js", None).await;
    let tag = header_of(&first, "etag");
    for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}")] {
        let again = get("/assets/js/app.js", Some(&known)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert!(text(again).await.is_empty());
    }
    assert_eq!(
        get("/assets/js/app.js", Some("\"other\"")).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn nothing_else_is_served() {
    for path in [
        "/assets/",
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets/js",
        "/assets/vendor/VERSIONS",
    ] {
        assert_eq!(get(path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}
