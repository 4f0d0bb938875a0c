//! Tables, streamed while they are made.

use super::super::App;
use super::super::body::Query;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::filter::Wanted;
use super::records::records;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use einthoven_journal::export::{Format, Splitting, predictions, training};
use einthoven_journal::{Journal, JournalError};
use futures_util::{StreamExt, stream};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Bytes of a piece.
const PIECE: usize = 64 << 10;
/// Pieces that wait for a client that is slow to read.
const WAITING: usize = 4;

/// One row for each beat.
pub(crate) async fn export_predictions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let kind = Kind::of(wanted.format.as_deref())?;
    let journal = app.journaling.journal()?.clone();
    let format = kind.format;
    let made = move |out: &mut Pieces| {
        let entries = wanted.entries(&journal, &caller, None);
        predictions(&journal, entries, format, out).map(drop)
    };
    streamed(&app, kind.media, &format!("predictions.{}", kind.ending), made).await
}

/// Labelled beats for training, as a table or as records.
pub(crate) async fn export_labels(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let journal: Journal = app.journaling.journal()?.clone();
    let wrong = wanted.wrong.unwrap_or(false);
    if wanted.format.as_deref() == Some("wfdb") {
        if wrong {
            let detail = "a record holds all its beats; ask for csv or parquet to have the wrong ones alone";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("wrong"));
        }
        let inner = Arc::clone(&app);
        let made = move |out: &mut Pieces| records(&inner, &journal, &caller, &wanted, out);
        return streamed(&app, "application/x-tar", "labels.tar", made).await;
    }
    let kind = Kind::of(wanted.format.as_deref())?;
    let format = kind.format;
    let made = move |out: &mut Pieces| {
        let entries = wanted.labelled(&journal, &caller, None);
        training(&journal, entries, &Splitting::default(), wrong, format, out).map(drop)
    };
    streamed(&app, kind.media, &format!("labels.{}", kind.ending), made).await
}

/// A table by its name.
struct Kind {
    format: Format,
    media: &'static str,
    ending: &'static str,
}

impl Kind {
    fn of(name: Option<&str>) -> Result<Self, Problem> {
        match name.unwrap_or("csv") {
            "csv" => Ok(Self {
                format: Format::Csv,
                media: "text/csv; charset=utf-8",
                ending: "csv",
            }),
            "parquet" => Ok(Self {
                format: Format::Parquet,
                media: "application/vnd.apache.parquet",
                ending: "parquet",
            }),
            _ => {
                let detail = "`format` must be csv or parquet";
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("format"))
            }
        }
    }
}

/// An answer whose body is written by `made` while the client reads it. What fails before the first piece is a problem; later
/// the answer breaks off. A client that stops reading loses its connection, and with it the place it takes.
async fn streamed(
    app: &App,
    media: &'static str,
    name: &str,
    made: impl FnOnce(&mut Pieces) -> Result<(), JournalError> + Send + 'static,
) -> Result<Response, Problem> {
    let permit = app.reads.whole().await?;
    let (sender, mut pieces) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let failing = sender.clone();
        let mut out = BufWriter::with_capacity(PIECE, Channel(sender));
        let done = made(&mut out);
        let done = done.and_then(|()| {
            out.flush().map_err(|cause| JournalError::Export {
                what: cause.to_string(),
            })
        });
        if let Err(cause) = done {
            // Whoever left is told nothing.
            let _ = failing.blocking_send(Err(cause));
        }
    });
    let first = match pieces.recv().await {
        Some(Err(cause)) => return Err(cause.into()),
        first => first,
    };
    let body = stream::unfold((first, pieces), |(first, mut pieces)| async move {
        let piece = match first {
            Some(piece) => piece,
            None => pieces.recv().await?,
        };
        let piece = piece.map_err(|cause| {
            tracing::error!("an export broke off: {cause}");
            io::Error::other(cause)
        });
        Some((piece, (None, pieces)))
    })
    // Who compresses it asks once more after its end.
    .fuse();
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Where a table is written to.
type Pieces = BufWriter<Channel>;

/// Pieces on their way to the client.
pub(crate) struct Channel(mpsc::Sender<Result<Bytes, JournalError>>);

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(bytes));
        self.0
            .blocking_send(piece)
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "whoever asked has left"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
