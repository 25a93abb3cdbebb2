//! Events of texts like those that calendar programs write: which count, and their spans.

use super::*;
use crate::time::rfc3339;

fn london() -> Zone {
    Zone::find("Europe/London").unwrap()
}

/// A text of events, each a list of lines.
fn text(events: &[&str]) -> String {
    let events =
        events.iter().map(|e| format!("BEGIN:VEVENT\n{}\nEND:VEVENT\n", e.replace(' ', "\n")));
    format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", events.collect::<String>())
}

fn set_of(text: &str) -> Result<EventSet, CalendarError> {
    let zone = london();
    let wants = |summary: &str| summary.starts_with("window");
    EventSet::new(&EventsOf {
        text: text.as_bytes(),
        name: "a.ics",
        zone: &zone,
        given_zone: None,
        summary: text.contains("SUMMARY").then_some(&wants),
        tentative: false,
    })
}

const YEAR: &str = "2025-01-01T00:00:00Z/2026-01-01T00:00:00Z";

fn spans(set: &EventSet, range: &str) -> Vec<String> {
    let (from, to) = range.split_once('/').unwrap();
    let range = Span::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
    let shown = |s: Span| format!("{}/{}", rfc3339(s.start), rfc3339(s.end));
    set.spans_in(range)
        .into_iter()
        .map(shown)
        .map(|s| s.replace(":00Z", "").replace("2025-", ""))
        .collect()
}

#[track_caller]
fn check(events: &[&str], want: &str) {
    let got = set_of(&text(events)).map(|set| spans(&set, YEAR).join(" "));
    assert_eq!(got.unwrap_or_else(|error| error.message), want, "{events:?}");
}

#[track_caller]
fn check_error(events: &[&str], want: &str) {
    let text = text(events);
    let error = set_of(&text).map(|_| ()).unwrap_err();
    assert!(error.message.contains(want), "{error}");
    assert!(text.is_char_boundary(error.at), "{events:?}");
}

const SATURDAYS: &str = "UID:a DTSTART:20251101T220000 DURATION:PT7H RRULE:FREQ=WEEKLY;COUNT=4";

#[test]
fn single_events_and_their_ends() {
    check(&["DTSTART:20251110T220000Z DTEND:20251111T050000Z"], "11-10T22:00/11-11T05:00");
    check(&["DTSTART:20250710T220000 DTEND:20250711T050000"], "07-10T21:00/07-11T04:00");
    check(
        &["DTSTART;TZID=America/New_York:20250710T220000 DURATION:PT90M"],
        "07-11T02:00/07-11T03:30",
    );
    check(&["DTSTART;VALUE=DATE:20250710 DTEND;VALUE=DATE:20250712"], "07-09T23:00/07-11T23:00");
    check(&["DTSTART;VALUE=DATE:20250710"], "07-09T23:00/07-10T23:00");
    check(&["DTSTART;VALUE=DATE:20250710 DURATION:P2D"], "07-09T23:00/07-11T23:00");
    // The whole night of the autumn fold; an event that only the spring gap empties is none.
    check(&["DTSTART:20251026T010000 DTEND:20251026T013000"], "10-26T00:00/10-26T01:30");
    check(
        &["DTSTART:20250330T013000 DTEND:20250330T020000", "DTSTART:20250101T000000 DURATION:PT1H"],
        "01-01T00:00/01-01T01:00",
    );
    // Adjoining and overlapping events are one span.
    check(
        &["DTSTART:20250101T000000 DURATION:PT1H", "DTSTART:20250101T010000 DURATION:PT1H"],
        "01-01T00:00/01-01T02:00",
    );
}

#[test]
fn what_recurs() {
    check(
        &[SATURDAYS],
        "11-01T22:00/11-02T05:00 11-08T22:00/11-09T05:00 11-15T22:00/11-16T05:00 11-22T22:00/11-23T05:00",
    );
    let fall =
        "DTSTART;TZID=Europe/London:20251018T220000 RRULE:FREQ=WEEKLY;UNTIL=20251101T220000Z";
    // DTEND: exactly as long each time. DURATION: days by the clocks.
    check(
        &[&format!("{fall} DTEND;TZID=Europe/London:20251019T220000")],
        "10-18T21:00/10-19T21:00 10-25T21:00/10-26T21:00 11-01T22:00/11-02T22:00",
    );
    check(
        &[&format!("{fall} DURATION:P1D")],
        "10-18T21:00/10-19T21:00 10-25T21:00/10-26T22:00 11-01T22:00/11-02T22:00",
    );
    check(
        &["DTSTART;VALUE=DATE:20251025 DTEND;VALUE=DATE:20251027 RRULE:FREQ=WEEKLY;COUNT=2"],
        "10-24T23:00/10-27T00:00 11-01T00:00/11-03T00:00",
    );
    // Taken away by its time, in whatever zone, or by its day.
    check(
        &[&format!(
            "{SATURDAYS} EXDATE:20251108T220000,20251115T220000Z EXDATE;TZID=America/New_York:20251122T170000"
        )],
        "11-01T22:00/11-02T05:00",
    );
    check(
        &[&format!("{SATURDAYS} EXDATE;VALUE=DATE:20251108,20251115,20251122")],
        "11-01T22:00/11-02T05:00",
    );
    // Added: once, however often; with an end of its own.
    check(
        &[
            "DTSTART:20251101T220000Z DURATION:PT1H RDATE:20251101T220000Z,20251103T220000Z RDATE;VALUE=PERIOD:20251105T220000Z/PT2H",
        ],
        "11-01T22:00/11-01T23:00 11-03T22:00/11-03T23:00 11-05T22:00/11-06T00:00",
    );
    check(
        &["DTSTART:20251101T220000Z DURATION:PT1H RDATE:20251103T220000Z EXDATE:20251101T220000Z"],
        "11-03T22:00/11-03T23:00",
    );
    // A COUNT counts what is taken away.
    check(
        &[
            "DTSTART:20251101T220000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=2 EXDATE:20251101T220000Z",
        ],
        "11-02T22:00/11-02T23:00",
    );
}

#[test]
fn changed_and_cancelled() {
    let rest = "11-08T22:00/11-09T05:00 11-15T22:00/11-16T05:00 11-22T22:00/11-23T05:00";
    // Moved with a higher SEQUENCE: the old slot is gone.
    let moved =
        "UID:a SEQUENCE:2 RECURRENCE-ID:20251101T220000Z DTSTART:20251103T220000 DURATION:PT1H";
    check(&[SATURDAYS, moved], &format!("11-03T22:00/11-03T23:00 {rest}"));
    check(&[moved, SATURDAYS], &format!("11-03T22:00/11-03T23:00 {rest}"));
    // Of another event at the same time: only that one's is gone.
    let other = "UID:b DTSTART:20251101T220000 DURATION:PT8H RRULE:FREQ=DAILY;COUNT=1";
    check(
        &[SATURDAYS, other, &moved.replace("UID:a", "UID:b")],
        &format!("11-01T22:00/11-02T05:00 11-03T22:00/11-03T23:00 {rest}"),
    );
    // Moved twice: the highest SEQUENCE, then the latest stamp.
    let again =
        "UID:a SEQUENCE:3 RECURRENCE-ID:20251101T220000Z DTSTART:20251104T220000 DURATION:PT1H";
    check(&[again, SATURDAYS, moved], &format!("11-04T22:00/11-04T23:00 {rest}"));
    let stamped = moved.replace("20251103", "20251105") + " DTSTAMP:20251001T000000Z";
    check(&[&stamped, SATURDAYS, moved], &format!("11-05T22:00/11-05T23:00 {rest}"));
    check(
        &[
            SATURDAYS,
            "UID:a RECURRENCE-ID:20251101T220000Z STATUS:CANCELLED DTSTART:20251101T220000Z DURATION:PT1H",
        ],
        rest,
    );
    check(&[SATURDAYS, "UID:a RECURRENCE-ID;VALUE=DATE:20251101 STATUS:CANCELLED"], rest);
    let calm = "UID:x DTSTART:20250101T000000Z DURATION:PT1H";
    let only = "01-01T00:00/01-01T01:00";
    check(&[calm, &format!("{SATURDAYS} STATUS:CANCELLED"), moved], only);
    check(&[calm, &format!("{SATURDAYS} STATUS:tentative")], only);
    check(
        &[
            calm,
            &format!("{SATURDAYS} SEQUENCE:0"),
            "UID:a SEQUENCE:1 STATUS:CANCELLED DTSTART:20251101T220000",
        ],
        only,
    );
    let cancelled = text(&[SATURDAYS]).replace("BEGIN:VEVENT", "METHOD:CANCEL\nBEGIN:VEVENT");
    assert_eq!(spans(&set_of(&(text(&[calm]) + &cancelled)).unwrap(), YEAR), [only]);
    // A new version replaces the whole; without a UID each is one of its own.
    check(&[SATURDAYS, "UID:a SEQUENCE:1 DTSTART:20250101T000000Z DURATION:PT1H"], only);
    check(
        &["DTSTART:20250101T000000Z DURATION:PT1H", "DTSTART:20250102T000000Z DURATION:PT1H"],
        "01-01T00:00/01-01T01:00 01-02T00:00/01-02T01:00",
    );
}

#[test]
fn only_what_is_asked_for() {
    let window =
        "UID:a SUMMARY:window DTSTART:20251101T220000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=2";
    check(
        &[window, "UID:b SUMMARY:lunch DTSTART:nonsense RRULE:nonsense"],
        "11-01T22:00/11-01T23:00 11-02T22:00/11-02T23:00",
    );
    // An occurrence that was renamed is none any more; one that was renamed to it is one.
    let renamed =
        "UID:a SUMMARY:lunch RECURRENCE-ID:20251101T220000Z DTSTART:20251101T220000Z DURATION:PT1H";
    check(&[window, renamed], "11-02T22:00/11-02T23:00");
    let (lunch, renamed) = (window.replace("window", "lunch"), renamed.replace("lunch", "window"));
    check(&[&lunch, &renamed], "11-01T22:00/11-01T23:00");
    check(&[&lunch], "no event that is asked for in it");
}

#[test]
fn mistakes_are_errors_of_the_whole() {
    let fine = "DTSTART:20250101T000000Z DURATION:PT1H";
    check_error(&[], "no event in it");
    check_error(&["DURATION:PT1H"], "event \"\": no DTSTART");
    check_error(&["DTSTART:20250101T000000Z"], "no end: neither DTEND nor DURATION");
    check_error(
        &["DTSTART:20250101T000000Z DTEND:20250101T000000Z"],
        "ends before it begins, or is empty",
    );
    check_error(
        &["DTSTART;VALUE=DATE:20250102 DTEND;VALUE=DATE:20250102"],
        "ends before it begins, or is empty",
    );
    check_error(&["DTSTART:20250101T000000Z DTEND;VALUE=DATE:20250102"], "a day and a time");
    check_error(&["DTSTART:20250101T000000Z DURATION:-PT1H"], "is no length such as");
    check_error(&["DTSTART;VALUE=DATE:20250101 DURATION:PT1H"], "is no length such as");
    check_error(&["DTSTART:20250101T000000Z DURATION:PT1H DTEND:20250102T000000Z"], "one of them");
    check_error(
        &[&format!("{fine} RRULE:FREQ=WEEKLY;BYHOUR=25")],
        "RRULE: \"25\" is no BYHOUR; accepted is",
    );
    check_error(
        &[&format!("{fine} RRULE:FREQ=SECONDLY")],
        "RRULE: recurs up to 31622400 times a year, at most 100000",
    );
    check_error(&[&format!("{fine} EXRULE:FREQ=WEEKLY")], "EXRULE: not supported");
    check_error(
        &[&format!("{fine} RRULE:FREQ=WEEKLY EXDATE:yesterday")],
        "EXDATE: \"yesterday\" is no date",
    );
    check_error(
        &[
            "UID:a RECURRENCE-ID;RANGE=THISANDFUTURE:20250101T000000Z DTSTART:20250101T000000Z DURATION:PT1H",
        ],
        "RANGE (this and all that follow)",
    );
    check_error(
        &["DTSTART:20250101T000000Z DURATION:P400D RRULE:FREQ=YEARLY"],
        "an occurrence of more than 366 days",
    );
    let half = text(&[fine]).replace("END:VCALENDAR", "");
    assert!(set_of(&half).unwrap_err().message.contains("half a file"));
    for nothing in ["", "no calendar", "<html>not found</html>", "BEGIN:VEVENT\nEND:VEVENT"] {
        assert_eq!(set_of(nothing).unwrap_err().message, "no VCALENDAR in it", "{nothing}");
    }
}

#[test]
fn days_of_holidays() {
    let days = |events: &[&str]| {
        let (text, zone) = (text(events), london());
        let of = EventsOf {
            text: text.as_bytes(),
            name: "a.ics",
            zone: &zone,
            given_zone: None,
            summary: None,
            tentative: true,
        };
        days(&of).map(|days| {
            days.into_iter()
                .filter(|d| d.to_string().starts_with("2025"))
                .map(|d| d.to_string())
                .collect::<Vec<_>>()
        })
    };
    let got = days(&[
        "DTSTART;VALUE=DATE:20251224 DTEND;VALUE=DATE:20251226",
        "DTSTART;VALUE=DATE:20240301 RRULE:FREQ=YEARLY",
    ]);
    assert_eq!(got.unwrap(), ["2025-03-01", "2025-12-24", "2025-12-25"]);
    let error = days(&["SUMMARY:Eve DTSTART:20251224T120000 DURATION:PT1H"]).unwrap_err();
    assert_eq!(error.message, "event \"Eve\": a holiday is a whole day, but this has a time");
}

#[test]
fn hostile_texts_meet_named_limits() {
    let message =
        |text: &str| set_of(text).map(|set| set.description).unwrap_or_else(|e| e.message);
    let weekly =
        |n: usize| format!("UID:{n} DTSTART:20150101T220000Z DURATION:PT7H RRULE:FREQ=WEEKLY");
    let many = |n: usize, event: fn(usize) -> String| {
        let events: Vec<String> = (0..n).map(event).collect();
        text(&events.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let calendar = many(10_000, |n| {
        format!("UID:{n} DTSTART:20150101T220000Z DURATION:PT7H RRULE:FREQ=WEEKLY")
    });
    assert_eq!(message(&calendar), "a.ics (10000 events)");
    assert_eq!(spans(&set_of(&text(&[&weekly(1)])).unwrap(), YEAR).len(), 52);
    let daily = many(10_000, |n| {
        format!("UID:{n} DTSTART:20150101T220000Z DURATION:PT7H RRULE:FREQ=DAILY")
    });
    assert_eq!(
        message(&daily),
        "its rules recur up to 3660000 times a year, at most 1000000 are handled"
    );
    let counted = many(10_000, |n| {
        format!("UID:{n} DTSTART:19000101T220000Z DURATION:PT7H RRULE:FREQ=YEARLY;COUNT=290")
    });
    assert!(message(&counted).contains("need more than 50000000 steps to be counted off"));
    let singles = many(EVENTS_MAX + 1, |_| "DTSTART:20250101T000000Z DURATION:PT1H".into());
    assert_eq!(message(&singles), "more than 50000 events");
    let flood = vec!["20250101T000000Z"; EXCEPTIONS_MAX + 1].join(",");
    let flood = text(&[&format!("{} EXDATE:{flood}", weekly(1))]);
    assert!(message(&flood).contains("more than 100000 times in EXDATE and RDATE"));
}
