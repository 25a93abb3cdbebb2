//! Documents in every state of repair, their zones and values.

use super::*;
use crate::calendar::{Edge, Zone};
use crate::time::rfc3339;
use chrono::TimeDelta;
use proptest::prelude::*;

/// Components as `NAME(property=value ... inner...)`.
fn shown(component: &Component) -> String {
    let properties = component.properties.iter().map(|p| format!("{}={}", p.name, p.value));
    let inner = component.components.iter().map(shown);
    format!("{}({})", component.name, properties.chain(inner).collect::<Vec<_>>().join(" "))
}

#[test]
fn components_in_every_state_of_repair() {
    #[track_caller]
    fn check(text: &str, want: &str, unfinished_at: Option<usize>) {
        let document = Document::parse(text.replace(' ', "\r\n").as_bytes()).unwrap();
        let got: Vec<_> = document.components.iter().map(shown).collect();
        assert_eq!(got.join(" "), want, "{text}");
        assert_eq!(document.unfinished_at, unfinished_at, "{text}");
    }
    check("", "", None);
    check("A:1", "", None);
    check(
        "BEGIN:VCALENDAR A:1 BEGIN:VEVENT B:2 BEGIN:VALARM C:3 END:VALARM D:4 END:VEVENT END:VCALENDAR",
        "VCALENDAR(A=1 VEVENT(B=2 D=4 VALARM(C=3)))",
        None,
    );
    // Names in any case; junk behind BEGIN belongs to nothing.
    check("begin:vcalendar end:VCalendar", "VCALENDAR()", None);
    check("BEGIN:VCALENDAR junk A:1 END:VCALENDAR junk", "VCALENDAR(A=1)", None);
    // A missing END.
    check(
        "BEGIN:VCALENDAR BEGIN:VEVENT A:1 BEGIN:VALARM B:2 BEGIN:VEVENT C:3 END:VEVENT END:VCALENDAR",
        "VCALENDAR(VEVENT(A=1 VALARM(B=2)) VEVENT(C=3))",
        None,
    );
    check(
        "BEGIN:VCALENDAR BEGIN:VEVENT A:1 END:VCALENDAR BEGIN:VCALENDAR END:VCALENDAR",
        "VCALENDAR(VEVENT(A=1)) VCALENDAR()",
        None,
    );
    check(
        "BEGIN:VCALENDAR BEGIN:VTIMEZONE BEGIN:STANDARD A:1 BEGIN:DAYLIGHT B:2 BEGIN:VEVENT END:VEVENT END:VCALENDAR",
        "VCALENDAR(VTIMEZONE(STANDARD(A=1) DAYLIGHT(B=2)) VEVENT())",
        None,
    );
    // An END of what is not open; half a file.
    check("END:VEVENT BEGIN:VCALENDAR END:VEVENT A:1 END:VCALENDAR", "VCALENDAR(A=1)", None);
    check("BEGIN:VEVENT A:1 END:VEVENT", "VEVENT(A=1)", None);
    check("A:1 BEGIN:VCALENDAR BEGIN:VEVENT B:2", "VCALENDAR(VEVENT(B=2))", Some(5));
}

#[test]
fn limits_have_names() {
    let message = |text: &[u8]| Document::parse(text).unwrap_err().message;
    assert_eq!(message(&vec![b'x'; BYTES_MAX + 1]), "file is larger than 16777216 bytes");
    let deep = "BEGIN:X\n".repeat(DEPTH_MAX + 1);
    assert_eq!(message(deep.as_bytes()), "components more than 8 deep");
    let many = "BEGIN:VEVENT\n".repeat(COMPONENTS_MAX + 1);
    assert_eq!(message(many.as_bytes()), "more than 200000 components");
}

fn calendar(body: &str) -> Component {
    let text = format!("BEGIN:VCALENDAR\n{body}\nEND:VCALENDAR\n");
    Document::parse(text.as_bytes()).unwrap().components.remove(0)
}

fn london() -> Zone {
    Zone::find("Europe/London").unwrap()
}

/// The instant of the one property in `body`, its civil reading if it is a day, or the error.
fn read(body: &str) -> String {
    let calendar = calendar(body);
    let zones = Zones::of(&calendar, None, &london());
    match calendar.properties.last().unwrap().time(&zones) {
        Ok(time) if time.is_date => format!("{} {}", time.civil.date(), time.zone.name()),
        Ok(time) => rfc3339(time.instant(Edge::Earlier)),
        Err(error) => error.message,
    }
}

#[test]
fn times_and_their_zones() {
    #[track_caller]
    fn check(body: &str, want: &str) {
        assert_eq!(read(body), want, "{body}");
    }
    check("DTSTART:20250710T131000Z", "2025-07-10T13:10:00Z");
    check("DTSTART:20250710T131000", "2025-07-10T12:10:00Z");
    check("DTSTART;TZID=America/New_York:20250710T131000", "2025-07-10T17:10:00Z");
    check("DTSTART;TZID=america/new_york:20250710t131000", "2025-07-10T17:10:00Z");
    check("DTSTART;VALUE=DATE:20250710", "2025-07-10 Europe/London");
    check("DTSTART:20250710", "2025-07-10 Europe/London");
    check("DTSTART;TZID=Nowhere:20250710", "2025-07-10 Europe/London");
    check("X-WR-TIMEZONE:Asia/Tokyo\nDTSTART:20250710T131000", "2025-07-10T04:10:00Z");
    // Gap and fold.
    check("DTSTART:20250330T013000", "2025-03-30T01:30:00Z");
    check("DTSTART:20251026T013000", "2025-10-26T00:30:00Z");
    // Names of other kinds.
    let summer = "2025-07-10T12:10:00Z";
    for id in [
        "GMT Standard Time",
        "gmt standard time",
        "\"(UTC+00:00) Dublin, Edinburgh, Lisbon, London\"",
        "(UTC+00:00) Dublin, Edinburgh, Lisbon, London",
        "(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London",
        "/freeassociation.sourceforge.net/Europe/London",
        "/mozilla.org/20050126_1/Europe/London",
        "GB",
    ] {
        let id =
            if id.contains(':') && !id.contains('"') { format!("\"{id}\"") } else { id.into() };
        check(&format!("DTSTART;TZID={id}:20250710T131000"), summer);
    }
    check("DTSTART;TZID=Eastern Standard Time:20250710T131000", "2025-07-10T17:10:00Z");
    check(
        "DTSTART;TZID=\"(UTC-05:00) Eastern Time (US & Canada)\":20250710T131000",
        "2025-07-10T17:10:00Z",
    );
    check(
        "DTSTART;TZID=Middle Earth:20250710T131000",
        "DTSTART: unknown time zone \"Middle Earth\": neither an IANA nor a Windows name, and the calendar has no VTIMEZONE for it",
    );
    check(
        "X-WR-TIMEZONE:Middle Earth\nDTSTART:20250710T131000",
        "DTSTART: no zone, and X-WR-TIMEZONE \"Middle Earth\" is none that is known",
    );
    for wrong in [
        "",
        "2025",
        "2025-07-10",
        "20250710T1310",
        "20251310T131000",
        "20250710Z",
        "20250710T250000",
        "00000101",
    ] {
        let got = read(&format!("DTSTART:{wrong}"));
        assert!(got.starts_with(&format!("DTSTART: {wrong:?} is not a date or time")), "{got}");
    }
    // Broken off: part of the value where that makes sense.
    check("DTSTART:20250710\nT131000Z", "2025-07-10T13:10:00Z");
    check("DTSTART:20250710T131000Z\njunk", "2025-07-10T13:10:00Z");
}

#[test]
fn zones_of_a_calendars_own() {
    fn zone(id: &str, parts: &str) -> String {
        format!("BEGIN:VTIMEZONE\nTZID:{id}\n{parts}\nEND:VTIMEZONE\n")
    }
    fn part(name: &str, start: &str, to: &str, rest: &str) -> String {
        format!("BEGIN:{name}\nDTSTART:{start}\nTZOFFSETTO:{to}\n{rest}\nEND:{name}\n")
    }
    #[track_caller]
    fn check(zone: &str, time: &str, want: &str) {
        let got = read(&format!("{zone}DTSTART;TZID=Own:{time}"));
        assert!(got.starts_with(want), "{time}: {got}");
    }
    let winter =
        part("STANDARD", "16011028T030000", "+0100", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10");
    let summer =
        part("DAYLIGHT", "16010325T020000", "+0200", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3");
    let berlin = zone("Own", &format!("{winter}{summer}"));
    check(&berlin, "20250710T120000", "2025-07-10T10:00:00Z");
    check(&berlin, "20251110T120000", "2025-11-10T11:00:00Z");
    check(&berlin, "20251026T025959", "2025-10-26T00:59:59Z");
    check(&berlin, "20250330T023000", "2025-03-30T01:30:00Z");
    // The southern half, and the second Sunday.
    let south = format!(
        "{}{}",
        part("STANDARD", "16010401T030000", "+1000", "RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU"),
        part("DAYLIGHT", "16011004T020000", "+1100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=2SU"),
    );
    check(&zone("Own", &south), "20250110T120000", "2025-01-10T01:00:00Z");
    check(&zone("Own", &south), "20250710T120000", "2025-07-10T02:00:00Z");
    let fixed = part("STANDARD", "16010101T000000", "-0330", "");
    check(&zone("Own", &fixed), "20250710T120000", "2025-07-10T15:30:00Z");
    // A place beside it is better than its rules, and so is a name.
    let located = zone("Own", &format!("X-LIC-LOCATION:Europe/London\n{fixed}"));
    check(&located, "20250710T120000", "2025-07-10T11:00:00Z");
    let named = zone("W. Europe Standard Time", &fixed);
    let got = read(&format!("{named}DTSTART;TZID=W. Europe Standard Time:20250710T120000"));
    assert_eq!(got, "2025-07-10T10:00:00Z");
    // What is not understood is not guessed.
    for parts in [
        String::new(),
        winter.clone(),
        format!(
            "{winter}{}",
            part("DAYLIGHT", "20070311T020000", "+0200", "RDATE:20080311T020000")
        ),
        format!("{winter}{}", summer.replace("BYDAY=-1SU;BYMONTH=3", "BYMONTHDAY=25")),
        format!("{winter}{}", summer.replace("+0200", "two")),
    ] {
        check(
            &zone("Own", &parts),
            "20250710T120000",
            "DTSTART: unknown time zone \"Own\", and its VTIMEZONE",
        );
    }
}

/// A part of a `VTIMEZONE`, with the offsets before and after.
fn part(name: &str, start: &str, offsets: (&str, &str), rest: &str) -> String {
    let (from, to) = offsets;
    format!(
        "BEGIN:{name}\nDTSTART:{start}\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{rest}\nEND:{name}\n"
    )
}

/// Times of a zone of these parts, and their instants.
#[track_caller]
fn check_own(parts: &[String], times: &[(&str, &str)]) {
    let zone = format!("BEGIN:VTIMEZONE\nTZID:Own\n{}END:VTIMEZONE\n", parts.concat());
    for (time, want) in times {
        assert_eq!(read(&format!("{zone}DTSTART;TZID=Own:{time}")), *want, "{time} {zone}");
    }
}

#[test]
fn zones_of_several_eras() {
    // New York: the rules until 2006, and those since.
    let (winter, summer) = (("-0400", "-0500"), ("-0500", "-0400"));
    let eras = [
        part(
            "DAYLIGHT",
            "19870405T020000",
            summer,
            "RRULE:FREQ=YEARLY;UNTIL=20060402T070000Z;BYMONTH=4;BYDAY=1SU",
        ),
        part(
            "STANDARD",
            "19671029T020000",
            winter,
            "RRULE:FREQ=YEARLY;UNTIL=20061029T060000Z;BYMONTH=10;BYDAY=-1SU",
        ),
        part("DAYLIGHT", "20070311T020000", summer, "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"),
        part("STANDARD", "20071104T020000", winter, "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"),
    ];
    let new_york = Zone::find("America/New_York").unwrap();
    let times: Vec<(String, String)> = (1990..2060)
        .flat_map(|year| {
            ["0320", "0410", "1030", "1101", "1201"].map(|day| {
                let text = format!("{year}{day}T120000");
                let civil = Stamp::parse(&text).unwrap().civil;
                (text, rfc3339(new_york.resolve(civil, Edge::Earlier)))
            })
        })
        .collect();
    check_own(&eras, &times.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>());
    // In the gap and in the fold as everywhere else.
    check_own(
        &eras,
        &[
            ("20250309T023000", "2025-03-09T07:30:00Z"),
            ("20251102T013000", "2025-11-02T05:30:00Z"),
            ("20251102T020000", "2025-11-02T07:00:00Z"),
        ],
    );
}

#[test]
fn zones_by_dates() {
    // By dates; after the last of them it stays as it is, before the first as it was.
    let dates = [
        part(
            "STANDARD",
            "20240101T000000",
            ("+0430", "+0330"),
            "RDATE:20250921T000000,20260922T000000",
        ),
        part(
            "DAYLIGHT",
            "20250322T000000",
            ("+0330", "+0430"),
            "RDATE;VALUE=DATE-TIME:20260322T000000",
        ),
    ];
    check_own(
        &dates,
        &[
            ("20230701T120000", "2023-07-01T07:30:00Z"),
            ("20250301T120000", "2025-03-01T08:30:00Z"),
            ("20250322T000000", "2025-03-21T20:30:00Z"),
            ("20250322T010000", "2025-03-21T20:30:00Z"),
            ("20250701T120000", "2025-07-01T07:30:00Z"),
            ("20260101T120000", "2026-01-01T08:30:00Z"),
            ("20260701T120000", "2026-07-01T07:30:00Z"),
            ("20300701T120000", "2030-07-01T08:30:00Z"),
        ],
    );
    // Moved for good, once.
    let moved = [
        part("STANDARD", "19700101T000000", ("+0300", "+0300"), ""),
        part("STANDARD", "20250601T000000", ("+0300", "+0400"), ""),
    ];
    check_own(
        &moved,
        &[
            ("20250531T235959", "2025-05-31T20:59:59Z"),
            ("20250601T010000", "2025-05-31T21:00:00Z"),
            ("20990101T000000", "2098-12-31T20:00:00Z"),
        ],
    );
}

#[test]
fn names_of_zones_as_programs_write_them() {
    let (london, berlin, east) = ("12:10", "11:10", "17:10");
    for (id, want) in [
        ("(UTC-05:00) Eastern Time (US and Canada)", east),
        ("Eastern Time (US &  Canada)", east),
        ("(GMT-05.00) Eastern Time (US & Canada)", east),
        ("'Eastern Standard Time'", east),
        ("(UTC+01:00) Amsterdam, Berlin", berlin),
        ("(UTC+01:00) Vienna", berlin),
        ("(GMT+01.00) Amsterdam / Berlin / Bern / Rome / Stockholm / Vienna", berlin),
        ("(UTC+01:00) Amsterdam\\, Berlin\\, Bern\\, Rome\\, Stockholm\\, Vienna", berlin),
        ("(UTC) Dublin, Edinburgh", london),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/London", london),
        ("/citadel.org/20250101_1/Europe/Berlin", berlin),
        ("tzone://Microsoft/Utc", "13:10"),
        ("(GMT)", "13:10"),
        ("UTC", "13:10"),
        ("(GMT +01:00)", "12:10"),
        ("(UTC+05:30)", "07:40"),
        ("GMT-0330", "16:40"),
        ("UTC+2", "11:10"),
        ("UTC - 02", "15:10"),
        ("+05:45", "07:25"),
    ] {
        let want = format!("2025-07-10T{want}:00Z");
        assert_eq!(read(&format!("DTSTART;TZID=\"{id}\":20250710T131000")), want, "{id}");
    }
    // Without the quotes that its colon needs.
    let bare =
        "DTSTART;TZID=(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna:20250710T131000";
    assert_eq!(read(bare), "2025-07-10T11:10:00Z");
    // A name that nobody knows is none, whatever offset stands before it; nor is a place that is in two zones.
    for id in [
        "(UTC+01:00) Middle Earth",
        "(UTC+01:00) Berlin, Paris",
        "(UTC+01:00)x",
        "GMT+0100 (Standard)",
        "UTC+99",
        "UTC+1:5",
        "+",
        "Berlin",
    ] {
        let got = read(&format!("DTSTART;TZID=\"{id}\":20250710T131000"));
        assert!(got.starts_with(&format!("DTSTART: unknown time zone {id:?}")), "{got}");
    }
    // What the calendar says of a zone counts before an offset in its name.
    let rules = "BEGIN:STANDARD\nDTSTART:16011028T030000\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010325T020000\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\n";
    for id in ["GMT +0100 (Standard) / GMT +0200 (Daylight)", "(GMT +01:00)"] {
        let text = format!(
            "BEGIN:VTIMEZONE\nTZID:{id}\n{rules}END:VTIMEZONE\nDTSTART;TZID=\"{id}\":20250710T131000"
        );
        assert_eq!(read(&text), "2025-07-10T11:10:00Z", "{id}");
    }
}

#[test]
fn every_windows_zone_is_one_here() {
    let rows = include_str!("../../../data/windows_zones.txt").lines();
    let mut seen = std::collections::HashSet::new();
    for row in rows.filter(|row| !row.starts_with('#')) {
        let parts: Vec<&str> = row.split(" | ").collect();
        let zone = Zone::find(parts[1]).unwrap_or_else(|| panic!("{row}"));
        for name in parts.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, name)| name) {
            assert!(seen.insert(name.to_lowercase()), "{name} appears twice");
            assert_eq!(zones::named_zone(name), Some(zone.clone()), "{name}");
        }
    }
    assert!(270 < seen.len(), "{}", seen.len());
}

#[test]
fn lengths() {
    #[track_caller]
    fn check(text: &str, want: Option<(i64, i64)>) {
        let got = Length::parse(text).map(|l| (l.days, l.exact.num_seconds()));
        assert_eq!(got, want, "{text}");
    }
    check("P1W", Some((7, 0)));
    check("P15DT5H0M20S", Some((15, 18_020)));
    check("PT1H30M", Some((0, 5_400)));
    check("+PT90M", Some((0, 5_400)));
    check("-PT15M", Some((0, -900)));
    check("-P1D", Some((-1, 0)));
    check("P0D", Some((0, 0)));
    for wrong in [
        "",
        "P",
        "PT",
        "P1DT",
        "1D",
        "P1H",
        "PT1D",
        "P1M",
        "P1.5D",
        "PT1M1H",
        "P-1D",
        "P99999999999999999999D",
        "P40000D",
        "PT1H ",
    ] {
        check(wrong, None);
    }
}

#[test]
fn nominal_days_come_before_exact_hours() {
    #[track_caller]
    fn check(length: &str, start: &str, want: &str) {
        let civil = start.parse().unwrap();
        let from = london().resolve(civil, Edge::Earlier);
        let end = Length::parse(length).unwrap().end(civil, from, &london()).unwrap();
        assert_eq!(rfc3339(end), want, "{start} {length}");
    }
    check("PT24H", "2025-03-29T22:00:00", "2025-03-30T22:00:00Z");
    check("P1D", "2025-03-29T22:00:00", "2025-03-30T21:00:00Z");
    check("P1DT2H", "2025-10-25T22:00:00", "2025-10-27T00:00:00Z");
    check("PT7H", "2025-10-25T22:00:00", "2025-10-26T04:00:00Z");
}

#[test]
fn lists_and_periods() {
    let calendar = calendar(
        "RDATE;VALUE=PERIOD:20250101T000000Z/PT1H,20250102T000000Z/20250102T020000Z,20250103",
    );
    let zones = Zones::of(&calendar, None, &Zone::utc());
    let times = calendar.properties[0].times(&zones).unwrap();
    let ends: Vec<_> = times.iter().map(|(_, end)| end.clone()).collect();
    assert_eq!(ends[0], Some(PeriodEnd::After(Length { days: 0, exact: TimeDelta::hours(1) })));
    assert!(
        matches!(&ends[1], Some(PeriodEnd::At(t)) if t.civil.to_string() == "2025-01-02 02:00:00")
    );
    assert_eq!(ends[2], None);
    let wrong = super::tests::calendar("EXDATE:20250101,x");
    let zones = Zones::of(&wrong, None, &Zone::utc());
    let error = wrong.properties[0].times(&zones).unwrap_err();
    assert!(error.message.starts_with("EXDATE: \"x\" is not a date or time"), "{error}");
    assert_eq!(error.at, 16);
}

#[test]
fn texts_lose_their_escapes() {
    assert_eq!(unescape(r"a\, b\; c\\d\ne\Nf\"), "a, b; c\\d\ne\nf\\");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever comes, it is read without panic, and folding changes nothing.
    #[test]
    fn nothing_panics_and_folds_mean_nothing(
        parts in prop::collection::vec(prop_oneof![
            Just("BEGIN:VCALENDAR\r\n".to_owned()), Just("BEGIN:VEVENT\n".to_owned()),
            Just("END:VEVENT\r\n".to_owned()), Just("END:VCALENDAR\n".to_owned()),
            Just("DTSTART;TZID=\"é,ß\":2025\n".to_owned()), "[A-Z]{1,5}[;:=\"^,\\\\]{0,3}\\PC{0,9}\r?\n",
            "\\PC{0,12}\n",
        ], 0..20),
        fold in 1..9_usize,
    ) {
        let text = parts.concat();
        let plain = Document::parse(text.as_bytes()).unwrap();
        prop_assume!(!text.contains("\n ") && !text.starts_with(' ') && !text.contains('\t'));
        let folded: Vec<u8> = text.split_inclusive('\n').flat_map(|line| {
            let body = line.trim_end_matches(['\r', '\n']).as_bytes();
            let mut out = body.chunks(fold).collect::<Vec<_>>().join(&b"\r\n "[..]);
            out.extend_from_slice(&line.as_bytes()[body.len()..]);
            out
        }).collect();
        let folded = Document::parse(&folded).unwrap();
        let all = |d: &Document| d.components.iter().map(shown).collect::<Vec<_>>();
        prop_assert_eq!(all(&folded), all(&plain));
    }
}
