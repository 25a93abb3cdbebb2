//! Finds the few lines of a block that may be events, without splitting it into lines.

use aho_corasick::{AhoCorasick, packed};
use memchr::memmem;

use super::spec::Match;

/// A byte search for what every line that passes `match` must contain.
#[derive(Clone, Debug)]
pub(super) enum Needles {
    /// Nothing can be searched for: every line has to be looked at.
    None,
    One(Box<memmem::Finder<'static>>),
    /// Searched for with vector instructions.
    Few(Box<packed::Searcher>),
    /// More than those take, or on a processor without them.
    Many(AhoCorasick),
}

impl Needles {
    /// With a key, a word may stand in the line with escapes; only what no usual writer escapes is searched for.
    pub(super) fn new(matching: Option<&Match>) -> Needles {
        let Some(matching) = matching else { return Needles::None };
        let keyed = matching.key.is_some();
        let words: Vec<&str> = matching
            .any
            .iter()
            .map(|word| if keyed { plain_part(word) } else { word.as_str() })
            .collect();
        match words.as_slice() {
            [] => Needles::None,
            words if words.contains(&"") => Needles::None,
            [word] => Needles::One(Box::new(memmem::Finder::new(word).into_owned())),
            words => {
                // An automaton may prefer to look for rare bytes, which log lines are full of: four times slower.
                match packed::Searcher::new(words) {
                    Some(searcher) => Needles::Few(Box::new(searcher)),
                    None => AhoCorasick::new(words).map_or(Needles::None, Needles::Many),
                }
            }
        }
    }

    /// Where in `bytes` the first needle starts; 0 if there is nothing to search for.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Needles::None => Some(0),
            Needles::One(finder) => finder.find(bytes),
            Needles::Few(searcher) => searcher.find(bytes).map(|found| found.start()),
            Needles::Many(searcher) => searcher.find(bytes).map(|found| found.start()),
        }
    }
}

/// The longest part of `word` that stands unescaped in every format: JSON writers escape quotes, backslashes,
/// controls, often what is not ASCII, and those that mind HTML `/ < > & ' =` too.
fn plain_part(word: &str) -> &str {
    let is_special = |c: char| !c.is_ascii() || c.is_ascii_control() || "\"\\]/<>&'=".contains(c);
    word.split(is_special).max_by_key(|part| part.len()).unwrap_or_default()
}

/// How many lines a block has; the last one counts even if it does not end.
pub fn count_lines(block: &[u8]) -> usize {
    let ends = memchr::memchr_iter(b'\n', block).count();
    match block.last() {
        None | Some(b'\n') => ends,
        Some(_) => ends + 1,
    }
}

/// The start and end (without `\n`) of the line around `at`, not before `from`.
pub(super) fn line_around(block: &[u8], from: usize, at: usize) -> (usize, usize) {
    let before = block.get(from..at).unwrap_or_default();
    let start = memchr::memrchr(b'\n', before).map_or(from, |end| from + end + 1);
    let after = block.get(at..).unwrap_or_default();
    let end = memchr::memchr(b'\n', after).map_or(block.len(), |length| at + length);
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted() {
        for (block, want) in [
            ("", 0),
            ("\n", 1),
            ("a", 1),
            ("a\n", 1),
            ("a\nb", 2),
            ("\n\n\n", 3),
            ("a\r\nb\r\n", 2),
        ] {
            assert_eq!(count_lines(block.as_bytes()), want, "{block:?}");
        }
    }

    #[test]
    fn only_what_nobody_escapes_is_searched_for() {
        for (word, want) in [
            ("maintenance task", "maintenance task"),
            ("a/maintenance", "maintenance"),
            ("say \"hello\"", "hello"),
            ("Müllabfuhr", "llabfuhr"),
            ("ü", ""),
            ("", ""),
        ] {
            assert_eq!(plain_part(word), want, "{word}");
        }
    }

    #[test]
    fn a_line_is_found_around_any_of_its_bytes() {
        let block = b"one\ntwo\n\nfour";
        for (at, want) in [(0, (0, 3)), (3, (0, 3)), (5, (4, 7)), (8, (8, 8)), (12, (9, 13))] {
            assert_eq!(line_around(block, 0, at), want, "{at}");
        }
        assert_eq!(line_around(block, 5, 6), (5, 7));
        assert_eq!(line_around(b"", 0, 0), (0, 0));
    }
}
