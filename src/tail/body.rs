//! What stands in a file at a place: in a compressed one, what comes out of it.
//!
//! So everything that knows a file by its bytes and reads it in blocks does not care whether rotation has
//! compressed it. Bytes are unpacked as they are asked for, in memory, and only a little of them is kept: whoever
//! asks for bytes far behind those asked for last waits until the file is unpacked again from its start.

use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::Limits;
use super::generation::open_regular;
use super::sibling::is_compressed;
use super::signature::{HEAD_BYTES, MARKER_BYTES, read_full};
use super::unpack::{End, Unpacker};

/// Unpacked bytes that are kept behind those asked for last.
const KEPT_BYTES: usize = 512 << 10;

/// How much is unpacked at a time.
const STEP_BYTES: usize = 64 << 10;

/// Bytes that can be asked for by their place.
pub(super) trait Bytes {
    /// As `pread(2)`: how many were put into the buffer, 0 at the end.
    fn bytes_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl Bytes for File {
    fn bytes_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read_at(buffer, offset)
    }
}

/// An open file.
#[derive(Debug)]
pub(super) enum Body {
    Plain(File),
    Packed(Box<Packed>),
}

impl Body {
    /// Opens a regular file; one with the name of a compressed file is read as what comes out of it.
    pub fn open(path: &Path, limits: Limits) -> io::Result<(Body, Metadata)> {
        let (file, metadata) = open_regular(path)?;
        if is_compressed(path.file_name().unwrap_or_default().as_bytes()) {
            return Ok((Body::Packed(Box::new(Packed::new(file, &metadata, limits)?)), metadata));
        }
        Ok((Body::Plain(file), metadata))
    }

    /// Where the open file really lies, whatever links led to it; `None` where `/proc` does not tell.
    pub fn real_path(&self) -> Option<PathBuf> {
        let file = match self {
            Body::Plain(file) => file,
            Body::Packed(packed) => &*packed.file,
        };
        fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
    }

    pub fn metadata(&self) -> io::Result<Metadata> {
        match self {
            Body::Plain(file) => file.metadata(),
            Body::Packed(packed) => packed.file.metadata(),
        }
    }

    /// The number of bytes in it; of a compressed one that is not unpacked yet, at least one more than are known.
    pub fn size(&self, metadata: &Metadata) -> u64 {
        match self {
            Body::Plain(_) => metadata.size(),
            Body::Packed(packed) => packed.size(),
        }
    }

    /// Where the next bytes are that somebody wrote, from this place on; `None`: a hole reaches to the end, whatever
    /// its size. A file system that knows of no holes tells the place itself.
    pub fn next_data(&self, from: u64) -> Option<u64> {
        let Body::Plain(file) = self else { return Some(from) };
        match rustix::fs::seek(file, SeekFrom::Data(from)) {
            Ok(found) => Some(found.max(from)),
            Err(Errno::NXIO) => None,
            Err(_) => Some(from),
        }
    }

    pub fn packed(&self) -> Option<&Packed> {
        match self {
            Body::Plain(_) => None,
            Body::Packed(packed) => Some(packed),
        }
    }
}

impl Bytes for Body {
    fn bytes_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Body::Plain(file) => file.read_at(buffer, offset),
            Body::Packed(packed) => packed.bytes_at(buffer, offset),
        }
    }
}

/// A compressed file.
pub(super) struct Packed {
    file: Arc<File>,
    limits: Limits,
    /// Size and time of the file when unpacking began.
    stamp: RefCell<(u64, i64, i64)>,
    window: RefCell<Window>,
}

impl Bytes for Packed {
    fn bytes_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.unpack_at(buffer, offset)
    }
}

/// What was unpacked last.
struct Window {
    unpacker: Unpacker,
    /// The first bytes of all.
    head: Vec<u8>,
    bytes: Vec<u8>,
    /// The place of the first of these bytes.
    start: u64,
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed").field("file", &self.file).finish_non_exhaustive()
    }
}

fn stamp(metadata: &Metadata) -> (u64, i64, i64) {
    (metadata.size(), metadata.mtime(), metadata.mtime_nsec())
}

impl Packed {
    fn new(file: File, metadata: &Metadata, limits: Limits) -> io::Result<Packed> {
        let file = Arc::new(file);
        let window = RefCell::new(Window::new(file.clone(), limits)?);
        Ok(Packed { file, limits, stamp: RefCell::new(stamp(metadata)), window })
    }

    /// Whether somebody is still writing to the file.
    pub fn has_changed(&self, metadata: &Metadata) -> bool {
        *self.stamp.borrow() != stamp(metadata)
    }

    /// Unpacks it anew: it has changed.
    pub fn begin_again(&self) -> io::Result<()> {
        *self.stamp.borrow_mut() = stamp(&self.file.metadata()?);
        *self.window.borrow_mut() = Window::new(self.file.clone(), self.limits)?;
        Ok(())
    }

    /// What has come out and, until its end is reached, something for what will.
    pub fn size(&self) -> u64 {
        let window = self.window.borrow();
        let left = match window.unpacker.end {
            Some(_) => 0,
            None => window.unpacker.left().max(1),
        };
        window.end() + left
    }

    /// Unpacks everything; the number of bytes that come out.
    pub fn length(&self) -> io::Result<u64> {
        let mut window = self.window.borrow_mut();
        while window.unpacker.end.is_none() {
            let end = window.end();
            window.advance(end)?;
        }
        Ok(window.end())
    }

    /// What is wrong with it, once its end is reached.
    pub fn trouble(&self) -> Option<End> {
        self.window.borrow().unpacker.end.clone().filter(|end| *end != End::Clean)
    }

    fn unpack_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut window = self.window.borrow_mut();
        if let Some(bytes) = window.of_head(buffer.len(), offset) {
            buffer.copy_from_slice(bytes);
            return Ok(buffer.len());
        }
        if offset < window.start {
            *window = Window::new(self.file.clone(), self.limits)?;
        }
        let want = offset.saturating_add(buffer.len() as u64);
        while window.end() < want && window.unpacker.end.is_none() {
            if let Err(e) = window.advance(offset) {
                // What came out so far is no use any more: the next call begins again.
                window.start = u64::MAX;
                return Err(e);
            }
        }
        let from = usize::try_from(offset - window.start).unwrap_or(usize::MAX);
        let bytes = window.bytes.get(from..).unwrap_or_default();
        let n = bytes.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(n)
    }
}

impl Window {
    fn new(file: Arc<File>, limits: Limits) -> io::Result<Window> {
        let unpacker = Unpacker::new(file, limits)?;
        Ok(Window { unpacker, head: Vec::new(), bytes: Vec::new(), start: 0 })
    }

    fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }

    fn of_head(&self, length: usize, offset: u64) -> Option<&[u8]> {
        let from = usize::try_from(offset).ok()?;
        self.head.get(from..from.checked_add(length)?)
    }

    /// Unpacks a little more, and lets go of what lies far before its end and before `wanted`.
    fn advance(&mut self, wanted: u64) -> io::Result<()> {
        let before = self.bytes.len();
        self.bytes.resize(before + STEP_BYTES, 0);
        let read = self.unpacker.read(self.bytes.get_mut(before..).unwrap_or_default());
        self.bytes.truncate(before + read.as_ref().map_or(0, |n| *n));
        read?;
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        let news = self.bytes.get(before..).unwrap_or_default();
        self.head.extend_from_slice(news.get(..missing.min(news.len())).unwrap_or_default());
        let needed = wanted.saturating_sub(MARKER_BYTES as u64);
        let keep_from = needed.min(self.end().saturating_sub(KEPT_BYTES as u64));
        let surplus = usize::try_from(keep_from.saturating_sub(self.start)).unwrap_or(0);
        if KEPT_BYTES < surplus {
            self.bytes.drain(..surplus);
            self.start += surplus as u64;
        }
        Ok(())
    }
}

/// Whether the shorter of two files holds the first bytes of the longer one, byte for byte.
pub(super) fn begins(shorter: &impl Bytes, longer: &impl Bytes) -> io::Result<bool> {
    let (mut ours, mut theirs) = (vec![0; STEP_BYTES], vec![0; STEP_BYTES]);
    let mut offset = 0;
    loop {
        let n = read_full(shorter, &mut ours, offset)?;
        let m = read_full(longer, &mut theirs, offset)?;
        if m < n || ours.get(..n) != theirs.get(..n) {
            return Ok(false);
        }
        if n < STEP_BYTES {
            return Ok(true);
        }
        offset += n as u64;
    }
}

/// Whether so many bytes of two files are the same, each from its place on.
pub(super) fn are_alike(
    (one, from): (&impl Bytes, u64),
    (other, other_from): (&impl Bytes, u64),
    count: u64,
) -> io::Result<bool> {
    let (mut ours, mut theirs) = (vec![0; STEP_BYTES], vec![0; STEP_BYTES]);
    let mut done = 0;
    while done < count {
        let want = usize::try_from(count - done).map_or(STEP_BYTES, |left| left.min(STEP_BYTES));
        let n = read_full(one, ours.get_mut(..want).unwrap_or_default(), from + done)?;
        let m = read_full(other, theirs.get_mut(..want).unwrap_or_default(), other_from + done)?;
        if n != want || m != want || ours.get(..want) != theirs.get(..want) {
            return Ok(false);
        }
        done += want as u64;
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
