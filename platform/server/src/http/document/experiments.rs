//! Versions compared.

use super::operation::{Operation, operation};
use super::problems::{HEADERS, LOADING, VERSION};
use crate::http::experiments::Against;
use crate::http::experiments::change::{ExperimentPatch, NewExperiment, Proposed};
use crate::http::experiments::disagreements::{self, Disagreement};
use crate::http::experiments::drift::{self, DriftOut};
use crate::http::experiments::list::{self, ExperimentOut};
use crate::http::experiments::verdict::VerdictOut;
use crate::http::models::{List, Reason};
use axum::http::Method;
use serde_json::json;

pub(super) fn operations() -> Vec<Operation> {
    const ALL: &str = "/v1/experiments";
    const ONE: &str = "/v1/experiments/{name}";
    let op = |method, path, id, summary| operation("experiments", method, path, id, summary).problems(HEADERS);
    let one = |method, path, id, summary| op(method, path, id, summary).problems(&[(404, "no_such_experiment")]);
    let read = |path, id, summary| {
        one(Method::GET, path, id, summary).problems(&[
            (400, "bad_cursor"),
            (404, "no_journal"),
            (422, "bad_field"),
            (503, "busy"),
        ])
    };
    let changed = |operation: Operation| {
        operation.change().problems(VERSION).problems(LOADING).problems(&[
            (404, "no_journal"),
            (409, "cooling"),
            (409, "experiment_ended"),
            (409, "experiment_runs"),
            (409, "gate"),
            (409, "nothing_serves"),
            (409, "wrong_state"),
            (422, "bad_traffic"),
        ])
    };
    vec![
        op(Method::GET, ALL, "list_experiments", "Lists comparisons of versions")
            .query::<list::Wanted>(json!({"model": "heartbeat", "running": true}))
            .answers::<List<ExperimentOut>>(200, "Experiments, newest first."),
        changed(op(Method::POST, ALL, "start_experiment", "Begins to compare versions"))
            .body::<NewExperiment>(json!({
                "name": "autumn", "model": "heartbeat", "shadows": [{"version": "2.0.0", "percent": 100}],
            }))
            .answers::<ExperimentOut>(201, "The experiment.")
            .with(&["Location", "ETag"])
            .answers::<Proposed>(202, "A second person must ask for the same.")
            .problems(&[(409, "exists_already")]),
        one(
            Method::GET,
            ONE,
            "get_experiment",
            "Gives an experiment, and what this server saw of it",
        )
        .answers::<ExperimentOut>(200, "The experiment.")
        .with(&["ETag"]),
        changed(one(
            Method::PATCH,
            ONE,
            "change_experiment",
            "Changes the shares or the rules of an experiment",
        ))
        .body::<ExperimentPatch>(json!({"splits": [{"version": "2.0.0", "percent": 10}], "shadows": []}))
        .answers::<ExperimentOut>(200, "The experiment.")
        .with(&["ETag"])
        .answers::<ExperimentOut>(202, "The experiment; a second person must ask for the same.")
        .with(&["ETag"]),
        changed(one(
            Method::DELETE,
            ONE,
            "stop_experiment",
            "Ends an experiment: the champion answers everybody",
        ))
        .query::<Reason>(json!({"reason": "decided"}))
        .answers::<ExperimentOut>(200, "The experiment, which can still be read.")
        .with(&["ETag"]),
        read(
            "/v1/experiments/{name}/verdict",
            "get_verdict",
            "Says which version is better, and how sure that is",
        )
        .query::<Against>(json!({"challenger": "2.0.0"}))
        .answers::<VerdictOut>(200, "The verdict."),
        read(
            "/v1/experiments/{name}/disagreements",
            "list_disagreements",
            "Lists beats that two versions call differently",
        )
        .query::<disagreements::Wanted>(json!({"limit": 100}))
        .answers::<List<Disagreement>>(200, "Beats of recordings that both saw, newest first."),
        read(
            "/v1/experiments/{name}/drift",
            "get_drift",
            "Says whether recordings have become others",
        )
        .query::<drift::Wanted>(json!({"last": 100}))
        .answers::<DriftOut>(200, "The last recordings against the reference."),
        one(
            Method::POST,
            "/v1/experiments/{name}/drift/reference",
            "freeze_reference",
            "Freezes the newest recordings as what later ones are compared with",
        )
        .change()
        .problems(&[
            (404, "no_journal"),
            (409, "experiment_ended"),
            (422, "bad_field"),
            (422, "bad_traffic"),
            (503, "busy"),
        ])
        .body::<drift::NewReference>(json!({"recordings": 100, "reason": "a new recorder since Monday"}))
        .answers::<ExperimentOut>(200, "The experiment, with its references.")
        .with(&["ETag"]),
    ]
}
