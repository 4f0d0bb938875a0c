//! Memory that parent and child both map.
//!
//! It can grow and never shrinks (the kernel sees to that), so no mapping ever loses its pages. The parent only copies in and
//! out: it holds no reference into memory that a child may change at any time. The first bytes are one atomic word, by which
//! the parent tells a child at work that nobody waits any more.

use einthoven_plugin_host::Cancellation;
use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, SealFlags};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes it starts with.
const FIRST: usize = 1 << 20;

/// Where tensors and files begin, behind the word.
pub(crate) const BEGIN: usize = 64;

/// Bytes it may grow to.
const LARGEST: usize = 8 << 30;

pub(crate) struct Shared {
    file: File,
    map: MmapRaw,
    word: Arc<CancelWord>,
}

impl Shared {
    /// New memory, empty.
    pub(crate) fn create() -> io::Result<Self> {
        let file: File = rustix::fs::memfd_create("einthoven", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into();
        file.set_len(FIRST as u64)?;
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK)?;
        Self::map(file)
    }

    /// The other side's memory.
    pub(crate) fn open(file: OwnedFd) -> io::Result<Self> {
        Self::map(file.into())
    }

    fn map(file: File) -> io::Result<Self> {
        let map = MmapOptions::new().map_raw(&file)?;
        let word = Arc::new(CancelWord(MmapOptions::new().len(BEGIN).map_raw(&file)?));
        Ok(Self { file, map, word })
    }

    /// A descriptor for the other side.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    /// The word that says whether anybody still waits.
    pub(crate) fn cancel_word(&self) -> &Arc<CancelWord> {
        &self.word
    }

    /// Bytes mapped.
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// Makes room for `bytes`.
    pub(crate) fn grow(&mut self, bytes: usize) -> io::Result<()> {
        if bytes <= self.len() {
            return Ok(());
        }
        if bytes > LARGEST {
            return Err(io::Error::other(format!(
                "{bytes} bytes of tensors are above the bound of {LARGEST}"
            )));
        }
        let size = bytes.next_power_of_two().min(LARGEST);
        if self.file.metadata()?.len() < size as u64 {
            self.file.set_len(size as u64)?;
        }
        self.map = MmapOptions::new().map_raw(&self.file)?;
        Ok(())
    }

    /// Copies bytes in.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.grow(offset.checked_add(bytes.len()).ok_or(io::ErrorKind::InvalidInput)?)?;
        // SAFETY: the range is mapped, as was just seen to; the source is ours and lies elsewhere.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.map.as_mut_ptr().add(offset), bytes.len()) };
        Ok(())
    }

    /// Copies bytes out.
    pub(crate) fn read(&mut self, offset: usize, into: &mut [u8]) -> io::Result<()> {
        let range = self.range(offset, into.len())?;
        // SAFETY: the range is mapped; the target is ours and lies elsewhere.
        unsafe { std::ptr::copy_nonoverlapping(self.map.as_ptr().add(range.start), into.as_mut_ptr(), into.len()) };
        Ok(())
    }

    /// Looks at bytes in place. Only for the child, whose parent leaves the memory alone while it waits for an answer.
    pub(crate) fn view(&self, offset: usize, len: usize) -> io::Result<&[u8]> {
        let range = self.range(offset, len)?;
        // SAFETY: the range is mapped, and nobody writes to it during this turn.
        Ok(unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(range.start), len) })
    }

    fn range(&self, offset: usize, len: usize) -> io::Result<Range<usize>> {
        let end = offset.checked_add(len).filter(|end| *end <= self.len());
        let end = end.ok_or_else(|| io::Error::other("a tensor lies outside the shared memory"))?;
        Ok(offset..end)
    }
}

/// The first bytes of the memory, mapped once more, so that they stay in their place when the memory grows.
#[derive(Debug)]
pub(crate) struct CancelWord(MmapRaw);

impl CancelWord {
    /// Says it: the parent before and during a batch.
    pub(crate) fn set(&self, cancelled: bool) {
        self.word().store(u32::from(cancelled), Ordering::Relaxed);
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: mapped as long as `self`, at the start of a page and so aligned; neither side touches these bytes in
        // any other way.
        unsafe { AtomicU32::from_ptr(self.0.as_mut_ptr().cast()) }
    }
}

impl Cancellation for CancelWord {
    fn is_cancelled(&self) -> bool {
        self.word().load(Ordering::Relaxed) != 0
    }
}

/// The next place whose elements are aligned.
pub(crate) fn aligned(offset: usize) -> usize {
    offset.next_multiple_of(64)
}
