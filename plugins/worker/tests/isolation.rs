//! Whatever an engine does to its process, the parent lives, answers in time, and goes on with a new child.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../abi/tests/support/compiler.rs"]
mod compiler;

use einthoven_plugin_host::{Code, DType, Device, Failure, TensorView, Until};
use einthoven_plugin_worker::{Crashes, EngineSetup, Limits, LoadRequest, QUARANTINE_AFTER, Spawner, Worker, trial};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

const SEGFAULT: f32 = 1001.0;
const ABORT: f32 = 1002.0;
const HANG: f32 = 1003.0;
const EAT: f32 = 1004.0;
const ONCE: f32 = 1005.0;
const WAIT: f32 = 1006.0;
const LEAK: f32 = 1007.0;
const COMPUTE: f32 = 1008.0;
const LARGE: f32 = 1009.0;

/// The faulty engine, compiled once; `None` without a compiler.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let compile = || {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libfaults.so");
        compiler::compiled(&here.join("tests/faults.c"), &library, &[]).then_some(library)
    };
    LIBRARY.get_or_init(compile).as_deref()
}

fn spawner(library: &Path, mark: Option<&Path>) -> Arc<Spawner> {
    let child = env!("CARGO_BIN_EXE_einthoven-worker-child");
    // The mark reaches the engine through the environment of its child alone.
    let mark = mark.map_or_else(String::new, |mark| format!("EINTHOVEN_TEST_MARK={}", mark.display()));
    Arc::new(Spawner {
        program: PathBuf::from("/usr/bin/env"),
        arguments: [mark, child.to_owned()]
            .into_iter()
            .filter(|word| !word.is_empty())
            .map(Into::into)
            .collect(),
        setup: EngineSetup {
            plugins: vec![library.to_owned()],
            sections: serde_json::Map::new(),
        },
        limits: Limits {
            memory_bytes: 256 << 20,
            load: Duration::from_secs(20),
            batch: Duration::from_secs(20),
        },
        cancel: None,
    })
}

fn request() -> Arc<LoadRequest> {
    Arc::new(LoadRequest {
        engine: "gain-c".to_owned(),
        config: serde_json::json!({}),
        device: Device::Cpu,
        entry: "model.gain".to_owned(),
        files: vec![("model.gain".to_owned(), b"width 4\nscale 0.5\nbias 0.25\n".to_vec())],
        directory: None,
    })
}

fn run(worker: &mut Worker, first: f32, until: &Until) -> Result<Vec<f32>, Failure> {
    let values = [first, 1.0, 2.0, 3.0];
    let view = TensorView::new("x", DType::F32, &[1, 4], bytemuck::cast_slice(&values)).unwrap();
    let outputs = worker.run(&[view], until)?;
    Ok(outputs.get("y")?.as_f32()?.to_vec())
}

fn works(worker: &mut Worker) -> bool {
    run(worker, 8.0, &Until::default()).is_ok_and(|values| values == [4.25, 0.75, 1.25, 1.75])
}

#[test]
fn a_crash_is_answered_within_a_second_and_the_next_batch_runs() {
    let Some(library) = library() else { return };
    for (fault, word) in [(SEGFAULT, "signal 11"), (ABORT, "signal 6")] {
        let mut worker = Worker::start(spawner(library, None), request(), Crashes::default()).unwrap();
        assert!(works(&mut worker));
        let failure = run(&mut worker, fault, &Until::default()).unwrap_err();
        assert_eq!(failure.code, Code::Unavailable);
        assert!(failure.message.contains(word), "{failure}");
        // It crashed twice, the batch and its second try; the third child comes after a short wait.
        let start = Instant::now();
        while !works(&mut worker) {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "the worker did not come back"
            );
        }
    }
}

#[test]
fn a_batch_whose_child_is_killed_is_tried_once_more() {
    let Some(library) = library() else { return };
    let mark = Path::new(env!("CARGO_TARGET_TMPDIR")).join("killed-once");
    std::fs::remove_file(&mark).ok();
    let mut worker = Worker::start(spawner(library, Some(&mark)), request(), Crashes::default()).unwrap();
    let before = worker.process();
    let values = run(&mut worker, ONCE, &Until::default()).unwrap();
    assert_eq!(values[1..], [0.75, 1.25, 1.75]);
    assert_ne!(worker.process(), before);
}

#[test]
fn a_worker_killed_from_outside_while_idle_is_replaced() {
    let Some(library) = library() else { return };
    let mut worker = Worker::start(spawner(library, None), request(), Crashes::default()).unwrap();
    let process = worker.process().unwrap();
    Command::new("kill")
        .args(["-9", &process.to_string()])
        .status()
        .unwrap();
    assert!(works(&mut worker));
    assert_ne!(worker.process(), Some(process));
}

#[test]
fn an_engine_that_hangs_is_killed_at_the_deadline() {
    let Some(library) = library() else { return };
    let mut worker = Worker::start(spawner(library, None), request(), Crashes::default()).unwrap();
    let until = Until {
        deadline: Some(Instant::now() + Duration::from_millis(200)),
        cancelled: None,
    };
    let failure = run(&mut worker, HANG, &until).unwrap_err();
    assert_eq!(failure.code, Code::DeadlineExceeded);
    assert!(works(&mut worker));
}

#[test]
fn an_engine_at_work_hears_that_nobody_waits_and_the_next_batch_is_not_cancelled() {
    let Some(library) = library() else { return };
    let mut worker = Worker::start(spawner(library, None), request(), Crashes::default()).unwrap();
    let before = worker.process();
    for already in [false, true] {
        let flag = Arc::new(AtomicBool::new(already));
        let until = Until {
            deadline: None,
            cancelled: Some(Arc::clone(&flag) as _),
        };
        let failure = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(100));
                flag.store(true, Ordering::Relaxed);
            });
            run(&mut worker, WAIT, &until).unwrap_err()
        });
        assert_eq!(failure.code, Code::Cancelled, "{failure}");
        assert!(works(&mut worker));
    }
    assert_eq!(worker.process(), before, "a cancelled batch must not cost the worker");
}

#[test]
fn an_engine_that_eats_memory_meets_its_own_limit() {
    let Some(library) = library() else { return };
    let mut worker = Worker::start(spawner(library, None), request(), Crashes::default()).unwrap();
    let failure = run(&mut worker, EAT, &Until::default()).unwrap_err();
    assert_eq!(failure.code, Code::Unavailable, "{failure}");
}

/// Call by call it keeps more, twice what its child may have in the end: each time that it meets the limit the call is done by a new child,
/// and who called sees nothing of it.
#[test]
fn an_engine_that_leaks_is_started_again_and_no_call_fails() {
    let Some(library) = library() else { return };
    let crashes = Crashes::default();
    let mut worker = Worker::start(spawner(library, None), request(), crashes.clone()).unwrap();
    for call in 0..32 {
        let got = run(&mut worker, LEAK, &Until::default());
        assert_eq!(
            got.unwrap_or_else(|cause| panic!("call {call}: {cause}"))[1..],
            [0.75, 1.25, 1.75]
        );
    }
    assert!(crashes.quarantined().is_none());
}

#[test]
fn five_crashes_within_a_minute_are_quarantine_for_the_whole_model() {
    let Some(library) = library() else { return };
    let crashes = Crashes::default();
    let mut worker = Worker::start(spawner(library, None), request(), crashes.clone()).unwrap();
    let start = Instant::now();
    while crashes.quarantined().is_none() {
        run(&mut worker, SEGFAULT, &Until::default()).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(40), "never given up");
    }
    let failure = run(&mut worker, 8.0, &Until::default()).unwrap_err();
    assert!(
        failure.message.contains(&format!("crashed {QUARANTINE_AFTER} times")),
        "{failure}"
    );
    let Err(failure) = Worker::start(spawner(library, None), request(), crashes) else {
        panic!("a model in quarantine was started");
    };
    assert_eq!(failure.code, Code::Unavailable);
}

#[test]
fn two_workers_are_independent_and_a_large_batch_grows_the_shared_memory() {
    let Some(library) = library() else { return };
    let mut first = Worker::start(spawner(library, None), request(), Crashes::default()).unwrap();
    let mut second = Worker::start(spawner(library, None), request(), Crashes::default()).unwrap();
    run(&mut first, SEGFAULT, &Until::default()).unwrap_err();
    assert!(works(&mut second));
    let rows = 300_000;
    let values: Vec<f32> = (0..rows * 4).map(|i| (i % 1000) as f32).collect();
    let dims = [rows, 4];
    let view = TensorView::new("x", DType::F32, &dims, bytemuck::cast_slice(&values)).unwrap();
    let outputs = second.run(&[view], &Until::default()).unwrap();
    let got = outputs.get("y").unwrap().as_f32().unwrap();
    assert!(got.iter().zip(&values).all(|(got, value)| *got == value * 0.5 + 0.25));
    assert!(works(&mut second));
}

#[test]
fn a_trial_says_what_became_of_a_model_and_measures_it() {
    let Some(library) = library() else { return };
    let values = [8.0_f32, 1.0, 2.0, 3.0];
    let view = TensorView::new("x", DType::F32, &[1, 4], bytemuck::cast_slice(&values)).unwrap();
    let done = trial(&spawner(library, None), &request(), &[view], &[1, 32]).unwrap();
    assert_eq!(done.outputs.get("y").unwrap().as_f32().unwrap()[0], 4.25);
    assert_eq!(done.times.keys().collect::<Vec<_>>(), [&1, &32]);
    let deadly = [SEGFAULT, 1.0, 2.0, 3.0];
    let view = TensorView::new("x", DType::F32, &[1, 4], bytemuck::cast_slice(&deadly)).unwrap();
    let failure = trial(&spawner(library, None), &request(), &[view], &[]).unwrap_err();
    assert!(
        failure.message.contains("first run") && failure.message.contains("signal 11"),
        "{failure}"
    );
}

/// The same with children that have a second for a batch.
fn hurried(library: &Path) -> Spawner {
    let mut spawner = Spawner::clone(&spawner(library, None));
    spawner.limits.batch = Duration::from_secs(1);
    spawner
}

#[test]
fn what_takes_too_long_to_be_measured_is_left_out_and_the_model_is_as_good() {
    let Some(library) = library() else { return };
    let values = [LARGE, 1.0, 2.0, 3.0];
    let view = TensorView::new("x", DType::F32, &[1, 4], bytemuck::cast_slice(&values)).unwrap();
    let done = trial(&hurried(library), &request(), &[view], &[1, 8, 32, 128]).unwrap();
    assert_eq!(done.outputs.get("y").unwrap().as_f32().unwrap()[1], 0.75);
    assert_eq!(done.times.keys().collect::<Vec<_>>(), [&1, &8]);
}

/// Ends a process that was started to be in the way.
struct Busy(std::process::Child);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// All share one core, so that the child gets a small part of it and is not done within its second.
#[test]
fn a_child_that_waits_for_a_processor_is_waited_for() {
    let Some(library) = library() else { return };
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let core = allowed.unwrap().trim().split([',', '-']).next().unwrap().to_owned();
    let mut spawner = hurried(library);
    spawner.arguments.insert(0, "/usr/bin/env".into());
    spawner.arguments.splice(0..0, ["-c", &core].map(Into::into));
    spawner.program = PathBuf::from("/usr/bin/taskset");
    if !spawner.program.exists() || !Path::new("/proc/self/schedstat").exists() {
        return;
    }
    let in_the_way = || {
        let mut endless = Command::new(&spawner.program);
        endless.args(["-c", &core, "sh", "-c", "while kill -0 $PPID; do :; done"]);
        Busy(endless.spawn().unwrap())
    };
    let _busy: Vec<Busy> = (0..8).map(|_| in_the_way()).collect();
    let values = [COMPUTE, 1.0, 2.0, 3.0];
    let view = TensorView::new("x", DType::F32, &[1, 4], bytemuck::cast_slice(&values)).unwrap();
    let done = trial(&spawner, &request(), &[view], &[]).unwrap();
    assert_eq!(done.outputs.get("y").unwrap().as_f32().unwrap()[1], 0.75);
}
