//! Bodies of requests for outputs: bounded, counted against what all bodies may take together, unpacked.

use super::outcome::refused;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::received::cut_off;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use einthoven_oip::{Compression, inflated};
use futures_util::StreamExt;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Compressed bytes that are unpacked on the spot; more would hold up other requests of the same thread.
const AT_ONCE: usize = 16 << 10;

/// A body, and the room that is counted for it and what is made of it, until that is dropped.
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

impl Received {
    /// Reads the whole body. One that came in one piece is not copied.
    pub(crate) async fn whole(app: &Arc<App>, headers: &HeaderMap, body: Body) -> Result<Self, Problem> {
        let compression = match headers.get(header::CONTENT_ENCODING) {
            None => None,
            Some(value) => Compression::of(value.to_str().unwrap_or("?")).map_err(refused)?,
        };
        let declared = body
            .size_hint()
            .exact()
            .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let mut received = Self {
            bytes: Bytes::new(),
            room: None,
        };
        received.room(app, declared.unwrap_or_default())?;
        let mut stream = body.into_data_stream();
        let mut more = BytesMut::new();
        let mut taken = 0;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|cause| cut_off(&cause))?;
            taken += chunk.len();
            if declared.is_none() {
                received.room(app, chunk.len())?;
            }
            if taken > app.body_limit {
                return Err(Problem::too_large(app.body_limit));
            }
            if taken == chunk.len() {
                received.bytes = chunk;
                continue;
            }
            if more.is_empty() {
                more.reserve(declared.unwrap_or(2 * taken).min(app.body_limit));
                more.extend_from_slice(&received.bytes);
            }
            more.extend_from_slice(&chunk);
        }
        if !more.is_empty() {
            received.bytes = more.freeze();
        }
        match compression {
            Some(compression) => received.unpacked(app, compression).await,
            None => Ok(received),
        }
    }

    async fn unpacked(mut self, app: &Arc<App>, compression: Compression) -> Result<Self, Problem> {
        let (limit, packed) = (app.body_limit, self.bytes);
        let bytes = if packed.len() <= AT_ONCE {
            inflated(&packed, compression, limit).map_err(refused)?
        } else {
            let work = move || inflated(&packed, compression, limit).map_err(refused);
            crate::http::blocking(Arc::clone(&app.cores), work).await?
        };
        self.bytes = bytes.into();
        let length = self.bytes.len();
        self.room(app, length)?;
        Ok(self)
    }

    fn room(&mut self, app: &Arc<App>, bytes: usize) -> Result<(), Problem> {
        if bytes > app.body_limit {
            return Err(Problem::too_large(app.body_limit));
        }
        let permit = room(app, bytes)?;
        match &mut self.room {
            Some(room) => room.merge(permit),
            room => *room = Some(permit),
        }
        Ok(())
    }
}

/// Room for so many bytes until it is dropped.
pub(crate) fn room(app: &Arc<App>, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
    let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
    Arc::clone(&app.upload_kib)
        .try_acquire_many_owned(kib)
        .map_err(|_| Problem::busy("too many large requests at once; try again in a few seconds"))
}
