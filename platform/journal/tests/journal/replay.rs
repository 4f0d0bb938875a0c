//! Making an answer again.

use crate::setup::entry;
use einthoven_journal::replay::{PieceKind, Replayed, digest, pieces, replay};
use std::convert::Infallible;

#[test]
fn the_same_bytes_are_the_same_and_one_other_byte_is_not() {
    let mut entry = entry(1, 3);
    let answer = b"{\"beats\":[1,2,3]}".to_vec();
    entry.digests.answer = digest(&answer);
    let same = replay(&entry, |_| true, |_| Ok::<_, Infallible>(answer.clone())).unwrap();
    assert_eq!(same, Replayed::Same);
    let other = b"{\"beats\":[1,2,4]}".to_vec();
    let different = replay(&entry, |_| true, |_| Ok::<_, Infallible>(other.clone())).unwrap();
    assert_eq!(
        different,
        Replayed::Different {
            recorded: digest(&answer),
            now: digest(&other),
        }
    );
}

#[test]
fn pieces_that_are_gone_are_named_and_nothing_is_computed() {
    let mut entry = entry(1, 3);
    entry.digests.plugin = Some("p".repeat(64));
    let have = |piece: &einthoven_journal::replay::Piece| !matches!(piece.kind, PieceKind::Input | PieceKind::Engine);
    let replayed = replay(&entry, have, |_| -> Result<Vec<u8>, Infallible> { panic!("computed") }).unwrap();
    let Replayed::Gone { pieces: gone } = replayed else {
        panic!("{replayed:?}")
    };
    assert_eq!(
        gone.iter().map(|piece| piece.kind).collect::<Vec<_>>(),
        [PieceKind::Input, PieceKind::Engine]
    );
    assert_eq!(gone[0].digest, entry.digests.input);
    assert_eq!(gone[1].digest, "p".repeat(64));
    assert_eq!(pieces(&entry).len(), 5);
}

#[test]
fn what_the_computation_says_comes_through() {
    let failed = replay(&entry(1, 1), |_| true, |_| Err("no such engine"));
    assert_eq!(failed, Err("no such engine"));
}
