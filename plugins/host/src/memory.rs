//! What the C library's allocator, that of the engines, keeps of memory that was freed.
//!
//! The program's own allocator is another one, jemalloc (ARCHITECTURE.md says why there are two). It is told the same when it is built,
//! by `JEMALLOC_SYS_WITH_MALLOC_CONF` in `.cargo/config.toml`, as it reads its settings before `main`; glibc's can only be told by calls.
//!
//! Left alone it learns to keep more: after a model of 25 MB was freed it takes pieces of that size from its arenas, of which
//! every thread may get one, and gives back only what lies at their ends.

/// Pieces of this size and more are the system's, and go back to it when they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: i32 = 4 << 20;

/// What may lie free at the end of an arena.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: i32 = 4 << 20;

/// Arenas for each core: threads that compute and those that answer are seldom more at once.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS_A_CORE: usize = 2;

/// Makes the allocator keep little. To be called while there is one thread. Without effect where the C library is not glibc.
pub fn keep_little() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let arenas = i32::try_from(cores * ARENAS_A_CORE).unwrap_or(i32::MAX);
        for (parameter, value) in [
            (libc::M_MMAP_THRESHOLD, LARGE),
            (libc::M_TRIM_THRESHOLD, KEPT),
            (libc::M_ARENA_MAX, arenas),
        ] {
            // SAFETY: numbers alone are passed, and nobody else allocates meanwhile.
            unsafe { libc::mallopt(parameter, value) };
        }
    }
}

/// Gives back every free page, wherever it lies: after work that took much and is rare, such as loading a model. Takes
/// milliseconds.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: free pages alone are given back, under the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}
