//! MLflow servers.

use super::operation::{Operation, operation};
use super::parameters;
use super::problems::{MLFLOW, ONBOARDING};
use crate::http::models::{List, Reason};
use crate::http::sources::{NewSource, PullRequest, RemoteModel, SourceOut, SourceTest};
use crate::http::versions::VersionOut;
use axum::http::Method;
use serde_json::json;

pub(super) fn operations() -> Vec<Operation> {
    const ONE: &str = "/v1/sources/{source}";
    let source = |method, path, id, summary| {
        operation("sources", method, path, id, summary).problems(&[(404, "no_such_source")])
    };
    vec![
        operation("sources", Method::GET, "/v1/sources", "list_sources", "Lists MLflow servers")
            .answers::<List<SourceOut>>(200, "Sources by name."),
        source(Method::GET, ONE, "get_source", "Gives a source, and how it was when last looked at")
            .answers::<SourceOut>(200, "The source.")
            .with(&["ETag"]),
        operation("sources", Method::PUT, ONE, "set_source", "Adds or changes a source")
            .description(
                "Secrets are named by file, never sent; naming a file of the server needs `admin`, a rule that promotes `traffic`.",
            )
            .body::<NewSource>(json!({
                "settings": {"url": "http://127.0.0.1:5000"},
                "follow": [{"model": "ecg", "alias": "champion", "into": "arrhythmia"}],
            }))
            .answers::<SourceOut>(200, "The source as it is now.")
            .with(&["ETag"])
            .answers::<SourceOut>(201, "The source, which is new.")
            .with(&["ETag"])
            .change()
            .problems(&[(404, "no_such_source"), (422, "bad_settings")]),
        source(Method::DELETE, ONE, "delete_source", "Removes a source; what came from it stays")
            .query::<Reason>(json!({"reason": "moved"}))
            .answers_nothing(204, "It is gone.")
            .change(),
        source(
            Method::POST,
            "/v1/sources/{source}/test",
            "test_source",
            "Asks MLflow whether it answers",
        )
        .answers::<SourceTest>(200, "It does.")
        .problems(MLFLOW),
        source(
            Method::GET,
            "/v1/sources/{source}/models",
            "list_source_models",
            "Lists the registered models of a source",
        )
        .answers::<List<RemoteModel>>(200, "Models there.")
        .problems(MLFLOW),
        source(
            Method::POST,
            "/v1/sources/{source}/pull",
            "pull_from_source",
            "Brings one version in now",
        )
        .body::<PullRequest>(json!({"reference": "models:/ecg@champion", "into": "arrhythmia", "wait_s": 60}))
        .answers::<VersionOut>(201, "The version with its verdict.")
        .with(&["Location", "ETag"])
        .answers::<VersionOut>(202, "The version, which is on its way.")
        .with(&["Location", "ETag"])
        .change()
        .problems(ONBOARDING)
        .problems(MLFLOW),
        operation(
            "sources",
            Method::POST,
            "/v1/webhooks/mlflow/{source}",
            "receive_webhook",
            "Takes a call of MLflow's that something happened",
        )
        .description("Signed with the source's own secret; what it says beside that is not believed.")
        .raw_body("application/json", json!({"type": "object"}))
        .example(json!({"entity": "model_version_alias", "action": "created"}))
        .parameter(parameters::header(
            "X-MLflow-Signature",
            "The signature, as MLflow makes it.",
            &json!({"type": "string"}),
            &json!("v1,abc="),
        ))
        .answers_nothing(202, "The source will be looked at.")
        .problems(&[
            (400, "cut_off"),
            (401, "webhook_refused"),
            (408, "too_slow"),
            (413, "too_large"),
        ]),
    ]
}
