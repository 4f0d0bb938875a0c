//! What a flood costs its neighbour: one caller with a row at a time, alone and beside somebody who keeps the queue full.
//!
//! `cargo run --release -p einthoven-dispatch --example flood`
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that cannot go on fails"
)]

use einthoven_dispatch::{Call, DispatchError, Dispatcher, Instance, Priority, Settings, Source, Tensor};
use einthoven_plugin_host::{DType, Failure, Outputs, Signature, TensorSpec, TensorView, Until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A batch takes so long, and each row as much again.
const BATCH: Duration = Duration::from_micros(500);
const ROW: Duration = Duration::from_micros(100);

/// Calls of the neighbour that are measured.
const MEASURED: usize = 2000;

/// Takes its time as an engine on a processor of its own would.
struct Sleeps;

impl Source for Sleeps {
    fn instance(&self) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(Self))
    }
}

impl Instance for Sleeps {
    fn run(&mut self, inputs: &[TensorView<'_>], _until: &Until) -> Result<Outputs, Failure> {
        let rows = inputs[0].dims()[0];
        std::thread::sleep(BATCH + ROW * rows as u32);
        let mut outputs = Outputs::default();
        outputs.add("y", DType::F32, &[rows, 1])?;
        Ok(outputs)
    }

    fn provider(&self) -> &str {
        "sleeps"
    }

    fn usable(&self) -> bool {
        true
    }
}

fn call(flow: &str, priority: Priority, rows: usize) -> Call {
    Call {
        inputs: vec![Tensor {
            name: "x".into(),
            dtype: DType::F32,
            dims: vec![rows, 1],
            data: vec![0; rows * 4].into(),
        }],
        priority,
        flow: flow.into(),
        deadline: None,
    }
}

/// Times of the neighbour's calls, ascending.
fn neighbour(queue: &Dispatcher) -> Vec<Duration> {
    let one = || {
        std::thread::sleep(Duration::from_micros(500));
        let start = Instant::now();
        let ticket = queue.submit(call("neighbour", Priority::Interactive, 1)).unwrap();
        ticket.wait().unwrap();
        start.elapsed()
    };
    let mut times: Vec<_> = std::iter::repeat_with(one).take(MEASURED).collect();
    times.sort_unstable();
    times
}

/// Keeps as many calls waiting as the queue takes.
fn flood(queue: &Dispatcher, priority: Priority, rows: usize, over: &AtomicBool) {
    let mut waiting = std::collections::VecDeque::new();
    while !over.load(Ordering::Relaxed) {
        match queue.submit(call("flood", priority, rows)) {
            Ok(ticket) => waiting.push_back(ticket),
            Err(DispatchError::Full { .. }) => {
                if let Some(first) = waiting.pop_front() {
                    first.wait().unwrap();
                }
            }
            Err(other) => panic!("{other}"),
        }
    }
}

fn main() {
    let spec = |name: &str, columns| TensorSpec {
        name: name.to_owned(),
        dtype: DType::F32,
        dims: vec![None, columns],
    };
    let queue = || {
        let signature = Signature {
            inputs: vec![spec("x", Some(1))],
            outputs: vec![spec("y", Some(1))],
        };
        let settings = Settings {
            instances: 2.try_into().unwrap(),
            ..Settings::default()
        };
        Dispatcher::new("sleeps", signature, Arc::new(Sleeps), None, settings)
    };
    let told = |what: &str, times: &[Duration], alone: Option<Duration>| {
        let at = |part: usize| times[(times.len() - 1) * part / 100];
        let ratio = alone.map_or(1.0, |alone| at(99).as_secs_f64() / alone.as_secs_f64());
        println!("{what}: p50 {:?}, p99 {:?}, {ratio:.2} times alone", at(50), at(99));
        at(99)
    };
    let alone = told("alone", &neighbour(&queue()), None);
    for (what, priority, rows) in [
        ("beside 1-row interactive calls", Priority::Interactive, 1),
        ("beside 64-row interactive calls", Priority::Interactive, 64),
        ("beside 256-row batch calls", Priority::Batch, 256),
    ] {
        let (queue, over) = (queue(), AtomicBool::new(false));
        let times = std::thread::scope(|scope| {
            scope.spawn(|| flood(&queue, priority, rows, &over));
            std::thread::sleep(Duration::from_millis(500));
            let times = neighbour(&queue);
            over.store(true, Ordering::Relaxed);
            times
        });
        told(what, &times, Some(alone));
    }
}
