//! Long work.

use super::classify::Classified;
use super::operation::{Operation, operation};
use super::parameters;
use super::problems::{CLASSIFYING, HEADERS, JOB, LOADING, READING};
use crate::http::jobs::JobList;
use axum::http::Method;
use einthoven_jobs::Info;
use serde_json::json;

pub(super) fn operations() -> Vec<Operation> {
    let job = |method, path, id, summary| {
        operation("jobs", method, path, id, summary)
            .problems(HEADERS)
            .problems(JOB)
    };
    vec![
        operation("jobs", Method::GET, "/v1/jobs", "list_jobs", "Lists your jobs")
            .description("Jobs are of who made them; an administrator sees all.")
            .answers::<JobList>(200, "Jobs, newest first.")
            .problems(HEADERS),
        job(Method::GET, "/v1/jobs/{id}", "get_job", "Says where a job stands").answers::<Info>(200, "The job."),
        job(
            Method::DELETE,
            "/v1/jobs/{id}",
            "delete_job",
            "Cancels a job that has not ended, removes one that has",
        )
        .answers_nothing(204, "Done."),
        job(
            Method::GET,
            "/v1/jobs/{id}/events",
            "get_events",
            "Follows a job as server-sent events",
        )
        .description("Events `state` and `progress`, each with an id; the stream ends with the job.")
        .parameter(parameters::header(
            "Last-Event-ID",
            "The last event that was seen: those after it follow.",
            &json!({"type": "string", "pattern": "^[0-9]{1,19}$"}),
            &json!("1000"),
        ))
        .answers_raw(200, "Events.", "text/event-stream", json!({"type": "string"}))
        .answers_nothing(204, "Nothing more follows."),
        job(
            Method::GET,
            "/v1/jobs/{id}/result",
            "get_result",
            "Gives the result of a job that is done",
        )
        .description("Where the job failed: the very problem that a request would have been answered with.")
        .answers::<Classified>(200, "As `classify_recording` answers.")
        .problems(&[(409, "not_ended"), (409, "cancelled"), (409, "failed")])
        .problems(READING)
        .problems(LOADING)
        .problems(CLASSIFYING)
        .problems(&[(413, "too_large")]),
    ]
}
