//! How a file is recognised: by what it began with and by what stands before the place read to.
//!
//! Device and inode are not enough: ext4 gives the inode of a deleted file to the next one at once.
//! Only bytes that were read as complete lines are compared, so that a line that is still being
//! written, or a block whose data arrive after its size, cannot make a file look like another.

use std::io;

use sha2::{Digest, Sha256};

use super::body::Bytes;
use super::trail::Trail;

/// How many bytes from the start of a file tell it from others.
pub const HEAD_BYTES: usize = 1024;

/// How many bytes before the offset tell whether the file was cut off and written anew.
pub const MARKER_BYTES: usize = 256;

/// SHA-256 (FIPS 180-4) of a few bytes at a place known from elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    /// How many bytes were hashed.
    pub len: u32,
    /// Their SHA-256.
    pub hash: [u8; 32],
}

impl Signature {
    /// The signature of these bytes, of which there are at most [`HEAD_BYTES`].
    pub fn of(bytes: &[u8]) -> Signature {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Signature { len, hash: Sha256::digest(bytes).into() }
    }

    /// A signature that no bytes have: what it should cover can no longer be read.
    pub(super) fn of_nothing(len: usize) -> Signature {
        Signature { len: u32::try_from(len).unwrap_or(u32::MAX), hash: [0; 32] }
    }

    pub(super) fn is_of_nothing(&self) -> bool {
        self.hash == [0; 32]
    }

    /// Whether these bytes stand in the file at `offset`. False if the file is too short.
    pub(super) fn stands_in(&self, file: &impl Bytes, offset: u64) -> io::Result<bool> {
        let mut buffer = [0; HEAD_BYTES];
        let Some(part) = buffer.get_mut(..self.len as usize) else { return Ok(false) };
        Ok(read_full(file, part, offset)? == part.len() && Signature::of(part) == *self)
    }
}

/// Reads until the buffer is full or the file ends; returns the number of bytes read.
pub(super) fn read_full(
    file: &(impl Bytes + ?Sized),
    buffer: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.bytes_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// From how many first bytes a file that is shorter than its signature can be told from others.
const RUNGS: [usize; 14] = [2, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768];

/// How many digits there must be in the bytes by which a file is known wherever it is: a stamp has as many. Lines
/// without any may well come again.
const TELLING_DIGITS: usize = 8;

/// How many bytes of a line that has no end yet tell it from others.
const TELLING_BYTES: usize = 8;

/// What a file begins with, for several short lengths, so that one that is just being written is told from others
/// soon. Four bytes each of a SHA-256. None at all: the file cannot be known by its bytes alone.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Rungs(pub Vec<u32>);

impl Rungs {
    /// Of a file that begins with these bytes.
    fn of(bytes: &[u8]) -> Rungs {
        let parts = RUNGS.iter().map_while(|len| bytes.get(..*len));
        Rungs(parts.map(|part| short(&Signature::of(part))).collect())
    }

    /// Whether a file with these first bytes, and no more, begins in the same way as far as that can be told.
    pub(super) fn may_begin(&self, bytes: &[u8]) -> bool {
        Rungs::of(bytes).0.iter().zip(&self.0).all(|(one, other)| one == other)
    }
}

fn short(signature: &Signature) -> u32 {
    signature.hash.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// How a file stands to what was read before, perhaps of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Likeness {
    /// It holds everything that was read, and perhaps more.
    Same,
    /// It is shorter, and nothing in it is other than what was read: a copy may be on its way.
    MayBecome,
    /// It lost what it began with, and holds up to here what was read.
    LostHead(u64),
    /// It begins with something that was read later than the first bytes, and is shorter: as `MayBecome`.
    MayLoseHead,
    /// It is something else.
    Other,
}

/// What is remembered of the bytes up to the offset.
#[derive(Clone, Default, Debug)]
pub(super) struct Seen {
    offset: u64,
    head: Vec<u8>,
    marker: Vec<u8>,
    /// The first bytes of a file of which nothing was read yet; kept in memory only.
    ahead: Vec<u8>,
    trail: Trail,
}

impl Seen {
    /// Remembers the bytes before `offset` as they stand in the file now, without a trail; `None` if it is shorter.
    pub fn load(file: &impl Bytes, offset: u64) -> io::Result<Option<Seen>> {
        let mut seen = Seen { offset, ..Seen::default() };
        seen.head = vec![0; within(offset, HEAD_BYTES)];
        seen.marker = vec![0; within(offset, MARKER_BYTES)];
        let start = seen.marker_start();
        let whole = read_full(file, &mut seen.head, 0)? == seen.head.len()
            && read_full(file, &mut seen.marker, start)? == seen.marker.len();
        Ok(whole.then_some(seen))
    }

    /// The same with a trail.
    pub fn load_all(file: &impl Bytes, offset: u64) -> io::Result<Option<Seen>> {
        let Some(seen) = Seen::load(file, offset)? else { return Ok(None) };
        Ok(Some(seen.with_trail(Trail::load(file, offset)?)))
    }

    /// Remembers these pieces of what was read as well.
    pub fn with_trail(self, trail: Trail) -> Seen {
        Seen { trail, ..self }
    }

    /// The pieces that are remembered of what stands before `at`.
    pub fn trail_at(&self, at: u64) -> Trail {
        if at == self.offset { self.trail.clone() } else { self.trail.before(at) }
    }

    /// The offset of the next line.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether there is anything to recognise a file by.
    pub fn is_telling(&self) -> bool {
        let is_line = || self.ahead.contains(&b'\n');
        0 < self.offset || TELLING_BYTES <= self.ahead.len() || is_line()
    }

    /// The offset moves over these bytes, which stand right behind it.
    pub fn push(&mut self, bytes: &[u8]) {
        self.trail.push(self.offset, &self.marker, bytes);
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(bytes.get(..missing).unwrap_or_default());
        let kept = bytes.len().saturating_sub(MARKER_BYTES);
        self.marker.extend_from_slice(bytes.get(kept..).unwrap_or_default());
        let surplus = self.marker.len().saturating_sub(MARKER_BYTES);
        self.marker.drain(..surplus);
        self.offset += bytes.len() as u64;
        self.ahead = Vec::new();
    }

    /// Remembers the first bytes of a file before any of them is read, to notice if it is cut off
    /// and filled again before its turn. A NUL may be a byte whose data have not arrived: none then.
    pub fn look_ahead(&mut self, file: &impl Bytes) -> io::Result<()> {
        if self.offset == 0 && self.ahead.len() < MARKER_BYTES {
            let mut ahead = vec![0; MARKER_BYTES];
            let n = read_full(file, &mut ahead, 0)?;
            ahead.truncate(n);
            if memchr::memchr(0, &ahead).is_none() {
                self.ahead = ahead;
            }
        }
        Ok(())
    }

    /// Whether the bytes around the offset are still the ones that are remembered.
    pub fn stands_around(&self, file: &(impl Bytes + ?Sized)) -> io::Result<bool> {
        Ok(stands(file, &self.marker, self.marker_start())? && stands(file, &self.ahead, 0)?)
    }

    /// Whether everything remembered stands in the file.
    pub fn stands_in(&self, file: &impl Bytes) -> io::Result<bool> {
        Ok(self.stands_around(file)? && stands(file, &self.head, 0)?)
    }

    /// Whether a file of this size is a copy of what was read, or of a part of it, as far as its first bytes tell.
    pub fn began_with(&self, file: &impl Bytes, size: u64) -> io::Result<bool> {
        let known = self.head.get(..within(size, self.head.len())).unwrap_or(&self.head);
        Ok(size <= self.offset && self.is_known_anywhere() && stands(file, known, 0)?)
    }

    /// Whether what is remembered tells the file from others that are not the same file.
    fn is_known_anywhere(&self) -> bool {
        let bytes = self.head.iter().chain(&self.marker);
        TELLING_DIGITS <= bytes.filter(|byte| byte.is_ascii_digit()).take(TELLING_DIGITS).count()
    }

    /// How a file of this size, which may be another, stands to what is remembered. Only if the file that was read
    /// `is_gone` may it be what is left of that.
    pub fn likeness(&self, file: &impl Bytes, size: u64, is_gone: bool) -> io::Result<Likeness> {
        if !self.is_known_anywhere() {
            return Ok(Likeness::Other);
        }
        if self.offset <= size && self.stands_around(file)? {
            if stands(file, &self.head, 0)? {
                return Ok(Likeness::Same);
            }
            if begins_with_nul(file)? {
                return Ok(Likeness::LostHead(self.offset));
            }
        }
        let known = self.head.get(..within(size, self.head.len())).unwrap_or(&self.head);
        if size < self.offset && stands(file, known, 0)? {
            return Ok(Likeness::MayBecome);
        }
        if !is_gone {
            return Ok(Likeness::Other);
        }
        self.trail.find(self.offset, (file, size), |end, _| {
            let len = within(end, self.marker.len());
            let marker = self.marker.get(self.marker.len() - len..).unwrap_or_default();
            stands(file, marker, end - len as u64)
        })
    }

    /// The signature of the file's first bytes before `at`, an offset not behind the present one.
    pub fn head_at(&self, at: u64) -> Signature {
        Signature::of(self.head.get(..within(at, HEAD_BYTES)).unwrap_or(&self.head))
    }

    /// The same for the short lengths below that; none if the file is not to be known by its bytes alone.
    pub fn rungs_at(&self, at: u64) -> Rungs {
        if !self.is_known_anywhere() {
            return Rungs::default();
        }
        Rungs::of(self.head.get(..within(at, HEAD_BYTES)).unwrap_or(&self.head))
    }

    /// The first bytes of what was read.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The signature of the bytes right before `at`; of nothing if they are gone from the file.
    pub fn marker_at(&self, at: u64, file: Option<&dyn Bytes>) -> io::Result<Signature> {
        if at == self.offset {
            return Ok(Signature::of(&self.marker));
        }
        let len = within(at, MARKER_BYTES);
        if let Some(head) = usize::try_from(at).ok().and_then(|at| self.head.get(..at)) {
            return Ok(Signature::of(head.get(at as usize - len..).unwrap_or_default()));
        }
        let Some(file) = file else { return Ok(Signature::of_nothing(len)) };
        let mut bytes = vec![0; len];
        let n = read_full(file, &mut bytes, at - len as u64)?;
        // Cut-off content does not come back: if the later bytes still stand, these stood as well.
        let stood = n == len && self.stands_around(file)?;
        Ok(if stood { Signature::of(&bytes) } else { Signature::of_nothing(len) })
    }

    fn marker_start(&self) -> u64 {
        self.offset - self.marker.len() as u64
    }
}

/// Whether the first byte is a NUL, as where a hole was punched into a file.
pub(super) fn begins_with_nul(file: &(impl Bytes + ?Sized)) -> io::Result<bool> {
    stands(file, &[0], 0)
}

/// The smaller of an offset and a limit in bytes.
fn within(offset: u64, limit: usize) -> usize {
    usize::try_from(offset).map_or(limit, |offset| offset.min(limit))
}

fn stands(file: &(impl Bytes + ?Sized), bytes: &[u8], offset: u64) -> io::Result<bool> {
    let mut buffer = [0; HEAD_BYTES];
    let Some(part) = buffer.get_mut(..bytes.len()) else { return Ok(false) };
    Ok(read_full(file, part, offset)? == bytes.len() && part == bytes)
}

/// Whether the shorter file holds the first bytes of the longer one, judged by its two ends.
pub(super) fn is_prefix(
    shorter: (&impl Bytes, u64),
    longer: (&impl Bytes, u64),
) -> io::Result<bool> {
    if longer.1 < shorter.1 {
        return Ok(false);
    }
    match Seen::load(shorter.0, shorter.1)? {
        Some(seen) => seen.stands_in(longer.0),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests;
