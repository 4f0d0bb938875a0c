//! The parent: one child per check, with a time limit, and the table of what they said.

use crate::{Check, MARK, OPENS, Target, checks};
use std::fmt;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The check.
    pub check: &'static str,
    /// Whether the plugin keeps to it.
    pub passed: bool,
    /// A note, or the reason.
    pub text: String,
}

/// All checks of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In the order in which they ran.
    pub verdicts: Vec<Verdict>,
}

impl Report {
    /// Whether none failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.passed)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for verdict in &self.verdicts {
            let word = if verdict.passed { "ok" } else { "FAILED" };
            writeln!(f, "{:<16} {word:<7} {}", verdict.check, verdict.text)?;
        }
        let failed = self.verdicts.iter().filter(|verdict| !verdict.passed).count();
        write!(f, "{} checks, {failed} failed", self.verdicts.len())
    }
}

/// Runs every check that a plugin of its kind has, or of these only those whose name is in `only`. `child` makes the
/// command that leads to [`run_one`](crate::run_one); it gets the check and the target as two more arguments.
pub fn run_all(child: impl Fn() -> Command, target: &Target, only: &[&str]) -> Report {
    let first = one(&child, target, "", &OPENS);
    let kind = first.text.split(' ').next().unwrap_or("").to_owned();
    let opened = first.passed;
    let mut verdicts = vec![first];
    if opened {
        for check in checks(&kind) {
            if only.is_empty() || only.contains(&check.name) {
                verdicts.push(one(&child, target, &kind, check));
            }
        }
    }
    Report { verdicts }
}

fn one(child: &impl Fn() -> Command, target: &Target, kind: &str, check: &Check) -> Verdict {
    let limit = Duration::from_secs(target.limit_s.unwrap_or(check.limit_s));
    let name = if kind.is_empty() {
        check.name.to_owned()
    } else {
        format!("{kind}/{}", check.name)
    };
    let ended = serde_json::to_string(target)
        .map_err(std::io::Error::other)
        .and_then(|target| wait(child().arg(name).arg(target), limit));
    let (passed, text) = match ended {
        Err(cause) => (false, format!("the check could not be started: {cause}")),
        Ok((None, _)) => (false, format!("it had not ended after {} s", limit.as_secs())),
        Ok((Some(status), printed)) => said(status, &printed),
    };
    Verdict {
        check: check.name,
        passed,
        text,
    }
}

/// Runs a child to its end; `None` when it had to be ended.
fn wait(command: &mut Command, limit: Duration) -> std::io::Result<(Option<ExitStatus>, String)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take();
    // Read beside the waiting, so that a plugin that prints a lot does not block.
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut output) = output {
            let _ = output.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Ok((status, reading.join().unwrap_or_default()))
}

fn said(status: ExitStatus, printed: &str) -> (bool, String) {
    let line = printed.lines().rev().find_map(|line| line.strip_prefix(MARK));
    match (status.signal(), status.code(), line) {
        (Some(signal), _, _) => (
            false,
            format!("the plugin crashed: its process was ended by signal {signal}"),
        ),
        (None, Some(code), Some(line)) => (code == 0, line.to_owned()),
        (None, code, None) => (
            false,
            format!("the plugin ended the process with code {}", code.unwrap_or(-1)),
        ),
        (None, None, Some(line)) => (false, line.to_owned()),
    }
}
