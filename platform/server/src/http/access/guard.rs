//! What stands before every route.

use super::Access;
use crate::http::App;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// What a route asks for, and the server that it belongs to.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) app: Arc<App>,
    pub(crate) access: Access,
}

pub(crate) async fn pass(State(_): State<Door>, request: Request, next: Next) -> Response {
    next.run(request).await
}
