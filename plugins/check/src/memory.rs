//! Whether memory stays flat.

use crate::Outcome;

/// Kilobytes that are no leak, over all measured cycles: what an allocator keeps.
const ALLOWED_KB: u64 = 2048;

/// Runs `cycle` so many times; resident memory may grow by 2 MiB and `bytes` (the size of what is loaded) between a
/// quarter of the way and the end.
pub(crate) fn flat(cycles: u32, bytes: usize, mut cycle: impl FnMut() -> Result<(), String>) -> Outcome {
    let warm = cycles / 4;
    for _ in 0..warm {
        cycle()?;
    }
    let before = resident_kb()?;
    for _ in warm..cycles {
        cycle()?;
    }
    let grown = resident_kb()?.saturating_sub(before);
    let allowed = ALLOWED_KB + bytes as u64 / 1024;
    if grown > allowed {
        return Err(format!(
            "memory grew by {grown} kB over {} cycles of load and unload; {allowed} kB are allowed",
            cycles - warm
        ));
    }
    Ok(format!("{cycles} cycles, {grown} kB more memory"))
}

fn resident_kb() -> Result<u64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|cause| cause.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| "the system does not say how much memory is used".to_owned())
}
