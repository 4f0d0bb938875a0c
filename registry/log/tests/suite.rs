//! What must hold wherever the log is kept: one list of checks, run on a file and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use einthoven_registry_log::{
    ChainBroken, Entry, FILE, FileLog, Hash, Head, Log, LogError, MAX_BODY, PostgresLog, Schema,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::fs;
use support::{Place, Server, all, append, body, is_chain, run, until};

#[tokio::test(flavor = "multi_thread")]
async fn file() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| Place::Folder(folder.path().join(name));
    steps(place("steps")).await;
    concurrent(place("concurrent")).await;
    reopened(place("reopened")).await;
    random(place("random")).await;
    watched(place("watched")).await;
    tampered(place("tampered")).await;
    copied(place("copied")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let server = Server::start().await;
    steps(server.fresh("steps").await).await;
    concurrent(server.fresh("concurrent").await).await;
    reopened(server.fresh("reopened").await).await;
    random(server.fresh("random").await).await;
    watched(server.fresh("watched").await).await;
    tampered(server.fresh("tampered").await).await;
    copied(server.fresh("copied").await).await;
    restored(server.fresh("restored").await).await;
    shaped(server.fresh("shaped").await).await;
}

async fn steps(place: Place) {
    let log = place.open().await;
    assert_eq!(log.head().await, Ok(Head::EMPTY));
    assert_eq!(log.verify(&[]).await.unwrap().head, Head::EMPTY);
    assert!(log.append(Head::EMPTY, Vec::new()).await.unwrap().is_empty());
    let first = log.append(Head::EMPTY, vec![body("a"), body("b")]).await.unwrap();
    assert_eq!(first.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2]);
    let head = first[1].head();
    assert_eq!(log.head().await, Ok(head));
    assert_eq!(
        log.append(Head::EMPTY, vec![body("c")]).await,
        Err(LogError::Moved { head })
    );
    // The same number with another hash is another log.
    let wrong = Head {
        seq: 2,
        hash: Hash::ZERO,
    };
    assert_eq!(log.append(wrong, vec![body("c")]).await, Err(LogError::Moved { head }));
    let long = body("x".repeat(MAX_BODY));
    for bad in ["", "[]", "1", "{", "{}}", "{\n}", "{}\n", " {}", "{\"a\":\u{1}}", &long] {
        let done = log.append(head, vec![body("c"), bad.to_owned()]).await;
        assert!(
            matches!(done, Err(LogError::Body { index: 1, .. })),
            "{bad:.20}: {done:?}"
        );
    }
    assert_eq!(all(&log).await, first, "a step is appended as a whole or not at all");
    let second = log.append(head, vec![body("c")]).await.unwrap();
    assert_eq!(log.read(1, 1).await.unwrap(), first[1..]);
    assert_eq!(log.read(2, 9).await.unwrap(), second);
    assert!(log.read(3, 9).await.unwrap().is_empty() && log.read(99, 9).await.unwrap().is_empty());
    assert!(log.read(0, 0).await.unwrap().is_empty());
    is_chain(&all(&log).await);
}

async fn concurrent(place: Place) {
    let log = place.open().await;
    let tasks: Vec<_> = (0..50)
        .map(|task| {
            let log = log.clone();
            tokio::spawn(async move {
                for round in 0..3 {
                    append(
                        &log,
                        vec![body(format!("{task} {round} 0")), body(format!("{task} {round} 1"))],
                    )
                    .await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let entries = all(&log).await;
    is_chain(&entries);
    let mut texts: Vec<&str> = entries.iter().map(|entry| entry.body.as_str()).collect();
    for pair in texts.chunks(2) {
        assert_eq!(
            pair[0].replace("0\"}", "1\"}"),
            pair[1],
            "nothing comes between the entries of a step"
        );
    }
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 300);
    log.verify(&[]).await.unwrap();
}

async fn reopened(place: Place) {
    let log = place.open().await;
    append(&log, vec![body("a")]).await;
    append(&log, vec![body("b"), body("c")]).await;
    let entries = all(&log).await;
    drop(log);
    let log = place.open().await;
    assert_eq!(all(&log).await, entries);
    assert_eq!(*log.watch().borrow(), 3);
    append(&log, vec![body("d")]).await;
    is_chain(&all(&log).await);
}

/// Bodies as other writers of JSON make them: any text, escaped or not, and numbers that a reader would round.
fn bodies() -> impl Strategy<Value = Vec<String>> {
    let text = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    let leaf = prop_oneof![
        text,
        Just(r#""\u0000\ud83d\ude00\/""#.to_owned()),
        Just("0.10000000000000000000001".to_owned()),
        Just("1e400".to_owned()),
        Just("{ }".to_owned()),
        Just(r#"{"seq":1,"body":{},"x":"\",\"body\":{"}"#.to_owned()),
    ];
    let body = prop::collection::vec((any::<String>(), leaf), 0..4).prop_map(|fields| {
        let fields: Vec<String> = fields
            .into_iter()
            .map(|(name, value)| format!("{} : {value}", serde_json::to_string(&name).unwrap()))
            .collect();
        format!("{{{}}}", fields.join(",\t"))
    });
    prop::collection::vec(body, 1..5)
}

async fn random(place: Place) {
    let log = place.open().await;
    let mut runner = TestRunner::default();
    let mut written = Vec::new();
    for _ in 0..100 {
        let bodies = bodies().new_tree(&mut runner).unwrap().current();
        append(&log, bodies.clone()).await;
        written.extend(bodies);
    }
    let read: Vec<String> = all(&log).await.into_iter().map(|entry| entry.body).collect();
    assert_eq!(read, written);
    log.verify(&[]).await.unwrap();
    drop(log);
    let read: Vec<String> = all(&place.open().await)
        .await
        .into_iter()
        .map(|entry| entry.body)
        .collect();
    assert_eq!(read, written);
}

async fn watched(place: Place) {
    let log = place.open().await;
    let other = place.other().await;
    let (mut own, theirs) = (log.watch(), other.watch());
    append(&log, vec![body("a"), body("b")]).await;
    assert_eq!(*own.borrow_and_update(), 2);
    until("hearing of another's append", || async {
        if let Log::File(_) = other {
            other.head().await.unwrap();
        }
        *theirs.borrow() == 2
    })
    .await;
    assert_eq!(all(&other).await, all(&log).await);
    if let Log::File(_) = other {
        let refused = other.append(other.head().await.unwrap(), vec![body("c")]).await;
        assert!(matches!(refused, Err(LogError::ReadOnly { .. })));
        let Place::Folder(folder) = &place else {
            panic!("a file lies in a folder")
        };
        let second = FileLog::open(folder).await.unwrap_err();
        assert!(matches!(second, LogError::InUse { .. }), "{second}");
    }
}

/// Puts entries in the place of all that are there, behind the log's back.
async fn replace(place: &Place, entries: &[Entry]) {
    match place {
        Place::Folder(folder) => {
            let line = |entry: &Entry| {
                format!(
                    "{{\"seq\":{},\"previous\":\"{}\",\"hash\":\"{}\",\"body\":{}}}\n",
                    entry.seq, entry.previous, entry.hash, entry.body
                )
            };
            fs::write(folder.join(FILE), entries.iter().map(line).collect::<String>()).unwrap();
        }
        Place::Database(url) => {
            run(url, "delete from einthoven_log").await.unwrap();
            for entry in entries {
                let statement = format!(
                    "insert into einthoven_log values ({}, '\\x{}', '\\x{}', '{}')",
                    entry.seq, entry.previous, entry.hash, entry.body
                );
                run(url, &statement).await.unwrap();
            }
        }
    }
}

async fn check(place: &Place, anchors: &[Head]) -> Result<Head, ChainBroken> {
    let verified = match place {
        Place::Folder(folder) => FileLog::verify_folder(folder, anchors).await,
        Place::Database(_) => place.open().await.verify(anchors).await,
    };
    verified.map(|verified| verified.head)
}

/// A chain made anew.
fn rehashed(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut at = Head::EMPTY;
    for entry in &mut entries {
        entry.seq = at.seq + 1;
        entry.previous = at.hash;
        entry.hash = Hash::of(entry.seq, entry.previous, &entry.body);
        at = entry.head();
    }
    entries
}

async fn tampered(place: Place) {
    let log = place.open().await;
    append(&log, (1..=9).map(body).collect()).await;
    let entries = all(&log).await;
    let heads: Vec<Head> = entries.iter().map(Entry::head).collect();
    drop(log);
    assert_eq!(check(&place, &heads).await, Ok(heads[8]));

    let mut changed = entries.clone();
    changed[3].body = body("another");
    replace(&place, &changed).await;
    let found = check(&place, &[]).await;
    assert!(matches!(found, Err(ChainBroken::Changed { seq: 4, .. })), "{found:?}");

    changed[3].hash = Hash::of(4, changed[3].previous, &changed[3].body);
    replace(&place, &changed).await;
    let found = check(&place, &[]).await;
    assert!(matches!(found, Err(ChainBroken::Unlinked { seq: 5, .. })), "{found:?}");

    for gap in [0..1, 0..4, 3..5, 7..8] {
        let mut removed = entries.clone();
        removed.drain(gap.clone());
        replace(&place, &removed).await;
        let (first, last) = (gap.start as u64 + 1, gap.end as u64);
        match check(&place, &[]).await {
            Err(ChainBroken::Removed {
                first: from, last: to, ..
            }) => assert_eq!((from, to), (first, last)),
            other => panic!("{other:?}"),
        }
    }

    let mut reordered = entries.clone();
    reordered.swap(2, 6);
    if let Place::Database(_) = place {
        // Rows have no order but their numbers.
        (reordered[2].seq, reordered[6].seq) = (3, 7);
    }
    replace(&place, &reordered).await;
    let found = check(&place, &[]).await;
    assert!(
        matches!(found, Err(ChainBroken::Reordered { seq: 3, found: 7, .. })),
        "{found:?}"
    );

    replace(&place, &entries[..6]).await;
    assert_eq!(check(&place, &heads[..6]).await, Ok(heads[5]));
    let (head, anchor) = (heads[5], heads[7]);
    assert_eq!(
        check(&place, &[heads[2], anchor]).await,
        Err(ChainBroken::Truncated { head, anchor })
    );

    let mut rewritten = entries.clone();
    rewritten[4].body = body("another");
    let rewritten = rehashed(rewritten);
    replace(&place, &rewritten).await;
    assert_eq!(check(&place, &heads[..4]).await, Ok(rewritten[8].head()));
    let (anchor, found) = (heads[8], rewritten[8].head());
    assert_eq!(
        check(&place, &[anchor]).await,
        Err(ChainBroken::Rewritten { anchor, found })
    );

    replace(&place, &entries).await;
    assert_eq!(check(&place, &heads).await, Ok(heads[8]));
}

async fn copied(place: Place) {
    let log = place.open().await;
    let head = append(&log, (0..2500).map(body).collect()).await[2499].head();
    let target = tempfile::tempdir().unwrap();
    let folder = target.path().join("backup");
    let meanwhile = async {
        for index in 0..20 {
            append(&log, vec![body(format!("later {index}"))]).await;
        }
    };
    let (copied, ()) = tokio::join!(log.copy_to(&folder, head), meanwhile);
    copied.unwrap();
    let again = log.copy_to(&folder, head).await;
    assert!(matches!(again, Err(LogError::NotEmpty { .. })), "{again:?}");
    let copy = Log::File(FileLog::open(&folder).await.unwrap());
    assert_eq!(copy.head().await, Ok(head));
    assert_eq!(all(&copy).await, all(&log).await[..2500]);
    append(&copy, vec![body("goes on")]).await;
    let absent = Head {
        seq: 9_999,
        hash: Hash::ZERO,
    };
    let refused = log.copy_to(target.path().join("other"), absent).await;
    assert_eq!(refused, Err(LogError::NoSuchHead { head: absent }));
    assert!(!target.path().join("other").join(FILE).exists());
}

async fn restored(place: Place) {
    let Place::Database(url) = &place else {
        panic!("a table lies in a database")
    };
    let folder = tempfile::tempdir().unwrap();
    let backup = Place::Folder(folder.path().to_owned()).open().await;
    append(&backup, (0..2500).map(body).collect()).await;
    let log = PostgresLog::connect(url).await.unwrap();
    let head = log.import(&backup).await.unwrap();
    assert_eq!(log.head().await, Ok(head));
    assert_eq!(log.read(0, usize::MAX).await.unwrap(), all(&backup).await);
    let again = log.import(&backup).await;
    assert!(matches!(again, Err(LogError::NotEmpty { .. })), "{again:?}");
    append(&Log::Postgres(log), vec![body("goes on")]).await;
}

/// Tables get their newest shape step by step, whoever comes first; what is not known is left alone.
async fn shaped(place: Place) {
    let Place::Database(url) = place else { return };
    const FIRST: &[&str] = &[
        "create table one (a integer)",
        "create table two (b integer)",
        "insert into one values (1)",
    ];
    const SECOND: &[&str] = &["alter table one add column c integer not null default 2"];
    const BROKEN: &[&str] = &[
        "alter table one add column d integer",
        "alter table none add column e integer",
    ];
    let schema = |steps| Schema {
        name: "numbers",
        tables: &["one", "two"],
        steps,
    };
    let (first, second) = (schema(&[FIRST]), schema(&[FIRST, SECOND]));
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let value = |question: &'static str| sqlx::query_scalar::<_, i32>(question).fetch_one(&pool);
    let (one, other) = tokio::join!(first.prepare(&pool), first.prepare(&pool));
    one.unwrap();
    other.unwrap();
    for _ in 0..2 {
        second.prepare(&pool).await.unwrap();
        assert_eq!(
            value("select c + (select count(*) from one)::integer from one")
                .await
                .unwrap(),
            3
        );
    }
    // A step that fails leaves nothing behind.
    schema(&[FIRST, SECOND, BROKEN]).prepare(&pool).await.unwrap_err();
    value("select d from one").await.unwrap_err();
    second.prepare(&pool).await.unwrap();

    let refused = async |schema: &Schema| schema.prepare(&pool).await.unwrap_err().to_string();
    let words = refused(&first).await;
    assert!(words.contains("numbers") && words.contains("version 2"), "{words}");
    run(&url, "delete from einthoven_schemas where name = 'numbers'")
        .await
        .unwrap();
    let words = refused(&second).await;
    assert!(words.contains("the table one is in the database"), "{words}");
    run(
        &url,
        "insert into einthoven_schemas values ('numbers', 2); drop table two",
    )
    .await
    .unwrap();
    let words = refused(&second).await;
    assert!(words.contains("the table two is gone"), "{words}");
}
