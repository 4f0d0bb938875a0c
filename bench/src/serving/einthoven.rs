//! Einthoven with the networks, as a user brings them in.

use super::bodies::Encoding;
use super::peers::Running;
use super::server::{KEY, Server};
use std::path::Path;
use std::process::Command;

/// Starts this program with all engines, brings the networks in for one of them, and lets them answer.
pub(crate) fn start(program: &Path, target: &Path, models: &Path, engine: &str) -> anyhow::Result<Running> {
    let Server { tree, data, address } = Server::start(program, engine, |command| {
        command.arg("--plugins").arg(target.join("engines"));
    })?;
    let base = format!("http://{address}");
    let automatic = engine == "auto";
    // One 12-lead item is work for all cores; beats come one by one and many at once.
    let loads = [
        (
            "beat",
            if automatic { "beat-variants.zip" } else { "beat.onnx" },
            "[1,8,64]",
            false,
        ),
        ("ecg12", "ecg12.onnx", "[1]", true),
        ("nothing", "nothing.onnx", "[1,8,64]", false),
    ];
    for (model, file, warm_up_rows, wide) in loads {
        let client = |arguments: &[&str]| {
            super::told(
                Command::new(program)
                    .args(arguments)
                    .args(["--server", &base])
                    .env("EINTHOVEN_KEY", KEY),
            )
        };
        let network = models.join(file);
        let mut stated = vec!["recipe=none".to_owned(), format!("warm_up_rows={warm_up_rows}")];
        if wide {
            stated.push("instances=1".to_owned());
            stated.push(r#"engine={"name":"onnxruntime","config":{"threads":0}}"#.to_owned());
        } else {
            stated.push(format!("engine={engine}"));
        }
        if model == "beat" && automatic {
            stated.push(
                r#"variants=[{"name":"model.onnx","tolerance":0.0001},{"name":"model.int8.onnx","tolerance":0.03}]"#
                    .to_owned(),
            );
        }
        let network = network.to_string_lossy();
        let mut arguments = vec!["models", "upload", model, &network];
        arguments.extend(stated.iter().flat_map(|one| ["--set", one.as_str()]));
        client(&arguments)?;
        client(&["traffic", "promote", &format!("{model}/1")])?;
    }
    Ok(Running {
        name: format!("einthoven:{engine}"),
        tree,
        base,
        faces: vec![
            (Encoding::V2, "/v2/models/{model}/infer"),
            (Encoding::V2Binary, "/v2/models/{model}/infer"),
        ],
        twelve_leads: true,
        nothing: true,
        headers: vec![("x-api-key", KEY.to_owned())],
        _data: Some(data),
    })
}
