//! What became of everything that was handed over.

/// Entries since the journal was opened. `received = stored + spooled + dropped` at every moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Handed over to be recorded.
    pub received: u64,
    /// In a segment; on disk where the mode says so.
    pub stored: u64,
    /// Taken, and waiting for the disk.
    pub spooled: u64,
    /// Not taken, because too much waits; or lost with an error that was returned.
    pub dropped: u64,
    /// Left out by the share of sampling; not among those received.
    pub unsampled: u64,
    /// Bytes of memory that those spooled take.
    pub spooled_bytes: usize,
    /// Writes to disk that failed and were tried again or answered with an error.
    pub failed_writes: u64,
}
