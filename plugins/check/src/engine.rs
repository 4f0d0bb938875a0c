//! The checks of an engine.

use crate::answer::{close, proper};
use crate::raw::{Answer, Batch, Functions, Handle, How, Input, Size, Spec, freed, open, open_nowhere};
use crate::sample::{Golden, Package, batch, decoded, encoded};
use crate::{Check, Outcome, Target, check, memory};
use einthoven_plugin_abi::engine::EINTHOVEN_CPU;
use einthoven_plugin_abi::plugin::EINTHOVEN_OK;
use einthoven_plugin_host::{DType, Plugin};
use std::time::{Duration, Instant};

pub(crate) const CHECKS: &[Check] = &[
    check("table", 30, table),
    check("answer", 60, answer),
    check("null", 60, null),
    check("short-struct", 60, short_struct),
    check("long-struct", 60, long_struct),
    check("wrong-input", 60, wrong_input),
    check("zero-batch", 60, zero_batch),
    check("huge-dims", 60, huge_dims),
    check("refused-output", 60, refused_output),
    check("corrupt-model", 120, corrupt_model),
    check("bad-item", 60, bad_item),
    check("repeat", 120, repeat),
    check("two-instances", 120, two_instances),
    check("cancel", 60, cancel),
    check("cycles", 900, cycles),
    check("close", 60, close_all),
];

/// Items of an ordinary batch.
const ROWS: i64 = 3;

/// Seconds after which a cancelled batch must have come back.
const CANCELLED_S: u64 = 5;

/// An engine with its model, open.
struct Bench {
    api: Functions,
    dtypes: u64,
    package: Package,
    golden: Option<Golden>,
    config: String,
    directory: String,
    engine: Handle,
    model: Handle,
    inputs: Vec<Spec>,
    outputs: Vec<Spec>,
}

impl Bench {
    fn of(target: &Target) -> Result<Self, String> {
        let plugin = Plugin::unsealed(&target.library).map_err(|cause| cause.to_string())?;
        let table = plugin.engine_api().ok_or("it is no engine")?;
        let api = Functions::of(&table)?;
        let package = Package::of(target, &plugin.formats)?;
        let directory = plugin.directory().map(|path| path.to_string_lossy().into_owned());
        let directory = directory.unwrap_or_default();
        let engine = open(api.open, &directory, Size::Whole, Size::Whole);
        let engine = engine.or_else(|refusal| Err(format!("it does not open: {}", proper("open", &refusal)?)))?;
        let config = target.config.to_string();
        let model = api.load(engine, &package, &config, Size::Whole, Size::Whole);
        let model = model.or_else(|refusal| {
            Err(format!(
                "`{}` does not load: {}",
                package.entry,
                proper("load", &refusal)?
            ))
        })?;
        let (inputs, outputs) = api.signature(model)?;
        Ok(Self {
            api,
            dtypes: table.dtypes,
            package,
            golden: Golden::of(target)?,
            config,
            directory,
            engine,
            model,
            inputs,
            outputs,
        })
    }

    fn instance(&self) -> Result<Handle, String> {
        let made = self.api.instance(self.model, EINTHOVEN_CPU, Size::Whole, Size::Whole);
        made.or_else(|refusal| Err(format!("no instance on the cpu: {}", proper("instance", &refusal)?)))
    }

    /// Items of a batch: the model's own where it fixes them.
    fn rows(&self) -> i64 {
        let first = self.inputs.first().and_then(|spec| spec.dims.first().copied());
        first.filter(|rows| *rows > 0).unwrap_or(ROWS)
    }

    fn batch(&self, seed: u64) -> Batch {
        batch(&self.inputs, self.golden.as_ref(), self.rows(), seed)
    }

    fn run(&self, instance: Handle, seed: u64) -> Result<Answer, String> {
        let answer = self.api.execute(instance, &self.batch(seed), &How::default());
        answer.must_fit("an ordinary batch", &self.outputs, self.rows())?;
        Ok(answer)
    }

    /// Nothing that came before has broken the instance.
    fn still_works(&self, instance: Handle) -> Result<(), String> {
        self.run(instance, 1)
            .map(drop)
            .map_err(|cause| format!("afterwards: {cause}"))
    }
}

fn table(target: &Target) -> Outcome {
    let plugin = Plugin::unsealed(&target.library).map_err(|cause| cause.to_string())?;
    let table = plugin.engine_api().ok_or("it is no engine")?;
    Functions::of(&table)?;
    let known = DType::ALL.iter().fold(0_u64, |bits, dtype| bits | 1 << dtype.code());
    if table.dtypes & known == 0 || table.devices == 0 {
        return Err("its table names no element type or no device that this host knows".to_owned());
    }
    if plugin.formats.is_empty() {
        return Err("it names no file ending, so no model would ever come to it".to_owned());
    }
    Ok(format!("formats {}", plugin.formats.join(", ")))
}

fn answer(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    if bench.api.signature(bench.model)? != (bench.inputs.clone(), bench.outputs.clone()) {
        return Err("the signature changes from call to call".to_owned());
    }
    for specs in [&bench.inputs, &bench.outputs] {
        for (at, spec) in specs.iter().enumerate() {
            if bench.dtypes & (1 << spec.dtype.code()) == 0 {
                return Err(format!(
                    "tensor `{}` is {}, which its table does not name",
                    spec.name, spec.dtype
                ));
            }
            if specs[..at].iter().any(|other| other.name == spec.name) {
                return Err(format!("two tensors are named `{}`", spec.name));
            }
        }
    }
    let runtime = bench.api.runtime(bench.engine)?;
    let instance = bench.instance()?;
    let provider = bench.api.provider(instance)?;
    bench.run(instance, 1)?;
    let Some(golden) = &bench.golden else {
        return Ok(format!(
            "runtime {runtime}, {provider}; no golden file, so only shapes were compared"
        ));
    };
    let batch = golden.batch(&bench.inputs)?;
    let rows = batch
        .inputs
        .first()
        .and_then(|input| input.dims.first().copied())
        .unwrap_or(1);
    let answer = bench.api.execute(instance, &batch, &How::default());
    answer.must_fit("the golden batch", &bench.outputs, rows)?;
    for (name, wanted) in &golden.outputs {
        let output = answer
            .output(name)
            .ok_or_else(|| format!("there is no output `{name}` as in the golden file"))?;
        let values = output.values();
        let worst = values
            .iter()
            .zip(&wanted.values)
            .find(|(a, b)| !close(**a, **b, golden.tolerance));
        if values.len() != wanted.values.len() || worst.is_some() {
            return Err(format!(
                "output `{name}` is not as in the golden file: {worst:?} of {} values",
                values.len()
            ));
        }
    }
    Ok(format!("runtime {runtime}, {provider}; as in the golden file"))
}

fn null(target: &Target) -> Outcome {
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

fn short_struct(target: &Target) -> Outcome {
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

fn long_struct(target: &Target) -> Outcome {
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

fn wrong_input(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let instance = bench.instance()?;
    let good = bench.batch(1);
    let mut count = 0;
    let mut refused = |what: String, change: &dyn Fn(&mut Batch)| {
        let mut batch = good.clone();
        change(&mut batch);
        count += 1;
        bench.api.execute(instance, &batch, &How::default()).must_fail(&what)
    };
    for (at, spec) in bench.inputs.iter().enumerate() {
        for dtype in DType::ALL.into_iter().filter(|dtype| *dtype != spec.dtype) {
            refused(format!("`{}` as {dtype}", spec.name), &|batch| {
                let dims = batch.inputs[at].dims.clone();
                let values = vec![0.0; dims.iter().product::<i64>().max(0) as usize];
                batch.inputs[at] = Input::new(&spec.name, dtype, dims, &encoded(dtype, &values));
            })?;
        }
        refused(format!("`{}` of an unknown type", spec.name), &|batch| {
            batch.inputs[at].dtype = 99
        })?;
        refused(format!("`{}` missing", spec.name), &|batch| {
            drop(batch.inputs.remove(at))
        })?;
        refused(format!("`{}` with too few bytes", spec.name), &|batch| {
            batch.inputs[at].len -= 1
        })?;
        refused(format!("`{}` with one dimension more", spec.name), &|batch| {
            batch.inputs[at].dims.push(1)
        })?;
        refused(format!("`{}` with no dimensions", spec.name), &|batch| {
            batch.inputs[at].dims.clear()
        })?;
    }
    bench.still_works(instance)?;
    Ok(format!("{count} wrong batches refused"))
}

fn zero_batch(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let instance = bench.instance()?;
    if bench
        .inputs
        .iter()
        .any(|spec| spec.dims.first().is_none_or(|first| *first >= 0))
    {
        return Ok("the model fixes its batch".to_owned());
    }
    let empty = batch(&bench.inputs, bench.golden.as_ref(), 0, 1);
    let answer = bench.api.execute(instance, &empty, &How::default());
    let note = if answer.may_fail("a batch of no items")? {
        answer.must_fit("a batch of no items", &bench.outputs, 0)?;
        "gives no rows"
    } else {
        "refused"
    };
    bench.still_works(instance)?;
    Ok(note.to_owned())
}

fn huge_dims(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let instance = bench.instance()?;
    for size in [i64::MAX, 1 << 62, 1 << 33, (1 << 32) + bench.rows(), -1, i64::MIN] {
        for at in 0..bench.inputs.len() {
            for dim in 0..bench.inputs[at].dims.len() {
                let mut batch = bench.batch(1);
                batch.inputs[at].dims[dim] = size;
                let what = format!("`{}` with dimension {dim} as {size}", batch.inputs[at].name);
                bench.api.execute(instance, &batch, &How::default()).must_fail(&what)?;
            }
        }
    }
    bench.still_works(instance)?;
    Ok("refused".to_owned())
}

fn refused_output(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let instance = bench.instance()?;
    let how = How {
        refuse_outputs: true,
        ..How::default()
    };
    bench
        .api
        .execute(instance, &bench.batch(1), &how)
        .must_fail("a host that gives no buffer")?;
    bench.still_works(instance)?;
    Ok("passed on".to_owned())
}

fn corrupt_model(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let mut refused = 0;
    let mut state = 1_u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for round in 0..40 {
        let damaged = bench.package.with_entry(|bytes| {
            let mut bytes = bytes.to_vec();
            match round {
                0..=9 => bytes.truncate(bytes.len() * round / 10),
                10 => bytes.fill(0),
                11 => bytes.fill(0xFF),
                _ if bytes.is_empty() => {}
                _ => {
                    let at = next() % bytes.len();
                    bytes[at] ^= 1 << (next() % 8);
                }
            }
            bytes
        });
        match bench
            .api
            .load(bench.engine, &damaged, &bench.config, Size::Whole, Size::Whole)
        {
            // A changed weight is still a model.
            Ok(model) if round > 11 => freed(bench.api.unload, model),
            Ok(_) if round == 0 => return Err("an empty file loads".to_owned()),
            Ok(model) => freed(bench.api.unload, model),
            Err(refusal) => {
                proper("a damaged file", &refusal)?;
                refused += 1;
            }
        }
    }
    let nowhere = Package {
        entry: "no such file".to_owned(),
        files: Vec::new(),
        directory: "".into(),
    };
    match bench
        .api
        .load(bench.engine, &nowhere, &bench.config, Size::Whole, Size::Whole)
    {
        Ok(_) => return Err("a package without files loads".to_owned()),
        Err(refusal) => proper("a package without files", &refusal)?,
    };
    Ok(format!("{refused} of 40 damaged files refused"))
}

fn bad_item(target: &Target) -> Outcome {
    const BAD: usize = 1;
    let bench = Bench::of(target)?;
    let instance = bench.instance()?;
    let clean = bench.run(instance, 1)?;
    for value in [f64::NAN, f64::INFINITY, -f64::MAX, 1e-40] {
        let mut batch = bench.batch(1);
        if bench.rows() < 2 {
            return Ok("the model takes one item at a time".to_owned());
        }
        for (input, spec) in batch.inputs.iter_mut().zip(&bench.inputs) {
            if matches!(spec.dtype, DType::F32 | DType::F16) {
                *input = spoilt(spec, input, value, BAD);
            }
        }
        let answer = bench.api.execute(instance, &batch, &How::default());
        let what = format!("one item of {value}");
        answer.must_fit(&what, &bench.outputs, bench.rows())?;
        for (item, code, text) in &answer.failed {
            if *item != BAD as u64
                || *code == EINTHOVEN_OK
                || std::str::from_utf8(text).map_or("", str::trim).is_empty()
            {
                return Err(format!(
                    "{what}: it marks item {item} with status {code} and {} bytes",
                    text.len()
                ));
            }
        }
        answer.must_equal(&what, &clean, Some(BAD))?;
    }
    bench.still_works(instance)?;
    Ok("the other items are as before".to_owned())
}

/// The input with all values of one item replaced.
fn spoilt(spec: &Spec, input: &Input, value: f64, item: usize) -> Input {
    let mut values = decoded(spec.dtype, &input.bytes());
    let rows = usize::try_from(input.dims[0]).unwrap_or(1).max(1);
    let width = values.len() / rows;
    values[item * width..(item + 1) * width].fill(value);
    Input::new(
        &spec.name,
        spec.dtype,
        input.dims.clone(),
        &encoded(spec.dtype, &values),
    )
}

fn repeat(target: &Target) -> Outcome {
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

fn two_instances(target: &Target) -> Outcome {
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

fn cancel(target: &Target) -> Outcome {
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

fn cycles(target: &Target) -> Outcome {
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

fn close_all(target: &Target) -> Outcome {
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
