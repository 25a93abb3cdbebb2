//! Order of the modules, purity of the core, sizes, and words that are not left behind.

use super::{File, none, read, rust};
use crate::support::root;

/// The last module of the core: up to it nothing does I/O or reads a clock.
const LAST_OF_THE_CORE: &str = "format";

/// What the core does not know.
const IMPURE: [&str; 10] = [
    "tokio::",
    "hyper::",
    "notify::",
    "tracing::",
    "std::fs",
    "std::env::",
    "Utc::now",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
];

/// Files that may read what is forbidden elsewhere, with the reason.
const IMPURE_BUT: [(&str, &str); 1] =
    [("src/calendar/civil.rs", "tells which edition of the zone rules is in use")];

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 400;

/// The modules in the order of `src/lib.rs`.
pub(super) fn order() -> Vec<String> {
    let lib = read(&root().join("src/lib.rs"));
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let names: Vec<String> = names.map(String::from).collect();
    assert!(15 < names.len(), "modules in lib.rs: {names:?}");
    names
}

/// Modules that a line names after `crate::`.
fn named(line: &str) -> Vec<&str> {
    line.split("crate::")
        .skip(1)
        .flat_map(|rest| {
            let list =
                rest.strip_prefix('{').map(|list| list.split('}').next().unwrap_or_default());
            let words = list.map_or(vec![rest], |list| list.split(',').collect());
            words.into_iter().map(|word| {
                let word = word.trim_start();
                let end = word.find(|c: char| !c.is_ascii_lowercase() && c != '_');
                word.get(..end.unwrap_or(word.len())).unwrap_or_default()
            })
        })
        .collect()
}

#[test]
fn names_after_crate_are_found() {
    for (line, want) in [
        ("use crate::time::Instant;", vec!["time"]),
        ("use crate::{event, run::Run};", vec!["event", "run"]),
        ("f(crate::a::b(), crate::c)", vec!["a", "c"]),
        ("nothing", vec![]),
    ] {
        assert_eq!(named(line), want, "{line}");
    }
}

#[test]
fn a_module_uses_only_those_above_it() {
    let order = order();
    let place = |name: &str| order.iter().position(|module| module == name);
    let mut findings = Vec::new();
    for file in rust(&["src"]) {
        let Some(own) = place(file.module()) else { continue };
        for (number, line) in file.code() {
            for name in named(line).into_iter().filter(|name| place(name) > Some(own)) {
                findings.push(format!("{}:{number}: uses {name}, which is below", file.path));
            }
        }
    }
    none(findings);
}

#[test]
fn every_module_is_in_the_order() {
    let order = order();
    let known = |file: &File| {
        ["lib", "main"].contains(&file.module()) || order.iter().any(|name| name == file.module())
    };
    let lost = rust(&["src"]).into_iter().filter(|file| !known(file));
    none(lost.map(|file| format!("{}: not in lib.rs", file.path)).collect());
}

#[test]
fn the_core_does_no_io_and_reads_no_clock() {
    let order = order();
    let last = order.iter().position(|name| name == LAST_OF_THE_CORE).expect("the core");
    let core = order.get(..=last).expect("the core");
    let mut findings = Vec::new();
    for file in rust(&["src"]) {
        let excused = IMPURE_BUT.iter().any(|(path, _)| *path == file.path);
        if excused || !core.iter().any(|name| name == file.module()) {
            continue;
        }
        for (number, line) in file.code() {
            for word in IMPURE.iter().filter(|word| line.contains(**word)) {
                findings.push(format!("{}:{number}: {word} in the core", file.path));
            }
        }
    }
    none(findings);
}

#[test]
fn only_the_clock_reads_the_time_of_day() {
    let mut findings = Vec::new();
    for file in rust(&["src"]).iter().filter(|file| file.path != "src/clock.rs") {
        for (number, line) in file.code() {
            for word in ["Utc::now", "SystemTime::now", "Timestamp::now", "Zoned::now"] {
                if line.contains(word) {
                    findings.push(format!("{}:{number}: {word}", file.path));
                }
            }
        }
    }
    none(findings);
}

#[test]
fn every_file_says_what_it_is() {
    let all = rust(&["src", "tests"]);
    let silent = all.iter().filter(|file| !file.text.starts_with("//! "));
    none(silent.map(|file| format!("{}: no sentence at its start", file.path)).collect());
}

#[test]
fn no_file_is_too_long() {
    let mut findings = Vec::new();
    for file in rust(&["src"]).iter().filter(|file| !file.is_test()) {
        let lines = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = lines.lines().count();
        if FILE_LINES_MAX < lines {
            findings.push(format!("{}: {lines} lines", file.path));
        }
    }
    none(findings);
}

/// Name, first line and number of lines of every function, by the indentation of rustfmt.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let words: Vec<&str> = body.split(' ').collect();
        let Some(at) = words.iter().take(6).position(|word| *word == "fn") else { continue };
        let heads = ["pub", "async", "const", "pub(crate)", "pub(super)", "unsafe", "extern"];
        if words.iter().take(at).any(|word| !heads.contains(word)) {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        let one_line = body.ends_with('}') || body.ends_with(';');
        let rest = lines.iter().skip(index).position(|line| **line == close);
        let length = if one_line { 1 } else { rest.map_or(1, |rest| rest + 1) };
        let name = words.get(at + 1).unwrap_or(&"").split(['(', '<']).next().unwrap_or_default();
        found.push((name.to_owned(), index + 1, length));
    }
    found
}

#[test]
fn functions_are_measured() {
    let text =
        "impl A {\n    pub fn b(\n        c: u8,\n    ) {\n        d();\n    }\n}\nfn e() {}\n";
    assert_eq!(functions(text), [("b".to_owned(), 2, 5), ("e".to_owned(), 8, 1)]);
}

#[test]
fn no_function_is_too_long() {
    let mut findings = Vec::new();
    for file in rust(&["src", "tests"]) {
        for (name, line, length) in functions(&file.text) {
            if FUNCTION_LINES_MAX < length {
                findings.push(format!("{}:{line}: {name} has {length} lines", file.path));
            }
        }
    }
    none(findings);
}

/// Words that are not left behind. In two parts, so that this file does not contain them.
const LEFT_BEHIND: [(&str, &str); 4] =
    [("todo", "!("), ("dbg", "!("), ("unimplemented", "!("), ("#[ign", "ore")];

#[test]
fn nothing_is_left_behind() {
    let mut findings = Vec::new();
    for file in rust(&["src", "tests"]) {
        for (left, right) in LEFT_BEHIND {
            if file.text.contains(&format!("{left}{right}")) {
                findings.push(format!("{}: {left}{right}", file.path));
            }
        }
    }
    none(findings);
}

/// Whoever waits for a clock waits too long or not long enough.
#[test]
fn no_test_sleeps() {
    let mut findings = Vec::new();
    for file in rust(&["src", "tests"]) {
        let inline = file.text.find("#[cfg(test)]\nmod tests {");
        let from = if file.is_test() { Some(0) } else { inline };
        let tests = from.and_then(|from| file.text.get(from..)).unwrap_or_default();
        let allowed = file.path == "tests/support/mod.rs";
        for word in [concat!("thread::", "sleep"), concat!("time::", "sleep"), "park_timeout("] {
            if tests.contains(word) && !(allowed || file.path == "tests/tidy/code.rs") {
                findings.push(format!("{}: {word}", file.path));
            }
        }
    }
    none(findings);
}
