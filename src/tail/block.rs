//! Cuts what stands in a file into complete lines, and skips what is none.

use std::io;

use super::Limits;
use super::body::Body;
use super::event::FileId;
use super::generation::{Generation, Life};
use super::signature::{Seen, read_full};
use crate::format::{Encoding, FileEncoding, TELLING_BYTES};

/// How many bytes of one over-long line are looked through before other files get their turn.
pub(super) const SKIP_BYTES: u64 = 4 << 20;

/// What one read is good for at least, so that a growing file is not read in crumbs.
const SLACK_BYTES: u64 = 4096;

/// What a block holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Content {
    /// Complete lines, each with its `\n`.
    Lines,
    /// The end of a generation to which nobody wrote the `\n`.
    Unterminated,
    /// A line longer than the limit: passed over, its bytes are not in the buffer.
    Oversize,
    /// NULs where a line should begin, left by a truncation or a crash: not in the buffer.
    Nuls,
    /// Bytes of a line longer than the limit were looked through, and it goes on: nothing is handed out yet.
    Passing,
}

/// The next piece of a generation. Pieces follow each other without a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    pub file: FileId,
    /// The position of the source among the follows.
    pub source: usize,
    /// Byte offset of the piece in its generation.
    pub offset: u64,
    /// Its length in bytes, whether they are in the buffer or not.
    pub bytes: u64,
    pub content: Content,
    pub encoding: FileEncoding,
    /// How many bytes had to be read for it. A hole costs nothing, whatever its size.
    pub cost: u64,
}

/// What to do with the bytes behind the offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cut {
    Lines(usize),
    Nuls(usize),
    /// Nothing complete yet.
    Hold,
    /// A line is not ended within these bytes, but the file goes on.
    More,
}

/// Cuts bytes that begin where a line does. `at_end`: the file ends with them. `only_one`: they were
/// read for the sake of one long line.
pub(super) fn cut(bytes: &[u8], at_end: bool, only_one: bool, encoding: FileEncoding) -> Cut {
    let nuls = bytes.iter().take_while(|byte| **byte == 0).count();
    let nuls = nuls - nuls % encoding.width();
    let undecided = if at_end { Cut::Hold } else { Cut::More };
    if 0 < nuls {
        // NULs at the very end may be a block whose data have not arrived.
        return if nuls < bytes.len() { Cut::Nuls(nuls) } else { undecided };
    }
    let end = if only_one { encoding.first_end(bytes) } else { encoding.last_end(bytes) };
    let Some(lines) = end.and_then(|end| bytes.get(..end)) else { return undecided };
    Cut::Lines(encoding.nul_line(lines).unwrap_or(lines.len()))
}

impl Generation {
    /// The next piece, its bytes in `into`; `None` if there is nothing complete at present.
    /// `told`: what was said of its encoding.
    pub fn take(
        &mut self,
        into: &mut Vec<u8>,
        limits: &Limits,
        told: Encoding,
    ) -> io::Result<Option<Block>> {
        let Some(file) = self.file.take() else { return Ok(None) };
        let held = self.examined.saturating_sub(self.offset());
        let taken = if (limits.line_bytes as u64) < held && !is_nul_at(&file, self.offset())? {
            self.skip_line(&file, into, limits, told)
        } else {
            self.take_lines(&file, into, limits, told)
        };
        if let Body::Packed(_) = &file {
            // It is known only by and by how much comes out of it.
            self.stat.size = file.size(&file.metadata()?);
        }
        self.file = Some(file);
        let kept = match taken {
            Ok(Some(Block { content: Content::Lines | Content::Unterminated, bytes, .. })) => bytes,
            _ => 0,
        };
        into.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
        taken
    }

    fn take_lines(
        &mut self,
        file: &Body,
        into: &mut Vec<u8>,
        limits: &Limits,
        told: Encoding,
    ) -> io::Result<Option<Block>> {
        let longest = limits.line_bytes.saturating_add(1);
        let usual = limits.block_bytes.min(longest);
        let expected = self.stat.size.saturating_sub(self.offset()).saturating_add(SLACK_BYTES);
        let mut want = usize::try_from(expected).map_or(usual, |expected| expected.min(usual));
        loop {
            into.resize(want, 0);
            let n = read_full(file, into, self.offset())?;
            // Asked after the bytes were read: if what came before still stands, they stood as well.
            if !self.seen.stands_around(file)? {
                self.suspect = true;
                return Ok(None);
            }
            self.stat.size = self.stat.size.max(self.offset() + n as u64);
            let bytes = into.get(..n).unwrap_or_default();
            let encoding = self.encoding(bytes, told);
            match cut(bytes, n < want, usual < want, encoding) {
                Cut::Lines(n) => return Ok(self.hand_out(into, n, Content::Lines, encoding)),
                Cut::Nuls(n) => return Ok(self.hand_out(into, n, Content::Nuls, encoding)),
                Cut::Hold => return Ok(self.hold(into, n, encoding)),
                Cut::More if want < longest => want = want.saturating_mul(4).min(longest),
                Cut::More if is_nul(bytes) => return self.pass_nuls(file, into, n, encoding),
                Cut::More => {
                    self.examined = self.offset() + n as u64;
                    return self.skip_line(file, into, limits, told);
                }
            }
        }
    }

    /// The encoding of the file, by its first bytes: `bytes` if nothing was read of it.
    fn encoding(&self, bytes: &[u8], told: Encoding) -> FileEncoding {
        let is_new = self.offset() == 0;
        FileEncoding::of(told, if is_new { bytes } else { self.seen.head() }, is_new)
    }

    /// The file ends within a line. Nobody will end it if the generation is ending.
    fn hold(&mut self, bytes: &[u8], n: usize, encoding: FileEncoding) -> Option<Block> {
        self.examined = self.offset() + n as u64;
        if self.life != Life::Ending || n == 0 {
            return None;
        }
        let is_nul = is_nul(bytes.get(..n).unwrap_or_default());
        let content = if is_nul { Content::Nuls } else { Content::Unterminated };
        self.hand_out(bytes, n, content, encoding)
    }

    fn hand_out(
        &mut self,
        bytes: &[u8],
        n: usize,
        content: Content,
        encoding: FileEncoding,
    ) -> Option<Block> {
        let offset = self.offset();
        self.seen.push(bytes.get(..n)?);
        self.examined = self.offset();
        Some(self.block(offset, content, encoding))
    }

    /// More NULs than the longest line has bytes, `n` of them read: with a hole behind them they are passed over at
    /// once. A hole that reaches to the end may be filled yet: it waits.
    fn pass_nuls(
        &mut self,
        file: &Body,
        bytes: &[u8],
        n: usize,
        encoding: FileEncoding,
    ) -> io::Result<Option<Block>> {
        let offset = self.offset();
        let n = n - n % encoding.width();
        let read_to = offset + n as u64;
        let end = match file.next_data(read_to) {
            Some(end) if end == read_to => {
                return Ok(self.hand_out(bytes, n, Content::Nuls, encoding));
            }
            Some(end) => end - (end - offset) % encoding.width() as u64,
            None if self.life == Life::Ending => self.stat.size.max(read_to),
            None => {
                self.examined = self.stat.size.max(read_to);
                return Ok(None);
            }
        };
        let seen = Seen::load(file, end)?;
        match seen.filter(|_| self.seen.stands_around(file).unwrap_or(false)) {
            Some(seen) => {
                let trail = self.seen.trail_at(offset);
                self.seen = seen.with_trail(trail);
                self.examined = end;
                self.stat.size = self.stat.size.max(end);
                Ok(Some(Block { cost: n as u64, ..self.block(offset, Content::Nuls, encoding) }))
            }
            None => {
                self.suspect = true;
                Ok(None)
            }
        }
    }

    /// Everything from `offset` to the present offset.
    fn block(&self, offset: u64, content: Content, encoding: FileEncoding) -> Block {
        let (file, source) = (self.id, self.identity.source);
        let bytes = self.offset() - offset;
        Block { file, source, offset, bytes, content, encoding, cost: bytes }
    }

    /// Looks for the end of an over-long line behind what is known to belong to it.
    fn skip_line(
        &mut self,
        file: &Body,
        into: &mut Vec<u8>,
        limits: &Limits,
        told: Encoding,
    ) -> io::Result<Option<Block>> {
        let mut head = [0; TELLING_BYTES];
        let known = if self.offset() == 0 { read_full(file, &mut head, 0)? } else { 0 };
        let encoding = self.encoding(head.get(..known).unwrap_or_default(), told);
        // A character is not looked at from its middle.
        self.examined -= (self.examined - self.offset()) % encoding.width() as u64;
        let mut cost = 0;
        let end = loop {
            into.resize(limits.block_bytes, 0);
            let n = read_full(file, into, self.examined)?;
            let bytes = into.get(..n).unwrap_or_default();
            cost += n as u64;
            if let Some(end) = encoding.first_end(bytes) {
                break self.examined + end as u64;
            }
            self.examined += n as u64;
            self.stat.size = self.stat.size.max(self.examined);
            if is_nul(bytes) {
                self.leap(file, encoding);
            }
            if n < limits.block_bytes && self.life == Life::Ending {
                break self.examined;
            }
            if n < limits.block_bytes {
                return Ok(None);
            }
            if SKIP_BYTES <= cost {
                let block = self.block(self.offset(), Content::Passing, encoding);
                return Ok(Some(Block { cost, ..block }));
            }
        };
        let seen = Seen::load(file, end)?;
        match seen.filter(|_| self.seen.stands_around(file).unwrap_or(false)) {
            Some(seen) => {
                let offset = self.offset();
                self.seen = seen;
                self.examined = end;
                Ok(Some(Block { cost, ..self.block(offset, Content::Oversize, encoding) }))
            }
            None => {
                self.suspect = true;
                Ok(None)
            }
        }
    }

    /// Within an over-long line a hole ends nothing: what is looked through goes on behind it.
    fn leap(&mut self, file: &Body, encoding: FileEncoding) {
        let end = file.next_data(self.examined).unwrap_or(self.stat.size);
        let leap = end.saturating_sub(self.examined);
        self.examined += leap - leap % encoding.width() as u64;
    }
}

/// Whether NULs stand where a line should begin: what waits there is no line.
fn is_nul_at(file: &Body, offset: u64) -> io::Result<bool> {
    let mut first = [1; 2];
    Ok(read_full(file, &mut first, offset)? == first.len() && is_nul(&first))
}

fn is_nul(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests;
