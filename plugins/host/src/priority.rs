//! Who goes first where all cores are busy.

/// How much less than usual a thread that computes counts, in steps of about a quarter.
const NICE: i32 = 5;

/// Lets threads that read requests and write answers go before the calling one, which computes: an answer that is late, or a
/// deadline that has passed, is told at once even while every core computes. Where the system does not allow it, nothing
/// changes.
pub fn after_requests() {
    // On Linux this is the thread's own, and is inherited by the threads and processes that it starts. A server that was told
    // to come after others must not be brought before them.
    let lower = rustix::process::getpriority_process(None).is_ok_and(|nice| nice < NICE);
    if lower && let Err(cause) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!("a thread keeps its priority: {cause}");
    }
}
