//! What is refused, where, and in which words.

use crate::calendar::{Calendar, Holidays, Zone};
use proptest::prelude::*;

/// `marked` is the expression with a `^` in front of the place that the error names.
#[track_caller]
fn check(marked: &str, expected: &str) {
    let at = marked.find('^').unwrap();
    let expression = marked.replacen('^', "", 1);
    let holidays = Holidays::of("GB-ENG").unwrap();
    let error = Calendar::opening_hours(&expression, &Zone::utc(), &holidays).unwrap_err();
    assert_eq!((error.at, error.to_string().as_str()), (at, expected), "{marked}");
}

#[test]
fn spans() {
    let empty = "an empty span: a whole day is written 00:00-24:00";
    check("Mo ^10:00-10:00", empty);
    check("^00:00-00:00", empty);
    check("Mo 08:00-09:00,^10:00-10:00", empty);
    check("Mo ^10:00-34:01", "a span longer than 24 hours");
    check("^24:00-26:00", "a span starts before 24:00, on the day to which it belongs");
    check("Mo ^25:00-26:00", "a span starts before 24:00, on the day to which it belongs");
    check("Mo ^49:00-50:00", "49 is not an hour: from 0 to 48");
    check("Mo 10:^60-11:00", "60 is not a minute: from 0 to 59");
    check("Mo 10:00-^48:01", "a time after 48:00");
    check("Mo ^10:0-11:00", "expected a time such as 08:00, found \"10:0-11:00\"");
    check("Mo ^10:000-11:00", "expected a time such as 08:00, found \"10:000-11:00\"");
    check("Mo 10:00-^", "expected a time such as 18:00, found the end");
    check("Mo 10:00-^18", "expected a time such as 18:00, found \"18\"");
    check("Mo 10:00-^Fr", "expected a time such as 18:00, found \"Fr\"");
    let point = "expected a time span such as 08:00-18:00; a time without an end is not supported";
    check("Mo 10:00^", &format!("{point}, found the end"));
    check("Mo 10:00^, 12:00", &format!("{point}, found \", 12:00\""));
    check("Mo 10:00^ – 12:00".replace(" – ", "–").as_str(), &format!("{point}, found \"–12:00\""));
}

#[test]
fn what_is_not_supported() {
    let sun = "times of the sun are not supported: write a time of the clock";
    check("Mo ^sunrise-10:00", sun);
    check("Mo 10:00-^Sunset", sun);
    check("^dawn-dusk", sun);
    check("Mo ^(sunrise+01:00)-10:00", sun);
    check("Mo 10:00-^(sunset-01:00)", sun);
    check("Mo 10:00-12:00 ^|| Tu 10:00-12:00", "fallback rules (||) are not supported");
    check("^SH off", "school holidays (SH) are not supported: write them as dates");
    check("Mo 10:00-12:00; ^SH off", "school holidays (SH) are not supported: write them as dates");
    check("PH,^SH off", "school holidays (SH) are not supported: write them as dates");
    check("Mo 10:00-12:00 ^\"by phone\"", "comments are not supported");
    check("^\"by phone\"", "comments are not supported");
    check("Mo off ^\"closed\"", "comments are not supported");
    check("Mo 10:00-12:00 ^unknown", "the state unknown is not supported: write open or off");
    check("Mo 10:00^+", "an open end (+) is not supported");
    check("Mo 10:00-12:00^+", "an open end (+) is not supported");
    check("Dec 24^+ off", "an open end (+) is not supported");
    check("Mo 10:00-16:00^/01:30", "a repetition within a span (/) is not supported");
}

#[test]
fn days() {
    let end = "expected ; or , or the end of the rule";
    check("Mo-^Xx 10:00-12:00", "expected a weekday such as Mo, found \"Xx 10:00-12:00\"");
    check(
        "^Monday 10:00-12:00",
        "expected days such as Mo-Fr, times such as 08:00-18:00, or off, found \"Monday 10:00-12:00\"",
    );
    check(
        "^MoTu 10:00-12:00",
        "expected days such as Mo-Fr, times such as 08:00-18:00, or off, found \"MoTu 10:00-12:00\"",
    );
    check("Mo[^0] off", "0 is not an occurrence in the month: from 1 to 5");
    check("Mo[^6] off", "6 is not an occurrence in the month: from 1 to 5");
    check("Mo[1^ off", "expected , or ], found \" off\"");
    check("Mo[^] off", "expected an occurrence in the month, found \"] off\"");
    check("Mo[^3-1] off", "a reversed range");
    check("Mo-Fr^[1] off", "an occurrence in the month of a range of weekdays");
    check("PH +^99 days off", "99 is not a number of days: from 1 to 80");
    check("PH +1 ^week off", "expected days, found \"week off\"");
    check("Mo ^Tu 10:00-12:00", "a list of days goes on after a comma, not after a space");
    check("PH ^PH off", "a list of days goes on after a comma, not after a space");
    check("PH,Mo ^Tu off", "a list of days goes on after a comma, not after a space");
    let comma = "after this comma a day of the same kind must follow, without a space";
    check("Mo^, We 10:00-12:00", comma);
    check("Mo-Fr^,10:00-12:00", comma);
    check("Mo-Fr ^, PH off", comma);
    check("Dec 25^, Dec 26 off", comma);
    check("2025^, 2026 off", comma);
    check("Jan^,Mo off", comma);
    check("Mo-Fr ^24/7", end_of(end, "24/7").as_str());
}

/// Where nothing else fits, what is found is shown.
fn end_of(expected: &str, found: &str) -> String {
    format!("{expected}, found {found:?}")
}

#[test]
fn dates() {
    check("Feb ^30 off", "this month has no day 30");
    check("Apr ^31 off", "this month has no day 31");
    check("Dec ^32 off", "32 is not a day of a month: from 1 to 31");
    check("Dec ^0 off", "0 is not a day of a month: from 1 to 31");
    check("^2025 Feb 29 off", "a day that 2025 does not have");
    check("Dec 24-^20 off", "a day before the one that it follows");
    check("^2026 Jan 5-2025 Dec 24 off", "a reversed range");
    check("^Dec 24-Jan off", "give both ends of a range a day, or neither");
    check("^Jan-Mar 5 off", "give both ends of a range a day, or neither");
    check("^Dec 24-2026 Jan 5 off", "a range that ends in a year begins in one");
    check("2025 Dec 24,^Jan 2 off", "give each date of a list its year, or none of them");
    check("easter,^2025 Dec 24 off", "give each date of a list its year, or none of them");
    check(
        "easter-^Dec 24 off",
        "expected easter, as at the beginning of the range, found \"Dec 24 off\"",
    );
    check("^easter +1 day-easter off", "a reversed range");
    check("Jan 1 ^Feb 1 off", "a second list of the same kind: go on with the first by a comma");
    check("^2026-2025 off", "a reversed range: 2025 comes before 2026");
    check("^2025-26 off", "a reversed range: 26 comes before 2025");
    check("^0000 off", "0000 is not a year: from 1 to 9999");
    check("2025-2030/^0 off", "0 is not a step: from 1 to 9999");
    check("week ^54 off", "54 is not a week: from 1 to 53");
    check("week ^ off".replace("^ ", "^").as_str(), "expected a week, found \"off\"");
    check("week ^10-5 off", "a reversed range: 5 comes before 10");
}

#[test]
fn rules() {
    let rule = "expected days such as Mo-Fr, times such as 08:00-18:00, or off";
    check("^", &format!("{rule}, found the end"));
    check("  ^", &format!("{rule}, found the end"));
    check("Mo 10:00-12:00;^", &format!("{rule}, found the end"));
    check("Mo 10:00-12:00,^", &format!("{rule}, found the end"));
    check("Mo 10:00-12:00;^; PH off", &format!("{rule}, found \"; PH off\""));
    check("^always", &format!("{rule}, found \"always\""));
    check("^8-18", &format!("{rule}, found \"8-18\""));
    check("^öffentlich", &format!("{rule}, found \"öffentlich\""));
    let end = "expected ; or , or the end of the rule";
    check("Mo 10:00-12:00 ^Tu 10:00-12:00", &format!("{end}, found \"Tu 10:00-12:00\""));
    check("Mo ^maybe", &format!("{end}, found \"maybe\""));
    check("24/7 ^08:00-10:00", &format!("{end}, found \"08:00-10:00\""));
    check(&format!("^{}", "Mo,".repeat(5000)), "longer than 10000 bytes");
}

#[test]
fn public_holidays_need_days() {
    #[track_caller]
    fn check(expression: &str, at: usize) {
        let mut none = Holidays::none();
        none.remove.insert("2025-12-26".parse().unwrap());
        let error = Calendar::opening_hours(expression, &Zone::utc(), &none).unwrap_err();
        let expected =
            "PH without holidays: name a country or subdivision such as GB-ENG, or add days";
        assert_eq!((error.at, error.message.as_str()), (at, expected), "{expression}");
    }
    check("PH off", 0);
    check("Mo-Fr 08:00-18:00; PH off", 19);
    check("Mo-Fr,PH 08:00-18:00", 6);
    check("PH -1 day off", 0);
}

/// Pieces of the grammar and of what it is not, so that random texts come close to expressions.
const PIECES: [&str; 44] = [
    "Mo",
    "Tu-",
    "Fr",
    "PH",
    "SH",
    "[1]",
    "[-1]",
    "[",
    "]",
    " ",
    " ",
    ",",
    ", ",
    ";",
    "; ",
    "-",
    "+1 day",
    " -2 days",
    "Dec",
    "Feb 29",
    "Jan 1",
    "24",
    "31",
    "2025",
    "9999",
    "week",
    "53",
    "/2",
    "easter",
    "24/7",
    "08:00",
    "-18:00",
    "22:00-05:00",
    "24:00",
    "48:00",
    "10:00-10:00",
    "off",
    "open",
    "closed",
    "unknown",
    "sunset",
    "\"x\"",
    "||",
    "é",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Whatever is written: an answer, or an error inside the text.
    #[test]
    fn no_text_panics(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12)) {
        let text = pieces.concat();
        let holidays = Holidays::of("US").unwrap();
        if let Err(error) = Calendar::opening_hours(&text, &Zone::utc(), &holidays) {
            prop_assert!(text.is_char_boundary(error.at), "{text}: {error:?}");
            let last = error.message.chars().last();
            prop_assert!(last.is_some_and(|c| c != '.'), "{error:?}");
        }
    }

    /// Any characters at all.
    #[test]
    fn no_characters_panic(text in "\\PC{0,40}") {
        let holidays = Holidays::of("US").unwrap();
        if let Err(error) = Calendar::opening_hours(&text, &Zone::utc(), &holidays) {
            prop_assert!(text.is_char_boundary(error.at), "{text}: {error:?}");
        }
    }
}
