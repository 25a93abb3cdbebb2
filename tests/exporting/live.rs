//! The same with the program itself: an export that is replaced again and again while runs begin in between.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use offhours::clock;
use offhours::time::{Instant, rfc3339};
use serde_json::Value;

use super::HEADER;
use crate::support::{Server, eventually, folder};

/// How often the export comes, by the configuration. In the test it comes when it is needed.
const DELIVERED_EVERY: TimeDelta = TimeDelta::seconds(15);

const AGREEMENT: &str = "
services: { crm: { timezone: UTC } }
partners:
  hostco:
    windows: \"24/7\"
    confirmation: { required: true, notice: 1h }
    procedures: { patching: { services: [crm], triggers: [schedule] } }
sources:
  - { name: runs, partner: hostco, files: [runs.log], format: logfmt }
  - name: tickets
    partner: hostco
    preset: servicenow
    ours: true
    delivered_every: 15s
    files: [change_request.csv]
    format: csv
    fields: { procedure: category }
    values: { procedure: { Patching: patching }, service: { crm-db-01: crm } }
";

struct Desk {
    home: tempfile::TempDir,
    /// Every row so far, each with the times of its change.
    rows: String,
}

impl Desk {
    fn open() -> (Desk, PathBuf) {
        let home = folder();
        let config = home.path().join("offhours.yml");
        std::fs::write(&config, AGREEMENT).expect("a configuration");
        std::fs::write(home.path().join("runs.log"), "").expect("a log");
        (Desk { home, rows: String::new() }, config)
    }

    /// One more change, approved so long ago, that may be carried out now.
    fn plan(&mut self, id: &str, approved: TimeDelta) {
        let now = clock::now();
        let (start, end) = (now - TimeDelta::minutes(5), now + TimeDelta::minutes(50));
        let text = |t: Instant| t.format("%Y-%m-%d %H:%M:%S").to_string();
        let (set, start, end) = (text(now - approved), text(start), text(end));
        writeln!(
            self.rows,
            "{id},Patching,Normal,Scheduled,Approved,{set},{start},{end},crm-db-01,{set}"
        )
        .expect("a row");
    }

    /// The export of everything that is planned so far takes the place of the one before.
    fn export(&self) {
        let (beside, export) = (self.path(".part"), self.path("change_request.csv"));
        std::fs::write(&beside, format!("{HEADER}\n{}", self.rows)).expect("an export");
        std::fs::rename(beside, export).expect("a rename");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn say(&self, event: &str, rest: &str) -> Instant {
        let now = clock::now();
        let line = format!("time={} event={event} {rest}\n", rfc3339(now));
        let log = std::fs::File::options().append(true).open(self.path("runs.log"));
        log.expect("a log").write_all(line.as_bytes()).expect("a line");
        now
    }

    fn start(&self, id: &str, change: &str, trigger: &str) -> Instant {
        let run = format!("procedure=patching service=crm run_id={id}");
        self.say("started", &format!("{run} change_id={change} trigger={trigger}"))
    }
}

/// Verdict, reasons, and whether it is final, of a run by its id.
fn told(server: &Server, id: &str) -> Option<(String, Vec<String>, bool)> {
    let answer = server.get("/api/v1/runs").1;
    let all: Value = serde_json::from_str(&answer).expect("JSON");
    let runs = all["runs"].as_array().expect("runs");
    let run = runs.iter().find(|run| run["run_id"] == id)?;
    let reasons = run["reasons"].as_array().expect("reasons");
    let reasons = reasons.iter().map(|r| r.as_str().expect("a word").to_owned()).collect();
    let verdict = run["verdict"].as_str().expect("a verdict").to_owned();
    Some((verdict, reasons, run["provisional"] == false))
}

fn compliant(is_final: bool) -> (String, Vec<String>, bool) {
    ("compliant".to_owned(), Vec::new(), is_final)
}

fn has(server: &Server, series: &str, value: &str) -> bool {
    let page = server.get("/metrics").1;
    let wanted = format!("{series} {value}");
    assert!(page.contains(series), "no {series}");
    page.lines().any(|line| line == wanted)
}

const UNCONFIRMED: &str = "maintenance_violations_total{partner=\"hostco\",affected_service=\"crm\",procedure=\"patching\",reason=\"unconfirmed\"}";

#[test]
fn a_run_waits_for_the_export_and_no_longer_than_it_may_take() {
    let (mut desk, config) = Desk::open();
    desk.plan("CHG1", TimeDelta::hours(2));
    desk.export();
    let storage = folder();
    let server = Server::start_in(&config, Path::new(storage.path()));
    let on_record = "maintenance_changes{partner=\"hostco\",affected_service=\"crm\",procedure=\"patching\",status=\"confirmed\"}";
    eventually("the export is read", || has(&server, on_record, "1"));
    // On record; begun before the export that tells of it; planned by nobody; begun by hand; approved too late.
    desk.start("kept", "CHG1", "schedule");
    desk.start("early", "CHG2", "schedule");
    let unplanned = desk.start("unplanned", "CHG9", "schedule");
    desk.start("by-hand", "CHG1", "manual");
    desk.start("short", "CHG3", "schedule");
    let last = || told(&server, "short").is_some();
    eventually("all runs are on record", last);
    for id in ["kept", "early", "unplanned", "short"] {
        assert_eq!(told(&server, id), Some(compliant(false)), "{id}");
    }
    // What hangs on no change is said at once.
    let by_hand = ("violation".to_owned(), vec!["wrong_trigger".to_owned()], false);
    assert_eq!(told(&server, "by-hand"), Some(by_hand));
    assert!(has(&server, UNCONFIRMED, "0"));
    desk.say("finished", "run_id=early");
    desk.plan("CHG2", TimeDelta::hours(2));
    desk.plan("CHG3", TimeDelta::minutes(20));
    desk.export();
    eventually("the next export is read", || has(&server, on_record, "3"));
    assert!(clock::now() < unplanned + DELIVERED_EVERY, "the machine is too slow for this test");
    for id in ["kept", "early", "unplanned", "short"] {
        assert_eq!(told(&server, id), Some(compliant(false)), "{id}");
    }
    assert!(has(&server, UNCONFIRMED, "0"));
    eventually("its time is up", || {
        let is_told = has(&server, UNCONFIRMED, "1");
        assert!(!is_told || unplanned + DELIVERED_EVERY <= clock::now(), "told too early");
        is_told
    });
    let (verdict, reasons, _) = told(&server, "unplanned").expect("a run");
    assert_eq!((&*verdict, reasons), ("violation", vec!["unconfirmed".to_owned()]));
    eventually("the short notice is told", || {
        told(&server, "short").is_some_and(|(_, reasons, _)| reasons == ["short_notice"])
    });
    // What the export kept stays as it is, and is final once no other export may tell of it.
    eventually("it is final", || told(&server, "early") == Some(compliant(true)));
    assert_eq!(told(&server, "kept"), Some(compliant(false)));
    assert!(has(&server, UNCONFIRMED, "1"));
    assert!(server.stop().success());
}
