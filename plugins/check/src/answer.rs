//! Judging what a plugin gave.

use crate::raw::Refusal;
use crate::raw::call::{Answer, Output};
use crate::raw::engine::Spec;
use einthoven_plugin_abi::plugin::{EINTHOVEN_OK, EINTHOVEN_POISONED};

/// Relative difference between two runs that is no difference: threads may add in another order.
const SAME: f64 = 1e-4;

/// A refusal must have a status of the contract and a sentence.
pub(crate) fn proper(what: &str, refusal: &Refusal) -> Result<String, String> {
    let status = refusal.status;
    if status == EINTHOVEN_OK {
        return Err(format!("{what}: it reports success but gave nothing"));
    }
    if !(EINTHOVEN_OK..=EINTHOVEN_POISONED).contains(&status) {
        return Err(format!("{what}: status {status} is not one of the contract"));
    }
    let said = refusal.said.as_deref().unwrap_or_default();
    let text = std::str::from_utf8(said).map_err(|_| format!("{what}: its sentence is not UTF-8"))?;
    if text.trim().is_empty() {
        return Err(format!("{what}: status {status} comes without a sentence"));
    }
    Ok(text.to_owned())
}

impl Answer {
    /// The batch must fail, and say why.
    pub(crate) fn must_fail(&self, what: &str) -> Result<(), String> {
        if self.refusal.status == EINTHOVEN_OK {
            return Err(format!("{what}: it reports success"));
        }
        proper(what, &self.refusal).map(drop)
    }

    /// The batch may fail with a sentence, or work.
    pub(crate) fn may_fail(&self, what: &str) -> Result<bool, String> {
        if self.refusal.status == EINTHOVEN_OK {
            return Ok(true);
        }
        proper(what, &self.refusal).map(|_| false)
    }

    /// The batch must work and give the outputs of the signature, for so many items.
    pub(crate) fn must_fit(&self, what: &str, outputs: &[Spec], rows: i64) -> Result<(), String> {
        if self.refusal.status != EINTHOVEN_OK {
            let said = proper(what, &self.refusal)?;
            return Err(format!("{what}: it failed with status {}: {said}", self.refusal.status));
        }
        for spec in outputs {
            let output = self.output(&spec.name);
            let output = output.ok_or_else(|| format!("{what}: there is no output `{}`", spec.name))?;
            let dims = output.dims.len() == spec.dims.len()
                && output
                    .dims
                    .iter()
                    .zip(&spec.dims)
                    .enumerate()
                    .all(|(at, (have, want))| {
                        let want = if at == 0 && *want < 0 { rows } else { *want };
                        want < 0 || *have == want
                    });
            if output.dtype != spec.dtype || !dims {
                return Err(format!(
                    "{what}: output `{}` is {} {:?} for {rows} items, its signature says {} {:?}",
                    spec.name, output.dtype, output.dims, spec.dtype, spec.dims
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn output(&self, name: &str) -> Option<&Output> {
        self.outputs.iter().find(|output| output.name == name)
    }

    /// Must be the other's values; `skipped` is an item that does not count.
    pub(crate) fn must_equal(&self, what: &str, other: &Self, skipped: Option<usize>) -> Result<(), String> {
        for output in &other.outputs {
            let mine = self.output(&output.name).map(Output::values).unwrap_or_default();
            let theirs = output.values();
            let rows = usize::try_from(output.dims.first().copied().unwrap_or(1)).unwrap_or(1);
            let width = (theirs.len() / rows.max(1)).max(1);
            if mine.len() != theirs.len() {
                return Err(format!("{what}: output `{}` has another size", output.name));
            }
            let differs = mine.iter().zip(&theirs).enumerate().find(|(at, (a, b))| {
                let counts = skipped.is_none_or(|skipped| at / width != skipped);
                counts && !close(**a, **b, SAME)
            });
            if let Some((at, (a, b))) = differs {
                return Err(format!(
                    "{what}: output `{}` of item {} is {a}, before it was {b}",
                    output.name,
                    at / width
                ));
            }
        }
        Ok(())
    }
}

/// Equal up to a share of the larger, or to the same small absolute difference.
pub(crate) fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}
