//! A server with all its processes: what they cost, and their end.

use anyhow::Context;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

/// What a tree of processes has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// Seconds of processor time.
    pub(crate) cpu_s: f64,
    /// Proportional resident memory, in MB.
    pub(crate) pss_mb: f64,
}

/// A server's data folder, removed when dropped: to be dropped after the server.
pub(crate) struct Data(PathBuf);

impl Data {
    /// A place where nothing is yet.
    pub(crate) fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("einthoven-bench-{}-{name}", std::process::id())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Ended when dropped.
pub(crate) struct Tree(pub(crate) Child);

impl Tree {
    pub(crate) fn cost(&self) -> Cost {
        self.members().into_iter().fold(Cost::default(), |sum, pid| Cost {
            cpu_s: sum.cpu_s + cpu_s(pid).unwrap_or_default(),
            pss_mb: sum.pss_mb + pss_mb(pid).unwrap_or_default(),
        })
    }

    fn members(&self) -> Vec<u32> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        for pid in processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
            if let Some(parent) = parent(pid) {
                children.entry(parent).or_default().push(pid);
            }
        }
        let mut members = vec![self.0.id()];
        let mut next = 0;
        while next < members.len() {
            members.extend(children.remove(&members[next]).unwrap_or_default());
            next += 1;
        }
        members
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        let members = self.members();
        let tell = |signal| {
            for pid in members
                .iter()
                .filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?))
            {
                kill_process(pid, signal).ok();
            }
        };
        tell(Signal::TERM);
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && !matches!(self.0.try_wait(), Ok(Some(_))) {
            std::thread::sleep(Duration::from_millis(50));
        }
        tell(Signal::KILL);
        self.0.wait().ok();
    }
}

/// The fields of `/proc/PID/stat` after the name, which may hold spaces.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

fn cpu_s(pid: u32) -> Option<f64> {
    let fields = stat(pid)?;
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    // User and system time, in hundredths of a second on Linux.
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

fn pss_mb(pid: u32) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find(|line| line.starts_with("Pss:")).context("no Pss")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(kib * 1024.0 / 1e6)
}
