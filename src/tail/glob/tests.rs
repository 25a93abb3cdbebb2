//! Patterns against names.

use proptest::prelude::*;

use super::*;

/// Whether a pattern for one name matches.
fn check(pattern: &str, name: &str) -> bool {
    match component(pattern) {
        Component::Name(literal) => literal == *name,
        Component::Wild(wild) => wild.matches(name.as_bytes()),
        Component::Deep => panic!("{pattern:?} is not for one name"),
    }
}

#[test]
fn names_match_as_in_a_shell() {
    for (pattern, names, others) in [
        ("app.log", &["app.log"][..], &["app.log.1", "app-log", ""][..]),
        ("app.log*", &["app.log", "app.log.1"], &["app.lo", "xapp.log"]),
        ("*.log", &["a.log", "a.b.log", "é.log"], &[".log", "a.log.1", "a.logs"]),
        ("*", &["a", "a b"], &[".hidden"]),
        (".*", &[".hidden", "."], &["a"]),
        ("?.log", &["a.log", "é.log", "\u{1f600}.log"], &[".log", "ab.log", "..log"]),
        ("a?c", &["abc", "a.c"], &["ac", "abbc"]),
        ("a*b*c", &["abc", "aXbYc", "abbcc", "abcbc"], &["acb", "ab", "bc"]),
        ("[ab].log", &["a.log", "b.log"], &["c.log", "[ab].log"]),
        ("[a-c]x", &["ax", "bx", "cx"], &["dx", "-x"]),
        ("[!a-c]x", &["dx", "-x"], &["ax", "x", ".x"]),
        ("[^a]x", &["bx"], &["ax"]),
        ("[]]x", &["]x"], &["x", "[x"]),
        ("[a-]x", &["ax", "-x"], &["bx"]),
        ("[à-ü]*", &["é.log"], &["e.log"]),
        ("[abc", &["[abc"], &["a"]),
        ("a[", &["a["], &["a"]),
        ("a**b", &["ab", "axxb"], &["a"]),
        ("**x", &["x", "ax"], &["a"]),
    ] {
        for name in names {
            assert!(check(pattern, name), "{pattern:?} should match {name:?}");
        }
        for name in others {
            assert!(!check(pattern, name), "{pattern:?} should not match {name:?}");
        }
    }
}

#[test]
fn names_that_are_not_utf_8_match_byte_by_byte() {
    let Component::Wild(wild) = component("a?b*") else { panic!() };
    assert!(wild.matches(b"a\xffb\xfe"));
    assert!(!wild.matches(b"a\xff\xffb"));
    let Component::Wild(wild) = component("[!a]") else { panic!() };
    assert!(wild.matches(b"\xff"));
}

#[test]
fn a_pattern_is_cut_at_its_slashes() {
    let pattern = Pattern::parse("/var//log/./**/app-[0-9].log").unwrap();
    let kinds: Vec<&str> = pattern
        .components
        .iter()
        .map(|component| match component {
            Component::Name(_) => "name",
            Component::Wild(_) => "wild",
            Component::Deep => "deep",
        })
        .collect();
    assert_eq!(kinds, ["name", "name", "deep", "wild"]);
}

#[test]
fn the_error_names_the_pattern() {
    let error = Pattern::parse("logs/*.log").unwrap_err();
    let want = r#""logs/*.log" is not an absolute path or pattern that ends in a file name"#;
    assert_eq!(error.to_string(), want);
}

/// The definition, without a thought for its cost.
fn matches_slowly(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', after)), _) => {
            (0..=name.len()).any(|taken| matches_slowly(after, &name[taken..]))
        }
        (Some((p, after)), Some((n, rest))) => (p == n || *p == '?') && matches_slowly(after, rest),
        _ => false,
    }
}

proptest! {
    #[test]
    fn matching_is_what_it_is_defined_to_be(pattern in "[ab*?]{0,8}", name in "[ab]{0,10}") {
        prop_assume!(pattern != "**");
        let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
        prop_assert_eq!(check(&pattern, &name), matches_slowly(&p, &n));
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error(text in ".{0,40}", name in ".{0,20}") {
        if let Ok(pattern) = Pattern::parse(&format!("/{text}")) {
            prop_assert!(!pattern.components.is_empty());
        }
        if let Component::Wild(wild) = component(&text.replace('/', "")) {
            wild.matches(name.as_bytes());
        }
    }
}

/// A matcher that tries every way to share the name among the stars would not end.
#[test]
fn many_stars_cost_little() {
    let pattern = "*a".repeat(60) + "b";
    assert!(!check(&pattern, &"a".repeat(250)));
}
