//! `offhours explain`: a whole case, in words and in Markdown, with the lines as the log has them.

use std::path::Path;

use crate::support::{Server, folder, offhours, root, text};

/// A folder with the quickstart, read by an offhours that has stopped again.
fn home() -> tempfile::TempDir {
    let home = folder();
    for name in ["offhours.yml", "northhost.log"] {
        let from = root().join("examples/quickstart").join(name);
        std::fs::copy(from, home.path().join(name)).expect("a copy");
    }
    let server = Server::start_in(&home.path().join("offhours.yml"), home.path());
    assert!(server.stop().success());
    home
}

/// The case of a run, with what differs from time to time taken out: the folder, and when the line was read.
fn explain(home: &Path, run: &str, format: &str) -> String {
    let config = format!("--config.file={}", home.join("offhours.yml").display());
    let storage = format!("--storage.path={}", home.display());
    let output = offhours(&["explain", run, &config, &storage, "--format", format]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout).replace(&*home.to_string_lossy(), "HOME");
    let is_stable = |line: &&str| !["  read ", "| read |"].iter().any(|at| line.starts_with(at));
    let stable = |line: &str| match line.split_once(", read ") {
        Some((before, _)) if line.contains("; sent ") => format!("{before}, read THEN\n"),
        _ => format!("{line}\n"),
    };
    said.lines().filter(is_stable).map(stable).collect()
}

fn golden(name: &str, got: &str) {
    let path = root().join("tests/explain").join(name);
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, got).expect("the golden file is written");
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(want == got, "{}:\nwant\n{want}\ngot\n{got}", path.display());
}

#[test]
fn a_case_is_told_whole() {
    let home = home();
    for run in ["LC-26-M", "LC-23"] {
        golden(&format!("{run}.txt"), &explain(home.path(), run, "text"));
    }
    golden("LC-26-M.md", &explain(home.path(), "LC-26-M", "markdown"));
    let case = explain(home.path(), "LC-26-M", "json");
    let case: serde_json::Value = serde_json::from_str(&case).expect("an object");
    assert_eq!(case["verdict"], "violation");
    let sections = case["sections"].as_array().expect("a list");
    let titles: Vec<&str> = sections.iter().filter_map(|s| s["title"].as_str()).collect();
    assert_eq!(titles, ["The run", "Plan", "What happened", "Rules", "What should have happened"]);
}

/// What stands at the place of a line is shown only if it is that line.
#[test]
fn another_line_at_the_same_place_is_not_shown() {
    let home = home();
    let log = home.path().join("northhost.log");
    let written = std::fs::read_to_string(&log).expect("a log");
    let shown = |case: &str| case.matches("| time=").count();
    assert_eq!(shown(&explain(home.path(), "LC-23", "text")), 4);
    // The same bytes, but the run begins a second later.
    let start = "state=started job=LC-23 ";
    let line = written.lines().find(|line| line.contains(start)).expect("its start");
    let second = |line: &str| line.replacen(":00Z", ":01Z", 1);
    std::fs::write(&log, written.replace(line, &second(line))).expect("a log");
    let case = explain(home.path(), "LC-23", "text");
    assert_eq!(shown(&case), 3, "{case}");
    assert!(case.contains("no longer holds that line"), "{case}");
    // Renamed as by a rotation that nobody saw, or gone: the places stay.
    std::fs::remove_file(&log).expect("it is gone");
    let case = explain(home.path(), "LC-23", "text");
    assert_eq!((shown(&case), case.matches("northhost.log byte").count()), (0, 4), "{case}");
}

/// What was agreed may have changed since, or the partner may be gone: what was found stands.
#[test]
fn a_case_is_told_under_another_configuration_too() {
    let home = home();
    let config = home.path().join("offhours.yml");
    let written = std::fs::read_to_string(&config).expect("a configuration");
    std::fs::write(&config, written.replace("max_duration: 2h", "max_duration: 4h"))
        .expect("a configuration");
    let case = explain(home.path(), "LC-26-M", "text");
    assert!(case.contains("became final under another configuration"), "{case}");
    assert!(
        case.contains("BROKEN  too_long                 ran longer than the agreed maximum of 2h"),
        "{case}"
    );
    assert!(case.contains("takes at most  4h"), "{case}");
    let other = "partners: { p: { timezone: UTC, windows: \"Mo-Su 22:00-05:00\" } }\n\
                 sources: [ { name: s, partner: p, files: [a.log], format: logfmt } ]\n";
    std::fs::write(&config, other).expect("a configuration");
    let case = explain(home.path(), "LC-26-M", "text");
    assert!(case.contains("the partner is not in this configuration"), "{case}");
    assert!(case.contains("Times are those of UTC."), "{case}");
    assert!(case.contains("BROKEN  in_business_hours"), "{case}");
    assert!(!case.contains("What should have happened"), "{case}");
}
