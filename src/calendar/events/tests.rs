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
    read_of(text, false, false).map(|(set, _)| set)
}

fn read_of(
    text: &str,
    closes: bool,
    may_be_empty: bool,
) -> Result<(EventSet, Vec<Unused>), CalendarError> {
    let zone = london();
    let wants = |summary: &str| summary.starts_with("window");
    EventSet::new(&EventsOf {
        text: text.as_bytes(),
        name: "a.ics",
        zone: &zone,
        given_zone: None,
        summary: text.contains("SUMMARY").then_some(&wants),
        tentative: false,
        closes,
        may_be_empty,
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

/// Windows or freezes, beside a good one on 1 January: the spans of the year (without that of the good one), what is
/// told, and the error if there is one.
#[track_caller]
fn check_unused(closes: bool, events: &[&str], want: &str, told: &[&str]) {
    let good = "UID:good DTSTART:20250101T000000Z DURATION:PT1H";
    let text = text(&[&[good], events].concat());
    match read_of(&text, closes, false) {
        Ok((set, unused)) => {
            let mut spans = spans(&set, YEAR);
            assert_eq!(spans.remove(0), "01-01T00:00/01-01T01:00");
            assert_eq!(spans.join(" "), want, "{events:?}");
            assert_eq!(unused.len(), told.len(), "{unused:?}");
            for (one, told) in unused.iter().zip(told) {
                assert!(one.message.contains(told), "{}", one.message);
                assert!(text.get(one.event_at..).unwrap().starts_with("BEGIN:VEVENT"));
            }
        }
        Err(error) => assert_eq!(format!("error: {}", error.message), want, "{events:?}"),
    }
}

#[test]
fn what_cannot_be_used_refuses_itself_where_it_could_have_opened() {
    let window =
        |events: &[&str], want: &str, told: &[&str]| check_unused(false, events, want, told);
    let broken = "UID:b SUMMARY:window DTSTART;TZID=Mars:20250601T220000 DURATION:PT7H";
    window(
        &[&broken.replace(" SUMMARY:window", "")],
        "",
        &["event \"\", UID \"b\": DTSTART: unknown time zone \"Mars\""],
    );
    window(
        &["UID:b DTSTART:20250601T220000Z DTEND:20250601T210000Z"],
        "",
        &["ends before it begins"],
    );
    window(
        &["UID:b DTSTART:20250601T220000Z DURATION:PT1H RRULE:FREQ=SOON"],
        "",
        &["RRULE: \"SOON\""],
    );
    // A date that was to be added is only that.
    let june = "06-01T22:00/06-01T23:00";
    window(
        &["UID:b DTSTART:20250601T220000Z DURATION:PT1H RDATE:soon"],
        june,
        &["RDATE: \"soon\""],
    );
    // What cannot be told to be taken away or not is no window.
    window(
        &["UID:b DTSTART:20250601T220000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=2 EXDATE:soon"],
        "",
        &["EXDATE: \"soon\""],
    );
    window(
        &["UID:b DTSTART:20250601T220000Z DURATION:PT1H EXRULE:FREQ=DAILY"],
        "",
        &["EXRULE: not supported"],
    );
    let series = "UID:b DTSTART:20250601T220000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=2";
    window(
        &[series, "UID:b RECURRENCE-ID:soon DTSTART:20250701T220000Z DURATION:PT1H"],
        "",
        &["RECURRENCE-ID: \"soon\""],
    );
    window(
        &[series, "UID:b RECURRENCE-ID:soon STATUS:CANCELLED"],
        "",
        &["RECURRENCE-ID: \"soon\""],
    );
    window(
        &[
            series,
            "UID:b RECURRENCE-ID;RANGE=THISANDPRIOR:20250602T220000Z DTSTART:20250602T220000Z DURATION:PT1H",
        ],
        "",
        &["RANGE=THISANDPRIOR is not THISANDFUTURE"],
    );
}

#[test]
fn a_window_that_was_moved_to_nobody_knows_where_is_gone_and_no_other_is_touched() {
    let window =
        |events: &[&str], want: &str, told: &[&str]| check_unused(false, events, want, told);
    let june = "06-01T22:00/06-01T23:00";
    let series = "UID:b DTSTART:20250601T220000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=2";
    window(
        &[series, "UID:b RECURRENCE-ID:20250602T220000Z DTSTART:soon"],
        june,
        &["DTSTART: \"soon\""],
    );
    // Nothing else in the file is touched, and nothing that nobody asked for is told.
    window(
        &[series, "UID:c DTSTART:soon"],
        "06-01T22:00/06-01T23:00 06-02T22:00/06-02T23:00",
        &["UID \"c\""],
    );
    let asked = text(&[series, "UID:c SUMMARY:lunch DTSTART:soon"]).replacen(
        "UID",
        "SUMMARY:window\nUID",
        1,
    );
    assert_eq!(read_of(&asked, false, false).unwrap().1, []);
}

#[test]
fn what_could_have_closed_is_an_error_and_what_could_have_opened_stays_closed() {
    let freeze =
        |events: &[&str], want: &str, told: &[&str]| check_unused(true, events, want, told);
    freeze(
        &["UID:b DTSTART:soon"],
        "error: event \"\", UID \"b\": DTSTART: \"soon\" is not a date or time such as 20251110, 20251110T131000 or 20251110T131000Z",
        &[],
    );
    freeze(
        &["UID:b DTSTART:20250601 RRULE:FREQ=SOON"],
        "error: event \"\", UID \"b\": RRULE: \"SOON\" is not a valid FREQ; accepted is YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY or SECONDLY",
        &[],
    );
    freeze(
        &["UID:b DTSTART:20250601T220000Z DURATION:PT1H RDATE:soon"],
        "error: event \"\", UID \"b\": RDATE: \"soon\" is not a date or time such as 20251110, 20251110T131000 or 20251110T131000Z, nor a period",
        &[],
    );
    let both = "06-01T22:00/06-01T23:00 06-02T22:00/06-02T23:00";
    let series = "UID:b DTSTART:20250601T220000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=2";
    freeze(&[&format!("{series} EXDATE:soon")], both, &["EXDATE: \"soon\""]);
    freeze(
        &[&format!("{series} EXDATE:soon EXDATE:20250602T220000Z")],
        &both[..23],
        &["EXDATE: \"soon\""],
    );
    freeze(&[&format!("{series} EXRULE:FREQ=DAILY")], both, &["EXRULE"]);
    freeze(&[series, "UID:b RECURRENCE-ID:soon STATUS:CANCELLED"], both, &["RECURRENCE-ID"]);
    freeze(
        &[series, "UID:b RECURRENCE-ID:soon DTSTART:20250701T220000Z DURATION:PT1H"],
        &format!("{both} 07-01T22:00/07-01T23:00"),
        &["RECURRENCE-ID"],
    );
    freeze(
        &[
            series,
            "UID:b RECURRENCE-ID;RANGE=THISANDFUTURE:soon DTSTART:20250701T220000Z DURATION:PT1H",
        ],
        "error: event \"\", UID \"b\": RECURRENCE-ID: \"soon\" is not a date or time such as 20251110, 20251110T131000 or 20251110T131000Z",
        &[],
    );
    freeze(
        &[
            "UID:c RECURRENCE-ID;RANGE=THISANDFUTURE:20250601T220000Z DTSTART:20250701T220000Z DURATION:PT1H",
        ],
        "error: event \"\", UID \"c\": RANGE=THISANDFUTURE, but there is no series that it could change",
        &[],
    );
    // One without an end freezes nothing, which may not be what was meant.
    freeze(
        &["UID:b DTSTART:20250601T220000Z"],
        "",
        &["it has no end, so it has no length and freezes nothing"],
    );
    freeze(
        &["UID:b DTSTART:20250601T220000Z DURATION:PT1H RRULE:FREQ=DAILY;UNTIL=20250531"],
        "",
        &["ends before it begins: it never comes"],
    );
}

#[test]
fn a_calendar_without_events_is_a_mistake_unless_it_may_be_empty() {
    let description = |text: &str, may| read_of(text, false, may).map(|(set, _)| set.description);
    let gone = text(&["UID:a STATUS:CANCELLED DTSTART:20250101T000000Z DURATION:PT1H"]);
    let broken = text(&["UID:a DTSTART:soon", "UID:b DTSTART:later"]);
    for text in [text(&[]), gone, broken.clone()] {
        assert_eq!(description(&text, true).unwrap(), "a.ics (0 events)", "{text}");
        assert!(description(&text, false).is_err(), "{text}");
    }
    let error = description(&broken, false).unwrap_err();
    assert!(error.message.starts_with("event \"\", UID \"a\": DTSTART: \"soon\""), "{error}");
    assert!(error.message.ends_with("(and 1 more: no event is left)"), "{error}");
    // No calendar is none also there.
    assert!(description("", true).is_err() && description("<html></html>", true).is_err());
}

#[test]
fn events_without_a_length_add_nothing() {
    let calm = "UID:x DTSTART:20250101T000000Z DURATION:PT1H";
    for event in [
        "DTSTART:20250601T090000Z",
        "DTSTART:20250601T090000Z DTEND:20250601T090000Z",
        "DTSTART:20250601T090000Z DTEND;TZID=Europe/London:20250601T100000",
        "DTSTART:20250601T090000Z DURATION:PT0S",
        "DTSTART:20250601T090000Z DURATION:P0D",
        "DTSTART:20250601T090000Z RRULE:FREQ=DAILY",
        "DTSTART:20250601T090000Z DURATION:PT1H RRULE:FREQ=DAILY;UNTIL=20250531T090000Z",
    ] {
        check(&[calm, event], "01-01T00:00/01-01T01:00");
        check(&[event], "");
    }
    // A day without an end, or that ends on itself, is a day, also again and again.
    for event in [
        "DTSTART;VALUE=DATE:20251201",
        "DTSTART:20251201 DTEND:20251201",
        "DTSTART:20251201 DURATION:P0D",
        "DTSTART:20251201 DURATION:PT0S",
    ] {
        check(&[event], "12-01T00:00/12-02T00:00");
        check(
            &[&format!("{event} RRULE:FREQ=DAILY;INTERVAL=7;COUNT=2")],
            "12-01T00:00/12-02T00:00 12-08T00:00/12-09T00:00",
        );
    }
}

#[test]
fn days_are_taken_away_by_times_that_stand_for_them() {
    // Fridays in London, in summer.
    let series = "UID:a DTSTART;VALUE=DATE:20250704 RRULE:FREQ=WEEKLY;COUNT=3";
    let rest = "07-03T23:00/07-04T23:00 07-17T23:00/07-18T23:00";
    for exception in [
        "EXDATE;VALUE=DATE:20250711",
        "EXDATE;TZID=Tokyo_Standard_Time:20250711T000000",
        "EXDATE:20250711T000000",
        "EXDATE:20250711T000000Z",
        "EXDATE:20250710T230000Z",
        "EXDATE;TZID=America/New_York:20250710T190000",
    ] {
        let exception = exception.replace("Tokyo_Standard_Time", "Asia/Tokyo");
        check(&[&format!("{series} {exception}")], rest);
        let id = exception.replace("EXDATE", "RECURRENCE-ID");
        check(&[series, &format!("UID:a {id} STATUS:CANCELLED")], rest);
        check(
            &[series, &format!("UID:a {id} DTSTART;VALUE=DATE:20251201")],
            &format!("{rest} 12-01T00:00/12-02T00:00"),
        );
    }
    // The last day, told as an instant.
    for until in ["20250710T230000Z", "20250711T000000Z", "20250711T235959Z", "20250711T225959Z"] {
        let rule = format!("UID:a DTSTART;VALUE=DATE:20250704 RRULE:FREQ=WEEKLY;UNTIL={until}");
        check(&[&rule], "07-03T23:00/07-04T23:00 07-10T23:00/07-11T23:00");
    }
}

#[test]
fn changes_that_a_newer_version_took_away() {
    let series = |more: &str| {
        format!("UID:a SEQUENCE:4 DTSTART:20251101T220000Z DURATION:PT1H RRULE:FREQ=WEEKLY;{more}")
    };
    let moved = |sequence: u32| {
        format!(
            "UID:a SEQUENCE:{sequence} RECURRENCE-ID:20251108T220000Z DTSTART:20251110T100000Z DURATION:PT1H"
        )
    };
    let (first, second, third) =
        ("11-01T22:00/11-01T23:00", "11-10T10:00/11-10T11:00", "11-15T22:00/11-15T23:00");
    let all = format!("{first} {second} {third}");
    // Taken out, beyond the end, or no start of its rule any more.
    let out = series("COUNT=3 EXDATE:20251108T220000Z");
    check(&[&out, &moved(3)], &format!("{first} {third}"));
    check(&[&series("COUNT=1"), &moved(3)], first);
    check(&[&series("INTERVAL=2;COUNT=2"), &moved(0)], &format!("{first} {third}"));
    check(&["UID:a SEQUENCE:4 DTSTART:20251101T220000Z DURATION:PT1H", &moved(3)], first);
    // Of the same or a newer version it stays, and where the series still has it.
    check(&[&out, &moved(4)], &all);
    check(&[&out, &moved(5)], &all);
    check(&[&series("COUNT=3"), &moved(3)], &all);
    let dated = "UID:a SEQUENCE:4 DTSTART:20251101T220000Z DURATION:PT1H RDATE:20251108T220000Z";
    check(&[dated, &moved(3)], &format!("{first} {second}"));
}

#[test]
fn this_and_all_that_follow() {
    // Saturdays in London over the autumn change: 22:00 is 21:00Z before it.
    let series =
        "UID:a DTSTART;TZID=Europe/London:20251011T220000 DURATION:PT1H RRULE:FREQ=WEEKLY;COUNT=4";
    let first = "10-11T21:00/10-11T22:00";
    let tail = |id: &str, rest: &str| format!("UID:a RECURRENCE-ID;RANGE=THISANDFUTURE{id} {rest}");
    let from = ";TZID=Europe/London:20251018T220000";
    // A day later and two hours longer, by the clocks.
    let moved = tail(from, "DTSTART;TZID=Europe/London:20251019T220000 DURATION:PT3H");
    let after = "10-19T21:00/10-20T00:00 10-26T22:00/10-27T01:00 11-02T22:00/11-03T01:00";
    check(&[series, &moved], &format!("{first} {after}"));
    check(&[&moved.replace("THISANDFUTURE", "thisandfuture"), series], &format!("{first} {after}"));
    let utc = tail(":20251018T210000Z", "DTSTART:20251019T210000Z DTEND:20251020T000000Z");
    check(&[series, &utc], &format!("{first} {after}"));
    let by_day =
        tail(";VALUE=DATE:20251018", "DTSTART;TZID=Europe/London:20251019T220000 DURATION:PT3H");
    check(&[series, &by_day], &format!("{first} {after}"));
    // Taken away from there on, or called something else.
    check(&[series, &tail(from, "STATUS:CANCELLED")], first);
    check(
        &[
            &format!("{series} SUMMARY:window"),
            &tail(from, "SUMMARY:lunch DTSTART:20251018T210000Z DURATION:PT1H"),
        ],
        first,
    );
    check(
        &[
            &format!("{series} SUMMARY:lunch"),
            &tail(from, "SUMMARY:window DTSTART:20251018T210000Z DURATION:PT1H"),
        ],
        "10-18T21:00/10-18T22:00 10-25T21:00/10-25T22:00 11-01T22:00/11-01T23:00",
    );
    // One of those that follow has a change of its own, or is taken away; a second tail takes over.
    let single = "UID:a RECURRENCE-ID:20251025T210000Z DTSTART:20251028T100000Z DURATION:PT1H";
    check(
        &[series, &moved, single],
        &format!("{first} 10-19T21:00/10-20T00:00 10-28T10:00/10-28T11:00 11-02T22:00/11-03T01:00"),
    );
    check(
        &[&format!("{series} EXDATE:20251025T210000Z"), &moved],
        &format!("{first} 10-19T21:00/10-20T00:00 11-02T22:00/11-03T01:00"),
    );
    let second_tail = tail(":20251101T220000Z", "DTSTART:20251101T220000Z DURATION:PT2H");
    check(
        &[series, &moved, &second_tail],
        &format!("{first} 10-19T21:00/10-20T00:00 10-26T22:00/10-27T01:00 11-01T22:00/11-02T00:00"),
    );
}

#[test]
fn what_follows_may_be_days_dates_or_of_an_older_version() {
    let series =
        "UID:a DTSTART;TZID=Europe/London:20251011T220000 DURATION:PT1H RRULE:FREQ=WEEKLY;COUNT=4";
    let (first, second) = ("10-11T21:00/10-11T22:00", "10-18T21:00/10-18T22:00");
    let tail = |id: &str, rest: &str| format!("UID:a RECURRENCE-ID;RANGE=THISANDFUTURE{id} {rest}");
    // Whole days, dates that are named, and a move backwards that reaches into the year before.
    let days = "UID:a DTSTART;VALUE=DATE:20251201 RRULE:FREQ=WEEKLY;COUNT=3";
    let later =
        tail(";VALUE=DATE:20251208", "DTSTART;VALUE=DATE:20251209 DTEND;VALUE=DATE:20251211");
    check(
        &[days, &later],
        "12-01T00:00/12-02T00:00 12-09T00:00/12-11T00:00 12-16T00:00/12-18T00:00",
    );
    let dates =
        "UID:a DTSTART:20251101T000000Z DURATION:PT1H RDATE:20251103T000000Z,20251105T000000Z";
    check(
        &[dates, &tail(":20251103T000000Z", "DTSTART:20251103T010000Z DURATION:PT1H")],
        "11-01T00:00/11-01T01:00 11-03T01:00/11-03T02:00 11-05T01:00/11-05T02:00",
    );
    let january = "UID:a DTSTART:20260110T000000Z DURATION:PT1H RRULE:FREQ=MONTHLY;COUNT=2";
    check(
        &[january, &tail(":20260110T000000Z", "DTSTART:20251231T000000Z DURATION:PT1H")],
        "12-31T00:00/12-31T01:00",
    );
    // An older version of it whose start the series does not have any more is none.
    let newer = format!("{series} SEQUENCE:2");
    let other = tail(":20251019T210000Z", "SEQUENCE:1 DTSTART:20251020T210000Z DURATION:PT1H");
    let rest = "10-25T21:00/10-25T22:00 11-01T22:00/11-01T23:00";
    check(&[&newer, &other], &format!("{first} {second} {rest}"));
}

#[test]
fn mistakes_are_errors_if_nothing_else_is_left() {
    let fine = "DTSTART:20250101T000000Z DURATION:PT1H";
    check_error(&[], "no event in it");
    check_error(&["DURATION:PT1H"], "event \"\": no DTSTART");
    check_error(
        &["DTSTART:20250101T000000Z DTEND:20241231T235959Z"],
        "DTEND: \"20241231T235959Z\": ends before it begins",
    );
    check_error(
        &["DTSTART;VALUE=DATE:20250102 DTEND;VALUE=DATE:20250101"],
        "ends before it begins",
    );
    check_error(&["DTSTART:20250101T000000Z DTEND;VALUE=DATE:20250102"], "a day and a time");
    check_error(&["DTSTART:20250101T000000Z DURATION:-PT1H"], "is not a length such as");
    check_error(&["DTSTART;VALUE=DATE:20250101 DURATION:PT1H"], "is not a length such as");
    check_error(&["DTSTART:20250101T000000Z DURATION:PT1H DTEND:20250102T000000Z"], "one of them");
    check_error(
        &[&format!("{fine} RRULE:FREQ=WEEKLY;BYHOUR=25")],
        "RRULE: \"25\" is not a valid BYHOUR; accepted is",
    );
    check_error(
        &[&format!("{fine} RRULE:FREQ=SECONDLY")],
        "RRULE: recurs up to 31622400 times a year, at most 100000",
    );
    check_error(&[&format!("{fine} EXRULE:FREQ=WEEKLY")], "EXRULE: not supported");
    check_error(
        &[&format!("{fine} RRULE:FREQ=WEEKLY EXDATE:yesterday")],
        "EXDATE: \"yesterday\" is not a date",
    );
    check_error(
        &[
            "UID:a RECURRENCE-ID;RANGE=THISANDFUTURE:20250101T000000Z DTSTART:20250101T000000Z DURATION:PT1H",
        ],
        "RANGE=THISANDFUTURE, but there is no series",
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
    let read = |events: &[&str]| {
        let (text, zone) = (text(events), Zone::find("Asia/Tokyo").unwrap());
        let of = EventsOf {
            text: text.as_bytes(),
            name: "a.ics",
            zone: &zone,
            given_zone: None,
            summary: None,
            tentative: true,
            closes: false,
            may_be_empty: false,
        };
        days(&of).map(|(days, unused)| {
            let days = days.into_iter().map(|d| d.to_string()).filter(|d| d.starts_with("2025"));
            (days.collect::<Vec<_>>(), unused)
        })
    };
    let check =
        |events: &[&str], want: &[&str]| assert_eq!(read(events).unwrap().0, want, "{events:?}");
    check(
        &[
            "DTSTART;VALUE=DATE:20251224 DTEND;VALUE=DATE:20251226",
            "DTSTART;VALUE=DATE:20240301 RRULE:FREQ=YEARLY",
            "DTSTART;VALUE=DATE:20250401 DTEND;VALUE=DATE:20250401",
        ],
        &["2025-03-01", "2025-04-01", "2025-12-24", "2025-12-25"],
    );
    // Taken away by an instant at which the day begins here, and ended by one.
    let series = "DTSTART;VALUE=DATE:20251103 RRULE:FREQ=WEEKLY;UNTIL=20251116T150000Z";
    check(&[series], &["2025-11-03", "2025-11-10", "2025-11-17"]);
    check(&[&format!("{series} EXDATE:20251109T150000Z")], &["2025-11-03", "2025-11-17"]);
    // From midnight to midnight is a day, in whatever zone; less is not.
    for event in [
        "DTSTART:20251224T000000 DTEND:20251225T000000",
        "DTSTART;TZID=Europe/Berlin:20251224T000000 DTEND;TZID=Europe/Berlin:20251225T000000",
        "DTSTART:20251224T000000 DURATION:PT24H",
        "DTSTART:20251224T000000 DTEND:20251224T235900",
        "DTSTART:20251224T000000 DTEND:20251224T235959",
        "DTSTART:20251224T000000 DTEND:20251224T000000",
        "DTSTART:20251224T000000",
        "DTSTART:20251224T000000 DURATION:PT23H59M",
    ] {
        check(&[event], &["2025-12-24"]);
    }
    check(&["DTSTART:20251224T000000 DTEND:20251225T235959"], &["2025-12-24", "2025-12-25"]);
    for event in [
        "DTSTART:20251224T000000 DTEND:20251224T235800",
        "DTSTART:20251224T000000 DTEND:20251224T000001",
        "DTSTART:20251224T000001 DTEND:20251225T000000",
        "DTSTART:20251224T000000 DTEND:20251224T235959.5",
    ] {
        assert!(read(&[event]).is_err(), "{event}");
    }
    let (days, unused) =
        read(&["SUMMARY:Eve DTSTART:20251224T120000 DURATION:PT1H", "DTSTART;VALUE=DATE:20250301"])
            .unwrap();
    assert_eq!(days, ["2025-03-01"]);
    let message = "event \"Eve\": a holiday is a whole day, but this has a time";
    assert_eq!(unused.iter().map(|one| one.message.as_str()).collect::<Vec<_>>(), [message]);
    let error = read(&["SUMMARY:Eve DTSTART:20251224T120000 DURATION:PT1H"]).unwrap_err();
    assert_eq!(error.message, message);
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
