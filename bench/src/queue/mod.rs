//! What a flood costs its neighbour: one caller with a row at a time, alone, beside others who wait for their answers as it
//! does, and beside one who does not.

mod engines;

use crate::table::Row;
use einthoven_dispatch::{Call, DispatchError, Dispatcher, Priority};
use engines::Bed;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Calls of the neighbour that are measured, and how long it thinks between two.
const MEASURED: usize = 1500;
const THINKS: Duration = Duration::from_micros(500);

/// Callers who keep every instance busy, and each wait for the answer before they ask again.
const OTHERS: usize = 8;

/// Calls of a flood under way at once: what a queue takes of one flow, by its usual settings.
const FLOOD: usize = 2000;

const MOST: f64 = 1.5;

/// Fairness before an engine that sleeps, so that no processor is missing, and before one that computes on every core.
pub(crate) fn fairness(rows: &mut Vec<Row>) -> anyhow::Result<()> {
    for bed in [engines::sleeping(), engines::computing()?] {
        let alone = median_p99(&bed, None);
        let equal = median_p99(&bed, Some((Load::Others, Priority::Interactive, 1)));
        let floods = [
            (
                "interactive calls of one row",
                (Load::SameModel, Priority::Interactive, 1),
            ),
            (
                "interactive calls of 64 rows",
                (Load::SameModel, Priority::Interactive, 64),
            ),
            ("batch calls of 256 rows", (Load::SameModel, Priority::Batch, 256)),
            (
                "calls of 64 rows to another model",
                (Load::OtherModel, Priority::Interactive, 64),
            ),
        ];
        for (what, flood) in floods {
            let beside = median_p99(&bed, Some(flood));
            let ratio = beside.as_secs_f64() / equal.as_secs_f64();
            rows.push(Row {
                what: format!(
                    "{}: p99 of a neighbour beside a flood of {what}, against beside {OTHERS} callers who each wait for one row",
                    bed.name
                ),
                figure: format!(
                    "{ratio:.2} ({:.2} against {:.2} ms; {:.2} ms with nobody else, {:.1} x that)",
                    ms(beside),
                    ms(equal),
                    ms(alone),
                    beside.as_secs_f64() / alone.as_secs_f64()
                ),
                bound: "1.5",
                holds: ratio <= MOST,
            });
        }
    }
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    /// Callers of the same model, with a key each.
    Others,
    /// One key that keeps as many calls under way as the queue takes.
    SameModel,
    /// The same in the queue of another model on the same cores.
    OtherModel,
}

/// The median of three runs' 99th percentiles: a pause of the machine is not the queue's.
fn median_p99(bed: &Bed, load: Option<(Load, Priority, usize)>) -> Duration {
    let mut runs: Vec<_> = (0..3).map(|_| p99(bed, load)).collect();
    runs.sort_unstable();
    runs[1]
}

fn p99(bed: &Bed, load: Option<(Load, Priority, usize)>) -> Duration {
    let (queue, other, over) = (bed.queue(), bed.queue(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        if let Some((load, priority, rows)) = load {
            let call = |flow: &str| bed.call(flow, priority, rows);
            match load {
                Load::Others => {
                    for caller in 0..OTHERS {
                        let (queue, over, call) = (&queue, &over, call(&format!("other {caller}")));
                        scope.spawn(move || patient(queue, &call, over));
                    }
                }
                Load::SameModel => {
                    let (queue, over, call) = (&queue, &over, call("flood"));
                    scope.spawn(move || flood(queue, &call, over));
                }
                Load::OtherModel => {
                    let (queue, over, call) = (&other, &over, call("flood"));
                    scope.spawn(move || flood(queue, &call, over));
                }
            }
        }
        std::thread::sleep(Duration::from_millis(700));
        as_in_the_server();
        let call = bed.call("neighbour", Priority::Interactive, 1);
        let one = || {
            std::thread::sleep(THINKS);
            let start = Instant::now();
            answered(&queue, &call);
            start.elapsed()
        };
        let mut times: Vec<_> = std::iter::repeat_with(one).take(MEASURED).collect();
        over.store(true, Ordering::Relaxed);
        times.sort_unstable();
        times[(times.len() - 1) * 99 / 100]
    })
}

fn answered(queue: &Dispatcher, call: &Call) -> bool {
    queue.submit(call.clone()).and_then(|ticket| ticket.wait()).is_ok()
}

/// Callers are threads that answer, as those of the server's runtime are.
fn as_in_the_server() {
    einthoven_plugin_host::priority::before_computing();
}

fn patient(queue: &Dispatcher, call: &Call, over: &AtomicBool) {
    as_in_the_server();
    while !over.load(Ordering::Relaxed) && answered(queue, call) {}
}

fn flood(queue: &Dispatcher, call: &Call, over: &AtomicBool) {
    as_in_the_server();
    let mut waiting = VecDeque::new();
    while !over.load(Ordering::Relaxed) {
        let full = match queue.submit(call.clone()) {
            Ok(ticket) => {
                waiting.push_back(ticket);
                waiting.len() >= FLOOD
            }
            Err(DispatchError::Full { .. }) => true,
            Err(_) => return,
        };
        if full && let Some(first) = waiting.pop_front() {
            first.wait().ok();
        }
    }
}
