//! Names that lead elsewhere, in every place of the routes that takes a name.

use crate::client::{OWNER_KEY, Server};
use crate::packages::{package, row_file};
use crate::steps::{ROW, versions};
use serde_json::json;
use std::path::{Path, PathBuf};

/// As they would stand in a body or a form.
pub(crate) const NAMES: [&str; 22] = [
    "../x",
    "..",
    ".",
    "a/../../x",
    "/etc/passwd",
    "//etc/passwd",
    "C:\\x",
    "C:/x",
    "\\\\host\\share\\x",
    "..\\x",
    "a\\..\\x",
    "%2e%2e/x",
    "%2e%2e%2fx",
    "%252e%252e%252fx",
    "a#b/../x",
    "a;b",
    "a?b",
    "a\0b",
    "a\nb",
    "...//x/",
    "",
    "\u{202e}x",
];

/// The same as they would stand in an address.
pub(crate) const PATHS: [&str; 18] = [
    "..%2fx",
    "%2e%2e",
    "%2e%2e%2fx",
    "%2e%2e%2f%2e%2e%2fx",
    "%252e%252e%252fx",
    "%25252e%25252e%25252fx",
    "..%5cx",
    "%5c%5chost%5cshare",
    "C%3a%5cx",
    "%2fetc%2fpasswd",
    "a%00b",
    "a%0ab",
    "a%23b",
    "a%3bb",
    "a;b",
    "%c0%ae%c0%ae%2fx",
    "%ff",
    "a%20b",
];

/// Everything below a folder with lengths and times, to see whether anything was touched.
fn listing(folder: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let about = std::fs::symlink_metadata(entry.path()).unwrap();
        found.push((entry.path(), about.len(), about.modified().unwrap()));
        if about.is_dir() {
            found.extend(listing(&entry.path()));
        }
    }
    found.sort();
    found
}

/// A server whose data folder has a neighbour that must not change.
pub(crate) struct Watched {
    pub(crate) server: Server,
    folder: tempfile::TempDir,
    before: Vec<(PathBuf, u64, std::time::SystemTime)>,
}

impl Watched {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sentinel = folder.path().join("sentinel");
        std::fs::create_dir_all(sentinel.join("deep")).unwrap();
        std::fs::write(sentinel.join("x"), b"untouched").unwrap();
        let server = Server::start_in(&folder.path().join("data"), arguments);
        let before = listing(&sentinel);
        Self { server, folder, before }
    }

    /// Nothing outside the data folder came, went or changed, and what arrived is gone.
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(listing(&self.folder.path().join("sentinel")), self.before);
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["data", "sentinel"]);
        let mut inside: Vec<_> = std::fs::read_dir(&self.server.data)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        inside.retain(|name| name != "engines" && name != "auth");
        inside.sort();
        assert_eq!(inside, ["files", "jobs", "journal", "registry"]);
        assert_eq!(
            std::fs::read_dir(self.server.data.join("files/incoming"))
                .unwrap()
                .count(),
            0
        );
    }
}

/// Status of a request sent as these very bytes; no client tidies its path.
pub(crate) fn raw_status(server: &Server, method: &str, path: &str, body: &str) -> u16 {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {OWNER_KEY}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = server.raw(request.as_bytes());
    // No status is none that a test accepts.
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_default()
}

#[test]
fn addresses_that_lead_elsewhere_are_refused() {
    let watched = Watched::start(&[]);
    let server = &watched.server;
    for name in PATHS {
        for (method, path, body) in [
            ("GET", format!("/v1/models/{name}"), "{}"),
            ("PATCH", format!("/v1/models/{name}"), "{\"description\":\"x\"}"),
            ("DELETE", format!("/v1/models/{name}"), "{}"),
            ("GET", format!("/v1/models/{name}/history"), "{}"),
            ("PUT", format!("/v1/models/{name}/traffic"), "{\"champion\":\"1.0.0\"}"),
            ("POST", format!("/v1/models/{name}/rollback"), "{}"),
            (
                "POST",
                format!("/v1/models/{name}/versions?name=model.onnx"),
                "{\"files\":[]}",
            ),
            ("GET", format!("/v1/models/{ROW}/versions/{name}"), "{}"),
            ("DELETE", format!("/v1/models/{ROW}/versions/{name}"), "{}"),
            ("POST", format!("/v1/models/{ROW}/versions/{name}/retire"), "{}"),
            ("GET", format!("/v1/models/{ROW}/versions/{name}/verification"), "{}"),
            ("GET", format!("/v1/models/{ROW}/versions/1.0.0/files/{name}"), "{}"),
            ("GET", format!("/v1/models/{ROW}/versions/1.0.0/files/a/{name}/b"), "{}"),
            (
                "PUT",
                format!("/v1/models/{ROW}/aliases/{name}"),
                "{\"version\":\"1.0.0\"}",
            ),
            ("DELETE", format!("/v1/models/{ROW}/aliases/{name}"), "{}"),
            (
                "PUT",
                format!("/v1/sources/{name}"),
                "{\"settings\":{\"url\":\"http://127.0.0.1:9\"}}",
            ),
            ("GET", format!("/v1/sources/{name}"), "{}"),
            ("POST", format!("/v1/sources/{name}/pull"), "{\"reference\":\"a/1\"}"),
            ("POST", format!("/v1/webhooks/mlflow/{name}"), "{}"),
        ] {
            let status = raw_status(server, method, &path, body);
            assert!((400..500).contains(&status), "{method} {path}: {status}");
        }
    }
    // Dots that a client did not tidy.
    for path in [
        "/v1/models/../../etc/passwd",
        "/v1/models/heartbeat/versions/1.0.0/files/../../../../x",
        "/v1/models//versions",
        "/v1//models",
    ] {
        let status = raw_status(server, "GET", path, "");
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    assert_eq!(server.get("/v1/models").json()["items"].as_array().unwrap().len(), 2);
    watched.assert_untouched();
}

#[test]
fn names_in_bodies_and_fields_that_lead_elsewhere_are_refused() {
    let watched = Watched::start(&[]);
    let server = &watched.server;
    let package = package();
    let digest = format!("sha256:{}", "ab".repeat(32));
    for name in NAMES {
        let told = |what: &str, status: u16| assert!((400..500).contains(&status), "{what} {name:?}: {status}");
        told(
            "model",
            server.json("POST", "/v1/models", &[], &json!({"name": name})).status,
        );
        let traffic = format!("/v1/models/{ROW}/traffic");
        told(
            "champion",
            server.json("PUT", &traffic, &[], &json!({"champion": name})).status,
        );
        let alias = format!("/v1/models/{ROW}/aliases/a");
        told(
            "alias's version",
            server.json("PUT", &alias, &[], &json!({"version": name})).status,
        );
        let by_digest = json!({"files": [{"name": name, "sha256": digest}]});
        told(
            "file",
            server.json("POST", "/v1/models/bad/versions", &[], &by_digest).status,
        );
        let digest = json!({"files": [{"name": "model.onnx", "sha256": name}]});
        told(
            "digest",
            server.json("POST", "/v1/models/bad/versions", &[], &digest).status,
        );
        let variants = json!([{"name": name}]).to_string();
        let loose: Vec<_> = package
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        told(
            "variant",
            server
                .form("/v1/models/bad/versions", &loose, &[("variants", &variants)])
                .status,
        );
        if !name.contains(['\0', '\n']) {
            let fields = [
                ("version", name),
                ("recipe", "kaggle-heartbeat-v1"),
                ("labels", "N,S,V,F,Q"),
            ];
            let network = row_file("model.onnx");
            let sent = server.form("/v1/models/bad/versions", &[("model.onnx", &network)], &fields);
            told("version", sent.status);
        }
        let body = json!({"settings": {"url": "http://127.0.0.1:9"}, "follow": [{"model": "m", "into": name}]});
        told("follow", server.json("PUT", "/v1/sources/s", &[], &body).status);
        let form = [("model", format!("{ROW}/{name}"))];
        let fields: Vec<_> = form.iter().map(|(field, text)| (*field, text.as_str())).collect();
        let rows = crate::packages::rows_csv();
        told(
            "classify",
            server
                .form("/v1/classify", &[("a.csv", rows.as_bytes())], &fields)
                .status,
        );
    }
    server.get("/v1/models/bad").problem(404, "no_such_model");
    assert_eq!(versions(server, ROW), ["1.0.0"]);
    watched.assert_untouched();
}

#[test]
fn names_of_sent_files_are_names_and_never_paths() {
    let watched = Watched::start(&[]);
    let server = &watched.server;
    let network = row_file("model.onnx");
    for name in [
        "a#b.onnx",
        "a;b.onnx",
        "a?b.onnx",
        "..",
        "%2e%2e",
        "%2e%2e%2fx.onnx",
        "%252e%252e%252fx.onnx",
        "C:x.onnx",
        "",
        " ",
        "a%00.onnx",
    ] {
        let fields = [("recipe", "kaggle-heartbeat-v1"), ("labels", "N,S,V,F,Q")];
        let sent = server.form("/v1/models/bad/versions", &[(name, &network)], &fields);
        assert!((400..500).contains(&sent.status), "{name:?}: {}", sent.json());
    }
    server.get("/v1/models/bad").problem(404, "no_such_model");
    // A folder before the name is what some browsers send; only the name counts.
    for (index, name) in [
        "../../sentinel/x.onnx",
        "/etc/x.onnx",
        "C:\\fakepath\\x.onnx",
        "\\\\host\\share\\x.onnx",
    ]
    .into_iter()
    .enumerate()
    {
        let version = format!("v{index}");
        let network = crate::packages::with_property(&network, "note", &version);
        let fields = [
            ("recipe", "kaggle-heartbeat-v1"),
            ("labels", "N,S,V,F,Q"),
            ("version", &version),
            ("wait_s", "120"),
        ];
        let sent = server.form("/v1/models/named/versions", &[(name, &network)], &fields);
        assert_eq!(sent.status, 201, "{name}: {}", sent.json());
        assert_eq!(sent.json()["origin"]["file"], "x.onnx", "{name}");
        let names: Vec<_> = sent.json()["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["golden.json", "manifest.json", "x.onnx"], "{name}");
    }
    watched.assert_untouched();
}
