//! Time stamps, as rows: the text, and the instant in UTC that it means.

use super::*;
use crate::time::rfc3339;
use proptest::prelude::*;

const NEAR: &str = "2025-11-10T13:00:00Z";

fn utc(text: &str) -> Instant {
    text.parse().unwrap()
}

fn stamps(format: &str, zone: &str) -> Stamps {
    Stamps::new(&TimeFormat::parse(format).unwrap(), &Zone::find(zone).unwrap())
}

fn check_near(format: &str, zone: &str, near: &str, text: &str, want: &str) {
    let found = match stamps(format, zone).read(text, utc(near) + AHEAD) {
        Ok(stamp) => rfc3339(stamp.earlier()),
        Err(StampError::Form) => "form".into(),
        Err(StampError::Range) => "range".into(),
        Err(StampError::Zone) => "zone".into(),
    };
    assert_eq!(found, want, "{text:?} as {format} in {zone} read at {near}");
}

/// In London, read on 10 November 2025.
fn check(format: &str, text: &str, want: &str) {
    check_near(format, "Europe/London", NEAR, text, want);
}

#[test]
fn rfc_3339() {
    for format in ["auto", "rfc3339"] {
        check(format, "2025-11-10T13:10:00Z", "2025-11-10T13:10:00Z");
        check(format, "2025-11-10t13:10:00z", "2025-11-10T13:10:00Z");
        check(format, "2025-11-10 13:10:00Z", "2025-11-10T13:10:00Z");
        check(format, "2025-11-10T13:10:00.5Z", "2025-11-10T13:10:00.500Z");
        check(format, "2025-11-10T13:10:00,123456Z", "2025-11-10T13:10:00.123456Z");
        check(format, "2025-11-10T13:10:00.1234567899Z", "2025-11-10T13:10:00.123456789Z");
        check(format, "2025-11-10T13:10:00+01:00", "2025-11-10T12:10:00Z");
        check(format, "2025-11-10T13:10:00-0830", "2025-11-10T21:40:00Z");
        check(format, "2025-11-10 13:10:00 +0100", "2025-11-10T12:10:00Z");
        check(format, "2025-11-10 13:10:00+01", "2025-11-10T12:10:00Z");
        check(format, "2025-11-10 13:10:00 UTC", "2025-11-10T13:10:00Z");
        check(format, "2025-07-10 13:10:00 GMT", "2025-07-10T13:10:00Z");
        check(format, "2025-07-10T13:10-00:00", "2025-07-10T13:10:00Z");
        check(format, " 2025-11-10T13:10:00Z\t", "2025-11-10T13:10:00Z");
        check(format, "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z");
        check(format, "2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250Z");
        check(format, "2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z");
        check(format, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z");
    }
}

#[test]
fn without_an_offset_the_zone_decides() {
    check("auto", "2025-11-10T13:10:00", "2025-11-10T13:10:00Z");
    check("auto", "2025-07-10 13:10:00.250", "2025-07-10T12:10:00.250Z");
    check("rfc3339", "2025-07-10T13:10", "2025-07-10T12:10:00Z");
    check("auto", "2025-07-10 23:59:60", "2025-07-10T23:00:00Z");
    check("auto", "Jul 10 13:10:00", "2025-07-10T12:10:00Z");
    check("auto", "Nov 11 13:00:00", "2025-11-11T13:00:00Z");
    check("auto", "Nov 11 13:00:01", "2024-11-11T13:00:01Z");
    check("%d.%m.%Y %H:%M:%S", "10.07.2025 13:10:00", "2025-07-10T12:10:00Z");
    let tokyo = |text, want| check_near("auto", "Asia/Tokyo", NEAR, text, want);
    tokyo("2025-11-10T13:10:00", "2025-11-10T04:10:00Z");
    tokyo("Nov 10 22:10:00", "2025-11-10T13:10:00Z");
}

#[test]
fn what_is_no_stamp_is_refused() {
    for text in [
        "",
        "now",
        "2025-11-10",
        "2025-11-10T13",
        "2025-11-10T13:1",
        "2025-11-10T13:10:0",
        "2025-11-10T13:10:00.",
        "2025-11-10T13:10:00.Z",
        "2025-11-10T13:10:00X",
        "2025-11-10T13:10:00CET",
        "2025-11-10T13:10:00 CET DST",
        "Monday Nov 10 13:10:00",
        "10-Nov-2025",
        "10-Nov-2025 13:10:00 x",
        "31-Nov-2025 13:10:00",
        "2025-11-10T13:10:00  +0100",
        "2025-11-10T13:10:00Z and more",
        "2025-11-10T13:10:00+1",
        "2025-11-10T13:10:00+24:00",
        "2025-11-10T13:10:00+01:60",
        "2025-11-10T24:00:00Z",
        "2025-11-10T13:60:00Z",
        "2025-11-10T13:10:61Z",
        "2025-13-10T13:10:00Z",
        "2025-02-29T13:10:00Z",
        "2100-02-29T13:10:00Z",
        "2025/11/10 13:10:00",
        "２025-11-10T13:10:00Z",
        "2025-11-10T13:10:0ü",
        "Nov 31 13:10:00",
        "Nov 10 13:10",
        "Nov 1013:10:00",
        "Nov  10 13:10:00",
        "Nvo 10 13:10:00",
        "Nov 10 13:10:00 more",
        "1.2.3",
        "12a",
        "e9",
        "-",
        "+",
        "1e",
    ] {
        check("auto", text, "form");
    }
    check("rfc3339", "1762780200", "form");
    check("rfc2822", "2025-11-10T13:10:00Z", "form");
    check("epoch_s", "2025-11-10T13:10:00Z", "form");
    check("syslog", "2025-11-10T13:10:00Z", "form");
    check("syslog", "1762780200", "form");
}

#[test]
fn years_have_a_range() {
    check("auto", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
    check("auto", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z");
    check("auto", "0000-12-31T23:59:59Z", "range");
    check("auto", "0001-01-01T00:00:00+00:01", "range");
    check("auto", "9999-12-31T23:59:60Z", "range");
    check("auto", "9999-12-31T23:59:59-00:01", "range");
    check("auto", "0000-06-01T00:00:00", "range");
    check("auto", "Mon, 10 Nov 0000 13:10:00 +0000", "form");
    check("%Y %m %d %H:%M", "+12025 11 10 13:00", "range");
    check("epoch_s", "99999999999999", "range");
    check("epoch_s", "999999999999999999999999999999999999999999", "range");
    check("epoch_s", "-99999999999999", "range");
    check("epoch_ms", "1e300", "range");
}

#[test]
fn rfc_2822() {
    for format in ["auto", "rfc2822"] {
        check(format, "Mon, 10 Nov 2025 13:10:00 +0100", "2025-11-10T12:10:00Z");
        check(format, "10 Nov 2025 13:10 GMT", "2025-11-10T13:10:00Z");
        check(format, "Mon, 10 Nov 2025 13:10:00 EST", "2025-11-10T18:10:00Z");
        check(format, "Sat, 31 Dec 2016 23:59:60 +0000", "2017-01-01T00:00:00Z");
        check(format, "Tue, 10 Nov 2025 13:10:00 +0000", "form");
    }
}

#[test]
fn epochs_are_told_apart_by_their_size() {
    let want = "2025-11-10T13:10:00Z";
    check("auto", "1762780200", want);
    check("auto", "1762780200000", want);
    check("auto", "1762780200000000", want);
    check("auto", "1762780200000000000", want);
    check("auto", "1762780200.123456789", "2025-11-10T13:10:00.123456789Z");
    check("auto", "1762780200.1234567899", "2025-11-10T13:10:00.123456789Z");
    check("auto", "1762780200123.5", "2025-11-10T13:10:00.123500Z");
    check("auto", "1.7627802e9", want);
    check("auto", "1.7627802E+09", want);
    // From the year 2000 up to the year 2100.
    for (unit, zeros) in [("epoch_s", ""), ("epoch_ms", "000"), ("epoch_us", "000000")] {
        for format in ["auto", unit] {
            check(format, &format!("946684800{zeros}"), "2000-01-01T00:00:00Z");
            check(format, &format!("4102444799{zeros}"), "2099-12-31T23:59:59Z");
            check(format, &format!("4102444800{zeros}"), "range");
        }
        check(unit, &format!("946684799{zeros}.9"), "range");
    }
    // A date, or a date and a time, in digits is no epoch stamp, whichever unit would explain it.
    for text in ["0", "-0.5", "-1762780200", "9999999999", "99999999999999999999"] {
        check("auto", text, "range");
    }
    for text in ["20251110", "202511101310", "20251110131000", "20251110131000123", "251110131000"]
    {
        check("auto", text, "range");
    }
}

#[test]
fn a_named_unit_is_taken_at_its_word() {
    check("epoch_s", "1762780200", "2025-11-10T13:10:00Z");
    check("epoch_s", "20251110131", "range");
    check("epoch_s", "1762780200000", "range");
    check("epoch_ms", "1762780200", "range");
    check("epoch_ms", "1762780200001", "2025-11-10T13:10:00.001Z");
    check("epoch_us", "1762780200000001", "2025-11-10T13:10:00.000001Z");
    check("epoch_ns", "1762780200000000001", "2025-11-10T13:10:00.000000001Z");
    check("epoch_ns", "-1", "range");
    check("%s", "20251110", "range");
    check("%s.%f", "0.5", "range");
}

#[test]
fn without_a_year_the_latest_counts_that_is_at_most_a_day_ahead() {
    for format in ["auto", "syslog", "%b %d %H:%M:%S", "%a %b %d %H:%M:%S"] {
        for (near, text, weekday, want) in [
            ("2025-11-10T13:00:00Z", "Nov 10 13:10:00", "Mon", "2025-11-10T13:10:00Z"),
            ("2026-01-01T00:00:30Z", "Dec 31 23:59:59", "Wed", "2025-12-31T23:59:59Z"),
            ("2025-12-31T23:59:59Z", "Jan  1 00:00:01", "Thu", "2026-01-01T00:00:01Z"),
            ("2025-01-08T00:00:00Z", "Jul 10 13:10:00", "Wed", "2024-07-10T12:10:00Z"),
            ("2025-01-10T00:00:00Z", "Jul 10 13:10:00", "Wed", "2024-07-10T12:10:00Z"),
            ("2026-11-30T12:00:00Z", "Feb  3 01:00:00", "Tue", "2026-02-03T01:00:00Z"),
            ("2024-03-01T00:00:00Z", "Feb 29 00:00:00", "Thu", "2024-02-29T00:00:00Z"),
            ("2025-03-01T00:00:00Z", "Feb 29 00:00:00", "Thu", "2024-02-29T00:00:00Z"),
            ("2026-06-01T00:00:00Z", "Feb 29 00:00:00", "Thu", "2024-02-29T00:00:00Z"),
            ("2028-02-28T01:00:00Z", "Feb 29 00:00:00", "Tue", "2028-02-29T00:00:00Z"),
            ("2028-02-27T23:59:59Z", "Feb 29 00:00:00", "Thu", "2024-02-29T00:00:00Z"),
            ("2104-01-01T00:00:00Z", "Feb 29 00:00:00", "Wed", "2096-02-29T00:00:00Z"),
        ] {
            let text =
                if format.starts_with("%a") { format!("{weekday} {text}") } else { text.into() };
            check_near(format, "Europe/London", near, &text, want);
        }
    }
    // A weekday that does not fit tells an older year.
    check("%a %b %d %H:%M:%S", "Sat Nov 10 13:10:00", "2018-11-10T13:10:00Z");
    check("%a %b %d %H:%M:%S", "Fri Nov 31 13:10:00", "form");
    check("auto", "nov 3 01:02:03.5", "2025-11-03T01:02:03.500Z");
    check("auto", "NOV 03 01:02:03", "2025-11-03T01:02:03Z");
    check("auto", "Dec 31 23:59:60", "2025-01-01T00:00:00Z");
    check_near("auto", "UTC", "9999-12-31T00:00:00Z", "Jan  1 00:00:00", "9999-01-01T00:00:00Z");
}

#[test]
fn the_year_is_that_of_the_zone() {
    // In Auckland the year 2026 begins at 11:00 UTC.
    let auckland = |text, want| {
        check_near("auto", "Pacific/Auckland", "2025-12-31T12:00:00Z", text, want);
    };
    auckland("Jan  1 01:00:00", "2025-12-31T12:00:00Z");
    auckland("Dec 31 23:00:00", "2025-12-31T10:00:00Z");
    auckland("Jan  2 01:00:00", "2026-01-01T12:00:00Z");
    auckland("Jan  2 01:00:01", "2025-01-01T12:00:01Z");
}

#[test]
fn patterns() {
    let day = "2025-11-10T13:10:00Z";
    check("%d/%m/%Y %H:%M:%S", "10/11/2025 13:10:00", day);
    check("%d/%b/%Y:%H:%M:%S %z", "10/Nov/2025:13:10:00 +0100", "2025-11-10T12:10:00Z");
    check("%Y-%m-%d %I:%M:%S %p", "2025-11-10 01:10:00 PM", day);
    check("%Y%m%d%H%M%S", "20251110131000", day);
    check("%s", "1762780200", day);
    check("%s.%f", "1762780200.25", "2025-11-10T13:10:00.250Z");
    check("%y-%j %H:%M", "25-314 13:10", day);
    check("[%Y-%m-%d] %T", "[2025-11-10] 13:10:00", day);
    check("%Y-%m-%dT%H:%M:%S%.f%:z", "2025-11-10T13:10:00.5+01:00", "2025-11-10T12:10:00.500Z");
    check("%c", "Mon Nov 10 13:10:00 2025", day);
    check("%Y-%m-%d %H:%M:%S", "2016-12-31 23:59:60", "2017-01-01T00:00:00Z");
    check("%Y-%m-%d %H:%M:%S", "2025-11-10 13:10:00 ", day);
    check("%Y-%m-%d %H:%M:%S", "2025-11-10 13:10:00x", "form");
    check("%Y-%m-%d %H:%M:%S", "2025-11-10 13:10", "form");
    check("%Y-%m-%d %H:%M:%S", "2025-11-31 13:10:00", "form");
    check("%Y-%m-%d %H:%M:%S", "2025-11-10T13:10:00Z", "form");
}

#[test]
fn a_fraction_in_a_pattern_is_a_fraction() {
    for (format, text) in [
        ("%Y-%m-%d %H:%M:%S,%f", "2025-11-10 13:10:00,123"),
        ("%Y-%m-%d %H:%M:%S.%f", "2025-11-10 13:10:00.123000"),
        ("%Y-%m-%d %H:%M:%S,%3f", "2025-11-10 13:10:00,123"),
        ("%Y-%m-%d %H:%M:%S%.f", "2025-11-10 13:10:00.123"),
        ("%Y-%m-%d %H:%M:%S%.3f", "2025-11-10 13:10:00.123"),
    ] {
        check(format, text, "2025-11-10T13:10:00.123Z");
    }
    check("%H:%M:%S.%f %d.%m.%Y", "13:10:00. 10.11.2025", "form");
    check("%H:%M:%S.%f %d.%m.%Y", "13:10:00.5 10.11.2025", "2025-11-10T13:10:00.500Z");
}

#[test]
fn zones_in_a_pattern() {
    let offset = "%Y-%m-%d %H:%M:%S %z";
    let name = "%Y-%m-%d %H:%M:%S %Z";
    check(offset, "2025-07-10 13:10:00 Z", "2025-07-10T13:10:00Z");
    check(offset, "2025-07-10 13:10:00 -02:00", "2025-07-10T15:10:00Z");
    check(offset, "2025-07-10 13:10:00", "form");
    check(name, "2025-07-10 13:10:00 UTC", "2025-07-10T13:10:00Z");
    check(name, "2025-07-10 13:10:00 gmt", "2025-07-10T13:10:00Z");
    check(name, "2025-07-10 13:10:00 CEST", "2025-07-10T11:10:00Z");
    check(name, "2025-07-10 13:10:00 IST", "zone");
    check(name, "2025-07-10 13:10:00 Europe/Paris", "2025-07-10T11:10:00Z");
    check(name, "2025-07-10 13:10:00 america/new_york", "2025-07-10T17:10:00Z");
    check(name, "2025-07-10 13:10:00 Europe/Atlantis", "zone");
    check(name, "2025-07-10 13:10:00 summertime", "zone");
    check("%b %d %H:%M:%S %Z", "Jul 10 13:10:00 Asia/Tokyo", "2025-07-10T04:10:00Z");
    check("%b %d %H:%M:%S %Z", "Nov 11 22:00:00 JST", "2025-11-11T13:00:00Z");
    check("%b %d %H:%M:%S %Z", "Nov 11 22:00:01 XYZ", "zone");
    check(name, "2025-07-10 13:10:00 ", "form");
    check("%a %b %e %H:%M:%S %Z %Y", "Thu Jul 10 13:10:00 BST 2025", "2025-07-10T12:10:00Z");
}

#[test]
fn an_abbreviation_is_read_as_a_person_would() {
    let rows = |zone: &str, text: &str, want: &str| check_near("auto", zone, NEAR, text, want);
    // In the source's own zone it is what the clocks go by, and tells the two hours of a fold apart.
    rows("Europe/Berlin", "2024-06-27 00:00:07.369 CEST", "2024-06-26T22:00:07.369Z");
    rows("Europe/Berlin", "2025-10-26 02:30:00 CEST", "2025-10-26T00:30:00Z");
    rows("Europe/Berlin", "2025-10-26 02:30:00 CET", "2025-10-26T01:30:00Z");
    rows("Europe/London", "2025-07-10 13:10:00 BST", "2025-07-10T12:10:00Z");
    rows("Asia/Kolkata", "2025-07-10 13:10:00 IST", "2025-07-10T07:40:00Z");
    rows("America/Chicago", "2025-11-10 13:10:00 CST", "2025-11-10T19:10:00Z");
    // Elsewhere it counts if it has one meaning.
    rows("Europe/London", "2025-07-10 13:10:00 CEST", "2025-07-10T11:10:00Z");
    rows("Europe/Berlin", "2025-07-10 13:10:00 CET", "2025-07-10T12:10:00Z");
    rows("UTC", "2025-07-10 13:10:00 EST", "2025-07-10T18:10:00Z");
    // No instant of the zone shows a reading in a spring gap, but the name says which one is meant.
    rows("Europe/Berlin", "2025-03-30 02:30:00 CET", "2025-03-30T01:30:00Z");
    for name in ["BST", "IST", "CST", "PST", "XYZ"] {
        rows("Europe/Berlin", &format!("2025-11-10 13:10:00 {name}"), "zone");
    }
    rows("Europe/Berlin", "9999-12-31 23:59:59 HST", "range");
    // What is written like a zone's name and is none means nothing.
    rows("Europe/Berlin", "2025-11-10 13:10:00 Cet", "zone");
    rows("Europe/Berlin", "2025-11-10 13:10:00 local", "zone");
}

#[test]
fn names_of_zones_are_read_where_they_stand() {
    let rows = |text: &str, want: &str| check_near("auto", "Europe/Berlin", NEAR, text, want);
    rows("2025-07-10 13:10:00 Asia/Tokyo", "2025-07-10T04:10:00Z");
    rows("2025-07-10T13:10:00[America/New_York]", "2025-07-10T17:10:00Z");
    rows("2025-07-10T13:10:00+09:00[Asia/Tokyo]", "2025-07-10T04:10:00Z");
    rows("2025-07-10T04:10:00Z[Asia/Tokyo]", "2025-07-10T04:10:00Z");
    rows("2025-07-10T13:10:00+09:00[Asia/Tokyo][u-ca=japanese]", "2025-07-10T04:10:00Z");
    // In the hour that comes twice the offset tells them apart.
    rows("2025-10-26T02:30:00+01:00[Europe/Berlin]", "2025-10-26T01:30:00Z");
    rows("2025-07-10T13:10:00+02:00[Asia/Tokyo]", "zone");
    rows("2025-07-10T13:10:00[Nowhere/Land]", "zone");
    rows("2025-07-10T13:10:00Z[Nowhere/Land]", "zone");
    rows("2025-07-10T13:10:00+09:00[Asia/Tokyo", "form");
    rows("2025-07-10T13:10:00+09:00[!x=y]", "form");
}

#[test]
fn forms_that_some_programs_have() {
    check("auto", "Mon Nov 10 13:10:00.250", "2025-11-10T13:10:00.250Z");
    check("auto", "Thu Jan  2 23:27:11.720", "2025-01-02T23:27:11.720Z");
    check("auto", "10-Nov-2025 13:10:00", "2025-11-10T13:10:00Z");
    check("auto", "10-Jul-2025 13:10:00.5", "2025-07-10T12:10:00.500Z");
}

#[test]
fn time_formats_are_checked() {
    for text in
        ["auto", "rfc3339", "rfc2822", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "syslog"]
    {
        assert!(TimeFormat::parse(text).is_ok(), "{text}");
    }
    for (text, want) in [
        ("iso8601", "unknown time format \"iso8601\", expected auto, "),
        ("", "unknown time format \"\""),
        ("%Y-%m-%d %Q", "time format \"%Y-%m-%d %Q\" has a directive that is not known"),
        ("%Y-%m-%d", "time format names no full date"),
        ("%H:%M:%S", "time format names no full date"),
        ("%Y-%m-%d %I:%M", "time format names no full date"),
        ("%%", "time format names no full date"),
        ("%Z", "time format names no full date"),
    ] {
        let error = TimeFormat::parse(text).unwrap_err();
        assert!(error.starts_with(want), "{text}: {error}");
    }
    for text in ["%b %d %H:%M", "%Y-%m-%d %H", "%A, %d %B %Y, %r", "%FT%T%#z", "%+", "%G-W%V-%u %R"]
    {
        assert_eq!(TimeFormat::parse(text).is_ok(), text != "%Y-%m-%d %H", "{text}");
    }
}

#[test]
fn a_fold_takes_the_earlier_reading_until_it_has_passed() {
    // 26 October 2025: at 02:00 BST the clocks of London go back to 01:00 GMT.
    let stamp = stamps("auto", "Europe/London").read("2025-10-26 01:30:00", utc(NEAR)).unwrap();
    let (earlier, later) = ("2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z");
    for (last, want) in [
        (None, earlier),
        (Some("2025-10-26T00:00:00Z"), earlier),
        (Some(earlier), earlier),
        // Two writers may be a minute apart.
        (Some("2025-10-26T00:31:00Z"), earlier),
        (Some("2025-10-26T00:31:00.000000001Z"), later),
        (Some("2025-10-26T01:00:00Z"), later),
        (Some(later), later),
        (Some("2025-10-26T01:31:00Z"), later),
        (Some("2025-10-26T01:31:00.000000001Z"), earlier),
        (Some("2025-10-27T00:00:00Z"), earlier),
    ] {
        let other = if want == earlier { later } else { earlier };
        let found = stamp.of_line(last.map(utc), TimeDelta::minutes(1));
        assert_eq!(found, (utc(want), Some(utc(other))), "{last:?}");
    }
    let after = Some(utc("2025-10-26T00:30:00.000000001Z"));
    assert_eq!(stamp.of_line(after, TimeDelta::zero()).0, utc(later));
    assert_eq!(stamp.earlier(), utc(earlier));
}

#[test]
fn only_a_fold_is_ambiguous() {
    let late = Some(utc("2025-10-26T01:30:00Z"));
    for (text, want) in [
        ("2025-10-26 00:59:59", "2025-10-25T23:59:59Z"),
        ("2025-10-26 02:00:00", "2025-10-26T02:00:00Z"),
        ("2025-10-26T01:30:00+01:00", "2025-10-26T00:30:00Z"),
        // The spring gap: 01:00 to 02:00 on 30 March 2025 moves forward by an hour.
        ("2025-03-30 01:30:00", "2025-03-30T01:30:00Z"),
    ] {
        let stamp = stamps("auto", "Europe/London").read(text, utc(NEAR)).unwrap();
        assert_eq!(stamp.of_line(late, TimeDelta::zero()), (utc(want), None), "{text}");
    }
}

#[test]
fn beside_the_line_s_own_stamp_evident_forms_are_read_too() {
    let stamps = stamps("%d/%m/%Y %H:%M", "Europe/London");
    let read = |text| stamps.read_beside(text, utc(NEAR)).map(Stamp::earlier);
    assert_eq!(read("10/07/2025 13:10"), Ok(utc("2025-07-10T12:10:00Z")));
    assert_eq!(read("2025-07-10T13:10:00Z"), Ok(utc("2025-07-10T13:10:00Z")));
    assert_eq!(read("2025-07-10T13:10"), Ok(utc("2025-07-10T12:10:00Z")));
    assert_eq!(read("1762780200"), Err(StampError::Form));
    assert_eq!(read("0000-07-10T13:10:00Z"), Err(StampError::Range));
    assert_eq!(stamps.read("2025-07-10T13:10:00Z", utc(NEAR)), Err(StampError::Form));
}

proptest! {
    #[test]
    fn every_instant_is_read_as_it_is_written(
        seconds in -62_135_596_800_i64..253_402_300_800,
        nanos in 0_u32..1_000_000_000,
        east in -1439..1440,
    ) {
        let at = DateTime::from_timestamp(seconds, nanos).unwrap();
        let offset = chrono::FixedOffset::east_opt(east * 60).unwrap();
        let stamps = stamps("auto", "Europe/London");
        let texts = [rfc3339(at), at.with_timezone(&offset).to_rfc3339()];
        for text in texts.iter().filter(|text| text.len() < 40 && !text.starts_with(['+', '-'])) {
            match stamps.read(text, at) {
                Ok(found) => prop_assert_eq!(found, Stamp::Exact(at), "{}", text),
                Err(error) => prop_assert_eq!((error, &text[..4]), (StampError::Range, "0000")),
            }
        }
        let near = chrono::Datelike::year(&at);
        prop_assume!((2..9999).contains(&near));
        let text = at.format("%d.%m.%Y %H:%M:%S.%f").to_string();
        let pattern = stamps_utc("%d.%m.%Y %H:%M:%S.%f");
        prop_assert_eq!(pattern.read(&text, at).map(Stamp::earlier), Ok(at), "{}", text);
        let text = at.format("%b %e %H:%M:%S").to_string();
        let whole = DateTime::from_timestamp(seconds, 0).unwrap();
        prop_assert_eq!(stamps_utc("syslog").read(&text, at).map(Stamp::earlier), Ok(whole));
    }

    #[test]
    fn numbers_are_read_without_rounding(whole in any::<i64>(), fraction in 0_u32..1_000_000_000) {
        let text = format!("{whole}.{fraction:09}");
        let sign = if whole < 0 { -1 } else { 1 };
        let want = i128::from(whole) * number::BILLION + sign * i128::from(fraction);
        prop_assert_eq!(number::billionths(&text), Some(want));
        prop_assert_eq!(number::billionths(&format!("{whole}e-9")), Some(whole.into()));
    }

    #[test]
    fn nothing_panics(
        text in r"[-+0-9TZz:., a-zA-ZNovMü/]{0,36}",
        format in prop::sample::select(vec![
            "auto", "rfc2822", "epoch_ns", "%b %d %H:%M:%S", "%Y-%m-%d %H:%M:%S,%3f %Z",
            "%A %d %B %Y %I:%M %p", "%s%.f", "%c", "%D %T%.9f %:z", "%G-W%V-%u %R", "%FT%T%#z",
        ]),
    ) {
        let _ = stamps(format, "Europe/London").read(&text, utc(NEAR));
    }

    #[test]
    fn no_pattern_panics(pattern in r"(%[-_0#:.]?[3-9a-zA-Z+%]| |ü|x){1,6}", text in any::<String>()) {
        if let Ok(format) = TimeFormat::parse(&pattern) {
            let _ = Stamps::new(&format, &Zone::utc()).read(&text, utc(NEAR));
        }
    }
}

fn stamps_utc(format: &str) -> Stamps {
    stamps(format, "UTC")
}
