//! Networks and packages sent in every way: what becomes a version, and that nothing else is seen.

use crate::client::Server;
use crate::packages::{LABELS, Package, graph, gzip, package, published, row_file, tar, with, with_property, zip};
use crate::steps::{ROW, answers, classify, model, promote, ready, versions};
use serde_json::{Value, json};

const FIELDS: [(&str, &str); 3] = [
    ("recipe", "kaggle-heartbeat-v1"),
    ("labels", "N,S,V,F,Q"),
    ("wait_s", "120"),
];

#[test]
fn a_bare_network_with_stated_fields_becomes_a_version_with_a_drafted_manifest() {
    let server = Server::start();
    let onnx = row_file("model.onnx");
    let sent = server.form("/v1/models/mine/versions", &[("rows.onnx", &onnx)], &FIELDS);
    assert_eq!(sent.status, 201, "{}", sent.json());
    let version = sent.json();
    assert_eq!(sent.location.as_deref(), Some("/v1/models/mine/versions/1"));
    assert_eq!(version["phase"]["state"], "ready", "{version}");
    assert_eq!(version["origin"], json!({"kind": "upload", "file": "rows.onnx"}));
    let manifest = &version["manifest"];
    let row = json!([{"name": "row", "dtype": "f32", "dims": [null, 1, 187]}]);
    assert_eq!(manifest["inputs"], row);
    assert_eq!(manifest["outputs"][0]["name"], "probabilities");
    assert_eq!(manifest["outputs"][0]["dims"], json!([null, 5]));
    assert_eq!(manifest["labels"], json!(LABELS));
    assert_eq!(manifest["variants"], json!([{"name": "rows.onnx"}]));
    assert!(
        version["files"]
            .as_array()
            .unwrap()
            .iter()
            .any(|file| file["name"] == "golden.json")
    );
    // It answers by name before it answers by traffic.
    classify(&server, "model=mine").problem(409, "nothing_serves");
    assert_eq!(answers(&server, "model=mine/1"), "1");
    assert_eq!(promote(&server, "mine", "1").status, 200);
    assert_eq!(answers(&server, "model=mine"), "1");
    let file = server.get("/v1/models/mine/versions/1/files/rows.onnx");
    assert_eq!(file.bytes, onnx);

    // The same as the raw body, and its number is the next.
    let path = "/v1/models/mine/versions?name=again.onnx&recipe=kaggle-heartbeat-v1&labels=N,S,V,F,Q&wait_s=120";
    let raw = server.post(path, "application/octet-stream", &onnx);
    assert_eq!((raw.status, &raw.json()["name"]), (201, &json!("2")), "{}", raw.json());
    server
        .post(path, "application/octet-stream", &onnx)
        .problem(409, "same_content");
    let nameless = server.post("/v1/models/mine/versions", "application/octet-stream", &onnx);
    assert!(nameless.problem(422, "missing_field").contains("?name="));
}

#[test]
fn labels_are_taken_from_the_networks_own_metadata() {
    let server = Server::start();
    let onnx = with_property(&row_file("model.onnx"), "labels", "Q,F,V,S,N");
    let path = "/v1/models/mine/versions?name=model.onnx&recipe=kaggle-heartbeat-v1&wait_s=120";
    let sent = server.post(path, "application/octet-stream", &onnx);
    assert_eq!(sent.status, 201, "{}", sent.json());
    assert_eq!(sent.json()["manifest"]["labels"], json!(["Q", "F", "V", "S", "N"]));
    assert_eq!(answers(&server, "model=mine/1"), "1");
}

#[test]
fn packages_come_as_zip_and_tar_and_with_their_folder() {
    let server = Server::start();
    let inner = package();
    let outer: Package = inner
        .iter()
        .map(|(name, bytes)| (format!("model/{name}"), bytes.clone()))
        .collect();
    let named = |content: &str| with(json!({"description": content}));
    let mut sent = Vec::new();
    for (name, bytes) in [
        ("a.zip", zip(&named("zip"))),
        ("a.tar", tar(&named("tar"))),
        ("a.tar.gz", gzip(&tar(&named("tar.gz")))),
        ("a.zip", zip(&outer)),
    ] {
        let answer = server.form("/v1/models/packed/versions", &[(name, &bytes)], &[("wait_s", "120")]);
        assert_eq!(answer.status, 201, "{name}: {}", answer.json());
        assert_eq!(answer.json()["phase"]["state"], "ready", "{name}");
        let files = answer.json()["files"].as_array().unwrap().clone();
        let names: Vec<_> = files
            .iter()
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["golden.json", "manifest.json", "model.onnx"], "{name}");
        sent.push(answer.json()["digest"].clone());
    }
    assert_eq!(versions(&server, "packed"), ["1", "2", "3", "4"]);
    sent.dedup();
    assert_eq!(sent.len(), 4);

    // Files one by one, as a browser sends a folder.
    let loose: Vec<_> = inner
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let answer = server.form(
        "/v1/models/loose/versions",
        &loose,
        &[("version", "one"), ("wait_s", "120")],
    );
    assert_eq!(answer.status, 201, "{}", answer.json());
    assert_eq!(answer.json()["digest"], sent[3], "the same files are the same content");
}

#[test]
fn a_directory_that_mlflow_wrote_is_a_package() {
    let server = Server::start();
    let about = "flavors:\n  onnx:\n    data: model.onnx\n    onnx_version: 1.16.0\n  python_function:\n    loader_module: mlflow.onnx\n\
                 metadata:\n  einthoven.recipe: kaggle-heartbeat-v1\n  einthoven.labels: N,S,V,F,Q\n\
                 saved_input_example_info:\n  artifact_path: input_example.json\n  type: ndarray\n";
    let golden: Value = serde_json::from_slice(&row_file("golden.json")).unwrap();
    let rows = golden["inputs"]["row"]["values"].as_array().unwrap();
    let example: Vec<_> = rows.chunks(187).take(3).map(|row| json!([row])).collect();
    let mut files = Package::from([
        ("MLmodel".to_owned(), about.as_bytes().to_vec()),
        ("model.onnx".to_owned(), row_file("model.onnx")),
        ("conda.yaml".to_owned(), b"name: x\n".to_vec()),
        (
            "input_example.json".to_owned(),
            json!({"inputs": example}).to_string().into(),
        ),
    ]);
    let sent = server.form(
        "/v1/models/logged/versions",
        &[("model.zip", &zip(&files))],
        &[("wait_s", "120")],
    );
    assert_eq!(sent.status, 201, "{}", sent.json());
    assert_eq!(sent.json()["phase"]["state"], "ready", "{}", sent.json());
    assert_eq!(answers(&server, "model=logged/1"), "1");
    let golden = server.get("/v1/models/logged/versions/1/files/golden.json").json();
    assert_eq!(
        golden["inputs"]["row"]["dims"],
        json!([3, 1, 187]),
        "its own example is golden"
    );
    server
        .get("/v1/models/logged/versions/1/files/conda.yaml")
        .problem(404, "not_found");

    // What cannot be served is refused with the export that would work; what is broken is the file's fault.
    files.insert(
        "MLmodel".to_owned(),
        b"flavors:\n  sklearn: {pickled_model: model.pkl}\n".to_vec(),
    );
    let refused = server.form("/v1/models/logged/versions", &[("model.zip", &zip(&files))], &[]);
    assert!(refused.problem(422, "refused_format").contains("skl2onnx"));
    files.insert("MLmodel".to_owned(), b"flavors: [\n".to_vec());
    let broken = server.form("/v1/models/logged/versions", &[("model.zip", &zip(&files))], &[]);
    assert!(broken.problem(422, "not_a_version").contains("MLmodel"));
}

#[test]
fn what_cannot_become_a_version_is_said_clearly_and_leaves_nothing() {
    let server = Server::start();
    let onnx = row_file("model.onnx");
    let send =
        |files: &[(&str, &[u8])], fields: &[(&str, &str)]| server.form("/v1/models/none/versions", files, fields);

    let text = send(&[("model.onnx", b"I am a text, not a network.\n")], &FIELDS);
    let said = text.problem(422, "unloadable");
    assert!(said.contains("model.onnx"), "{said}");
    let empty = send(&[("model.onnx", b"")], &FIELDS);
    assert!((400..500).contains(&empty.status), "{}", empty.json());
    let cut = send(&[("model.onnx", &onnx[..onnx.len() / 2])], &FIELDS);
    cut.problem(422, "unloadable");
    let beside = send(&[("model.onnx", &graph("external-weights.onnx"))], &FIELDS);
    let said = beside.problem(422, "unloadable");
    assert!(said.contains("save_as_external_data=False"), "{said}");
    let pickle = send(&[("model.pt", b"\x80\x02}q\x00.")], &FIELDS);
    assert!(pickle.problem(422, "not_a_version").contains(".onnx"));
    let nothing = send(&[], &FIELDS);
    nothing.problem(400, "empty_file");
    let unknown = send(&[("model.onnx", &onnx)], &[("lables", "N")]);
    assert!(unknown.problem(422, "unknown_field").contains("labels"));
    let version = send(&[("model.onnx", &onnx)], &[("version", "../1")]);
    version.problem(422, "bad_name");

    // Labels and recipes that do not fit the network, with what would.
    for (labels, part) in [
        ("N,S", "5 columns"),
        ("N,S,V,F,N", "twice"),
        ("a,b,c,d,e", "N, S, V, F, Q"),
    ] {
        let answer = send(
            &[("model.onnx", &onnx)],
            &[("recipe", "kaggle-heartbeat-v1"), ("labels", labels)],
        );
        let said = answer.problem(422, "incomplete_manifest");
        assert!(said.contains(part), "{said}");
        assert_eq!(answer.json()["errors"][0]["pointer"], "labels");
    }
    for (recipe, part) in [("beat-rr-v1", "feeds"), ("beat-rr-v99", "kaggle-heartbeat-v1")] {
        let answer = send(&[("model.onnx", &onnx)], &[("recipe", recipe), ("labels", "N,S,V,F,Q")]);
        let said = answer.problem(422, "incomplete_manifest");
        assert!(said.contains(part), "{said}");
    }
    // Numbers of another kind than a recipe makes.
    let integers = send(&[("model.onnx", &graph("i64-arithmetic.onnx"))], &FIELDS);
    let said = integers.problem(422, "incomplete_manifest");
    assert!(said.contains("float"), "{said}");

    server.get("/v1/models/none").problem(404, "no_such_model");
    let items = server.get("/v1/models").json()["items"].clone();
    assert!(
        items.as_array().unwrap().iter().all(|model| model["name"] != "none"),
        "{items}"
    );
    let audit = server.get("/v1/audit?model=none").json();
    assert_eq!(audit["items"], json!([]));
    let incoming = std::fs::read_dir(server.data.join("files/incoming")).unwrap();
    assert_eq!(incoming.count(), 0, "what was received is gone");
}

#[test]
fn models_that_others_published_can_be_brought_in() {
    let Some(onnx) = published("aami5-256.onnx") else {
        return;
    };
    let server = Server::start();
    let fields = [("labels", "N,S,V,F,Q"), ("wait_s", "120")];
    let asked = server.form("/v1/models/aami/versions", &[("aami5-256.onnx", &onnx)], &fields);
    asked.problem(422, "incomplete_manifest");
    let errors = asked.json()["errors"].clone();
    assert_eq!(errors[0]["pointer"], "recipe", "{errors}");
    eprintln!(
        "a published model is asked for: {errors}\ndraft: {}",
        asked.json()["draft"]
    );
}

#[test]
fn a_new_model_is_ready_beside_the_ones_that_came_with_the_server() {
    let server = Server::start();
    ready(&server, ROW, "mine", &with(json!({"description": "mine"})));
    assert_eq!(model(&server, ROW)["traffic"]["champion"], "1.0.0");
    assert_eq!(versions(&server, ROW), ["1.0.0", "mine"]);
}

#[test]
fn a_text_field_of_a_form_is_bounded() {
    let server = Server::start();
    let long = "x".repeat((1 << 20) + 1);
    let refused = server.form("/v1/models/mine/versions", &[], &[("reason", &long)]);
    refused.problem(413, "too_large");
}
