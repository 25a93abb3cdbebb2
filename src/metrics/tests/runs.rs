//! Runs: counted once, measured while they are open, projected, and paging until somebody takes note.

use chrono::TimeDelta;
use proptest::prelude::*;

use crate::event::{ChangeType, Kind, Status, Trigger};
use crate::ledger::Approval;
use crate::metrics::testing::*;
use crate::policy::Policy;
use crate::run::{Acknowledgement, RunNo};

const RUN: &str = "archive-compaction";

fn start(id: &str) -> crate::event::RunLine {
    line(Kind::Started, RUN, "atlas", id)
}

fn finish(id: &str) -> crate::event::RunLine {
    line(Kind::Finished, RUN, "atlas", id)
}

/// That Monday: started by hand at 13:10.
fn monday(policy: &Policy) -> Log<'_> {
    let mut log = Log::new(policy);
    let mut by_hand = start("a1");
    by_hand.trigger = Trigger::Manual;
    log.run("2025-11-10T13:10", by_hand);
    log
}

const UNACKNOWLEDGED: &str = "maintenance_violations_unacknowledged{P}";

#[test]
fn an_open_run_is_seen_at_once_and_grows() {
    let policy = policy();
    let mut log = monday(&policy);
    for (now, seconds) in [("2025-11-10T13:10", 0.0), ("2025-11-10T13:40", 1_800.0)] {
        check(
            &policy,
            log.ledger(),
            now,
            &[
                (UNACKNOWLEDGED, Some(1.0)),
                (r#"maintenance_starts_total{P,verdict="violation"}"#, Some(1.0)),
                (r#"maintenance_runs_in_progress{P,verdict="violation"}"#, Some(1.0)),
                (r#"maintenance_runs_in_progress{P,verdict="compliant"}"#, Some(0.0)),
                (r#"maintenance_violations_total{P,reason="in_business_hours"}"#, Some(1.0)),
                (r#"maintenance_violations_total{P,reason="wrong_trigger"}"#, Some(1.0)),
                (r#"maintenance_violations_total{P,reason="too_long"}"#, Some(0.0)),
                (r#"maintenance_runs_total{P,verdict="violation",outcome="finished"}"#, Some(0.0)),
                ("maintenance_business_hours_seconds_total{P}", Some(seconds)),
                ("maintenance_outside_window_seconds_total{P}", Some(seconds)),
                ("maintenance_run_start_timestamp_seconds{P}", unix("2025-11-10T13:10")),
                ("maintenance_run_projected_end_timestamp_seconds{P}", unix("2025-11-10T14:35")),
                ("maintenance_run_deadline_timestamp_seconds{P}", unix("2025-11-10T15:10")),
                ("maintenance_last_start_timestamp_seconds{P}", unix("2025-11-10T13:10")),
                ("maintenance_last_violation_timestamp_seconds{P}", unix("2025-11-10T13:10")),
                (r#"maintenance_runs_projected_violation{P,reason="too_long"}"#, Some(0.0)),
            ],
        );
    }
    // Read at its stamp: no scrape can have counted beyond it.
    log.delay = TimeDelta::zero();
    log.run("2025-11-10T15:20", finish("a1"));
    let sealed = r#"maintenance_runs_total{P,verdict="violation",outcome="finished"}"#;
    let waits = [(UNACKNOWLEDGED, Some(1.0)), (sealed, Some(0.0))];
    check(&policy, log.ledger(), "2025-11-10T16:00", &waits);
    // Nobody has approved it as an emergency.
    log.pass("2025-11-13T13:10");
    check(
        &policy,
        log.ledger(),
        "2025-11-13T13:10",
        &[
            (UNACKNOWLEDGED, Some(0.0)),
            (r#"maintenance_runs_in_progress{P,verdict="violation"}"#, Some(0.0)),
            (r#"maintenance_violations_total{P,reason="too_long"}"#, Some(1.0)),
            (sealed, Some(1.0)),
            ("maintenance_business_hours_seconds_total{P}", Some(7_800.0)),
            ("maintenance_outside_window_seconds_total{P}", Some(7_800.0)),
            ("maintenance_run_start_timestamp_seconds{P}", None),
            ("maintenance_run_deadline_timestamp_seconds{P}", None),
            (r#"maintenance_run_duration_seconds_bucket{P,le="7200"}"#, Some(0.0)),
            (r#"maintenance_run_duration_seconds_bucket{P,le="10800"}"#, Some(1.0)),
            (r#"maintenance_run_duration_seconds_bucket{P,le="+Inf"}"#, Some(1.0)),
            ("maintenance_run_duration_seconds_sum{P}", Some(7_800.0)),
            ("maintenance_last_violation_timestamp_seconds{P}", unix("2025-11-10T15:10")),
            (r#"maintenance_detection_delay_seconds_bucket{partner="hostco",le="0.5"}"#, Some(0.0)),
            (r#"maintenance_detection_delay_seconds_bucket{partner="hostco",le="1"}"#, Some(1.0)),
        ],
    );
}

#[test]
fn time_that_was_shown_is_not_taken_back() {
    let policy = policy();
    let mut log = monday(&policy);
    // Read at 14:30, so that a scrape may have counted up to then.
    log.delay = TimeDelta::minutes(50);
    log.run("2025-11-10T13:40", finish("a1"));
    let business = "maintenance_business_hours_seconds_total{P}";
    check(&policy, log.ledger(), "2025-11-10T15:00", &[(business, Some(4_800.0))]);
    // Another process showed them until 14:00, was killed, and this one reads the end at 14:30.
    for (until, seconds) in [("2025-11-10T14:00", 3_000.0), ("2025-11-10T13:30", 1_800.0)] {
        let mut log = monday(&policy);
        log.draft.set_shown_until(Some(at(until)));
        (log.live, log.delay) = (false, TimeDelta::minutes(50));
        log.run("2025-11-10T13:40", finish("a1"));
        check(&policy, log.ledger(), "2025-11-10T15:00", &[(business, Some(seconds))]);
    }
    // A start and an end that arrive together were never shown open, however late they are.
    let mut log = Log::new(&policy);
    log.delay = TimeDelta::minutes(50);
    log.together(&[("2025-11-10T13:10", start("a1")), ("2025-11-10T13:40", finish("a1"))]);
    check(&policy, log.ledger(), "2025-11-10T15:00", &[(business, Some(1_800.0))]);
}

#[test]
fn another_policy_takes_back_no_time() {
    let old = policy();
    let mut new = policy();
    for terms in new.partners[0].procedures[0].terms.values_mut() {
        let terms = std::sync::Arc::make_mut(terms);
        terms.business_hours = Some(spans(&[("2025-11-10T13:30", "2025-11-10T18:00")]));
        terms.windows = None;
    }
    let mut log = monday(&old);
    let (mut published, mut remembered) = (log.ledger().clone(), log.ledger().clone());
    let kept = published.keep_time(&old, at("2025-11-10T13:40"));
    assert_eq!(published.keep_time(&old, at("2025-11-10T13:40")), []);
    log.draft.keep_time(kept, at("2025-11-10T13:40"));
    log.draft.rejudge(&new, at("2025-11-10T13:40"));
    log.draft.drain().iter().for_each(|entry| remembered.adopt(entry));
    for ledger in [&published, &remembered, log.ledger()] {
        for (now, business) in [("13:40", 1_800.0), ("14:00", 1_800.0), ("14:20", 3_000.0)] {
            let rows = [
                ("maintenance_business_hours_seconds_total{P}", Some(business)),
                ("maintenance_outside_window_seconds_total{P}", Some(1_800.0)),
            ];
            check(&new, ledger, &format!("2025-11-10T{now}"), &rows);
        }
    }
}

#[test]
fn it_pages_until_somebody_takes_note_or_the_time_is_up() {
    let policy = policy();
    let mut log = monday(&policy);
    let check_at = |log: &Log, now: &str, n: f64| {
        check(&policy, log.ledger(), now, &[(UNACKNOWLEDGED, Some(n))]);
    };
    // As long as it is open, whatever the time.
    check_at(&log, "2025-11-14T00:00", 1.0);
    let mut taken_note = log.draft.clone();
    let run = taken_note.ledger().run(1).unwrap().clone();
    let acknowledgement =
        Acknowledgement { at: at("2025-11-10T13:20"), by: "x".into(), note: String::new() };
    taken_note.acknowledge(&run, acknowledgement);
    check(&policy, taken_note.ledger(), "2025-11-10T13:21", &[(UNACKNOWLEDGED, Some(0.0))]);
    log.run("2025-11-10T15:20", finish("a1"));
    check_at(&log, "2025-11-11T15:19", 1.0);
    check_at(&log, "2025-11-11T15:20", 0.0);
}

#[test]
fn a_reason_found_after_the_acknowledgement_does_not_page_again() {
    let policy = policy();
    let mut log = monday(&policy);
    let run = log.ledger().run(1).unwrap().clone();
    let acknowledgement =
        Acknowledgement { at: at("2025-11-10T13:20"), by: "x".into(), note: String::new() };
    log.draft.acknowledge(&run, acknowledgement);
    log.pass("2025-11-10T15:30");
    check(
        &policy,
        log.ledger(),
        "2025-11-10T15:30",
        &[
            (UNACKNOWLEDGED, Some(0.0)),
            (r#"maintenance_violations_total{P,reason="too_long"}"#, Some(1.0)),
        ],
    );
}

#[test]
fn a_lost_run_pages_until_a_day_after_it_was_given_up() {
    let policy = policy();
    let mut log = monday(&policy);
    log.pass("2025-11-11T13:10");
    // Until then it may be approved as an emergency.
    for (now, n, is_final) in [
        ("2025-11-12T13:09", 1.0, 0.0),
        ("2025-11-12T13:10", 0.0, 0.0),
        ("2025-11-13T13:10", 0.0, 1.0),
    ] {
        log.pass(now);
        check(
            &policy,
            log.ledger(),
            now,
            &[
                (UNACKNOWLEDGED, Some(n)),
                (r#"maintenance_runs_total{P,verdict="violation",outcome="lost"}"#, Some(is_final)),
                ("maintenance_run_duration_seconds_count{P}", Some(0.0)),
                // 13:10-18:00 and 08:00-13:10.
                ("maintenance_business_hours_seconds_total{P}", Some(36_000.0)),
            ],
        );
    }
}

#[test]
fn the_words_of_a_page_have_what_they_are_made_from() {
    let policy = policy();
    let mut log = monday(&policy);
    let own = |name: &str, value| (format!("maintenance_violations_unacknowledged{name}"), value);
    let reason = |reason: &str, n| own(&format!("_reasons{{P,reason=\"{reason}\"}}"), Some(n));
    let since = |at| own("_since_timestamp_seconds{P}", at);
    let first = |no| own("_first_run{P}", no);
    let told = |log: &Log, now, rows: &[(String, Option<f64>)]| {
        let rows: Vec<_> = rows.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        check(&policy, log.ledger(), now, &rows);
    };
    let one = [
        reason("wrong_trigger", 1.0),
        reason("in_business_hours", 1.0),
        reason("too_long", 0.0),
        since(unix("2025-11-10T13:10")),
        first(Some(1.0)),
    ];
    told(&log, "2025-11-10T13:10", &one);
    log.run("2025-11-10T13:30", finish("a1"));
    // At an hour that is agreed, but nobody has confirmed it.
    log.run("2025-11-11T01:00", line(Kind::Started, RUN, "atlas", "a2"));
    log.run("2025-11-11T01:10", finish("a2"));
    log.run("2025-11-11T12:00", start("a3"));
    told(&log, "2025-11-11T12:00", &[reason("in_business_hours", 2.0), first(Some(1.0))]);
    let run = log.ledger().run(1).unwrap().clone();
    let acknowledgement =
        Acknowledgement { at: at("2025-11-11T12:05"), by: "x".into(), note: String::new() };
    log.draft.acknowledge(&run, acknowledgement);
    told(
        &log,
        "2025-11-11T12:06",
        &[reason("in_business_hours", 1.0), since(unix("2025-11-11T01:00")), first(Some(2.0))],
    );
}

#[test]
fn an_old_log_does_not_page_not_even_when_its_run_is_given_up() {
    let mut policy = policy();
    declare(&mut policy.partners[0], "long", &["atlas"], |_| {});
    let mut log = Log::new(&policy);
    log.delay = TimeDelta::hours(30);
    log.run("2025-11-10T13:10", line(Kind::Started, "long", "atlas", "a1"));
    let p = r#"{partner="hostco",affected_service="atlas",procedure="long""#;
    let found = format!(r#"maintenance_violations_total{p},reason="in_business_hours"}}"#);
    let lost = format!(r#"maintenance_violations_total{p},reason="lost"}}"#);
    let pages = format!("maintenance_violations_unacknowledged{p}}}");
    let rows = [(&*found, Some(1.0)), (&lost, Some(0.0)), (&pages, Some(0.0))];
    check(&policy, log.ledger(), "2025-11-11T19:10", &rows);
    log.pass("2025-11-11T19:10");
    let rows = [(&*found, Some(1.0)), (&lost, Some(1.0)), (&pages, Some(0.0))];
    check(&policy, log.ledger(), "2025-11-11T19:10", &rows);
}

#[test]
fn the_projected_end_says_what_will_break_unless_it_is_waived() {
    let policy = policy();
    for (kind, window, deadline) in [
        (ChangeType::Normal, 1.0, "2025-11-11T05:00"),
        (ChangeType::Emergency, 0.0, "2025-11-11T05:45"),
    ] {
        let mut log = Log::new(&policy);
        let planned = ("2025-11-11T03:30", "2025-11-11T05:50");
        let mut change = notice("C1", Status::Confirmed, planned);
        change.change_type = Some(kind);
        log.notice("2025-11-09T00:00", change);
        log.run("2025-11-11T03:45", start("a1"));
        check(
            &policy,
            log.ledger(),
            "2025-11-11T04:00",
            &[
                (r#"maintenance_runs_in_progress{P,verdict="compliant"}"#, Some(1.0)),
                (
                    r#"maintenance_runs_projected_violation{P,reason="overran_window"}"#,
                    Some(window),
                ),
                (r#"maintenance_runs_projected_violation{P,reason="too_long"}"#, Some(0.0)),
                ("maintenance_run_projected_end_timestamp_seconds{P}", unix("2025-11-11T05:10")),
                ("maintenance_run_deadline_timestamp_seconds{P}", unix(deadline)),
                (r#"maintenance_notice_seconds_bucket{partner="hostco",le="172800"}"#, Some(0.0)),
                (r#"maintenance_notice_seconds_bucket{partner="hostco",le="259200"}"#, Some(1.0)),
                (UNACKNOWLEDGED, Some(0.0)),
            ],
        );
    }
}

#[test]
fn an_emergency_waits_for_its_approval_until_the_deadline() {
    let policy = policy();
    let waiting = "maintenance_emergencies_unapproved{P}";
    for (approved, rows) in [
        (None, [("2025-11-11T04:00", 1.0), ("2025-11-14T03:44", 1.0), ("2025-11-14T03:45", 0.0)]),
        // The end of the run says nothing of it.
        (
            Some("2025-11-11T09:00"),
            [("2025-11-11T04:00", 1.0), ("2025-11-11T08:59", 1.0), ("2025-11-11T09:00", 0.0)],
        ),
    ] {
        let mut log = Log::new(&policy);
        let mut change = notice("C1", Status::Confirmed, ("2025-11-11T03:30", "2025-11-11T05:50"));
        change.change_type = Some(ChangeType::Emergency);
        log.notice("2025-11-09T00:00", change);
        check(&policy, log.ledger(), "2025-11-11T03:40", &[(waiting, Some(0.0))]);
        log.run("2025-11-11T03:45", start("a1")).run("2025-11-11T04:30", finish("a1"));
        for (now, n) in rows {
            log.pass(now);
            if approved == Some(now) {
                let partner: std::sync::Arc<str> = "hostco".into();
                let approval = Approval { run: Some(1), at: at(now), ..Approval::default() };
                log.draft.approve(&policy, &partner, at(now), at(now), approval);
            }
            check(&policy, log.ledger(), now, &[(waiting, Some(n))]);
        }
    }
}

#[test]
fn an_open_run_past_a_bound_is_an_overrun_until_it_ends() {
    let policy = policy();
    let mut log = Log::new(&policy);
    log.run("2025-11-11T03:45", start("a1"));
    let seen = |log: &Log, now: &str, window, long| {
        let rows = [
            (r#"maintenance_runs_overrun{P,reason="overran_window"}"#, Some(window)),
            (r#"maintenance_runs_overrun{P,reason="too_long"}"#, Some(long)),
        ];
        check(&policy, log.ledger(), now, &rows);
    };
    seen(&log, "2025-11-11T04:59", 0.0, 0.0);
    seen(log.pass("2025-11-11T05:00"), "2025-11-11T05:00", 1.0, 0.0);
    seen(log.pass("2025-11-11T05:45"), "2025-11-11T05:45", 1.0, 1.0);
    seen(log.run("2025-11-11T05:50", finish("a1")), "2025-11-11T05:51", 0.0, 0.0);
}

#[test]
fn past_durations_count_for_more_than_the_expected_one() {
    let policy = policy();
    for (past, projected) in [(4, "2025-11-11T23:25"), (5, "2025-11-11T22:10")] {
        let mut log = Log::new(&policy);
        for i in 0..past {
            let id = i.to_string();
            log.run(&format!("2025-11-10T0{i}:00"), start(&id));
            log.run(&format!("2025-11-10T0{i}:10"), finish(&id));
        }
        log.run("2025-11-11T22:00", start("last"));
        let rows = [("maintenance_run_projected_end_timestamp_seconds{P}", unix(projected))];
        check(&policy, log.ledger(), "2025-11-11T22:01", &rows);
    }
}

#[test]
fn the_oldest_open_run_is_the_one_with_the_earliest_start() {
    let policy = policy();
    let mut log = Log::new(&policy);
    log.run("2025-11-10T13:30", start("late"));
    // Read later, began earlier.
    let mut log = {
        log.delay = TimeDelta::minutes(40);
        log
    };
    log.run("2025-11-10T13:00", start("early"));
    let rows = [
        ("maintenance_run_start_timestamp_seconds{P}", unix("2025-11-10T13:00")),
        ("maintenance_last_start_timestamp_seconds{P}", unix("2025-11-10T13:30")),
        (r#"maintenance_runs_in_progress{P,verdict="violation"}"#, Some(2.0)),
    ];
    check(&policy, log.ledger(), "2025-11-10T13:50", &rows);
    log.run("2025-11-10T13:45", finish("early"));
    let rows = [("maintenance_run_start_timestamp_seconds{P}", unix("2025-11-10T13:30"))];
    check(&policy, log.ledger(), "2025-11-10T14:50", &rows);
}

#[test]
fn contradictions_are_counted_by_kind() {
    let policy = policy();
    let mut log = monday(&policy);
    log.run("2025-11-10T13:11", start("a1")).run("2025-11-10T13:13", finish("zz"));
    let of = |kind: &str| {
        format!(r#"maintenance_irregularities_total{{partner="hostco",kind="{kind}"}}"#)
    };
    let rows = [
        (&*of("second_start"), Some(1.0)),
        (&of("end_without_start"), Some(1.0)),
        (&of("second_end"), Some(0.0)),
    ];
    check(&policy, log.ledger(), "2025-11-10T13:20", &rows);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever runs there are: the pass over all series says what each series says alone, and no counter of
    /// time falls from one moment to the next.
    #[test]
    fn times_of_all_series_are_those_of_each(
        runs in prop::collection::vec((0_usize..3, 0_i64..2_000, prop::option::of(1_i64..900)), 1..12),
        looks in prop::collection::btree_set(0_i64..4_000, 2..5),
    ) {
        let policy = policy();
        let mut log = Log::new(&policy);
        let monday = at("2025-11-10T00:00");
        let stamp = |m: i64| (monday + TimeDelta::minutes(m)).format("%Y-%m-%dT%H:%M").to_string();
        let named = ["archive-compaction", "index-rebuild", "defragment"];
        let mut lines = Vec::new();
        for (i, (which, start, takes)) in runs.iter().enumerate() {
            let id = i.to_string();
            lines.push((*start, line(Kind::Started, named[*which], "atlas", &id)));
            if let Some(takes) = takes {
                lines.push((start + takes, line(Kind::Finished, named[*which], "atlas", &id)));
            }
        }
        lines.sort_by_key(|(m, _)| *m);
        for (m, l) in lines {
            log.run(&stamp(m), l);
        }
        let mut before = None;
        for look in looks {
            let clock = monday + TimeDelta::minutes(look);
            let all = log.ledger().times_counted(&policy, clock);
            for labels in log.ledger().board().series.keys() {
                let alone = log.ledger().time_counted(&policy, labels, clock, RunNo::MAX);
                prop_assert_eq!(all.get(labels), Some(&alone));
            }
            let sum: i128 = all.values().map(|s| s.business_nanos + s.outside_nanos).sum();
            prop_assert!(before <= Some(sum));
            before = Some(sum);
        }
    }
}
