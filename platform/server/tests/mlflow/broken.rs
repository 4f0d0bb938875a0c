//! MLflow away, cut, slow, or lying: what is served stays served, no half version is visible, and the state says why.

use crate::servers::{Einthoven, LABELS, Mlflow, RECIPE, einthoven, lab, network, turn, until};
use crate::wire::{Fault, Wire};
use serde_json::{Value, json};

#[test]
fn what_is_served_stays_served_while_mlflow_is_away() {
    let _turn = turn();
    let server = einthoven();
    let mut mlflow = Mlflow::start("mlflow-3", "away");
    let settings = json!({"url": mlflow.url(), "retries": 0});
    let rules = json!([{"model": "away", "alias": "champion", "promote": true}]);
    let body = json!({"settings": settings, "follow": rules, "poll_s": 1});
    server.send("PUT", "/v1/sources/away", &body);
    mlflow.goes_live(&network("model.onnx"), "away");
    let before = server.answered_by("away");
    mlflow.stop();
    // A look under way when it stopped is cut; every later one finds nobody.
    until("the source says that MLflow is away", || {
        let error = server.status("away")["error"].as_str()?.to_owned();
        error.contains("cannot be reached").then_some(())
    });
    assert_eq!(server.answered_by("away"), before);
    mlflow.start_again();
    mlflow.goes_live(&network("model.int8.onnx"), "away");
    until("the source says that all is well", || {
        server.status("away")["error"].is_null().then_some(())
    });
    assert_eq!(server.answered_by("away")["version"], "2");
}

#[test]
fn a_version_on_its_way_goes_live_after_the_server_was_killed() {
    let _turn = turn();
    let mlflow = lab();
    let wire = Wire::to(mlflow.port, Fault::Cut(50));
    mlflow.example(&network("model.onnx"), "killed", &["--wait-s", "0"]);
    let server = Einthoven::start("killed");
    let settings = json!({"url": wire.url, "retries": 0});
    let rules = json!([{"model": "killed", "alias": "champion", "promote": true}]);
    let body = json!({"settings": settings, "follow": rules, "poll_s": 1});
    server.send("PUT", "/v1/sources/killed", &body);
    until("the version is on its way", || {
        server.status("killed")["waiting"]["killed/1"].as_str().map(drop)
    });
    drop(server);
    let server = Einthoven::start("killed");
    let version = server.get("/v1/models/killed/versions/1");
    assert_eq!(version["phase"]["state"], "fetching", "{version}");
    assert_eq!(server.champion("killed"), None);
    wire.set(Fault::Whole);
    server.becomes_champion("killed", "1");
    assert_eq!(server.answered_by("killed")["version"], "1");
}

#[test]
fn a_source_that_hangs_holds_up_no_other() {
    let _turn = turn();
    let (server, mlflow) = (einthoven(), lab());
    let wire = Wire::to(mlflow.port, Fault::Stalled);
    mlflow.example(&network("model.onnx"), "unheld", &["--alias", "next", "--wait-s", "0"]);
    let rules = json!([{"model": "unheld", "alias": "champion", "promote": true}]);
    let body = json!({"settings": {"url": mlflow.url()}, "follow": rules, "poll_s": 1});
    server.send("PUT", "/v1/sources/unheld", &body);
    let settings = json!({"settings": {"url": wire.url}});
    server.send("PUT", "/v1/sources/hanging", &settings);
    for into in ["hanging-1", "hanging-2", "hanging-3", "hanging-4"] {
        let body = json!({"reference": "unheld@next", "into": into});
        server.send("POST", "/v1/sources/hanging/pull", &body);
    }
    mlflow.step(&["alias", "unheld", "champion", "1"]);
    server.becomes_champion("unheld", "1");
    // Not one of their downloads has ended, not even in vain.
    assert_eq!(server.status("hanging")["waiting"], json!({}));
    wire.set(Fault::Whole);
}

struct Broken {
    fault: Fault,
    model: String,
    wire: Wire,
}

impl Broken {
    fn source(&self) -> &str {
        &self.model
    }

    fn version(&self) -> Value {
        einthoven().get(&format!("/v1/models/{}/versions/1", self.model))
    }

    /// What the source says keeps the version.
    fn waiting(&self) -> Option<String> {
        let status = einthoven().status(self.source());
        status["waiting"][format!("{}/1", self.model)]
            .as_str()
            .map(str::to_owned)
    }

    /// Nothing of it is there yet, and nobody can let it answer.
    fn is_not_visible(&self) {
        let version = self.version();
        assert_eq!(version["phase"]["state"], "fetching", "{:?}: {version}", self.fault);
        assert!(
            version["files"].as_array().is_none_or(Vec::is_empty),
            "{:?}: {version}",
            self.fault
        );
        let path = format!("/v1/models/{}/traffic", self.model);
        let json = [("content-type", "application/json")];
        let (status, answer) = einthoven().ask("PUT", &path, &json, br#"{"champion": "1"}"#);
        assert_eq!(status, 409, "{:?}: {answer}", self.fault);
    }
}

/// What the wire did, as the source says it.
fn reason(fault: Fault) -> &'static str {
    match fault {
        Fault::Stalled => "did not answer in time",
        Fault::Longer | Fault::Shorter => "is listed with",
        _ => "cut the connection",
    }
}

#[test]
fn no_half_version_is_ever_visible() {
    let _turn = turn();
    let (server, mlflow) = (einthoven(), lab());
    mlflow.example(&network("model.onnx"), "half", &["--wait-s", "0"]);
    let faults = (0..10).map(|tenth| Fault::Cut(10 * tenth));
    let faults = faults.chain([Fault::Stalled, Fault::Longer, Fault::Shorter]);
    let broken: Vec<_> = faults
        .map(|fault| Broken {
            fault,
            model: format!("{fault:?}").to_lowercase().replace(['(', ')'], ""),
            wire: Wire::to(mlflow.port, fault),
        })
        .collect();
    let manifest = json!({"recipe": RECIPE, "labels": LABELS.split(',').collect::<Vec<_>>()});
    let pull = |source: &str, url: &str| {
        let settings = json!({"url": url, "retries": 0, "timeouts": {"idle_ms": 5000}});
        server.send("PUT", &format!("/v1/sources/{source}"), &json!({"settings": settings}));
        let body = json!({"reference": "half@champion", "into": source, "manifest": manifest});
        server.send("POST", &format!("/v1/sources/{source}/pull"), &body);
    };
    for broken in &broken {
        pull(broken.source(), &broken.wire.url);
    }
    for broken in &broken {
        let said = until("the source says why", || broken.waiting());
        assert!(said.contains(reason(broken.fault)), "{:?}: {said}", broken.fault);
        broken.is_not_visible();
    }
    // A slow one gets there by itself, and shows nothing before.
    let slow = Broken {
        fault: Fault::Slow,
        model: "slow".to_owned(),
        wire: Wire::to(mlflow.port, Fault::Slow),
    };
    pull(slow.source(), &slow.wire.url);
    slow.is_not_visible();
    let wanted = server.becomes("slow", "1", "ready");
    for broken in &broken {
        broken.is_not_visible();
        broken.wire.set(Fault::Whole);
    }
    for broken in &broken {
        let version = server.becomes(&broken.model, "1", "ready");
        assert_eq!(version["digest"], wanted["digest"], "{:?}", broken.fault);
        assert_eq!(broken.waiting(), None);
    }
}
