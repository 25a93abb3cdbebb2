//! Our own change system, exported every hour, while runs begin in between.

mod live;

use std::path::Path;
use std::sync::Arc;

use offhours::config::{self, Config};
use offhours::event::{Body, Event, Kind, RunLine, Trigger};
use offhours::format::{Reader, Reading};
use offhours::ledger::{Draft, Evidence, Ledger, Taken, Taking};
use offhours::time::Instant;

const AGREEMENT: &str = "
services:
  crm: { timezone: UTC, business_hours: \"Mo-Fr 08:00-18:00\" }
partners:
  hostco:
    windows: \"Mo-Su 20:00-06:00\"
    confirmation: { required: true, notice: 1h }
    emergencies: { allowed: true, approve_within: 72h }
    procedures:
      patching: { services: [crm] }
sources:
  - { name: runs, partner: hostco, files: [/x.log], format: logfmt }
  - name: tickets
    partner: hostco
    preset: servicenow
    ours: true
    delivered_every: 1h
    files: [/x.csv]
    format: csv
    fields: { procedure: category }
    values: { procedure: { Patching: patching }, service: { crm-db-01: crm } }
";

const HEADER: &str =
    "number,category,type,state,approval,approval_set,start_date,end_date,cmdb_ci,sys_updated_on";

struct Night {
    config: Config,
    reader: Reader,
    draft: Draft,
}

/// A time of Tuesday 12 May 2026.
fn at(clock: &str) -> Instant {
    let text = format!("2026-05-12T{clock}Z");
    chrono::DateTime::parse_from_rfc3339(&text).expect("a time").to_utc()
}

impl Night {
    fn new() -> Night {
        let now = at("00:00:00");
        let config =
            config::parse(AGREEMENT, Path::new("offhours.yml"), now).expect("an agreement");
        let reader = Reader::new(config.sources[1].spec.clone());
        Night { config, reader, draft: Draft::new(Ledger::default(), Evidence::Readings) }
    }

    fn take(&mut self, event: Event, read: Instant, ours: bool) -> Taken {
        let taking = Taking {
            partner: "hostco".into(),
            ours,
            event,
            place: None,
            read: 0,
            observed: read,
            followed_since: None,
            live: true,
            line: None,
        };
        self.draft.take(&self.config.policy, &taking).expect("it can be taken")
    }

    /// Rows of an export that is read at a time. How many told something new.
    fn export(&mut self, read: &str, rows: &[&str]) -> usize {
        let (read, text) = (at(read), format!("{HEADER}\n{}\n", rows.join("\n")));
        self.pass(read);
        let records = self.reader.read_document(text.as_bytes(), read).expect("an export");
        let mut new = 0;
        for record in records {
            let Reading::Event(event) = record.reading else { panic!("{:?}", record.reading) };
            new += usize::from(self.take(event, read, true) == Taken::New);
        }
        new
    }

    /// `id`: of the run, and of its change if that is named behind it.
    fn says(&mut self, clock: &str, kind: Kind, id: &str) {
        let (id, change) = id.split_once(' ').map_or((id, None), |(id, named)| (id, Some(named)));
        let line = RunLine {
            kind,
            services: vec!["crm".into()],
            procedure: Some("patching".into()),
            run_id: Some(id.into()),
            change_id: change.map(Box::from),
            trigger: Trigger::Manual,
            phase: None,
            outcome: None,
            whole: None,
        };
        self.pass(at(clock));
        let event =
            Event { at: at(clock), other_reading: None, partner: None, body: Body::Run(line) };
        self.take(event, at(clock), false);
    }

    fn pass(&mut self, to: Instant) {
        let partner: Arc<str> = "hostco".into();
        self.draft.advance(&self.config.policy, &partner, to, to, true);
    }

    /// Verdict, reasons, and whether it is final.
    fn check(&self, no: u64, verdict: &str, reasons: &[&str], is_final: bool) {
        let run = self.draft.ledger().run(no).expect("a run");
        let found: Vec<&str> = run.findings.keys().map(|reason| reason.as_str()).collect();
        assert_eq!((run.verdict().as_str(), &*found), (verdict, reasons), "run {no}");
        assert_eq!(run.sealed, is_final, "run {no}");
    }

    fn irregular(&self) -> usize {
        let all = self.draft.ledger().board().partners.values();
        all.map(|partner| partner.irregularities.len()).sum()
    }
}

use Kind::{Finished, Started};

#[test]
fn an_export_every_hour_while_runs_begin_in_between() {
    let mut night = Night::new();
    let row = |id: &str, state: &str, set: &str, span: (&str, &str), updated: &str| {
        let day = "2026-05-12";
        format!(
            "{id},Patching,Normal,{state},Approved,{day} {set},{day} {},{day} {},crm-db-01,{day} {updated}",
            span.0, span.1
        )
    };
    let early = row("CHG1", "Scheduled", "12:00:00", ("20:05:00", "20:30:00"), "12:00:00");
    assert_eq!(night.export("20:00:00", &[&early]), 1);
    // On record: kept at once, but another export may still come.
    night.says("20:06:00", Started, "a");
    night.check(1, "compliant", &[], false);
    night.says("20:20:00", Finished, "a");
    night.check(1, "compliant", &[], false);
    // Approved and begun between two exports, and over before the next.
    night.says("20:40:00", Started, "b");
    night.says("20:50:00", Finished, "b");
    night.check(2, "compliant", &[], false);
    let closed = row("CHG1", "Closed", "12:00:00", ("20:05:00", "20:30:00"), "20:21:00");
    let second = row("CHG2", "Review", "19:30:00", ("20:40:00", "20:55:00"), "20:51:00");
    // Nobody planned this one.
    night.says("20:58:00", Started, "c");
    assert_eq!(night.export("21:00:00", &[&closed, &second]), 2);
    night.pass(at("21:06:00"));
    night.check(1, "compliant", &[], true);
    night.check(2, "compliant", &[], false);
    night.says("21:10:00", Finished, "c");
    night.check(3, "compliant", &[], false);
    assert_eq!(night.export("22:00:00", &[&closed, &second]), 0);
    night.check(2, "compliant", &[], true);
    // One of us may yet approve it as an emergency.
    night.check(3, "violation", &["unconfirmed"], false);
    // Approved half an hour before its start where an hour is agreed, and called off before another.
    night.says("22:10:00", Started, "d");
    night.says("22:40:00", Started, "e");
    night.check(5, "compliant", &[], false);
    let short = row("CHG3", "Implement", "21:40:00", ("22:10:00", "22:35:00"), "22:11:00");
    let off = row("CHG4", "Scheduled", "12:00:00", ("22:40:00", "22:55:00"), "12:00:00");
    let called_off = row("CHG4", "Canceled", "12:00:00", ("22:40:00", "22:55:00"), "22:39:00");
    night.export("23:00:00", &[&short, &off, &called_off]);
    night.pass(at("23:09:59"));
    night.check(4, "violation", &["overran_plan"], false);
    night.pass(at("23:40:00"));
    night.check(4, "violation", &["overran_plan", "short_notice"], false);
    night.check(5, "violation", &["unconfirmed"], false);
    assert_eq!(night.irregular(), 0, "what is ours is not backdated");
}

#[test]
fn an_emergency_of_the_change_system_is_approved_there() {
    let mut night = Night::new();
    night.says("10:00:00", Started, "a CHG9");
    night.check(1, "violation", &["in_business_hours", "outside_window"], false);
    let row = |state: &str, approval: &str, set: &str, updated: &str| {
        format!(
            "CHG9,Patching,Emergency,{state},{approval},{set},2026-05-12 10:00:00,2026-05-12 11:00:00,crm-db-01,2026-05-12 {updated}"
        )
    };
    // What is left empty approves nothing.
    let waits = row("Scheduled", "", "", "09:55:00");
    night.export("10:30:00", &[&waits]);
    night.says("10:45:00", Finished, "a");
    night.check(1, "exempt", &["in_business_hours", "outside_window"], false);
    let waived = ["in_business_hours", "outside_window", "unconfirmed"];
    night.pass(at("11:00:00"));
    night.check(1, "exempt", &waived, false);
    assert!(night.draft.ledger().run(1).expect("a run").approved.is_none());
    let approved = row("Review", "Approved", "2026-05-12 12:00:00", "12:00:00");
    night.export("12:30:00", &[&waits, &approved]);
    night.check(1, "exempt", &waived, true);
    assert_eq!(night.draft.ledger().run(1).expect("a run").approved, Some(at("12:00:00")));
}
