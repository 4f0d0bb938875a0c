//! The suite over a database and a bucket, and what only servers that share can do to each other.

use crate::outages::crashes;
use crate::place::{LEASE, Place};
use crate::postgres::Postgres;
use crate::s3;
use crate::suite::{self, new, reached};
use einthoven_jobs::{Failed, Jobs, JobsError, State, Task, View, Work};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shared_jobs_do_what_those_of_one_server_do() {
    let (database, bucket) = (Postgres::start(), s3::Server::start().await);
    macro_rules! each {
        ($($name:ident)*) => {
            $(suite::$name(&Place::shared(&database, &bucket, &stringify!($name)[..20]).await).await;)*
        };
    }
    suite::all!(each);
}

/// Counts how often each job was begun.
#[derive(Default)]
struct Counting(Mutex<HashMap<String, usize>>);

impl Work for Counting {
    fn run(&self, task: Task) -> Result<Vec<u8>, Failed> {
        *self.0.lock().unwrap().entry(task.id).or_default() += 1;
        Ok(task.files[0].1.clone())
    }
}

/// Goes on whatever it is told, until it is let go; then it says that it is done. Nobody lets it go in a test that failed, which is to end too.
#[derive(Default)]
pub(crate) struct Deaf(Mutex<bool>);

impl Deaf {
    pub(crate) fn let_go(&self) {
        *self.0.lock().unwrap() = true;
    }
}

impl Work for Deaf {
    fn run(&self, _: Task) -> Result<Vec<u8>, Failed> {
        let end = Instant::now() + Duration::from_secs(180);
        while !*self.0.lock().unwrap() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(b"late".to_vec())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_job_is_taken_once_and_one_that_was_left_is_taken_over() {
    let (database, bucket) = (Postgres::start(), s3::Server::start().await);
    each_job_is_taken_once(&Place::shared(&database, &bucket, "once").await).await;
    one_that_was_left_is_taken_over(&Place::shared(&database, &bucket, "lost").await).await;
    what_an_older_attempt_says_is_refused(&Place::shared(&database, &bucket, "older").await).await;
    one_that_takes_servers_down_is_given_up(&Place::shared(&database, &bucket, "deadly").await).await;
    while_the_database_is_away(&Place::shared(&database, &bucket, "away").await, &database).await;
}

async fn each_job_is_taken_once(place: &Place) {
    let settings = || einthoven_jobs::Settings {
        at_once: 3,
        waiting: 200,
        kept: 200,
        ..place.settings()
    };
    let counting = Arc::<Counting>::default();
    let mut servers = Vec::new();
    for _ in 0..3 {
        let jobs = place.open(settings()).await;
        jobs.start(&(Arc::clone(&counting) as Arc<dyn Work>));
        servers.push(jobs);
    }
    let mut made = Vec::new();
    for number in 0..60 {
        let owner = format!("key:{}", number % 4);
        made.push(servers[number % 3].create(new(&owner, "x")).await.unwrap().id);
    }
    for (number, id) in made.iter().enumerate() {
        // Whichever server did it, each of them knows, and has the result.
        let asked = &servers[(number + 1) % 3];
        assert_eq!(reached(asked, id, State::Done).await.attempts, 1);
        assert_eq!(asked.result(View::All, id).await.unwrap(), b"x");
    }
    let counted = counting.0.lock().unwrap().clone();
    assert_eq!(counted.len(), made.len());
    assert!(counted.values().all(|times| *times == 1), "{counted:?}");
}

/// A server of its own runtime, which ends in the middle of everything when that is shut down.
fn doomed(place: &Place, lease: Duration, work: Arc<dyn Work>) -> (tokio::runtime::Runtime, Jobs) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (settings, mut sharing) = (place.settings(), place.sharing().clone());
    sharing.lease = lease;
    let opened = runtime.spawn(async move {
        let jobs = Jobs::share(settings, sharing).await.unwrap();
        jobs.start(&work);
        jobs
    });
    let jobs = std::thread::scope(|scope| {
        let opened = scope.spawn(|| runtime.block_on(opened).unwrap());
        opened.join().unwrap()
    });
    (runtime, jobs)
}

async fn one_that_was_left_is_taken_over(place: &Place) {
    let deaf = Arc::<Deaf>::default();
    let (runtime, _gone) = doomed(place, LEASE, Arc::clone(&deaf) as Arc<dyn Work>);
    let looking = place.open(place.settings()).await;
    let made = looking.create(new("key:a", "words")).await.unwrap();
    reached(&looking, &made.id, State::Running).await;
    // While it is renewed, nobody else takes it.
    let other = place.started().await;
    tokio::time::sleep(LEASE + LEASE / 4).await;
    assert_eq!(looking.get(View::All, &made.id).await.unwrap().attempts, 1);
    // Killed, as far as the others can see: nothing of it beats any more.
    runtime.shutdown_background();
    let done = reached(&other, &made.id, State::Done).await;
    assert_eq!(done.attempts, 2);
    assert_eq!(looking.result(View::All, &made.id).await.unwrap(), b"words");
    deaf.let_go();

    // What ends after it was cancelled leaves nothing behind.
    let late = Arc::<Deaf>::default();
    other.stop().await;
    let last = place.open(place.settings()).await;
    last.start(&(Arc::clone(&late) as Arc<dyn Work>));
    let taken = looking.create(new("key:a", "taken")).await.unwrap();
    reached(&looking, &taken.id, State::Running).await;
    looking.delete(View::All, &taken.id).await.unwrap();
    late.let_go();
    last.stop().await;
    let ended = looking.get(View::All, &taken.id).await.unwrap();
    assert_eq!(ended.state, State::Cancelled);
    assert!(!place.holds(&taken.id, "result-1.json").await);
    assert!(!place.holds(&taken.id, "input-0").await);
}

/// A server that stands still for longer than its lease finds that another has done its job, and changes nothing of that.
async fn what_an_older_attempt_says_is_refused(place: &Place) {
    let deaf = Arc::<Deaf>::default();
    let (runtime, slow) = doomed(place, LEASE / 4, Arc::clone(&deaf) as Arc<dyn Work>);
    let looking = place.open(place.settings()).await;
    let made = looking.create(new("key:a", "words")).await.unwrap();
    reached(&looking, &made.id, State::Running).await;
    // Its only thread for everything but jobs stands still.
    let (go_on, standing) = std::sync::mpsc::channel::<()>();
    runtime.spawn(async move { standing.recv() });
    let other = place.started().await;
    assert_eq!(reached(&other, &made.id, State::Done).await.attempts, 2);
    deaf.let_go();
    go_on.send(()).unwrap();
    slow.stop().await;
    let kept = looking.get(View::All, &made.id).await.unwrap();
    assert_eq!((kept.state, kept.attempts), (State::Done, 2));
    assert_eq!(looking.result(View::All, &made.id).await.unwrap(), b"words");
    assert!(!place.holds(&made.id, "result-1.json").await);
    // It was taken to have crashed, and said that it had not.
    assert_eq!(crashes(place, &made.id).await, 0);
    runtime.shutdown_background();
}

async fn one_that_takes_servers_down_is_given_up(place: &Place) {
    let looking = place.open(place.settings()).await;
    let made = looking.create(new("key:a", "deadly")).await.unwrap();
    let mut kept = Vec::new();
    for attempt in 1..=3 {
        let deaf = Arc::<Deaf>::default();
        let (runtime, _gone) = doomed(place, LEASE / 4, Arc::clone(&deaf) as Arc<dyn Work>);
        let since = Instant::now();
        loop {
            let info = looking.get(View::All, &made.id).await.unwrap();
            if info.state == State::Running && info.attempts == attempt {
                break;
            }
            assert!(since.elapsed() < Duration::from_secs(60), "{info:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        runtime.shutdown_background();
        kept.push(deaf);
    }
    let last = place.started().await;
    let failed = reached(&last, &made.id, State::Failed).await;
    assert_eq!(failed.problem.unwrap()["type"], "/problems/gave_up");
    for deaf in kept {
        deaf.let_go();
    }
}

async fn while_the_database_is_away(place: &Place, database: &Postgres) {
    let jobs = place.started().await;
    let running = jobs.create(new("key:a", "wait once")).await.unwrap();
    reached(&jobs, &running.id, State::Running).await;
    database.end();
    assert!(matches!(
        jobs.create(new("key:a", "no")).await,
        Err(JobsError::Unavailable { .. })
    ));
    assert_eq!(jobs.counts().await.len(), 5);
    database.begin();
    // What ran goes on, and what is new is taken.
    jobs.delete(View::All, &running.id).await.unwrap();
    let next = jobs.create(new("key:a", "next")).await.unwrap();
    reached(&jobs, &next.id, State::Done).await;
    assert_eq!(jobs.get(View::All, &running.id).await.unwrap().state, State::Cancelled);
}

#[test]
fn what_servers_share_is_printed_without_its_secrets() {
    let bucket = einthoven_registry_files::Bucket {
        endpoint: "https://127.0.0.1:9".into(),
        bucket: "models".into(),
        prefix: String::new(),
        region: "eu-central-1".into(),
        access_key: "reader".into(),
        secret_key: "hunter2".into(),
        allow_http: false,
    };
    let objects = einthoven_registry_files::Objects::in_bucket(&bucket, "jobs").unwrap();
    let sharing = einthoven_jobs::Sharing::of("postgres://einthoven:hunter2@127.0.0.1/x".to_owned().into(), objects);
    let printed = format!("{bucket:?} {sharing:#?}");
    assert!(
        printed.contains("database_url") && !printed.contains("hunter2"),
        "{printed}"
    );
}
