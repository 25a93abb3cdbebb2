//! The table of rules holds together, each rule says what was agreed to the nanosecond, and verdicts add up.

mod at_start;
mod given;
mod later;

use super::*;
use crate::calendar::{Calendar, Holidays, Zone};
use crate::policy::Freeze;
use crate::time::rfc3339;
use given::{Given, at};
use std::collections::BTreeSet;

/// Asks one rule about each row: the words of `with`, then its own. What it said is `kept`, `holds` until an
/// instant, `broken` at one, or `silent` with the reason.
fn check(reason: Reason, with: &str, rows: &[(&str, &str)]) {
    let rule = RULES.iter().find(|rule| rule.reason == reason).unwrap();
    for (words, want) in rows {
        let given = Given::new(&format!("{with} {words}"));
        let said = match (rule.check)(&given.case()) {
            Check::Passes => "kept".into(),
            Check::Holds { until } => format!("holds {}", rfc3339(until)),
            Check::NotApplicable(why) => format!("silent: {why}"),
            Check::Unknown(why) => format!("unknown: {why}"),
            Check::Broken { at, detail } => {
                assert!(!detail.is_empty(), "{reason} {words}");
                format!("broken {}", rfc3339(at))
            }
        };
        let want = match want.split_once(' ') {
            Some((word @ ("holds" | "broken"), t)) => format!("{word} {}", rfc3339(at(t))),
            _ => (*want).into(),
        };
        assert_eq!(said, want, "{reason}: {with} {words}");
    }
}

/// Every reason of a case, those that are waived in brackets, and the verdict.
fn verdict(words: &str, want: &str) {
    let given = Given::new(words);
    let case = given.case();
    let all = judge(&case, When::Start).chain(judge(&case, When::Later));
    let broken = all.filter(|(_, check)| matches!(check, Check::Broken { .. }));
    let mut found: Vec<(Reason, bool)> = broken.map(|(r, _)| (r, case.waives(r))).collect();
    found.sort();
    let verdict = Verdict::of(found.iter().copied(), false);
    let word = |(r, waived): &(Reason, bool)| match waived {
        true => format!("({r}) "),
        false => format!("{r} "),
    };
    let said: String = found.iter().map(word).collect();
    assert_eq!(format!("{said}{verdict}"), want, "{words}");
}

#[test]
fn an_emergency_waives_what_it_may_and_nothing_else() {
    let plan = "plan=confirmed planned=20:00..21:00 confirmed=13:00 type=emergency";
    let start = format!(
        "{plan} confirm=24h hours=08:00..18:00 windows=22:00..23:00 freeze=f@13:00..14:00
         triggers=schedule trigger=manual clock=13:10"
    );
    let words = "in_business_hours in_freeze off_plan outside_window short_notice wrong_trigger";
    verdict(&start, &format!("{words} violation"));
    let waived: String = words.split(' ').map(|w| format!("({w}) ")).collect();
    verdict(&format!("{start} emergencies=72h"), &format!("{waived}exempt"));
    let normal = start.replace("type=emergency", "type=normal");
    verdict(&format!("{normal} emergencies=72h"), &format!("{words} violation"));

    let ran = "hours=08:00..18:00 windows=05:00..06:00 freeze=f@07:00..07:30 start=05:30 end=08:30
               plan=confirmed planned=05:30..09:00 confirmed=05:00 emergencies=unasked";
    let words = "overran_window ran_into_business_hours ran_into_freeze";
    verdict(ran, &format!("{words} violation"));
    let waived: String = words.split(' ').map(|w| format!("({w}) ")).collect();
    verdict(&format!("{ran} type=emergency"), &format!("{waived}exempt"));

    let emergency = "emergencies=1h plan=tentative planned=05:30..06:00 type=emergency";
    let over = "undeclared confirm=24h max=1h verify=1h start=05:30 end=08:00 clock=20:00";
    verdict(
        &format!("{emergency} {over}"),
        "too_long unapproved_emergency (unconfirmed) unknown_procedure unverified violation",
    );
    verdict(&format!("{emergency} confirm=24h start=05:30 end=06:00"), "(unconfirmed) exempt");
    verdict(
        "emergencies=unasked plan=cancelled planned=13:00..14:00 type=emergency",
        "cancelled violation",
    );
    verdict(
        "emergencies=unasked plan=confirmed planned=13:00..14:00 confirmed=09:00 type=emergency
         end=14:00:01",
        "overran_plan violation",
    );
}

#[test]
fn a_run_that_one_of_us_approves_in_time_is_an_emergency() {
    // Nobody planned it, and it began where it must not.
    let run = "confirm=24h windows=22:00..23:00 emergencies=2h end=14:00";
    verdict(run, "outside_window unconfirmed violation");
    for (approved, want) in [
        ("09:00", "(outside_window) (unconfirmed) exempt"),
        ("15:10", "(outside_window) (unconfirmed) exempt"),
        ("15:10+", "outside_window unconfirmed violation"),
    ] {
        verdict(&format!("{run} approved_as_emergency={approved}"), want);
    }
    let other = "windows=22:00..23:00 max=30m end=14:00 approved_as_emergency=13:20";
    verdict(other, "outside_window too_long violation");
    verdict(&format!("{other} emergencies=2h"), "(outside_window) too_long violation");
    verdict(&format!("{other} emergencies=unasked"), "(outside_window) too_long violation");
    // What a system of ours approves was to be declared by somebody else.
    verdict(&format!("{run} approved=13:20"), "outside_window unconfirmed violation");
}

#[test]
fn what_a_procedure_may_do_at_any_time_is_no_reason() {
    let out = "hours=08:00..18:00 start=13:10 end=19:00";
    verdict(out, "in_business_hours violation");
    verdict(&format!("{out} hours_allowed"), "compliant");
    verdict("hours=08:00..18:00 hours_allowed start=07:00 end=09:00", "compliant");
    // Given up: the reasons that became true until then stay.
    verdict("lost=1h clock=20:00", "lost unknown");
    verdict("max=30m lost=1h clock=20:00", "lost too_long violation");
    verdict("max=2h lost=1h clock=20:00", "lost unknown");
}

#[test]
fn a_time_is_implausible_if_only_the_stamp_excuses_it() {
    for (words, read, want) in [
        ("windows=22:00..11T05:00 start=11T04:00", "11T05:00-", false),
        ("windows=22:00..11T05:00 start=11T04:00", "11T05:00", true),
        ("hours=08:00..18:00 start=07:00", "08:00-", false),
        ("hours=08:00..18:00 start=07:00", "08:00", true),
        ("freeze=f@12:00..13:00 start=11:00", "12:30", true),
        // Broken at its stamp as well: there is nothing that the stamp excuses.
        ("hours=08:00..18:00 start=08:00", "09:00", false),
        ("hours=08:00..18:00 start=08:00 windows=22:00..23:00", "09:00", false),
        ("hours=08:00..18:00 hours_allowed start=07:00", "09:00", false),
        ("plan=confirmed planned=13:00..14:00 confirmed=09:00", "13:30", false),
        ("plan=confirmed planned=13:00..14:00 confirmed=09:00", "13:30+", true),
        // Read before its stamp.
        ("hours=08:00..18:00 start=22:00", "18:00", false),
        ("hours=08:00..18:00 start=22:00", "18:00-", true),
        ("windows=22:00..23:00 start=22:00", "22:00-", true),
        ("windows=22:00..23:00 start=22:59", "22:00", false),
    ] {
        let given = Given::new(words);
        let said = implausible(&given.case(), at(read));
        match said {
            Check::Broken { at: since, .. } => {
                assert!(want && since == at(read).max(given.start), "{words}");
            }
            other => assert!(!want && other == Check::Passes, "{words}: {other:?}"),
        }
    }
}

#[test]
fn beyond_the_holiday_table_nothing_is_said() {
    let holidays = Holidays::of("GB-ENG").unwrap();
    let daily = Calendar::opening_hours("Mo-Su 08:00-18:00; PH off", &Zone::utc(), &holidays);
    let daily = std::sync::Arc::new(daily.unwrap());
    let holidays_only = Calendar::opening_hours("PH", &Zone::utc(), &holidays).unwrap();
    let holidays_only = std::sync::Arc::new(holidays_only);
    let beyond = daily.known_until().unwrap();
    for (start, known) in [(beyond - chrono::TimeDelta::nanoseconds(1), true), (beyond, false)] {
        let mut given = Given::new("");
        given.start = start;
        given.terms.business_hours = Some(daily.clone());
        given.terms.windows = Some(daily.clone());
        given.terms.freezes.push(Freeze { name: "f".into(), calendar: holidays_only.clone() });
        let case = given.case();
        for (reason, said) in judge(&case, When::Start) {
            let asked = [Reason::InBusinessHours, Reason::OutsideWindow, Reason::InFreeze];
            if asked.contains(&reason) {
                assert_eq!(matches!(said, Check::Unknown(_)), !known, "{reason} {start}");
            }
        }
    }
}

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

#[test]
fn an_hour_that_is_shown_twice_is_told_apart() {
    let london = Zone::find("Europe/London").unwrap();
    for (t, want) in [
        ("2026-10-24T23:59:59Z", "Sun 25 Oct 2026 00:59:59 Europe/London"),
        ("2026-10-25T00:30:00Z", "Sun 25 Oct 2026 01:30:00 BST (+01:00)"),
        ("2026-10-25T01:29:59.999Z", "Sun 25 Oct 2026 01:29:59.999 GMT (+00:00)"),
        ("2026-10-25T02:00:00Z", "Sun 25 Oct 2026 02:00:00 Europe/London"),
        ("2026-03-29T01:00:00Z", "Sun 29 Mar 2026 02:00:00 Europe/London"),
    ] {
        let t: Instant = t.parse().unwrap();
        assert_eq!(distinct(&london, t), want);
    }
}
