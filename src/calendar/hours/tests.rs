//! What expressions mean, row by row; the calendar of each row is that of London unless it says.

use crate::calendar::{Calendar, Holidays, Zone};
use crate::time::{Instant, Span};

fn calendar(expression: &str, zone: &str, holidays: &str) -> Calendar {
    let zone = Zone::find(zone).unwrap();
    let holidays = Holidays::of(holidays).unwrap();
    Calendar::opening_hours(expression, &zone, &holidays)
        .unwrap_or_else(|e| panic!("{expression}: {e} at {}", e.at))
}

/// The spans of `range` in UTC as `24T22:00/25T05:00`, days of the month.
fn shown(calendar: &Calendar, range: &str) -> String {
    let at = |day: &str| format!("{day}T00:00:00Z").parse::<Instant>().unwrap();
    let (start, end) = range.split_once('/').unwrap();
    let spans = calendar.spans_in(Span::new(at(start), at(end)).unwrap());
    let edge = |t: Instant| t.format("%dT%H:%M").to_string();
    let spans = spans.iter().map(|span| format!("{}/{}", edge(span.start), edge(span.end)));
    spans.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check_in(zone: &str, expression: &str, range: &str, expected: &str) {
    let got = shown(&calendar(expression, zone, "GB-ENG"), range);
    assert_eq!(got, expected, "{expression} in {zone}");
}

#[track_caller]
fn check(expression: &str, range: &str, expected: &str) {
    check_in("Europe/London", expression, range, expected);
}

/// Checks which days of a range, each open from 10:00 to 11:00, an expression's days name.
#[track_caller]
fn check_days(days: &str, range: &str, expected: &str) {
    let got = shown(&calendar(&format!("{days} 10:00-11:00"), "UTC", "GB-ENG"), range);
    let got: Vec<&str> = got.split(' ').filter_map(|span| span.get(..2)).collect();
    assert_eq!(got.join(" "), expected, "{days}");
}

#[test]
fn business_hours() {
    let week = "2025-11-07/2025-11-12";
    check(
        "Mo-Fr 08:00-18:00; PH off",
        week,
        "07T08:00/07T18:00 10T08:00/10T18:00 11T08:00/11T18:00",
    );
    check("mo-fr 8:00-18:00", "2025-11-10/2025-11-11", "10T08:00/10T18:00");
    check(
        "Mo-Fr 08:00-12:00,13:00-17:30",
        "2025-11-10/2025-11-11",
        "10T08:00/10T12:00 10T13:00/10T17:30",
    );
    check(
        "Mo-Fr 08:00-12:00, 13:00-17:30",
        "2025-11-09/2025-11-11",
        "10T08:00/10T12:00 10T13:00/10T17:30",
    );
    // Summer time.
    check("Mo-Fr 08:00-18:00", "2025-07-10/2025-07-11", "10T07:00/10T17:00");
    check_in("Asia/Kolkata", "08:00-18:00", "2025-07-10/2025-07-11", "10T02:30/10T12:30");
}

#[test]
fn whole_days() {
    let two = "2025-11-08/2025-11-10";
    check("24/7", two, "08T00:00/10T00:00");
    check("24/7 open", two, "08T00:00/10T00:00");
    check("open", two, "08T00:00/10T00:00");
    check("00:00-24:00", two, "08T00:00/10T00:00");
    check("Mo-Su", two, "08T00:00/10T00:00");
    check("Sa", two, "08T00:00/09T00:00");
    check("Su open", two, "09T00:00/10T00:00");
    check("off", two, "");
    check("closed", two, "");
    check("24/7 off", two, "");
    check("PH off", two, "");
    check("24/7; Su off", two, "08T00:00/09T00:00");
    check("24/7; Su 10:00-12:00", two, "08T00:00/09T00:00 09T10:00/09T12:00");
    check("24/7; Su 10:00-12:00 off", two, "08T00:00/09T10:00 09T12:00/10T00:00");
}

#[test]
fn spans_over_midnight_belong_to_the_day_on_which_they_start() {
    // Christmas Eve's window is open until 05:00 on the 25th; none starts on the 25th and 26th.
    check(
        "Mo-Su 22:00-05:00; PH off",
        "2025-12-24/2025-12-29",
        "24T00:00/24T05:00 24T22:00/25T05:00 27T22:00/28T05:00 28T22:00/29T00:00",
    );
    check("Fr 22:00-05:00", "2025-11-06/2025-11-10", "07T22:00/08T05:00");
    check("Fr 22:00-29:00", "2025-11-06/2025-11-10", "07T22:00/08T05:00");
    check("Fr 22:00-46:00", "2025-11-06/2025-11-10", "07T22:00/08T22:00");
    check("Fr 23:00-47:00,23:59-47:59", "2025-11-06/2025-11-10", "07T23:00/08T23:59");
    check("Fr 22:00-00:00", "2025-11-06/2025-11-10", "07T22:00/08T00:00");
    check("Fr 22:00-24:00", "2025-11-06/2025-11-10", "07T22:00/08T00:00");
    // The first night of a year belongs to the last day of the one before.
    check("2025 22:00-05:00", "2025-12-31/2026-01-03", "31T00:00/31T05:00 31T22:00/01T05:00");
    check("2026 22:00-05:00", "2025-12-31/2026-01-03", "01T22:00/02T05:00 02T22:00/03T00:00");
}

#[test]
fn later_rules() {
    let nights = "2025-11-10/2025-11-14";
    // Without times, `off` takes all of what starts on its day and nothing of the night before.
    check(
        "22:00-05:00; We off",
        nights,
        "10T00:00/10T05:00 10T22:00/11T05:00 11T22:00/12T05:00 13T22:00/14T00:00",
    );
    check(
        "22:00-05:00, We off",
        nights,
        "10T00:00/10T05:00 10T22:00/11T05:00 11T22:00/12T05:00 13T22:00/14T00:00",
    );
    // With times, it closes exactly those, whichever day a span began on.
    check(
        "22:00-05:00; We 00:00-02:00 off",
        "2025-11-11/2025-11-13",
        "11T00:00/11T05:00 11T22:00/12T00:00 12T02:00/12T05:00 12T22:00/13T00:00",
    );
    check(
        "22:00-05:00; Tu 23:00-26:00 off",
        "2025-11-11/2025-11-13",
        "11T00:00/11T05:00 11T22:00/11T23:00 12T02:00/12T05:00 12T22:00/13T00:00",
    );
    // `;` replaces what starts on its days, `,` adds to it.
    check(
        "22:00-05:00; We 23:00-01:00",
        "2025-11-11/2025-11-14",
        "11T00:00/11T05:00 11T22:00/12T05:00 12T23:00/13T01:00 13T22:00/14T00:00",
    );
    check(
        "Mo-Fr 08:00-12:00, We 14:00-16:00",
        "2025-11-12/2025-11-13",
        "12T08:00/12T12:00 12T14:00/12T16:00",
    );
    check("Mo-Fr 08:00-12:00; We 14:00-16:00", "2025-11-12/2025-11-13", "12T14:00/12T16:00");
    check(
        "Mo-Fr 08:00-12:00,We 14:00-16:00",
        "2025-11-12/2025-11-13",
        "12T08:00/12T12:00 12T14:00/12T16:00",
    );
    check("We off; Mo-Fr 08:00-12:00", "2025-11-12/2025-11-13", "12T08:00/12T12:00");
    check("We 09:00-10:00 off; Mo-Fr 08:00-12:00", "2025-11-12/2025-11-13", "12T08:00/12T12:00");
    check(
        "08:00-18:00; 12:00-13:00 off",
        "2025-11-12/2025-11-13",
        "12T08:00/12T12:00 12T13:00/12T18:00",
    );
    check(
        "08:00-18:00; 12:00-13:00 off, 12:15-12:30",
        "2025-11-12/2025-11-13",
        "12T08:00/12T12:00 12T12:15/12T12:30 12T13:00/12T18:00",
    );
    check("08:00-18:00; PH off; Dec 25 10:00-11:00", "2025-12-25/2025-12-27", "25T10:00/25T11:00");
    // Overlapping and adjoining spans count as one.
    check("08:00-12:00,11:00-13:00,13:00-14:00", "2025-11-12/2025-11-13", "12T08:00/12T14:00");
}

#[test]
fn holidays() {
    let christmas = "2025-12-23/2025-12-31";
    check_days("PH", christmas, "25 26");
    check_days("ph", christmas, "25 26");
    check_days("Mo-Fr", christmas, "23 24 25 26 29 30");
    check_days("PH,Tu", christmas, "23 25 26 30");
    check_days("Tu,PH", christmas, "23 25 26 30");
    check_days("PH Fr", christmas, "26");
    check_days("Fr PH", christmas, "26");
    check_days("PH -1 day", christmas, "24 25");
    check_days("PH +1 day", christmas, "26 27");
    check_days("PH -2 days,PH,Tu", christmas, "23 24 25 26 30");
    // The substitute day is one too.
    check_days("PH", "2026-12-23/2026-12-31", "25 26 28");
}

#[test]
fn weekdays() {
    let month = "2025-11-01/2025-12-01";
    check_days("Sa", month, "01 08 15 22 29");
    check_days("Mo[1]", month, "03");
    check_days("Fr[-1]", month, "28");
    check_days("Sa[5]", month, "29");
    check_days("Mo[5]", month, "");
    check_days("Sa[-5]", month, "01");
    check_days("Mo[1,3]", month, "03 17");
    check_days("Mo[1-2,-1]", month, "03 10 24");
    check_days("Mo[1],Fr[-1]", month, "03 28");
    check_days("Tu[2] +1 day", month, "12");
    check_days("Sa[1] -1 day", month, "");
    check_days("Mo[1] -1 day", month, "02 30");
    check_days("Fr-Mo", "2025-11-01/2025-11-09", "01 02 03 07 08");
    check_days("Mo,We,Fr", "2025-11-01/2025-11-09", "03 05 07");
    check_days("Mo-Tu,Th - Fr", "2025-11-01/2025-11-09", "03 04 06 07");
}

#[test]
fn dates() {
    check_days("Dec 24-26", "2025-12-20/2025-12-31", "24 25 26");
    check_days("Dec 24,26", "2025-12-20/2025-12-31", "24 26");
    check_days("Dec 24-25,30", "2025-12-20/2025-12-31", "24 25 30");
    check_days("Dec 25,Dec 27", "2025-12-20/2025-12-31", "25 27");
    check_days("dec 25:", "2025-12-20/2025-12-31", "25");
    check_days("Dec 30-Jan 2", "2025-12-28/2026-01-05", "30 31 01 02");
    check_days("Dec 30-Jan 2", "2024-01-01/2024-01-05", "01 02");
    check_days("2025 Dec 30-Jan 2", "2025-12-28/2026-01-05", "30 31 01 02");
    check_days("2025 Dec 30-Jan 2", "2026-12-28/2027-01-05", "");
    check_days("2025 Dec 30-2026 Jan 2", "2025-12-28/2026-01-05", "30 31 01 02");
    check_days("2025 Dec 30-31", "2025-12-28/2026-01-05", "30 31");
    check_days("2025 Dec 30,31,2026 Jan 2", "2025-12-28/2026-01-05", "30 31 02");
    check_days("2025-2026 Jan 1", "2025-12-30/2026-01-05", "01");
    check_days("2026 Dec 30-31,2025 Dec 31", "2025-12-28/2026-01-05", "31");
    check_days("Feb 28-Mar 1", "2025-02-26/2025-03-04", "28 01");
    check_days("Feb 28-Mar 1", "2024-02-26/2024-03-04", "28 29 01");
    check_days("Feb 29", "2025-02-26/2025-03-04", "");
    check_days("Feb 29", "2024-02-26/2024-03-04", "29");
    check_days("Jan-Feb", "2024-02-27/2024-03-04", "27 28 29");
    check_days("Nov-Jan", "2026-01-30/2026-02-03", "30 31");
    check_days("Nov,Jan", "2025-11-29/2025-12-03", "29 30");
    check_days("2025 Nov-Jan", "2026-01-30/2026-02-03", "30 31");
    check_days("2025 Nov-Jan", "2027-01-30/2027-02-03", "");
    check_days("2024 Feb", "2024-02-28/2024-03-02", "28 29");
    check_days("Dec Mo[1]", "2025-12-01/2025-12-09", "01");
    check_days("Dec 1-5 Mo,We", "2025-12-01/2025-12-11", "01 03");
}

#[test]
fn easter_years_and_weeks() {
    check_days("easter", "2025-04-10/2025-04-30", "20");
    check_days("easter -2 days", "2025-04-10/2025-04-30", "18");
    check_days("Easter +1 day", "2026-04-01/2026-04-30", "06");
    check_days("easter -2 days-easter +1 day", "2025-04-10/2025-04-30", "18 19 20 21");
    check_days("easter - easter +1 day", "2025-04-10/2025-04-30", "20 21");
    check_days("easter -2 days,easter +1 day", "2025-04-10/2025-04-30", "18 21");
    check_days("2026 easter", "2025-04-10/2025-04-30", "");
    check_days("2025", "2025-12-30/2026-01-03", "30 31");
    check_days("2026+", "2025-12-30/2026-01-03", "01 02");
    check_days("2024,2026", "2025-12-30/2026-01-03", "01 02");
    check_days("2021-2029/2", "2025-12-30/2026-01-03", "30 31");
    check_days("2020-2030/2", "2025-12-30/2026-01-03", "01 02");
    check_days("2020-2025 Mo-Fr", "2025-12-26/2026-01-03", "26 29 30 31");
    // ISO 8601: the last days of December may lie in week 1.
    check_days("week 1", "2025-12-27/2026-01-07", "29 30 31 01 02 03 04");
    check_days("week 52", "2025-12-27/2026-01-07", "27 28");
    check_days("week 02-10/2", "2026-01-03/2026-01-13", "05 06 07 08 09 10 11");
    check_days("week 51-52/2 Mo", "2025-12-14/2025-12-31", "15");
    check_days("week 1,3 Mo", "2025-12-27/2026-01-20", "29 12");
    check_days("2026 week 1 Mo,Th", "2025-12-27/2026-01-20", "01");
}

#[test]
fn edges_in_gaps_and_folds() {
    // London: 01:00 to 02:00 is left out on 30 March and comes twice on 26 October.
    check("Su 00:30-01:30", "2025-03-30/2025-03-31", "30T00:30/30T01:30");
    check("Su 01:30-03:00", "2025-03-30/2025-03-31", "30T01:30/30T02:00");
    check("Su 01:30-02:00", "2025-03-30/2025-03-31", "");
    check("Su 01:30-02:15", "2025-03-30/2025-03-31", "");
    check("Su 01:15-01:45", "2025-03-30/2025-03-31", "30T01:15/30T01:45");
    check("Su 01:00-02:00", "2025-03-30/2025-03-31", "");
    check("Su 00:00-24:00", "2025-03-29/2025-04-01", "30T00:00/30T23:00");
    check("Su 00:30-01:30", "2025-10-25/2025-10-27", "25T23:30/26T01:30");
    check("Sa 23:30-25:30", "2025-10-25/2025-10-27", "25T22:30/26T01:30");
    check("Su 01:30-02:30", "2025-10-26/2025-10-27", "26T00:30/26T02:30");
    check("Su 01:15-01:45", "2025-10-26/2025-10-27", "26T00:15/26T01:45");
    check(
        "24/7; Su 01:15-01:45 off",
        "2025-10-26/2025-10-27",
        "26T00:00/26T00:15 26T01:45/27T00:00",
    );
    check("Mo-Su 22:00-05:00", "2025-10-25/2025-10-26", "25T00:00/25T04:00 25T21:00/26T00:00");
    // Half an hour only.
    let (zone, spring) = ("Australia/Lord_Howe", "2025-10-04/2025-10-06");
    check_in(zone, "Su 01:50-02:20", spring, "04T15:20/04T15:50");
    check_in(zone, "Su 02:10-02:40", spring, "");
    check_in(zone, "Su 02:10-02:50", spring, "04T15:40/04T15:50");
}

#[test]
fn a_day_that_was_left_out() {
    // Samoa went from the end of 29 December 2011 straight to the 31st: every reading of the 30th
    // lies in a gap of 24 hours.
    let zone = "Pacific/Apia";
    let days = "2011-12-29/2012-01-01";
    check_in(zone, "Th 22:00-05:00", days, "30T08:00/30T15:00");
    check_in(zone, "Fr 09:00-17:00", days, "30T19:00/31T03:00");
    check_in(zone, "Fr 22:00-05:00", days, "");
    check_in(zone, "24/7; Fr off", "2011-12-28/2012-01-01", "28T00:00/01T00:00");
}

#[test]
fn what_is_known_ends_with_the_table() {
    #[track_caller]
    fn check(expression: &str, holidays: &str, known: &[&str], unknown: &[&str]) {
        let calendar = calendar(expression, "Europe/London", holidays);
        for (times, expected) in [(known, true), (unknown, false)] {
            for t in times {
                assert_eq!(calendar.covers(t.parse().unwrap()), expected, "{expression} {t}");
            }
        }
    }
    let far = "2099-01-01T00:00:00Z";
    check("Mo-Fr 08:00-18:00", "GB", &[far, "1999-01-01T00:00:00Z"], &[]);
    check(
        "Mo-Fr 08:00-18:00; PH off",
        "GB",
        &["2010-01-02T00:00:00Z", "2045-12-31T23:59:59Z"],
        &["2010-01-01T23:59:59Z", "2046-01-01T00:00:00Z", far],
    );
    check("PH off", "LK", &["2026-12-31T23:59:59Z"], &["2027-01-01T00:00:00Z"]);
    check(
        "PH -1 day off; PH +2 days off",
        "GB",
        &["2010-01-04T00:00:00Z", "2045-12-30T23:59:59Z"],
        &["2010-01-03T23:59:59Z", "2045-12-31T00:00:00Z"],
    );
    // A positive offset alone knows more days at the end.
    check("PH +1 day off", "GB", &["2046-01-01T23:59:59Z"], &["2046-01-02T00:00:00Z"]);
}

#[test]
fn own_days_alone_are_complete() {
    let mut own = Holidays::none();
    own.add.insert("2025-11-12".parse().unwrap());
    let calendar = Calendar::opening_hours("10:00-11:00; PH off", &Zone::utc(), &own).unwrap();
    assert_eq!(shown(&calendar, "2025-11-11/2025-11-14"), "11T10:00/11T11:00 13T10:00/13T11:00");
    assert!(calendar.uses_holidays() && calendar.covers("2099-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(calendar.known_until(), None);
}
