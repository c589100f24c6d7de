//! The memory of one tensor: a pooled, aligned block seen as elements.

use super::pool::Block;
use crate::error::{ErrorKind, Result};
use crate::number::Element;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// `len` elements in a pooled block that begins on a cache line.
pub(super) struct Buffer<E> {
    block: Block,
    len: usize,
    element: PhantomData<E>,
}

impl<E: Element> Buffer<E> {
    /// Room for `len` elements, whose values are whatever the block held before.
    pub(super) fn new(len: usize) -> Result<Buffer<E>> {
        let bytes = len.checked_mul(size_of::<E>()).filter(|&bytes| bytes <= isize::MAX as usize);
        let bytes = bytes.ok_or(ErrorKind::OutOfMemory { bytes: usize::MAX })?;
        let block = Block::new(bytes).ok_or(ErrorKind::OutOfMemory { bytes })?;
        if E::DTYPE == bool::DTYPE {
            // SAFETY: the block has `bytes` bytes. Left-over bytes are no valid `bool`s, zeros are.
            unsafe { block.start.as_ptr().write_bytes(0, bytes) };
        }
        Ok(Buffer { block, len, element: PhantomData })
    }
}

impl<E: Element> Deref for Buffer<E> {
    type Target = [E];
    fn deref(&self) -> &[E] {
        // SAFETY: the block is aligned to 64 bytes, has room for `len` elements, is owned by this buffer and
        // initialised (cleared when fresh, written before reuse); any bytes are valid numbers, and those of a
        // `bool` buffer were set to zero. `Element` is sealed, so there are no other types.
        unsafe { std::slice::from_raw_parts(self.block.start.as_ptr().cast(), self.len) }
    }
}

impl<E: Element> DerefMut for Buffer<E> {
    fn deref_mut(&mut self) -> &mut [E] {
        // SAFETY: as in `deref`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.block.start.as_ptr().cast(), self.len) }
    }
}
