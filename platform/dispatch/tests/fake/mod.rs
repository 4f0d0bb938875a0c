//! An engine whose inputs are numbers of rows: it gives back twice the number, or does what the number tells it.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared by tests and benches")]

use einthoven_dispatch::{Call, Dispatcher, Done, Instance, Priority, Settings, Source, Tensor};
use einthoven_plugin_host::{Code, DType, Failure, Outputs, Signature, TensorSpec, TensorView, Until};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The item fails by itself.
pub const FAIL_ITEM: f32 = -1.0;
/// The batch that holds it fails.
pub const FAIL_ALL: f32 = -2.0;
/// The batch fails and the instance with it.
pub const POISON: f32 = -3.0;
/// The instance panics.
pub const PANIC: f32 = -4.0;
/// The batch takes its process with it.
pub const DIE: f32 = -5.0;
/// The batch hangs until the engine is told to go on, or that nobody waits. So does one less.
pub const HANG: f32 = -10.0;
/// Added to a number: the batch takes a millisecond.
const SLOW: f32 = 8_000_000.0;

/// What tests see of the engine.
#[derive(Clone, Default)]
pub struct Fake(Arc<Inner>);

#[derive(Default)]
pub struct Inner {
    pub most_rows: AtomicUsize,
    pub by_instance: Mutex<HashMap<usize, usize>>,
    pub alive: AtomicUsize,
    pub refuse: AtomicBool,
    pub no_rows: AtomicBool,
    /// Batches that took their process with them.
    pub deaths: AtomicUsize,
    made: AtomicUsize,
    seen: Mutex<HashSet<u32>>,
    hanging: AtomicUsize,
    go_on: AtomicBool,
}

impl std::ops::Deref for Fake {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Fake {
    pub fn saw(&self, ids: &[f32]) -> bool {
        let seen = self.seen.lock().unwrap();
        ids.iter().any(|id| seen.contains(&id.to_bits()))
    }

    pub fn release(&self) {
        self.go_on.store(true, Ordering::SeqCst);
    }

    pub fn wait_until_it_hangs(&self) {
        self.wait_until_hang(1);
    }

    pub fn wait_until_hang(&self, count: usize) {
        while self.hanging.load(Ordering::SeqCst) < count {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Source for Fake {
    fn instance(&self) -> Result<Box<dyn Instance>, Failure> {
        if self.refuse.load(Ordering::SeqCst) {
            return Err(Failure::new(Code::Unavailable, "refused for a while"));
        }
        self.alive.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Copy {
            fake: self.clone(),
            number: self.made.fetch_add(1, Ordering::SeqCst),
            poisoned: false,
        }))
    }
}

struct Copy {
    fake: Fake,
    number: usize,
    poisoned: bool,
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.fake.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Instance for Copy {
    fn run(&mut self, inputs: &[TensorView<'_>], until: &Until) -> Result<Outputs, Failure> {
        assert!(!self.poisoned, "used after it was poisoned");
        let ids = inputs[0].as_f32()?;
        assert_eq!(inputs[0].bytes().as_ptr().addr() % 8, 0);
        // Every row of the second input repeats the first, as often as its shape says.
        let copies = inputs[1].dims()[1];
        for (id, repeated) in ids.iter().zip(inputs[1].as_f32()?.chunks(copies)) {
            assert!(repeated.iter().all(|other| other == id), "rows mixed up");
        }
        self.fake.most_rows.fetch_max(ids.len(), Ordering::Relaxed);
        *self.fake.by_instance.lock().unwrap().entry(self.number).or_default() += 1;
        self.fake.seen.lock().unwrap().extend(ids.iter().map(|id| id.to_bits()));
        if ids.iter().any(|id| *id <= HANG) {
            self.fake.hanging.fetch_add(1, Ordering::SeqCst);
            let gone = || {
                until
                    .cancelled
                    .as_ref()
                    .is_some_and(|cancelled| cancelled.is_cancelled())
            };
            while !self.fake.go_on.load(Ordering::SeqCst) {
                if until.deadline.is_none() && gone() {
                    return Err(Failure::new(Code::Cancelled, "nobody waits"));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        if ids.iter().any(|id| *id >= SLOW) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if ids.contains(&PANIC) {
            self.poisoned = true;
            panic!("as told");
        }
        if ids.contains(&POISON) {
            self.poisoned = true;
            return Err(Failure::new(Code::Poisoned, "poisoned as told"));
        }
        if ids.contains(&DIE) {
            self.fake.deaths.fetch_add(1, Ordering::SeqCst);
            return Err(Failure::new(Code::Unavailable, "the worker process died as told"));
        }
        if ids.contains(&FAIL_ALL) {
            return Err(Failure::internal("failed as told"));
        }
        let mut outputs = Outputs::default();
        let doubled: Vec<f32> = if self.fake.no_rows.load(Ordering::SeqCst) {
            vec![ids.iter().map(|id| id * 2.0).sum()]
        } else {
            ids.iter().map(|id| id * 2.0).collect()
        };
        let bytes: Vec<u8> = doubled.iter().flat_map(|value| value.to_le_bytes()).collect();
        let dims: &[usize] = &[doubled.len(), 1][..];
        let dims = if self.fake.no_rows.load(Ordering::SeqCst) {
            &[1]
        } else {
            dims
        };
        outputs.add("twice", DType::F32, dims)?.copy_from_slice(&bytes);
        for (item, _) in ids.iter().enumerate().filter(|(_, id)| **id == FAIL_ITEM) {
            outputs.fail_item(item, Failure::invalid("this item alone"));
        }
        Ok(outputs)
    }

    fn provider(&self) -> &str {
        "fake"
    }

    fn usable(&self) -> bool {
        !self.poisoned
    }
}

pub fn settings() -> Settings {
    Settings {
        instances: 2.try_into().unwrap(),
        process: einthoven_dispatch::Allowance::new(10_000, 1 << 30, 0),
        ..Settings::default()
    }
}

pub fn queue(fake: &Fake, settings: Settings) -> Dispatcher {
    let spec = |name: &str, dims: &[Option<usize>]| TensorSpec {
        name: name.to_owned(),
        dtype: DType::F32,
        dims: dims.to_vec(),
    };
    let signature = Signature {
        inputs: vec![spec("id", &[None]), spec("copies", &[None, None])],
        outputs: vec![spec("twice", &[None, Some(1)])],
    };
    Dispatcher::new("fake", signature, Arc::new(fake.clone()), None, settings)
}

/// Numbers that no other call has, small enough to be exact.
pub fn ids(call: u64, rows: usize) -> Vec<f32> {
    (0..rows)
        .map(|row| ((call * 250 + row as u64) % 4_000_000) as f32)
        .collect()
}

pub fn slow(ids: Vec<f32>) -> Vec<f32> {
    ids.into_iter().map(|id| id + SLOW).collect()
}

pub fn expected(ids: &[f32]) -> Vec<f32> {
    ids.iter().map(|id| id * 2.0).collect()
}

/// A call whose rows have as many copies as said: calls with other numbers of copies never share a batch with it.
pub fn call(ids: &[f32], flow: &str, priority: Priority, copies: usize) -> Call {
    let bytes = |values: &mut dyn Iterator<Item = f32>| -> bytes::Bytes {
        values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>().into()
    };
    let repeated = &mut ids.iter().flat_map(|id| std::iter::repeat_n(*id, copies));
    let tensor = |name: &str, dims: Vec<usize>, data| Tensor {
        name: name.into(),
        dtype: DType::F32,
        dims,
        data,
    };
    Call {
        inputs: vec![
            tensor("copies", vec![ids.len(), copies], bytes(repeated)),
            tensor("id", vec![ids.len()], bytes(&mut ids.iter().copied())),
        ],
        priority,
        flow: flow.into(),
        deadline: None,
        alone: true,
    }
}

pub fn answers(done: &Done) -> Vec<f32> {
    let chunks = done.outputs[0].data.chunks_exact(4);
    chunks
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}
