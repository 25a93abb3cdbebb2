//! The table of rules holds together, and verdicts add up.

use super::*;
use std::collections::BTreeSet;

#[test]
fn every_reason_has_one_rule_and_a_file_of_its_name() {
    let mut ruled: Vec<Reason> = RULES.iter().map(|r| r.reason).collect();
    ruled.push(Reason::ImplausibleTime);
    let unique: BTreeSet<Reason> = ruled.iter().copied().collect();
    assert_eq!(unique.len(), ruled.len());
    assert_eq!(unique, Reason::ALL.iter().copied().collect());
    for reason in Reason::ALL {
        let file = format!("{}/src/verdict/{reason}.rs", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&file).is_file(), "{file}");
    }
}

#[test]
fn summaries_are_sentences() {
    for rule in RULES {
        let first = rule.summary.chars().next().unwrap();
        assert!(first.is_uppercase() && rule.summary.ends_with('.'), "{}", rule.summary);
    }
}

#[test]
fn verdicts_add_up() {
    use Reason::*;
    let of = |reasons: &[(Reason, bool)]| Verdict::of(reasons.iter().copied(), false).as_str();
    for (reasons, want) in [
        (&[][..], "compliant"),
        (&[(Unconfirmed, false)], "violation"),
        (&[(OutsideWindow, true)], "exempt"),
        (&[(OutsideWindow, true), (Unconfirmed, false)], "violation"),
        (&[(Lost, false)], "unknown"),
        (&[(ImplausibleTime, false)], "unknown"),
        (&[(Lost, false), (OutsideWindow, true)], "unknown"),
        (&[(Lost, false), (TooLong, false)], "violation"),
    ] {
        assert_eq!(of(reasons), want, "{reasons:?}");
    }
    assert_eq!(Verdict::of([].into_iter(), true), Verdict::Unknown);
    assert_eq!(Verdict::of([(TooLong, false)].into_iter(), true), Verdict::Violation);
}
