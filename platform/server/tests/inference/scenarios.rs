//! Scenarios: requests and what must come of them, from files. They need a server that speaks the protocol and, beside what any
//! has, the models that each file names.

use crate::client::OWNER_KEY;
use crate::graphs;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Says how many bytes of a body are JSON; tensors follow.
const HEAD: &str = "inference-header-content-length";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    request: Request,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
    /// FP32 tensors that follow `json` as bytes.
    #[serde(default)]
    tensors: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// One of these.
    status: Vec<u16>,
    /// Contained in the body: fields of objects by name, elements of lists in their order, numbers within a millionth.
    json: Option<Value>,
    /// Pointers to texts that are not empty.
    #[serde(default)]
    texts: Vec<String>,
    /// FP32 tensors that follow the JSON as bytes, and nothing else.
    #[serde(default)]
    tensors: Vec<Vec<f32>>,
}

fn bytes(tensors: &[Vec<f32>]) -> Vec<u8> {
    tensors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect()
}

/// Whether the one is contained in the other.
fn contains(body: &Value, wanted: &Value) -> bool {
    match (body, wanted) {
        (Value::Object(body), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| body.get(name).is_some_and(|value| contains(value, wanted))),
        (Value::Array(body), Value::Array(wanted)) => {
            body.len() == wanted.len() && body.iter().zip(wanted).all(|(value, wanted)| contains(value, wanted))
        }
        (Value::Number(value), Value::Number(wanted)) => {
            let (value, wanted) = (value.as_f64().unwrap(), wanted.as_f64().unwrap());
            (value - wanted).abs() <= 1e-6 * wanted.abs().max(1.0)
        }
        (value, wanted) => value == wanted,
    }
}

/// Asks for everything and gives what was not as it should be.
fn run(base_url: &str, headers: &[(&str, &str)]) -> (usize, Vec<String>) {
    let (mut ran, mut wrong) = (0, Vec::new());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inference/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let scenarios: Vec<Scenario> =
            serde_saphyr::from_str(&text).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()));
        for scenario in scenarios {
            ran += 1;
            if let Err(why) = one(base_url, headers, &scenario) {
                wrong.push(format!(
                    "{}: {}: {why}",
                    file.file_name().unwrap().display(),
                    scenario.name
                ));
            }
        }
    }
    (ran, wrong)
}

fn one(base_url: &str, headers: &[(&str, &str)], scenario: &Scenario) -> Result<(), String> {
    let Scenario { request, expect, .. } = scenario;
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    let mut built = ureq::http::Request::builder()
        .method(request.method.as_str())
        .uri(format!("{base_url}{}", request.path));
    for (name, value) in headers {
        built = built.header(*name, *value);
    }
    for (name, value) in &request.headers {
        built = built.header(name, value);
    }
    let body = request.json.as_ref().map(ToString::to_string).or(request.text.clone());
    let response = match body {
        Some(json) if !request.tensors.is_empty() => {
            let built = built
                .header("content-type", "application/octet-stream")
                .header(HEAD, json.len().to_string());
            agent.run(
                built
                    .body([json.as_bytes(), &bytes(&request.tensors)].concat())
                    .unwrap(),
            )
        }
        Some(body) => agent.run(built.header("content-type", "application/json").body(body).unwrap()),
        None if request.method == "GET" => agent.run(built.body(()).unwrap()),
        None => agent.run(built.body("").unwrap()),
    };
    let mut response = response.map_err(|cause| cause.to_string())?;
    let head = response
        .headers()
        .get(HEAD)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let status = response.status().as_u16();
    let whole = response.body_mut().read_to_vec().unwrap_or_default();
    let (text, tensors) = whole.split_at(head.unwrap_or(whole.len()).min(whole.len()));
    let text = String::from_utf8_lossy(text);
    if tensors != bytes(&expect.tensors) {
        return Err(format!("{} other bytes than expected behind {text}", tensors.len()));
    }
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let said = format!("{status} {text}");
    if !expect.status.contains(&status) {
        return Err(format!("expected {:?}, got {said}", expect.status));
    }
    if expect.json.as_ref().is_some_and(|wanted| !contains(&body, wanted)) {
        return Err(format!("not contained in {said}"));
    }
    for pointer in &expect.texts {
        if body.pointer(pointer).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(format!("no text at {pointer} in {said}"));
        }
    }
    Ok(())
}

#[test]
fn scenarios() {
    let asked = std::env::var("OIP_BASE_URL").ok();
    let given = std::env::var("OIP_HEADERS").unwrap_or_default();
    let headers: Vec<_> = given
        .lines()
        .map(|line| line.split_once(':').expect("`NAME: VALUE` on each line of OIP_HEADERS"))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    let (ran, wrong) = match &asked {
        Some(base_url) => run(base_url.trim_end_matches('/'), &headers),
        None => {
            let server = graphs::server();
            run(&format!("http://{}", server.address), &[("x-api-key", OWNER_KEY)])
        }
    };
    assert!(wrong.is_empty(), "{} of {ran}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(ran > 30, "{ran}");
}
