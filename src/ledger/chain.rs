//! The hash chain: each entry is tied to all that came before it, so that no edit goes unseen.

use sha2::{Digest, Sha256};

/// The head of an empty chain.
pub const GENESIS: Head = Head([0; 32]);

/// Bytes of a [`Head::mark`].
pub const MARK_BYTES: usize = 4;

/// SHA-256 over the head before and the bytes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head(pub [u8; 32]);

impl Head {
    /// The head after one more entry, given as the bytes in which it is stored.
    pub fn after(&self, entry: &[u8]) -> Head {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(entry);
        Head(hash.finalize().into())
    }

    /// Its first 53 bits: what a float can hold exactly, so that whoever scrapes it is a witness.
    pub fn first_bits(&self) -> u64 {
        self.0.iter().take(7).fold(0, |bits, byte| bits << 8 | u64::from(*byte)) >> 3
    }

    /// Its first bytes, kept beside each entry: they tell which entry of a block it was that changed.
    pub fn mark(&self) -> [u8; MARK_BYTES] {
        let [a, b, c, d, ..] = self.0;
        [a, b, c, d]
    }

    /// Lower-case hexadecimal.
    pub fn hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_and_its_place_count() {
        let chain = |entries: &[&str]| entries.iter().fold(GENESIS, |h, e| h.after(e.as_bytes()));
        assert_eq!(chain(&["a", "b"]), chain(&["a", "b"]));
        assert_ne!(chain(&["a", "b"]), chain(&["b", "a"]));
        assert_ne!(chain(&["a", "b"]), chain(&["a"]));
        assert_ne!(chain(&["ab"]), chain(&["a", "b"]));
        assert_eq!(GENESIS.hex().len(), 64);
        let head = Head(std::array::from_fn(|_| 0xff));
        assert_eq!(head.first_bits(), (1 << 53) - 1);
        let head = Head(std::array::from_fn(|n| u8::from(n == 6) * 8));
        assert_eq!(head.first_bits(), 1);
    }
}
