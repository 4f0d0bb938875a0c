//! Pointers and sizes of structs that a careless engine would follow.

use super::Bench;
use crate::raw::call::How;
use crate::raw::{Handle, Size, freed, open, open_nowhere};
use crate::{Outcome, Target};
use einthoven_plugin_abi::engine::EINTHOVEN_CPU;
use einthoven_plugin_abi::plugin::EINTHOVEN_OK;

pub(super) fn null(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let api = bench.api;
    let instance = bench.instance()?;
    let load = |handle, size, report| api.load(handle, &bench.package, &bench.config, size, report);
    let made = [
        ("open without a setup", open(api.open, "", Size::Null, Size::Whole)),
        ("load without an engine", load(Handle::NULL, Size::Whole, Size::Whole)),
        ("load without a package", load(bench.engine, Size::Null, Size::Whole)),
        (
            "instance without a model",
            api.instance(Handle::NULL, EINTHOVEN_CPU, Size::Whole, Size::Whole),
        ),
        (
            "instance without a device",
            api.instance(bench.model, EINTHOVEN_CPU, Size::Null, Size::Whole),
        ),
        (
            "load without package and report",
            load(bench.engine, Size::Null, Size::Null),
        ),
    ];
    for (what, made) in made {
        match made {
            Ok(_) => return Err(format!("{what}: it reports success")),
            Err(refusal) if refusal.status == EINTHOVEN_OK => return Err(format!("{what}: it reports success")),
            Err(_) => {}
        }
    }
    let mut statuses = vec![("open", open_nowhere(api.open))];
    statuses.extend(api.nowhere(bench.engine, bench.model));
    if let Some((what, _)) = statuses.iter().find(|(_, status)| *status == EINTHOVEN_OK) {
        return Err(format!("{what} with no place for its result: it reports success"));
    }
    let batch = bench.batch(1);
    let null_call = How {
        size: Size::Null,
        ..How::default()
    };
    for (what, answer) in [
        ("execute without a call", api.execute(instance, &batch, &null_call)),
        (
            "execute without an instance",
            api.execute(Handle::NULL, &batch, &How::default()),
        ),
    ] {
        if answer.refusal.status == EINTHOVEN_OK {
            return Err(format!("{what}: it reports success"));
        }
    }
    let how = How {
        null_inputs: true,
        ..How::default()
    };
    api.execute(instance, &batch, &how).must_fail("inputs that are null")?;
    let mut empty = batch;
    empty.inputs.iter_mut().for_each(|input| input.no_data = true);
    api.execute(instance, &empty, &How::default())
        .must_fail("inputs without data")?;
    for free in [api.release, api.unload, api.close] {
        freed(free, Handle::NULL);
    }
    bench.still_works(instance)?;
    Ok("every pointer in turn".to_owned())
}

pub(super) fn short_struct(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let api = bench.api;
    let instance = bench.instance()?;
    let beyond = |what: &str| Err(format!("{what}: it used what lies beyond the struct's `struct_size`"));
    let answer = api.execute(
        instance,
        &bench.batch(1),
        &How {
            size: Size::Short,
            ..How::default()
        },
    );
    if answer.refusal.beyond {
        return beyond("execute");
    }
    if answer.refusal.status == EINTHOVEN_OK {
        return Err("execute: it reports success though the host gave it no outputs".to_owned());
    }
    let damaged = bench.package.with_entry(|_| Vec::new());
    let made = [
        (
            "load",
            api.load(bench.engine, &bench.package, &bench.config, Size::Short, Size::Whole),
        ),
        (
            "load with a short report",
            api.load(bench.engine, &damaged, &bench.config, Size::Whole, Size::Short),
        ),
        (
            "instance",
            api.instance(bench.model, EINTHOVEN_CPU, Size::Short, Size::Whole),
        ),
        ("open", open(api.open, &bench.directory, Size::Short, Size::Whole)),
    ];
    for (what, made) in made {
        if made.is_err_and(|refusal| refusal.beyond) {
            return beyond(what);
        }
    }
    bench.still_works(instance)?;
    Ok("nothing beyond their ends was used".to_owned())
}

pub(super) fn long_struct(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let api = bench.api;
    let longer = |what: &str| format!("{what} of a host whose structs have more fields: it fails");
    open(api.open, &bench.directory, Size::Long, Size::Long).map_err(|_| longer("open"))?;
    let model = api.load(bench.engine, &bench.package, &bench.config, Size::Long, Size::Long);
    let model = model.map_err(|_| longer("load"))?;
    let instance = api.instance(model, EINTHOVEN_CPU, Size::Long, Size::Long);
    let instance = instance.map_err(|_| longer("instance"))?;
    let answer = api.execute(
        instance,
        &bench.batch(1),
        &How {
            size: Size::Long,
            ..How::default()
        },
    );
    answer.must_fit("a longer call", &bench.outputs, bench.rows())?;
    answer.must_equal("a longer call", &bench.run(bench.instance()?, 1)?, None)?;
    Ok("structs with 64 more bytes".to_owned())
}
