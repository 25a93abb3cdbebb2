//! The page as a whole: what exists from the first scrape, its order, and labels that stay apart.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::event::{Body, Kind, Status};
use crate::ledger::Ledger;
use crate::metrics::catalog::{self, CATALOG};
use crate::metrics::testing::*;
use crate::policy::Policy;
use crate::run::Irregularity;
use crate::verdict::{Reason, Verdict};

const NOON: &str = "2025-11-10T12:00";

/// The rows that the policy of these tests declares.
const DECLARED: &[(&str, &str)] = &[
    ("atlas", "archive-compaction"),
    ("atlas", "certificate-renewal"),
    ("atlas", "index-rebuild"),
    ("atlas", "other"),
    ("billing", "index-rebuild"),
    ("billing", "other"),
    ("other", "index-rebuild"),
    ("other", "other"),
];

/// Everything that can be on a page: runs open and over, an unconfirmed change, irregularities.
fn busy(policy: &Policy) -> Log<'_> {
    let mut log = Log::new(policy);
    let mut failed = line(Kind::Failed, "index-rebuild", "billing", "b1");
    failed.outcome = Some("disk full".into());
    let planned = ("2025-11-12T22:30", "2025-11-12T23:30");
    let unconfirmed = ("2025-11-11T22:30", "2025-11-11T23:30");
    log.notice("2025-11-10T00:00", notice("C1", Status::Confirmed, planned))
        .notice("2025-11-10T00:00", notice("C2", Status::Tentative, unconfirmed))
        .run("2025-11-10T00:10", line(Kind::Started, "index-rebuild", "billing", "b1"))
        .run("2025-11-10T00:40", failed)
        .run("2025-11-10T09:00", line(Kind::Started, "defragment", "atlas", "d1"))
        .run("2025-11-10T09:01", line(Kind::Finished, "defragment", "atlas", "d1"))
        .run("2025-11-10T09:02", line(Kind::Finished, "defragment", "atlas", "d1"))
        .run("2025-11-10T11:40", line(Kind::Started, "archive-compaction", "atlas", "a1"));
    log
}

#[test]
fn every_declared_series_exists_at_zero_from_the_first_scrape() {
    let policy = policy();
    let parsed = Parsed::of(&scrape(&policy, &Ledger::default(), NOON));
    let zero = |series: String| assert_eq!(parsed.get(&series), Some(0.0), "{series}");
    let with = |name: &str, words: &[&[(&str, &str)]]| {
        for (service, procedure) in DECLARED {
            let p =
                format!(r#"partner="hostco",affected_service="{service}",procedure="{procedure}""#);
            for word in words {
                let more: String = word.iter().map(|(l, v)| format!(",{l}=\"{v}\"")).collect();
                zero(format!("{name}{{{p}{more}}}"));
            }
        }
    };
    for v in Verdict::ALL.iter().map(|v| v.as_str()) {
        with("maintenance_starts_total", &[&[("verdict", v)]]);
        with("maintenance_runs_in_progress", &[&[("verdict", v)]]);
        for o in ["finished", "failed", "aborted", "lost"] {
            with("maintenance_runs_total", &[&[("verdict", v), ("outcome", o)]]);
        }
    }
    for r in Reason::ALL {
        with("maintenance_violations_total", &[&[("reason", r.as_str())]]);
        with("maintenance_violations_unacknowledged_reasons", &[&[("reason", r.as_str())]]);
    }
    for r in ["overran_window", "overran_plan", "ran_into_business_hours", "ran_into_freeze"] {
        with("maintenance_runs_projected_violation", &[&[("reason", r)]]);
    }
    for s in Status::ALL {
        with("maintenance_changes", &[&[("status", s.as_str())]]);
    }
    for (service, procedure) in DECLARED {
        let p = format!(r#"partner="hostco",affected_service="{service}",procedure="{procedure}""#);
        let may_start = parsed.get(&format!("maintenance_may_start{{{p}}}"));
        // Business hours are on, and one of them may run at any time.
        assert_eq!(may_start, Some(f64::from(*procedure == "certificate-renewal")), "{p}");
    }
    for name in [
        "maintenance_violations_unacknowledged",
        "maintenance_business_hours_seconds_total",
        "maintenance_outside_window_seconds_total",
        "maintenance_run_duration_seconds_count",
        "maintenance_run_duration_seconds_sum",
    ] {
        with(name, &[&[]]);
    }
    for kind in Irregularity::ALL {
        zero(format!(r#"maintenance_irregularities_total{{partner="hostco",kind="{kind}"}}"#));
    }
    zero(r#"maintenance_notice_seconds_count{partner="hostco"}"#.into());
    zero(r#"maintenance_detection_delay_seconds_bucket{partner="hostco",le="480"}"#.into());
    for result in ["ok", "error"] {
        zero(format!(r#"offhours_alerts_sent_total{{result="{result}"}}"#));
    }
    zero("offhours_ledger_commits_total".into());
    zero(r#"offhours_ledger_commit_duration_seconds_bucket{le="+Inf"}"#.into());
}

#[test]
fn nothing_else_exists_at_the_first_scrape() {
    let parsed = Parsed::of(&scrape(&policy(), &Ledger::default(), NOON));
    let starts = parsed.samples.iter().filter(|((n, _), _)| n == "maintenance_starts_total");
    assert_eq!(starts.count(), DECLARED.len() * Verdict::ALL.len());
    for absent in [
        "maintenance_violations_unacknowledged_first_run",
        "maintenance_violations_unacknowledged_since_timestamp_seconds",
        "maintenance_run_start_timestamp_seconds",
        "maintenance_run_projected_end_timestamp_seconds",
        "maintenance_run_deadline_timestamp_seconds",
        "maintenance_last_start_timestamp_seconds",
        "maintenance_last_violation_timestamp_seconds",
        "maintenance_next_planned_start_timestamp_seconds",
        "maintenance_confirm_by_timestamp_seconds",
    ] {
        assert!(!parsed.types.contains_key(absent), "{absent}");
    }
}

#[test]
fn a_run_of_what_nobody_declared_is_counted_as_other_and_stays() {
    let mut policy = policy();
    // The partner's procedures do not name this service.
    policy.services.push(service("shop"));
    let mut log = Log::new(&policy);
    log.run("2025-11-10T11:00", line(Kind::Started, "defragment", "shop", "s1"));
    log.run("2025-11-10T11:00", line(Kind::Started, "defragment", "atlas", "s2"));
    let other = |service: &str| {
        format!(
            r#"maintenance_starts_total{{partner="hostco",affected_service="{service}",procedure="other",verdict="violation"}}"#
        )
    };
    let rows =
        [(&*other("atlas"), Some(1.0)), (&other("other"), Some(1.0)), (&other("shop"), None)];
    check(&policy, log.ledger(), NOON, &rows);
    // A partner that is not configured any more keeps its counters.
    let without = Policy { partners: vec![], ..self::policy() };
    let rows = [
        (&*other("atlas"), Some(1.0)),
        (
            r#"maintenance_violations_unacknowledged{partner="hostco",affected_service="atlas",procedure="other"}"#,
            Some(1.0),
        ),
        (
            r#"maintenance_window_open{partner="hostco",affected_service="atlas",procedure="other"}"#,
            None,
        ),
    ];
    check(&without, log.ledger(), NOON, &rows);
}

#[test]
fn a_busy_page_holds_every_metric_of_the_catalog_and_no_other() {
    let mut policy = policy();
    policy.services[0].freezes = vec![freeze("audit", "2025-11-20T00:00", "2025-11-21T00:00")];
    let log = busy(&policy);
    let parsed = Parsed::of(&scrape(&policy, log.ledger(), NOON));
    for m in CATALOG {
        assert_eq!(
            parsed.types.get(m.name).map(String::as_str),
            Some(m.kind.as_str()),
            "{}",
            m.name
        );
        assert_eq!(parsed.help.get(m.name).map(String::as_str), Some(m.help), "{}", m.name);
    }
    assert_eq!(parsed.types.len(), CATALOG.len());
    for ((name, labels), _) in &parsed.samples {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|s| name.strip_suffix(s));
        let known = |n: &str| CATALOG.iter().find(|m| m.name == n);
        let metric = known(name).or_else(|| known(family?)).unwrap();
        let names: Vec<&str> = labels.iter().map(|(l, _)| &**l).filter(|l| *l != "le").collect();
        assert_eq!(names, metric.labels, "{name}");
    }
}

#[test]
fn pages_are_as_recorded() {
    let mut policy = policy();
    policy.partners[0].procedures.truncate(1);
    golden("tests/metrics/empty.prom", &scrape(&policy, &Ledger::default(), NOON));
    let log = busy(&policy);
    golden("tests/metrics/busy.prom", &scrape(&policy, log.ledger(), NOON));
}

#[test]
fn the_same_view_gives_the_same_page_in_order() {
    let policy = policy();
    let (one, two) = (busy(&policy), busy(&policy));
    let page = scrape(&policy, one.ledger(), NOON);
    assert_eq!(page, scrape(&policy, two.ledger(), NOON));
    let families: Vec<&str> = page.lines().filter_map(|l| l.strip_prefix("# TYPE ")).collect();
    assert!(families.is_sorted());
    let parsed = Parsed::of(&page);
    let plain = parsed.samples.iter().filter(|((n, _), _)| parsed.types.contains_key(n));
    let values: Vec<(&str, Vec<&str>)> = plain
        .map(|((n, labels), _)| (n.as_str(), labels.iter().map(|(_, v)| v.as_str()).collect()))
        .collect();
    assert!(values.is_sorted());
}

#[test]
fn label_tuples_that_look_alike_when_joined_stay_apart() {
    let mut policy = Policy {
        services: vec![],
        partners: vec![partner("ab"), partner("a"), partner("77kepQFQ8Kl"), partner("!0IC=VloaY")],
        digest: "".into(),
        holidays_end: None,
    };
    declare(&mut policy.partners[0], "d", &["c"], |_| {});
    declare(&mut policy.partners[1], "d", &["bc"], |_| {});
    let mut log = Log::new(&policy);
    let start = |p: &str, s: &str, id: &str| Body::Run(line(Kind::Started, p, s, id));
    log.take("ab", "2025-11-10T11:00", start("d", "c", "1"));
    for id in ["1", "2", "3"] {
        log.take("a", "2025-11-10T11:00", start("d", "bc", id));
    }
    log.take("77kepQFQ8Kl", "2025-11-10T11:00", start("x", "y", "1"));
    let found = |partner: &str, service: &str, procedure: &str| {
        format!(
            r#"maintenance_violations_total{{partner="{partner}",affected_service="{service}",procedure="{procedure}",reason="unconfirmed"}}"#
        )
    };
    check(
        &policy,
        log.ledger(),
        NOON,
        &[
            (&found("ab", "c", "d"), Some(1.0)),
            (&found("a", "bc", "d"), Some(3.0)),
            (&found("77kepQFQ8Kl", "other", "other"), Some(1.0)),
            (&found("!0IC=VloaY", "other", "other"), Some(0.0)),
        ],
    );
}

/// Names that a configuration could hold, however unwise.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[ab\"\\\\\n,={} ]{1,4}", "\\PC{1,6}"].prop_filter("reserved", |n| n != "other")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_name_is_read_back_and_no_two_series_are_one(
        partners in prop::collection::btree_set(name(), 1..4),
        services in prop::collection::btree_set(name(), 1..4),
        procedure in name(),
    ) {
        let services: Vec<&str> = services.iter().map(String::as_str).collect();
        let mut agreement = policy();
        agreement.partners = partners.iter().map(|p| partner(p)).collect();
        for p in &mut agreement.partners {
            declare(p, &procedure, &services, |_| {});
        }
        let parsed = Parsed::of(&scrape(&agreement, &Ledger::default(), NOON));
        let keys: BTreeSet<&SeriesKey> = parsed.samples.iter().map(|(k, _)| k).collect();
        prop_assert_eq!(keys.len(), parsed.samples.len());
        for partner in &partners {
            for service in &services {
                let want = [partner.as_str(), service, &procedure];
                let found = keys.iter().any(|(n, labels)| {
                    n == catalog::UNACKNOWLEDGED.name
                        && labels.iter().map(|(_, v)| v.as_str()).eq(want)
                });
                prop_assert!(found, "{:?}", want);
            }
        }
    }
}
