//! The suite in a folder.

use crate::place::Place;
use crate::suite;
use einthoven_jobs::{State, View};

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            suite::$name(&Place::folder()).await;
        })*
    };
}

suite::all!(tests);

#[tokio::test]
async fn what_was_half_written_is_no_job() {
    let place = Place::folder();
    let folder = place.jobs_folder().to_owned();
    std::fs::create_dir_all(folder.join(".half")).unwrap();
    let jobs = place.started().await;
    let made = jobs.create(suite::new("key:a", "x")).await.unwrap();
    suite::reached(&jobs, &made.id, State::Done).await;
    assert!(!folder.join(".half").exists());
}

#[tokio::test]
async fn who_follows_an_erased_job_is_told_of_its_end() {
    let place = Place::folder();
    let jobs = place.started().await;
    let running = jobs.create(suite::new("key:a", "wait")).await.unwrap();
    suite::reached(&jobs, &running.id, State::Running).await;
    let waiting = jobs.create(suite::new("key:a", "hello")).await.unwrap();
    let mut followed = jobs.events(View::All, &waiting.id, None).await.unwrap();
    assert_eq!(jobs.erase(|_, _| true).await.unwrap(), 2);
    let mut last = None;
    while let Some(event) = followed.next().await {
        last = Some(event);
    }
    assert_eq!(last.unwrap().data["state"], "cancelled");
    assert_eq!(std::fs::read_dir(place.jobs_folder()).unwrap().count(), 0);
}
