//! Rust's view of C's pointers with lengths.

use crate::plugin::Str;

/// Lends text across the border; the text must outlive the use of the result.
#[must_use]
pub const fn lend(text: &str) -> Str {
    Str {
        ptr: text.as_ptr().cast(),
        len: text.len() as u64,
    }
}

/// `len` values at `ptr`; empty for null.
///
/// # Safety
/// Unless null, `ptr` is aligned and leads to `len` values that live and stay unchanged for `'a`.
#[must_use]
pub unsafe fn slice<'a, T>(ptr: *const T, len: u64) -> &'a [T] {
    if ptr.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise; what does not fit the address space cannot be there.
    unsafe { std::slice::from_raw_parts(ptr, usize::try_from(len).unwrap_or(0)) }
}

/// The other side's text.
///
/// # Errors
/// When it is not UTF-8.
///
/// # Safety
/// As for [`slice()`].
pub unsafe fn borrow<'a>(text: Str) -> Result<&'a str, std::str::Utf8Error> {
    // SAFETY: the caller's promise.
    std::str::from_utf8(unsafe { slice(text.ptr.cast::<u8>(), text.len) })
}

/// A struct that starts with `struct_size`, as far as both sides know it; what lies beyond is zero, so null.
///
/// # Safety
/// `ptr` is null or leads to a struct of `T`'s family whose first field is its size in bytes; all-zero bytes are a valid `T`.
pub unsafe fn known_part<T: Copy>(ptr: *const T) -> Option<T> {
    if ptr.is_null() {
        return None;
    }
    // SAFETY: every struct of the family starts with its size as a `u32`.
    let size = unsafe { ptr.cast::<u32>().read() } as usize;
    let mut whole = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: the other side has `size` bytes there, we have room for `T`; the rest stays zero, which is a valid `T`.
    unsafe {
        std::ptr::copy_nonoverlapping(
            ptr.cast::<u8>(),
            whole.as_mut_ptr().cast::<u8>(),
            size.min(size_of::<T>()),
        );
        Some(whole.assume_init())
    }
}
