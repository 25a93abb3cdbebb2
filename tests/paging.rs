//! From a line in a log to the page of a real Alertmanager, without Prometheus.

mod again;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::outside::{Alertmanager, Webhook};
use crate::support::{Server, eventually, folder, offhours, text};

/// What comes in this time after a page would be a second one: several intervals of Alertmanager.
const QUIET: Duration = Duration::from_secs(4);

/// Always in business hours: whatever starts is a violation.
struct Office {
    home: tempfile::TempDir,
    config: PathBuf,
    log: File,
}

impl Office {
    fn open(alertmanager: &Alertmanager, resend: &str, resolve_delay: &str) -> Office {
        let home = folder();
        let config = home.path().join("offhours.yml");
        let text = format!(
            "services: {{ atlas: {{ timezone: Europe/London, business_hours: 24/7 }} }}
partners: {{ hostco: {{ windows: \"24/7\", procedures: {{
  archive-compaction: {{ services: [atlas], triggers: [schedule] }},
  inspection: {{ services: [atlas], anytime: true, business_hours: allowed }} }} }} }}
sources: [{{ name: hostco, partner: hostco, files: [\"*.log\"], format: logfmt }}]
status_url: http://localhost:11310/
runbook_url: https://runbooks.example/offhours/
alertmanagers:
  - url: http://{}
    external_labels: {{ region: eu }}
    resend: {resend}
    resolve_delay: {resolve_delay}
",
            alertmanager.address()
        );
        std::fs::write(&config, text).expect("a configuration");
        let log = File::create(home.path().join("hostco.log")).expect("a log");
        Office { home, config, log }
    }

    fn ledger(&self) -> PathBuf {
        self.home.path().join("ledger")
    }

    fn serve(&self) -> Server {
        Server::start_in(&self.config, &self.ledger())
    }

    fn write(&mut self, event: &str, id: &str) {
        let now = offhours::time::rfc3339(offhours::clock::now());
        let line = format!(
            "time={now} event={event} procedure=archive-compaction service=atlas run_id={id} trigger=manual\n"
        );
        self.log.write_all(line.as_bytes()).expect("a line");
    }

    fn acknowledge(&self, run: &str) {
        let storage = format!("--storage.path={}", self.ledger().display());
        let config = format!("--config.file={}", self.config.display());
        let output =
            offhours(&["ack", run, "--by", "R. Duty", "--note", "known", &storage, &config]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

/// Status and alert names of what a webhook was sent.
fn said(group: &Value) -> (String, Vec<String>) {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let alerts = group["alerts"].as_array().expect("alerts");
    let names = alerts.iter().map(|alert| text(&alert["labels"]["alertname"])).collect();
    (text(&group["status"]), names)
}

fn violation(status: &str) -> (String, Vec<String>) {
    (status.to_owned(), vec!["MaintenanceViolation".to_owned()])
}

fn nothing_else(webhook: &Webhook) {
    assert_eq!(webhook.during(QUIET), Vec::<Value>::new());
}

#[test]
fn a_violation_gives_one_page_and_its_acknowledgement_one_resolve() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut office = Office::open(&alertmanager, "2s", "0s");
    let server = office.serve();
    office.write("started", "M-1");
    let (_, group) = webhook.next();
    assert_eq!(said(&group), violation("firing"));
    let alert = &group["alerts"][0];
    let labels = json!({
        "alertname": "MaintenanceViolation", "severity": "critical", "partner": "hostco",
        "affected_service": "atlas", "procedure": "archive-compaction", "region": "eu",
    });
    assert_eq!(alert["labels"], labels);
    let annotation = |name: &str| alert["annotations"][name].as_str().unwrap_or_default();
    assert_eq!(annotation("runbook_url"), "https://runbooks.example/offhours/MaintenanceViolation");
    assert_eq!(alert["generatorURL"], "http://localhost:11310");
    for wanted in [
        "hostco",
        "Run 1 (M-1)",
        "Europe/London",
        "- wrong_trigger:",
        "- in_business_hours:",
        "`offhours explain 1`",
        "`offhours ack 1 ",
    ] {
        assert!(annotation("description").contains(wanted), "{wanted}: {alert}");
    }
    assert_eq!(annotation("ledger_head").len(), 64);
    assert!(1 <= annotation("ledger_height").parse::<u64>().expect("a number"));
    let page = server.get("/metrics").1;
    assert!(page.contains("offhours_alerts_sent_total{result=\"ok\"}"), "{page}");
    // It ends, and still nobody has taken note.
    office.write("finished", "M-1");
    nothing_else(&webhook);
    office.acknowledge("1");
    assert_eq!(said(&webhook.next().1), violation("resolved"));
    nothing_else(&webhook);
}

#[test]
fn a_kill_before_during_and_after_a_violation_gives_one_page() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut office = Office::open(&alertmanager, "5s", "0s");
    office.serve().kill();
    office.write("started", "M-1");
    // Nobody waits for the page: it may be killed while it posts.
    Server::launch(&office.config, &office.ledger()).kill();
    office.serve().kill();
    let mut server = office.serve();
    assert_eq!(said(&webhook.next().1), violation("firing"));
    server.kill();
    let mut server = office.serve();
    office.write("finished", "M-1");
    eventually("the end is on record", || server.get("/api/v1/runs/1").1.contains("\"finished\""));
    server.kill();
    let server = office.serve();
    nothing_else(&webhook);
    office.acknowledge("M-1");
    assert_eq!(said(&webhook.next().1), violation("resolved"));
    assert!(server.stop().success());
    nothing_else(&webhook);
}

#[test]
fn what_was_acknowledged_while_nobody_posted_lapses() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut office = Office::open(&alertmanager, "1s", "0s");
    let mut server = office.serve();
    office.write("started", "M-1");
    office.write("finished", "M-1");
    assert_eq!(said(&webhook.next().1), violation("firing"));
    server.kill();
    office.acknowledge("1");
    let _server = office.serve();
    assert_eq!(said(&webhook.next().1), violation("resolved"));
    nothing_else(&webhook);
}

#[test]
fn the_page_comes_when_alertmanager_is_back() {
    let webhook = Webhook::start();
    let Some(mut alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut office = Office::open(&alertmanager, "5s", "0s");
    alertmanager.stop();
    let server = office.serve();
    office.write("started", "M-1");
    let failed = |page: &str| {
        let failures = page
            .lines()
            .find_map(|l| l.strip_prefix("offhours_alerts_sent_total{result=\"error\"} "));
        failures.and_then(|n| n.parse::<f64>().ok()).unwrap_or_default()
    };
    eventually("posts have failed", || 2.0 <= failed(&server.get("/metrics").1));
    alertmanager.start_again();
    assert_eq!(said(&webhook.next().1), violation("firing"));
    nothing_else(&webhook);
}

/// Prometheus lags behind: it fires once more after somebody has acknowledged, and resolves then.
#[test]
fn both_roads_give_one_page_and_one_resolve() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut office = Office::open(&alertmanager, "5s", "15s");
    let server = office.serve();
    office.write("started", "M-1");
    assert_eq!(said(&webhook.next().1), violation("firing"));
    let by_rule = |ends_in_s: i64| {
        let now = offhours::clock::now();
        let at = |s: i64| offhours::time::rfc3339(now + chrono::TimeDelta::seconds(s));
        json!([{
            "labels": {
                "alertname": "MaintenanceViolation", "severity": "critical", "partner": "hostco",
                "affected_service": "atlas", "procedure": "archive-compaction", "region": "eu",
            },
            "annotations": { "summary": "by the rule" },
            "startsAt": at(-10), "endsAt": at(ends_in_s),
        }])
    };
    alertmanager.post(&by_rule(240));
    office.acknowledge("1");
    alertmanager.post(&by_rule(240));
    assert_eq!(alertmanager.alerts().len(), 1, "one alert of both roads");
    assert_eq!(webhook.during(Duration::from_secs(2)), Vec::<Value>::new(), "resolved too early");
    alertmanager.post(&by_rule(0));
    assert_eq!(said(&webhook.next().1), violation("resolved"));
    // The resolve of the fast road falls into this time, and says nothing new.
    assert_eq!(webhook.during(Duration::from_secs(18)), Vec::<Value>::new());
    assert!(server.stop().success());
}

/// A receiver, and the name of an alert that it is told.
type Told = (&'static str, &'static str);

/// The receivers and alert names of what the example's Alertmanager sends: waits for what is wanted, however long it
/// takes, and then for what may come too much.
fn sent(webhook: &Webhook, wanted: &[Told]) -> BTreeSet<(String, String)> {
    let name = |value: &Value| value.as_str().expect("a word").to_owned();
    let mut got = BTreeSet::new();
    let mut add = |group: Value| {
        let receiver = name(&group["receiver"]);
        let alerts = group["alerts"].as_array().expect("alerts");
        got.extend(alerts.iter().map(|a| (receiver.clone(), name(&a["labels"]["alertname"]))));
        wanted.iter().all(|(r, a)| got.contains(&((*r).to_owned(), (*a).to_owned())))
    };
    if !wanted.is_empty() {
        while !add(webhook.next().1) {}
    }
    webhook.during(QUIET).into_iter().for_each(|group| {
        add(group);
    });
    got
}

fn alert(name: &str, severity: &str, more: &[(&str, &str)]) -> Value {
    let mut labels = json!({ "alertname": name, "severity": severity });
    for (label, value) in more {
        labels[label] = json!(value);
    }
    json!({ "labels": labels })
}

/// What fires first and what the receivers are told of it, what fires then, and what they are told of that.
type Muting = (Vec<Value>, Vec<Told>, Vec<Value>, Vec<Told>);

fn mutings() -> Vec<Muting> {
    let atlas: &[_] = &[("affected_service", "atlas")];
    let opts_in: &[_] = &[("affected_service", "atlas"), ("muted_by_maintenance", "yes")];
    let elsewhere: &[_] = &[("affected_service", "boreas"), ("muted_by_maintenance", "yes")];
    let run: &[_] =
        &[("partner", "hostco"), ("affected_service", "atlas"), ("procedure", "compaction")];
    let other: &[_] =
        &[("partner", "hostco"), ("affected_service", "atlas"), ("procedure", "reindex")];
    vec![
        (
            vec![alert("OffhoursDown", "critical", &[])],
            vec![("pager", "OffhoursDown")],
            vec![
                alert("MaintenanceSourceSilent", "warning", &[("source", "a")]),
                alert("MaintenanceSourceUnreadable", "warning", &[("source", "a")]),
                alert("MaintenanceLinesRejected", "warning", &[("source", "a")]),
                alert("MaintenanceViolation", "critical", run),
            ],
            vec![("channel", "MaintenanceLinesRejected"), ("pager", "MaintenanceViolation")],
        ),
        (
            vec![alert("MaintenanceSanctioned", "none", atlas)],
            vec![],
            vec![
                alert("LatencyHigh", "critical", opts_in),
                alert("ErrorsHigh", "critical", atlas),
                alert("DiskFull", "warning", elsewhere),
                // Even if it carries the label, as by `external_labels`.
                alert("MaintenanceViolation", "critical", opts_in),
                alert("OffhoursLedgerFailing", "critical", opts_in),
            ],
            vec![
                ("channel", "DiskFull"),
                ("pager", "ErrorsHigh"),
                ("pager", "MaintenanceViolation"),
                ("pager", "OffhoursLedgerFailing"),
            ],
        ),
        (
            vec![alert("MaintenanceOverrun", "critical", run)],
            vec![("pager", "MaintenanceOverrun")],
            vec![
                alert("MaintenanceWillRunIntoBusinessHours", "critical", run),
                alert("MaintenanceViolation", "critical", run),
                alert("MaintenanceReviewOverdue", "info", other),
            ],
            vec![
                ("pager", "MaintenanceOverrun"),
                ("pager", "MaintenanceViolation"),
                ("tickets", "MaintenanceReviewOverdue"),
            ],
        ),
        (
            vec![alert("MaintenanceOverrun", "critical", run)],
            vec![("pager", "MaintenanceOverrun")],
            vec![alert("MaintenanceWillRunIntoBusinessHours", "critical", other)],
            vec![("pager", "MaintenanceOverrun"), ("pager", "MaintenanceWillRunIntoBusinessHours")],
        ),
    ]
}

#[test]
fn the_example_mutes_what_it_says_and_never_a_violation() {
    for (first, told_first, then, wanted) in mutings() {
        let webhook = Webhook::start();
        let Some(alertmanager) = Alertmanager::start_example(&webhook) else { return };
        alertmanager.post(&json!(first));
        // What inhibits has to be known before.
        eventually("it is known", || alertmanager.alerts().len() == first.len());
        let before = sent(&webhook, &told_first);
        alertmanager.post(&json!(then));
        let mut got = sent(&webhook, &wanted);
        // A group tells all of its alerts again.
        if !wanted.iter().any(|(_, name)| before.iter().any(|(_, known)| known == name)) {
            got.retain(|known| !before.contains(known));
        }
        let word = |(receiver, name): (&str, &str)| (receiver.to_owned(), name.to_owned());
        assert_eq!(got, wanted.into_iter().map(word).collect());
    }
}

#[test]
fn an_example_in_the_documentation_is_a_configuration() {
    let page =
        std::fs::read_to_string(crate::support::root().join("docs/paging.md")).expect("a page");
    let road = page.split("## The fast road").nth(1).expect("a section");
    let example = road.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let text = format!(
        "{}\npartners: {{ hostco: {{}} }}\nsources: [{{ name: a, partner: hostco, files: [a], format: json }}]\n",
        example.expect("an example")
    );
    let config = offhours::config::parse(&text, Path::new("offhours.yml"), offhours::clock::now());
    let paging = config.unwrap_or_else(|error| panic!("{error}")).paging;
    assert_eq!(paging.alertmanagers.len(), 2);
}
