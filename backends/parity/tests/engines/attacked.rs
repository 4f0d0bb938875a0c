//! Engines against the corrupt models.

use crate::harness::{Outcome, attempt, ready};
use einthoven_backend_parity::{ENGINES, Refused, corpus};

/// Whatever a corrupt model does to the child that tries it, this process lives, and no corrupt model may serve.
#[test]
fn every_corrupt_model_is_refused_with_a_reason() {
    let mutants = corpus();
    let mut wrong = Vec::new();
    let mut dead = Vec::new();
    for (engine, ending) in ENGINES {
        ready(engine);
        for mutant in mutants.iter().filter(|mutant| mutant.package.format() == ending) {
            let folder = tempfile::tempdir().unwrap();
            let inside = mutant.write(folder.path()).unwrap();
            let outcome = attempt(engine, &mutant.package, &mutant.reference, &inside);
            let what = format!("{engine} on {}: {outcome:?}", mutant.name);
            match outcome {
                Outcome::Refused(reason) if !reason.trim().is_empty() => {}
                Outcome::Differs(_) if mutant.refused == Refused::AtGolden => {}
                Outcome::Died(_) => dead.push(what),
                _ => wrong.push(what),
            }
        }
    }
    eprintln!(
        "{} killed their child, and are refused for it:\n{}",
        dead.len(),
        dead.join("\n")
    );
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}
