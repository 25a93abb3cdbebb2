//! The nearest valid name for a misspelt one.

/// Words longer than this many characters are not compared: the table below grows with both lengths.
const WORD_CHARS_MAX: usize = 64;

/// The candidate that is nearest to `word`, if it is near enough to be what was meant.
///
/// Near enough is one edit for every three characters; of shorter words nearly all are near each other. An edit is one character more, less or
/// other, or two neighbours swapped (Damerau-Levenshtein, optimal string alignment); case is ignored. The
/// first of several equally near candidates wins.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = folded(word)?;
    let edits_max = word.len() / 3;
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let folded = folded(candidate)?;
            // Lengths that differ by more need more edits; most of many names end here.
            let is_near = folded.len().abs_diff(word.len()) <= edits_max;
            is_near.then(|| (edits(&word, &folded), candidate))
        })
        .filter(|(edits, _)| *edits <= edits_max)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// The characters in lower case; `None` for words that are too long to be compared.
fn folded(word: &str) -> Option<Vec<char>> {
    let chars: Vec<char> =
        word.chars().take(WORD_CHARS_MAX + 1).flat_map(char::to_lowercase).collect();
    (chars.len() <= WORD_CHARS_MAX).then_some(chars)
}

/// How many edits lead from `a` to `b`.
fn edits(a: &[char], b: &[char]) -> usize {
    // Rows of the usual table: the one being filled, the one above it, and the one above that (for swaps).
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (i, &in_a) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        let mut previous_b = None;
        for (j, &in_b) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = at(&row, j) + usize::from(in_a != in_b);
            let mut least = replaced.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if previous_a == Some(in_b) && previous_b == Some(in_a) {
                least = least.min(at(&above, j.saturating_sub(1)).saturating_add(1));
            }
            next.push(least);
            previous_b = Some(in_b);
        }
        previous_a = Some(in_a);
        above = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distance(a: &str, b: &str) -> usize {
        edits(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
    }

    #[test]
    fn an_edit_is_a_character_more_less_other_or_swapped() {
        for (a, b, want) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("windows", "windows", 0),
            ("window", "windows", 1),
            ("windows", "window", 1),
            ("wimdows", "windows", 1),
            ("widnows", "windows", 1),
            ("wdi", "wid", 1),
            ("ca", "abc", 3),
            ("kitten", "sitting", 3),
            ("über", "uber", 1),
        ] {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_name_is_suggested_if_it_is_near() {
        let keys = ["max_duration", "max_silence", "notice", "to", "GB-ENG"];
        for (word, want) in [
            ("max_durations", Some("max_duration")),
            ("maxduration", Some("max_duration")),
            ("NOTICE", Some("notice")),
            ("gb_eng", Some("GB-ENG")),
            ("ot", None),
            ("TO", Some("to")),
            ("", None),
            ("colour", None),
            ("max_", None),
        ] {
            assert_eq!(suggest(word, keys), want, "{word}");
        }
        assert_eq!(suggest("abc", ["abd", "abe"]), Some("abd"), "the first of equals");
        assert_eq!(suggest(&"x".repeat(1000), ["x"]), None);
        assert_eq!(suggest("x", [&*"x".repeat(1000)]), None);
        assert_eq!(suggest("x", []), None);
    }

    proptest! {
        #[test]
        fn the_distance_is_symmetric_and_bounded(a in "[a-d]{0,8}", b in "[a-d]{0,8}") {
            let d = distance(&a, &b);
            prop_assert_eq!(d, distance(&b, &a));
            prop_assert_eq!(d == 0, a == b);
            prop_assert!(d <= a.len().max(b.len()));
            prop_assert!(a.len().abs_diff(b.len()) <= d);
        }

        #[test]
        fn any_single_edit_is_found(word in "[a-z]{3,20}", at in 0usize..20, with in "[a-z]") {
            let at = at % word.len();
            let mut edited = word.clone();
            edited.replace_range(at..=at, &with);
            prop_assert_eq!(suggest(&edited, [word.as_str()]), Some(word.as_str()));
        }
    }
}
