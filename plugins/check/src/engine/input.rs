//! Models and batches that are not what they should be.

use super::Bench;
use crate::answer::proper;
use crate::raw::call::{Batch, How, Input};
use crate::raw::engine::Spec;
use crate::raw::{Size, freed};
use crate::sample::{Package, batch, decoded, drawn, encoded};
use crate::{Outcome, Target};
use einthoven_plugin_abi::plugin::EINTHOVEN_OK;
use einthoven_plugin_host::DType;

pub(super) fn wrong_input(target: &Target) -> Outcome {
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

pub(super) fn zero_batch(target: &Target) -> Outcome {
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

pub(super) fn huge_dims(target: &Target) -> Outcome {
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

pub(super) fn refused_output(target: &Target) -> Outcome {
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

pub(super) fn corrupt_model(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let mut refused = 0;
    let mut next = drawn(1);
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

pub(super) fn bad_item(target: &Target) -> Outcome {
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
