//! Making an answer again: which pieces that needs, and whether the new answer is the old one byte for byte.

use crate::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What an answer was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReplayPiece")]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Its name.
    pub name: String,
    /// SHA-256; empty for a device.
    pub digest: String,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReplayPieceKind")]
#[serde(rename_all = "lowercase")]
pub enum PieceKind {
    /// The bytes that were uploaded.
    Input,
    /// The version's content.
    Model,
    /// The preprocessing.
    Recipe,
    /// What runs the network.
    Engine,
    /// What it ran on: other devices compute other last digits.
    Device,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Replay")]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Replayed {
    /// Byte for byte the same.
    Same,
    /// Another answer.
    Different {
        /// SHA-256 of the recorded answer.
        recorded: String,
        /// SHA-256 of the new one.
        now: String,
    },
    /// It cannot be made again: these pieces are gone.
    Gone {
        /// All that are gone.
        pieces: Vec<Piece>,
    },
}

/// Everything that is needed to make the answer again.
#[must_use]
pub fn pieces(entry: &Entry) -> Vec<Piece> {
    let piece = |kind, name: &str, digest: &str| Piece {
        kind,
        name: name.to_owned(),
        digest: digest.to_owned(),
    };
    let digests = &entry.digests;
    vec![
        piece(
            PieceKind::Input,
            entry.record.as_deref().unwrap_or_default(),
            &digests.input,
        ),
        piece(
            PieceKind::Model,
            &format!("{}/{}", entry.model, entry.version),
            &digests.model,
        ),
        piece(PieceKind::Recipe, &entry.recipe, &digests.recipe),
        piece(
            PieceKind::Engine,
            &entry.engine,
            digests.plugin.as_deref().unwrap_or_default(),
        ),
        piece(PieceKind::Device, &format!("{} {}", entry.device, entry.provider), ""),
    ]
}

/// Asks of every piece whether it is there; where all are, computes the answer and compares it. `compute` gives the bytes of
/// which the entry's `digests.answer` is the SHA-256: the answer without what differs every time.
///
/// # Errors
/// What `compute` says.
pub fn replay<E>(
    entry: &Entry,
    mut have: impl FnMut(&Piece) -> bool,
    compute: impl FnOnce(&Entry) -> Result<Vec<u8>, E>,
) -> Result<Replayed, E> {
    let pieces: Vec<Piece> = pieces(entry).into_iter().filter(|piece| !have(piece)).collect();
    if !pieces.is_empty() {
        return Ok(Replayed::Gone { pieces });
    }
    let now = digest(&compute(entry)?);
    Ok(if now == entry.digests.answer {
        Replayed::Same
    } else {
        Replayed::Different {
            recorded: entry.digests.answer.clone(),
            now,
        }
    })
}

/// SHA-256 in hexadecimal digits.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
