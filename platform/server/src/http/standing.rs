//! Whether who holds a long answer open may still have it.

use super::App;
use super::access::presented;
use axum::http::{HeaderMap, HeaderName, Method, header};
use einthoven_auth::Scope;
use std::sync::Arc;
use std::time::Duration;

/// How often it is asked again: the streams of a revoked key end within about a second.
const EVERY: Duration = Duration::from_millis(500);

/// What a request brought to prove who sends it; an answer that goes on for long asks it again.
pub(crate) struct Standing(HeaderMap);

impl Standing {
    /// Keeps what proves something, and nothing else of the request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let key = HeaderName::from_static(presented::KEY_HEADER);
        let proofs = [header::AUTHORIZATION, key, header::COOKIE];
        let mut kept = HeaderMap::new();
        for name in &proofs {
            for value in headers.get_all(name) {
                kept.append(name, value.clone());
            }
        }
        Self(kept)
    }

    /// Waits until it is refused: revoked, expired, or without that scope for any model.
    pub(crate) async fn lost(self, app: Arc<App>, scope: Scope) {
        loop {
            let proven = presented::proven(&app.auth, &Method::GET, &self.0).await;
            if !proven.is_ok_and(|proven| proven.principal.may_some(scope)) {
                return;
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}
