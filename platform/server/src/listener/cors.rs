//! Pages of other origins: refused unless they are named.

use anyhow::{Context, ensure};
use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use std::str::FromStr;
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// Headers that a page may read of an answer.
const EXPOSED: [HeaderName; 5] = [
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    HeaderName::from_static("inference-header-content-length"),
    HeaderName::from_static("x-request-id"),
];

/// How long browsers remember what was allowed.
const REMEMBERED: Duration = Duration::from_secs(600);

/// A site whose pages may call this server, such as `https://lab.example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(HeaderValue);

impl Origin {
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl FromStr for Origin {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        ensure!(
            text != "*",
            "`*` would let every site's pages call this server; name each origin"
        );
        let url = reqwest::Url::parse(text).with_context(|| format!("`{text}` is no origin; say https://HOST"))?;
        ensure!(
            matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none(),
            "`{text}` must be scheme, host and port alone, such as https://lab.example.org"
        );
        Ok(Self(HeaderValue::from_str(&url.origin().ascii_serialization())?))
    }
}

/// The router, open to the pages of these origins. Cookies are never let through: such pages bring a key or a token.
pub(super) fn opened(router: Router, origins: &[Origin]) -> Router {
    if origins.is_empty() {
        return router;
    }
    let named = origins.iter().map(|origin| origin.0.clone());
    router.layer(
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(named))
            .allow_methods([
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(EXPOSED)
            .max_age(REMEMBERED),
    )
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn an_origin_is_one_site() {
        let read = |text: &str| text.parse::<Origin>().ok().map(|origin| origin.as_str().to_owned());
        assert_eq!(
            read("https://Lab.example.org").as_deref(),
            Some("https://lab.example.org")
        );
        assert_eq!(read("http://localhost:3000/").as_deref(), Some("http://localhost:3000"));
        for wrong in ["*", "lab.example.org", "https://x/page", "file:///x", "null", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
