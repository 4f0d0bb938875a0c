//! Who goes first where all cores are busy.

/// How much less than usual a thread that computes counts, in steps of about a quarter.
const NICE: i32 = 5;

/// How long the system lets a thread go on before another that is waiting gets its turn, where it can be told (Linux 6.12 and
/// later; it has 1 ms and more else). A flood's batches follow each other without a pause, and whoever is woken beside them
/// would wait so long on every core.
#[cfg(target_os = "linux")]
const TURN_NS: u64 = 100_000;

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
    take_short_turns();
}

/// Lets the calling thread, which reads requests and writes answers or computes a little for who must not wait, go on as soon
/// as there is something to do. Threads that it starts begin so, too.
pub fn before_computing() {
    take_short_turns();
}

/// Has the calling thread's turns last [`TURN_NS`]. Its share of the processor stays as it is.
#[cfg(target_os = "linux")]
fn take_short_turns() {
    let size = size_of::<libc::sched_attr>();
    // SAFETY: a structure of numbers, for which zeros are values.
    let mut attributes: libc::sched_attr = unsafe { std::mem::zeroed() };
    // SAFETY: the system writes at most `size` bytes of the structure, which lives during the call; 0 is the calling thread.
    let known = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, size, 0) } == 0;
    // Whoever gave the server another policy has reasons.
    if !known || attributes.sched_policy != libc::SCHED_OTHER as u32 {
        return;
    }
    attributes.size = size as u32;
    attributes.sched_runtime = TURN_NS;
    // SAFETY: the system reads the structure during the call. Older ones ignore the time.
    if unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) } != 0 {
        tracing::debug!("a thread keeps its turns: {}", std::io::Error::last_os_error());
    }
}

#[cfg(not(target_os = "linux"))]
fn take_short_turns() {}
