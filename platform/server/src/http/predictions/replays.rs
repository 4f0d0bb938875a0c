//! `POST /v1/predictions/{id}/replay`: the answer made again and compared byte for byte.

use super::super::App;
use super::super::body::Path;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::view::sha256;
use super::{find, reading};
use crate::journaling::replay;
use axum::Json;
use axum::extract::State;
use einthoven_auth::Scope;
use einthoven_journal::replay::{Piece, Replayed};
use std::sync::Arc;

pub(crate) async fn replay_prediction(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Replayed>, Problem> {
    let journal = app.journaling.journal()?.clone();
    let entry = reading(&app, move |journal| find(&journal, &caller, Scope::Predict, &id)).await?;
    let replayed = replay(&app, &journal, entry).await?;
    Ok(Json(match replayed {
        Replayed::Same => Replayed::Same,
        Replayed::Different { recorded, now } => Replayed::Different {
            recorded: sha256(&recorded),
            now: sha256(&now),
        },
        Replayed::Gone { pieces } => Replayed::Gone {
            pieces: pieces.into_iter().map(shown).collect(),
        },
    }))
}

fn shown(piece: Piece) -> Piece {
    Piece {
        digest: sha256(&piece.digest),
        ..piece
    }
}
