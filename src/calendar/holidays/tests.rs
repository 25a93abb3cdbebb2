//! The table against dates from official announcements, and against its own header.

use super::*;
use chrono::Datelike;

fn days_of(code: &str, year: i32) -> Vec<String> {
    let holidays = Holidays::of(code).unwrap();
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let days = first.iter_days().take_while(|day| day.year() == year);
    days.filter(|day| holidays.contains(*day)).map(|day| day.format("%m%d").to_string()).collect()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn years_as_announced() {
    #[track_caller]
    fn check(code: &str, year: i32, expected: &str) {
        assert_eq!(days_of(code, year).join(" "), expected, "{code} {year}");
    }
    // gov.uk/bank-holidays
    check("GB-ENG", 2025, "0101 0418 0421 0505 0526 0825 1225 1226");
    check("GB-ENG", 2026, "0101 0403 0406 0504 0525 0831 1225 1226 1228");
    check("GB-WLS", 2026, "0101 0403 0406 0504 0525 0831 1225 1226 1228");
    // The platinum jubilee moved a day, the state funeral added one; both Christmas days fell on a
    // weekend's edge.
    check("GB-ENG", 2022, "0101 0103 0415 0418 0502 0602 0603 0829 0919 1225 1226 1227");
    check("GB-SCT", 2025, "0101 0102 0418 0505 0526 0804 1130 1201 1225 1226");
    check("GB-NIR", 2025, "0101 0317 0418 0421 0505 0526 0712 0714 0825 1225 1226");
    // opm.gov, federal: the substitute of a Saturday is the Friday before.
    check("US", 2026, "0101 0119 0216 0525 0619 0703 0704 0907 1012 1111 1126 1225");
    check("US", 2022, "0101 0117 0221 0530 0619 0620 0704 0905 1010 1111 1124 1225 1226");
    check("US", 2021, "0101 0118 0215 0531 0618 0619 0704 0705 0906 1011 1111 1125 1224 1225 1231");
    check("DE-BY", 2025, "0101 0106 0418 0421 0501 0529 0609 0619 1003 1101 1225 1226");
    check("DE-BE", 2025, "0101 0308 0418 0421 0501 0508 0529 0609 1003 1225 1226");
    check("DE", 2025, "0101 0418 0421 0501 0529 0609 1003 1225 1226");
    check("FR", 2025, "0101 0421 0501 0508 0529 0609 0714 0815 1101 1111 1225");
}

#[test]
fn scotland_has_the_second_of_january_and_england_has_not() {
    for year in [2012, 2017, 2025, 2026, 2030] {
        let in_january = |code| days_of(code, year).iter().filter(|d| d.as_str() < "0105").count();
        assert!(in_january("GB-ENG") < in_january("GB-SCT"), "{year}");
    }
}

#[test]
fn header_says_what_the_constants_say() {
    let text = include_str!("../../../data/holidays.txt");
    assert!(text.contains(&format!("# source: {TABLE_VERSION} (PyPI), category public\n")));
    assert!(text.contains(&format!("# years: {}-{}\n", YEARS.start(), YEARS.end())));
    assert!(text.len() < 1_500_000);
    assert_eq!(crate::time::rfc3339(table_end()), "2046-01-01T00:00:00Z");
}

#[test]
fn every_code_decodes() {
    let codes = Holidays::codes();
    assert!(850 < codes.len() && codes.is_sorted());
    assert_eq!(codes.len(), super::table::sections().len());
    for code in codes {
        let holidays = Holidays::of(code).unwrap_or_else(|| panic!("{code}"));
        let (first, end) = holidays.known().unwrap();
        assert!(YEARS.contains(&first.year()) && YEARS.contains(&(end.year() - 1)), "{code}");
        assert_eq!(holidays.code(), Some(code));
        let days = &holidays.set.as_ref().unwrap().days;
        assert!(days.is_sorted() && (end.year() - first.year()) as usize <= days.len(), "{code}");
        assert!(days.iter().all(|day| first <= *day && *day < end), "{code}");
    }
}

#[test]
fn sources_that_end_early_say_so() {
    #[track_caller]
    fn check(code: &str, first: &str, end: &str) {
        assert_eq!(Holidays::of(code).unwrap().known(), Some((day(first), day(end))), "{code}");
    }
    check("GB-ENG", "2010-01-01", "2046-01-01");
    check("GB-WLS", "2010-01-01", "2046-01-01");
    check("LK", "2010-01-01", "2027-01-01");
    check("IN-KA", "2010-01-01", "2036-01-01");
    check("RW", "2012-01-01", "2046-01-01");
}

#[test]
fn unknown_codes_are_none() {
    for code in ["", "gb", "GB-", "GB ", "GB-QQQ", "XX", "#", "*", "2010", "\n", "AU-NSW Western"] {
        assert!(Holidays::of(code).is_none(), "{code:?}");
    }
}

#[test]
fn own_days_stand_beside_the_table() {
    let mut own = Holidays::of("GB-ENG").unwrap();
    own.add.insert(day("2025-12-24"));
    own.add.insert(day("2099-01-01"));
    own.remove.insert(day("2025-12-26"));
    own.remove.insert(day("2025-12-24"));
    for (text, expected) in [
        ("2025-12-23", false),
        ("2025-12-24", true),
        ("2025-12-25", true),
        ("2025-12-26", false),
        ("2026-12-26", true),
        ("2099-01-01", true),
        ("2009-12-25", false),
        ("2046-12-25", false),
    ] {
        assert_eq!(own.contains(day(text)), expected, "{text}");
    }
    assert!(!own.is_none());
}

#[test]
fn own_days_need_no_table() {
    let mut own = Holidays::none();
    assert!(own.is_none() && own.known().is_none() && own.code().is_none());
    own.remove.insert(day("2025-12-26"));
    assert!(own.is_none());
    own.add.insert(day("2025-12-24"));
    assert!(!own.is_none() && own.contains(day("2025-12-24")));
    assert!(!own.contains(day("2025-12-25")));
    assert_eq!(own.known(), None);
}
