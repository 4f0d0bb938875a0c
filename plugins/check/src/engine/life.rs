//! Many batches, instances and models, one after the other and at once.

use super::Bench;
use crate::raw::call::How;
use crate::raw::{Handle, Size, freed};
use crate::{Outcome, Target, memory};
use einthoven_plugin_abi::engine::EINTHOVEN_CPU;
use std::time::{Duration, Instant};

/// Seconds after which a cancelled batch must have come back.
const CANCELLED_S: u64 = 5;

pub(super) fn repeat(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let instance = bench.instance()?;
    let first = bench.run(instance, 1)?;
    for round in 0..50 {
        bench.run(instance, 2 + round % 3)?;
        bench
            .run(instance, 1)?
            .must_equal("the same batch again", &first, None)?;
    }
    bench
        .run(bench.instance()?, 1)?
        .must_equal("another instance", &first, None)?;
    Ok("100 batches".to_owned())
}

pub(super) fn two_instances(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let instances = [bench.instance()?, bench.instance()?];
    let batches = [bench.batch(1), bench.batch(2)];
    let alone = [bench.run(instances[0], 1)?, bench.run(instances[1], 2)?];
    let (api, outputs, rows) = (bench.api, &bench.outputs, bench.rows());
    let end = Instant::now() + Duration::from_secs(3);
    let work = |at: usize, instance: Handle| {
        let mut rounds = 0_u32;
        while rounds < 2000 && (Instant::now() < end || rounds < 20) {
            let answer = api.execute(instance, &batches[at], &How::default());
            answer.must_fit("beside another instance", outputs, rows)?;
            answer.must_equal("beside another instance", &alone[at], None)?;
            rounds += 1;
        }
        Ok(rounds)
    };
    let (first, second) = std::thread::scope(|scope| {
        let [one, two] = instances;
        let other = scope.spawn(move || work(1, two));
        (
            work(0, one),
            other.join().unwrap_or_else(|_| Err("the check failed".to_owned())),
        )
    });
    Ok(format!("{} batches at once", first? + second?))
}

pub(super) fn cancel(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let instance = bench.instance()?;
    let mut contexts = Vec::new();
    for how in [
        How {
            cancelled: true,
            ..How::default()
        },
        How {
            cancelled: true,
            remaining_ns: Some(0),
            ..How::default()
        },
        How {
            remaining_ns: Some(1),
            ..How::default()
        },
    ] {
        let start = Instant::now();
        let (answer, context) = bench.api.execute_and_watch(instance, &bench.batch(1), &how);
        let took = start.elapsed();
        if took > Duration::from_secs(CANCELLED_S) {
            return Err(format!(
                "a cancelled batch came back after {:.1} s; {CANCELLED_S} s are allowed",
                took.as_secs_f64()
            ));
        }
        if answer.may_fail("a cancelled batch")? {
            answer.must_fit("a cancelled batch that ran", &bench.outputs, bench.rows())?;
        }
        contexts.push(context);
    }
    std::thread::sleep(Duration::from_millis(300));
    if contexts.iter().any(|context| context.called_late()) {
        return Err("it called the host after the batch had returned".to_owned());
    }
    bench.still_works(instance)?;
    Ok("back in time, silent afterwards".to_owned())
}

pub(super) fn cycles(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let batch = bench.batch(1);
    memory::flat(target.cycles, bench.package.size(), || {
        let model = bench
            .api
            .load(bench.engine, &bench.package, &bench.config, Size::Whole, Size::Whole);
        let model = model.map_err(|refusal| format!("load failed with status {}", refusal.status))?;
        let instance = bench.api.instance(model, EINTHOVEN_CPU, Size::Whole, Size::Whole);
        let instance = instance.map_err(|refusal| format!("instance failed with status {}", refusal.status))?;
        let answer = bench.api.execute(instance, &batch, &How::default());
        answer.must_fit("a batch", &bench.outputs, bench.rows())?;
        freed(bench.api.release, instance);
        freed(bench.api.unload, model);
        Ok(())
    })
}

pub(super) fn close_all(target: &Target) -> Outcome {
    for _ in 0..3 {
        let bench = Bench::of(target)?;
        let instances = [bench.instance()?, bench.instance()?];
        bench.run(instances[0], 1)?;
        for instance in instances {
            freed(bench.api.release, instance);
        }
        freed(bench.api.unload, bench.model);
        freed(bench.api.close, bench.engine);
    }
    Ok("instances, model and engine, three times".to_owned())
}
