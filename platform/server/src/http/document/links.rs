//! What goes on from what: the ways people take through the interface, told as links so that tools can take them too.

use serde_json::{Map, Value, json};

/// A parameter, and where its value stands.
type Given = (&'static str, &'static str);

/// Operations that go on from one, where it answered with one of these statuses.
struct Way {
    from: &'static str,
    statuses: &'static [&'static str],
    to: &'static [&'static str],
    given: &'static [Given],
}

const ID: &[Given] = &[("id", "$response.body#/id")];
const NAME: &[Given] = &[("name", "$response.body#/name")];
const PREDICTION: &[Given] = &[("id", "$response.body#/prediction")];
const VERSION: &[Given] = &[("model", "$response.body#/model"), ("version", "$response.body#/name")];

const OF_A_JOB: &[&str] = &["get_job", "get_result"];
const OF_A_RECORDING: &[&str] = &["get_recording", "get_signal", "get_annotations", "get_fhir"];
const OF_A_PREDICTION: &[&str] = &["get_prediction", "list_labels", "create_label", "replay_prediction"];
const OF_A_VERSION: &[&str] = &["get_version", "get_verification", "retire_version"];
const OF_TRAFFIC: &[&str] = &["get_traffic", "roll_back", "list_history"];

const fn way(
    from: &'static str,
    statuses: &'static [&'static str],
    to: &'static [&'static str],
    given: &'static [Given],
) -> Way {
    Way {
        from,
        statuses,
        to,
        given,
    }
}

/// From a recording to beats, jobs and labels; from files to a version that answers; what is made, looked at.
const WAYS: &[Way] = &[
    way("classify_recording", &["200"], OF_A_PREDICTION, PREDICTION),
    way("classify_recording", &["202"], OF_A_JOB, ID),
    way("get_job", &["200"], &["get_result"], ID),
    way("get_result", &["200"], OF_A_PREDICTION, PREDICTION),
    way("create_recording", &["201"], OF_A_RECORDING, ID),
    way("create_recording", &["201"], OF_A_PREDICTION, PREDICTION),
    way("create_sample_recording", &["201"], OF_A_RECORDING, ID),
    way(
        "create_model",
        &["201"],
        &["get_model", "create_version", "get_traffic"],
        &[("model", "$response.body#/name")],
    ),
    way("create_version", &["201", "202"], OF_A_VERSION, VERSION),
    way(
        "create_version",
        &["201", "202"],
        &["set_traffic"],
        &[("model", "$response.body#/model")],
    ),
    way("pull_from_source", &["201", "202"], OF_A_VERSION, VERSION),
    way(
        "set_traffic",
        &["200", "202"],
        OF_TRAFFIC,
        &[("model", "$request.path.model")],
    ),
    way(
        "start_experiment",
        &["201"],
        &["get_experiment", "get_verdict", "get_drift"],
        NAME,
    ),
    way("create_key", &["201"], &["get_key", "update_key", "revoke_key"], ID),
    way(
        "create_user",
        &["201"],
        &["get_user", "update_user", "delete_user"],
        NAME,
    ),
    way(
        "set_source",
        &["200", "201"],
        &["get_source", "test_source"],
        &[("source", "$response.body#/name")],
    ),
];

/// Writes the links into the answers of these paths.
pub(super) fn write(paths: &mut Map<String, Value>) {
    let operations = paths.values_mut().filter_map(Value::as_object_mut);
    for operation in operations.flat_map(|path| path.values_mut()) {
        let id = operation["operationId"].clone();
        for way in WAYS.iter().filter(|way| id == way.from) {
            let given: Map<_, _> = way
                .given
                .iter()
                .map(|(name, at)| ((*name).to_owned(), (*at).into()))
                .collect();
            for status in way.statuses {
                for to in way.to {
                    operation["responses"][status]["links"][to] = json!({"operationId": to, "parameters": given});
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Edition, document};
    use super::*;

    #[test]
    fn every_way_begins_at_an_answer_and_ends_at_an_operation_that_takes_what_is_given() {
        let document = document(crate::http::table().rows(), Edition::V31);
        let paths = document["paths"].as_object().unwrap();
        let all: Vec<&Value> = paths
            .values()
            .flat_map(|path| path.as_object().unwrap().values())
            .collect();
        let found = |id: &str| *all.iter().find(|one| one["operationId"] == id).unwrap();
        for way in WAYS {
            for status in way.statuses {
                // One that is in no answer would have made an answer of its own.
                assert!(
                    found(way.from)["responses"][status]["description"].is_string(),
                    "{} {status}",
                    way.from
                );
            }
            for (to, (name, _)) in way
                .to
                .iter()
                .flat_map(|to| way.given.iter().map(move |given| (to, given)))
            {
                let parameters = found(to)["parameters"].as_array().unwrap();
                assert!(
                    parameters.iter().any(|one| one["name"] == *name && one["in"] == "path"),
                    "{to}: {name}"
                );
            }
        }
    }
}
