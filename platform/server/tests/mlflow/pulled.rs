//! One version brought by hand, and what is refused.

use crate::servers::{LABELS, Mlflow, OWNER_KEY, RECIPE, einthoven, lab, network, turn};
use serde_json::json;
use std::process::{Command, Output};

/// `einthoven models pull`, without a recipe and labels unless they are given.
fn pull(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_einthoven"));
    command
        .args(["models", "--server", &einthoven().url, "pull"])
        .env("EINTHOVEN_KEY", OWNER_KEY)
        .args(arguments);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

#[test]
fn one_version_from_the_command_line() {
    let _turn = turn();
    let (server, mlflow) = (einthoven(), lab());
    // Tags that state nothing useful: what is set by hand wins.
    let tags = ["--recipe", "beat-rr-v1", "--labels", "N,S", "--wait-s", "0"];
    mlflow.example(&network("model.onnx"), "by-hand", &tags);
    let labels = format!("labels={LABELS}");
    let recipe = format!("recipe={RECIPE}");
    let reference = "by-hand@champion";
    let output = pull(&[&mlflow.url(), reference, "--set", &recipe, "--set", &labels]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("by-hand/1 is ready"), "{}", said(&output));
    assert_eq!(server.champion("by-hand"), None, "nobody promoted it");
    // It is here already; asking again brings nothing.
    let again = pull(&[&mlflow.url(), "models:/by-hand/1", "--set", &recipe, "--set", &labels]);
    assert!(said(&again).contains("by-hand/1 is ready"), "{}", said(&again));
    let versions = server.get("/v1/models/by-hand/versions");
    assert_eq!(versions["items"].as_array().unwrap().len(), 1);

    let output = pull(&[&mlflow.url(), "by-hand@nobody"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("no alias `nobody`"), "{}", said(&output));
}

#[test]
fn what_the_files_do_not_tell_is_asked_for() {
    let _turn = turn();
    let mlflow = lab();
    let tags = ["--recipe", "no-such-recipe", "--labels", "N", "--wait-s", "0"];
    mlflow.example(&network("model.onnx"), "untold", &tags);
    let output = pull(&[&mlflow.url(), "untold@champion"]);
    assert!(!output.status.success());
    let said = said(&output);
    assert!(
        said.contains("untold/1 is rejected") && said.contains("step `manifest`"),
        "{said}"
    );
    assert!(
        said.contains("kaggle-heartbeat-v1") && said.contains("5 columns"),
        "{said}"
    );
}

#[test]
fn a_pickle_is_refused_with_the_export_that_works() {
    let _turn = turn();
    let (server, mlflow) = (einthoven(), lab());
    mlflow.step(&["pickled", "pickled"]);
    let rule = json!([{"model": "pickled"}]);
    let body = json!({"settings": {"url": mlflow.url()}, "follow": rule, "poll_s": 1});
    server.send("PUT", "/v1/sources/pickles", &body);
    let version = server.becomes("pickled", "1", "rejected");
    let phase = &version["phase"];
    let reason = phase["reason"].as_str().unwrap();
    assert_eq!(phase["step"], "fetch");
    assert!(
        reason.contains("python_function") && reason.contains("mlflow.onnx.log_model"),
        "{reason}"
    );
    assert!(
        version["files"].as_array().is_none_or(Vec::is_empty),
        "a pickle was fetched"
    );
    assert_eq!(server.champion("pickled"), None);
    // Seen once, it is not brought again by the next look.
    std::thread::sleep(std::time::Duration::from_millis(2500));
    let versions = server.get("/v1/models/pickled/versions");
    assert_eq!(versions["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_version_of_mlflow_2_that_names_a_run() {
    let _turn = turn();
    let server = einthoven();
    let two = Mlflow::start("mlflow-2", "two");
    let path = network("model.onnx").display().to_string();
    let version = two.step(&["by_run", &path, "of-a-run"]);
    two.step(&["alias", "of-a-run", "champion", &version]);
    // Recipe and labels stand in the model's metadata.
    let output = pull(&[&two.url(), "of-a-run@champion", "--promote"]);
    assert!(output.status.success(), "{}", said(&output));
    server.becomes_champion("of-a-run", "1");
    let answered = server.answered_by("of-a-run");
    assert_eq!(answered["version"], "1");
}
