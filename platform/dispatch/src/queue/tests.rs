//! Instances that end because nothing is to do, with real threads.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::{Queue, Role};
use crate::call::{Call, Priority};
use crate::checked::Takes;
use crate::pending::Answered;
use crate::process::Allowance;
use crate::settings::{Instance, Settings, Source};
use crate::tensor::Tensor;
use crate::thread::Own;
use crate::ticket::Ticket;
use einthoven_plugin_host::{DType, Failure, Outputs, Signature, TensorSpec, TensorView, Until};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// What the test sees of the instances.
#[derive(Default, Clone)]
struct Engine(Arc<Counts>);

#[derive(Default)]
struct Counts {
    alive: AtomicUsize,
    running: AtomicUsize,
    go_on: AtomicBool,
    /// The next batch does.
    panics: AtomicBool,
    /// Whether there was no instance once, after the first.
    none_left: AtomicBool,
    /// Whose thread ran the last batch.
    ran: Mutex<Option<ThreadId>>,
}

struct Copy(Engine);

impl Source for Engine {
    fn instance(&self) -> Result<Box<dyn Instance>, Failure> {
        self.0.alive.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Copy(self.clone())))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if self.0.0.alive.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.0.none_left.store(true, Ordering::SeqCst);
        }
    }
}

impl Instance for Copy {
    fn run(&mut self, inputs: &[TensorView<'_>], _: &Until) -> Result<Outputs, Failure> {
        let counts = &self.0.0;
        *counts.ran.lock().unwrap() = Some(std::thread::current().id());
        assert!(!counts.panics.swap(false, Ordering::SeqCst), "as the test wants it");
        counts.running.fetch_add(1, Ordering::SeqCst);
        while !counts.go_on.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let mut outputs = Outputs::default();
        let output = outputs.add("y", DType::F32, inputs[0].dims())?;
        output.copy_from_slice(inputs[0].bytes());
        Ok(outputs)
    }

    fn provider(&self) -> &str {
        "test"
    }

    fn usable(&self) -> bool {
        true
    }
}

fn until(condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !condition() {
        assert!(Instant::now() < end, "it never came to that");
        std::thread::yield_now();
    }
}

fn submit(queue: &Arc<Queue>) -> impl FnOnce() -> Answered + use<> {
    let call = Call {
        inputs: vec![Tensor {
            name: "x".into(),
            dtype: DType::F32,
            dims: vec![1],
            data: vec![0; 4].into(),
        }],
        priority: Priority::Interactive,
        flow: "one".into(),
        deadline: Some(Instant::now() + Duration::from_secs(120)),
        alone: true,
    };
    let ticket = Ticket::new(Arc::clone(queue), queue.submit(call).unwrap());
    || ticket.wait()
}

/// A queue of two instances, where so many callers may run their calls themselves.
fn queue(engine: &Engine, callers: usize) -> Queue {
    let spec = |name: &str| TensorSpec {
        name: name.to_owned(),
        dtype: DType::F32,
        dims: vec![None],
    };
    let signature = Signature {
        inputs: vec![spec("x")],
        outputs: vec![spec("y")],
    };
    let settings = Settings {
        instances: 2.try_into().unwrap(),
        express: false,
        process: Allowance::new(100, 1 << 20, callers),
        ..Settings::default()
    };
    Queue::new("test", Takes::new(signature), settings, Arc::new(engine.clone()), None)
}

/// The engine has been so fast of late.
fn takes(queue: &Queue, time: Duration) {
    (0..300).for_each(|_| queue.learn(1, time));
}

const SHORT: Duration = Duration::from_micros(1);
const LONG: Duration = Duration::from_millis(1);

/// A call that is alone and soon over is run by who asked for it, once an instance sleeps; any other by an instance's thread.
#[test]
fn a_short_call_alone_runs_in_its_callers_thread() {
    let (engine, own) = (Engine::default(), std::thread::current().id());
    engine.0.go_on.store(true, Ordering::SeqCst);
    for (callers, time, here) in [(1, SHORT, true), (1, LONG, false), (0, SHORT, false)] {
        let queue = Arc::new(queue(&engine, callers));
        assert!(submit(&queue)().is_ok());
        assert_ne!(
            *engine.0.ran.lock().unwrap(),
            Some(own),
            "nothing was known of the engine"
        );
        until(|| queue.state().threads.idle() > 0);
        takes(&queue, time);
        for _ in 0..3 {
            assert!(submit(&queue)().is_ok());
            assert_eq!(*engine.0.ran.lock().unwrap() == Some(own), here, "{callers}, {time:?}");
            until(|| queue.state().threads.idle() > 0);
            takes(&queue, time);
        }
        queue.close();
        until(|| engine.0.alive.load(Ordering::SeqCst) == 0);
    }
}

/// An engine that panics under a caller fails that call, and the next has an instance again.
#[test]
fn a_panic_under_a_caller_fails_its_call_alone() {
    let (engine, own) = (Engine::default(), std::thread::current().id());
    engine.0.go_on.store(true, Ordering::SeqCst);
    let queue = Arc::new(queue(&engine, 1));
    for _ in 0..3 {
        assert!(submit(&queue)().is_ok());
        until(|| queue.state().threads.idle() > 0);
        takes(&queue, SHORT);
        engine.0.panics.store(true, Ordering::SeqCst);
        assert!(submit(&queue)().is_err());
        assert_eq!(*engine.0.ran.lock().unwrap(), Some(own));
    }
    assert!(submit(&queue)().is_ok());
    queue.close();
    until(|| engine.0.alive.load(Ordering::SeqCst) == 0);
}

/// While a caller runs its call others get an instance with a thread, and the queue can be closed.
#[test]
fn a_caller_who_runs_a_call_holds_nobody_up() {
    let engine = Engine::default();
    let counts = &engine.0;
    counts.go_on.store(true, Ordering::SeqCst);
    let queue = Arc::new(queue(&engine, 1));
    assert!(submit(&queue)().is_ok());
    until(|| queue.state().threads.idle() > 0);
    takes(&queue, SHORT);
    counts.running.store(0, Ordering::SeqCst);
    counts.go_on.store(false, Ordering::SeqCst);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| submit(&queue)().is_ok());
        until(|| counts.running.load(Ordering::SeqCst) == 1);
        assert_eq!(*counts.ran.lock().unwrap(), Some(first.thread().id()));
        let second = submit(&queue);
        until(|| counts.running.load(Ordering::SeqCst) == 2);
        assert_ne!(*counts.ran.lock().unwrap(), Some(std::thread::current().id()));
        let third = submit(&queue);
        queue.close();
        assert!(third().is_err());
        counts.go_on.store(true, Ordering::SeqCst);
        assert!(second().is_ok());
        assert!(first.join().unwrap());
    });
    until(|| counts.alive.load(Ordering::SeqCst) == 0);
}

/// Two instances fall asleep at the same moment and have nothing to do: one ends, the other stays, and calls that come just
/// then have their answers.
#[test]
fn instances_that_end_at_once_leave_one() {
    let engine = Engine::default();
    let counts = &engine.0;
    let mut queue = queue(&engine, 0);
    queue.idle = Duration::from_micros(500);
    let queue = Arc::new(queue);
    for round in 0..100 {
        counts.running.store(0, Ordering::SeqCst);
        counts.go_on.store(false, Ordering::SeqCst);
        let first = submit(&queue);
        until(|| counts.running.load(Ordering::SeqCst) == 1);
        let second = submit(&queue);
        until(|| counts.running.load(Ordering::SeqCst) == 2);
        counts.go_on.store(true, Ordering::SeqCst);
        assert!(first().is_ok() && second().is_ok(), "round {round}");
        if round % 2 == 0 {
            until(|| queue.statistics().instances <= 1);
        } else {
            // One after the other into the time in which they end.
            while queue.statistics().instances > 1 {
                assert!(submit(&queue)().is_ok(), "round {round}");
                std::thread::sleep(queue.idle);
            }
        }
        assert!(queue.state().threads.staying() >= 1, "round {round}");
        assert!(!counts.none_left.load(Ordering::SeqCst), "round {round}: both ended");
    }
    queue.close();
    until(|| counts.alive.load(Ordering::SeqCst) == 0);
    assert!(queue.next(Role::Any, &mut Own::default()).is_none());
}
