//! A database or a bucket that is away, and answers that are lost: nothing is done twice for it, and no job is blamed.

use crate::place::{LEASE, Place};
use crate::postgres::Postgres;
use crate::s3;
use crate::shared::Deaf;
use crate::suite::{new, reached};
use bytes::Bytes;
use einthoven_jobs::{Jobs, State, View, Work};
use einthoven_registry_files::{Bucket, Objects};
use sqlx::{Connection, Executor, PgConnection};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_away_for_a_while_is_no_crash_of_a_job() {
    let (database, bucket) = (Postgres::start(), s3::Server::start().await);
    an_outage_longer_than_the_lease(&Place::shared(&database, &bucket, "outage").await, &database).await;
    an_answer_that_was_lost(&Place::shared(&database, &bucket, "answer").await, &bucket.settings).await;
    an_end_after_an_outage(&Place::shared(&database, &bucket, "ends").await, &database).await;
    a_stop_during_an_outage(&Place::shared(&database, &bucket, "stopped").await, &database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_holds_up_nobody_and_a_bucket_that_refuses_no_other_job() {
    let (database, bucket) = (Postgres::start(), s3::Server::start().await);
    an_end_whose_answer_is_lost(&Place::shared(&database, &bucket, "ended").await).await;
    followers_who_wait(&Place::shared(&database, &bucket, "followed").await).await;
    a_bucket_that_refuses(&Place::shared(&database, &bucket, "refused").await, &bucket.settings).await;
    a_result_that_waits(&Place::shared(&database, &bucket, "waits").await, &bucket).await;
    what_has_no_job_goes(&Place::shared(&database, &bucket, "stray").await).await;
    one_that_is_cut_off_alone(&Place::shared(&database, &bucket, "alone").await, "alone", false).await;
    one_that_is_cut_off_alone(&Place::shared(&database, &bucket, "again").await, "again", true).await;
}

async fn connection(place: &Place) -> PgConnection {
    use secrecy::ExposeSecret;
    let url = place.sharing().database_url.expose_secret();
    PgConnection::connect(url).await.unwrap()
}

/// How many crashes a job is blamed for.
pub(crate) async fn crashes(place: &Place, id: &str) -> i32 {
    let asked = sqlx::query_scalar("select crashes from einthoven_jobs where id = $1").bind(id);
    asked.fetch_one(&mut connection(place).await).await.unwrap()
}

/// A server with a job in hands that goes on until it is let go, and what looks at it.
async fn at_work(place: &Place) -> (Arc<Deaf>, Jobs, String) {
    let deaf = Arc::<Deaf>::default();
    let jobs = place.open(place.settings()).await;
    jobs.start(&(Arc::clone(&deaf) as Arc<dyn Work>));
    let made = jobs.create(new("key:a", "words")).await.unwrap();
    reached(&jobs, &made.id, State::Running).await;
    (deaf, jobs, made.id)
}

/// Waits until the first attempt at a job says in the bucket that it is alive, or no more.
async fn says_that_it_is_alive(place: &Place, id: &str, says: bool) {
    let since = Instant::now();
    while place.holds(id, "alive-1.txt").await != says {
        assert!(since.elapsed() < Duration::from_secs(60), "it does not come to {says}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn an_outage_longer_than_the_lease(place: &Place, database: &Postgres) {
    let (deaf, jobs, id) = at_work(place).await;
    // It has nothing to do but to look for what others left, before the outage and after it.
    let other = place.started().await;
    tokio::time::sleep(LEASE + LEASE / 4).await;
    database.end();
    tokio::time::sleep(LEASE + LEASE / 4).await;
    says_that_it_is_alive(place, &id, true).await;
    database.begin();
    // Done by another server, whom the database answers now.
    let next = jobs.create(new("key:b", "next")).await.unwrap();
    reached(&other, &next.id, State::Done).await;
    deaf.let_go();
    let done = reached(&other, &id, State::Done).await;
    assert_eq!((done.attempts, crashes(place, &id).await), (1, 0));
    assert_eq!(jobs.result(View::All, &id).await.unwrap(), b"late");
    says_that_it_is_alive(place, &id, false).await;
}

/// What was said during the outage is taken back also where the work has ended by then.
async fn an_end_after_an_outage(place: &Place, database: &Postgres) {
    let (deaf, jobs, id) = at_work(place).await;
    database.end();
    says_that_it_is_alive(place, &id, true).await;
    database.begin();
    deaf.let_go();
    assert_eq!(reached(&jobs, &id, State::Done).await.attempts, 1);
    jobs.stop().await;
    says_that_it_is_alive(place, &id, false).await;
}

/// That a job was taken is in the database, and the server that took it never heard so: it takes it again, long before the lease ends.
async fn an_answer_that_was_lost(place: &Place, bucket: &Bucket) {
    let jobs = place.started().await;
    let made = jobs.create(new("key:a", "words")).await.unwrap();
    reached(&jobs, &made.id, State::Done).await;
    let objects = Objects::in_bucket(bucket, "answer").unwrap();
    let words = Bytes::from_static(b"words");
    // Its worker looks for what was given up, before it looks for more.
    while place.holds(&made.id, "input-0").await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    objects.put(&made.id, "input-0", words).await.unwrap();
    let taken = "update einthoven_jobs set state = 'running', lease = now() + interval '1 hour', input = true";
    connection(place).await.execute(taken).await.unwrap();
    let done = reached(&jobs, &made.id, State::Done).await;
    assert_eq!((done.attempts, crashes(place, &made.id).await), (2, 0));
}

/// The end of a job is written, and that is heard of only when it is written once more: it is the same end, and keeps its result.
async fn an_end_whose_answer_is_lost(place: &Place) {
    let looking = place.open(place.settings()).await;
    let mut connection = connection(place).await;
    for statement in [
        "create sequence ends",
        // Longer than a server waits for an answer; the second time it does not come to that.
        "create function slowly() returns trigger language plpgsql as \
         $$ begin if nextval('ends') = 1 then perform pg_sleep(6); end if; return null; end $$",
        "create constraint trigger slowly after update on einthoven_jobs deferrable initially deferred \
         for each row when (new.state = 'done') execute function slowly()",
    ] {
        connection.execute(statement).await.unwrap();
    }
    let jobs = place.started().await;
    let made = looking.create(new("key:a", "words")).await.unwrap();
    assert_eq!(reached(&jobs, &made.id, State::Done).await.attempts, 1);
    jobs.stop().await;
    assert_eq!(looking.result(View::All, &made.id).await.unwrap(), b"words");
    assert!(!place.holds(&made.id, "input-0").await);
    let held_up: bool = sqlx::query_scalar("select is_called from ends")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(held_up, "no end was held up");
}

async fn followers_who_wait(place: &Place) {
    let (deaf, jobs, id) = at_work(place).await;
    let other = place.started().await;
    let mut followers = Vec::new();
    for _ in 0..12 {
        let mut events = jobs.events(View::All, &id, None).await.unwrap();
        followers.push(tokio::spawn(async move { while events.next().await.is_some() {} }));
    }
    // Every question for events waits for as long as this holds the table, with the connection that it has.
    let mut connection = connection(place).await;
    let mut held = connection.begin().await.unwrap();
    held.execute("lock table einthoven_job_events in access exclusive mode")
        .await
        .unwrap();
    tokio::time::sleep(LEASE + LEASE / 4).await;
    held.rollback().await.unwrap();
    let next = jobs.create(new("key:b", "next")).await.unwrap();
    reached(&other, &next.id, State::Done).await;
    assert_eq!(other.get(View::All, &id).await.unwrap().attempts, 1);
    deaf.let_go();
    assert_eq!(reached(&other, &id, State::Done).await.attempts, 1);
    for follower in followers {
        follower.await.unwrap();
    }
}

async fn a_bucket_that_refuses(place: &Place, bucket: &Bucket) {
    let mut sharing = place.sharing().clone();
    let wrong = Bucket {
        secret_key: "not the one".into(),
        ..bucket.clone()
    };
    sharing.objects = Objects::in_bucket(&wrong, "refused").unwrap();
    sharing.bucket_patience = Duration::ZERO;
    let looking = place.open(place.settings()).await;
    let made = [
        looking.create(new("key:a", "one")).await.unwrap(),
        looking.create(new("key:b", "two")).await.unwrap(),
    ];
    let jobs = Jobs::share(place.settings(), sharing).await.unwrap();
    jobs.start(&(Arc::<Deaf>::default() as Arc<dyn Work>));
    for made in made {
        let failed = reached(&looking, &made.id, State::Failed).await;
        assert_eq!(failed.problem.unwrap()["status"], 503);
    }
}

/// A server that is told to stop while the database is away cannot put its job back, and is not heard of again.
async fn a_stop_during_an_outage(place: &Place, database: &Postgres) {
    let (deaf, jobs, id) = at_work(place).await;
    let crashed = "update einthoven_jobs set crashes = 2";
    connection(place).await.execute(crashed).await.unwrap();
    database.end();
    deaf.let_go();
    jobs.stop().await;
    database.begin();
    // One more crash, and it would be given up. This one was started later, and knows of no outage itself.
    let other = place.started().await;
    let done = reached(&other, &id, State::Done).await;
    assert_eq!((done.attempts, crashes(place, &id).await), (2, 2));
    assert_eq!(other.result(View::All, &id).await.unwrap(), b"words");
}

/// The database answers everybody else: the job is taken over, and the one before is alive, though it ends before it can say so there, or
/// comes back and says what is known by then.
async fn one_that_is_cut_off_alone(place: &Place, role: &str, comes_back: bool) {
    use secrecy::ExposeSecret;
    let mut own = connection(place).await;
    let mut own_do = async |statement: String| own.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    own_do(format!("create role {role} superuser login")).await;
    let mut sharing = place.sharing().clone();
    let url = sharing
        .database_url
        .expose_secret()
        .replace("//einthoven@", &format!("//{role}@"));
    sharing.database_url = url.into();
    let (deaf, jobs) = (
        Arc::<Deaf>::default(),
        Jobs::share(place.settings(), sharing).await.unwrap(),
    );
    jobs.start(&(Arc::clone(&deaf) as Arc<dyn Work>));
    let made = jobs.create(new("key:a", "words")).await.unwrap();
    reached(&jobs, &made.id, State::Running).await;
    // One more, and it would be given up.
    own_do("update einthoven_jobs set crashes = 2".to_owned()).await;
    own_do(format!("alter role {role} nologin")).await;
    own_do(format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'"
    ))
    .await;
    let other = place.started().await;
    let done = reached(&other, &made.id, State::Done).await;
    assert_eq!((done.attempts, crashes(place, &made.id).await), (2, 2));
    assert_eq!(other.result(View::All, &made.id).await.unwrap(), b"words");
    if comes_back {
        own_do(format!("alter role {role} login")).await;
        // The next of its own says that it is heard again.
        let next = jobs.create(new("key:b", "next")).await.unwrap();
        reached(&jobs, &next.id, State::Done).await;
    }
    deaf.let_go();
    jobs.stop().await;
    if comes_back {
        // Taken back once, by whoever took the job over; the two others stay.
        assert_eq!(crashes(place, &made.id).await, 2);
    }
    let done = other.get(View::All, &made.id).await.unwrap();
    assert_eq!((done.state, done.attempts), (State::Done, 2));
}

/// The work has said its last, and the bucket does not take the result: the server is at the job all the same.
async fn a_result_that_waits(place: &Place, bucket: &s3::Server) {
    let (deaf, jobs, id) = at_work(place).await;
    let other = place.started().await;
    // A folder under the result's name, where a file cannot go.
    let stands_in_the_way = bucket.folder().join("waits").join(&id).join("result-1.json");
    assert!(stands_in_the_way.parent().unwrap().join("input-0").exists());
    std::fs::create_dir_all(stands_in_the_way.join("x")).unwrap();
    deaf.let_go();
    tokio::time::sleep(LEASE + LEASE / 2).await;
    let info = jobs.get(View::All, &id).await.unwrap();
    assert_eq!((info.state, info.attempts), (State::Running, 1));
    std::fs::remove_dir_all(stands_in_the_way).unwrap();
    let done = reached(&other, &id, State::Done).await;
    assert_eq!((done.attempts, crashes(place, &id).await), (1, 0));
    assert_eq!(other.result(View::All, &id).await.unwrap(), b"late");
}

async fn what_has_no_job_goes(place: &Place) {
    let looking = place.open(place.settings()).await;
    let kept = looking.create(new("key:a", "kept")).await.unwrap();
    let objects = &place.sharing().objects;
    objects
        .put("gone", "result-1.json", Bytes::from_static(b"late"))
        .await
        .unwrap();
    let other = place.open(place.settings()).await;
    // It may have the job in hands meanwhile, whose input then stays as well.
    let deaf = Arc::<Deaf>::default();
    other.start(&(Arc::clone(&deaf) as Arc<dyn Work>));
    while place.holds("gone", "result-1.json").await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(place.holds(&kept.id, "input-0").await);
    deaf.let_go();
}
