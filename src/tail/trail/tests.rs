//! Pieces of files that were read, looked for in what is left of them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use proptest::prelude::*;

use super::*;
use crate::tail::signature::Seen;
use crate::tail::tests::build_folder;

fn file_of(bytes: &[u8]) -> File {
    let file = tempfile::tempfile_in(build_folder()).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file
}

fn lines(numbers: std::ops::Range<usize>) -> Vec<u8> {
    let line = |n: usize| format!("2025-11-10T22:{n:06}Z line {}\n", "x".repeat(n * 13 % 90));
    numbers.flat_map(|n| line(n).into_bytes()).collect()
}

fn seen(bytes: &[u8], step: usize) -> Seen {
    let mut seen = Seen::default();
    bytes.chunks(step.max(1)).for_each(|part| seen.push(part));
    seen
}

proptest! {
    /// However it was read, and wherever its head was cut off, what is left is found; and not where a line is
    /// another, or was put in between.
    #[test]
    fn what_is_left_is_found(
        count in 8..600usize,
        step in 1..5000usize,
        cut in 0.01..0.98f64,
        more in 0..40usize,
    ) {
        let old = lines(0..count);
        let seen = seen(&old, step);
        let cut = (old.len() as f64 * cut) as usize;
        prop_assume!(200 < old.len() - cut);
        let left = [&old[cut..], &lines(count..count + more)].concat();
        let end = (old.len() - cut) as u64;
        let like = seen.likeness(&file_of(&left), left.len() as u64, true).unwrap();
        prop_assert_eq!(like, Likeness::LostHead(end));
        let trail = Trail::load(&file_of(&old), old.len() as u64).unwrap();
        let loaded = Seen::load(&file_of(&old), old.len() as u64).unwrap().unwrap();
        let like = loaded.with_trail(trail).likeness(&file_of(&left), left.len() as u64, true).unwrap();
        prop_assert_eq!(like, Likeness::LostHead(end));
        // The last line was not read.
        let mut other = left.clone();
        other[end as usize - 2] ^= 1;
        let like = seen.likeness(&file_of(&other), other.len() as u64, true).unwrap();
        prop_assert_eq!(like, Likeness::Other);
    }

    /// A line that was put between those that were read is not passed over.
    #[test]
    fn what_was_put_in_between_is_seen(count in 100..600usize, at in 0.7..0.9f64) {
        let old = lines(0..count);
        let seen = seen(&old, 4096);
        let cut = old.len() / 2;
        let at = (old.len() as f64 * at) as usize;
        let news = [&old[cut..at], b"2025-11-10T22:000000Z nobody has read this\n", &old[at..]].concat();
        let like = seen.likeness(&file_of(&news), news.len() as u64, true).unwrap();
        prop_assert_eq!(like, Likeness::Other);
    }

    #[test]
    fn there_are_few_pieces_also_of_much(step in 100..20_000usize) {
        let old = lines(0..20_000);
        let seen = seen(&old, step);
        let trail = seen.trail_at(old.len() as u64);
        prop_assert!((20..150).contains(&trail.0.len()), "{}", trail.0.len());
        prop_assert!(trail.0.is_sorted());
    }
}

#[test]
fn a_part_of_what_is_left_may_become_all_of_it() {
    let old = lines(0..400);
    let seen = seen(&old, 777);
    let left = &old[old.len() / 2..];
    for share in [4, 5, 9] {
        let part = &left[..left.len() * share / 10];
        let like = seen.likeness(&file_of(part), part.len() as u64, true).unwrap();
        assert_eq!(like, Likeness::MayLoseHead, "{share}");
    }
}

/// Lines that were never read, and text that comes again.
#[test]
fn another_log_is_not_taken_for_it() {
    let old = lines(0..400);
    let seen = seen(&old, 777);
    for other in [lines(401..700), b"no digits at all here, nor any stamp\n".repeat(90)] {
        let like = seen.likeness(&file_of(&other), other.len() as u64, true).unwrap();
        assert_eq!(like, Likeness::Other);
    }
}
