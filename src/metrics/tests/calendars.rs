//! Windows, business hours and freezes at the moment of the scrape, and the agreement's own facts.

use std::sync::Arc;

use crate::calendar::{Calendar, Holidays, Zone};
use crate::ledger::Ledger;
use crate::metrics::testing::*;
use crate::metrics::{View, project};
use crate::policy::Policy;

fn check_now(policy: &Policy, now: &str, rows: &[(&str, Option<f64>)]) {
    check(policy, &Ledger::default(), now, rows);
}

#[test]
fn windows_open_and_close_at_their_edges() {
    let policy = policy();
    for (now, open, change) in [
        ("2025-11-10T04:59", 1.0, unix("2025-11-10T05:00")),
        ("2025-11-10T05:00", 0.0, unix("2025-11-10T22:00")),
        ("2025-11-10T22:00", 1.0, unix("2025-11-11T05:00")),
        ("2025-11-12T05:00", 0.0, None),
        // More than 370 days before the first.
        ("2024-11-04T00:00", 0.0, None),
        ("2024-11-05T00:00", 0.0, unix("2025-11-09T22:00")),
    ] {
        let rows = [
            ("maintenance_window_open{P}", Some(open)),
            ("maintenance_window_change_timestamp_seconds{P}", change),
        ];
        check_now(&policy, now, &rows);
    }
}

/// Windows from 22:00 to 05:00 for three nights, business hours from 08:00 to 18:00, and a freeze in the second night.
fn frozen() -> Policy {
    let mut policy = policy();
    for procedure in &mut policy.partners[0].procedures {
        for terms in procedure.terms.values_mut() {
            let mut own = (**terms).clone();
            own.freezes = vec![freeze("f", "2025-11-10T22:00", "2025-11-11T02:00")];
            *terms = Arc::new(own);
        }
    }
    policy
}

#[test]
fn a_run_may_start_where_a_window_is_open_and_nothing_forbids_it() {
    let policy = frozen();
    for (now, may, change) in [
        ("2025-11-10T04:59", 1.0, unix("2025-11-10T05:00")),
        ("2025-11-10T05:00", 0.0, unix("2025-11-11T02:00")),
        // The window is open, and frozen.
        ("2025-11-10T22:00", 0.0, unix("2025-11-11T02:00")),
        ("2025-11-11T02:00", 1.0, unix("2025-11-11T05:00")),
        ("2025-11-12T05:00", 0.0, None),
    ] {
        let rows = [
            ("maintenance_may_start{P}", Some(may)),
            ("maintenance_may_start_change_timestamp_seconds{P}", change),
        ];
        check_now(&policy, now, &rows);
    }
}

#[test]
fn without_a_service_a_run_may_start_where_it_may_on_each() {
    let mut policy = policy();
    let procedure = policy.partners[0].procedures.iter_mut().find(|p| &*p.name == "index-rebuild");
    let terms = procedure.unwrap().terms.get_mut(&Some("billing".into())).unwrap();
    let mut own = (**terms).clone();
    own.freezes = vec![freeze("f", "2025-11-10T22:00", "2025-11-11T02:00")];
    *terms = Arc::new(own);
    let of = |name: &str, service: &str| {
        format!(
            r#"{name}{{partner="hostco",affected_service="{service}",procedure="index-rebuild"}}"#
        )
    };
    for (now, atlas, billing, none) in [
        ("2025-11-10T23:00", 1.0, 0.0, 0.0),
        ("2025-11-11T03:00", 1.0, 1.0, 1.0),
        ("2025-11-11T06:00", 0.0, 0.0, 0.0),
    ] {
        let may = |service| of("maintenance_may_start", service);
        check_now(
            &policy,
            now,
            &[
                (&may("atlas"), Some(atlas)),
                (&may("billing"), Some(billing)),
                (&may("other"), Some(none)),
            ],
        );
    }
    let change = of("maintenance_may_start_change_timestamp_seconds", "other");
    check_now(&policy, "2025-11-10T23:00", &[(&change, unix("2025-11-11T02:00"))]);
}

#[test]
fn what_nobody_declared_may_not_start() {
    let other =
        r#"maintenance_may_start{partner="hostco",affected_service="atlas",procedure="other"}"#;
    check_now(&policy(), "2025-11-10T23:00", &[(other, Some(0.0))]);
    let any = r#"maintenance_may_start{partner="hostco",affected_service="atlas",procedure="certificate-renewal"}"#;
    check_now(&policy(), "2025-11-10T12:00", &[(any, Some(1.0))]);
}

#[test]
fn where_no_window_was_agreed_it_is_always_open() {
    let any = r#"{partner="hostco",affected_service="atlas",procedure="certificate-renewal"}"#;
    let open = format!("maintenance_window_open{any}");
    let change = format!("maintenance_window_change_timestamp_seconds{any}");
    check_now(&policy(), "2025-11-10T12:00", &[(&open, Some(1.0)), (&change, None)]);
}

#[test]
fn what_nobody_declared_has_the_windows_of_the_partner() {
    let other = r#"{partner="hostco",affected_service="other",procedure="other"}"#;
    let open = format!("maintenance_window_open{other}");
    check_now(&policy(), "2025-11-10T12:00", &[(&open, Some(0.0))]);
    check_now(&policy(), "2025-11-10T23:00", &[(&open, Some(1.0))]);
}

#[test]
fn business_hours_belong_to_the_service() {
    let of = |service: &str| format!(r#"{{affected_service="{service}"}}"#);
    for (now, on, change) in [
        ("2025-11-10T07:59", 0.0, "2025-11-10T08:00"),
        ("2025-11-10T08:00", 1.0, "2025-11-10T18:00"),
        ("2025-11-10T18:00", 0.0, "2025-11-11T08:00"),
    ] {
        let rows = [
            (format!("maintenance_business_hours{}", of("atlas")), Some(on)),
            (
                format!("maintenance_business_hours_change_timestamp_seconds{}", of("atlas")),
                unix(change),
            ),
            (format!("maintenance_business_hours{}", of("billing")), Some(0.0)),
            (format!("maintenance_business_hours_change_timestamp_seconds{}", of("billing")), None),
        ];
        let rows: Vec<(&str, Option<f64>)> = rows.iter().map(|(s, v)| (s.as_str(), *v)).collect();
        check_now(&policy(), now, &rows);
    }
}

#[test]
fn freezes_that_follow_on_each_other_are_one() {
    let mut policy = policy();
    policy.services[0].freezes = vec![
        freeze("second", "2025-12-24T00:00", "2026-01-05T00:00"),
        freeze("first", "2025-12-15T00:00", "2025-12-24T00:00"),
        freeze("inside", "2025-12-20T00:00", "2025-12-21T00:00"),
        freeze("apart", "2026-02-01T00:00", "2026-02-02T00:00"),
    ];
    for (now, on, change) in [
        ("2025-12-14T23:59", 0.0, unix("2025-12-15T00:00")),
        ("2025-12-15T00:00", 1.0, unix("2026-01-05T00:00")),
        ("2025-12-20T12:00", 1.0, unix("2026-01-05T00:00")),
        ("2026-01-05T00:00", 0.0, unix("2026-02-01T00:00")),
        ("2026-02-02T00:00", 0.0, None),
    ] {
        let rows = [
            (r#"maintenance_freeze{affected_service="atlas"}"#, Some(on)),
            (r#"maintenance_freeze_change_timestamp_seconds{affected_service="atlas"}"#, change),
            (r#"maintenance_freeze{affected_service="billing"}"#, Some(0.0)),
        ];
        check_now(&policy, now, &rows);
    }
}

#[test]
fn a_freeze_without_an_end_in_reach_has_no_next_edge() {
    let mut policy = policy();
    policy.services[0].freezes = vec![freeze("long", "2025-01-01T00:00", "2030-01-01T00:00")];
    let rows = [
        (r#"maintenance_freeze{affected_service="atlas"}"#, Some(1.0)),
        (r#"maintenance_freeze_change_timestamp_seconds{affected_service="atlas"}"#, None),
    ];
    check_now(&policy, "2025-11-10T12:00", &rows);
}

#[test]
fn beyond_the_holiday_table_nothing_is_said() {
    let mut policy = policy();
    let hours = "Mo-Fr 08:00-18:00; PH off";
    let holidays = Holidays::of("GB-ENG").unwrap();
    let hours = Calendar::opening_hours(hours, &Zone::utc(), &holidays).unwrap();
    policy.services[0].business_hours = Some(Arc::new(hours));
    let atlas = r#"maintenance_business_hours{affected_service="atlas"}"#;
    let billing = r#"maintenance_business_hours{affected_service="billing"}"#;
    // A Saturday that the table knows, and a year that it does not.
    check_now(&policy, "2025-11-08T12:00", &[(atlas, Some(0.0)), (billing, Some(0.0))]);
    check_now(&policy, "2999-11-08T12:00", &[(atlas, None), (billing, Some(0.0))]);
}

#[test]
fn the_agreement_is_written_out() {
    let info = |rest: &str| format!("maintenance_procedure_info{{{rest}}}");
    let declared = info(
        r#"partner="hostco",affected_service="atlas",procedure="archive-compaction",document="https://wiki.example/archive-compaction",triggers="schedule",anytime="false",business_hours="not_allowed",confirmation="required",notice="1d",expected_duration="1h25m",max_duration="2h",verify_within="""#,
    );
    let anytime = info(
        r#"partner="hostco",affected_service="atlas",procedure="certificate-renewal",document="",triggers="",anytime="true",business_hours="allowed",confirmation="not_required",notice="1d",expected_duration="",max_duration="",verify_within="""#,
    );
    let rows = [
        (declared.as_str(), Some(1.0)),
        (&anytime, Some(1.0)),
        ("maintenance_procedure_reviewed_timestamp_seconds{P}", unix("2025-10-01T00:00")),
        ("maintenance_procedure_review_due_timestamp_seconds{P}", unix("2026-03-30T00:00")),
    ];
    check_now(&policy(), "2025-11-10T12:00", &rows);
    let page = Parsed::of(&scrape(&policy(), &Ledger::default(), "2025-11-10T12:00"));
    let infos = page.samples.iter().filter(|((n, _), _)| n == "maintenance_procedure_info");
    // One for each procedure and service that it is declared for, none for `other`.
    assert_eq!(infos.count(), 4);
}

#[test]
fn a_procedure_without_services_and_review_has_its_own_row() {
    let mut policy = policy();
    declare(&mut policy.partners[0], "anywhere", &[], |_| {});
    let p = r#"partner="hostco",affected_service="other",procedure="anywhere""#;
    let open = format!("maintenance_window_open{{{p}}}");
    let due = format!("maintenance_procedure_review_due_timestamp_seconds{{{p}}}");
    check_now(&policy, "2025-11-10T23:00", &[(&open, Some(1.0)), (&due, None)]);
}

#[test]
fn the_warning_comes_a_year_before_the_holidays_end_if_they_are_used() {
    let end = Some(at("2046-01-01T00:00"));
    for (used, now, expiring) in [
        (end, "2044-12-31T23:59", 0.0),
        (end, "2045-01-01T00:00", 1.0),
        (end, "2047-01-01T00:00", 1.0),
        (None, "2047-01-01T00:00", 0.0),
    ] {
        let policy = Policy { holidays_end: used, ..policy() };
        let rows = [
            ("offhours_holidays_expiring", Some(expiring)),
            ("offhours_holidays_end_timestamp_seconds", unix("2046-01-01T00:00")),
            (r#"offhours_holidays_info{version="0.70"}"#, Some(1.0)),
            (r#"offhours_tzdb_info{version="2025b (system)"}"#, Some(1.0)),
        ];
        check_now(&policy, now, &rows);
    }
}

#[test]
fn the_end_of_representable_time_is_no_trouble() {
    let (policy, own, ledger) = (policy(), own(), Ledger::default());
    let now = at("9999-12-31T23:59");
    let view =
        View { ledger: &ledger, policy: &policy, now, sources: &[], own: &own, known: &KNOWN };
    assert!(project(&view).is_ok());
}
