//! Bytes at any place of a compressed file are those of the file before it was compressed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::tail::tests::build_folder;

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * n / 7 % 251) as u8).collect()
}

/// A folder with `a.gz` in it.
fn packed(bytes: &[u8]) -> (tempfile::TempDir, Body) {
    let folder = tempfile::tempdir_in(build_folder()).unwrap();
    let path = folder.path().join("a.gz");
    let mut encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap();
    let (body, _) = Body::open(&path, Limits::default()).unwrap();
    (folder, body)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn reading_here_and_there(reads in prop::collection::vec((0..3_000_000u64, 0..400_000usize), 1..8)) {
        let bytes = content(2_500_000);
        let (_folder, body) = packed(&bytes);
        for (offset, len) in reads {
            let mut buffer = vec![0; len];
            let n = read_full(&body, &mut buffer, offset).unwrap();
            let from = (offset as usize).min(bytes.len());
            let to = (from + len).min(bytes.len());
            prop_assert_eq!(n, to - from);
            prop_assert!(buffer[..n] == bytes[from..to], "{} {}", offset, len);
        }
        let kept = body.packed().unwrap().window.borrow().bytes.capacity();
        prop_assert!(kept <= 4 * KEPT_BYTES, "{}", kept);
    }
}

#[test]
fn the_size_is_known_at_the_end() {
    let (_folder, body) = packed(&content(700_000));
    let size = || body.size(&body.metadata().unwrap());
    let mut at = 0;
    let mut buffer = vec![0; 10_000];
    loop {
        assert!(at < size() || at == 700_000, "{at} of {}", size());
        match body.bytes_at(&mut buffer, at).unwrap() {
            0 => break,
            n => at += n as u64,
        }
    }
    assert_eq!((at, size()), (700_000, 700_000));
    assert_eq!(body.packed().unwrap().length().unwrap(), 700_000);
    assert_eq!(body.packed().unwrap().trouble(), None);
}

#[test]
fn what_begins_with_what() {
    let (_a, long) = packed(&content(300_000));
    let (_b, short) = packed(&content(200_000));
    let (_c, other) = packed(&[&content(199_999)[..], b"x"].concat());
    assert!(begins(&short, &long).unwrap() && begins(&long, &long).unwrap());
    assert!(!begins(&long, &short).unwrap() && !begins(&other, &long).unwrap());
}
