//! Bodies that do not come whole: each is refused for what happened to it.

use super::problem::Problem;
use super::upload::malformed;
use crate::listener::TooSlow;
use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::http::StatusCode;
use futures_util::StreamExt;
use std::error::Error;

/// The whole of a body of at most `most` bytes, for what is small enough to take no room among all bodies.
pub(crate) async fn bounded(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let (mut stream, mut content) = (body.into_data_stream(), Vec::new());
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|cause| cut_off(&cause))?;
        if content.len() + chunk.len() > most {
            let detail = format!("the body is larger than {most} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

/// A body that came too slowly, or broke off.
pub(crate) fn cut_off(cause: &axum::Error) -> Problem {
    too_slow(cause).unwrap_or_else(|| {
        let detail = format!("the body broke off before its end: {cause}; send it again");
        Problem::new(StatusCode::BAD_REQUEST, "cut_off", detail)
    })
}

/// A form whose body came too slowly or broke off, or that is none.
pub(super) fn bad_form(cause: &MultipartError) -> Problem {
    found::<axum::Error>(cause).map_or_else(|| malformed(cause.body_text()), cut_off)
}

/// That a body came too slowly, where that is the cause.
pub(super) fn too_slow(cause: &(dyn Error + 'static)) -> Option<Problem> {
    let slow = found::<TooSlow>(cause)?;
    let detail = format!("{slow}; send it again over a faster connection, or raise --client-timeout-s");
    Some(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail))
}

/// The first error of a kind among a cause and what caused that.
fn found<'a, E: Error + 'static>(cause: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(cause), |&cause| cause.source()).find_map(|cause| cause.downcast_ref())
}
