//! Upcoming changes: counted by status, and what has to happen next.

use chrono::TimeDelta;

use crate::event::{ChangeType, Notice, Status};
use crate::metrics::testing::*;
use crate::policy::Policy;

const NOW: &str = "2025-11-10T12:00";
const NEXT: &str = "maintenance_next_planned_start_timestamp_seconds{P}";
const CONFIRM_BY: &str = "maintenance_confirm_by_timestamp_seconds{P}";

fn check_changes(policy: &Policy, notices: &[Notice], rows: &[(&str, Option<f64>)]) {
    let mut log = Log::new(policy);
    for n in notices {
        log.notice("2025-11-10T06:00", n.clone());
    }
    check(policy, log.ledger(), NOW, rows);
}

fn at_night(id: &str, status: Status, day: u32) -> Notice {
    let planned = (format!("2025-11-{day}T22:30"), format!("2025-11-{day}T23:30"));
    notice(id, status, (&planned.0, &planned.1))
}

#[test]
fn changes_are_counted_by_the_status_of_their_latest_revision() {
    let policy = policy();
    let revised =
        |status| Notice { planned_start: None, planned_end: None, ..at_night("C2", status, 11) };
    let notices = [
        at_night("C1", Status::Confirmed, 10),
        at_night("C2", Status::Tentative, 11),
        revised(Status::Confirmed),
        at_night("C3", Status::Tentative, 12),
        at_night("C4", Status::Cancelled, 12),
        // Over.
        notice("C0", Status::Confirmed, ("2025-11-09T22:30", "2025-11-09T23:30")),
        notice("C5", Status::Confirmed, ("2025-11-10T09:00", NOW)),
    ];
    let rows = [
        (r#"maintenance_changes{P,status="confirmed"}"#, Some(2.0)),
        (r#"maintenance_changes{P,status="tentative"}"#, Some(1.0)),
        (r#"maintenance_changes{P,status="cancelled"}"#, Some(1.0)),
        (r#"maintenance_changes{P,status="completed"}"#, Some(0.0)),
        (NEXT, unix("2025-11-10T22:30")),
        (CONFIRM_BY, unix("2025-11-11T22:30")),
    ];
    check_changes(&policy, &notices, &rows);
}

#[test]
fn what_is_next_is_confirmed_and_ahead() {
    let policy = policy();
    let running = notice("C1", Status::InProcess, ("2025-11-10T11:00", "2025-11-10T13:00"));
    let voided = |day| {
        [at_night("C2", Status::Confirmed, 11), at_night("C2", Status::Tentative, day)].to_vec()
    };
    for (notices, next, confirm_by) in [
        (vec![], None, None),
        (vec![running], None, None),
        (voided(12), None, unix("2025-11-11T22:30")),
        (vec![at_night("C1", Status::Cancelled, 11)], None, None),
        (
            vec![at_night("C1", Status::Confirmed, 12), at_night("C2", Status::Confirmed, 11)],
            unix("2025-11-11T22:30"),
            None,
        ),
        // The moment may have passed.
        (vec![at_night("C1", Status::Tentative, 10)], None, unix("2025-11-09T22:30")),
    ] {
        check_changes(&policy, &notices, &[(NEXT, next), (CONFIRM_BY, confirm_by)]);
    }
}

#[test]
fn the_notice_required_decides_by_when() {
    for (required, notice_required, by) in [
        (true, Some(TimeDelta::hours(2)), unix("2025-11-11T20:30")),
        (true, None, unix("2025-11-11T22:30")),
        (false, Some(TimeDelta::hours(2)), None),
    ] {
        let mut policy = policy();
        policy.partners[0].procedures.clear();
        declare(&mut policy.partners[0], "archive-compaction", &["atlas"], |t| {
            t.confirmation.required = required;
            t.confirmation.notice = notice_required;
        });
        check_changes(&policy, &[at_night("C1", Status::Tentative, 11)], &[(CONFIRM_BY, by)]);
    }
}

#[test]
fn a_change_counts_once_for_each_service_that_it_is_for() {
    let policy = policy();
    let rebuild = |services: &[&str]| Notice {
        procedures: vec!["index-rebuild".into()],
        services: services.iter().map(|s| (*s).into()).collect(),
        ..at_night("C1", Status::Confirmed, 11)
    };
    let nameless = |n: Notice| Notice { procedures: vec![], ..n };
    let compaction = Notice { services: vec![], ..at_night("C1", Status::Confirmed, 11) };
    for (change, counted) in [
        (
            rebuild(&["atlas", "billing"]),
            vec![("atlas", "index-rebuild"), ("billing", "index-rebuild")],
        ),
        (rebuild(&["shop"]), vec![("other", "other")]),
        // Every service of the procedure.
        (rebuild(&[]), vec![("atlas", "index-rebuild"), ("billing", "index-rebuild")]),
        (nameless(rebuild(&["billing"])), vec![("billing", "other")]),
        (compaction, vec![("atlas", "archive-compaction")]),
    ] {
        let mut log = Log::new(&policy);
        log.notice("2025-11-10T06:00", change.clone());
        let page = Parsed::of(&scrape(&policy, log.ledger(), NOW));
        let found: Vec<(&str, &str)> = page
            .samples
            .iter()
            .filter(|((name, _), n)| name == "maintenance_changes" && *n == 1.0)
            .map(|((_, labels), _)| (labels[1].1.as_str(), labels[2].1.as_str()))
            .collect();
        assert_eq!(found, counted, "{change:?}");
    }
}

/// Conflicts of `archive-compaction` on `atlas`, which may take two hours and has its windows from 22:00 to 05:00.
fn check_conflicts(policy: &Policy, notices: &[Notice], want: &[(&str, f64)]) {
    let series =
        |reason: &str| format!("maintenance_changes_against_rules{{P,reason=\"{reason}\"}}");
    let all: Vec<(String, f64)> = crate::outlook::Conflict::all()
        .map(|c| c.as_str())
        .map(|c| (series(c), want.iter().find(|(reason, _)| *reason == c).map_or(0.0, |w| w.1)))
        .collect();
    let rows: Vec<_> = all.iter().map(|(series, n)| (series.as_str(), Some(*n))).collect();
    check_changes(policy, notices, &rows);
}

#[test]
fn a_plan_against_the_rules_is_seen_before_it_happens() {
    let plan = |from: &str, to: &str| {
        notice("C1", Status::Confirmed, (&format!("2025-11-{from}"), &format!("2025-11-{to}")))
    };
    let in_hours = [("in_business_hours", 1.0), ("outside_window", 1.0)];
    for (change, want) in [
        (plan("11T22:00", "11T23:00"), vec![]),
        // An end at a bound keeps it.
        (plan("12T03:00", "12T05:00"), vec![]),
        (plan("12T03:01", "12T05:01"), vec![("overran_window", 1.0)]),
        (plan("11T22:00", "12T00:01"), vec![("too_long", 1.0)]),
        (plan("11T09:00", "11T10:00"), in_hours.to_vec()),
        (plan("11T18:00", "11T19:00"), vec![("outside_window", 1.0)]),
        (
            plan("11T07:59", "11T08:01"),
            vec![("outside_window", 1.0), ("ran_into_business_hours", 1.0)],
        ),
        // It has begun, and its end is ahead.
        (plan("10T11:00", "10T12:30"), in_hours.to_vec()),
        (
            Notice { status: Some(Status::Tentative), ..plan("11T09:00", "11T10:00") },
            in_hours.to_vec(),
        ),
        (Notice { status: Some(Status::Cancelled), ..plan("11T09:00", "11T10:00") }, vec![]),
        (Notice { status: Some(Status::Completed), ..plan("11T09:00", "11T10:00") }, vec![]),
        // An emergency waives these, but not the duration.
        (
            Notice { change_type: Some(ChangeType::Emergency), ..plan("11T09:00", "11T12:00") },
            vec![("too_long", 1.0)],
        ),
    ] {
        check_conflicts(&policy(), &[change], &want);
    }
}

/// By day `index-rebuild` may run on `billing`, and not on `atlas`.
#[test]
fn a_plan_without_a_service_is_looked_at_for_each_of_its_procedure() {
    let policy = policy();
    let change = Notice {
        procedures: vec!["index-rebuild".into()],
        services: vec![],
        ..notice("C1", Status::Confirmed, ("2025-11-11T09:00", "2025-11-11T10:00"))
    };
    let series = |service: &str, reason: &str| {
        format!(
            "maintenance_changes_against_rules{{partner=\"hostco\",affected_service=\"{service}\",\
             procedure=\"index-rebuild\",reason=\"{reason}\"}}"
        )
    };
    let (atlas, billing) =
        (series("atlas", "in_business_hours"), series("billing", "in_business_hours"));
    check_changes(&policy, &[change], &[(&atlas, Some(1.0)), (&billing, Some(0.0))]);
}

#[test]
fn a_plan_in_a_freeze_is_seen_before_it_happens() {
    let mut policy = policy();
    declare(&mut policy.partners[0], "archive-compaction", &["atlas"], |t| {
        t.freezes = vec![freeze("month-end", "2025-11-11T23:00", "2025-11-12T02:00")];
    });
    policy.partners[0].procedures.remove(0);
    for (from, to, want) in [
        ("2025-11-11T22:00", "2025-11-11T23:00", vec![]),
        ("2025-11-11T22:00", "2025-11-11T23:01", vec![("ran_into_freeze", 1.0)]),
        ("2025-11-11T23:00", "2025-11-11T23:30", vec![("in_freeze", 1.0)]),
        ("2025-11-12T02:00", "2025-11-12T02:30", vec![]),
    ] {
        check_conflicts(&policy, &[notice("C1", Status::Confirmed, (from, to))], &want);
    }
}

#[test]
fn plans_for_one_service_at_one_time_overlap() {
    let plan = |id: &str, status, from: &str, to: &str| {
        notice(id, status, (&format!("2025-11-11T{from}"), &format!("2025-11-11T{to}")))
    };
    let first = plan("C1", Status::Confirmed, "22:00", "23:00");
    let rebuild = |n: Notice, service: &str| Notice {
        procedures: vec!["index-rebuild".into()],
        services: vec![service.into()],
        ..n
    };
    for (other, overlapping) in [
        (plan("C2", Status::Tentative, "22:59", "23:30"), 2.0),
        (plan("C2", Status::Confirmed, "23:00", "23:30"), 0.0),
        (plan("C2", Status::Cancelled, "22:00", "23:00"), 0.0),
        // Of another procedure: counted there, and here for the first.
        (rebuild(plan("C2", Status::Confirmed, "22:30", "22:40"), "atlas"), 1.0),
        (rebuild(plan("C2", Status::Confirmed, "22:30", "22:40"), "billing"), 0.0),
    ] {
        check_conflicts(&policy(), &[first.clone(), other], &[("overlap", overlapping)]);
    }
    let three = [
        first,
        plan("C2", Status::Confirmed, "22:05", "22:10"),
        plan("C3", Status::Confirmed, "22:50", "23:30"),
    ];
    check_conflicts(&policy(), &three, &[("overlap", 3.0)]);
}
