//! Convolutions and dense layers on the processor.
//!
//! Candle's own product asks the system for the number of processors every time, which on Linux reads `/proc/cpuinfo`
//! anew unless an environment variable is set, and a plugin may not set one. It also lays a convolution out with the
//! channels last and turns it back afterwards; here the product's result is the layer's.

use candle_core::{CpuStorage, CustomOp3, Layout, Result as Computed, Shape, bail};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use rayon::prelude::*;

/// A convolution of `[batch, in, length]` with `[out, in, kernel]` and a bias of `[1, out, 1]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Convolution {
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Computed<(CpuStorage, Shape)> {
        let (batch, inputs, length) = x_layout.shape().dims3()?;
        let (outputs, _, kernel) = weight_layout.shape().dims3()?;
        let (x, weight) = (values(x, x_layout)?, values(weight, weight_layout)?);
        let bias = values(bias, bias_layout)?;
        let padded = length + 2 * self.padding;
        if padded < kernel {
            bail!("a kernel of {kernel} is longer than a signal of {padded}");
        }
        let after = (padded - kernel) / self.stride + 1;
        let mut y = vec![0.0; batch * outputs * after];
        if y.is_empty() {
            return Ok((CpuStorage::F32(y), (batch, outputs, after).into()));
        }
        // With fewer items than threads, the channels of an item are shared out too.
        let shares = rayon::current_num_threads().div_ceil(batch);
        let share = outputs.div_ceil(shares);
        let depth = inputs * kernel;
        let plain = kernel == 1 && self.stride == 1 && self.padding == 0;
        y.par_chunks_mut(outputs * after)
            .zip(x.par_chunks(inputs * length))
            .try_for_each_init(Vec::new, |columns, (y, x)| {
                let columns = if plain {
                    x
                } else {
                    self.columns(x, length, kernel, after, columns);
                    columns
                };
                y.par_chunks_mut(share * after)
                    .zip(weight.par_chunks(share * depth))
                    .zip(bias.par_chunks(share))
                    .try_for_each(|((y, weight), bias)| {
                        for (row, bias) in y.chunks_exact_mut(after).zip(bias) {
                            row.fill(*bias);
                        }
                        add_product((weight, depth), (columns, after), y)
                    })
            })?;
        Ok((CpuStorage::F32(y), (batch, outputs, after).into()))
    }
}

impl Convolution {
    /// One row for each input channel and place of the kernel: what that weight meets, output by output.
    fn columns(self, x: &[f32], length: usize, kernel: usize, after: usize, columns: &mut Vec<f32>) {
        columns.clear();
        for signal in x.chunks_exact(length) {
            for place in 0..kernel {
                // Outputs whose input lies inside the signal.
                let first = self.padding.saturating_sub(place).div_ceil(self.stride).min(after);
                let end = (length + self.padding).saturating_sub(place).div_ceil(self.stride);
                let end = end.clamp(first, after);
                let row = columns.len();
                columns.resize(row + first, 0.0);
                if first < end {
                    let from = &signal[first * self.stride + place - self.padding..];
                    if self.stride == 1 {
                        columns.extend_from_slice(&from[..end - first]);
                    } else {
                        columns.extend(from.iter().step_by(self.stride).take(end - first));
                    }
                }
                columns.resize(row + after, 0.0);
            }
        }
    }
}

/// A dense layer: `[batch, in]` with `[in, out]` and a bias of `[1, out]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dense;

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Computed<(CpuStorage, Shape)> {
        let (batch, inputs) = x_layout.shape().dims2()?;
        let (_, outputs) = weight_layout.shape().dims2()?;
        let (x, weight) = (values(x, x_layout)?, values(weight, weight_layout)?);
        let mut y = values(bias, bias_layout)?.repeat(batch);
        let share = batch.div_ceil(rayon::current_num_threads()).max(1);
        y.par_chunks_mut(share * outputs)
            .zip(x.par_chunks(share * inputs))
            .try_for_each(|(y, x)| add_product((x, inputs), (weight, outputs), y))?;
        Ok((CpuStorage::F32(y), (batch, outputs).into()))
    }
}

/// Adds the product of two matrices, each with the length of its rows.
fn add_product(a: (&[f32], usize), b: (&[f32], usize), y: &mut [f32]) -> Computed<()> {
    let matrix = |(values, columns): (_, usize)| {
        let values: &[f32] = values;
        ArrayView2::from_shape((values.len() / columns.max(1), columns), values).map_err(candle_core::Error::wrap)
    };
    let (a, b) = (matrix(a)?, matrix(b)?);
    let mut y = ArrayViewMut2::from_shape((a.nrows(), b.ncols()), y).map_err(candle_core::Error::wrap)?;
    if a.ncols() != b.nrows() {
        bail!("a product of {:?} and {:?}", a.dim(), b.dim());
    }
    general_mat_mul(1.0, &a, &b, 1.0, &mut y);
    Ok(())
}

fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Computed<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("a tensor with gaps: {layout:?}");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use proptest::prelude::*;

    fn wave(dims: &[usize], step: f32) -> Tensor {
        let count = dims.iter().product::<usize>();
        let values: Vec<f32> = (0..count).map(|k| (k as f32 * step).sin()).collect();
        Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
    }

    fn distance(a: &Tensor, b: &Tensor) -> f32 {
        assert_eq!(a.dims(), b.dims());
        let values = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let pairs = values(a).into_iter().zip(values(b));
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn convolutions_are_those_of_candle(
            (batch, inputs, outputs) in (1_usize..4, 1_usize..5, 1_usize..10),
            (length, kernel) in (1_usize..40, 1_usize..9),
            (stride, padding) in (1_usize..4, 0_usize..8),
            threads in 1_usize..4,
        ) {
            prop_assume!(length + 2 * padding >= kernel);
            let (x, weight) = (wave(&[batch, inputs, length], 0.37), wave(&[outputs, inputs, kernel], 0.61));
            let bias = wave(&[1, outputs, 1], 0.9);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let ours = pool.install(|| x.apply_op3_no_bwd(&weight, &bias, &Convolution { stride, padding })).unwrap();
            let theirs = x.conv1d(&weight, padding, stride, 1, 1).unwrap().broadcast_add(&bias).unwrap();
            prop_assert!(distance(&ours, &theirs) < 1e-4);
        }

        #[test]
        fn dense_layers_are_those_of_candle(
            (batch, inputs, outputs) in (1_usize..9, 1_usize..40, 1_usize..40),
            threads in 1_usize..4,
        ) {
            let (x, weight) = (wave(&[batch, inputs], 0.37), wave(&[inputs, outputs], 0.61));
            let bias = wave(&[1, outputs], 0.9);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let ours = pool.install(|| x.apply_op3_no_bwd(&weight, &bias, &Dense)).unwrap();
            let theirs = x.matmul(&weight).unwrap().broadcast_add(&bias).unwrap();
            prop_assert!(distance(&ours, &theirs) < 1e-4);
        }
    }
}
