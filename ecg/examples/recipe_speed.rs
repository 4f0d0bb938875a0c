//! Times `beat-rr-v1` on a day of one lead: `cargo run --release -p einthoven-ecg --example recipe_speed`.

use std::error::Error;
use std::time::Instant;

use einthoven_ecg::recipe::Recipe;

fn main() -> Result<(), Box<dyn Error>> {
    const RATE_HZ: f64 = 360.0;
    for hours in [0.5, 24.0] {
        let length = (hours * 3600.0 * RATE_HZ) as usize;
        let samples: Vec<f32> = (0..length)
            .map(|i| {
                let t = i as f64 / RATE_HZ;
                let phase = (t % 0.864) / 0.864;
                ((-((phase - 0.5) * 60.0).powi(2)).exp() + 0.1 * (t * 1.7).sin()) as f32
            })
            .collect();
        let beats = (hours * 3600.0 / 0.864) as usize - 1;
        let peaks: Vec<f64> = (0..beats).map(|k| (k as f64 + 0.5) * 0.864 * RATE_HZ).collect();
        let start = Instant::now();
        let prepared = Recipe::BeatRrV1.prepare(&samples, RATE_HZ, &peaks)?;
        let ready = start.elapsed();
        let mut sum = 0.0;
        for from in (0..beats).step_by(1024) {
            sum += prepared.tensors(from..from + 1024)[0].values[BEFORE];
        }
        println!(
            "{hours} h, {beats} beats: prepared in {ready:?}, windows included {:?} ({sum:.1})",
            start.elapsed()
        );
    }
    Ok(())
}

const BEFORE: usize = einthoven_ecg::recipe::beat_rr::BEFORE;
