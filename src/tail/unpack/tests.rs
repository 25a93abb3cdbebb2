//! Content that was compressed by real programs, whole, cut off, damaged, and too much of it.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;
use crate::tail::tests::build_folder;

/// What `gzip` or `zstd` makes of these bytes.
fn compressed(program: &str, bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{program} is needed (Debian package {program}): {e}"));
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn({
        let bytes = bytes.to_vec();
        move || stdin.write_all(&bytes)
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn unpack(packed: &[u8], limits: Limits) -> (Vec<u8>, End) {
    let file = tempfile::tempfile_in(build_folder()).unwrap();
    file.write_all_at(packed, 0).unwrap();
    let mut unpacker = Unpacker::new(Arc::new(file), limits).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 7000]);
    loop {
        match unpacker.read(&mut buffer).unwrap() {
            0 => break,
            n => bytes.extend_from_slice(&buffer[..n]),
        }
    }
    assert_eq!(unpacker.read(&mut buffer).unwrap(), 0, "an end is an end");
    (bytes, unpacker.end.unwrap())
}

fn lines(n: usize) -> Vec<u8> {
    (0..n).flat_map(|n| format!("line {n} {}\n", n * n * 7919 % 10_007).into_bytes()).collect()
}

#[test]
fn what_was_compressed_comes_out() {
    for program in ["gzip", "zstd"] {
        for n in [0, 1, 1000, 100_000] {
            let packed = compressed(program, &lines(n));
            let (bytes, end) = unpack(&packed, Limits::default());
            assert!(bytes == lines(n) && end == End::Clean, "{program} {n}: {end:?}");
        }
        // Several members (RFC 1952, 2.2) or frames (RFC 8878, 3.1).
        let packed = [compressed(program, &lines(10)), compressed(program, b"more\n")].concat();
        let (bytes, end) = unpack(&packed, Limits::default());
        assert_eq!((bytes, end), ([lines(10), b"more\n".to_vec()].concat(), End::Clean));
    }
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let packed = [compressed("zstd", b"1\n"), skipped, compressed("zstd", b"2\n")].concat();
    assert_eq!(unpack(&packed, Limits::default()), (b"1\n2\n".to_vec(), End::Clean));
}

#[test]
fn what_is_cut_off_or_damaged_is_told_at_its_end() {
    for program in ["gzip", "zstd"] {
        let packed = compressed(program, &lines(100_000));
        for kept in [1, 3, 10, packed.len() / 2, packed.len() - 1] {
            let (bytes, end) = unpack(&packed[..kept], Limits::default());
            assert!(matches!(end, End::Damaged(_)), "{program} {kept}: {end:?}");
            assert!(lines(100_000).starts_with(&bytes));
        }
        let mut spoiled = packed.clone();
        // In the checksum at the end.
        *spoiled.iter_mut().rev().nth(if program == "gzip" { 6 } else { 1 }).unwrap() ^= 0xff;
        assert!(matches!(unpack(&spoiled, Limits::default()).1, End::Damaged(_)), "{program}");
    }
    assert!(matches!(unpack(b"no such thing\n", Limits::default()).1, End::Damaged(_)));
}

#[test]
fn no_more_comes_out_than_the_limits_allow() {
    let zeros = vec![0; 80 << 20];
    for program in ["gzip", "zstd"] {
        let packed = compressed(program, &zeros);
        let all = Limits { unpacked_ratio: u64::MAX, ..Limits::default() };
        assert_eq!(unpack(&packed, all).1, End::Clean);
        let (bytes, end) = unpack(&packed, Limits::default());
        assert!(matches!(end, End::TooLarge(_)), "{program}: {end:?}");
        assert!(bytes.len() as u64 <= RATIO_FROM_BYTES);
        let (bytes, end) = unpack(&packed, Limits { unpacked_bytes: 10_000, ..all });
        assert!(matches!(end, End::TooLarge(_)) && bytes.len() <= 10_000, "{program}: {end:?}");
    }
}
