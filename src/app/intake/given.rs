//! What was taken already of the last record of a file, whose next lines may still come.

use sha2::{Digest, Sha256};

/// The beginning of a record, as it was taken when its file had been quiet for a while.
///
/// A package manager, for example, writes the head of a record when it starts and the last line minutes later. The
/// checkpoint stays at the beginning of the record until the next one begins; this tells what counts already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// Where the record begins in the file, in bytes.
    pub from: u64,
    /// How many bytes of the file were taken.
    pub bytes: u64,
    /// How many bytes of text that was.
    text: usize,
    /// Tells whether the file still begins so there.
    hash: u64,
}

impl Given {
    /// `text` was taken, which is `bytes` of the file from `from` on.
    pub fn new(from: u64, bytes: u64, text: &[u8]) -> Given {
        Given { from, bytes, text: text.len(), hash: hash(text) }
    }

    /// Where reading of what is new goes on.
    pub fn end(&self) -> u64 {
        self.from.saturating_add(self.bytes)
    }

    /// The part of the record that was taken, if it begins so.
    pub fn of<'t>(&self, from: u64, text: &'t [u8]) -> Option<&'t [u8]> {
        let taken = text.get(..self.text).filter(|_| from == self.from)?;
        (hash(taken) == self.hash).then_some(taken)
    }

    /// As a word of the memo of a checkpoint at its beginning.
    pub fn word(&self) -> String {
        format!("{}/{}/{:016x}", self.bytes, self.text, self.hash)
    }

    /// The one that [`Given::word`] wrote.
    pub fn read(from: u64, word: &str) -> Option<Given> {
        let (bytes, rest) = word.split_once('/')?;
        let (text, hash) = rest.split_once('/')?;
        Some(Given {
            from,
            bytes: bytes.parse().ok()?,
            text: text.parse().ok()?,
            hash: u64::from_str_radix(hash, 16).ok()?,
        })
    }
}

/// 64 bits of SHA-256.
fn hash(text: &[u8]) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text).into();
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}
