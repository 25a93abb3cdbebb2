//! What `offhours approve` does to a run or a change, and why it refuses what would have no effect.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use crate::support::{Server, folder, offhours, text};

const AGREEMENT: &str = r#"
services:
  vega: { timezone: UTC, business_hours: "24/7" }
  nova: { timezone: UTC, business_hours: "24/7" }
  lyra: { timezone: UTC }
partners:
  westhost:
    windows: "24/7"
    emergencies: { allowed: true, approve_within: 2h }
    procedures:
      failover: { services: [vega, nova, lyra] }
      short: { services: [vega, lyra], max_duration: 1m }
  southhost:
    windows: "24/7"
    emergencies: { allowed: false, approve_within: 2h }
    procedures: { failover: { services: [vega] } }
  nordhost:
    windows: "24/7"
    emergencies: { allowed: true }
    procedures: { failover: { services: [vega] } }
sources:
  - { name: west, partner: westhost, files: [west.log], format: logfmt }
  - { name: wide, partner: westhost, files: [wide.json], format: json }
  - { name: south, partner: southhost, files: [south.log], format: logfmt }
  - { name: nord, partner: nordhost, files: [nord.log], format: logfmt }
"#;

/// A log whose stamps are minutes before now.
struct Log {
    now: DateTime<Utc>,
    lines: Vec<(i64, String)>,
}

impl Log {
    fn at(&self, minutes: i64) -> String {
        let at = self.now + TimeDelta::minutes(minutes);
        at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    fn run(&mut self, id: &str, words: &str, from: i64, to: Option<i64>) {
        let started = format!("time={} event=started run_id={id} {words}", self.at(from));
        self.lines.push((from, started));
        if let Some(to) = to {
            self.lines.push((to, format!("time={} event=finished run_id={id}", self.at(to))));
        }
    }

    fn change(&mut self, id: &str, words: &str, planned: (i64, i64)) {
        let (start, end) = (self.at(planned.0), self.at(planned.1));
        let line = format!(
            "time={} change_id={id} procedure=failover service=vega planned_start={start} planned_end={end} {words}",
            self.at(-600)
        );
        self.lines.push((-600, line));
    }

    fn write(mut self, path: &Path) {
        self.lines.sort_by_key(|(at, _)| *at);
        let lines: String = self.lines.into_iter().map(|(_, line)| line + "\n").collect();
        std::fs::write(path, lines).expect("a log");
    }
}

fn write_logs(home: &Path) {
    std::fs::write(home.join("offhours.yml"), AGREEMENT).expect("a configuration");
    let log = || Log { now: Utc::now(), lines: Vec::new() };
    let mut west = log();
    west.run("in-hours", "procedure=failover service=vega", -30, Some(-20));
    west.run("long-ago", "procedure=failover service=vega", -180, Some(-170));
    west.run("as-agreed", "procedure=failover service=lyra", -30, Some(-20));
    west.run("too-long", "procedure=short service=lyra", -30, Some(-20));
    west.run("both", "procedure=short service=vega", -30, Some(-20));
    west.run("open", "procedure=failover service=lyra", -5, None);
    let emergency = "status=confirmed change_type=emergency";
    west.change("E1", emergency, (-40, 60));
    west.run("declared", "procedure=failover service=vega change_id=E1", -30, Some(-20));
    west.change("E2", "status=cancelled change_type=emergency", (-40, 60));
    west.change("E3", emergency, (-400, -300));
    west.change("E4", emergency, (60, 120));
    west.change("N1", "status=confirmed", (-40, 60));
    west.run("planned", "procedure=failover service=vega change_id=N1", -30, Some(-20));
    west.change("N2", "status=confirmed", (-40, 60));
    west.write(&home.join("west.log"));
    let mut south = log();
    south.change("S1", emergency, (-40, 60));
    south.run("south", "procedure=failover service=vega change_id=S1", -30, Some(-20));
    south.write(&home.join("south.log"));
    let mut nord = log();
    nord.change("D1", emergency, (-40, 60));
    nord.run("nord-declared", "procedure=failover service=vega change_id=D1", -30, Some(-20));
    nord.run("nord", "procedure=failover service=vega", -100, Some(-90));
    nord.write(&home.join("nord.log"));
}

/// Whoever approves and acknowledges: the options that name the configuration and the ledger.
struct Desk([String; 2]);

impl Desk {
    fn new(config: &Path, storage: &Path) -> Desk {
        let config = format!("--config.file={}", config.display());
        Desk([config, format!("--storage.path={}", storage.display())])
    }

    /// Runs a command on a run or change: its exit code, and what it has to say.
    fn check(&self, command: &str, what: &str, code: i32, want: &[&str]) {
        let output = offhours(&[command, what, "--by=owner", &self.0[0], &self.0[1]]);
        let told = text(if code == 0 { &output.stdout } else { &output.stderr });
        assert_eq!(output.status.code(), Some(code), "{what}: {told}");
        want.iter().for_each(|part| assert!(told.contains(part), "{what}: no {part:?} in {told}"));
    }
}

/// Two starts that each name three services.
fn write_wide(path: &Path, log: Log) {
    let line = |id: &str, minutes: i64, event: &str| {
        let services = r#"["vega", "nova", "lyra"]"#;
        let at = log.at(minutes);
        format!(
            r#"{{"time": "{at}", "event": "{event}", "run_id": "{id}", "procedure": "failover", "service": {services}}}"#
        ) + "\n"
    };
    let lines = ["wide", "broad"].map(|id| line(id, -30, "started") + &line(id, -20, "finished"));
    std::fs::write(path, lines.concat()).expect("a log");
}

#[test]
fn an_approval_says_what_it_did_and_is_refused_where_it_would_do_nothing() {
    let (home, storage) = (folder(), folder());
    write_logs(home.path());
    let config = home.path().join("offhours.yml");
    let server = Server::start_in(&config, storage.path());
    let desk = Desk::new(&config, storage.path());
    let check = |what: &str, code, want: &[&str]| desk.check("approve", what, code, want);
    let by = "is approved as an emergency by owner";
    // Afterwards: it had been a violation.
    check("in-hours", 0, &["(in-hours)", by, ": exempt; waived: in_business_hours\n"]);
    check("both", 0, &[by, ": violation; waived: in_business_hours; not waived: too_long\n"]);
    check("open", 0, &[by, ": compliant so far\n"]);
    check("E1", 0, &["change E1 of westhost", by, "(declared)", ": exempt; waived: in_business"]);
    check("E4", 0, &["change E4 of westhost", by, "each run of it that begins from now on"]);
    check("westhost/N1", 0, &["change N1 of westhost", by, "(planned)", ": exempt; waived: in_"]);
    // Refused.
    check("in-hours", 1, &["(in-hours)", "is approved already, since"]);
    check("E1", 1, &["change E1 of westhost is approved already"]);
    check("long-ago", 1, &["had to be approved by", "too late"]);
    check("as-agreed", 1, &["is compliant: there is nothing that an emergency would waive"]);
    check("too-long", 1, &["an emergency does not waive too_long"]);
    check("E2", 1, &["is cancelled"]);
    check("E3", 1, &["was planned to be over by now"]);
    check("N2", 1, &["is not declared as an emergency, and no run of it can be approved"]);
    let none = "the agreement with southhost has no emergencies, so nothing is waived and no \
                approval is needed";
    check("south", 1, &[none]);
    check("S1", 1, &[none]);
    check("D1", 1, &["names no approve_within for emergencies"]);
    check("nord-declared", 1, &["needs no approval"]);
    check("nord", 1, &["is final (violation): it is too late"]);
    check("nowhere", 1, &["there is no change nowhere, and there is no run nowhere"]);
    check("", 1, &["there is no"]);

    // It outlives the process, and is found again from what is on record.
    assert!(server.stop().success());
    let server = Server::start_in(&config, storage.path());
    let output = offhours(&["runs", "--format=json", &desk.0[1]]);
    let mut verdicts: Vec<String> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|run| format!("{} {}", run["run_id"], run["verdict"]).replace('"', ""))
        .collect();
    verdicts.sort();
    let want = [
        "as-agreed compliant",
        "both violation",
        "declared exempt",
        "in-hours exempt",
        "long-ago violation",
        "nord violation",
        "nord-declared exempt",
        "open compliant",
        "planned exempt",
        "south violation",
        "too-long violation",
    ];
    assert_eq!(verdicts, want);
    assert!(server.stop().success());
    let output = offhours(&["verify", &desk.0[1]]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// A start of several services is approved, and acknowledged, for all of them by its id.
#[test]
fn an_id_means_the_runs_of_all_services_of_a_start() {
    let (home, storage) = (folder(), folder());
    let config = home.path().join("offhours.yml");
    std::fs::write(&config, AGREEMENT).expect("a configuration");
    write_wide(&home.path().join("wide.json"), Log { now: Utc::now(), lines: Vec::new() });
    let server = Server::start_in(&config, storage.path());
    let desk = Desk::new(&config, storage.path());
    let approved = ["failover on vega by westhost is approved", "failover on nova", ": exempt;"];
    desk.check("approve", "wide", 0, &approved);
    desk.check(
        "approve",
        "wide",
        1,
        &["vega by westhost is approved already", "lyra by westhost is compliant"],
    );
    desk.check("ack", "broad", 0, &["on vega by westhost is acknowledged by owner", "on nova"]);
    desk.check("ack", "broad", 1, &["on vega by westhost is acknowledged already", "on lyra"]);
    let output = offhours(&["runs", "--format=json", &desk.0[1]]);
    let count = |verdict: &str| text(&output.stdout).matches(&format!(r#""{verdict}""#)).count();
    assert_eq!((count("exempt"), count("violation"), count("compliant")), (2, 2, 2));
    assert!(server.stop().success());
}

/// A run whose end was never seen stands on the page until somebody takes note of it, also after a restart.
#[test]
fn a_run_whose_evidence_is_missing_can_be_acknowledged_once_it_is_final() {
    let (home, storage) = (folder(), folder());
    let config = home.path().join("offhours.yml");
    let agreed = AGREEMENT.replace("windows:", "lost_after: 1h\n    windows:");
    std::fs::write(&config, agreed).expect("a configuration");
    let mut log = Log { now: Utc::now(), lines: Vec::new() };
    log.run("no-end", "procedure=failover service=lyra", -90, None);
    log.run("fine", "procedure=failover service=lyra run=2", -20, Some(-10));
    log.write(&home.path().join("west.log"));
    let server = Server::start_in(&config, storage.path());
    let desk = Desk::new(&config, storage.path());
    let headline = "1 run cannot be judged: evidence is missing";
    let is_told = |server: &Server| server.get("/").1.contains(headline);
    assert!(is_told(&server), "{}", server.get("/").1);
    let acknowledged = "failover on lyra by westhost is acknowledged by owner";
    desk.check("ack", "no-end", 0, &[acknowledged]);
    desk.check("ack", "no-end", 1, &["is acknowledged already, by owner"]);
    desk.check("ack", "fine", 1, &["is compliant: there is nothing to acknowledge"]);
    assert!(!is_told(&server), "{}", server.get("/").1);
    assert!(server.stop().success());
    let server = Server::start_in(&config, storage.path());
    assert!(!is_told(&server), "{}", server.get("/").1);
    assert!(server.stop().success());
    let output = offhours(&["verify", &desk.0[1]]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
}
