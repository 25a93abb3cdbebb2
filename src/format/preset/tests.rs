//! The table of presets, held to what its readers rely on.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::spec::{CONSTANTS, DEFAULTS};
use super::super::{FileState, Reader, Reading};
use super::*;
use crate::event::{Body, Kind, Trigger};
use crate::time::{Instant, rfc3339};

#[test]
fn every_preset_is_complete_and_can_be_used() {
    let mut names = HashSet::new();
    for preset in PRESETS {
        let name = preset.name;
        assert!(names.insert(name), "{name} twice");
        let is_name =
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b.is_ascii_digit());
        assert!(is_name && !name.is_empty(), "{name}");
        assert!(std::ptr::eq(Preset::find(name).unwrap(), preset));
        for text in [preset.summary, preset.how] {
            assert!(text.ends_with('.') && !text.contains("  "), "{name}: {text}");
        }
        assert!(!preset.match_any.is_empty(), "{name}: noise would not be cheap");
        let spec = preset.spec(Zone::utc()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(spec.continuation.is_none_or(|c| !c.is_match(b"")), "{name}");
    }
}

#[test]
fn a_preset_says_only_what_a_source_may_say() {
    for preset in PRESETS {
        for form in preset.forms {
            assert!(!form.ignore || form.constants.is_empty(), "{}", preset.name);
            for (field, word) in form.constants {
                assert!(CONSTANTS.contains(field), "{}: {field}", preset.name);
                assert!(*field != Field::Event || Kind::parse(word).is_some(), "{word}");
            }
        }
        assert!(
            preset.defaults.iter().all(|(field, _)| DEFAULTS.contains(field)),
            "{}",
            preset.name
        );
        for (field, _, ours) in preset.values {
            let is_word = match field {
                Field::Event => Kind::parse(ours).is_some(),
                Field::Trigger => Trigger::parse(ours).is_some(),
                _ => true,
            };
            assert!(is_word, "{}: {ours}", preset.name);
        }
    }
}

/// A record as `kind start/end procedure id trigger outcome`; `ignored`; a reason.
fn told(name: &str, record: &str) -> String {
    let near: Instant = "2026-06-21T12:00:00Z".parse().unwrap();
    let zone = Zone::find("Europe/Berlin").unwrap();
    let reader = Reader::new(Arc::new(Preset::find(name).unwrap().spec(zone).unwrap()));
    let event = match reader.read(record.as_bytes(), &FileState::default(), near) {
        Reading::Ignored => return "ignored".to_owned(),
        Reading::Rejected(rejection) => return rejection.reason.to_string(),
        Reading::Event(event) => event,
    };
    let Body::Run(run) = event.body else { return "a notice".to_owned() };
    let times = match run.whole {
        Some((start, end)) => format!("{}/{}", rfc3339(start), rfc3339(end)),
        None => rfc3339(event.at),
    };
    let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or("-").to_owned();
    let (procedure, id, outcome) = (text(&run.procedure), text(&run.run_id), text(&run.outcome));
    format!("{} {times} {procedure} {id} {} {outcome}", run.kind, run.trigger)
}

#[test]
fn what_the_forms_of_a_program_mean() {
    let report = |table: &str, rest: &str| format!("LOG:  automatic {table}\n\tpages: 1\n\t{rest}");
    let cpu = "system usage: CPU: user: 0.02 s, system: 0.00 s, elapsed: 90.50 s";
    let ended = "2026-06-21T11:58:30.250Z/2026-06-21T12:00:00.750Z";
    for (prefix, table, want) in [
        (
            "2026-06-21 14:00:00.750 CEST [7] ",
            r#"vacuum of table "d.s.t": index scans: 1"#,
            "autovacuum",
        ),
        (
            "2026-06-21 12:00:00.750 UTC [7]: [1-1] user=,db= ",
            r#"analyze of table "d.s.t""#,
            "autoanalyze",
        ),
        (
            "7 2026-06-21 14:00:00.750 +02 ",
            r#"aggressive vacuum to prevent wraparound of table "d.s.t": index scans: 0"#,
            "autovacuum",
        ),
    ] {
        let want = format!("finished {ended} {want} d.s.t schedule -");
        assert_eq!(told("postgresql", &(prefix.to_owned() + &report(table, cpu))), want);
    }
    let cut = "2026-06-21 14:00:00 CEST [7] LOG:  automatic vacuum of table \"d.s.t\": index scans: 1\n\tpages: 1";
    assert_eq!(told("postgresql", cut), "no_match");
    let quoted = "2026-06-21 14:00:00 CEST [7] LOG:  statement: select 'automatic vacuum of table'";
    assert_eq!(told("postgresql", quoted), "ignored");
}

#[test]
fn lines_that_only_look_like_it_are_noise() {
    for (name, line) in [
        (
            "mongodb",
            r#"2026-06-21T14:00:00.471+0200 I COMMAND [conn1] command x { note: "[y] build index on: z" }"#,
        ),
        ("ansible", "2026-06-21 14:00:00,142 p=7 u=root n=ansible INFO| msg: see PLAY [x] below"),
        ("cron", "Jun 21 14:00:00 h sudo: a : COMMAND=/bin/echo (x) CMD (y)"),
        (
            "systemd",
            r#"{"MESSAGE_ID":"39f53479d3a045ac8e11786248231fbf","MESSAGE":"7d4958e842da4a758f6c1cdc7b36dcc5"}"#,
        ),
    ] {
        assert_eq!(told(name, line), "ignored", "{name}");
    }
}

#[test]
fn cron_as_several_programs_write_it() {
    let start = "2026-06-21T12:00:00Z/2026-06-21T12:00:00Z";
    for (line, command, id) in [
        ("Jun 21 14:00:00 h CRON[7]: (root) CMD (  /opt/backup --all )", "/opt/backup --all", 7),
        ("Jun 21 14:00:00 h /usr/sbin/cron[8]: (root) CMD ([9] /opt/backup)", "/opt/backup", 8),
        (
            "<78>1 2026-06-21T14:00:00+02:00 h CROND 10 - - (root) CMD (/opt/x (y))",
            "/opt/x (y)",
            10,
        ),
    ] {
        assert_eq!(told("cron", line), format!("finished {start} {command} {id} schedule started"));
    }
    assert_eq!(told("cron", "Jun 21 14:00:00 h CROND[7]: (root) CMDEND (/opt/backup)"), "ignored");
}
