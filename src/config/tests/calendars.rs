//! Freezes, holidays, and the example with calendar files.

use std::path::Path;

use super::{NOW, good, instant};
use crate::config::*;
use crate::time::{Span, rfc3339};

/// The only freeze of a service in London, from `from` to `to`.
fn freeze_of(from: &str, to: &str) -> Result<crate::policy::Freeze, Error> {
    let text = format!(
        "services:\n  atlas:\n    timezone: Europe/London\n    freezes: [{{ name: f, from: {from}, to: {to} }}]\npartners: {{ hostco: {{}} }}\nsources: [{{ name: a, partner: hostco, files: [a], format: json }}]\n"
    );
    let config = parse(&text, Path::new("a.yml"), instant(NOW))?;
    Ok(config.policy.services[0].freezes[0].clone())
}

#[test]
fn a_freeze_is_civil_time_or_an_instant() {
    for (from, to, start, end) in [
        ("2025-12-15T00:00", "2026-01-05T00:00", "2025-12-15T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("2025-12-15 08:30", "2025-12-15T08:30:01", "2025-12-15T08:30:00Z", "2025-12-15T08:30:01Z"),
        (
            "2025-07-01T02:00:00+02:00",
            "2025-07-01T00:00:00.5Z",
            "2025-07-01T00:00:00Z",
            "2025-07-01T00:00:00.500Z",
        ),
        // Summer time: an hour later than UTC.
        ("2025-07-01T00:00", "2025-07-02T00:00", "2025-06-30T23:00:00Z", "2025-07-01T23:00:00Z"),
        // In the autumn fold it begins with the earlier and ends with the later reading.
        ("2025-10-26T01:30", "2025-10-26T01:31", "2025-10-26T00:30:00Z", "2025-10-26T01:31:00Z"),
        // In the spring gap both move forward by the gap.
        ("2025-03-30T01:30", "2025-03-30T03:00", "2025-03-30T01:30:00Z", "2025-03-30T02:00:00Z"),
    ] {
        let span = Span::new(instant(start), instant(end)).unwrap();
        let freeze = freeze_of(from, to).unwrap();
        let around = Span::new(instant("2000-01-01T00:00:00Z"), instant("2100-01-01T00:00:00Z"));
        assert_eq!(freeze.calendar.spans_in(around.unwrap()), [span], "{from} {to}");
    }
    // One that only the spring gap empties is none; as written it is not empty.
    let gap = freeze_of("2025-03-30T01:00", "2025-03-30T02:00").unwrap();
    assert!(!gap.calendar.contains(instant("2025-03-30T01:00:00Z")));
    for (from, to) in [
        ("2025-10-26T01:30", "2025-10-26T01:30"),
        ("2025-10-26T01:45", "2025-10-26T01:15"),
        ("2025-12-15T00:00", "2025-12-14T00:00"),
    ] {
        assert!(freeze_of(from, to).is_err(), "{from} {to}");
    }
    for wrong in [
        "2025-12-15",
        "2025-12-15T25:00",
        "2025-13-15T00:00",
        "2025-02-29T00:00",
        "10000-01-01T00:00",
        "0000-01-01T00:00",
        "0000-01-01T00:00:00Z",
        "+2025-12-15T00:00",
        "12-15T00:00",
        "tomorrow",
    ] {
        assert!(freeze_of(wrong, "9999-01-01T00:00").is_err(), "{wrong}");
    }
}

#[test]
fn the_policy_knows_its_text_and_how_far_its_holidays_reach() {
    let config = good("good-all-keys.yml");
    assert_eq!(config.policy.holidays_end.map(rfc3339).as_deref(), Some("2045-12-31T23:00:00Z"));
    let text =
        "partners: { a: {} }\nsources: [{ name: a, partner: a, files: [a], format: json }]\n";
    let config = parse(text, Path::new("a.yml"), instant(NOW)).unwrap();
    // By sha256sum of the same bytes.
    let digest = "4e6280f8885964ef1a72f2a57576aed7cb439317b2c8fad81c4551e0335a2c37";
    assert_eq!(&*config.policy.digest, digest);
    let other = parse(&format!("{text}#"), Path::new("a.yml"), instant(NOW)).unwrap();
    assert_ne!(&*other.policy.digest, digest);
}

#[test]
fn holidays_must_be_known_for_a_while() {
    let text = "services: { a: { holidays: GB, business_hours: PH off } }\npartners: { a: {} }\nsources: [{ name: a, partner: a, files: [a], format: json }]\n";
    for (now, ok, warnings) in [
        ("2044-12-31T23:59:59Z", true, 0),
        ("2045-01-01T00:00:00Z", true, 1),
        ("2045-10-02T23:59:59Z", true, 1),
        ("2045-10-03T00:00:00Z", false, 0),
        ("2060-01-01T00:00:00Z", false, 0),
    ] {
        let got = parse(text, Path::new("a.yml"), instant(now));
        assert_eq!(got.is_ok(), ok, "{now}");
        assert_eq!(got.map_or(0, |config| config.warnings.len()), warnings, "{now}");
    }
    let without = text.replace("PH off", "Mo-Fr 08:00-18:00");
    assert!(parse(&without, Path::new("a.yml"), instant("2060-01-01T00:00:00Z")).is_ok());
}

#[test]
fn the_documented_calendars_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (text, page) = (read("examples/calendars/offhours.yml"), read("docs/calendars.md"));
    assert!(page.contains(&format!("```yaml\n{text}```")), "docs/calendars.md shows another");
    let path = root.join("examples/calendars/offhours.yml");
    let config = parse(&text, &path, instant(NOW)).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<_> = config.calendars.iter().map(|file| &*file.name).collect();
    assert_eq!(names, ["days.ics", "partner.ics"]);
    let partner = config.policy.partner("hostco").unwrap();
    let next = |procedure: &str, after: &str| {
        let windows = partner.procedure(procedure).unwrap().terms[&None].windows.clone().unwrap();
        let after = instant(after);
        let next = windows.next_span(after, after + TimeDelta::days(370)).unwrap();
        format!("{} {}", rfc3339(next.start), rfc3339(next.end))
    };
    // Moved to Sunday; taken away.
    let moved = "2025-11-16T22:00:00Z 2025-11-17T05:00:00Z";
    assert_eq!(next("archive-compaction", "2025-11-12T00:00:00Z"), moved);
    let after = "2026-01-03T22:00:00Z 2026-01-04T05:00:00Z";
    assert_eq!(next("archive-compaction", "2025-12-22T00:00:00Z"), after);
    let added = "2025-12-19T22:00:00Z 2025-12-20T05:00:00Z";
    assert_eq!(next("index-rebuild", "2025-12-10T00:00:00Z"), added);
    let frozen = |name: &str, t: &str| {
        let service = config.policy.service("atlas").unwrap();
        let all = service.freezes.iter().chain(&partner.freezes);
        all.filter(|f| &*f.name == name).any(|f| f.calendar.contains(instant(t)))
    };
    assert!(frozen("audit", "2025-12-03T12:00:00Z") && !frozen("audit", "2025-12-06T00:00:00Z"));
    assert!(
        frozen("month-end", "2025-06-30T17:00:00Z") && frozen("Dec 24-26", "2026-12-25T00:00:00Z")
    );
    let hours = config.policy.service("atlas").unwrap().business_hours.clone().unwrap();
    assert!(!hours.contains(instant("2026-03-03T12:00:00Z")), "an own holiday");
    assert!(hours.contains(instant("2026-03-04T12:00:00Z")));
}
