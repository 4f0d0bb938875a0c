//! An alias that is followed: what it points at answers, and what a person decides here holds.

use crate::servers::{LABELS, RECIPE, einthoven, lab, network, turn, until};
use crate::wire::{Fault, Wire};
use serde_json::{Value, json};

fn follow(source: &str, rules: Value) {
    let body = json!({"settings": {"url": lab().url()}, "follow": rules, "poll_s": 1});
    einthoven().send("PUT", &format!("/v1/sources/{source}"), &body);
}

/// Waits until a source was looked at after now.
fn looked_at(source: &str) {
    // Whole seconds are told: the next second but one is surely of a look that began after now.
    let now = einthoven().status(source)["looked_at_s"].as_u64().unwrap_or(0);
    until("the source is looked at again", || {
        (einthoven().status(source)["looked_at_s"].as_u64()? > now + 1).then_some(())
    });
}

#[test]
fn what_the_alias_points_at_answers_and_a_rollback_holds() {
    let _turn = turn();
    let (server, mlflow) = (einthoven(), lab());
    let model = "lab-heartbeat";
    // A rule whose model is not there yet holds up none after it.
    let rules = json!([
        {"model": "not-yet", "alias": "champion"},
        {"model": model, "alias": "champion", "promote": true},
    ]);
    follow("lab", rules);
    // The example states recipe and labels as tags.
    mlflow.goes_live(&network("model.onnx"), model);
    let first = server.answered_by(model);
    let version = server.get(&format!("/v1/models/{model}/versions/1"));
    assert_eq!(first["name"], model);
    assert_eq!(first["version"], "1");
    assert_eq!(first["digest"], version["digest"]);
    assert_eq!(first["engine"], version["phase"]["engine"]);
    assert_eq!(version["manifest"]["recipe"], RECIPE);
    assert_eq!(version["origin"]["source"], "lab");
    let error = server.status("lab")["error"].as_str().unwrap().to_owned();
    assert!(error.contains("`not-yet`"), "{error}");

    mlflow.goes_live(&network("model.int8.onnx"), model);
    let second = server.answered_by(model);
    assert_eq!(second["version"], "2");
    assert_ne!(second["digest"], first["digest"]);

    // The alias still points at 2 there; what a person decided here stays.
    server.send(
        "POST",
        &format!("/v1/models/{model}/rollback"),
        &json!({"reason": "worse at night"}),
    );
    looked_at("lab");
    looked_at("lab");
    assert_eq!(server.champion(model).as_deref(), Some("1"));
    assert_eq!(server.answered_by(model)["digest"], first["digest"]);

    mlflow.step(&["alias", model, "champion", "1"]);
    until("the alias was seen at 1", || {
        (server.status("lab")["seen"][format!("{model}@champion")] == 1).then_some(())
    });
    mlflow.step(&["alias", model, "champion", "2"]);
    server.becomes_champion(model, "2");
    let history = server.get(&format!("/v1/models/{model}/history"));
    let newest = &history["items"][0];
    assert_eq!(
        (newest["who"].as_str(), newest["action"].as_str()),
        (Some("lab"), Some("promoted"))
    );
    let again = server.answered_by(model);
    assert_eq!(
        (&again["version"], &again["digest"]),
        (&second["version"], &second["digest"])
    );
}

#[test]
fn without_promote_a_version_waits_for_a_person() {
    let _turn = turn();
    let (server, mlflow) = (einthoven(), lab());
    // Stated in the rule, with another name here.
    let manifest = json!({"recipe": RECIPE, "labels": LABELS.split(',').collect::<Vec<_>>()});
    follow(
        "held",
        json!([{"model": "held-there", "alias": "champion", "into": "held-here", "manifest": manifest}]),
    );
    // The example gives up watching at once: nothing of that name appears here.
    let output = mlflow.example(&network("model.onnx"), "held-there", &["--wait-s", "0"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("not live after"));
    server.becomes("held-here", "1", "ready");
    looked_at("held");
    looked_at("held");
    assert_eq!(server.champion("held-here"), None);
    let body = json!({"champion": "1", "reason": "looked at it"});
    server.send("PUT", "/v1/models/held-here/traffic", &body);
    assert_eq!(server.answered_by("held-here")["version"], "1");
}

#[test]
fn an_alias_that_moves_on_before_the_verdict_does_not_promote_what_it_left() {
    let _turn = turn();
    let (server, mlflow) = (einthoven(), lab());
    let (model, wire) = ("hasty", Wire::to(mlflow.port, Fault::Whole));
    let settings = json!({"url": wire.url, "retries": 0});
    let rules = json!([{"model": model, "alias": "champion", "promote": true}]);
    let body = json!({"settings": settings, "follow": rules, "poll_s": 1});
    server.send("PUT", "/v1/sources/hasty", &body);
    mlflow.goes_live(&network("model.onnx"), model);
    wire.set(Fault::Cut(50));
    mlflow.example(&network("model.int8.onnx"), model, &["--wait-s", "0"]);
    until("version 2 is on its way", || {
        server.status("hasty")["waiting"]["hasty/2"].as_str().map(drop)
    });
    mlflow.step(&["alias", model, "champion", "1"]);
    until("the alias was seen at 1", || {
        (server.status("hasty")["seen"]["hasty@champion"] == 1).then_some(())
    });
    wire.set(Fault::Whole);
    server.becomes(model, "2", "ready");
    looked_at("hasty");
    assert_eq!(server.champion(model).as_deref(), Some("1"));
    mlflow.step(&["alias", model, "champion", "2"]);
    server.becomes_champion(model, "2");
}
