//! Every mistake has a fixture with its exact message, which names a place; there are only so many of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::{NOW, fixtures, instant, now_of, problems};
use crate::config::*;

/// What a fixture is told, and the ending of the file that holds it.
fn told(name: &str, text: &str) -> (&'static str, String) {
    match parse(text, Path::new(name), now_of(text)) {
        Ok(config) if config.warnings.is_empty() => ("", String::new()),
        Ok(config) => {
            let warnings: Vec<_> = config.warnings.iter().map(Problem::to_string).collect();
            ("warn", warnings.join("\n\n") + "\n")
        }
        Err(error) => ("err", format!("{error}\n")),
    }
}

/// `BLESS=1` writes the expected messages instead of comparing them.
#[test]
fn every_fixture_is_told_exactly_what_is_written_beside_it() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = String::new();
    let mut expected = BTreeSet::new();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "yml") {
            found.insert(name);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (ending, got) = told(&name, &text);
        assert!(!got.contains("hunter2"), "{name} shows a secret: {got}");
        if name.starts_with("good-") == (ending == "err") {
            writeln!(wrong, "{name}: good ones load, others do not\n{got}").unwrap();
        }
        if ending.is_empty() {
            continue;
        }
        let beside = path.with_extension(ending);
        expected.insert(beside.file_name().unwrap().to_str().unwrap().to_owned());
        if bless {
            std::fs::write(&beside, &got).unwrap();
        } else if std::fs::read_to_string(&beside).unwrap_or_default() != got {
            writeln!(wrong, "{name}:\n{got}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(60 < expected.len(), "fixtures not found");
    if !bless {
        assert_eq!(found, expected, "orphans or missing messages");
    }
}

/// What holds for every message, however it was blessed.
#[test]
fn every_message_names_a_place_that_is_in_the_file() {
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let Err(Error::Invalid { problems, omitted }) = parse(&text, &path, now_of(&text)) else {
            continue;
        };
        assert_eq!(omitted, 0);
        assert!(problems.is_sorted_by_key(Problem::place), "{path:?}");
        for problem in problems {
            let line = text.lines().nth(problem.line.saturating_sub(1)).unwrap_or_default();
            // Where a secret stands only the key is shown.
            let is_shown = !line.contains("hunter2");
            assert_eq!(problem.source_line == line, is_shown, "{path:?}: {problem}");
            assert!(1 <= problem.line && 1 <= problem.column, "{path:?}: {problem}");
            assert!(problem.column <= line.chars().count() + 1, "{path:?}: {problem}");
            assert!(!problem.message.ends_with('.'), "{path:?}: {problem}");
            // A sentence does not begin with a capital; a name of a foreign format may (PH, BYDAY).
            let is_name =
                |word: &str| 1 < word.len() && word.chars().all(|c| c.is_ascii_uppercase());
            let first = problem.message.split(|c: char| !c.is_alphabetic()).next();
            assert!(
                !problem.message.starts_with(char::is_uppercase) || first.is_some_and(is_name),
                "{path:?}: {problem}"
            );
            assert!(!problem.message.contains(char::is_control), "{path:?}: {problem}");
        }
    }
}

#[test]
fn a_mistake_inside_an_expression_is_pointed_at() {
    for (written, column) in [
        ("Mo 10:00-12:00; PH off", 35),
        ("\"Mo 10:00-12:00; PH off\"", 36),
        ("'Mo 10:00-12:00; PH off'", 36),
        ("   'é 10:00-12:00; PH off'", 38),
        // Escapes and folded lines: the beginning of the scalar.
        ("\"Mo 10:00\\x2d12:00; PH off\"", 19),
        ("Mo 10:00-12:00;\n      PH off", 19),
    ] {
        let text = format!(
            "services:\n a:\n  business_hours: {written}\npartners: {{ a: {{}} }}\nsources: [{{ name: a, partner: a, files: [a], format: json }}]\n"
        );
        let got = problems(&text);
        let want = format!("3:{column} PH without holidays for service \"a\"");
        assert_eq!(got, [want], "{written}");
    }
}

#[test]
fn names_are_short_and_printable() {
    for (name, ok) in [
        ("a".repeat(128), true),
        ("a".repeat(129), false),
        ("é".repeat(64), true),
        ("é".repeat(65), false),
        ("\"quoted \\\" and \\\\\"".into(), true),
        ("\"a\\nb\"".into(), false),
        ("\"\\u0085\"".into(), false),
        ("' a'".into(), false),
        ("''".into(), false),
        ("12".into(), false),
        ("'12'".into(), true),
        ("NO".into(), true),
        ("日本".into(), true),
    ] {
        let text = format!(
            "partners: {{ p: {{}} }}\nsources:\n  - name: {name}\n    partner: p\n    files: [a]\n    format: json\n"
        );
        assert_eq!(problems(&text).is_empty(), ok, "{name}: {:?}", problems(&text));
    }
}

#[test]
fn problems_are_limited() {
    let mut text = String::from("partners:\n");
    for n in 0..300 {
        writeln!(text, "  p{n}: {{ lost_after: never }}").unwrap();
    }
    let error = parse(&text, Path::new("a.yml"), instant(NOW)).unwrap_err();
    assert!(error.to_string().ends_with("\n\nand 201 more"), "{error}");
}

#[test]
fn terms_are_limited() {
    let mut text = String::from("services:\n");
    for n in 0..800 {
        writeln!(text, "  s{n}: {{}}").unwrap();
    }
    text.push_str("partners:\n");
    for n in 0..800 {
        writeln!(text, "  p{n}: {{}}").unwrap();
    }
    text.push_str("sources: [{ name: a, partner: p1, files: [a], format: json }]\n");
    assert_eq!(problems(&text)[0], "803:3 640800 combinations of procedure, service and freeze");
}

proptest! {
    /// Whatever stands in the file: an answer, and one that points into the file.
    #[test]
    fn no_text_is_too_strange(cut in 0usize..3000, insert in "[ -~\\n\\té\u{1}]{0,6}", skip in 0usize..40) {
        let text = std::fs::read_to_string(fixtures().join("good-all-keys.yml")).unwrap();
        let cut = (0..=cut.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap();
        let (before, after) = text.split_at(cut);
        let after: String = after.chars().skip(skip).collect();
        let text = format!("{before}{insert}{after}");
        if let Err(error) = parse(&text, Path::new("a.yml"), instant(NOW)) {
            prop_assert!(error.to_string().starts_with("a.yml:"));
        }
    }
}
