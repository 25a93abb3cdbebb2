//! Blocks: the entries of one commit, one JSON object a line, deflated where that saves something.

use std::borrow::Cow;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rusqlite::Row;

use crate::ledger::chain::{Head, MARK_BYTES};

/// The least number of bytes that is deflated. What one moment brings stays readable in the database.
pub const DEFLATED_BYTES: usize = 16 << 10;

/// A stored block of entries.
#[derive(Debug)]
pub struct Block {
    /// Number of its first entry.
    pub first: u64,
    pub count: u64,
    /// Of the hash chain after its last entry.
    pub head: Head,
    /// One JSON object a line.
    pub body: Vec<u8>,
    /// [`Head::mark`] after each entry; `None` in a ledger of an earlier make.
    pub marks: Option<Vec<u8>>,
}

impl Block {
    /// What cannot be inflated is left out of the body, so that the hash chain tells where it breaks.
    /// The columns are those of the table, in their order.
    pub(super) fn of_row(row: &Row) -> rusqlite::Result<Block> {
        let head: Vec<u8> = row.get(2)?;
        let body: Vec<u8> = row.get(4)?;
        let body = match row.get(3)? {
            true => unpack(&body),
            false => body,
        };
        let head = Head(head.try_into().unwrap_or_default());
        let marks = match row.get(5) {
            Err(rusqlite::Error::InvalidColumnIndex(_)) => None,
            marks => marks?,
        };
        Ok(Block { first: row.get(0)?, count: row.get(1)?, head, body, marks })
    }

    /// Whether the head after one entry, counted from 0 in this block, is the one that was stored beside it.
    pub fn fits(&self, place: usize, head: &Head) -> bool {
        let Some(marks) = &self.marks else { return true };
        marks.chunks(MARK_BYTES).nth(place) == Some(head.mark().as_slice())
    }

    /// The entries, as the bytes that the hash chain is made of.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.body.split(|b| *b == b'\n').filter(|line| !line.is_empty())
    }
}

/// A block whose entries are found by their numbers, each at once: a block may hold thousands, and be asked for all.
#[derive(Debug)]
pub(super) struct Indexed {
    block: Block,
    /// Where each line begins in the body.
    starts: Vec<usize>,
}

impl Indexed {
    pub fn new(block: Block) -> Indexed {
        let body = &block.body;
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', body).map(|at| at + 1));
        let is_line = |start: &usize| body.get(*start).is_some_and(|b| *b != b'\n');
        let starts = starts.filter(is_line).collect();
        Indexed { block, starts }
    }

    /// Whether the block has a place for this entry.
    pub fn holds(&self, number: u64) -> bool {
        number.checked_sub(self.block.first).is_some_and(|place| place < self.block.count)
    }

    /// One entry by its number.
    pub fn line(&self, number: u64) -> Option<&[u8]> {
        let place = number.checked_sub(self.block.first)?;
        let start = self.starts.get(usize::try_from(place).ok()?)?;
        let rest = self.block.body.get(*start..)?;
        rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len()))
    }
}

/// The bytes as they are stored, and whether they are deflated.
pub(super) fn pack(body: &[u8]) -> std::io::Result<(bool, Cow<'_, [u8]>)> {
    if body.len() < DEFLATED_BYTES {
        return Ok((false, body.into()));
    }
    let mut deflater = DeflateEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    deflater.write_all(body)?;
    Ok((true, deflater.finish()?.into()))
}

/// As much as can be inflated.
fn unpack(body: &[u8]) -> Vec<u8> {
    let mut inflated = Vec::with_capacity(body.len() * 6);
    match DeflateDecoder::new(body).read_to_end(&mut inflated) {
        Ok(_) => inflated,
        // A read that fails drops what came before within it. Byte by byte all of that stays, and the caller misses
        // only the rest.
        Err(_) => {
            let mut decoder = DeflateDecoder::new(body);
            let mut next = || {
                let mut byte = [0];
                (decoder.read(&mut byte).ok()? == 1).then_some(byte)
            };
            std::iter::from_fn(&mut next).flatten().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        for (entry, deflated) in [("{}\n", false), (&"{\"a\":1}\n".repeat(10_000), true)] {
            let (is_deflated, body) = pack(entry.as_bytes()).unwrap();
            assert_eq!(is_deflated, deflated);
            if deflated {
                assert!(body.len() * 10 < entry.len());
                assert_eq!(unpack(&body), entry.as_bytes());
                let half = unpack(&body[..body.len() / 2]);
                assert!(half.len() < entry.len() && entry.as_bytes().starts_with(&half));
            }
        }
    }

    #[test]
    fn an_entry_is_found_by_its_number() {
        for body in ["{1}\n{2}\n{3}\n", "\n{1}\n{2}\n\n{3}"] {
            let body = body.as_bytes().to_vec();
            let block =
                Indexed::new(Block { first: 7, count: 3, head: Head([0; 32]), body, marks: None });
            for (number, want) in [(6, None), (7, Some("{1}")), (9, Some("{3}")), (10, None)] {
                assert_eq!(block.line(number), want.map(str::as_bytes), "{number}");
                assert_eq!(block.holds(number), want.is_some(), "{number}");
            }
        }
    }
}
