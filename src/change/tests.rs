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
        status: Status::parse(f[1]),
        services: vec!["atlas".into()],
        procedures: vec!["compaction".into()],
        change_type: None,
        planned_start: hours(f[2]),
        planned_end: hours(f[3]),
        ..Notice::default()
    };
    (notice, at(f[4].parse().unwrap()))
}

/// The service and the procedure of a run.
const RUN: (Option<&str>, &str) = (Some("atlas"), "compaction");

fn put(changes: &mut Changes, id: &str, notice: &Notice, stamp: Instant) {
    match changes.accept(notice, stamp, stamp, false).unwrap() {
        Accepted::New(revision) => changes.adopt(&id.into(), revision),
        Accepted::Known => {}
    }
}

fn book(rows: &[&str]) -> Result<Changes, BadPlan> {
    let mut changes = Changes::default();
    for row in rows {
        let (notice, stamp) = notice(row);
        if let Accepted::New(revision) = changes.accept(&notice, stamp, stamp, false)? {
            changes.adopt(&"CHG1".into(), revision);
        }
    }
    Ok(changes)
}

/// The confirmation on record at hour 100, as the hour of its stamp.
fn check(rows: &[&str], want_status: &str, want_confirmed: Option<i64>) {
    let plan = book(rows).unwrap().plan("CHG1", RUN, TimeDelta::zero(), AsOf::stamped(at(100)));
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
    assert_eq!(book(&["1 confirmed 50 - 1"]).unwrap_err(), BadPlan::NoEnd);
    assert_eq!(book(&["1 confirmed - 50 1"]).unwrap_err(), BadPlan::NoStart);
    assert_eq!(book(&["1 tentative 50 50 1"]).unwrap_err(), BadPlan::Reversed);
    assert_eq!(book(&["1 tentative 52 50 1"]).unwrap_err(), BadPlan::Reversed);
    assert!(book(&["1 cancelled - - 1"]).is_ok());
    assert!(book(&["1 cancelled 52 50 1"]).is_ok());
}

#[test]
fn on_record_is_what_was_stamped_by_then() {
    let changes = book(&["1 confirmed 50 52 10", "2 cancelled 50 52 20"]).unwrap();
    let status = |hour: i64| {
        changes
            .plan("CHG1", RUN, TimeDelta::zero(), AsOf::stamped(at(hour)))
            .map(|p| p.status.as_str())
    };
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
        put(&mut changes, id, &n, stamp);
    }
    let found = |hour: i64| {
        let early = TimeDelta::hours(2);
        let plan = changes.matching(Some("atlas"), "compaction", early, AsOf::stamped(at(hour)));
        plan.map(|p| p.change_id.to_string())
    };
    assert_eq!(found(17), None);
    assert_eq!(found(18).as_deref(), Some("E"));
    assert_eq!(found(47).as_deref(), Some("A"));
    assert_eq!(found(50).as_deref(), Some("D"));
    assert_eq!(found(51).as_deref(), Some("C"));
    assert_eq!(found(60), None);
    assert!(
        changes.matching(None, "compaction", TimeDelta::hours(2), AsOf::stamped(at(50))).is_none()
    );
    assert!(
        changes
            .matching(Some("helios"), "compaction", TimeDelta::hours(2), AsOf::stamped(at(50)))
            .is_none()
    );
}

#[test]
fn the_oldest_plans_are_forgotten_beyond_the_limit() {
    let mut changes = Changes::default();
    for n in 0..CHANGES_KEPT + 5 {
        let (mut row, stamp) = notice("1 confirmed 0 0 1");
        (row.planned_start, row.planned_end) = (Some(at(n as i64)), Some(at(n as i64 + 1)));
        put(&mut changes, &format!("C{n}"), &row, stamp);
    }
    assert!(changes.latest("C0").is_empty());
    assert_eq!(changes.latest(&format!("C{}", CHANGES_KEPT + 4)).len(), 1);
    assert!(changes.by_id.len() <= CHANGES_KEPT);
    assert!(changes.by_plan.values().map(|m| m.len()).sum::<usize>() <= CHANGES_KEPT);
}

#[test]
fn changes_without_times_are_forgotten_too() {
    let mut changes = Changes::default();
    for n in 0..CHANGES_KEPT + 5 {
        let (row, _) = notice("1 cancelled - - 1");
        put(&mut changes, &format!("C{n}"), &row, at(n as i64));
    }
    assert!(changes.by_id.len() <= CHANGES_KEPT);
    assert!(changes.latest("C0").is_empty());
}

#[test]
fn an_answer_belongs_to_the_change_that_has_its_slot() {
    let (changes, _) = records(&["a 1 confirmed 50 52 1", "a 2 confirmed 51 52 2"]);
    let answer = |slot: &str, revision| Notice {
        slot: Some(slot.into()),
        revision,
        accepted: true,
        is_record: true,
        ..Notice::default()
    };
    let number = |found: Option<Notice>| found.map(|found| (found.change_id, found.revision));
    assert_eq!(number(changes.answered(&answer("b", None))), None);
    assert_eq!(number(changes.answered(&answer("a", None))), Some(("CHG1".into(), Some(2))));
    let first = changes.answered(&answer("a", Some(1))).unwrap();
    assert_eq!(first.revision, Some(1));
    let Ok(Accepted::New(revision)) = changes.accept(&first, at(3), at(3), false) else { panic!() };
    let mut changes = changes;
    changes.adopt(&"CHG1".into(), revision);
    assert_eq!(changes.accept(&first, at(3), at(4), false), Ok(Accepted::Known));
    let plan = changes.plan("CHG1", RUN, TimeDelta::zero(), AsOf::stamped(at(51))).unwrap();
    assert_eq!((plan.revision, plan.confirmed_at), (2, Some(at(2))));
}

#[test]
fn a_change_has_limits() {
    let (mut changes, first) = (Changes::default(), "1 confirmed 50 52 1");
    for n in 0..=REVISIONS_MAX as u64 {
        let (mut row, stamp) = notice(first);
        row.revision = Some(n);
        match changes.accept(&row, stamp, stamp, false) {
            Ok(Accepted::New(revision)) => changes.adopt(&"CHG1".into(), revision),
            other => {
                assert_eq!(other, Err(BadPlan::TooManyRevisions));
                assert_eq!(n, REVISIONS_MAX as u64);
            }
        }
    }
    for n in 0..=SLOTS_MAX as u64 {
        let (mut row, stamp) = notice(first);
        (row.change_id, row.slot) = ("CHG2".into(), Some(n.to_string().into()));
        match changes.accept(&row, stamp, stamp, false) {
            Ok(Accepted::New(revision)) => changes.adopt(&"CHG2".into(), revision),
            other => {
                assert_eq!(other, Err(BadPlan::TooManySlots));
                assert_eq!(n, SLOTS_MAX as u64);
            }
        }
    }
    assert_eq!(changes.latest("CHG1").len(), 1);
    assert_eq!(changes.latest("CHG2").len(), SLOTS_MAX);
}

/// What was worked out on the way is what going through all revisions gives, in whatever order they come.
#[test]
fn every_order_of_revisions_amounts_to_the_same() {
    let mut rows = vec![
        "a 1 confirmed 50 52 1",
        "a 2 - - 53 2",
        "a 3 tentative 51 - 3",
        "a 4 confirmed - - 4",
        "a 5 completed 60 61 5",
        "a 6 cancelled - - 6",
    ];
    let plan = |rows: &[&str], t| {
        records(rows).0.plan("CHG1", RUN, TimeDelta::zero(), AsOf::stamped(at(t)))
    };
    for _ in 0..rows.len() {
        for last in 1..rows.len() {
            // The first has the times that the others keep.
            let mut turned = rows.clone();
            turned.sort_by_key(|row| !row.starts_with("a 1"));
            turned.get_mut(1..).unwrap().rotate_left(last - 1);
            let (changes, fates) = records(&turned);
            assert_eq!(fates, "++++++", "{turned:?}");
            let (sorted, _) = records(&[
                "a 1 confirmed 50 52 1",
                "a 2 - - 53 2",
                "a 3 tentative 51 - 3",
                "a 4 confirmed - - 4",
                "a 5 completed 60 61 5",
                "a 6 cancelled - - 6",
            ]);
            assert_eq!(changes.latest("CHG1"), sorted.latest("CHG1"));
            assert_eq!(changes.first_confirmed("CHG1"), sorted.first_confirmed("CHG1"));
            assert_eq!(plan(&turned, 5).unwrap().confirmed_at, Some(at(4)));
        }
        rows.rotate_left(1);
    }
}

/// `slot number status start end stamp` of records; `-` omits. Gives back what came of each: `+` new, `=` known.
fn records(rows: &[&str]) -> (Changes, String) {
    let (mut changes, mut fates) = (Changes::default(), String::new());
    for row in rows {
        let (slot, rest) = row.split_once(' ').unwrap();
        let (mut record, stamp) = notice(rest);
        (record.slot, record.is_record) = ((slot != "-").then(|| slot.into()), true);
        match changes.accept(&record, stamp, at(200), false) {
            Ok(Accepted::New(revision)) => {
                let other = changes.contradicted("CHG1", &revision);
                if let Some(other) = other.filter(|_| record.revision.is_some()) {
                    fates += &format!("({other})");
                }
                fates.push('+');
                changes.adopt(&"CHG1".into(), revision);
            }
            Ok(Accepted::Known) => fates.push('='),
            Err(bad) => fates += &format!("[{bad:?}]"),
        }
    }
    (changes, fates)
}

/// What came of the records, and what is on record for a run at `t` as `slot status confirmed start-end`.
fn check_records(rows: &[&str], want_fates: &str, t: i64, want: &str) {
    let (changes, fates) = records(rows);
    assert_eq!(fates, want_fates, "{rows:?}");
    let hours = |t: Instant| (t - at(0)).num_hours();
    let plan = changes.plan("CHG1", RUN, TimeDelta::zero(), AsOf::stamped(at(t))).map(|plan| {
        let slot = plan.slot.as_deref().unwrap_or("-");
        let confirmed = plan.confirmed_at.map_or("-".into(), |t| hours(t).to_string());
        let times = plan.planned.map(|p| format!("{}-{}", hours(p.start), hours(p.end)));
        format!("{slot} {} {confirmed} {}", plan.status, times.unwrap_or_default())
    });
    assert_eq!(plan.as_deref().unwrap_or("nothing"), want, "{rows:?}");
}

#[test]
fn a_record_that_is_on_record_adds_nothing() {
    let first = "- - confirmed 50 52 1";
    check_records(&[first, first], "+=", 50, "- confirmed 1 50-52");
    check_records(&[first, "- - confirmed 50 52 9"], "+=", 50, "- confirmed 1 50-52");
    check_records(&[first, "- - - - - 9"], "+=", 50, "- confirmed 1 50-52");
    check_records(&[first, "- - confirmed 51 52 9", first], "++=", 51, "- confirmed 9 51-52");
    // An older one that is read later belongs before it.
    check_records(&["- - confirmed 50 52 9", first], "++", 50, "- confirmed 1 50-52");
    check_records(
        &["- 3 cancelled 50 52 1", "- 3 in-process 50 52 1", "- 3 cancelled 50 52 1"],
        "+(cancelled)+=",
        50,
        "- in-process - 50-52",
    );
    let done = ["- - confirmed 50 52 1", "- - completed 50 51 60", "- - completed 50 51 84"];
    check_records(&done, "++=", 90, "- completed 1 50-52");
}

#[test]
fn a_record_without_a_number_sorts_first_and_by_its_stamp() {
    check_records(
        &["- 2 confirmed 50 52 1", "- - cancelled 50 52 9"],
        "++",
        50,
        "- confirmed 1 50-52",
    );
    check_records(
        &["- - cancelled 50 52 9", "- - confirmed 50 52 1"],
        "++",
        50,
        "- cancelled - 50-52",
    );
}

#[test]
fn equal_numbers_with_another_status_are_told_and_the_later_stamp_wins() {
    check_records(
        &["- 3 cancelled 50 52 2", "- 3 confirmed 50 52 1"],
        "+(cancelled)+",
        50,
        "- cancelled - 50-52",
    );
    check_records(
        &["- 3 confirmed 50 52 1", "- 3 cancelled 50 52 1"],
        "+(confirmed)+",
        50,
        "- cancelled - 50-52",
    );
}

#[test]
fn a_completed_record_does_not_change_what_was_agreed() {
    check_records(
        &["- 1 confirmed 50 52 1", "- 2 completed 50 51 51"],
        "++",
        60,
        "- completed 1 50-52",
    );
    check_records(&["- 1 completed 50 51 51"], "+", 60, "- completed - 50-51");
    check_records(
        &["- 1 confirmed 50 52 1", "- 2 completed 50 49 51"],
        "+[Reversed]",
        60,
        "- confirmed 1 50-52",
    );
}

#[test]
fn each_slot_is_confirmed_by_itself() {
    let rows = ["a 1 confirmed 50 52 1", "b 1 tentative 74 76 1", "a 2 cancelled - - 60"];
    check_records(&rows, "+++", 50, "a confirmed 1 50-52");
    check_records(&rows, "+++", 62, "a cancelled - 50-52");
    check_records(&rows, "+++", 75, "b tentative - 74-76");
    let both = ["a 1 tentative 50 52 1", "b 1 confirmed 50 52 2"];
    check_records(&both, "++", 51, "b confirmed 2 50-52");
    let (changes, _) = records(&["a 1 confirmed 50 52 1", "b 1 confirmed 74 76 1"]);
    let starts = |t| changes.upcoming(at(t)).filter_map(|(_, r, _)| r.planned).map(|p| p.start);
    assert_eq!(starts(10).collect::<Vec<_>>(), [at(50), at(74)]);
    assert_eq!(starts(52).collect::<Vec<_>>(), [at(74)]);
    assert_eq!(changes.first_confirmed("CHG1").len(), 2);
}
