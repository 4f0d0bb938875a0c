//! The checks of an engine.

mod input;
mod life;
mod pointers;

use crate::answer::{close, proper};
use crate::raw::call::{Answer, Batch, How};
use crate::raw::engine::{Functions, Spec};
use crate::raw::{Handle, Size};
use crate::sample::{Golden, Package, batch};
use crate::{Check, Outcome, Target, check, opened};
use einthoven_plugin_abi::engine::EINTHOVEN_CPU;
use einthoven_plugin_host::{DType, Plugin};

pub(crate) const CHECKS: &[Check] = &[
    check("table", 30, table),
    check("answer", 60, answer),
    check("null", 60, pointers::null),
    check("short-struct", 60, pointers::short_struct),
    check("long-struct", 60, pointers::long_struct),
    check("wrong-input", 60, input::wrong_input),
    check("zero-batch", 60, input::zero_batch),
    check("huge-dims", 60, input::huge_dims),
    check("refused-output", 60, input::refused_output),
    check("corrupt-model", 120, input::corrupt_model),
    check("bad-item", 60, input::bad_item),
    check("repeat", 120, life::repeat),
    check("two-instances", 120, life::two_instances),
    check("cancel", 60, life::cancel),
    check("cycles", 900, life::cycles),
    check("close", 60, life::close_all),
];

/// Items of an ordinary batch.
const ROWS: i64 = 3;

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
        let (engine, directory) = opened(&plugin, api.open)?;
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
