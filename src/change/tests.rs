//! Rows: notices in, what is on record of them out.

use super::*;
use chrono::DateTime;

fn at(hours: i64) -> Instant {
    DateTime::from_timestamp(1_762_700_400 + hours * 3600, 0).unwrap()
}

/// `number status start end stamp`, all times in hours; `-` omits.
fn notice(row: &str) -> (Notice, Instant) {
    let f: Vec<&str> = row.split_whitespace().collect();
    let hours = |t: &str| (t != "-").then(|| at(t.parse().unwrap()));
    let notice = Notice {
        change_id: "CHG1".into(),
        revision: f[0].parse().ok(),
        status: Status::parse(f[1]).unwrap(),
        services: vec!["atlas".into()],
        procedure: Some("compaction".into()),
        change_type: None,
        planned_start: hours(f[2]),
        planned_end: hours(f[3]),
    };
    (notice, at(f[4].parse().unwrap()))
}

fn book(rows: &[&str]) -> Result<Changes, BadPlan> {
    let mut changes = Changes::default();
    for row in rows {
        let (notice, stamp) = notice(row);
        let revision = changes.accept(&notice, stamp)?;
        changes.adopt(&"CHG1".into(), revision);
    }
    Ok(changes)
}

/// The confirmation on record at hour 100, as the hour of its stamp.
fn check(rows: &[&str], want_status: &str, want_confirmed: Option<i64>) {
    let plan = book(rows).unwrap().plan("CHG1", at(100));
    let plan = plan.expect("something is on record");
    assert_eq!(plan.status.as_str(), want_status, "{rows:?}");
    assert_eq!(plan.confirmed_at, want_confirmed.map(at), "{rows:?}");
}

#[test]
fn confirmation_is_the_earliest_of_the_unbroken_row_with_the_same_times() {
    check(&["1 confirmed 50 52 1"], "confirmed", Some(1));
    check(&["1 tentative 50 52 1"], "tentative", None);
    check(&["1 confirmed 50 52 1", "2 confirmed 50 52 3"], "confirmed", Some(1));
    check(&["1 confirmed 50 52 1", "2 in-process 50 52 50"], "in-process", Some(1));
    check(&["1 confirmed 50 52 1", "2 completed - - 53"], "completed", Some(1));
    check(&["1 in-process 50 52 50"], "in-process", None);
    check(&["1 tentative 50 52 1", "2 in-process 50 52 50"], "in-process", None);
    check(&["1 confirmed 50 52 1", "2 confirmed 51 53 3"], "confirmed", Some(3));
    check(&["1 confirmed 50 52 1", "2 completed 50 51 51"], "completed", None);
    check(&["1 confirmed 50 52 1", "2 tentative 50 52 3"], "tentative", None);
    check(
        &["1 confirmed 50 52 1", "2 tentative 50 52 3", "3 confirmed 50 52 5"],
        "confirmed",
        Some(5),
    );
    check(&["1 confirmed 50 52 1", "2 cancelled - - 3"], "cancelled", None);
}

#[test]
fn the_highest_number_is_the_latest_whatever_order_they_come_in() {
    check(&["3 cancelled 50 52 1", "2 confirmed 50 52 2"], "cancelled", None);
    check(&["5 confirmed 50 52 1", "- cancelled 50 52 2"], "cancelled", None);
    check(&["1 confirmed 50 52 1", "1 cancelled 50 52 2"], "cancelled", None);
    check(&["1 cancelled 50 52 2", "1 confirmed 50 52 1"], "cancelled", None);
    check(&["1 confirmed 50 52 1", "1 cancelled 50 52 1"], "cancelled", None);
    check(&["2 confirmed 50 52 5", "1 confirmed 50 52 1"], "confirmed", Some(1));
}

#[test]
fn a_revision_keeps_what_it_omits() {
    check(&["1 confirmed 50 52 1", "2 confirmed 51 - 3"], "confirmed", Some(3));
    check(&["1 confirmed 50 52 1", "2 confirmed - - 3"], "confirmed", Some(1));
}

#[test]
fn a_notice_without_usable_times_is_refused_unless_it_cancels() {
    assert_eq!(book(&["1 confirmed - - 1"]).unwrap_err(), BadPlan::NoTimes);
    assert_eq!(book(&["1 confirmed 50 - 1"]).unwrap_err(), BadPlan::NoTimes);
    assert_eq!(book(&["1 tentative 50 50 1"]).unwrap_err(), BadPlan::Reversed);
    assert_eq!(book(&["1 tentative 52 50 1"]).unwrap_err(), BadPlan::Reversed);
    assert!(book(&["1 cancelled - - 1"]).is_ok());
    assert!(book(&["1 cancelled 52 50 1"]).is_ok());
}

#[test]
fn on_record_is_what_was_stamped_by_then() {
    let changes = book(&["1 confirmed 50 52 10", "2 cancelled 50 52 20"]).unwrap();
    let status = |hour: i64| changes.plan("CHG1", at(hour)).map(|p| p.status.as_str());
    assert_eq!(status(9), None);
    assert_eq!(status(10), Some("confirmed"));
    assert_eq!(status(19), Some("confirmed"));
    assert_eq!(status(20), Some("cancelled"));
}

#[test]
fn the_nearest_confirmed_plan_wins_then_the_earlier_then_the_smaller_id() {
    let mut changes = Changes::default();
    let plans = [("B", 48, 60), ("A", 48, 60), ("C", 52, 60), ("D", 50, 51), ("E", 20, 49)];
    for (id, start, end) in plans {
        let (mut n, stamp) = notice("1 confirmed 0 0 1");
        (n.planned_start, n.planned_end) = (Some(at(start)), Some(at(end)));
        let revision = changes.accept(&n, stamp).unwrap();
        changes.adopt(&id.into(), revision);
    }
    let found = |hour: i64| {
        let early = TimeDelta::hours(2);
        let plan = changes.matching(Some("atlas"), "compaction", early, at(hour));
        plan.map(|p| p.change_id.to_string())
    };
    assert_eq!(found(17), None);
    assert_eq!(found(18).as_deref(), Some("E"));
    assert_eq!(found(47).as_deref(), Some("A"));
    assert_eq!(found(50).as_deref(), Some("D"));
    assert_eq!(found(51).as_deref(), Some("C"));
    assert_eq!(found(60), None);
    assert!(changes.matching(None, "compaction", TimeDelta::hours(2), at(50)).is_none());
    assert!(changes.matching(Some("helios"), "compaction", TimeDelta::hours(2), at(50)).is_none());
}

#[test]
fn the_oldest_plans_are_forgotten_beyond_the_limit() {
    let mut changes = Changes::default();
    for n in 0..CHANGES_KEPT + 5 {
        let (mut row, stamp) = notice("1 confirmed 0 0 1");
        (row.planned_start, row.planned_end) = (Some(at(n as i64)), Some(at(n as i64 + 1)));
        let revision = changes.accept(&row, stamp).unwrap();
        changes.adopt(&format!("C{n}").into(), revision);
    }
    assert!(changes.latest("C0").is_none());
    assert!(changes.latest(&format!("C{}", CHANGES_KEPT + 4)).is_some());
    assert!(changes.by_id.len() <= CHANGES_KEPT);
    assert!(changes.by_plan.values().map(|m| m.len()).sum::<usize>() <= CHANGES_KEPT);
}
