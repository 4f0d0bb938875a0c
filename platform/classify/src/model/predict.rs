//! Probabilities of rows that a recipe makes: pieces of a batch's size, made when it is their turn, through the same queue
//! as everything else.

use super::served::ServedModel;
use super::spent::Spent;
use crate::error::ClassifyError;
use bytes::Bytes;
use einthoven_dispatch::{Call, DispatchError, Priority, Tensor, Ticket};
use einthoven_ecg::recipe::Tensor as Made;
use einthoven_plugin_host::{Code, DType, Failure, TensorSpec};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows above which nobody is thought to be waiting for the first of them.
const MOST_INTERACTIVE_ROWS: usize = 256;

/// How long work that has begun waits for room in the queue.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who something is computed for.
#[derive(Debug, Clone, Default)]
pub struct Demand {
    /// Whose it is: demands of different flows take turns. A key's or a person's name.
    pub flow: Arc<str>,
    /// When nobody waits any more.
    pub deadline: Option<Instant>,
    /// Whether it comes before longer work; by the number of rows where it is not said.
    pub priority: Option<Priority>,
    /// Where the time goes.
    pub spent: Spent,
}

/// Values of a recipe as bytes, not copied.
struct Values(Vec<f32>);

impl AsRef<[u8]> for Values {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

impl ServedModel {
    /// Probabilities, row-major `[rows, labels]`; `tensors` makes the inputs of a range of rows when it is their turn. Blocks.
    ///
    /// # Errors
    /// [`ClassifyError`] when the engine fails, the queue is full, or an input is missing or has another shape than the
    /// manifest says.
    pub fn predict(
        &self,
        rows: usize,
        tensors: impl FnMut(Range<usize>) -> Vec<Made>,
    ) -> Result<Vec<f32>, ClassifyError> {
        self.predict_for(&Demand::default(), rows, tensors)
    }

    /// The same for somebody.
    ///
    /// # Errors
    /// As [`ServedModel::predict`]; also when the deadline passes.
    pub fn predict_for(
        &self,
        demand: &Demand,
        rows: usize,
        mut tensors: impl FnMut(Range<usize>) -> Vec<Made>,
    ) -> Result<Vec<f32>, ClassifyError> {
        self.classifies()?;
        let priority = demand.priority.unwrap_or(if rows > MOST_INTERACTIVE_ROWS {
            Priority::Batch
        } else {
            Priority::Interactive
        });
        let settings = self.dispatcher().settings();
        // Enough that no instance waits for the next piece to be made, few enough that little lies in memory.
        let at_once = 2 * settings.instances.get();
        let piece = self.fixed_rows().unwrap_or(settings.batch_rows.get());
        let mut probabilities = Vec::with_capacity(rows * self.manifest().labels.len());
        let mut under_way: VecDeque<(Ticket, usize)> = VecDeque::with_capacity(at_once);
        for start in (0..rows).step_by(piece) {
            if under_way.len() >= at_once
                && let Some((first, rows)) = under_way.pop_front()
            {
                self.collect(first, rows, demand, &mut probabilities)?;
            }
            let end = rows.min(start + piece);
            let mut made = tensors(start..end);
            if self.fixed_rows().is_some() {
                made.iter_mut().for_each(|tensor| fill_up(tensor, piece));
            }
            let call = Call {
                inputs: self.inputs(&made)?,
                priority,
                flow: Arc::clone(&demand.flow),
                deadline: demand.deadline,
                alone: false,
            };
            demand.spent.prepared();
            // What has not begun is told at once; what has begun makes room itself, and then waits for others.
            let patience = Instant::now() + if start == 0 { Duration::ZERO } else { PATIENCE };
            let ticket = loop {
                match self.dispatcher().submit(call.clone()) {
                    Err(DispatchError::Full { retry_after }) if Instant::now() < patience => {
                        match under_way.pop_front() {
                            Some((first, rows)) => self.collect(first, rows, demand, &mut probabilities)?,
                            None => std::thread::sleep(retry_after.min(Duration::from_millis(100))),
                        }
                    }
                    other => break other?,
                }
            };
            under_way.push_back((ticket, end - start));
        }
        for (ticket, rows) in under_way {
            self.collect(ticket, rows, demand, &mut probabilities)?;
        }
        if probabilities.len() != rows * self.manifest().labels.len() {
            let text = format!("the model gave {} values for {rows} rows", probabilities.len());
            return Err(Failure::new(Code::Internal, text).into());
        }
        Ok(probabilities)
    }

    /// What the model gave for so many rows; those that fill up a batch are behind them.
    fn collect(
        &self,
        ticket: Ticket,
        rows: usize,
        demand: &Demand,
        probabilities: &mut Vec<f32>,
    ) -> Result<(), ClassifyError> {
        let done = ticket.wait()?;
        demand.spent.computed(done.queued, done.computed);
        let wanted = self.manifest().outputs.first().map_or("", |spec| spec.name.as_str());
        let output = done.outputs.iter().find(|output| *output.name == *wanted);
        let output = output.filter(|output| output.dtype == DType::F32).ok_or_else(|| {
            let text = format!("the model gave no output `{wanted}` of f32");
            Failure::new(Code::Internal, text)
        })?;
        let values = output
            .data
            .as_chunks::<4>()
            .0
            .iter()
            .take(rows * self.manifest().labels.len());
        probabilities.extend(values.map(|bytes| f32::from_le_bytes(*bytes)));
        Ok(())
    }

    /// The model's inputs, from the tensors of its recipe.
    fn inputs(&self, made: &[Made]) -> Result<Vec<Tensor>, Failure> {
        let rows = made
            .first()
            .and_then(|tensor| tensor.dims.first())
            .copied()
            .unwrap_or(0);
        let each = self
            .manifest()
            .inputs
            .iter()
            .zip(self.input_names())
            .map(|(spec, name)| {
                Ok(Tensor {
                    name: Arc::clone(name),
                    dtype: DType::F32,
                    dims: shape(spec, rows),
                    data: Bytes::from_owner(Values(self.fed(spec, made)?.values.clone())),
                })
            });
        each.collect()
    }

    /// The tensor of the recipe that an input takes.
    fn fed<'t>(&self, spec: &TensorSpec, made: &'t [Made]) -> Result<&'t Made, Failure> {
        let wanted = self.manifest().feeds.get(&spec.name).unwrap_or(&spec.name);
        made.iter().find(|tensor| tensor.name == wanted).ok_or_else(|| {
            Failure::invalid(format!(
                "the recipe {} makes no tensor `{wanted}` for the input `{}`",
                self.manifest().recipe.as_deref().unwrap_or_default(),
                spec.name
            ))
        })
    }
}

/// Repeats the last row until there are as many as the network wants.
fn fill_up(tensor: &mut Made, rows: usize) {
    let Some(have) = tensor.dims.first_mut() else { return };
    let row = tensor.values.len() / (*have).max(1);
    while *have < rows && row > 0 {
        tensor.values.extend_from_within(tensor.values.len() - row..);
        *have += 1;
    }
}

/// An input's shape for these rows: the rows, then what the manifest says of one; any size it leaves open must be one.
fn shape(spec: &TensorSpec, rows: usize) -> Vec<usize> {
    let row = spec.dims.iter().skip(1).map(|size| size.unwrap_or(1));
    std::iter::once(rows).chain(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_the_network_fixes_is_filled_up_with_its_last_row() {
        let mut made = Made {
            name: "row",
            dims: vec![2, 1, 3],
            values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        };
        fill_up(&mut made, 4);
        assert_eq!(made.dims, [4, 1, 3]);
        assert_eq!(made.values[6..], [4.0, 5.0, 6.0, 4.0, 5.0, 6.0]);
        let whole = made.values.clone();
        fill_up(&mut made, 4);
        assert_eq!(made.values, whole);
    }
}
