//! Whole queues with threads, before an engine that sleeps, fails, panics and hangs as its inputs tell it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a test that cannot go on fails"
)]

mod fake;

use einthoven_dispatch::{Allowance, DispatchError, Priority, Settings};
use fake::{DIE, FAIL_ALL, FAIL_ITEM, Fake, HANG, PANIC, POISON, answers, call, ids, queue, settings, slow};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}

/// 64 tasks, calls of one to 200 rows, sleeps and failures between them: each gets its own answer or its own failure.
#[test]
fn ten_thousand_calls_get_their_own_answers() {
    let fake = Fake::default();
    let queue = Arc::new(queue(&fake, settings()));
    runtime().block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..64_u64 {
            let queue = Arc::clone(&queue);
            tasks.spawn(async move {
                let mut random = task.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
                let mut next = move |below: u64| {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    random % below
                };
                for number in 0..160_u64 {
                    let rows = if next(10) == 0 { 1 + next(200) } else { 1 + next(6) };
                    let mut ids = ids(task * 1000 + number, rows as usize);
                    let bad = match next(40) {
                        0 => Some(FAIL_ITEM),
                        1 => Some(FAIL_ALL),
                        2 if number % 4 == 0 => Some(POISON),
                        3 if number % 8 == 0 => Some(PANIC),
                        _ => None,
                    };
                    let place = next(rows) as usize;
                    if let Some(bad) = bad {
                        ids[place] = bad;
                    }
                    let priority = if rows > 64 {
                        Priority::Batch
                    } else {
                        Priority::Interactive
                    };
                    let call = call(&ids, &format!("flow {}", task % 7), priority, 1 + (task % 3) as usize);
                    match (queue.call(call).await, bad) {
                        (Ok(done), None) => assert_eq!(answers(&done), fake::expected(&ids)),
                        (Err(DispatchError::Failed(_) | DispatchError::Invalid(_)), Some(_)) => {}
                        (other, bad) => panic!("{other:?} for {bad:?}"),
                    }
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
    // An answer is there a moment before its call is counted out.
    let end = Instant::now() + Duration::from_secs(60);
    while queue.statistics().pending_calls > 0 && Instant::now() < end {
        std::thread::yield_now();
    }
    let statistics = queue.statistics();
    assert_eq!((statistics.pending_calls, statistics.pending_bytes), (0, 0));
    assert_eq!(
        statistics.succeeded + statistics.failed + statistics.invalid,
        64 * 160,
        "{statistics:?}"
    );
    assert!(statistics.executions < statistics.executed_rows, "nothing was batched");
    assert!(fake.most_rows.load(Ordering::Relaxed) <= 64);
}

/// One call of many rows keeps all instances busy, and comes back whole and in order.
#[test]
fn a_large_call_spreads_over_the_instances() {
    let fake = Fake::default();
    let queue = queue(&fake, settings());
    let ids = slow(ids(1, 2000));
    let done = queue
        .submit(call(&ids, "one", Priority::Batch, 1))
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(answers(&done), fake::expected(&ids));
    assert_eq!(done.outputs[0].dims, [2000, 1]);
    let used = fake.by_instance.lock().unwrap().clone();
    assert_eq!(used.len(), 2, "{used:?}");
    assert!(used.values().all(|batches| *batches >= 8), "{used:?}");
    assert!(fake.most_rows.load(Ordering::Relaxed) <= 64);
}

/// Deadlines are kept while the engine is busy and 1,000 wait, each told when it is its time, and what was told so never
/// reaches the engine. Who has no deadline gets the answer.
#[test]
fn deadlines_are_kept_while_an_engine_hangs() {
    let fake = Fake::default();
    let queue = queue(
        &fake,
        Settings {
            instances: 1.try_into().unwrap(),
            ..settings()
        },
    );
    let submit = |ids: &[f32], flow: u64, ms: Option<u64>| {
        let mut call = call(ids, &format!("flow {}", flow % 10), Priority::Interactive, 1);
        call.deadline = ms.map(|ms| Instant::now() + Duration::from_millis(ms));
        queue.submit(call).unwrap()
    };
    let hanging = submit(&[HANG], 0, Some(2500));
    fake.wait_until_it_hangs();
    runtime().block_on(async {
        let mut late = JoinSet::new();
        let mut patient = Vec::new();
        for number in 1..=500 {
            patient.push(submit(&ids(number, 1), number, None));
            let ticket = submit(
                &ids(number + 1000, 2),
                number,
                Some(if number % 2 == 0 { 300 } else { 2000 }),
            );
            late.spawn(async move { (number % 2, ticket.await) });
        }
        late.spawn(async move { (2, hanging.await) });
        let mut order = Vec::new();
        while let Some(done) = late.join_next().await {
            let (group, answered) = done.unwrap();
            assert_eq!(answered.unwrap_err(), DispatchError::Expired);
            order.push(group);
        }
        assert!(order.is_sorted(), "told out of turn");
        assert_eq!(queue.statistics().pending_calls, 501, "the engine still hangs");
        fake.release();
        for (ticket, number) in patient.into_iter().zip(1..) {
            assert_eq!(answers(&ticket.await.unwrap()), fake::expected(&ids(number, 1)));
        }
    });
    assert!(
        (1..=500).all(|number| !fake.saw(&ids(number + 1000, 2))),
        "an expired call was run"
    );
    assert_eq!(queue.statistics().expired, 501);
}

/// A row that takes the process of its batch with it fails alone: its neighbours are tried once more, each by itself.
#[test]
fn who_was_beside_a_row_that_kills_gets_an_answer() {
    let fake = Fake::default();
    let queue = queue(
        &fake,
        Settings {
            instances: 1.try_into().unwrap(),
            ..settings()
        },
    );
    let hanging = queue.submit(call(&[HANG], "a", Priority::Interactive, 1)).unwrap();
    fake.wait_until_it_hangs();
    let submit = |ids: &[f32]| queue.submit(call(ids, "a", Priority::Interactive, 1)).unwrap();
    let before: Vec<_> = (0..3).map(|number| (submit(&ids(number, 1)), number)).collect();
    let deadly = submit(&[DIE]);
    let after: Vec<_> = (3..6).map(|number| (submit(&ids(number, 1)), number)).collect();
    fake.release();
    assert!(hanging.wait().is_ok());
    assert!(matches!(deadly.wait(), Err(DispatchError::Failed(failure)) if failure.message.contains("died")));
    for (ticket, number) in before.into_iter().chain(after) {
        assert_eq!(answers(&ticket.wait().unwrap()), fake::expected(&ids(number, 1)));
    }
    let deaths = fake.deaths.load(Ordering::SeqCst);
    assert!(deaths <= 2, "once beside others, once alone, not {deaths} times");
}

/// The engine is told when everybody has gone, and calls that were cancelled while they waited are never run.
#[test]
fn cancelled_calls_never_run() {
    let fake = Fake::default();
    let queue = queue(
        &fake,
        Settings {
            instances: 1.try_into().unwrap(),
            ..settings()
        },
    );
    let hanging = queue.submit(call(&[HANG], "a", Priority::Interactive, 1)).unwrap();
    fake.wait_until_it_hangs();
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            queue
                .submit(call(&ids(number, 2), "b", Priority::Interactive, 1))
                .unwrap()
        })
        .collect();
    assert_eq!(queue.statistics().pending_calls, 21);
    drop(waiting);
    assert_eq!(queue.statistics().pending_calls, 1);
    drop(hanging);
    // The engine hears of it and lets go by itself.
    let done = queue
        .submit(call(&ids(99, 1), "c", Priority::Interactive, 1))
        .unwrap()
        .wait();
    assert_eq!(answers(&done.unwrap()), fake::expected(&ids(99, 1)));
    assert!((0..20).all(|number| !fake.saw(&ids(number, 2))));
    let statistics = queue.statistics();
    assert_eq!((statistics.cancelled, statistics.succeeded), (21, 1));
}

/// Dropping a queue answers what waits, lets finish what runs, and ends the threads.
#[test]
fn a_dropped_queue_answers_everybody() {
    let fake = Fake::default();
    let queue = queue(
        &fake,
        Settings {
            instances: 1.try_into().unwrap(),
            ..settings()
        },
    );
    let running = queue.submit(call(&[HANG], "a", Priority::Interactive, 1)).unwrap();
    fake.wait_until_it_hangs();
    let waiting = queue.submit(call(&ids(1, 300), "b", Priority::Batch, 1)).unwrap();
    drop(queue);
    assert_eq!(waiting.wait().unwrap_err(), DispatchError::Closed);
    fake.release();
    assert_eq!(answers(&running.wait().unwrap()), fake::expected(&[HANG]));
    let end = Instant::now() + Duration::from_secs(10);
    while fake.alive.load(Ordering::SeqCst) > 0 {
        assert!(Instant::now() < end, "an instance outlives its queue");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bounds: of one queue for one flow, of one queue, of the process.
#[test]
fn full_means_refused_with_a_time() {
    let fake = Fake::default();
    let process = Allowance::new(30, 1 << 20, 0);
    let queue = queue(
        &fake,
        Settings {
            instances: 1.try_into().unwrap(),
            queue_calls: 20,
            process: Arc::clone(&process),
            ..settings()
        },
    );
    let hanging = queue.submit(call(&[HANG], "flood", Priority::Interactive, 1)).unwrap();
    fake.wait_until_it_hangs();
    let mut held = vec![hanging];
    let refused = loop {
        match queue.submit(call(&ids(1, 1), "flood", Priority::Interactive, 1)) {
            Ok(ticket) => held.push(ticket),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, DispatchError::Full { retry_after } if retry_after >= Duration::from_millis(100)));
    assert_eq!(held.len(), 10);
    held.push(
        queue
            .submit(call(&ids(2, 1), "other", Priority::Interactive, 1))
            .unwrap(),
    );
    assert_eq!(process.held().0, 11);
    let large = queue.submit(call(&ids(3, 300_000), "other", Priority::Interactive, 1));
    assert!(
        matches!(large, Err(DispatchError::Full { .. })),
        "more than the process may hold"
    );
    drop(held);
    fake.release();
    let done = queue
        .submit(call(&ids(4, 1), "other", Priority::Interactive, 1))
        .unwrap()
        .wait();
    assert!(done.is_ok());
    let end = Instant::now() + Duration::from_secs(10);
    while process.held() != (0, 0) {
        assert!(Instant::now() < end, "room is not given back: {:?}", process.held());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(queue.statistics().refused, 2);
}

/// Short calls do not wait for long ones: while all instances run batch work, one more takes interactive calls.
#[test]
fn interactive_calls_pass_batch_work() {
    let fake = Fake::default();
    let queue = queue(&fake, settings());
    let mut long = Vec::new();
    // One after the other, else one instance takes both.
    for count in 1..=2 {
        long.push(queue.submit(call(&[HANG], "long", Priority::Batch, 1)).unwrap());
        fake.wait_until_hang(count);
    }
    let done = queue
        .submit(call(&ids(5, 1), "short", Priority::Interactive, 1))
        .unwrap()
        .wait();
    assert_eq!(answers(&done.unwrap()), fake::expected(&ids(5, 1)));
    assert_eq!(queue.statistics().instances, 3);
    fake.release();
    assert!(long.into_iter().all(|ticket| ticket.wait().is_ok()));
}

/// While one flow keeps all instances busy, and has many more rows waiting, one more takes the calls of others.
#[test]
fn a_light_flow_passes_a_flood() {
    let fake = Fake::default();
    let queue = queue(&fake, settings());
    let mut flood = Vec::new();
    for count in 1..=2 {
        flood.push(queue.submit(call(&[HANG], "flood", Priority::Interactive, 1)).unwrap());
        fake.wait_until_hang(count);
    }
    for number in 0..20 {
        flood.push(
            queue
                .submit(call(&ids(number, 1), "flood", Priority::Interactive, 1))
                .unwrap(),
        );
    }
    let done = queue
        .submit(call(&ids(50, 1), "light", Priority::Interactive, 1))
        .unwrap()
        .wait();
    assert_eq!(answers(&done.unwrap()), fake::expected(&ids(50, 1)));
    // A call is answered before its place is free.
    while queue.statistics().pending_calls > 22 {
        std::thread::yield_now();
    }
    assert_eq!(queue.statistics().pending_calls, 22, "the flood waits where it was");
    fake.release();
    assert!(flood.into_iter().all(|ticket| ticket.wait().is_ok()));
}

/// Instances that cannot be made fail calls at once, and are tried again.
#[test]
fn a_source_that_fails_and_comes_back() {
    let fake = Fake::default();
    fake.refuse.store(true, Ordering::SeqCst);
    let queue = queue(&fake, settings());
    let failed = queue
        .submit(call(&ids(1, 1), "a", Priority::Interactive, 1))
        .unwrap()
        .wait();
    assert!(matches!(failed, Err(DispatchError::Failed(failure)) if failure.message.contains("refused")));
    fake.refuse.store(false, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(600));
    let done = queue
        .submit(call(&ids(2, 1), "a", Priority::Interactive, 1))
        .unwrap()
        .wait();
    assert_eq!(answers(&done.unwrap()), fake::expected(&ids(2, 1)));
}

/// An output that has no rows cannot be shared out; calls run by themselves then.
#[test]
fn outputs_without_rows_are_never_shared() {
    let fake = Fake::default();
    fake.no_rows.store(true, Ordering::SeqCst);
    let queue = Arc::new(queue(
        &fake,
        Settings {
            instances: 1.try_into().unwrap(),
            ..settings()
        },
    ));
    runtime().block_on(async {
        let mut tasks = JoinSet::new();
        for number in 0..100 {
            let queue = Arc::clone(&queue);
            tasks.spawn(async move {
                let ids = slow(ids(number, 2));
                let done = queue.call(call(&ids, "a", Priority::Interactive, 1)).await.unwrap();
                assert_eq!(answers(&done), vec![fake::expected(&ids).iter().sum::<f32>()]);
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
}
