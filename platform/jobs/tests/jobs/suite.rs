//! What jobs do, wherever they lie.

use crate::place::Place;
use einthoven_jobs::{Failed, Info, Jobs, JobsError, New, Settings, Stage, State, Task, View, Work};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

/// Hands the names of all that is below to a macro.
macro_rules! all {
    ($each:ident) => {
        $each! {
            a_job_is_done_and_its_events_can_be_followed_from_any_point
            one_sees_only_ones_own
            what_fails_or_panics_says_so_and_the_next_one_is_done
            a_cancelled_job_ends_whether_it_runs_or_waits
            there_is_room_for_so_many_and_one_owner_takes_half_of_it
            what_had_not_ended_is_done_after_the_next_start
            ended_jobs_are_kept_for_a_while_only
            erased_jobs_run_no_more_and_nothing_of_them_is_kept
        }
    };
}
pub(crate) use all;

/// Says its input back, a byte at a time; `fail` and `panic` do as they say, `wait` goes on until told to stop, `wait once` does so the
/// first time.
#[derive(Debug, Default)]
pub(crate) struct Echo(Mutex<HashSet<String>>);

impl Work for Echo {
    fn run(&self, task: Task) -> Result<Vec<u8>, Failed> {
        let input = task.files[0].1.clone();
        let step = |done: usize, total: usize| {
            let stage = Stage {
                stage: "saying".into(),
                done: done as u64,
                total: total as u64,
            };
            task.progress.report(done as f64 / total as f64, stage)
        };
        let first = self.0.lock().unwrap().insert(task.id.clone());
        match input.as_slice() {
            b"fail" => Err(Failed::Problem(json!({"status": 422, "detail": "it cannot be said"}))),
            b"panic" => std::panic::panic_any("said"),
            b"wait once" if !first => Ok(b"again".to_vec()),
            b"wait" | b"wait once" => loop {
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

pub(crate) fn new(owner: &str, input: &str) -> New {
    New {
        owner: owner.to_owned(),
        wish: json!({"say": "back"}),
        files: vec![("words".to_owned(), input.as_bytes().to_vec())],
    }
}

pub(crate) async fn reached(jobs: &Jobs, id: &str, state: State) -> Info {
    for _ in 0..12_000 {
        let info = jobs.get(View::All, id).await.unwrap();
        if info.state == state {
            return info;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let info = jobs.get(View::All, id).await.unwrap();
    assert_eq!(info.state, state, "{info:?}");
    info
}

pub(crate) async fn a_job_is_done_and_its_events_can_be_followed_from_any_point(place: &Place) {
    let jobs = place.started().await;
    let made = jobs.create(new("key:a", "hello")).await.unwrap();
    reached(&jobs, &made.id, State::Done).await;
    assert_eq!(jobs.result(View::Of("key:a"), &made.id).await.unwrap(), b"hello");
    let mut all = Vec::new();
    let mut events = jobs.events(View::All, &made.id, None).await.unwrap();
    while let Some(event) = events.next().await {
        all.push(event);
    }
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id), "{all:?}");
    let percents: Vec<_> = all.iter().filter_map(|event| event.data["percent"].as_u64()).collect();
    assert_eq!(percents, [20, 40, 60, 80, 100]);
    assert_eq!(all.last().unwrap().data["state"], "done");
    for (index, seen) in all.iter().enumerate() {
        let mut rest = Vec::new();
        let mut events = jobs.events(View::All, &made.id, Some(seen.id)).await.unwrap();
        while let Some(event) = events.next().await {
            rest.push(event);
        }
        assert_eq!(rest, all[index + 1..]);
    }
    // The input is gone with the end.
    for _ in 0..2000 {
        if !place.holds(&made.id, "input-0").await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!place.holds(&made.id, "input-0").await);
    assert_eq!(jobs.get(View::All, &made.id).await.unwrap().attempts, 1);
}

pub(crate) async fn one_sees_only_ones_own(place: &Place) {
    let jobs = place.started().await;
    let made = jobs.create(new("key:a", "mine")).await.unwrap();
    reached(&jobs, &made.id, State::Done).await;
    let other = View::Of("key:b");
    assert!(jobs.list(other).await.unwrap().is_empty());
    assert_eq!(jobs.list(View::Of("key:a")).await.unwrap().len(), 1);
    assert!(matches!(jobs.get(other, &made.id).await, Err(JobsError::NoSuchJob)));
    assert!(matches!(
        jobs.events(other, &made.id, None).await,
        Err(JobsError::NoSuchJob)
    ));
    assert!(matches!(jobs.result(other, &made.id).await, Err(JobsError::NoSuchJob)));
    assert!(matches!(jobs.delete(other, &made.id).await, Err(JobsError::NoSuchJob)));
    jobs.delete(View::All, &made.id).await.unwrap();
    assert!(matches!(jobs.get(View::All, &made.id).await, Err(JobsError::NoSuchJob)));
    for name in ["input-0", "result", "result-1.json"] {
        assert!(!place.holds(&made.id, name).await, "{name}");
    }
}

pub(crate) async fn what_fails_or_panics_says_so_and_the_next_one_is_done(place: &Place) {
    let jobs = place.started().await;
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

pub(crate) async fn a_cancelled_job_ends_whether_it_runs_or_waits(place: &Place) {
    let jobs = place.started().await;
    let running = jobs.create(new("key:a", "wait")).await.unwrap();
    reached(&jobs, &running.id, State::Running).await;
    let waiting = jobs.create(new("key:a", "wait")).await.unwrap();
    for id in [&waiting.id, &running.id] {
        jobs.delete(View::All, id).await.unwrap();
        assert_eq!(jobs.get(View::All, id).await.unwrap().state, State::Cancelled);
        assert!(matches!(jobs.result(View::All, id).await, Err(JobsError::Cancelled)));
    }
    let next = jobs.create(new("key:a", "next")).await.unwrap();
    reached(&jobs, &next.id, State::Done).await;
    // Cancelled for good, also after a restart. Two of them never work in one folder.
    jobs.stop().await;
    drop(jobs);
    let jobs = place.started().await;
    assert_eq!(jobs.get(View::All, &running.id).await.unwrap().state, State::Cancelled);
}

pub(crate) async fn there_is_room_for_so_many_and_one_owner_takes_half_of_it(place: &Place) {
    // Nothing is done here.
    let jobs = place.open(place.settings()).await;
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
        ..place.settings()
    };
    drop(jobs);
    let jobs = place.open(tight).await;
    let ids: Vec<_> = listed(&jobs).await;
    jobs.delete(View::All, &ids[0]).await.unwrap();
    assert!(matches!(
        jobs.create(new("key:c", "seven77")).await,
        Err(JobsError::Full { .. })
    ));
    jobs.create(new("key:c", "five5")).await.unwrap();
}

pub(crate) async fn what_had_not_ended_is_done_after_the_next_start(place: &Place) {
    let jobs = place.started().await;
    let running = jobs.create(new("key:a", "wait once")).await.unwrap();
    let mut events = jobs.events(View::All, &running.id, None).await.unwrap();
    let mut seen = 0;
    while let Some(event) = events.next().await {
        seen = event.id;
        if event.kind == "progress" {
            break;
        }
    }
    let waiting = jobs.create(new("key:a", "later")).await.unwrap();
    jobs.stop().await;
    assert_eq!(jobs.get(View::All, &running.id).await.unwrap().state, State::Queued);
    assert!(matches!(
        jobs.create(new("key:a", "no")).await,
        Err(JobsError::Stopping)
    ));
    drop(jobs);
    let jobs = place.started().await;
    reached(&jobs, &running.id, State::Done).await;
    reached(&jobs, &waiting.id, State::Done).await;
    assert_eq!(jobs.result(View::All, &running.id).await.unwrap(), b"again");
    assert_eq!(jobs.get(View::All, &running.id).await.unwrap().attempts, 2);
    // Who had followed it before sees all that is new.
    let mut events = jobs.events(View::All, &running.id, Some(seen)).await.unwrap();
    let first = events.next().await.unwrap();
    assert!(first.id > seen && first.data["state"] != "done", "{first:?}");
}

pub(crate) async fn ended_jobs_are_kept_for_a_while_only(place: &Place) {
    let jobs = place.started().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let made = jobs.create(new("key:a", "x")).await.unwrap();
        reached(&jobs, &made.id, State::Done).await;
        ids.push(made.id);
    }
    // The last one is looked at once more when its thread ends; then nothing is written any more.
    jobs.stop().await;
    let mut kept = listed(&jobs).await;
    kept.reverse();
    assert_eq!(kept, ids[2..]);
    drop(jobs);
    let none = Settings {
        kept_for: Duration::ZERO,
        ..place.settings()
    };
    let jobs = place.started_with(none).await;
    for _ in 0..12_000 {
        if listed(&jobs).await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(listed(&jobs).await.is_empty());
    assert!(!place.holds(&ids[4], "result").await && !place.holds(&ids[4], "result-1.json").await);
}

/// Ids, newest first.
async fn listed(jobs: &Jobs) -> Vec<String> {
    let all = jobs.list(View::All).await.unwrap();
    all.into_iter().map(|info| info.id).collect()
}

pub(crate) async fn erased_jobs_run_no_more_and_nothing_of_them_is_kept(place: &Place) {
    let jobs = place.started().await;
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
    assert_eq!(jobs.erase(|wish, _| wish["subject"] == "s_1").await.unwrap(), 3);
    for gone in [&done, &running, &waiting] {
        assert!(matches!(jobs.get(View::All, &gone.id).await, Err(JobsError::NoSuchJob)));
        for name in ["input-0", "result", "result-1.json"] {
            assert!(!place.holds(&gone.id, name).await, "{name}");
        }
    }
    assert_eq!(jobs.result(View::All, &other.id).await.unwrap(), b"hello");
    let next = jobs.create(about("s_1", "again")).await.unwrap();
    reached(&jobs, &next.id, State::Done).await;
    // What was made later may stay.
    let before = |wish: &serde_json::Value, created| wish["subject"] == "s_1" && created < next.created;
    assert_eq!(jobs.erase(before).await.unwrap(), 0);
    assert_eq!(jobs.get(View::All, &next.id).await.unwrap().state, State::Done);
}
