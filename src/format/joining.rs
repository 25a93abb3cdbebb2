//! Records of several lines: a line that matches `continuation` belongs to the record before it.
//!
//! The search for the few lines of interest comes first; only around them, and at the end of a block, is it asked
//! where a record begins and ends. So noise costs what it costs without joining.

use ::regex::bytes::Regex;

use super::reader::Reader;

/// The longest record that is read, in bytes.
pub const RECORD_BYTES_MAX: usize = 1 << 18;

/// The longest record that is read, in lines.
pub const RECORD_LINES_MAX: usize = 1_000;

/// Tells which lines go on with the record before them.
#[derive(Clone, Debug)]
pub(super) struct Continuation(Regex);

impl Continuation {
    pub(super) fn new(regex: &Regex) -> Continuation {
        Continuation(regex.clone())
    }

    /// `line`: with or without its end.
    fn goes_on(&self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.0.is_match(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Where the record begins to which the line at `start` belongs, not before `from`.
    pub(super) fn start(&self, block: &[u8], from: usize, mut start: usize) -> usize {
        while from < start && self.goes_on(line_at(block, start)) {
            let before = block.get(from..start - 1).unwrap_or_default();
            start = memchr::memrchr(b'\n', before).map_or(from, |end| from + end + 1);
        }
        start
    }

    /// Where the record ends whose last known line ends at `end` (its `\n`, or the end of the block).
    pub(super) fn end(&self, block: &[u8], mut end: usize) -> usize {
        while end + 1 < block.len() {
            let line = line_at(block, end + 1);
            if !self.goes_on(line) {
                break;
            }
            end += 1 + line.strip_suffix(b"\n").unwrap_or(line).len();
        }
        end
    }

    /// Where the last record of complete lines begins.
    pub(super) fn last_start(&self, block: &[u8]) -> usize {
        let body = block.strip_suffix(b"\n").unwrap_or(block);
        let last = memchr::memrchr(b'\n', body).map_or(0, |end| end + 1);
        self.start(block, 0, last)
    }
}

/// The line that begins at `start`, with its `\n` if it has one.
fn line_at(block: &[u8], start: usize) -> &[u8] {
    let rest = block.get(start..).unwrap_or_default();
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
    rest.get(..end).unwrap_or_default()
}

/// Whole records, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'b> {
    /// Byte offset in the file.
    pub offset: u64,
    pub bytes: &'b [u8],
    /// Lines of a record beyond the limits, which were not kept.
    pub dropped_lines: u64,
}

/// Hands on what is complete and holds the last record back, because the next line may belong to it. What it
/// holds is bounded: of a record beyond the limits little more than they allow.
#[derive(Debug, Default)]
pub struct Joiner {
    held: Vec<u8>,
    start: u64,
    lines: usize,
    dropped_lines: u64,
    is_wanted: bool,
}

impl Joiner {
    /// Takes a block of complete lines that stands at `offset`, behind what came before.
    pub fn push(
        &mut self,
        reader: &Reader,
        offset: u64,
        block: &[u8],
        take: &mut dyn FnMut(Piece<'_>),
    ) {
        let Some(continuation) = reader.continuation() else {
            return take(Piece { offset, bytes: block, dropped_lines: 0 });
        };
        let mut at = 0;
        if !self.held.is_empty() {
            while at < block.len() && continuation.goes_on(line_at(block, at)) {
                at += self.hold(reader, line_at(block, at));
            }
            if at == block.len() {
                return;
            }
            self.flush(take);
        }
        let rest = block.get(at..).unwrap_or_default();
        let (whole, last) =
            rest.split_at_checked(continuation.last_start(rest)).unwrap_or_default();
        let offset = offset + at as u64;
        if !whole.is_empty() {
            take(Piece { offset, bytes: whole, dropped_lines: 0 });
        }
        self.start = offset + whole.len() as u64;
        let mut at = 0;
        while at < last.len() {
            at += self.hold(reader, line_at(last, at));
        }
    }

    /// The record that is held is complete.
    pub fn flush(&mut self, take: &mut dyn FnMut(Piece<'_>)) {
        let Joiner { held, start, dropped_lines, .. } = std::mem::take(self);
        if !held.is_empty() {
            take(Piece { offset: start, bytes: &held, dropped_lines });
        }
    }

    /// The record that is held back, as far as it is known.
    pub fn held(&self) -> Option<Piece<'_>> {
        let Joiner { held, start, dropped_lines, .. } = self;
        let (offset, dropped_lines) = (*start, *dropped_lines);
        (!held.is_empty()).then_some(Piece { offset, bytes: held, dropped_lines })
    }

    /// Where the record begins that is held back.
    pub fn held_from(&self) -> Option<u64> {
        (!self.held.is_empty()).then_some(self.start)
    }

    /// Whether what is held back may become an event: then others have to wait for it.
    pub fn is_wanted(&self) -> bool {
        self.is_wanted && !self.is_full()
    }

    /// Whether it is longer than a record may be.
    pub fn is_full(&self) -> bool {
        RECORD_BYTES_MAX < self.held.len() || RECORD_LINES_MAX < self.lines
    }

    /// Beyond the limits only the first line of interest is kept: with it the record is rejected, not ignored.
    fn hold(&mut self, reader: &Reader, line: &[u8]) -> usize {
        let is_wanted = reader.searches_for(line);
        if !self.is_full() || is_wanted && !self.is_wanted {
            self.held.extend_from_slice(line);
            self.lines += 1;
        } else {
            self.dropped_lines += 1;
        }
        self.is_wanted |= is_wanted;
        line.len()
    }
}

#[cfg(test)]
mod tests;
