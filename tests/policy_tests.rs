//! `offhours check-config --tests`: cases of a policy are judged as the lines of a log are.

use crate::support::{folder, offhours, root, text};

const CONFIG: &str = "examples/quickstart/offhours.yml";
const CASES: &str = "examples/quickstart/policy-tests.yml";

/// Exit code and everything that is said of this file of cases.
fn run(cases: &str) -> (i32, String) {
    run_with(CONFIG, cases)
}

/// The same under another configuration.
fn run_with(config: &str, cases: &str) -> (i32, String) {
    let home = folder();
    let path = home.path().join("cases.yml");
    std::fs::write(&path, cases).expect("a file");
    let output = offhours(&[
        "check-config",
        "--config.file",
        config,
        "--tests",
        path.to_str().expect("a path"),
    ]);
    (output.status.code().expect("a code"), text(&output.stdout) + &text(&output.stderr))
}

fn example() -> String {
    std::fs::read_to_string(root().join(CASES)).expect("the example")
}

#[test]
fn the_example_holds() {
    let (code, said) = run(&example());
    assert_eq!(code, 0, "{said}");
    assert!(said.ends_with("7 cases, 0 failed\n"), "{said}");
    let output = offhours(&["check-config", "--config.file", CONFIG, "--tests", CASES]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_case_that_fails_tells_what_was_expected_and_what_came() {
    for (old, new, told) in [
        (
            "confirmed: 2026-03-22T09:00",
            "confirmed: 2026-03-22T22:31",
            "got       violation: short_notice",
        ),
        ("{ verdict: compliant, reasons: [] }", "{ verdict: unknown }", "expected  unknown\n"),
        ("duration: 2h10m", "duration: 2h", "outside_window, unconfirmed, wrong_trigger\n"),
        ("approved: 2026-03-25T09:00", "", "unapproved_emergency"),
        ("now: 2026-03-24T03:00", "verified: 2026-03-24T00:30", "got       compliant, no reason"),
        (
            "confirmed: 2026-03-22T09:00 }",
            "confirmed: 2026-03-22T09:00, cancelled: 2026-03-23T10:00 }",
            "violation: cancelled",
        ),
    ] {
        let changed = example().replacen(old, new, 1);
        assert_ne!(changed, example(), "{old}");
        let (code, said) = run(&changed);
        assert_eq!(code, 1, "{new}: {said}");
        assert!(said.contains("FAILED"), "{said}");
        assert!(said.contains(told), "{new}: {said}");
        assert!(said.ends_with("7 cases, 1 failed\n"), "{new}: {said}");
    }
}

#[test]
fn a_case_without_a_service_is_about_each_of_its_procedure() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let agreement = "services:
  quiet: { timezone: UTC }
  busy: { timezone: UTC, business_hours: \"Mo-Fr 08:00-18:00\" }
partners:
  northhost: { timezone: UTC, windows: 24/7, procedures: { reindex: { services: [quiet, busy] } } }
sources:
  - { name: s, partner: northhost, files: [x.log], format: json }
";
    std::fs::write(&config, agreement).expect("a file");
    let case = |rest: &str| {
        format!(
            "tests:\n  - {{ name: noon, partner: northhost, procedure: reindex, start: 2026-03-24T12:00, duration: 1h, {rest} }}\n"
        )
    };
    let config = config.to_str().expect("a path");
    for (rest, code) in [
        ("expect: { verdict: violation, reasons: [in_business_hours] }", 0),
        ("expect: { verdict: compliant }", 1),
        ("service: quiet, expect: { verdict: compliant }", 0),
    ] {
        let (got, said) = run_with(config, &case(rest));
        assert_eq!(got, code, "{rest}: {said}");
    }
}

#[test]
fn mistakes_in_cases_are_told_with_their_place() {
    let case = |more: &str| {
        format!(
            "tests:\n  - name: a\n    partner: northhost\n    procedure: storage-failover\n    start: 2026-03-24T02:00\n    expect: {{ verdict: compliant }}\n{more}"
        )
    };
    for (cases, told) in [
        (String::new(), "missing key \"tests\""),
        ("tests: []\n".into(), "nothing in it"),
        (case("").replace("northhost", "northost"), "cases.yml:3:14: unknown partner \"northost\""),
        (case("").replace("northhost", "northost"), "did you mean \"northhost\"?"),
        (
            case("").replace("storage-failover", "storage-failovr"),
            "did you mean \"storage-failover\"?",
        ),
        (case("").replace("compliant", "complaint"), "did you mean \"compliant\"?"),
        (case("    service: oriom\n"), "unknown service \"oriom\""),
        (case("    trigger: hand\n"), "unknown trigger \"hand\""),
        (case("    durations: 2h\n"), "durations"),
        (case("    duration: 2h\n    end: 2026-03-24T03:00\n"), "both end and duration"),
        (case("    end: 2026-03-24T01:00\n"), "it ends before it starts"),
        (case("    end: yesterday\n"), "\"yesterday\" is not a time"),
        (case("    duration: 2h\n    now: 2026-03-24T03:00\n"), "before it has ended"),
        (case("    change: { start: 2026-03-24T02:00 }\n"), "missing key \"end\""),
        (case("    change: { start: 2026-03-24T02:00, end: 2026-03-24T02:00 }\n"), "is empty"),
    ] {
        let (code, said) = run(&cases);
        assert_eq!(code, 2, "{cases}: {said}");
        assert!(said.contains(told), "{told}: {said}");
    }
    let output =
        offhours(&["check-config", "--config.file", CONFIG, "--tests", "nowhere/cases.yml"]);
    assert_eq!(output.status.code(), Some(2));
}
