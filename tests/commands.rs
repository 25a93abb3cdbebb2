//! Every command from outside: help, exit codes, output that is not read to its end.

use std::io::{Read, Write};
use std::process::Stdio;

use crate::support::{Server, folder, offhours, program, root, text};

const CONFIG: &str = "--config.file=examples/quickstart/offhours.yml";
const LOG: &str = "examples/quickstart/northhost.log";

#[test]
fn every_command_has_help() {
    for command in [
        "serve",
        "replay",
        "check-config",
        "test-line",
        "may-start",
        "guard",
        "phase",
        "windows",
        "runs",
        "explain",
        "report",
        "ack",
        "approve",
        "rejected",
        "verify",
        "completions",
    ] {
        let output = offhours(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let help = text(&output.stdout);
        let examples = help.split("Examples:\n").nth(1).expect("examples");
        // One that is folded cannot be copied.
        let is_folded = |line: &&str| {
            !["offhours", "tail", "head", "kill", "source"]
                .iter()
                .any(|word| line.strip_prefix("  ").is_some_and(|rest| rest.starts_with(word)))
        };
        let folded = examples.lines().take_while(|line| !line.is_empty()).find(is_folded);
        assert_eq!(folded, None, "{command}");
    }
}

/// Exit code, and a piece of what is said on either stream.
fn check(arguments: &[&str], code: i32, said: &str) {
    let output = offhours(arguments);
    let all = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {all}");
    assert!(all.contains(said), "{arguments:?}: {all}");
}

#[test]
fn exit_codes_say_what_happened() {
    let started =
        "time=2026-03-01T00:00:00Z msg=\"maintenance task\" state=started task=x target=orion";
    check(&["replay", CONFIG, LOG], 1, "violation");
    check(&["replay", CONFIG, "--until", "2026-03-01T00:00:00Z", LOG], 0, "");
    check(&["replay", CONFIG, "nowhere.log"], 2, "nowhere.log");
    check(&["replay", CONFIG, "--until", "yesterday", LOG], 2, "RFC 3339");
    check(&["replay", CONFIG, "--source", "nobody", LOG], 2, "northhost-maintenance");
    check(&["replay"], 2, "Usage");
    check(&["check-config", CONFIG], 0, "next windows");
    check(
        &["check-config", "--config.file=tests/config/unknown-key-top.yml"],
        2,
        "unknown-key-top.yml:",
    );
    let web = "--web.config.file=tests/web/user-plain-password.yml";
    check(
        &["check-config", CONFIG, web],
        2,
        "user-plain-password.yml:2:8: this is not a bcrypt hash",
    );
    check(&["serve", CONFIG, web], 2, "user-plain-password.yml:2:8: this is not a bcrypt hash");
    check(&["check-config", CONFIG, "--web.config.file=tests/web/good-rate-off.yml"], 0, "");
    let all = "--config.file=tests/config/good-all-keys.yml";
    check(&["check-config", all], 0, "posts            as offhours, again after 1m");
    check(&["check-config", "--config.file=nowhere.yml"], 2, "--config.file says where it is");
    let calendars = "--config.file=examples/calendars/offhours.yml";
    check(&["check-config", calendars], 0, "  freeze           Dec 24-26\n");
    check(&["check-config", calendars], 0, "5m before to 30m after the planned start");
    check(&["test-line", CONFIG, started], 0, "procedure");
    check(&["test-line", CONFIG, "time=1 msg=heartbeat"], 1, "ignored");
    check(&["test-line", CONFIG, "msg=\"maintenance task\" state=JUMPED"], 1, "rejected");
    check(&["windows", CONFIG, "--storage.path=nowhere"], 0, "without changes");
    check(&["windows", CONFIG, "--partner=nobody"], 2, "there are northhost");
    check(&["windows", CONFIG, "--days=0"], 2, "1..=370");
    check(&["runs", "--storage.path=nowhere"], 2, "there is no ledger here");
    check(&["explain", CONFIG, "--storage.path=nowhere", "1"], 2, "there is no ledger here");
    check(&["rejected", "--storage.path=nowhere"], 2, "there is no ledger here");
    check(&["ack", CONFIG, "--storage.path=nowhere", "1", "--by", "x"], 2, "no ledger");
    check(&["serve", "--config.file=nowhere.yml"], 2, "--config.file says where it is");
    check(
        &["runs", "--verdict=guilty"],
        2,
        "[possible values: compliant, violation, exempt, unknown]",
    );
    check(&["runs", "--since=yesterday"], 2, "a day in UTC (2025-11-10)");
    check(&["dance"], 2, "dance");
    check(&["completions", "bash"], 0, "_offhours");
    check(&["--version"], 0, "public holidays");
}

#[test]
fn the_environment_says_where_ledger_and_configuration_are() {
    let said = |arguments: &[&str]| {
        let output = program()
            .args(arguments)
            .env("OFFHOURS_STORAGE_PATH", "/nowhere/ledger")
            .env("OFFHOURS_CONFIG_FILE", "/nowhere/offhours.yml")
            .output()
            .expect("an end");
        text(&output.stderr)
    };
    assert!(said(&["runs"]).starts_with("/nowhere/ledger: there is no ledger"));
    assert!(said(&["ack", "1", "--by=x"]).starts_with("/nowhere/ledger: there is no ledger"));
    assert!(said(&["check-config"]).starts_with("/nowhere/offhours.yml: "));
    assert!(said(&["runs", "--storage.path=here"]).starts_with("here: there is no ledger"));
}

#[test]
fn windows_that_are_always_open_are_called_so() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let text = "partners: { p: { windows: \"24/7\", procedures: { x: {} } } }\n\
                sources: [ { name: s, partner: p, files: [a.log], format: logfmt } ]\n";
    std::fs::write(&config, text).expect("a configuration");
    let config = format!("--config.file={}", config.display());
    check(&["check-config", &config], 0, "next windows     always open\n");
}

/// An empty cell must not move the columns behind it; only behind the last one there is nothing.
#[test]
fn a_script_can_count_on_the_columns_of_a_table() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let policy = "partners: { p: { windows: \"24/7\", procedures: { x: {} } } }\n\
                  sources: [ { name: s, partner: p, files: [a.log], format: logfmt } ]\n";
    std::fs::write(&config, policy).expect("a configuration");
    let log = home.path().join("a.log");
    let lines = "time=2026-03-01T00:30:00Z status=confirmed change_id=C7 procedure=x \
        planned_start=2026-03-01T01:00:00Z planned_end=2026-03-01T02:00:00Z\n\
        time=2026-03-01T01:00:00Z event=started procedure=x run_id=r1\n\
        time=2026-03-01T01:10:00Z event=finished run_id=r1\n\
        time=2026-03-01T03:00:00Z event=started procedure=y service=z\n";
    std::fs::write(&log, lines).expect("a log");
    let output = offhours(&[
        "replay",
        &format!("--config.file={}", config.display()),
        log.to_str().expect("UTF-8"),
    ]);
    let told = text(&output.stdout);
    let rows: Vec<Vec<&str>> = told.lines().map(|line| line.split_whitespace().collect()).collect();
    let want = [
        "START DURATION PARTNER SERVICE PROCEDURE RUN CHANGE STATE VERDICT REASONS",
        "2026-03-01T01:00:00Z 10m p - x r1 C7 finished compliant",
        "2026-03-01T03:00:00Z - p z y - - running violation? unknown_procedure",
    ];
    assert_eq!(rows, want.map(|row| row.split(' ').collect::<Vec<_>>()), "{told}");
}

#[test]
fn the_counts_of_a_replay_go_to_standard_error_as_json() {
    let output = offhours(&["replay", CONFIG, "--format", "json", LOG]);
    let counts: serde_json::Value = serde_json::from_slice(&output.stderr).expect("one object");
    for key in ["lines", "events", "ignored", "rejected", "irregularities"] {
        assert!(counts.get(key).is_some(), "{key}: {counts}");
    }
    let runs = text(&output.stdout);
    assert!(runs.lines().all(|l| serde_json::from_str::<serde_json::Value>(l).is_ok()), "{runs}");
}

#[test]
fn a_reader_that_goes_away_ends_the_output_quietly() {
    let mut child = program()
        .current_dir(root())
        .args(["replay", CONFIG, "--format", "json", LOG])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    child.wait().expect("an end");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_terminal_is_never_driven_by_a_log() {
    let storage = folder();
    let log = storage.path().join("northhost.log");
    let mut file = std::fs::File::create(&log).expect("a log");
    writeln!(
        file,
        "time=2026-03-03T12:00:00Z msg=\"maintenance task\" state=STARTED task=x\u{1b}[31m job=\u{202e}7 target=orion"
    )
    .expect("a line");
    let log = log.to_string_lossy().into_owned();
    let output = offhours(&["replay", CONFIG, &log]);
    let table = text(&output.stdout);
    assert!(table.contains("violation"), "{table}");
    assert!(!table.contains('\u{1b}') && !table.contains('\u{202e}'), "{table:?}");
}

#[test]
fn a_log_record_is_a_line_whatever_a_file_is_called() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let text = "partners: { p: { timezone: UTC, windows: \"Mo-Su 22:00-05:00\" } }\n\
                sources: [ { name: s, partner: p, files: [\"*.log\"], format: logfmt } ]\n";
    std::fs::write(&config, text).expect("a configuration");
    std::fs::write(home.path().join("a\nlevel=error\u{1b}[31m\u{202e}.log"), "x=1\n")
        .expect("a log");
    let server = Server::launch(&config, home.path());
    let mut lines = server.lines_until("caught up");
    std::fs::write(&config, format!("{text}nonsense: 1\n")).expect("a configuration");
    rustix::process::kill_process(server.pid(), rustix::process::Signal::HUP).expect("a signal");
    lines.extend(server.lines_until("configuration not loaded"));
    let is_whole = |line: &String| line.starts_with("time=") && !line.contains(char::is_control);
    assert!(lines.iter().all(is_whole), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("a\\nlevel=error\\u")), "{lines:#?}");
    assert!(server.stop().success());
}

/// Whoever reads only warnings sees a violation, and which files nothing is read from.
#[test]
fn the_log_warns_of_a_violation_and_of_patterns_without_a_file() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let text = "partners: { p: { windows: \"Mo-Su 22:00-05:00\" } }\n\
                sources: [ { name: s, partner: p, files: [a.log, \"b/*.log\"], format: logfmt } ]\n";
    std::fs::write(&config, text).expect("a configuration");
    let server = Server::launch(&config, home.path());
    let lines = server.lines_until("caught up");
    let here = home.path().display();
    let wanted = format!("error=\"no file matches {here}/a.log, {here}/b/*.log\"");
    assert!(lines.iter().any(|line| line.contains(&wanted)), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("path=\"\"")), "{lines:#?}");
    let now = offhours::time::rfc3339(offhours::clock::now());
    let log = format!("time={now} event=started procedure=x run_id=j-7\n");
    std::fs::write(home.path().join("a.log"), log).expect("a log");
    let lines = server.lines_until("run started");
    let started = lines.last().expect("a line");
    for said in ["level=warn", "run_id=j-7", "verdict=violation", "unknown_procedure"] {
        assert!(started.contains(said), "{started}");
    }
    assert!(server.stop().success());
}
