//! How many connections this process may hold.

use rustix::process::{Resource, getrlimit, setrlimit};

/// File descriptors that are kept for everything else: files of models, children, the database.
const OTHERS: u64 = 256;

/// The connections asked for, or as many as the file descriptors allow; raises the process's soft limit to do so.
pub(super) fn connections(asked: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let mut raised = limit;
        raised.current = limit.maximum;
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    let Some(files) = limit.current else { return asked };
    let possible = usize::try_from(files.saturating_sub(OTHERS))
        .unwrap_or(usize::MAX)
        .max(16);
    if possible < asked {
        tracing::warn!(
            "{possible} connections at once, not {asked}: the process may open {files} files; raise `ulimit -n` for more"
        );
    }
    asked.min(possible)
}
