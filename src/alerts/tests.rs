//! The words of each page, and that both roads speak of the same.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::event::{Kind, RunLine, Trigger};
use crate::metrics::testing::{Log, at, golden, line, scrape};

/// A service and a partner in the manner of the first ones.
const AGREED: &str = "\
services: { atlas: { timezone: Europe/London, holidays: GB-ENG, business_hours: \"Mo-Fr 08:00-18:00; PH off\" } }
partners:
  hostco:
    timezone: Europe/London
    windows: \"Mo-Su 22:00-05:00\"
    confirmation: { required: true, notice: 24h }
    procedures:
      archive-compaction: { services: [atlas], triggers: [schedule], expected_duration: 5h }
sources: [{ name: hostco, partner: hostco, files: [a.log], format: json }]
";

fn agreed() -> Policy {
    crate::config::parse(AGREED, Path::new("offhours.yml"), at("2025-11-01T00:00")).unwrap().policy
}

fn run(kind: Kind, id: &str, trigger: Trigger) -> RunLine {
    RunLine { trigger, ..line(kind, "archive-compaction", "atlas", id) }
}

fn now_of(log: &Log, policy: &Policy, now: &str) -> BTreeMap<Key, Arc<Alert>> {
    let watched = Watched::of(log.ledger(), policy, at(now));
    Finder::default().find(&watched, policy, at(now))
}

/// All alerts at `now`, as text in a file of its own.
fn words(log: &Log, policy: &Policy, now: &str, name: &str) {
    let mut text = String::new();
    for ((name, labels), alert) in now_of(log, policy, now) {
        let Labels { partner, service, procedure } = labels;
        let since = crate::time::rfc3339(alert.since);
        text += &format!("{} {partner} {service} {procedure} since {since}\n", name.as_str());
        text += &format!("{}\n{}\n\n", alert.summary, alert.description);
    }
    golden(&format!("tests/pages/{name}.txt"), &text);
}

#[test]
fn the_afternoon_is_told_with_the_words_a_person_needs() {
    let policy = agreed();
    let mut log = Log::new(&policy);
    log.run("2025-11-10T13:10", run(Kind::Started, "AC-10-M", Trigger::Manual));
    words(&log, &policy, "2025-11-10T13:10", "violation");
    log.run("2025-11-10T15:20", run(Kind::Finished, "AC-10-M", Trigger::Manual));
    words(&log, &policy, "2025-11-10T15:21", "violation-over");
}

#[test]
fn a_run_that_will_reach_business_hours_is_told_with_its_deadline() {
    let policy = agreed();
    let mut log = Log::new(&policy);
    log.run("2025-11-11T04:30", run(Kind::Started, "AC-11", Trigger::Schedule));
    words(&log, &policy, "2025-11-11T04:31", "ahead");
    log.pass("2025-11-11T05:00");
    words(&log, &policy, "2025-11-11T05:00", "overrun");
    log.pass("2025-11-11T08:00");
    let names: Vec<_> =
        now_of(&log, &policy, "2025-11-11T08:00").into_keys().map(|k| k.0).collect();
    assert_eq!(names, [Name::Violation, Name::Overrun]);
}

#[test]
fn text_from_logs_is_cut_and_acts_on_nobody() {
    let policy = agreed();
    let mut log = Log::new(&policy);
    let hostile = format!("\u{1b}[31m\r\n<script>\u{202e}{}", "x".repeat(5_000));
    log.run("2025-11-10T13:10", run(Kind::Started, &hostile, Trigger::Manual));
    let named = |id| line(Kind::Started, "a\n`procedure`", "a\u{7}service", id);
    log.run("2025-11-10T13:11", named("a"));
    for n in 0..5 {
        let id = format!("B-{n}");
        log.run(&format!("2025-11-10T13:2{n}"), run(Kind::Started, &id, Trigger::Manual));
    }
    words(&log, &policy, "2025-11-10T13:30", "hostile");
    for (key, alert) in now_of(&log, &policy, "2025-11-10T13:30") {
        assert!(!alert.summary.contains(char::is_control), "{key:?}");
        let acts = |c: char| c != '\n' && crate::report::plain::is_unshown(c);
        assert!(!alert.description.contains(acts), "{key:?}");
        assert!(alert.description.len() < 8_000, "{}", alert.description.len());
    }
}

/// Labels of the series of a metric that are above zero.
fn above_zero(page: &str, metric: &str, reason: Option<&str>) -> BTreeSet<String> {
    let of_metric = |line: &&str| line.starts_with(&format!("{metric}{{"));
    let mut found = BTreeSet::new();
    for line in page.lines().filter(of_metric).filter(|line| !line.ends_with(" 0")) {
        let labels = line.split(['{', '}']).nth(1).unwrap_or_default();
        if reason.is_none_or(|reason| labels.contains(&format!("reason=\"{reason}\""))) {
            found.insert(labels.split(",reason=").next().unwrap_or_default().to_owned());
        }
    }
    found
}

#[test]
fn both_roads_speak_of_the_same() {
    let policy = agreed();
    let mut log = Log::new(&policy);
    let mut lasting = Finder::default();
    let mut check = |log: &Log, now: &str| {
        let page = scrape(&policy, log.ledger(), now);
        let posted = now_of(log, &policy, now);
        let watched = Watched::of(log.ledger(), &policy, at(now));
        let kept = lasting.find(&watched, &policy, at(now));
        assert_eq!(kept, posted, "what was kept is what is found anew at {now}");
        let again = lasting.find(&watched, &policy, at(now));
        assert!(again.iter().all(|(key, alert)| Arc::ptr_eq(alert, &kept[key])), "at {now}");
        for (name, metric, reason) in [
            (Name::Violation, "maintenance_violations_unacknowledged", None),
            (
                Name::WillRunIntoBusinessHours,
                "maintenance_runs_projected_violation",
                Some("ran_into_business_hours"),
            ),
            (Name::Overrun, "maintenance_runs_overrun", None),
        ] {
            let of_name = posted.keys().filter(|(of, _)| *of == name).map(|(_, l)| {
                let Labels { partner, service, procedure } = l;
                format!(
                    "partner=\"{partner}\",affected_service=\"{service}\",procedure=\"{procedure}\""
                )
            });
            let by_rule = above_zero(&page, metric, reason);
            assert_eq!(of_name.collect::<BTreeSet<_>>(), by_rule, "{metric} at {now}");
        }
        posted.len()
    };
    assert_eq!(check(&log, "2025-11-10T13:09"), 0);
    log.run("2025-11-10T13:10", run(Kind::Started, "a", Trigger::Manual));
    log.run("2025-11-10T13:10", line(Kind::Started, "mystery", "nowhere", "b"));
    assert_eq!(check(&log, "2025-11-10T13:10"), 2);
    log.run("2025-11-10T15:20", run(Kind::Finished, "a", Trigger::Manual));
    log.run("2025-11-10T15:20", line(Kind::Finished, "mystery", "nowhere", "b"));
    assert_eq!(check(&log, "2025-11-10T15:21"), 2);
    log.run("2025-11-11T04:30", run(Kind::Started, "c", Trigger::Schedule));
    assert_eq!(check(&log, "2025-11-11T04:31"), 3);
    log.pass("2025-11-11T08:00");
    assert_eq!(check(&log, "2025-11-11T08:00"), 3);
    log.run("2025-11-11T09:00", run(Kind::Finished, "c", Trigger::Schedule));
    // Nobody takes note: after a day they lapse.
    assert_eq!(check(&log, "2025-11-11T15:19"), 2);
    assert_eq!(check(&log, "2025-11-11T15:20"), 1);
    assert_eq!(check(&log, "2025-11-12T09:00"), 0);
}

#[test]
fn the_rules_for_prometheus_have_the_same_names_and_severity() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts/maintenance.rules.yaml");
    let rules = std::fs::read_to_string(path).unwrap();
    for name in [Name::Violation, Name::WillRunIntoBusinessHours, Name::Overrun] {
        let rule = rules.split("- alert: ").find(|rule| rule.lines().next() == Some(name.as_str()));
        let rule = rule.unwrap_or_else(|| panic!("no rule {}", name.as_str()));
        assert!(rule.contains(&format!("severity: {SEVERITY}\n")), "{rule}");
        assert!(rule.contains("by (partner, affected_service, procedure)"), "{rule}");
    }
}
