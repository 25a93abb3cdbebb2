//! What partners write, by every road: `test-line`, `replay`, a log that is followed, an export that is read.

mod formats;

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

const HEADED: &str = "services: { vega: {} }
partners: { north: { windows: \"Mo-Su 22:00-05:00\", procedures: { backup: {} } } }
sources:
  - name: desk
    partner: north
    files: [\"*.csv\"]
    format: csv
    fields: { procedure: task }
";

#[test]
fn a_log_without_a_column_that_is_named_is_not_up() {
    let home = folder();
    let (config, log) = (home.path().join("offhours.yml"), home.path().join("runs.csv"));
    std::fs::write(&config, HEADED).expect("a configuration");
    std::fs::write(&log, "time,event,tasks\n2026-03-10T23:00:00Z,started,backup\n").expect("a log");
    let option = format!("--config.file={}", config.display());
    let missing = "the header has no column \"task\" (named for procedure)";

    let doubted = text(&offhours(&["check-config", &option]).stderr).replace("\n         ", " ");
    assert!(doubted.contains(missing), "{doubted}");
    let (_, counts) = replayed(&config, &[&log]);
    assert_eq!(counts["rejected"], serde_json::json!({ "bad_header": 1, "missing_header": 1 }));

    let server = Server::start(&config);
    let rejected = |reason: &str| {
        series(&server, "offhours_source_rejected_lines_total", &[&format!("\"{reason}\"")])
    };
    eventually("the log is read", || rejected("missing_header") == Some(1.0));
    assert_eq!(rejected("bad_header"), Some(1.0));
    eventually("it is down", || series(&server, "offhours_source_up", &[]) == Some(0.0));
    assert_eq!(series(&server, "offhours_source_covered_seconds_total", &[]), Some(0.0));
    // Another file with the column: the source is up only once the one without is gone.
    let good = "time,event,task\n2026-03-10T23:00:00Z,started,backup\n";
    std::fs::write(home.path().join("new.csv"), good).expect("a log");
    let events = || series(&server, "offhours_source_lines_total", &["\"event\""]);
    eventually("the new log is read", || events() == Some(1.0));
    assert_eq!(series(&server, "offhours_source_up", &[]), Some(0.0));
    std::fs::remove_file(&log).expect("the log goes");
    eventually("it is up", || series(&server, "offhours_source_up", &[]) == Some(1.0));
    assert!(server.stop().success());
}

/// A log of each format whose key for the service is called otherwise in the configuration.
const MISNAMED: &[(&str, &str)] = &[
    (
        "format: json",
        "{\"time\":\"2026-03-10T23:00:00Z\",\"event\":\"started\",\"procedure\":\"backup\",\"m\":{\"target\":\"vega\"}}",
    ),
    ("format: logfmt", "time=2026-03-10T23:00:00Z event=started procedure=backup target=vega"),
    (
        "format: syslog, message_format: logfmt",
        "<13>1 2026-03-10T23:00:00Z h a - - - event=started procedure=backup target=vega",
    ),
    (
        "format: syslog, message_format: json",
        "<13>1 2026-03-10T23:00:00Z h a - - - {\"event\":\"started\",\"procedure\":\"backup\"}",
    ),
];

#[test]
fn a_key_that_is_named_and_that_no_record_has_is_told() {
    for (format, line) in MISNAMED {
        let home = folder();
        let (config, log) = (home.path().join("offhours.yml"), home.path().join("runs.log"));
        let source = format!(
            "{{ name: desk, partner: north, files: [runs.log], {format}, fields: {{ service: m.targets }} }}"
        );
        let head = HEADED.split("  - name").next().expect("a head");
        std::fs::write(&config, format!("{head}  - {source}\n")).expect("a configuration");
        std::fs::write(&log, format!("{line}\n")).expect("a log");
        let option = format!("--config.file={}", config.display());
        let missing = "no record has the key \"m.targets\" (named for service)";

        let doubted =
            text(&offhours(&["check-config", &option]).stderr).replace("\n         ", " ");
        assert!(doubted.contains(missing), "{format}: {doubted}");
        let replay = offhours(&["replay", &option, &log.display().to_string()]);
        assert!(text(&replay.stderr).contains(missing), "{format}: {replay:?}");
        // A record with the key, and nobody says anything any more.
        let named = source.replace("m.targets", "procedure");
        std::fs::write(&config, format!("{head}  - {named}\n")).expect("a configuration");
        let replay = offhours(&["replay", &option, &log.display().to_string()]);
        assert!(!text(&replay.stderr).contains("no record has"), "{format}: {replay:?}");
    }
}

#[test]
fn a_running_program_tells_of_keys_that_no_record_has_until_one_has() {
    let home = folder();
    let (config, log) = (home.path().join("offhours.yml"), home.path().join("runs.log"));
    let head = HEADED.split("  - name").next().expect("a head");
    let source = "{ name: desk, partner: north, files: [runs.log], format: logfmt, fields: { event: state, service: target } }";
    std::fs::write(&config, format!("{head}  - {source}\n")).expect("a configuration");
    std::fs::write(&log, "time=2026-03-10T23:00:00Z stat=started procedure=backup\n")
        .expect("a log");
    let server = Server::start(&config);
    let unseen = || {
        let told: Value =
            serde_json::from_str(&server.get("/api/v1/sources").1).expect("an answer");
        told["sources"][0]["unseen"].clone()
    };
    let add = |line: &str| {
        use std::io::Write as _;
        let mut log = std::fs::OpenOptions::new().append(true).open(&log).expect("the log");
        writeln!(log, "{line}").expect("a line");
    };
    let no_state = serde_json::json!(["no line has the key \"state\" (named for event)"]);
    eventually("no record is told", || unseen() == no_state);
    add("time=2026-03-10T23:00:00Z state=started procedure=backup");
    let no_target = serde_json::json!(["no record has the key \"target\" (named for service)"]);
    eventually("the service is told", || unseen() == no_target);
    add("time=2026-03-10T23:10:00Z state=started procedure=backup target=vega");
    eventually("nothing is told", || unseen() == serde_json::json!([]));
    assert!(server.stop().success());
}

#[test]
fn a_notice_without_a_property_that_is_named_is_not_read() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let head = HEADED.split("  - name").next().expect("a head");
    let source = "{ name: mail, kind: notices, partner: north, files: [\"*.ics\"], fields: { procedure: kind_of_work } }";
    std::fs::write(&config, format!("{head}  - {source}\n")).expect("a configuration");
    let notice = |status: &str, more: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VEVENT\r\nUID:u1\r\nSEQUENCE:1\r\nDTSTAMP:20260301T100000Z\r\n\
             DTSTART:20260310T220000Z\r\nDTEND:20260310T230000Z\r\nX-MAINTNOTE-MAINTENANCE-ID:M1\r\nX-MAINTNOTE-ACCOUNT:vega\r\n\
             X-MAINTNOTE-STATUS:{status}\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    for (status, more, is_read) in [
        ("CONFIRMED", "", false),
        ("CONFIRMED", "X-MAINTNOTE-KIND-OF-WORK:backup\r\n", true),
        // A notice that only calls off may leave it out.
        ("CANCELLED", "", true),
    ] {
        let file = home.path().join("1.ics");
        std::fs::write(&file, notice(status, more)).expect("a notice");
        let (code, counts) = replayed(&config, &[&file]);
        match is_read {
            true => assert_eq!(counts["events"], 1, "{status} {more}: {counts}"),
            false => {
                assert_eq!(code, Some(2));
                let want = "no notice has the key \"kind_of_work\" (named for procedure)";
                assert!(counts.as_str().is_some_and(|said| said.contains(want)), "{counts}");
            }
        }
    }
}
