//! Health, engines, metrics, and this document.

use super::operation::{Operation, operation};
use super::problems::{HEADERS, MODEL};
use crate::http::plugins::PluginList;
use crate::http::system::System;
use axum::http::Method;
use serde_json::json;

pub(super) fn operations() -> Vec<Operation> {
    let get = |path, id, summary| operation("system", Method::GET, path, id, summary);
    let text = || json!({"type": "string"});
    vec![
        get(
            "/v1/plugins",
            "list_plugins",
            "Lists engines, readers, and plugins that are not used",
        )
        .answers::<PluginList>(200, "Plugins."),
        get("/v1/system", "get_system", "Says what runs here, and its limits")
            .answers::<System>(200, "The server.")
            .problems(HEADERS),
        get(
            "/metrics",
            "get_metrics",
            "Gives what this server counted, for Prometheus",
        )
        .answers_raw(200, "Metrics in the text format.", "text/plain", text())
        .problems(&[(404, "not_found")]),
        get("/v1/health/live", "get_live", "Answers as soon as the port is open").answers_nothing(200, "It lives."),
        get(
            "/v1/health/ready",
            "get_ready",
            "Says whether requests should be sent here",
        )
        .answers_nothing(200, "They should.")
        .problems(&[(503, "busy")]),
        get(
            "/v1/health/models/{model}",
            "get_model_health",
            "Says whether a model would answer at once",
        )
        .answers_nothing(200, "It would.")
        .problems(MODEL)
        .problems(&[(409, "nothing_serves"), (503, "busy")]),
        get(
            "/ping",
            "ping_server",
            "Says whether requests should be sent here, as MLflow asks",
        )
        .answers_raw(200, "They should.", "text/plain", text())
        .problems(&[(503, "busy")]),
        get(
            "/health",
            "ping_health",
            "Says whether requests should be sent here, as MLflow asks",
        )
        .answers_raw(200, "They should.", "text/plain", text())
        .problems(&[(503, "busy")]),
        get(
            "/version",
            "get_mlflow_version",
            "Says whose scoring protocol is spoken: MLflow's release",
        )
        .answers_raw(200, "A release such as `3.1.0`, bare.", "text/plain", text()),
        get("/openapi.json", "get_document", "Gives this document").answers_raw(
            200,
            "OpenAPI 3.1.",
            "application/json",
            json!({"type": "object"}),
        ),
        get(
            "/openapi-3.0.json",
            "get_older_document",
            "Gives this document for tools that read OpenAPI 3.0",
        )
        .answers_raw(200, "OpenAPI 3.0.", "application/json", json!({"type": "object"})),
    ]
}
