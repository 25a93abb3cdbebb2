//! Whole logs with the verdicts they must get: `tests/cases/<story>/`, and the quickstart.
//!
//! `BLESS=1` writes what the program says; what no run may ever be is checked all the same.

mod invariants;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{files, folder, program, root, text};

/// Where the inputs of a story lie. The quickstart is read where its users find it.
fn inputs(story: &Path) -> PathBuf {
    if story.ends_with("quickstart") {
        root().join("examples/quickstart")
    } else {
        story.to_owned()
    }
}

fn stories() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(root().join("tests/cases"))
        .expect("the stories")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    found.sort();
    assert!(6 <= found.len(), "stories are missing: {found:?}");
    found
}

fn logs(story: &Path) -> Vec<PathBuf> {
    let found: Vec<PathBuf> = files(&inputs(story)).into_iter().filter(|p| is_input(p)).collect();
    assert!(!found.is_empty(), "{}: no log", story.display());
    found
}

/// Logs and documents.
fn is_input(path: &Path) -> bool {
    let name = path.file_name().expect("a name").to_string_lossy();
    let endings = [".log", ".csv", ".json", ".ics", ".eml"];
    !name.starts_with("expected.") && endings.iter().any(|ending| name.ends_with(ending))
}

/// Runs and counts as `replay --format json` prints them; the exit code is checked.
fn replay(story: &Path, logs: &[PathBuf]) -> (String, String) {
    let arguments = std::fs::read_to_string(story.join("args")).unwrap_or_default();
    let output = program()
        .args(["replay", "--format", "json", "--config.file"])
        .arg(inputs(story).join("offhours.yml"))
        .args(arguments.split_whitespace())
        .args(logs)
        .output()
        .expect("the program starts");
    let (runs, counts) = (text(&output.stdout), text(&output.stderr));
    let violation = runs.contains(r#""verdict":"violation""#);
    let want = Some(i32::from(violation));
    assert_eq!(output.status.code(), want, "{}: exit code; {counts}", story.display());
    (runs, counts)
}

fn golden(path: &Path, got: &str) {
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, got).expect("the golden file is written");
    }
    let want = std::fs::read_to_string(path).unwrap_or_default();
    assert!(want == got, "{}:\nwant\n{want}\ngot\n{got}", path.display());
}

#[test]
fn every_story_gets_its_verdicts() {
    for story in stories() {
        let (runs, counts) = replay(&story, &logs(&story));
        runs.lines().for_each(invariants::run_line);
        invariants::counts(&counts);
        golden(&story.join("expected.json"), &runs);
        golden(&story.join("expected.counts.json"), &counts);
    }
}

/// What is blessed is held too: a golden file may not record what cannot be.
#[test]
fn no_golden_breaks_an_invariant() {
    for story in stories() {
        let path = story.join("expected.json");
        let runs = std::fs::read_to_string(&path).expect("a golden file");
        let counts = std::fs::read_to_string(story.join("expected.counts.json")).expect("it too");
        let is_about_rejection = !counts.contains("\"rejected\":{}");
        assert!(!runs.is_empty() || is_about_rejection, "{}: no run", path.display());
        runs.lines().for_each(invariants::run_line);
    }
}

#[test]
fn no_file_is_an_orphan() {
    let known = ["offhours.yml", "args", "expected.json", "expected.counts.json", "story.md"];
    for story in stories() {
        assert!(story.is_dir(), "{}: not a story", story.display());
        let must = ["expected.json", "expected.counts.json", "story.md"];
        for name in must {
            assert!(story.join(name).is_file(), "{}: no {name}", story.display());
        }
        for file in files(&story) {
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            let flat = file.parent() == Some(&*story);
            assert!(
                flat && (known.contains(&&*name) || is_input(&file)),
                "{}: nothing reads it",
                file.display()
            );
        }
    }
}

/// The same runs, written in every format, get the same verdicts.
#[test]
fn a_verdict_does_not_depend_on_the_format() {
    let (runs, _) = replay(&root().join("tests/cases/formats"), &logs(&stories_named("formats")));
    let mut by_partner = std::collections::BTreeMap::<String, Vec<Value>>::new();
    for line in runs.lines() {
        let mut run: Value = serde_json::from_str(line).expect("JSON");
        let partner = run["partner"].take().as_str().expect("a partner").to_owned();
        by_partner.entry(partner).or_default().push(run);
    }
    assert_eq!(by_partner.len(), 6, "formats");
    let first = by_partner.values().next().expect("a format").clone();
    for (partner, runs) in by_partner {
        assert_eq!(runs, first, "{partner}");
    }
}

/// The order in which the logs are named does not matter.
#[test]
fn a_verdict_does_not_depend_on_the_order_of_the_files() {
    for name in ["formats", "emergencies"] {
        let story = stories_named(name);
        let mut logs = logs(&story);
        let sorted = |runs: String| {
            let mut lines: Vec<String> = runs.lines().map(String::from).collect();
            lines.sort();
            lines
        };
        let forwards = sorted(replay(&story, &logs).0);
        logs.reverse();
        assert_eq!(sorted(replay(&story, &logs).0), forwards, "{name}");
    }
}

/// What happens after an instant does not change what had become true before it.
#[test]
fn a_reason_on_the_clock_does_not_need_a_new_line() {
    let empty = folder();
    let (config, log) = (empty.path().join("offhours.yml"), empty.path().join("northhost.log"));
    let quickstart = root().join("examples/quickstart");
    std::fs::copy(quickstart.join("offhours.yml"), config).expect("a copy");
    let all = std::fs::read_to_string(quickstart.join("northhost.log")).expect("a log");
    let started: String = all
        .lines()
        .filter(|line| line.contains("LC-26-M"))
        .take(1)
        .map(|l| l.to_owned() + "\n")
        .collect();
    std::fs::write(&log, started).expect("a log");
    for (until, broken, code) in
        [("2026-03-26T14:04:59Z", false, Some(1)), ("2026-03-26T14:05:00Z", true, Some(1))]
    {
        let output = program()
            .current_dir(empty.path())
            .args(["replay", "--format", "json", "--until", until, "northhost.log"])
            .output()
            .expect("the program starts");
        let runs = text(&output.stdout);
        invariants::run_line(runs.trim_end());
        assert_eq!(runs.contains("too_long"), broken, "{until}: {runs}");
        assert_eq!(output.status.code(), code, "{until}");
    }
}

fn stories_named(name: &str) -> PathBuf {
    let story = root().join("tests/cases").join(name);
    assert!(story.is_dir(), "{name}: no such story");
    story
}
