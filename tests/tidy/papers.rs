//! What the documents say is there, every dependency has its reason, and tests stay at home.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{none, read, short};
use crate::support::{files, root};

const FOLDERS: [&str; 6] = ["src", "tests", "examples", "data", "scripts", ".ci"];
const ENDINGS: [&str; 4] = [".md", ".rs", ".toml", ".yml"];

fn documents() -> Vec<PathBuf> {
    let all = files(root()).into_iter();
    let found: Vec<PathBuf> =
        all.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    assert!(4 <= found.len(), "documents: {found:?}");
    found
}

/// Whether a word in backticks names a path of this repository.
fn is_path(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let first = word.split('/').next().unwrap_or_default();
    plain
        && (word.contains('/') && FOLDERS.contains(&first)
            || !word.starts_with(['.', '/']) && ENDINGS.iter().any(|ending| word.ends_with(ending)))
}

#[test]
fn paths_are_told_from_words() {
    for (word, want) in [
        ("src/lib.rs", true),
        ("README.md", true),
        (".ci/run", true),
        ("/metrics", false),
        ("tests/cases/<story>/", false),
        ("max_duration", false),
        ("and/or", false),
    ] {
        assert_eq!(is_path(word), want, "{word}");
    }
}

/// Everything a document names in backticks exists: below the root or beside the document.
#[test]
fn every_path_in_a_document_exists() {
    let mut findings = Vec::new();
    for path in documents() {
        let text = read(&path);
        let beside = path.parent().expect("a folder");
        for word in text.split('`').skip(1).step_by(2).filter(|word| is_path(word)) {
            // The name a configuration has unless another is given.
            let known = word == "offhours.yml";
            if !(known || root().join(word).exists() || beside.join(word).exists()) {
                findings.push(format!("{}: no {word}", short(&path)));
            }
        }
    }
    none(findings);
}

/// Every test that a document names as the holder of an invariant exists.
#[test]
fn every_test_in_the_architecture_exists() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let files = super::rust(&["src", "tests"]);
    let tests: BTreeSet<&str> = files.iter().flat_map(|file| tests_of(&file.text)).collect();
    let (_, table) = text.split_once("## Invariants").expect("the invariants");
    let words = table.split('`').skip(1).step_by(2);
    let names: Vec<&str> = words.filter(|word| word.contains('_')).collect();
    assert!(10 <= names.len(), "invariants: {names:?}");
    let lost = names.iter().filter(|name| !tests.contains(*name));
    none(lost.map(|name| format!("no test {name}")).collect());
}

/// The names of the functions that a test attribute stands before.
fn tests_of(text: &str) -> impl Iterator<Item = &str> {
    let is_test = |line: &str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    let mut waits = false;
    text.lines().map(str::trim_start).filter_map(move |line| {
        waits |= is_test(line);
        let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
        let name = rest.split('(').next()?;
        std::mem::take(&mut waits).then_some(name)
    })
}

#[test]
fn a_function_is_a_test_by_its_attribute() {
    let text = "#[test]\n#[cfg(unix)]\nfn a() {}\nfn b() {}\n#[tokio::test(x)]\nasync fn c() {}\n";
    assert_eq!(tests_of(text).collect::<Vec<_>>(), ["a", "c"]);
}

/// The map has every module of `src/lib.rs`, in the same order.
#[test]
fn the_map_is_in_the_order_of_the_modules() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let (_, map) = text.split_once("## The map").expect("the map");
    let cells = map.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let modules = words.filter_map(|word| word.strip_prefix("src/"));
    let modules: Vec<&str> = modules.map(|name| name.strip_suffix(".rs").unwrap_or(name)).collect();
    assert_eq!(modules, super::code::order());
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = read(&root().join("Cargo.toml"));
    let reasons = read(&root().join("CONTRIBUTING.md"));
    let mut section = "";
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]")
            && let Some((name, _)) = line.split_once(" = ")
        {
            names.push(name.to_owned());
        }
    }
    assert!(20 < names.len(), "dependencies: {names:?}");
    let told = |name: &&String| reasons.lines().any(|l| l.starts_with(&format!("- `{name}`: ")));
    let lost = names.iter().filter(|name| !told(name));
    let mut findings: Vec<String> = lost.map(|name| format!("{name}: no reason told")).collect();
    let (_, list) = reasons.split_once("## Dependencies").expect("the dependencies");
    let listed = list.lines().filter_map(|line| line.strip_prefix("- `")?.split('`').next());
    let gone = listed.filter(|name| !names.iter().any(|known| known == name));
    findings.extend(gone.map(|name| format!("{name}: told but not used")));
    none(findings);
}

/// Tests and examples talk to nobody but this machine.
#[test]
fn addresses_are_loopback() {
    let folders = ["tests", "examples", "src/http/tests"];
    let mut findings = Vec::new();
    for path in folders.iter().flat_map(|folder| files(&root().join(folder))) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for word in text.split(|c: char| !c.is_ascii_digit() && c != '.') {
            let parts: Vec<&str> = word.split('.').collect();
            let address = parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok());
            if address && !word.starts_with("127.") {
                findings.push(format!("{}: {word}", short(&path)));
            }
        }
    }
    none(findings);
}

/// The sections that a newcomer looks for.
#[test]
fn the_readme_starts_with_what_works() {
    let readme = read(&root().join("README.md"));
    let first = readme.lines().find_map(|line| line.trim().strip_prefix("cargo run "));
    let want = "--release -- serve --config.file examples/quickstart/offhours.yml \
                --storage.path quickstart-data";
    assert_eq!(first, Some(want));
    let architecture = read(&root().join("ARCHITECTURE.md"));
    assert!(architecture.lines().count() <= 150, "ARCHITECTURE.md is a map, not a book");
}
