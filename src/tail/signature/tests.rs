//! Remembered bytes against files.

use std::fs::File;
use std::os::unix::fs::FileExt;

use proptest::prelude::*;

use super::*;
use crate::tail::tests::build_folder;

fn file_of(bytes: &[u8]) -> File {
    let file = tempfile::tempfile_in(build_folder()).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file
}

#[test]
fn the_hash_is_sha_256() {
    let signature = Signature::of(b"abc");
    // FIPS 180-4, the example of one block.
    assert_eq!(signature.len, 3);
    assert_eq!(signature.hash[..4], [0xba, 0x78, 0x16, 0xbf]);
    assert_eq!(signature.hash[28..], [0xf2, 0x00, 0x15, 0xad]);
}

#[test]
fn a_signature_stands_where_its_bytes_do() {
    let file = file_of(b"one two three");
    for (bytes, offset, want) in [
        (&b"one"[..], 0, true),
        (b"two", 4, true),
        (b"two", 5, false),
        (b"three", 8, true),
        (b"three four", 8, false),
        (b"", 0, true),
        (b"", 99, true),
        (b"e", 99, false),
    ] {
        assert_eq!(Signature::of(bytes).stands_in(&file, offset).unwrap(), want, "{bytes:?}");
    }
    assert!(!Signature::of_nothing(3).stands_in(&file, 0).unwrap());
    assert!(!Signature { len: 5000, hash: [0; 32] }.stands_in(&file, 0).unwrap());
}

proptest! {
    /// Pushing piece by piece remembers what loading at once does.
    #[test]
    fn pushing_is_loading(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 0..6)) {
        let bytes = pieces.concat();
        let file = file_of(&[&bytes[..], b"more"].concat());
        let mut pushed = Seen::default();
        pieces.iter().for_each(|piece| pushed.push(piece));
        let loaded = Seen::load(&file, bytes.len() as u64).unwrap().unwrap();
        let pushed = pushed.with_trail(Trail::default());
        prop_assert_eq!(format!("{pushed:?}"), format!("{loaded:?}"));
        prop_assert!(pushed.stands_in(&file).unwrap());
    }

    /// A checkpoint at any earlier place is the one that would have been made there.
    #[test]
    fn signatures_at_earlier_places(len in 0..4000usize, share in 0..=100usize) {
        let bytes: Vec<u8> = (0..len).map(|n| (n * n / 7) as u8).collect();
        let file = file_of(&bytes);
        let at = (len * share / 100) as u64;
        let now = Seen::load(&file, len as u64).unwrap().unwrap();
        let then = Seen::load(&file, at).unwrap().unwrap();
        prop_assert_eq!(now.head_at(at), then.head_at(at));
        prop_assert_eq!(now.marker_at(at, Some(&file)).unwrap(), then.marker_at(at, None).unwrap());
    }

    /// Whatever byte changes in what is remembered, it is noticed.
    #[test]
    fn a_changed_byte_is_noticed(len in 1..3000usize, at in any::<prop::sample::Index>()) {
        let mut bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
        let seen = Seen::load(&file_of(&bytes), len as u64).unwrap().unwrap();
        let at = at.index(len);
        bytes[at] ^= 1;
        let is_remembered = at < HEAD_BYTES || len - MARKER_BYTES.min(len) <= at;
        prop_assert_eq!(seen.stands_in(&file_of(&bytes)).unwrap(), !is_remembered);
    }
}

#[test]
fn a_file_that_is_too_short_is_not_loaded() {
    assert!(Seen::load(&file_of(b"1\n"), 3).unwrap().is_none());
    let seen = Seen::load(&file_of(b"1\n2\n"), 4).unwrap().unwrap();
    assert!(!seen.stands_in(&file_of(b"1\n2")).unwrap());
}

#[test]
fn a_marker_of_bytes_that_are_gone_is_of_nothing() {
    let bytes = [b'x'; 3000];
    let seen = Seen::load(&file_of(&bytes), 3000).unwrap().unwrap();
    let changed = file_of(&[b'y'; 3000]);
    for file in [None, Some(&changed)] {
        assert_eq!(
            seen.marker_at(2000, file.map(|file| file as &dyn Bytes)).unwrap(),
            Signature::of_nothing(256)
        );
    }
    // The first bytes are in memory.
    assert_eq!(seen.marker_at(1000, None).unwrap(), Signature::of(&[b'x'; 256]));
    assert_eq!(seen.marker_at(10, None).unwrap(), Signature::of(&[b'x'; 10]));
}

#[test]
fn looking_ahead_recognises_a_file_before_it_is_read() {
    let mut seen = Seen::default();
    assert!(!seen.is_telling());
    seen.look_ahead(&file_of(b"first\n")).unwrap();
    assert!(seen.is_telling());
    for (bytes, want) in [(&b"first\nsecond\n"[..], true), (b"other\n", false), (b"fir", false)] {
        assert_eq!(seen.stands_in(&file_of(bytes)).unwrap(), want, "{bytes:?}");
    }
    seen.push(b"first\n");
    assert!(seen.stands_in(&file_of(b"first\n")).unwrap(), "read: nothing is ahead any more");
    let mut seen = Seen::default();
    seen.look_ahead(&file_of(b"first\0")).unwrap();
    assert!(!seen.is_telling(), "a NUL may become something else");
}

#[test]
fn prefixes() {
    for (shorter, longer, want) in [
        (&b"1\n"[..], &b"1\n2\n"[..], true),
        (b"1\n2\n", b"1\n2\n", true),
        (b"", b"1\n", true),
        (b"2\n", b"1\n2\n", false),
        (b"1\n2\n3\n", b"1\n2\n", false),
    ] {
        let (a, b) = (file_of(shorter), file_of(longer));
        let got = is_prefix((&a, shorter.len() as u64), (&b, longer.len() as u64)).unwrap();
        assert_eq!(got, want, "{shorter:?} {longer:?}");
    }
}
