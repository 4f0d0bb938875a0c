//! Which predictions are wanted, as a query says it.

use super::super::caller::Caller;
use super::super::problem::Problem;
use axum::http::StatusCode;
use einthoven_auth::Scope;
use einthoven_journal::{Cursor, Entries, Filter, Journal};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

/// Items of a page, where the query does not say.
const PAGE: usize = 50;
/// Items of a page at most.
pub(super) const MOST: usize = 1000;

/// The filters, a page, and what only some routes take.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "PredictionFilter")]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    /// Of that model.
    model: Option<String>,
    /// Of that version.
    version: Option<String>,
    /// Answered within that experiment.
    experiment: Option<String>,
    /// By that arm of it.
    arm: Option<String>,
    /// With a beat of that class.
    class: Option<String>,
    /// Answered then or later.
    from: Option<Timestamp>,
    /// Answered before.
    until: Option<Timestamp>,
    /// About that person, by the pseudonym that entries show; `X-Einthoven-Subject` names the person instead.
    subject: Option<String>,
    /// Whether somebody said something about it.
    labelled: Option<bool>,
    /// Items of one answer, 1 to 1000.
    limit: Option<usize>,
    /// `next` of the answer before.
    cursor: Option<String>,
    /// `csv`, `parquet` or `wfdb`, where a table is asked for.
    pub(super) format: Option<String>,
    /// Only what the model got wrong, where beats for training are asked for.
    pub(super) wrong: Option<bool>,
    /// The class that was answered, where misclassified beats are asked for.
    pub(super) said: Option<String>,
    /// What holds, where misclassified beats are asked for: a class, or `not_a_beat`.
    pub(super) truth: Option<String>,
}

impl Wanted {
    /// The filter. The person is the one of the query, or whom the request's header names.
    pub(super) fn filter(&self, journal: &Journal, caller: &Caller) -> Filter {
        let named = || caller.person().map(|person| journal.subject(person));
        Filter {
            model: self.model.clone(),
            version: self.version.clone(),
            from: self.from,
            until: self.until,
            class: self.class.clone(),
            labelled: self.labelled,
            subject: self.subject.clone().or_else(named),
            experiment: self.experiment.clone(),
            arm: self.arm.clone(),
        }
    }

    /// Predictions that are wanted and that the caller may see, newest first.
    pub(super) fn entries(&self, journal: &Journal, caller: &Caller, after: Option<Cursor>) -> Entries {
        let filter = self.filter(journal, caller);
        seen_by(journal.entries(filter, after), caller)
    }

    /// The same of those that somebody said something about.
    pub(super) fn labelled(&self, journal: &Journal, caller: &Caller, after: Option<Cursor>) -> Entries {
        let filter = Filter {
            labelled: Some(true),
            ..self.filter(journal, caller)
        };
        seen_by(journal.entries(filter, after), caller)
    }

    /// How many items a page may have.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.unwrap_or(PAGE);
        if (1..=MOST).contains(&limit) {
            return Ok(limit);
        }
        let detail = format!("`limit` must be 1 to {MOST}");
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at("limit"))
    }

    /// Where the page begins.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The model, which must be named.
    pub(super) fn one_model(&self) -> Result<(), Problem> {
        if self.model.is_some() {
            return Ok(());
        }
        let detail = "say which model: `model=heartbeat`";
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "missing_field", detail).at("model"))
    }
}

fn seen_by(entries: Entries, caller: &Caller) -> Entries {
    let principal = caller.principal().clone();
    entries.only(move |entry| principal.may_for(Scope::ModelsRead, &entry.model))
}
