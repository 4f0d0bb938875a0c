//! Engines against the reference answers.

use crate::harness::{Outcome, attempt, ready};
use crate::table::{self, Cells};
use einthoven_backend_parity::{ENGINES, OperatorGraph, Package, operator_graphs, our_models};

/// Refusals that do not yet say what of the graph they are about: engine and graph. One that does must leave the list.
const UNNAMED: [(&str, &str); 6] = [
    ("tract", "lstm"),
    ("tract", "lstm-bidirectional"),
    ("tract", "gru"),
    ("tract", "gru-bidirectional"),
    ("tract", "lstm-last-state"),
    ("tract", "external-weights"),
];

/// An answer within the tolerance, or a refusal that says what of the graph it is about. A wrong answer is caught by the
/// check against golden answers before a model serves; only quantised graphs may need that.
#[test]
fn operator_graphs_get_the_right_answer_or_a_refusal_that_names_the_operator() {
    let graphs = operator_graphs();
    let mut cells = Cells::default();
    let mut wrong = Vec::new();
    for (engine, _) in ENGINES.into_iter().filter(|(_, ending)| *ending == "onnx") {
        ready(engine);
        for graph in &graphs {
            let folder = laid_out(&graph.package);
            let outcome = attempt(engine, &graph.package, &graph.reference, folder.path());
            let complaint = complaint(&outcome, graph);
            let known = UNNAMED.contains(&(engine, graph.name.as_str())) && matches!(outcome, Outcome::Refused(_));
            match complaint {
                Some(complaint) if !known => wrong.push(format!("{engine} on {}: {complaint}", graph.name)),
                None if known => wrong.push(format!("{engine} on {} belongs no longer to UNNAMED", graph.name)),
                _ => {}
            }
            cells.add(&graph.name, engine, &outcome);
        }
    }
    table::compare("Operator graphs", &cells);
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}

fn complaint(outcome: &Outcome, graph: &OperatorGraph) -> Option<String> {
    match outcome {
        Outcome::Agrees(_) => None,
        Outcome::Refused(reason) => {
            let runs = &graph.reference.runs;
            let tensors = runs.iter().flat_map(|run| run.inputs.keys().chain(run.outputs.keys()));
            let named = graph.tags.iter().chain(tensors).any(|name| {
                let mut words = reason.split(|c: char| !c.is_alphanumeric());
                words.any(|word| word.eq_ignore_ascii_case(name))
            });
            (!named).then(|| format!("the refusal names no operator, node or tensor: {reason}"))
        }
        Outcome::Differs(_) if graph.tags.iter().any(|tag| tag == "quantised") => None,
        other => Some(format!("{other:?}")),
    }
}

/// Between engines that run one network in 32-bit floats.
const FLOATS: f64 = 1e-4;
/// Between our networks and their 8-bit form: probabilities, of which the highest moves least.
const EIGHT_BITS: f64 = 0.02;

/// In 32-bit floats and in 8 bits. A network in 8 bits may also be refused.
#[test]
fn our_models_give_their_golden_answers_in_every_format() {
    let mut cells = Cells::default();
    let mut wrong = Vec::new();
    for (engine, ending) in ENGINES {
        ready(engine);
        for model in ["heartbeat", "heartbeat-row"] {
            let (packages, mut reference) = our_models(model);
            for package in packages.iter().filter(|package| package.format() == ending) {
                let folder = laid_out(package);
                let eight_bits = package.entry.contains("int8");
                reference.tolerance = if eight_bits { EIGHT_BITS } else { FLOATS };
                let outcome = attempt(engine, package, &reference, folder.path());
                let refused = eight_bits && matches!(outcome, Outcome::Refused(_));
                if !matches!(outcome, Outcome::Agrees(_)) && !refused {
                    wrong.push(format!("{engine} on {model}/{}: {outcome:?}", package.entry));
                }
                cells.add(&format!("{model}/{}", package.entry), engine, &outcome);
            }
        }
    }
    table::compare("Our models", &cells);
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}

fn laid_out(package: &Package) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &package.files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}
