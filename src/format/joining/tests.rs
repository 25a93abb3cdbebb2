//! Records of several lines, cut into blocks anywhere between two lines.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Format, Match, Spec, compile};
use super::*;
use crate::calendar::Zone;

fn reader(continuation: Option<&str>, any: &[&str]) -> Reader {
    let any: Vec<String> = any.iter().map(|word| (*word).to_owned()).collect();
    Reader::new(Arc::new(Spec {
        continuation: continuation.map(|pattern| compile(pattern).unwrap()),
        matching: (!any.is_empty()).then_some(Match { key: None, any }),
        ..Spec::new(Format::Logfmt, Zone::utc())
    }))
}

/// The records with a needle, with their offsets; `cuts`: how many lines each block has.
fn found(reader: &Reader, text: &str, cuts: &[usize]) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let mut joiner = Joiner::default();
    let file = super::super::FileState::default();
    let mut take = |piece: Piece<'_>| {
        for (at, record) in reader.candidates(piece.bytes, &file) {
            let text = String::from_utf8(record.to_vec()).unwrap();
            found.push((piece.offset + at as u64, text));
        }
    };
    let mut lines = text.split_inclusive('\n').peekable();
    let mut cuts = cuts.iter().cycle();
    let mut offset = 0;
    while lines.peek().is_some() {
        let count = cuts.next().copied().unwrap_or(1).max(1);
        let block: String = lines.by_ref().take(count).collect();
        joiner.push(reader, offset, block.as_bytes(), &mut take);
        offset += block.len() as u64;
        assert!(joiner.held_from().is_none_or(|from| from < offset));
    }
    joiner.flush(&mut take);
    assert_eq!(joiner.held_from(), None);
    found
}

fn check(text: &str, any: &[&str], want: &[(u64, &str)]) {
    let reader = reader(Some("^\t"), any);
    let want: Vec<(u64, String)> = want.iter().map(|(at, s)| (*at, (*s).to_owned())).collect();
    for cuts in [&[1][..], &[2], &[3], &[100]] {
        assert_eq!(found(&reader, text, cuts), want, "{text:?} in blocks of {cuts:?} lines");
    }
}

#[test]
fn a_line_that_goes_on_belongs_to_the_record_before() {
    check("a x\n\tb\nc\n", &["x"], &[(0, "a x\n\tb")]);
    check("a\n\tb x\n\tc\nd\n", &["x"], &[(0, "a\n\tb x\n\tc")]);
    check("a\nb x\n", &["x"], &[(2, "b x")]);
    check("a x\r\n\tb\r\nc x\r\n", &["x"], &[(0, "a x\r\n\tb"), (9, "c x")]);
    check("a x\n\tb x\nc x\n\td", &["x"], &[(0, "a x\n\tb x"), (9, "c x\n\td")]);
}

#[test]
fn without_a_beginning_it_is_a_record_of_its_own() {
    check("\ta\n\tb x\nc\n", &["x"], &[(0, "\ta\n\tb x")]);
    check("\n\tb x\n\n", &["x"], &[(0, "\n\tb x")]);
}

#[test]
fn without_a_word_to_look_for_every_record_is_one() {
    check("a\n\tb\nc\n", &[], &[(0, "a\n\tb"), (5, "c")]);
}

#[test]
fn nothing_is_held_back_where_nothing_is_joined() {
    let reader = reader(None, &["x"]);
    let mut joiner = Joiner::default();
    let mut pieces = 0;
    joiner.push(&reader, 0, b"a x\n\tb\n", &mut |piece| {
        pieces += 1;
        assert_eq!(piece.bytes, b"a x\n\tb\n");
    });
    assert_eq!((pieces, joiner.held_from()), (1, None));
}

/// A record beyond the limits costs little memory, and is rejected if it is of interest wherever that shows.
#[test]
fn what_is_held_back_is_bounded() {
    let near = "2026-01-01T00:00:00Z".parse().unwrap();
    let line = format!("\t{}\n", "y".repeat(1_000));
    for (lines, last, is_event) in
        [(10, "\tx\n", true), (3_000, "\tx\n", true), (3_000, "\ty\n", false)]
    {
        let reader = reader(Some("^\t"), &["x"]);
        let mut joiner = Joiner::default();
        let mut rejected = Vec::new();
        let mut take = |piece: Piece<'_>| {
            assert!(piece.bytes.len() <= RECORD_BYTES_MAX + 2 * line.len());
            let state = super::super::FileState::default();
            for (_, record) in reader.candidates(piece.bytes, &state) {
                rejected.push(reader.read(record, &state, near));
            }
            let kept = super::super::count_lines(piece.bytes) as u64;
            assert_eq!(kept + piece.dropped_lines, lines + 2, "every line is counted");
        };
        joiner.push(&reader, 0, b"head\n", &mut take);
        for _ in 0..lines {
            joiner.push(&reader, 0, line.as_bytes(), &mut take);
        }
        joiner.push(&reader, 0, last.as_bytes(), &mut take);
        assert_eq!(joiner.is_wanted(), is_event && lines == 10);
        joiner.flush(&mut take);
        assert_eq!(rejected.len(), usize::from(is_event));
        if lines == 3_000 && is_event {
            let reason = match rejected.first() {
                Some(super::super::Reading::Rejected(rejection)) => rejection.reason,
                other => panic!("{other:?}"),
            };
            assert_eq!(reason, super::super::Reason::RecordTooLong);
        }
    }
}

proptest! {
    /// Where the blocks are cut makes no difference.
    #[test]
    fn records_do_not_depend_on_the_blocks(
        lines in prop::collection::vec(r"\t?[axy]{0,3}\r?", 0..16),
        cuts in prop::collection::vec(1_usize..5, 1..4),
        any in prop::sample::select(vec![&["x"][..], &["x", "a"], &[]]),
        ends in any::<bool>(),
    ) {
        let reader = reader(Some("^\t"), any);
        let text = lines.join("\n") + if ends { "\n" } else { "" };
        let whole = found(&reader, &text, &[100]);
        prop_assert_eq!(&found(&reader, &text, &cuts), &whole);
        for (at, record) in &whole {
            prop_assert!(text[usize::try_from(*at).unwrap()..].starts_with(record.as_str()));
        }
        let joined: String = reader.records(text.as_bytes())
            .map(|(at, record)| format!("{at}:{}", String::from_utf8_lossy(record)))
            .collect();
        let heads = text.split_inclusive('\n').enumerate()
            .filter(|(n, line)| *n == 0 || !line.starts_with('\t')).count();
        prop_assert_eq!(joined.matches(':').count(), heads);
    }
}
