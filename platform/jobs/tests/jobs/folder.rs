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

tests! {
    a_job_is_done_and_its_events_can_be_followed_from_any_point
    one_sees_only_ones_own
    what_fails_or_panics_says_so_and_the_next_one_is_done
    a_cancelled_job_ends_whether_it_runs_or_waits
    there_is_room_for_so_many_and_one_owner_takes_half_of_it
    what_had_not_ended_is_done_after_the_next_start
    ended_jobs_are_kept_for_a_while_only
    erased_jobs_run_no_more_and_nothing_of_them_is_kept
}

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
    assert_eq!(jobs.erase(|_| true).await.unwrap(), 2);
    let mut last = None;
    while let Some(event) = followed.next().await {
        last = Some(event);
    }
    assert_eq!(last.unwrap().data["state"], "cancelled");
    assert_eq!(std::fs::read_dir(place.jobs_folder()).unwrap().count(), 0);
}
