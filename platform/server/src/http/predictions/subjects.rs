//! `DELETE /v1/subjects/{pseudonym}`: everything about a person is erased.

use super::super::App;
use super::super::body::Path;
use super::super::problem::Problem;
use super::erasing::erase;
use crate::journaling::Erased;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

pub(crate) async fn delete_subject(
    State(app): State<Arc<App>>,
    Path(pseudonym): Path<String>,
) -> Result<Json<Erased>, Problem> {
    if !is_pseudonym(&pseudonym) {
        let detail = "a person's pseudonym is `s_` and hexadecimal digits, as predictions name it";
        return Err(Problem::new(StatusCode::NOT_FOUND, "bad_name", detail));
    }
    app.journaling.journal()?;
    // In a task: who asked may go, and what was begun is done all the same.
    let erased = tokio::spawn(async move { erase(&app, &pseudonym).await });
    erased.await?.map(Json)
}

fn is_pseudonym(text: &str) -> bool {
    let digits = text.strip_prefix("s_").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}
