//! This process, as Linux tells it.

use crate::exposition::Family;
use prometheus::proto::MetricFamily;
use std::fs;

/// Clock ticks a second in `/proc`: 100 on every Linux there is (`USER_HZ`).
const TICKS: f64 = 100.0;

/// The families that every Prometheus client gives of its process; none elsewhere than on Linux.
pub(crate) fn families() -> Vec<MetricFamily> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let bytes = |name| kib(&status, name).map(|kib| kib * 1024.0);
    let gauges = [
        ("process_resident_memory_bytes", "Memory in use.", bytes("VmRSS:")),
        ("process_virtual_memory_bytes", "Addresses in use.", bytes("VmSize:")),
        ("process_threads", "Threads.", kib(&status, "Threads:")),
        (
            "process_open_fds",
            "Open file descriptors.",
            fs::read_dir("/proc/self/fd").ok().map(|open| open.count() as f64),
        ),
        (
            "process_max_fds",
            "File descriptors that may be open.",
            limits.lines().find_map(|line| {
                line.strip_prefix("Max open files")?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            }),
        ),
        (
            "process_start_time_seconds",
            "Start, in seconds since 1970.",
            started(&stat),
        ),
    ];
    let gauges = gauges.into_iter().filter_map(|(name, help, value)| {
        let mut family = Family::gauge(name, help);
        family.add(&[], value?);
        family.done()
    });
    let cpu = cpu_seconds(&stat).and_then(|seconds| {
        let mut family = Family::counter(
            "process_cpu_seconds_total",
            "Time on processors, of this process alone.",
        );
        family.add(&[], seconds);
        family.done()
    });
    gauges.chain(cpu).collect()
}

/// A number of `/proc/self/status`.
fn kib(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A field of `/proc/self/stat` by its number in proc(5). The second is the program's name, in parentheses, and may hold spaces.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, after) = stat.rsplit_once(") ")?;
    after.split(' ').nth(number - 3)?.trim().parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS)
}

fn started(stat: &str) -> Option<f64> {
    let system = fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = system
        .lines()
        .find_map(|line| line.strip_prefix("btime ")?.parse().ok())?;
    Some(boot + field(stat, 22)? / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = "7 (a) b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 12345 1000 10";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(field(stat, 22), Some(12345.0));
        assert_eq!(cpu_seconds("nothing"), None);
    }
}
