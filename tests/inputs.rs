//! What partners write, by every road: `test-line`, `replay`, a log that is followed, an export that is read.

use std::path::Path;

use serde_json::Value;

use crate::support::{Server, eventually, folder, offhours, text};

/// The value of a series; `None`: there is none.
fn series(server: &Server, name: &str, labels: &[&str]) -> Option<f64> {
    let page = server.get("/metrics").1;
    let is_it = |line: &&str| {
        line.split(['{', ' ']).next() == Some(name) && labels.iter().all(|l| line.contains(l))
    };
    page.lines().find(is_it)?.rsplit(' ').next()?.parse().ok()
}

/// The counts of a replay: what it writes to standard error.
fn replayed(config: &Path, logs: &[&Path]) -> (Option<i32>, Value) {
    let mut arguments = vec!["replay".to_owned(), "--format=json".to_owned()];
    arguments.push(format!("--config.file={}", config.display()));
    arguments.extend(logs.iter().map(|log| log.display().to_string()));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = offhours(&arguments);
    let said = text(&output.stderr);
    (output.status.code(), serde_json::from_str(&said).unwrap_or(Value::String(said)))
}

const TWO_PARTNERS: &str = "services: { vega: {} }
partners:
  north: { windows: \"Mo-Su 22:00-05:00\", procedures: { backup: {} } }
  south: { windows: \"Mo-Su 22:00-05:00\", procedures: { backup: {} } }
sources:
  - name: desk
    partners: { field: vendor, values: { N: north, S: south } }
    files: [desk.log]
    format: logfmt
    match: { any: [event=] }
";

#[test]
fn a_line_of_nobody_in_a_log_of_several_partners_is_told_everywhere() {
    let home = folder();
    let (config, log) = (home.path().join("offhours.yml"), home.path().join("desk.log"));
    std::fs::write(&config, TWO_PARTNERS).expect("a configuration");
    let line = |vendor: &str| {
        format!("time=2026-03-10T23:00:00Z vendor={vendor} event=started procedure=backup\n")
    };
    std::fs::write(&log, line("N") + &line("S") + &line("X")).expect("a log");
    let option = format!("--config.file={}", config.display());

    let understood = text(&offhours(&["check-config", &option]).stdout);
    assert!(understood.contains("desk (of north, south, told apart by vendor)"), "{understood}");

    let tested = offhours(&["test-line", &option, line("S").trim()]);
    assert!(text(&tested.stdout).contains("partner       south"), "{tested:?}");
    let tested = offhours(&["test-line", &option, line("X").trim()]);
    let said = text(&tested.stdout);
    let want = "rejected: unknown_partner: column 34: vendor \"X\" names no partner; accepted is one of N, S";
    assert!(said.starts_with(want), "{said}");
    assert_eq!(tested.status.code(), Some(1));

    let (_, counts) = replayed(&config, &[&log]);
    assert_eq!((&counts["events"], &counts["rejected"]["unknown_partner"]), (&2.into(), &1.into()));

    let storage = folder();
    let server = Server::start_in(&config, storage.path());
    eventually("the log is read", || {
        series(&server, "offhours_source_lines_total", &["\"desk\"", "\"event\""]) == Some(2.0)
    });
    let reason = "reason=\"unknown_partner\"";
    assert_eq!(series(&server, "offhours_source_rejected_lines_total", &[reason]), Some(1.0));
    for partner in ["north", "south"] {
        let partner = format!("partner=\"{partner}\"");
        assert_eq!(series(&server, "offhours_source_info", &["\"desk\"", &partner]), Some(1.0));
        assert_eq!(
            series(&server, "maintenance_starts_total", &[&partner, "vega", "\"compliant\""]),
            Some(1.0)
        );
    }
    let sources: Value = serde_json::from_str(&server.get("/api/v1/sources").1).expect("an answer");
    let own = sources.as_array().or(sources["sources"].as_array()).expect("sources");
    assert_eq!(own[0]["partners"], serde_json::json!(["north", "south"]));
    let page = server.get("/").1;
    assert!(page.contains("north, south"), "{page}");
    assert!(server.stop().success());
    let storage = format!("--storage.path={}", storage.path().display());
    let rejected = text(&offhours(&["rejected", &storage]).stdout);
    assert!(rejected.contains("unknown_partner") && rejected.contains("vendor=X"), "{rejected}");
}
