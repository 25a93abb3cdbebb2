//! Asking before a run, from outside: `may-start` and `guard` against a running offhours.

mod adversity;

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Server, eventually, folder, program, text};

const AGREEMENT: &str = "
services:
  orion: {}
partners:
  northhost:
    windows: [{ ics: never.ics }]
    ask_first: true
    confirmation: { required: false }
    procedures:
      always: { services: [orion], anytime: true, expected_duration: 10m }
      never: { services: [orion], expected_duration: 10m }
sources:
  - { name: guard, partner: northhost, files: [guard.log], format: logfmt }
";

/// Procedure, options, command; exit code, what is said, events.
type Row<'a> = (&'a str, &'a [&'a str], &'a str, (i32, &'a str, &'a [&'a str]));

/// A running offhours that follows the log of guards.
struct Place {
    home: tempfile::TempDir,
    server: Server,
}

impl Place {
    fn new() -> Place {
        let home = folder();
        let config = home.path().join("offhours.yml");
        // Its only window is long past.
        let never = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:19990101T000000Z\r\nDTSTART:19990101T220000Z\r\nDTEND:19990102T050000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        std::fs::write(home.path().join("never.ics"), never).expect("a calendar");
        std::fs::write(&config, AGREEMENT).expect("a configuration");
        std::fs::write(home.path().join("guard.log"), "").expect("a log");
        let server = Server::start_in(&config, &home.path().join("data"));
        Place { home, server }
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("guard.log")
    }

    fn written(&self) -> String {
        std::fs::read_to_string(self.log()).expect("the log")
    }

    /// A guard with these options, of a command for the shell.
    fn guard(&self, procedure: &str, options: &[&str], shell: &str) -> Command {
        self.guard_into("guard.log", procedure, options, shell)
    }

    fn guard_into(&self, log: &str, procedure: &str, options: &[&str], shell: &str) -> Command {
        let mut command = program();
        command.current_dir(self.home.path()).args(["guard", "--storage.path", "data"]);
        command.args(["--partner", "northhost", "--procedure", procedure, "--log", log]);
        command.args(options).args(["--", "sh", "-c", shell]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // Not in the foreground of a terminal, where signals of the keyboard are not passed on.
        command.process_group(0);
        command
    }

    fn run(&self, procedure: &str, options: &[&str], shell: &str) -> Output {
        self.guard(procedure, options, shell).output().expect("the guard starts")
    }

    /// Exit code, what is said, and the events in the log.
    fn check(&self, procedure: &str, options: &[&str], shell: &str, want: (i32, &str, &[&str])) {
        let before = self.written().len();
        let output = self.run(procedure, options, shell);
        let said = text(&output.stderr) + &text(&output.stdout);
        let (code, piece, events) = want;
        assert_eq!(output.status.code(), Some(code), "{options:?} {shell}: {said}");
        assert!(said.contains(piece), "{options:?} {shell}: {said}");
        let written = self.written();
        let field = |line: &str| {
            let event = line.split(' ').find_map(|word| word.strip_prefix("event="));
            event.expect("an event").to_owned()
        };
        let found: Vec<String> = written[before..].lines().map(field).collect();
        assert_eq!(found, events, "{options:?} {shell}: {written}");
    }

    /// The runs, the latest first.
    fn runs(&self) -> Vec<Value> {
        let (status, body) = self.server.get("/api/v1/runs?limit=1000");
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).expect("an object");
        body["runs"].as_array().expect("a list").clone()
    }

    fn ask(&self, query: &str) -> (u16, Value) {
        let (status, body) = self.server.get(&format!("/api/v1/may-start?{query}"));
        (status, serde_json::from_str(&body).expect("an object"))
    }

    fn entries(&self) -> u64 {
        let (_, page) = self.server.get("/metrics");
        let line = page.lines().find_map(|line| line.strip_prefix("offhours_ledger_entries "));
        line.expect("the metric").parse().expect("a number")
    }
}

#[test]
fn a_guard_starts_what_may_start_and_passes_the_exit_code_on() {
    let place = Place::new();
    let nobody = "http://127.0.0.1:1";
    let over = ["--override", "--by", "on-call", "--reason", "INC-1 \"now\""];
    let rows: &[Row] = &[
        ("always", &[], "echo hello", (0, "hello", &["started", "finished"])),
        ("always", &[], "exit 7", (7, "", &["started", "failed"])),
        ("always", &[], "kill -9 $$", (137, "", &["started", "aborted"])),
        ("never", &[], "touch ran", (121, "outside_window", &[])),
        ("mystery", &[], "touch ran", (121, "unknown_procedure", &[])),
        ("never", &over, "exit 3", (3, "override by on-call", &["started", "phase", "failed"])),
        ("always", &["--url", nobody], "touch ran", (122, "no connection", &[])),
        (
            "always",
            &["--url", nobody, "--if-unreachable", "start"],
            "true",
            (0, "started without an answer", &["started", "phase", "finished"]),
        ),
        ("always", &["--url", "localhost"], "touch ran", (2, "accepted are http://", &[])),
        ("always", &["--trigger", "gust"], "touch ran", (125, "accepted are schedule", &[])),
        ("always", &["--log", "nowhere/x.log"], "touch ran", (2, "cannot be used multiple", &[])),
        ("always", &["--override"], "touch ran", (2, "--reason", &[])),
    ];
    for (procedure, options, shell, want) in rows {
        place.check(procedure, options, shell, *want);
    }
    assert!(!place.home.path().join("ran").exists());
}

#[test]
fn a_command_that_cannot_be_executed_is_told_and_its_run_is_aborted() {
    let place = Place::new();
    for (command, code) in [("./nowhere", 127), ("./guard.log", 126)] {
        let mut guard = program();
        guard.current_dir(place.home.path()).args(["guard", "--storage.path", "data"]);
        guard.args(["--partner", "northhost", "--procedure", "always", "--log", "guard.log"]);
        let output = guard.args(["--", command]).output().expect("the guard starts");
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(command));
    }
    let written = place.written();
    assert_eq!(written.matches("event=aborted").count(), 2, "{written}");
}

#[test]
fn an_override_and_a_start_without_a_question_are_seen() {
    let place = Place::new();
    let over = ["--override", "--by", "on-call", "--reason", "INC-1", "--run-id", "over"];
    place.run("never", &over, "true");
    let now = "printf 'time=%s event=started procedure=always run_id=silent\\n' $(date -u +%FT%TZ)";
    let shell = format!("{now} >> {}", place.log().display());
    let done = Command::new("sh").args(["-c", &shell]).status().expect("a shell");
    assert!(done.success());
    eventually("both are read", || place.runs().len() == 2);
    let runs = place.runs();
    let of = |id: &str| runs.iter().find(|run| run["run_id"] == *id).expect("the run");
    let (over, silent) = (of("over"), of("silent"));
    assert_eq!(over["irregular_start"], "started_after_no");
    assert_eq!(over["asked"]["override"]["by"], "on-call");
    assert_eq!(over["asked"]["override"]["reason"], "INC-1");
    assert_eq!((&silent["irregular_start"], &silent["asked"]), (&"not_asked".into(), &Value::Null));
    let (_, page) = place.server.get("/metrics");
    for kind in ["started_after_no", "not_asked"] {
        let series = format!(
            "maintenance_irregularities_total{{partner=\"northhost\",kind=\"{kind}\"}} 1\n"
        );
        assert!(page.contains(&series), "{kind}");
    }
    let explain = |run: &str| {
        let mut command = program();
        command.current_dir(place.home.path()).args(["explain", run, "--storage.path", "data"]);
        text(&command.output().expect("the program starts").stdout)
    };
    assert!(explain("over").contains("overridden  by on-call: INC-1"), "{}", explain("over"));
    assert!(explain("silent").contains("asked  nobody (not_asked)"), "{}", explain("silent"));
}

/// A guard of a command that says when it has begun.
struct Running {
    child: Child,
}

impl Running {
    fn start(place: &Place, options: &[&str], shell: &str) -> Running {
        let _ = std::fs::remove_file(place.home.path().join("begun"));
        let child = place.guard("always", options, shell).spawn().expect("the guard starts");
        let running = Running { child };
        eventually("it has begun", || place.home.path().join("begun").exists());
        running
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a signal");
    }

    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        (self.child.wait().expect("an end").code(), said)
    }
}

/// Also where a test fails, nothing of it goes on: the command ends with its folder, and the guard here.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends when it is told to, or when the file is gone; never by a clock.
const UNTIL_GONE: &str = "touch begun; while [ -e begun ]; do sleep 0.05; done";

#[test]
fn signals_reach_the_command_and_its_end_is_passed_on() {
    let place = Place::new();
    for (signal, name, code) in [
        (Signal::TERM, "TERM", 143),
        (Signal::INT, "INT", 130),
        (Signal::HUP, "HUP", 129),
        (Signal::QUIT, "QUIT", 131),
        (Signal::USR1, "USR1", 138),
    ] {
        let plain = Running::start(&place, &[], UNTIL_GONE);
        plain.signal(signal);
        assert_eq!(plain.end().0, Some(code), "{name}");
        let last = place.written().lines().last().expect("a line").to_owned();
        assert!(last.contains(&format!("outcome=\"signal {}\"", code - 128)), "{last}");

        let trap = format!("trap 'exit 9' {name}; {UNTIL_GONE}");
        let tidy = Running::start(&place, &[], &trap);
        tidy.signal(signal);
        assert_eq!(tidy.end().0, Some(9), "{name} trapped");
        let last = place.written().lines().last().expect("a line").to_owned();
        assert!(last.contains("event=failed") && last.contains("outcome=\"exit 9\""), "{last}");
    }
}

#[test]
fn a_guard_that_is_killed_leaves_a_run_without_an_end() {
    let place = Place::new();
    let mut killed = Running::start(&place, &["--run-id", "orphan"], UNTIL_GONE);
    killed.child.kill().expect("a signal");
    killed.child.wait().expect("an end");
    eventually("it is read", || place.runs().len() == 1);
    assert_eq!(place.runs()[0]["state"], "running");
    // The command went on without its guard.
    std::fs::remove_file(place.home.path().join("begun")).expect("it is there");
    assert_eq!(place.written().lines().count(), 1);
}

#[test]
fn a_guard_that_waits_ends_by_a_signal_and_starts_nothing() {
    let place = Place::new();
    let child = place.guard("never", &["--wait"], "touch ran").spawn().expect("the guard starts");
    let waiting = Running { child };
    let asked = || place.entries() == 1;
    eventually("it has asked", asked);
    waiting.signal(Signal::TERM);
    let (code, said) = waiting.end();
    assert_eq!(code, Some(143), "{said}");
    assert!(said.contains("not started: signal 15"), "{said}");
    assert_eq!(place.written(), "");
    assert!(!place.home.path().join("ran").exists());
}

#[test]
fn many_guards_write_whole_lines_into_one_log() {
    let place = Place::new();
    // Somebody was cut off in the middle of a line.
    std::fs::write(place.log(), "time=2026-01-01T00:00:00Z event=star").expect("a log");
    let phases = format!(
        "for n in 1 2 3 4 5; do {} phase \"$n of 5\"; done",
        env!("CARGO_BIN_EXE_offhours")
    );
    let spawn = |_| place.guard("always", &[], &phases).spawn().expect("the guard starts");
    let guards: Vec<Child> = (0..12).map(spawn).collect();
    for guard in guards {
        let output = guard.wait_with_output().expect("an end");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let written = place.written();
    assert_eq!(written.lines().filter(|line| !line.is_empty()).count(), 1 + 12 * 7, "{written}");
    eventually("all are read", || {
        let runs = place.runs();
        runs.len() == 12 && runs.iter().all(|run| run["state"] == "finished")
    });
    assert!(place.runs().iter().all(|run| run["verdict"] == "compliant"));
}

#[test]
fn questions_are_on_record_and_cannot_fill_it() {
    let place = Place::new();
    let before = place.entries();
    let (status, answer) = place.ask("partner=northhost&procedure=never&for=5m");
    assert_eq!((status, &answer["may_start"]), (200, &false.into()));
    assert_eq!(answer["reasons"][0], "outside_window");
    assert_eq!(place.entries(), before + 1);
    for _ in 0..5 {
        assert_eq!(place.ask("partner=northhost&procedure=never&for=5m").0, 200);
    }
    assert_eq!(place.entries(), before + 1, "the same is counted");
    let mut answered = 1;
    for n in 0..200 {
        match place.ask(&format!("partner=northhost&procedure=never&by={n}")).0 {
            200 => answered += 1,
            429 => {}
            other => panic!("{other}"),
        }
    }
    // Another question came in between, so what was counted until then is put on record before it.
    assert_eq!(place.entries(), before + answered + 1);
    assert!((120..140).contains(&answered), "{answered}");
    let Place { home, server } = place;
    assert!(server.stop().success());
    let reader = offhours::store::Reader::open(&home.path().join("data")).expect("the ledger");
    let mut times = Vec::new();
    let see = |entry: offhours::ledger::Entry| {
        if let offhours::ledger::What::Asked(asked) = entry.what {
            times.push(asked.times);
        }
    };
    reader.walk(see).expect("the entries");
    assert_eq!(times.iter().filter(|times| **times == 5).count(), 1, "{times:?}");
    assert_eq!(times.iter().sum::<u64>(), answered + 5);
}

#[test]
fn a_question_that_means_nothing_is_told_what_is_accepted() {
    let place = Place::new();
    let long = "x".repeat(600);
    for (query, status, said) in [
        ("procedure=never", 400, "say which partner"),
        ("partner=northhost", 400, "say which procedure"),
        ("partner=northost&procedure=never", 400, "there are northhost"),
        ("partner=northhost&procedure=never&at=noon", 400, "RFC 3339"),
        ("partner=northhost&procedure=never&at=9999-12-31T00:00:00Z", 400, "ten years"),
        ("partner=northhost&procedure=never&for=2", 400, "1h30m"),
        ("partner=northhost&procedure=never&trigger=gust", 400, "schedule, manual, api, unknown"),
        ("partner=northhost&procedure=never&dance=1", 400, "accepted are partner, service"),
        (&format!("partner=northhost&procedure={long}"), 400, "512 bytes"),
    ] {
        let (found, answer) = place.ask(query);
        let detail = answer["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!(found, status, "{query}: {answer}");
        assert!(detail.contains(said), "{query}: {detail}");
    }
    let (status, told) =
        place.server.post("/api/v1/may-start?partner=northhost&procedure=never&override_by=me");
    assert!(status == 400 && told.contains("who and why"), "{status} {told}");
    assert_eq!(place.entries(), 0);
}

#[test]
fn a_page_elsewhere_puts_nothing_on_record() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    std::fs::write(&config, AGREEMENT.replace("[{ ics: never.ics }]", "\"Mo-Su 00:00-24:00\""))
        .expect("a configuration");
    let flags =
        ["--web.external-url=https://watch.example/offhours", "--web.allowed-host=node.example"];
    let server = Server::start_with(&flags, &config, &home.path().join("data"));
    let over =
        "/api/v1/may-start?partner=northhost&procedure=never&override_by=me&override_reason=why";
    let plain = "/api/v1/may-start?partner=northhost&procedure=never";
    for (host, method, path, status) in [
        ("localhost", "GET", over, 400),
        ("evil.example", "POST", over, 403),
        ("evil.example", "GET", plain, 403),
        ("evil.example", "POST", "/-/reload", 403),
        ("evil.example", "GET", "/api/v1/runs", 200),
    ] {
        assert_eq!(server.ask_as(host, method, path), status, "{host} {method} {path}");
    }
    let entries = || {
        let (_, page) = server.get("/metrics");
        page.lines()
            .find_map(|line| line.strip_prefix("offhours_ledger_entries "))
            .map(str::to_owned)
    };
    assert_eq!(entries().as_deref(), Some("0"));
    for host in ["localhost", "127.0.0.1:11310", "watch.example", "node.example:11310"] {
        assert_eq!(server.ask_as(host, "POST", over), 200, "{host}");
    }
    assert_eq!(entries().as_deref(), Some("1"), "the same question is counted");
}
