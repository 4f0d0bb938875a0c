//! The budget of memory for loaded models.

use crate::client::Server;
use crate::packages::{numbered, with, with_description};
use crate::steps::{ROW, answers, classify, promote, ready};
use serde_json::json;

/// Names of the loaded versions of a model.
fn loaded(server: &Server, model: &str) -> Vec<String> {
    let instances = server.get("/v1/instances").json();
    let memory = &instances["memory"];
    let (counted, budget) = (
        memory["counted_bytes"].as_u64().unwrap(),
        memory["budget_bytes"].as_u64().unwrap(),
    );
    assert!(counted <= budget, "{memory}");
    let items = instances["items"].as_array().unwrap();
    assert_eq!(memory["versions"].as_u64().unwrap() as usize, items.len());
    let of_it = items.iter().filter(|item| item["model"] == model);
    of_it.map(|item| item["version"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_longest_unused_is_put_out_and_what_never_fits_is_507_with_numbers() {
    let server = Server::start_with(&["--model-memory-mib", "8"]);
    let names: Vec<_> = (1..=9).map(|number| number.to_string()).collect();
    for (index, name) in names.iter().enumerate() {
        ready(&server, "many", name, &numbered(index));
    }
    for name in &names {
        assert_eq!(&answers(&server, &format!("model=many/{name}")), name);
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    let there = loaded(&server, "many");
    assert!(
        there.len() < 9 && there.contains(&"9".to_owned()) && !there.contains(&"1".to_owned()),
        "{there:?}"
    );
    // What is used stays: the oldest of these is used, so that the next one goes for a new one.
    let (oldest, next) = (&there[0], &there[1]);
    answers(&server, &format!("model=many/{oldest}"));
    std::thread::sleep(std::time::Duration::from_millis(3));
    assert_eq!(answers(&server, "model=many/1"), "1");
    let now = loaded(&server, "many");
    assert!(
        now.contains(oldest) && !now.contains(next) && now.contains(&"1".to_owned()),
        "{there:?} {now:?}"
    );
    // What was put out comes back when it is asked for, the champions that came with the server too.
    for name in &names {
        assert_eq!(&answers(&server, &format!("model=many/{name}")), name);
    }
    assert_eq!(answers(&server, &format!("model={ROW}")), "1.0.0");
    assert_eq!(server.get("/v1/health/ready").status, 200);

    let mut large = with(json!({"description": "large"}));
    let onnx = with_description(&large["model.onnx"], 5 << 20);
    let needed = 2 * onnx.len() + (1 << 20);
    large.insert("model.onnx".to_owned(), onnx);
    ready(&server, "many", "large", &large);
    let before = loaded(&server, "many");
    for answer in [classify(&server, "model=many/large"), promote(&server, "many", "large")] {
        let said = answer.problem(507, "no_room");
        assert!(
            said.contains(&needed.to_string()) && said.contains(&(8_u32 << 20).to_string()),
            "{said}"
        );
        assert!(said.contains("--model-memory-mib"), "{said}");
    }
    assert_eq!(
        loaded(&server, "many"),
        before,
        "nothing had to go for what does not fit"
    );
}
