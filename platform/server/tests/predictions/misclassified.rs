//! What was answered wrongly, as a list.

use crate::client::Server;
use crate::records::{classify, entry, named, pages, refer};
use serde_json::{Value, json};

#[test]
fn beats_that_were_answered_wrongly_are_a_list_with_pages() {
    let server = Server::start();
    let ids = ["203x", "208x"].map(|record| {
        let id = named(&classify(&server, record, None));
        assert_eq!(refer(&server, &id, record).status, 201);
        id
    });
    let all = pages(&server, "/v1/misclassified?model=heartbeat", 1000);
    // Exactly those whose truth is another, newest prediction first, in order of time.
    let mut expected = Vec::new();
    for id in ids.iter().rev() {
        let kept = entry(&server, id);
        let mut wrong: Vec<_> = kept["beats"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|beat| beat["truth"]["class"] != beat["class"] || beat["class"].is_null())
            .chain(kept["missed"].as_array().unwrap())
            .map(|beat| (id.clone(), beat["at"].as_u64().unwrap()))
            .collect();
        wrong.sort_unstable();
        expected.extend(wrong);
    }
    let place = |beat: &Value| {
        (
            beat["prediction"].as_str().unwrap().to_owned(),
            beat["at"].as_u64().unwrap(),
        )
    };
    assert!(all.len() > 10, "{}", all.len());
    assert_eq!(all.iter().map(place).collect::<Vec<_>>(), expected);
    assert_eq!(pages(&server, "/v1/misclassified?model=heartbeat", 7), all);
    let some = pages(&server, "/v1/misclassified?model=heartbeat&said=N&truth=V", 1000);
    assert!(
        some.iter()
            .all(|beat| beat["said"] == "N" && beat["truth"] == json!({"is": "class", "class": "V"}))
    );
    let counted = all
        .iter()
        .filter(|beat| beat["said"] == "N" && beat["truth"]["class"] == "V");
    assert_eq!(some.len(), counted.count());
    assert!(pages(&server, "/v1/misclassified?model=heartbeat-row", 10).is_empty());
    server.get("/v1/misclassified").problem(422, "missing_field");
    server
        .get("/v1/misclassified?model=heartbeat&cursor=1.x")
        .problem(400, "bad_cursor");

    // Said at once about beats of both; they are on the list no more.
    let beats = [&all[0], all.last().unwrap()];
    assert_ne!(beats[0]["prediction"], beats[1]["prediction"]);
    let marks = beats.map(|beat| match beat["said"].as_str() {
        Some(said) => json!({"prediction": beat["prediction"], "at": beat["at"], "is": "class", "class": said}),
        None => json!({"prediction": beat["prediction"], "at": beat["at"], "is": "withdrawn"}),
    });
    let body = json!({"why": "the reference is wrong", "marks": marks});
    let taken = server.json("POST", "/v1/labels", &[("idempotency-key", "cluster")], &body);
    assert_eq!(taken.status, 201, "{}", taken.json());
    assert_eq!(
        taken.json(),
        json!({"key": "cluster", "new": 2, "repeated": 0, "predictions": 2})
    );
    let again = server.json("POST", "/v1/labels", &[("idempotency-key", "cluster")], &body);
    assert_eq!((again.status, &again.json()["repeated"]), (200, &2.into()));
    let left = pages(&server, "/v1/misclassified?model=heartbeat", 1000);
    assert_eq!(
        left.iter().map(place).collect::<Vec<_>>(),
        expected[1..expected.len() - 1]
    );
    // One that cannot be taken keeps all from being written.
    let mut wrong = marks.to_vec();
    wrong[0] = json!({"prediction": all[1]["prediction"], "at": all[1]["at"], "is": "class", "class": "N"});
    wrong[1]["at"] = 1.into();
    wrong[1]["is"] = "not_a_beat".into();
    let refused = server.json("POST", "/v1/labels", &[], &json!({"marks": wrong}));
    refused.problem(422, "no_such_beat");
    assert_eq!(pages(&server, "/v1/misclassified?model=heartbeat", 1000), left);
}
