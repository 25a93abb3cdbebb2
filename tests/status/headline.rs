//! The headline tells the worst that is true, and "As agreed" only where nothing is.

use std::path::Path;

use chrono::TimeDelta;
use offhours::config::{self, Config};
use offhours::format::{FileState, Reader, Reading};
use offhours::ledger::{Draft, Evidence, Ledger};
use offhours::report::status::Source;
use offhours::run::Acknowledgement;

use super::{at, page};
use crate::asking::world::taking;

const CONFIG: &str =
    "services: { billing: { timezone: UTC, business_hours: \"Mo-Su 06:00-20:00\" } }
partners:
  northhost:
    timezone: UTC
    windows: \"Mo-Su 20:00-06:00\"
    lost_after: 3h
    emergencies: { allowed: true, approve_within: 6h }
    procedures: { compaction: { services: [billing] } }
sources: [ { name: north, partner: northhost, files: [/north.log], format: logfmt } ]
";

const AGREED: &str = "time=2026-05-05T21:00:00Z event=started procedure=compaction run_id=a
time=2026-05-05T21:30:00Z event=finished procedure=compaction run_id=a";
const AGAINST: &str = "time=2026-05-05T12:00:00Z event=started procedure=compaction run_id=b";
const AGAINST_TOO: &str = "time=2026-05-05T12:10:00Z event=started procedure=compaction run_id=b2";
const LOST: &str = "time=2026-05-05T20:10:00Z event=started procedure=compaction run_id=c";
const EMERGENCY: &str = "time=2026-05-05T11:00:00Z change_id=E1 status=confirmed change_type=emergency procedure=compaction planned_start=2026-05-05T12:00:00Z planned_end=2026-05-05T13:00:00Z
time=2026-05-05T12:00:00Z event=started procedure=compaction run_id=d change_id=E1
time=2026-05-05T12:10:00Z event=finished procedure=compaction run_id=d";

/// What is on record at `now` of these lines, those runs acknowledged that carry one of the ids.
fn on_record(config: &Config, log: &[&str], now: &str, acknowledged: &[&str]) -> Ledger {
    let reader = Reader::new(config.sources[0].spec.clone());
    let mut draft = Draft::new(Ledger::default(), Evidence::Readings);
    let log = log.join("\n") + "\n";
    for (_, record) in reader.records(log.as_bytes()) {
        let Reading::Event(event) = reader.read(record, &FileState::default(), at(now)) else {
            panic!("{} is no event", String::from_utf8_lossy(record));
        };
        draft.take(&config.policy, &taking(event.at, event.body)).expect("an event");
    }
    let runs: Vec<_> = draft.ledger().runs().cloned().collect();
    for run in runs.iter().filter(|run| acknowledged.contains(&run.run_id.as_deref().unwrap_or("")))
    {
        let (at, by, note) = (run.start + TimeDelta::minutes(1), "on call".into(), String::new());
        draft.acknowledge(run, Acknowledgement { at, by, note });
    }
    draft.advance(&config.policy, &"northhost".into(), at(now), at(now), true);
    draft.ledger().clone()
}

fn north() -> Source {
    Source {
        name: "north".into(),
        partners: vec!["northhost".into()],
        up: true,
        misread: false,
        covered: true,
        silent: None,
        without_events: None,
        last_line: None,
        last_event: None,
        lag_bytes: 0,
        rejected: 0,
        losses: 0,
    }
}

/// The headline with its class, and what stands below it.
fn told(log: &[&str], now: &str, acknowledged: &[&str], sources: &[Source]) -> (String, String) {
    let config =
        config::parse(CONFIG, Path::new("offhours.yml"), at(now)).expect("a configuration");
    let ledger = on_record(&config, log, now, acknowledged);
    let page = page(&config, &ledger, sources, at(now));
    let between = |from: &str, to: &str| {
        let rest = page.split_once(from).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split_once(to)).map_or("", |(text, _)| text).to_owned()
    };
    (between("<h1 class=", "</h1>"), between("<p class=\"lead\" role=\"status\">", "</p>"))
}

#[test]
fn the_headline_tells_the_worst_that_is_true() {
    let night = "2026-05-05T23:50:00Z";
    let noon = "2026-05-05T12:30:00Z";
    let seen = [north()];
    for (log, now, acknowledged, headline, beside) in [
        (vec![AGREED], night, vec![], "\"good\">As agreed", ""),
        (
            vec![AGAINST],
            noon,
            vec![],
            "\"bad\">1 violation is not acknowledged, and still running",
            "",
        ),
        // Somebody knows, and it runs all the same.
        (
            vec![AGAINST],
            noon,
            vec!["b"],
            "\"bad\">1 violation is acknowledged and still running",
            "",
        ),
        (
            vec![AGAINST, EMERGENCY],
            noon,
            vec!["b"],
            "\"bad\">1 violation is acknowledged and still running",
            "1 emergency waits for approval.",
        ),
        (
            vec![AGREED, LOST],
            night,
            vec![],
            "\"warn\">1 run cannot be judged: evidence is missing",
            "",
        ),
        (vec![AGREED, LOST], night, vec!["c"], "\"good\">As agreed", ""),
        (vec![EMERGENCY], noon, vec![], "\"warn\">1 emergency waits for approval", ""),
    ] {
        let got = told(&log, now, &acknowledged, &seen);
        assert_eq!(got, (headline.into(), beside.into()), "{log:?} at {now}");
    }
}

#[test]
fn of_two_violations_that_run_the_acknowledged_one_is_told_as_well() {
    let (headline, beside) =
        told(&[AGAINST, AGAINST_TOO], "2026-05-05T12:30:00Z", &["b"], &[north()]);
    assert_eq!(headline, "\"bad\">1 violation is not acknowledged, and still running");
    assert_eq!(beside, "1 more violation is acknowledged and still running.");
}

#[test]
fn what_is_not_seen_is_not_as_agreed() {
    let late = Source { covered: false, ..north() };
    let silent = Source { silent: Some(TimeDelta::hours(2)), ..north() };
    let down = Source { up: false, covered: false, ..north() };
    let of_another = Source { partners: vec!["southhost".into()], ..north() };
    let (no_data, no_source) =
        ("\"warn\">No current data from 1 source", "\"warn\">1 partner has no source");
    for (source, want) in [
        (vec![late.clone()], no_data),
        (vec![silent], no_data),
        (vec![down], no_data),
        (vec![late.clone(), late], "\"warn\">No current data from 2 sources"),
        (vec![], no_source),
        (vec![of_another], no_source),
    ] {
        let (headline, _) = told(&[AGREED], "2026-05-05T23:50:00Z", &[], &source);
        assert_eq!(headline, want, "{source:?}");
    }
    let (headline, beside) = told(&[AGREED, LOST], "2026-05-05T23:50:00Z", &[], &[]);
    assert_eq!(headline, "\"warn\">1 run cannot be judged: evidence is missing");
    assert_eq!(beside, "1 partner has no source.");
    let (headline, beside) =
        told(&[AGAINST], "2026-05-05T12:30:00Z", &[], &[Source { up: false, ..north() }]);
    assert_eq!(headline, "\"bad\">1 violation is not acknowledged, and still running");
    assert_eq!(beside, "No current data from 1 source.");
}

#[test]
fn a_start_ahead_of_the_clock_is_told_as_such() {
    let now = "2026-05-05T11:00:00Z";
    let config =
        config::parse(CONFIG, Path::new("offhours.yml"), at(now)).expect("a configuration");
    let ledger = on_record(&config, &[AGAINST], "2026-05-05T12:00:00Z", &[]);
    let page = page(&config, &ledger, &[north()], at(now));
    assert!(page.contains("<dd>running; its start is stamped in the future</dd>"), "{page}");
}

#[test]
fn who_took_note_and_what_is_waived_stand_on_the_page() {
    let now = "2026-05-05T12:30:00Z";
    let config =
        config::parse(CONFIG, Path::new("offhours.yml"), at(now)).expect("a configuration");
    let ledger = on_record(&config, &[AGAINST, EMERGENCY], now, &["b"]);
    let page = page(&config, &ledger, &[north()], at(now));
    for told in
        ["acknowledged by on call</span>", "waived </span>in_business_hours, outside_window"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
}
