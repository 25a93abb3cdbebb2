//! Cron expressions: known rows, clock changes, mistakes, and a look at every minute.

use super::*;
use crate::time::rfc3339;
use chrono::{Datelike, Timelike};
use proptest::prelude::*;

fn crontab(text: &str, zone: &str, minutes: i64) -> Result<Crontab, String> {
    let zone = Zone::find(zone).unwrap();
    Crontab::new(text, TimeDelta::minutes(minutes), &zone).map_err(|error| error.message)
}

#[track_caller]
fn check(text: &str, minutes: i64, range: &str, want: &[&str]) {
    let (from, to) = range.split_once('/').unwrap();
    let range = Span::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
    let spans = crontab(text, "Europe/London", minutes).unwrap().spans_in(range);
    let shown = |s: Span| format!("{}/{}", rfc3339(s.start), rfc3339(s.end));
    assert_eq!(spans.into_iter().map(shown).collect::<Vec<_>>(), want, "{text}");
}

#[test]
fn starts_by_the_clocks_last_exactly_as_long() {
    let november = "2025-11-10T00:00:00Z/2025-11-17T00:00:00Z";
    check("0 22 * * SAT", 420, november, &["2025-11-15T22:00:00Z/2025-11-16T05:00:00Z"]);
    check("0 22 * * 6", 420, november, &["2025-11-15T22:00:00Z/2025-11-16T05:00:00Z"]);
    // What began before the range is seen in it.
    check(
        "0 22 * * SUN",
        420,
        november,
        &["2025-11-10T00:00:00Z/2025-11-10T05:00:00Z", "2025-11-16T22:00:00Z/2025-11-17T00:00:00Z"],
    );
    check("0 0 * * TUE#2", 60, november, &["2025-11-11T00:00:00Z/2025-11-11T01:00:00Z"]);
    check(
        "30 1 13,15 * *",
        30,
        november,
        &["2025-11-13T01:30:00Z/2025-11-13T02:00:00Z", "2025-11-15T01:30:00Z/2025-11-15T02:00:00Z"],
    );
    check("@weekly", 60, november, &["2025-11-16T00:00:00Z/2025-11-16T01:00:00Z"]);
    // Either of two restricted days is enough.
    check(
        "0 0 12 * FRI",
        60,
        november,
        &["2025-11-12T00:00:00Z/2025-11-12T01:00:00Z", "2025-11-14T00:00:00Z/2025-11-14T01:00:00Z"],
    );
    // A star with a step is a star: both days have to match, whichever of the fields has it.
    check(
        "0 0 */12 * SAT-SUN",
        60,
        "2025-11-01T00:00:00Z/2026-01-01T00:00:00Z",
        &["2025-11-01T00:00:00Z/2025-11-01T01:00:00Z", "2025-12-13T00:00:00Z/2025-12-13T01:00:00Z"],
    );
    check("0 0 15 * */6", 60, november, &["2025-11-15T00:00:00Z/2025-11-15T01:00:00Z"]);
    check("0 0 ? * TUE", 60, november, &["2025-11-11T00:00:00Z/2025-11-11T01:00:00Z"]);
    let july = "2025-07-10T00:00:00Z/2025-07-11T00:00:00Z";
    check("0 22 * * *", 60, july, &["2025-07-10T21:00:00Z/2025-07-10T22:00:00Z"]);
    // A gap moves forward; a fold starts once, the earlier time.
    check(
        "30 1 * * *",
        120,
        "2025-03-30T00:00:00Z/2025-03-31T00:00:00Z",
        &["2025-03-30T01:30:00Z/2025-03-30T03:30:00Z"],
    );
    check(
        "30 1 * * *",
        120,
        "2025-10-26T00:00:00Z/2025-10-27T00:00:00Z",
        &["2025-10-26T00:30:00Z/2025-10-26T02:30:00Z"],
    );
}

#[test]
fn what_goes_on_through_the_hours_comes_again_in_an_hour_that_comes_twice() {
    // London, 26 October 2025: 01:00 to 02:00 comes twice, from 00:00Z to 02:00Z.
    let night = "2025-10-25T23:00:00Z/2025-10-26T03:00:00Z";
    let every = |minutes: &[&str]| -> Vec<String> {
        let starts = minutes.iter().map(|t| {
            let (hour, minute) = t.split_once(':').unwrap();
            let day = if hour == "23" { 25 } else { 26 };
            let end = minute.parse::<u32>().unwrap() + 5;
            format!("2025-10-{day}T{t}:00Z/2025-10-{day}T{hour}:{end:02}:00Z")
        });
        starts.collect()
    };
    for (text, want) in [
        (
            "20,40 * * * *",
            &["23:20", "23:40", "00:20", "00:40", "01:20", "01:40", "02:20", "02:40"][..],
        ),
        ("*/30 1 * * *", &["00:00", "00:30", "01:00", "01:30"]),
        ("10 */1 * * *", &["23:10", "00:10", "01:10", "02:10"]),
        ("10 0-23 * * *", &["23:10", "00:10", "01:10", "02:10"]),
        ("@hourly", &["23:00", "00:00", "01:00", "02:00"]),
        // A time of day comes once, the earlier time.
        ("30 1 * * *", &["00:30"]),
        ("30 1,2 * * *", &["00:30", "02:30"]),
    ] {
        let want = every(want);
        check(text, 5, night, &want.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn mistakes() {
    #[track_caller]
    fn check(text: &str, minutes: i64, want: &str) {
        let message = crontab(text, "UTC", minutes).err().unwrap_or_default();
        assert!(message.contains(want), "{text}: {message:?}");
    }
    for wrong in [
        "",
        "* * * *",
        "0 0 22 * * *",
        "*/5  , * 2 * * *",
        "@reboot",
        "61 * * * *",
        "* * * * XYZ",
        "* * 32 * *",
        "é * * * *",
        "* 22-5 * * *x",
    ] {
        check(wrong, 60, "is not a cron expression of five fields");
    }
    check(&"0 ".repeat(5_000), 60, "is not a cron expression");
    check("0 0 30 2 *", 60, "never comes");
    check("* * * * *", 60, "comes more than 100000 times a year");
    check("0 22 * * *", 367 * 1440, "more than 366 days");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// Every minute of some days against the plain meaning of the fields.
    #[test]
    fn agrees_with_the_definition_minute_by_minute(
        minute in prop::sample::select(&["0", "*/20", "5,50", "10-12"][..]),
        hour in prop::sample::select(&["22", "*", "0-6", "*/7"][..]),
        day in prop::sample::select(&["*", "1", "10-20", "*/2"][..]),
        month in prop::sample::select(&["*", "11", "JAN-MAR", "*/2"][..]),
        weekday in prop::sample::select(&["*", "1-5", "SAT,SUN", "0", "*/2"][..]),
        from in 0..700_i64,
    ) {
        let text = format!("{minute} {hour} {day} {month} {weekday}");
        let crontab = crontab(&text, "UTC", 1).unwrap();
        let start = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap().and_time(NaiveTime::MIN) + TimeDelta::days(from);
        let names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        let months = ["", "JAN", "FEB", "MAR"];
        let number = |t: &str| -> u32 {
            let named = names.iter().position(|n| *n == t).or(months.iter().position(|n| *n == t));
            named.map_or_else(|| t.parse().unwrap(), |n| n as u32)
        };
        let names_it = |field: &str, n: u32, least: u32| field.split(',').any(|item| match item.split_once(['-', '/']) {
            None => item == "*" || number(item) == n,
            Some(("*", step)) => (n - least).is_multiple_of(number(step)),
            Some((a, b)) => number(a) <= n && n <= number(b),
        });
        let is_named = |t: NaiveDateTime| {
            let by_day = names_it(day, t.day(), 1);
            let by_weekday = names_it(weekday, t.weekday().num_days_from_sunday(), 0);
            let days = match (day.starts_with('*'), weekday.starts_with('*')) {
                (false, false) => by_day || by_weekday,
                _ => by_day && by_weekday,
            };
            days && names_it(minute, t.minute(), 0) && names_it(hour, t.hour(), 0) && names_it(month, t.month(), 1)
        };
        let end = start + TimeDelta::days(12);
        let minutes = (0..12 * 1440).map(|n| start + TimeDelta::minutes(n));
        let want: Vec<_> = minutes.filter(|t| is_named(*t)).collect();
        let got: Vec<_> = crontab.starts(start).take_while(|t| *t < end).collect();
        prop_assert_eq!(got, want, "{}", text);
    }
}
