//! Jobs of three servers, one of which is killed while it works.

use crate::client::{Answer, Server, borrowed, record_100};
use crate::shared::{Shared, kill, until};
use serde_json::Value;

/// An answer without the name of its entry in the journal, which differs every time.
fn unnamed(mut answer: Value) -> Value {
    let name = answer.as_object_mut().unwrap().remove("prediction");
    assert!(name.is_some_and(|name| name.is_string()));
    answer
}

fn states(server: &Server) -> Vec<(String, u64)> {
    let items = server.get("/v1/jobs").json()["items"].as_array().unwrap().clone();
    let each = |job: &Value| {
        let state = job["state"].as_str().unwrap().to_owned();
        (state, job["attempts"].as_u64().unwrap())
    };
    items.iter().map(each).collect()
}

#[test]
fn each_job_is_done_once_though_one_of_three_servers_is_killed() {
    let shared = Shared::start();
    let servers = [shared.server(&[]), shared.server(&[]), shared.server(&[])];
    let files = record_100();
    let expected = servers[0].form("/v1/classify", &borrowed(&files), &[]);
    assert_eq!(expected.status, 200);
    let post = |server: &Server| -> Answer {
        let made = server.form("/v1/classify?wait=false", &borrowed(&files), &[]);
        assert_eq!(made.status, 202, "{}", made.json());
        made
    };
    // Until all three are seen at work: the one that is killed has a job in hands, unless it ends that one just now.
    let mut made: Vec<String> = Vec::new();
    let all_work = || {
        let running = states(&servers[0]).into_iter().filter(|(state, _)| state == "running");
        running.count() == 3
    };
    while made.len() < 18 || !all_work() {
        assert!(made.len() < 48, "three are never at work");
        made.push(post(&servers[made.len() % 3]).location.unwrap());
    }
    kill(&servers[2]);
    let left = [&servers[0], &servers[1]];
    until("the end of all jobs", || {
        states(left[1]).iter().all(|(state, _)| state == "done")
    });
    let attempts: Vec<u64> = states(left[0]).into_iter().map(|(_, attempts)| attempts).collect();
    assert_eq!(attempts.len(), made.len());
    let twice = attempts.iter().filter(|attempts| **attempts == 2).count();
    assert!(
        attempts.iter().all(|attempts| [1, 2].contains(attempts)),
        "{attempts:?}"
    );
    assert!(twice <= 1, "more than the killed server had in hands: {attempts:?}");
    eprintln!("jobs that were taken over: {twice}");
    for (number, path) in made.iter().enumerate() {
        let server = left[number % 2];
        let result = server.get(&format!("{path}/result"));
        assert_eq!(result.status, 200, "{}", result.json());
        assert_eq!(unnamed(result.json()), unnamed(expected.json()));
        let events = String::from_utf8(server.get(&format!("{path}/events")).bytes).unwrap();
        assert_eq!(events.matches("{\"state\":\"done\"}").count(), 1, "{events}");
        assert_eq!(server.delete(path).status, 204);
        assert_eq!(left[(number + 1) % 2].get(path).status, 404);
    }
    // Nothing of a recording is left in the bucket.
    let jobs = shared.bucket.contents().join("jobs");
    let rest = std::fs::read_dir(&jobs).into_iter().flatten().flatten();
    let files = rest.flat_map(|group| std::fs::read_dir(group.path()).into_iter().flatten().flatten());
    assert_eq!(files.count(), 0);
}
