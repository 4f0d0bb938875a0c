//! Jobs over a real folder: done, cancelled, followed, bounded, and done again after an end in the middle.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails; one job panics"
)]

use einthoven_jobs::{Failed, Info, Jobs, JobsError, New, Settings, Stage, State, Task, View, Work};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Says its input back, a byte at a time; `fail` and `panic` do as they say, `wait` goes on until told to stop.
struct Echo;

impl Work for Echo {
    fn run(&self, task: Task) -> Result<Vec<u8>, Failed> {
        let input = task.files[0].1.clone();
        let step = |done: usize, total: usize| {
            let stage = Stage {
                stage: "saying",
                done: done as u64,
                total: total as u64,
            };
            task.progress.report(done as f64 / total as f64, stage)
        };
        match input.as_slice() {
            b"fail" => Err(Failed::Problem(json!({"status": 422, "detail": "it cannot be said"}))),
            b"panic" => std::panic::panic_any("said"),
            b"wait" => loop {
                step(1, 2)?;
                std::thread::sleep(Duration::from_millis(2));
            },
            bytes => {
                for done in 1..=bytes.len() {
                    step(done, bytes.len())?;
                }
                Ok(input)
            }
        }
    }
}

fn settings(folder: &Path) -> Settings {
    Settings {
        waiting: 4,
        kept: 3,
        ..Settings::in_folder(folder.join("jobs"))
    }
}

fn new(owner: &str, input: &str) -> New {
    New {
        owner: owner.to_owned(),
        wish: json!({"say": "back"}),
        files: vec![("words".to_owned(), input.as_bytes().to_vec())],
    }
}

fn opened(folder: &Path) -> Jobs {
    Jobs::open(settings(folder)).unwrap()
}

fn started(folder: &Path) -> Jobs {
    let jobs = opened(folder);
    jobs.start(&(Arc::new(Echo) as Arc<dyn Work>));
    jobs
}

async fn reached(jobs: &Jobs, id: &str, state: State) -> Info {
    for _ in 0..2000 {
        let info = jobs.get(View::All, id).unwrap();
        if info.state == state {
            return info;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let info = jobs.get(View::All, id).unwrap();
    assert_eq!(info.state, state, "{info:?}");
    info
}

#[tokio::test]
async fn a_job_is_done_and_its_events_can_be_followed_from_any_point() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = started(folder.path());
    let made = jobs.create(new("key:a", "hello")).await.unwrap();
    reached(&jobs, &made.id, State::Done).await;
    assert_eq!(jobs.result(View::Of("key:a"), &made.id).await.unwrap(), b"hello");
    let mut all = Vec::new();
    let mut events = jobs.events(View::All, &made.id, None).unwrap();
    while let Some(event) = events.next().await {
        all.push(event);
    }
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id), "{all:?}");
    let percents: Vec<_> = all.iter().filter_map(|event| event.data["percent"].as_u64()).collect();
    assert_eq!(percents, [20, 40, 60, 80, 100]);
    assert_eq!(all.last().unwrap().data["state"], "done");
    for (index, seen) in all.iter().enumerate() {
        let mut rest = Vec::new();
        let mut events = jobs.events(View::All, &made.id, Some(seen.id)).unwrap();
        while let Some(event) = events.next().await {
            rest.push(event);
        }
        assert_eq!(rest, all[index + 1..]);
    }
    // The input is gone with the end.
    assert!(!folder.path().join("jobs").join(&made.id).join("input-0").exists());
}

#[tokio::test]
async fn one_sees_only_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = started(folder.path());
    let made = jobs.create(new("key:a", "mine")).await.unwrap();
    reached(&jobs, &made.id, State::Done).await;
    let other = View::Of("key:b");
    assert!(jobs.list(other).is_empty() && jobs.list(View::Of("key:a")).len() == 1);
    assert!(matches!(jobs.get(other, &made.id), Err(JobsError::NoSuchJob)));
    assert!(matches!(jobs.events(other, &made.id, None), Err(JobsError::NoSuchJob)));
    assert!(matches!(jobs.result(other, &made.id).await, Err(JobsError::NoSuchJob)));
    assert!(matches!(jobs.delete(other, &made.id).await, Err(JobsError::NoSuchJob)));
    jobs.delete(View::All, &made.id).await.unwrap();
    assert!(matches!(jobs.get(View::All, &made.id), Err(JobsError::NoSuchJob)));
    assert!(!folder.path().join("jobs").join(&made.id).exists());
}

#[tokio::test]
async fn what_fails_or_panics_says_so_and_the_next_one_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = started(folder.path());
    let failing = jobs.create(new("key:a", "fail")).await.unwrap();
    let panicking = jobs.create(new("key:a", "panic")).await.unwrap();
    let fine = jobs.create(new("key:b", "fine")).await.unwrap();
    reached(&jobs, &fine.id, State::Done).await;
    let failed = reached(&jobs, &failing.id, State::Failed).await;
    assert_eq!(failed.problem.unwrap()["detail"], "it cannot be said");
    let panicked = reached(&jobs, &panicking.id, State::Failed).await;
    assert_eq!(panicked.problem.unwrap()["status"], 500);
    let refused = jobs.result(View::All, &failing.id).await.unwrap_err();
    assert!(matches!(refused, JobsError::Failed(problem) if problem["status"] == 422));
}

#[tokio::test]
async fn a_cancelled_job_ends_whether_it_runs_or_waits() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = started(folder.path());
    let running = jobs.create(new("key:a", "wait")).await.unwrap();
    reached(&jobs, &running.id, State::Running).await;
    let waiting = jobs.create(new("key:a", "wait")).await.unwrap();
    for id in [&waiting.id, &running.id] {
        jobs.delete(View::All, id).await.unwrap();
        assert_eq!(jobs.get(View::All, id).unwrap().state, State::Cancelled);
        assert!(matches!(jobs.result(View::All, id).await, Err(JobsError::Cancelled)));
    }
    let next = jobs.create(new("key:a", "next")).await.unwrap();
    reached(&jobs, &next.id, State::Done).await;
    // Cancelled for good, also after a restart. Two of them never work in one folder.
    jobs.stop().await;
    drop(jobs);
    let jobs = started(folder.path());
    assert_eq!(jobs.get(View::All, &running.id).unwrap().state, State::Cancelled);
}

#[tokio::test]
async fn there_is_room_for_so_many_and_one_owner_takes_half_of_it() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing is done here.
    let jobs = opened(folder.path());
    for _ in 0..2 {
        jobs.create(new("key:a", "one")).await.unwrap();
    }
    assert!(matches!(
        jobs.create(new("key:a", "third")).await,
        Err(JobsError::OwnersShare { waiting: 2 })
    ));
    for _ in 0..2 {
        jobs.create(new("key:b", "one")).await.unwrap();
    }
    assert!(matches!(
        jobs.create(new("key:c", "one")).await,
        Err(JobsError::Full { .. })
    ));
    let tight = Settings {
        input_bytes: 14,
        ..settings(folder.path())
    };
    drop(jobs);
    let jobs = Jobs::open(tight).unwrap();
    let ids: Vec<_> = jobs.list(View::All).into_iter().map(|info| info.id).collect();
    jobs.delete(View::All, &ids[0]).await.unwrap();
    assert!(matches!(
        jobs.create(new("key:c", "seven77")).await,
        Err(JobsError::Full { .. })
    ));
    jobs.create(new("key:c", "five5")).await.unwrap();
}

#[tokio::test]
async fn what_had_not_ended_is_done_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = started(folder.path());
    let running = jobs.create(new("key:a", "wait")).await.unwrap();
    let mut events = jobs.events(View::All, &running.id, None).unwrap();
    let mut seen = 0;
    while let Some(event) = events.next().await {
        seen = event.id;
        if event.kind == "progress" {
            break;
        }
    }
    let waiting = jobs.create(new("key:a", "later")).await.unwrap();
    jobs.stop().await;
    assert_eq!(jobs.get(View::All, &running.id).unwrap().state, State::Queued);
    assert!(matches!(
        jobs.create(new("key:a", "no")).await,
        Err(JobsError::Stopping)
    ));
    drop(jobs);
    // As if the process had been killed while it was being written, too.
    std::fs::create_dir(folder.path().join("jobs/.half")).unwrap();
    std::fs::write(folder.path().join("jobs").join(&running.id).join("input-0"), "again").unwrap();
    let jobs = started(folder.path());
    reached(&jobs, &running.id, State::Done).await;
    reached(&jobs, &waiting.id, State::Done).await;
    assert_eq!(jobs.result(View::All, &running.id).await.unwrap(), b"again");
    assert!(!folder.path().join("jobs/.half").exists());
    // Who had followed it before sees all that is new.
    let mut events = jobs.events(View::All, &running.id, Some(seen)).unwrap();
    let first = events.next().await.unwrap();
    assert!(first.id > seen && first.data["state"] != "done", "{first:?}");
}

#[tokio::test]
async fn ended_jobs_are_kept_for_a_while_only() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = started(folder.path());
    let mut ids = Vec::new();
    for _ in 0..5 {
        let made = jobs.create(new("key:a", "x")).await.unwrap();
        reached(&jobs, &made.id, State::Done).await;
        ids.push(made.id);
    }
    // The last one is looked at once more when its thread ends; then nothing is written any more.
    jobs.stop().await;
    let kept: Vec<_> = jobs.list(View::All).into_iter().rev().map(|info| info.id).collect();
    assert_eq!(kept, ids[2..]);
    drop(jobs);
    let none = Settings {
        kept_for: Duration::ZERO,
        ..settings(folder.path())
    };
    assert!(Jobs::open(none).unwrap().list(View::All).is_empty());
    assert_eq!(std::fs::read_dir(folder.path().join("jobs")).unwrap().count(), 0);
}

#[tokio::test]
async fn erased_jobs_run_no_more_and_nothing_of_them_lies_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = started(folder.path());
    let about = |person: &str, input: &str| New {
        wish: json!({"subject": person}),
        ..new("key:a", input)
    };
    let done = jobs.create(about("s_1", "hello")).await.unwrap();
    reached(&jobs, &done.id, State::Done).await;
    let other = jobs.create(about("s_2", "hello")).await.unwrap();
    reached(&jobs, &other.id, State::Done).await;
    let running = jobs.create(about("s_1", "wait")).await.unwrap();
    reached(&jobs, &running.id, State::Running).await;
    let waiting = jobs.create(about("s_1", "hello")).await.unwrap();
    let mut followed = jobs.events(View::All, &waiting.id, None).unwrap();
    assert_eq!(jobs.erase(|wish| wish["subject"] == "s_1").await.unwrap(), 3);
    for gone in [&done, &running, &waiting] {
        assert!(matches!(jobs.get(View::All, &gone.id), Err(JobsError::NoSuchJob)));
    }
    let names = std::fs::read_dir(folder.path().join("jobs")).unwrap();
    let names: Vec<_> = names
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, std::slice::from_ref(&other.id));
    assert_eq!(jobs.result(View::All, &other.id).await.unwrap(), b"hello");
    // Who followed one is told of its end, and others go on.
    let mut last = None;
    while let Some(event) = followed.next().await {
        last = Some(event);
    }
    assert_eq!(last.unwrap().data["state"], "cancelled");
    let next = jobs.create(about("s_1", "again")).await.unwrap();
    reached(&jobs, &next.id, State::Done).await;
    assert_eq!(jobs.erase(|_| false).await.unwrap(), 0);
}
