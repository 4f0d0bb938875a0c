//! How an experiment is judged, as the registry keeps it.

use crate::http::problem::Problem;
use axum::http::StatusCode;
use einthoven_experiments::Settings;
use einthoven_experiments::guard::Rails;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the verdict is made, and when a challenger is withdrawn.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ExperimentRules")]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rules {
    pub(crate) settings: Settings,
    pub(crate) rails: Rails,
    /// Predictions whose recordings are kept and labelled: every challenger is measured on them when it begins, and withdrawn where it
    /// calls beats wrongly that the champion calls rightly. At most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sentinel: Vec<String>,
}

impl Rules {
    /// As they were written down; the usual ones where that cannot be read any more.
    pub(crate) fn of(written: &serde_json::Value) -> Self {
        serde_json::from_value(written.clone()).unwrap_or_default()
    }

    /// Refuses what is out of range.
    pub(crate) fn checked(self) -> Result<Self, Problem> {
        let refuse = |detail: String, field: &'static str| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", detail).at(field)
        };
        self.settings
            .check()
            .map_err(|cause| refuse(format!("in `rules.settings`: {cause}"), "rules"))?;
        let rails = &self.rails;
        let limits = [
            ("errors", rails.errors),
            ("p99", rails.p99),
            ("empty", rails.empty),
            ("withheld", rails.withheld),
            ("class_shares", rails.class_shares),
            ("relabels", rails.relabels),
        ];
        for (name, limit) in limits {
            if limit.is_some_and(|limit| limit < 0.0) {
                let detail = format!("in `rules.rails`: `{name}` must not be below zero; `null` switches the rail off");
                return Err(refuse(detail, "rules"));
            }
        }
        Ok(self)
    }
}
