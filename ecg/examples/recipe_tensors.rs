//! Applies a recipe to raw leads, for training: the product and the training data use the same code.
//!
//! Reads jobs from standard input, one a line, fields separated by tabs: a file of samples (f32 little-endian, mV), the
//! rate in Hz, a file of R positions (f64 little-endian, samples) or `detect`, a prefix for the output,
//! the recipe's name. Writes one file a tensor, such as `PREFIX.beat` and `PREFIX.rr` (f32), and `PREFIX.r` (f64,
//! samples).

use std::io::BufRead;
use std::{fs, io};

use einthoven_ecg::detect;
use einthoven_ecg::recipe;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split('\t').collect();
        let [samples, rate, peaks, prefix, name] = fields[..] else {
            return Err(format!("expected five fields separated by tabs, got {line:?}").into());
        };
        let rate: f64 = rate.parse()?;
        let samples: Vec<f32> = values(samples, f32::from_le_bytes)?;
        let peaks: Vec<f64> = if peaks == "detect" {
            detect::r_peaks(&samples, rate).into_iter().map(|r| r as f64).collect()
        } else {
            values(peaks, f64::from_le_bytes)?
        };
        let recipe = recipe::by_name(name).ok_or_else(|| format!("there is no recipe {name:?}"))?;
        let prepared = recipe.prepare(&samples, rate, &peaks)?;
        for tensor in prepared.tensors(0..peaks.len()) {
            let bytes: Vec<u8> = tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect();
            fs::write(format!("{prefix}.{}", tensor.name), bytes)?;
        }
        fs::write(
            format!("{prefix}.r"),
            peaks.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>(),
        )?;
    }
    Ok(())
}

fn values<const N: usize, T>(path: &str, read: fn([u8; N]) -> T) -> io::Result<Vec<T>> {
    let bytes = fs::read(path)?;
    Ok(bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect())
}
