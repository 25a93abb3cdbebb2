//! Pieces of what was read, the nearer to its end the closer together, by which it is found again in a file that
//! lost lines at its head.
//!
//! Somebody keeps the last lines of a log only, or takes whole blocks out of it. What is left stands elsewhere in
//! the file then, and how far it moved shows in any piece of it that is found. Pieces with too few digits are not
//! kept: text without a stamp comes again.

use std::collections::HashMap;
use std::io;

use super::body::Bytes;
use super::signature::{Likeness, MARKER_BYTES, read_full};

/// How long a piece is.
const PIECE_BYTES: usize = 32;

/// Pieces begin at multiples of this: each stamp is whole in one of them.
const GRID_BYTES: u64 = 16;

/// How far apart they are at least.
const GAP_BYTES: u64 = 32;

/// How many digits a piece must have: a stamp has more.
const DIGITS: usize = 8;

/// Pieces are as far apart as a share of how far they lie before the end: one in so many.
const SHARE: u64 = 8;

/// How far into a file its pieces are looked for.
const SEARCH_BYTES: u64 = 32 << 20;

/// How many places at which a piece seems to stand are looked at.
const CANDIDATES: usize = 1024;

/// From so many bytes on two pieces must stand in a file that is not whole yet.
const TWO_FROM_BYTES: u64 = 512;

const STEP_BYTES: usize = 64 << 10;

const FILTER_BITS: usize = 4096;

/// A prime, so that the order of bytes counts.
const FACTOR: u64 = 0x0000_0100_0000_01b3;

/// The factor to the power of the length of a piece.
const LEAVING: u64 = {
    let (mut power, mut n) = (1u64, 0);
    while n < PIECE_BYTES {
        power = power.wrapping_mul(FACTOR);
        n += 1;
    }
    power
};

/// Where pieces stood, in the order of their places, and four bytes of a hash of each.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Trail(pub Vec<(u64, u32)>);

/// A hash that can be moved on by a byte.
#[derive(Default)]
struct Rolling(u64);

impl Rolling {
    fn add(&mut self, byte: u8) {
        // One more, so that NULs count.
        self.0 = self.0.wrapping_mul(FACTOR).wrapping_add(u64::from(byte) + 1);
    }

    fn drop(&mut self, byte: u8) {
        self.0 = self.0.wrapping_sub((u64::from(byte) + 1).wrapping_mul(LEAVING));
    }

    fn value(&self) -> u32 {
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        u32::try_from(mixed >> 32).unwrap_or(0)
    }
}

fn hash(piece: &[u8]) -> u32 {
    let mut rolling = Rolling::default();
    piece.iter().for_each(|byte| rolling.add(*byte));
    rolling.value()
}

/// Enough digits, and none at its end, where a stamp might be cut off before what tells it from others.
fn is_telling(piece: &[u8]) -> bool {
    let is_cut = piece.iter().rev().take(2).any(u8::is_ascii_digit);
    !is_cut && DIGITS <= piece.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// How far a piece at this distance from the end is from the next one.
fn gap(distance: u64) -> u64 {
    (distance / SHARE).max(GAP_BYTES)
}

impl Trail {
    /// Bytes are read that stand right behind `before`, which ends at `offset`.
    pub(super) fn push(&mut self, offset: u64, before: &[u8], bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        let known = before.len().min(MARKER_BYTES).min(PIECE_BYTES);
        let before = before.get(before.len() - known..).unwrap_or_default();
        let first = offset - known as u64;
        let at = |place: u64| -> Option<Vec<u8>> {
            let from = usize::try_from(place.checked_sub(first)?).ok()?;
            let piece: Vec<u8> =
                before.iter().chain(bytes).skip(from).take(PIECE_BYTES).copied().collect();
            (piece.len() == PIECE_BYTES).then_some(piece)
        };
        let last = self.0.last().map(|(place, _)| *place);
        let mut news = Vec::new();
        let mut place = end.saturating_sub(PIECE_BYTES as u64) / GRID_BYTES * GRID_BYTES;
        while last.is_none_or(|last| last < place)
            && let Some(piece) = at(place)
        {
            if is_telling(&piece) {
                news.push((place, hash(&piece)));
            }
            // Several times as many as are kept: not all are telling.
            let step = (gap(end - place) / 4).max(GRID_BYTES) / GRID_BYTES * GRID_BYTES;
            let Some(next) = place.checked_sub(step) else { break };
            place = next;
        }
        self.0.extend(news.into_iter().rev());
        self.thin(end);
    }

    /// Lets go of pieces that lie too close together for how far they are from the end.
    fn thin(&mut self, end: u64) {
        let mut nearer = None;
        let mut kept: Vec<(u64, u32)> = Vec::with_capacity(self.0.len());
        for (place, hash) in self.0.drain(..).rev() {
            let is_far_enough = |nearer: u64| gap(end - place) <= nearer - place;
            if nearer.is_none_or(is_far_enough) {
                nearer = Some(place);
                kept.push((place, hash));
            }
        }
        kept.reverse();
        self.0 = kept;
    }

    /// The pieces of what stands in a file before `end`.
    pub(super) fn load(file: &impl Bytes, end: u64) -> io::Result<Trail> {
        let mut trail = Trail::default();
        let mut piece = [0; PIECE_BYTES];
        let mut place = end.saturating_sub(PIECE_BYTES as u64) / GRID_BYTES * GRID_BYTES;
        while place + PIECE_BYTES as u64 <= end {
            if read_full(file, &mut piece, place)? == PIECE_BYTES && is_telling(&piece) {
                trail.0.push((place, hash(&piece)));
            }
            let step = (gap(end - place) / 4).max(GRID_BYTES) / GRID_BYTES * GRID_BYTES;
            let Some(next) = place.checked_sub(step) else { break };
            place = next;
        }
        trail.0.reverse();
        trail.thin(end);
        Ok(trail)
    }

    /// The pieces before an earlier end.
    pub(super) fn before(&self, end: u64) -> Trail {
        let pieces = self.0.iter().filter(|(place, _)| place + PIECE_BYTES as u64 <= end);
        Trail(pieces.copied().collect())
    }

    /// Looks in a file of this size for what was read up to `offset` of another: `ends_at` tells whether that may
    /// end there, so many pieces of it having been found.
    pub(super) fn find(
        &self,
        offset: u64,
        (file, size): (&impl Bytes, u64),
        ends_at: impl Fn(u64, usize) -> io::Result<bool>,
    ) -> io::Result<Likeness> {
        if self.0.is_empty() || size < PIECE_BYTES as u64 {
            return Ok(Likeness::Other);
        }
        let mut tried: Vec<u64> = Vec::new();
        let mut search = Search::new(self, (file, size));
        while let Some((found, places)) = search.next()? {
            for place in places {
                let Some(moved) = place.checked_sub(found).filter(|moved| 0 < *moved) else {
                    continue;
                };
                if tried.contains(&moved) {
                    continue;
                }
                if CANDIDATES <= tried.len() {
                    return Ok(Likeness::Other);
                }
                tried.push(moved);
                let Some(count) = self.count(moved, (file, size))? else { continue };
                let end = offset.saturating_sub(moved);
                if size < end {
                    if 2 <= count || size < TWO_FROM_BYTES {
                        return Ok(Likeness::MayLoseHead);
                    }
                } else if ends_at(end, count)? {
                    return Ok(Likeness::LostHead(end));
                }
            }
        }
        Ok(Likeness::Other)
    }

    /// How many pieces stand in a file, each this far before its old place; `None` if there is another one.
    fn count(&self, moved: u64, (file, size): (&impl Bytes, u64)) -> io::Result<Option<usize>> {
        let mut count = 0;
        let mut piece = [0; PIECE_BYTES];
        for (place, want) in &self.0 {
            let Some(at) = place.checked_sub(moved) else { continue };
            if size < at + PIECE_BYTES as u64 {
                break;
            }
            if read_full(file, &mut piece, at)? != PIECE_BYTES || hash(&piece) != *want {
                return Ok(None);
            }
            count += 1;
        }
        Ok(Some(count))
    }
}

/// Looks at each place of a file for a piece that is known.
struct Search<'a, B> {
    file: &'a B,
    end: u64,
    known: HashMap<u32, Vec<u64>>,
    /// Which of the last bits of a hash any of them has: most places are passed over by that.
    filter: Vec<bool>,
    /// The bytes that are looked at, the first of them at this place.
    bytes: Vec<u8>,
    start: u64,
    /// The next byte to be added.
    at: usize,
    rolling: Rolling,
}

impl<'a, B: Bytes> Search<'a, B> {
    fn new(trail: &Trail, (file, size): (&'a B, u64)) -> Search<'a, B> {
        let mut known: HashMap<u32, Vec<u64>> = HashMap::new();
        let mut filter = vec![false; FILTER_BITS];
        for (place, hash) in &trail.0 {
            if let Some(bit) = filter.get_mut(*hash as usize % FILTER_BITS) {
                *bit = true;
            }
            known.entry(*hash).or_default().push(*place);
        }
        let (end, rolling) = (size.min(SEARCH_BYTES), Rolling::default());
        Search { file, end, known, filter, bytes: Vec::new(), start: 0, at: 0, rolling }
    }

    /// Where the next one seems to stand, and where it stood.
    fn next(&mut self) -> io::Result<Option<(u64, Vec<u64>)>> {
        loop {
            while let Some(byte) = self.bytes.get(self.at).copied() {
                self.rolling.add(byte);
                let leaving = self.at.checked_sub(PIECE_BYTES);
                if let Some(old) = leaving.and_then(|at| self.bytes.get(at)) {
                    self.rolling.drop(*old);
                }
                self.at += 1;
                let Some(from) = self.at.checked_sub(PIECE_BYTES) else { continue };
                let hash = self.rolling.value();
                if self.filter.get(hash as usize % FILTER_BITS) != Some(&true) {
                    continue;
                }
                if let Some(places) = self.known.get(&hash) {
                    return Ok(Some((self.start + from as u64, places.clone())));
                }
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Reads more; the last bytes stay, for they have to leave.
    fn fill(&mut self) -> io::Result<bool> {
        let surplus = self.bytes.len().saturating_sub(PIECE_BYTES);
        self.bytes.drain(..surplus);
        self.start += surplus as u64;
        let kept = self.bytes.len();
        self.at = kept;
        let from = self.start + kept as u64;
        let left = usize::try_from(self.end.saturating_sub(from)).unwrap_or(STEP_BYTES);
        self.bytes.resize(kept + left.min(STEP_BYTES), 0);
        let n = read_full(self.file, self.bytes.get_mut(kept..).unwrap_or_default(), from)?;
        self.bytes.truncate(kept + n);
        Ok(0 < n)
    }
}

#[cfg(test)]
mod tests;
