//! Problems by what brings them about: the status and the last part of the `type`.

/// A status and a code.
pub(super) type Code = (u16, &'static str);

/// Of every operation.
pub(super) const ALWAYS: &[Code] = &[(421, "wrong_host"), (500, "internal")];

/// Of what servers of one role do alone.
pub(super) const ROLE: &[Code] = &[(421, "wrong_role")];

/// Where a credential is needed.
pub(super) const SIGNED_IN: &[Code] = &[
    (401, "not_signed_in"),
    (401, "credential_refused"),
    (429, "too_many_requests"),
];

/// Where a scope is needed.
pub(super) const SCOPED: &[Code] = &[(403, "missing_scope")];

/// Of everything that is not only read.
pub(super) const FROM_A_PAGE: &[Code] = &[(403, "foreign_page")];

/// Of a path with names in it.
pub(super) const PATH: &[Code] = &[(404, "bad_name")];

/// Of a query.
pub(super) const QUERY: &[Code] = &[(400, "bad_query")];

/// Of a body that describes a change.
pub(super) const BODY: &[Code] = &[
    (400, "cut_off"),
    (408, "too_slow"),
    (413, "too_large"),
    (422, "bad_body"),
];

/// Of headers that callers may send with anything.
pub(super) const HEADERS: &[Code] = &[(400, "bad_header")];

/// Of a change: it was decided on something that is no more, it could not be written down, it is refused.
pub(super) const CHANGE: &[Code] = &[
    (400, "bad_header"),
    (409, "changed_meanwhile"),
    (422, "bad_field"),
    (422, "too_long"),
    (503, "busy"),
    (503, "outcome_unknown"),
];

/// Of receiving a recording.
pub(super) const UPLOAD: &[Code] = &[
    (400, "bad_form"),
    (400, "bad_header"),
    (400, "bad_query"),
    (400, "cut_off"),
    (400, "empty_file"),
    (400, "unknown_field"),
    (408, "too_slow"),
    (413, "too_large"),
    (422, "bad_field"),
    (503, "busy"),
];

/// Of reading a recording, and of finding the version that is to answer.
pub(super) const READING: &[Code] = &[
    (404, "no_such_alias"),
    (404, "no_such_model"),
    (404, "no_such_version"),
    (409, "nothing_serves"),
    (422, "bad_name"),
    (422, "contradiction"),
    (422, "damaged_archive"),
    (422, "invalid_field"),
    (422, "malformed"),
    (422, "missing_field"),
    (422, "missing_file"),
    (422, "no_ecg_lead"),
    (422, "no_such_record"),
    (422, "not_an_ecg"),
    (422, "several_recordings"),
    (422, "truncated"),
    (422, "unreadable"),
    (422, "unsafe_file_name"),
    (422, "unsupported"),
];

/// Of loading a version.
pub(super) const LOADING: &[Code] = &[
    (409, "not_ready"),
    (503, "busy"),
    (503, "file_corrupt"),
    (503, "not_loaded"),
    (507, "no_room"),
];

/// Of classifying.
pub(super) const CLASSIFYING: &[Code] = &[
    (422, "no_such_lead"),
    (422, "rate_out_of_range"),
    (422, "tensors_only"),
    (422, "wrong_kind"),
    (504, "too_late"),
];

/// Of a job.
pub(super) const JOB: &[Code] = &[(404, "no_such_job")];

/// Of tensors that are computed.
pub(super) const COMPUTING: &[Code] = &[
    (400, "bad_header"),
    (400, "bad_request"),
    (400, "bad_tensor"),
    (400, "cut_off"),
    (400, "unsupported"),
    (404, "no_such_alias"),
    (404, "no_such_model"),
    (404, "no_such_version"),
    (408, "too_slow"),
    (409, "nothing_serves"),
    (413, "too_large"),
    (499, "cancelled"),
    (503, "queue_full"),
    (504, "deadline"),
];

/// Of a model that a path names.
pub(super) const MODEL: &[Code] = &[(404, "no_such_model")];

/// Of a version that a path names.
pub(super) const VERSION: &[Code] = &[(404, "no_such_model"), (404, "no_such_version")];

/// Of bringing in a version.
pub(super) const ONBOARDING: &[Code] = &[
    (400, "bad_form"),
    (400, "bad_query"),
    (400, "empty_file"),
    (400, "upload_cut"),
    (408, "too_slow"),
    (404, "file_missing"),
    (404, "no_such_model"),
    (409, "exists_already"),
    (409, "same_content"),
    (409, "wrong_state"),
    (413, "too_large"),
    (422, "bad_digest"),
    (422, "bad_field"),
    (422, "bad_name"),
    (422, "bad_settings"),
    (422, "damaged_archive"),
    (422, "incomplete_manifest"),
    (422, "missing_field"),
    (422, "not_a_version"),
    (422, "refused_format"),
    (422, "unknown_field"),
    (422, "unloadable"),
    (422, "unsafe_file_name"),
    (503, "file_corrupt"),
];

/// Of what MLflow says.
pub(super) const MLFLOW: &[Code] = &[
    (404, "not_in_mlflow"),
    (413, "too_large"),
    (422, "bad_reference"),
    (422, "bad_settings"),
    (422, "refused_format"),
    (502, "mlflow"),
];

#[cfg(test)]
mod tests {
    use super::super::{Edition, document};
    use std::collections::BTreeSet;

    /// The page that explains all problems; rows of its tables begin with types, and then their statuses.
    const PAGE: &str = include_str!("../../../../../docs/problems.md");

    #[test]
    fn every_problem_is_explained_and_nothing_else_is() {
        let document = document(crate::http::table().rows(), Edition::V31);
        let mut answered = BTreeSet::from([("wrong_method".to_owned(), "405".to_owned())]);
        let paths = document["paths"].as_object().unwrap().values();
        for operation in paths.flat_map(|path| path.as_object().unwrap().values()) {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let types = answer["x-problems"].as_array().into_iter().flatten();
                let codes = types.map(|kind| kind.as_str().unwrap().trim_start_matches("/problems/").to_owned());
                answered.extend(codes.map(|code| (code, status.clone())));
            }
        }
        let mut explained = BTreeSet::new();
        for row in PAGE.lines().filter(|line| line.starts_with("| `")) {
            let mut cells = row.split(" | ");
            let (types, statuses) = (cells.next().unwrap(), cells.next().unwrap());
            for code in types.split('`').skip(1).step_by(2) {
                explained.extend(statuses.split(", ").map(|status| (code.to_owned(), status.to_owned())));
                let said: Vec<_> = answered.iter().filter(|(one, _)| one == code).collect();
                assert!(!said.is_empty(), "{code} is explained, and nothing answers it");
            }
            for status in statuses.split(", ") {
                let codes = || types.split('`').skip(1).step_by(2);
                assert!(
                    codes().any(|code| answered.contains(&(code.to_owned(), status.to_owned()))),
                    "{types}: none of them is a {status}"
                );
            }
        }
        // A code may stand in several rows, with a status in each.
        let missing: Vec<_> = answered.difference(&explained).collect();
        assert!(missing.is_empty(), "docs/problems.md does not explain {missing:?}");
    }
}
