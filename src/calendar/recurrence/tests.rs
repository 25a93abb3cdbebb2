//! Rules against the examples of RFC 5545 (its facts, not its text), a second implementation, and their definition.

use super::*;
use crate::calendar::ical::Length;
use crate::time::Span;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn utc() -> Zone {
    Zone::utc()
}

fn series_in(zone: Zone, start: &str, rule: &str) -> Result<Series, String> {
    let rule = Rule::parse(rule).map_err(|(at, message)| format!("{at}: {message}"))?;
    let is_date = !start.contains('T');
    let text = match start.len() {
        10 => format!("{start}T00:00:00"),
        16 => format!("{start}:00"),
        _ => start.to_owned(),
    };
    let time = Time { civil: text.parse().unwrap(), zone, is_date };
    Series::new(rule, &time, &mut Work::default())
}

fn starts(series: &Series, first: &str, last: &str) -> Vec<NaiveDateTime> {
    let mut found = vec![];
    series.starts(first.parse().unwrap(), last.parse().unwrap(), |civil| found.push(civil));
    found
}

/// The first occurrences, as `MM-DD` or `MM-DDTHH:MM`.
#[track_caller]
fn check(start: &str, rule: &str, until: &str, want: &str) {
    let series = series_in(utc(), start, rule).unwrap();
    let form = if start.contains('T') { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%d" };
    let found = starts(&series, "1900-01-01", until);
    let found: Vec<String> = found.iter().map(|t| t.format(form).to_string()).collect();
    assert_eq!(found.join(" "), want, "{start} {rule}");
}

#[test]
fn periods_and_what_the_start_fills_in() {
    check("1997-09-02", "FREQ=DAILY;COUNT=3", "1999-01-01", "1997-09-02 1997-09-03 1997-09-04");
    check(
        "1997-09-02",
        "FREQ=DAILY;INTERVAL=10;COUNT=3",
        "1999-01-01",
        "1997-09-02 1997-09-12 1997-09-22",
    );
    check(
        "1998-01-30",
        "FREQ=DAILY;UNTIL=19980201",
        "1999-01-01",
        "1998-01-30 1998-01-31 1998-02-01",
    );
    check("1997-09-02", "FREQ=WEEKLY;COUNT=3", "1999-01-01", "1997-09-02 1997-09-09 1997-09-16");
    check(
        "1997-09-01",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE,FR;UNTIL=19970930",
        "1999-01-01",
        "1997-09-01 1997-09-03 1997-09-05 1997-09-15 1997-09-17 1997-09-19 1997-09-29",
    );
    // The start of the week decides where every other week begins.
    check(
        "1997-08-05",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1999-01-01",
        "1997-08-05 1997-08-10 1997-08-19 1997-08-24",
    );
    check(
        "1997-08-05",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1999-01-01",
        "1997-08-05 1997-08-17 1997-08-19 1997-08-31",
    );
    check(
        "1997-01-31",
        "FREQ=MONTHLY;COUNT=4",
        "1999-01-01",
        "1997-01-31 1997-03-31 1997-05-31 1997-07-31",
    );
    check("1996-02-29", "FREQ=YEARLY;COUNT=3", "2020-01-01", "1996-02-29 2000-02-29 2004-02-29");
    check(
        "1997-06-10",
        "FREQ=YEARLY;COUNT=4;BYMONTH=6,7",
        "2000-01-01",
        "1997-06-10 1997-07-10 1998-06-10 1998-07-10",
    );
}

#[test]
fn days_of_months() {
    check(
        "1997-09-05",
        "FREQ=MONTHLY;COUNT=3;BYDAY=1FR",
        "1999-01-01",
        "1997-09-05 1997-10-03 1997-11-07",
    );
    check(
        "1997-09-22",
        "FREQ=MONTHLY;COUNT=3;BYDAY=-2MO",
        "1999-01-01",
        "1997-09-22 1997-10-20 1997-11-17",
    );
    check(
        "1997-09-28",
        "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3",
        "1999-01-01",
        "1997-09-28 1997-10-29 1997-11-28",
    );
    check(
        "1997-09-30",
        "FREQ=MONTHLY;COUNT=4;BYMONTHDAY=1,-1",
        "1999-01-01",
        "1997-09-30 1997-10-01 1997-10-31 1997-11-01",
    );
}

#[test]
fn weeks_of_years() {
    check(
        "1997-05-19",
        "FREQ=YEARLY;BYDAY=20MO;COUNT=3",
        "2001-01-01",
        "1997-05-19 1998-05-18 1999-05-17",
    );
    check(
        "1997-05-12",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3",
        "2001-01-01",
        "1997-05-12 1998-05-11 1999-05-17",
    );
    check("1997-05-12", "FREQ=YEARLY;BYWEEKNO=20;COUNT=2", "2001-01-01", "1997-05-12 1998-05-11");
}

#[test]
fn days_of_years_and_the_chosen_ones() {
    check(
        "1997-01-01",
        "FREQ=YEARLY;INTERVAL=3;COUNT=5;BYDAY=1WE;BYMONTH=1",
        "2020-01-01",
        "1997-01-01 2000-01-05 2003-01-01 2006-01-04 2009-01-07",
    );
    check(
        "1997-01-01",
        "FREQ=YEARLY;COUNT=5;BYYEARDAY=1,100,200",
        "2020-01-01",
        "1997-01-01 1997-04-10 1997-07-19 1998-01-01 1998-04-10",
    );
    check(
        "1998-02-13",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3",
        "2020-01-01",
        "1998-02-13 1998-03-13 1998-11-13",
    );
    check(
        "1996-11-05",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
        "2020-01-01",
        "1996-11-05 2000-11-07 2004-11-02",
    );
    check(
        "1997-09-04",
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1999-01-01",
        "1997-09-04 1997-10-07 1997-11-06",
    );
    check(
        "1997-09-29",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3",
        "1999-01-01",
        "1997-09-29 1997-10-30 1997-11-27",
    );
}

#[test]
fn times_of_day() {
    check(
        "1997-09-02T09:00",
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000",
        "1999-01-01",
        "1997-09-02T09:00 1997-09-02T12:00 1997-09-02T15:00",
    );
    check(
        "1997-09-02T09:00",
        "FREQ=MINUTELY;INTERVAL=90;COUNT=3",
        "1999-01-01",
        "1997-09-02T09:00 1997-09-02T10:30 1997-09-02T12:00",
    );
    check(
        "1997-09-02T09:00",
        "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,40;COUNT=3",
        "1999-01-01",
        "1997-09-02T09:00 1997-09-02T09:40 1997-09-02T10:00",
    );
    check(
        "1997-09-02T09:10",
        "FREQ=HOURLY;BYHOUR=9,10;BYDAY=WE;COUNT=3",
        "1999-01-01",
        "1997-09-03T09:10 1997-09-03T10:10 1997-09-10T09:10",
    );
    check(
        "1997-09-02T09:00",
        "FREQ=SECONDLY;INTERVAL=5400;COUNT=2",
        "1999-01-01",
        "1997-09-02T09:00 1997-09-02T10:30",
    );
    check(
        "1997-09-02T09:00",
        "FREQ=DAILY;BYHOUR=8,9;BYSETPOS=-1;COUNT=2",
        "1999-01-01",
        "1997-09-02T09:00 1997-09-03T09:00",
    );
    // A start that the rule does not give is none, and does not count.
    check(
        "1997-09-02T09:00",
        "FREQ=WEEKLY;BYDAY=MO;COUNT=2",
        "1999-01-01",
        "1997-09-08T09:00 1997-09-15T09:00",
    );
}

#[test]
fn the_end_is_a_moment_of_the_clocks_or_of_the_world() {
    let london = Zone::find("Europe/London").unwrap();
    let count = |until: &str| {
        let rule = format!("FREQ=WEEKLY;UNTIL={until}");
        let series = series_in(london.clone(), "2026-04-06T22:00", &rule).unwrap();
        starts(&series, "2026-01-01", "2026-12-31").len()
    };
    // 22:00 in London is 21:00 UTC in summer.
    assert_eq!(count("20260427T210000Z"), 4);
    assert_eq!(count("20260427T205959Z"), 3);
    assert_eq!(count("20260427T220000"), 4);
    assert_eq!(count("20260427T215959"), 3);
    assert_eq!(count("20260427"), 4);
}

#[test]
fn spans_by_the_clocks_of_their_zone() {
    let recurrence = |rule: &str, days, hours: i64, removed: &[&str]| Recurrence {
        series: vec![
            series_in(Zone::find("Europe/London").unwrap(), "2025-01-01T01:30", rule).unwrap(),
        ],
        length: Some(Length { days, exact: TimeDelta::hours(hours) }),
        removed: removed.iter().map(|t| t.parse().unwrap()).collect(),
        removed_days: vec![],
        tails: vec![],
    };
    let shown = |r: Recurrence, range: &str| {
        let (from, to) = range.split_once('/').unwrap();
        let mut found = vec![];
        r.spans_in(Span::new(from.parse().unwrap(), to.parse().unwrap()).unwrap(), |span| {
            found.push(format!(
                "{}/{}",
                crate::time::rfc3339(span.start),
                crate::time::rfc3339(span.end)
            ));
        });
        found.retain(|span| from[..10] <= span[..10] && span[..10] < to[..10]);
        found.join(" ")
    };
    // 01:30 does not exist on 30 March, and is shown twice on 26 October.
    let range = "2025-03-29T00:00:00Z/2025-04-01T00:00:00Z";
    assert_eq!(
        shown(recurrence("FREQ=DAILY", 0, 2, &[]), range),
        "2025-03-29T01:30:00Z/2025-03-29T03:30:00Z 2025-03-30T01:30:00Z/2025-03-30T03:30:00Z 2025-03-31T00:30:00Z/2025-03-31T02:30:00Z"
    );
    let range = "2025-10-26T00:00:00Z/2025-10-27T00:00:00Z";
    let fold = "2025-10-26T00:30:00Z/2025-10-26T02:30:00Z";
    assert_eq!(shown(recurrence("FREQ=DAILY", 0, 2, &[]), range), fold);
    assert_eq!(shown(recurrence("FREQ=DAILY", 0, 2, &["2025-10-26T00:30:00Z"]), range), "");
    let days = "2025-10-26T00:30:00Z/2025-10-27T01:30:00Z";
    assert_eq!(shown(recurrence("FREQ=DAILY", 1, 0, &[]), range), days);
    // What goes on through the hours has its starts twice in the hour that comes twice, here from 00:00Z to 02:00Z.
    let starts = |rule: &str, removed: &[&str]| {
        let shown = shown(recurrence(rule, 0, 1, removed), range);
        let times: Vec<&str> = shown.split(' ').filter_map(|span| span.get(11..16)).collect();
        times.into_iter().filter(|t| *t < "03").collect::<Vec<_>>().join(" ")
    };
    assert_eq!(starts("FREQ=HOURLY", &[]), "00:30 01:30 02:30");
    assert_eq!(starts("FREQ=HOURLY", &["2025-10-26T01:30:00Z"]), "00:30 02:30");
    assert_eq!(
        starts("FREQ=MINUTELY;INTERVAL=20;BYHOUR=1", &[]),
        "00:10 01:10 00:30 01:30 00:50 01:50"
    );
    assert_eq!(starts("FREQ=HOURLY;BYHOUR=1,2", &[]), "00:30 02:30");
    assert_eq!(starts("FREQ=DAILY;BYHOUR=1;BYMINUTE=0,30", &[]), "00:00 00:30");
}

#[test]
fn mistakes_have_places_and_sentences() {
    #[track_caller]
    fn check(rule: &str, at: usize, want: &str) {
        let (place, message) = Rule::parse(rule).unwrap_err();
        assert_eq!(place, at, "{rule}: {message}");
        assert!(message.contains(want), "{rule}: {message}");
    }
    check("", 0, "is not a part of a rule");
    check("RRULE:", 6, "is not a part of a rule");
    check("INTERVAL=2", 0, "no FREQ");
    check("WEEKLY", 0, "\"WEEKLY\" is not a part of a rule");
    check("FREQ=FORTNIGHTLY", 5, "accepted is YEARLY, MONTHLY");
    check("FREQ=WEEKLY;BYDAY=ΣU", 18, "weekdays such as");
    check("FREQ=WEEKLY;BYDAY=", 18, "weekdays such as");
    check("FREQ=WEEKLY;BYDAY=MO,", 18, "weekdays such as");
    check("FREQ=WEEKLY;;BYDAY=MO", 12, "\"\" is not a part");
    check("FREQ=DAILY;BYHOUR=280", 18, "from 0 to 23");
    check("FREQ=DAILY;BYHOUR=-1", 18, "from 0 to 23");
    check("FREQ=DAILY;BYSECOND=60", 20, "from 0 to 59");
    check("FREQ=MONTHLY;BYMONTHDAY=0", 24, "or -31 to -1 from the end");
    check("FREQ=DAILY;INTERVAL=0", 20, "a number from 1");
    check("FREQ=DAILY;INTERVAL=99999999999", 20, "a number from 1");
    check("FREQ=DAILY;COUNT=0", 17, "a number from 1");
    check("FREQ=DAILY;COUNT=-1", 17, "a number from 1");
    check("FREQ=DAILY;UNTIL=tomorrow", 17, "a date or time such as");
    check("FREQ=DAILY;FREQ=DAILY", 11, "FREQ appears twice");
    check("FREQ=DAILY;BYEASTER=1", 11, "BYEASTER is not a part of a rule; accepted are FREQ");
    check("FREQ=DAILY;COUNT=1;UNTIL=20250101", 0, "one of them");
    check("FREQ=DAILY;BYWEEKNO=1", 0, "BYWEEKNO needs");
    check("FREQ=MONTHLY;BYYEARDAY=1", 0, "BYYEARDAY cannot");
    check("FREQ=WEEKLY;BYMONTHDAY=1", 0, "BYMONTHDAY cannot");
    check("FREQ=WEEKLY;BYDAY=1MO", 0, "a number before a weekday needs");
    check("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", 0, "a number before a weekday cannot");
    check("FREQ=MONTHLY;BYSETPOS=1", 0, "BYSETPOS chooses");
    assert_eq!(Rule::parse("rrule:freq=weekly;byday=mo;"), Rule::parse("FREQ=WEEKLY;BYDAY=MO"));
}

#[test]
fn limits_are_told_by_their_number() {
    #[track_caller]
    fn check(start: &str, rule: &str, want: &str) {
        let message = series_in(utc(), start, rule).unwrap_err();
        assert!(message.contains(want), "{rule}: {message}");
    }
    check("2025-01-01", "FREQ=SECONDLY", "recurs up to 31622400 times a year, at most 100000");
    check("2025-01-01", "FREQ=MINUTELY", "recurs up to 527040 times a year");
    check(
        "2025-01-01",
        "FREQ=DAILY;BYHOUR=0,1,2,3,4,5;BYMINUTE=0,1,2,3,4,5,6,7;BYSECOND=0,1,2,3,4,5,6,7,8",
        "a year",
    );
    check(
        "2025-01-01",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "never comes between its start and the year 2199",
    );
    check("2025-01-01", "FREQ=DAILY;UNTIL=20240101", "never comes");
    check("2300-01-01", "FREQ=DAILY", "never comes");
    let rule = Rule::parse("FREQ=DAILY;COUNT=4000").unwrap();
    let start = Time { civil: "2025-01-01T00:00:00".parse().unwrap(), zone: utc(), is_date: true };
    let mut little = Work(100);
    let message = Series::new(rule, &start, &mut little).unwrap_err();
    assert!(message.contains("need more than 50000000 steps"), "{message}");
}

/// Rules with what another implementation makes of them.
#[test]
fn a_second_implementation_agrees() {
    let rows = include_str!("second_opinion.txt").lines();
    let mut checked = 0;
    for row in rows.filter(|row| !row.starts_with('#')) {
        let [start, rule, want] = row.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        let want: Vec<&str> = want.split(' ').filter(|t| !t.is_empty()).collect();
        let found = match series_in(utc(), start, rule) {
            Ok(series) => starts(&series, "1900-01-01", "2034-12-31"),
            Err(message) if message.starts_with("never") && want.is_empty() => vec![],
            Err(message) => panic!("{row}: {message}"),
        };
        let found = found.iter().take(6).map(|t| t.format("%Y%m%dT%H%M%S").to_string());
        assert_eq!(found.collect::<Vec<_>>(), want, "{start} {rule}");
        checked += 1;
    }
    assert!(300 <= checked, "{checked}");
}

/// A rule as the table of RFC 5545 has it, day by day and second by second in the simplest words, for
/// frequencies of a day and more.
fn by_definition(rule: &Rule, start: NaiveDateTime, last: NaiveDate) -> Vec<NaiveDateTime> {
    let rule = complete(rule.clone(), start);
    let period = |day: NaiveDate| -> i64 {
        match rule.frequency {
            Frequency::Yearly => day.year().into(),
            Frequency::Monthly => i64::from(day.year()) * 12 + i64::from(day.month()),
            Frequency::Weekly => {
                let mut first = day;
                while first.weekday() != rule.week_start {
                    first = first.pred_opt().unwrap();
                }
                (first - NaiveDate::MIN).num_days() / 7
            }
            _ => (day - NaiveDate::MIN).num_days(),
        }
    };
    let begin = NaiveDate::from_ymd_opt(start.year(), 1, 1).unwrap() - TimeDelta::days(7);
    let mut periods: BTreeMap<i64, Vec<NaiveDateTime>> = BTreeMap::new();
    for day in begin.iter_days().take_while(|day| *day <= last + TimeDelta::days(400)) {
        if !is_day(&rule, day) {
            continue;
        }
        for second in 0..86_400 / 900 {
            let time = NaiveTime::from_num_seconds_from_midnight_opt(second * 900, 0).unwrap();
            let has = |list: &[i32], n: u32| list.contains(&i32::try_from(n).unwrap());
            if has(&rule.hours, time.hour()) && has(&rule.minutes, time.minute()) {
                periods.entry(period(day)).or_default().push(day.and_time(time));
            }
        }
    }
    let base = period(start.date());
    let due = periods.into_iter().filter(|(p, _)| (p - base) % i64::from(rule.interval) == 0);
    let all = due.flat_map(|(_, set)| {
        let at = |n: i32| match n {
            n if 0 < n => set.get(usize::try_from(n - 1).unwrap()).copied(),
            n => set.len().checked_sub(n.unsigned_abs() as usize).map(|i| set[i]),
        };
        if rule.positions.is_empty() {
            return set;
        }
        let chosen: std::collections::BTreeSet<_> =
            rule.positions.iter().filter_map(|n| at(*n)).collect();
        chosen.into_iter().collect()
    });
    let counted = all.filter(|t| start <= *t).take(rule.count.map_or(usize::MAX, |n| n as usize));
    counted.filter(|t| t.date() <= last).collect()
}

fn is_day(rule: &Rule, day: NaiveDate) -> bool {
    let same = |f: fn(&NaiveDate) -> i32| -> Vec<NaiveDate> {
        let around = (day - TimeDelta::days(366)).iter_days().take(733);
        around.filter(|other| other.year() == day.year() && f(other) == f(&day)).collect()
    };
    let (month, year) = (same(|d| d.month() as i32), same(|_| 0));
    let nth = |list: &[NaiveDate], n: i32| match n {
        n if 0 < n => list.get(n as usize - 1).copied(),
        n => list.len().checked_sub(n.unsigned_abs() as usize).map(|i| list[i]),
    };
    let named = |list: &[i32], of: &[NaiveDate]| {
        list.is_empty() || list.iter().any(|n| nth(of, *n) == Some(day))
    };
    let of = match rule.frequency == Frequency::Monthly || !rule.months.is_empty() {
        true => &month,
        false => &year,
    };
    let of: Vec<NaiveDate> = of.iter().filter(|d| d.weekday() == day.weekday()).copied().collect();
    (rule.months.is_empty() || rule.months.contains(&(day.month() as i32)))
        && named(&rule.month_days, &month)
        && named(&rule.year_days, &year)
        && (rule.weekdays.is_empty()
            || rule.weekdays.iter().any(|(n, weekday)| {
                *weekday == day.weekday() && (*n == 0 || nth(&of, *n) == Some(day))
            }))
}

fn any_rule() -> impl Strategy<Value = String> {
    let maybe = |name: &'static str, values: &'static [&'static str]| prop_oneof![2 => Just(String::new()), 1 => prop::sample::select(values).prop_map(move |v| format!(";{name}={v}"))];
    let frequency = prop::sample::select(&["YEARLY", "MONTHLY", "WEEKLY", "DAILY"][..]);
    const DAYS: [&str; 7] = ["MO", "TU,SA", "1MO", "-1FR", "2SU,-2SU", "MO,TU,WE,TH,FR", "53MO"];
    let parts = (
        maybe("INTERVAL", &["2", "3", "5"]),
        maybe("COUNT", &["1", "4", "9"]),
        maybe("BYMONTH", &["2", "3,10", "12,1"]),
        maybe("BYMONTHDAY", &["1", "31", "-1", "13,14,-3"]),
        maybe("BYYEARDAY", &["1", "100,-1", "366"]),
        prop_oneof![
            Just(String::new()),
            prop::sample::select(&DAYS[..]).prop_map(|d| format!(";BYDAY={d}"))
        ],
        maybe("BYHOUR", &["0", "22,6"]),
        maybe("BYMINUTE", &["15", "45,30"]),
        maybe("BYSETPOS", &["1", "-1", "2,-2", "1,1"]),
        maybe("WKST", &["SU", "MO", "TH"]),
    );
    (frequency, parts).prop_map(|(f, (a, b, c, d, e, g, h, i, j, k))| {
        format!("FREQ={f}{a}{b}{c}{d}{e}{g}{h}{i}{j}{k}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn agrees_with_the_definition_day_by_day(
        text in any_rule(),
        day in 0..1500_i64,
        quarter in 0..96_i64,
        from in 0..450_i64,
    ) {
        let Ok(rule) = Rule::parse(&text) else { return Ok(()) };
        let start = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap().and_time(NaiveTime::MIN);
        let start = start + TimeDelta::days(day) + TimeDelta::minutes(quarter * 15);
        let last = start.date() + TimeDelta::days(500);
        let want = by_definition(&rule, start, last);
        let time = Time { civil: start, zone: utc(), is_date: false };
        let series = match Series::new(rule, &time, &mut Work::default()) {
            Ok(series) => series,
            Err(message) => {
                prop_assert!(message.starts_with("never") && want.is_empty(), "{text}: {message}");
                return Ok(());
            }
        };
        // From any day on it is the same.
        let first = start.date() + TimeDelta::days(from - 100);
        let mut found = vec![];
        series.starts(first, last, |civil| found.push(civil));
        let want: Vec<_> = want.into_iter().filter(|t| first <= t.date()).collect();
        prop_assert_eq!(found, want, "{} from {}", text, start);
    }

    /// Whatever stands there, reading it does not panic.
    #[test]
    fn reading_never_panics(text in "(FREQ=DAILY;)?(BY[A-Z]{3,8}=|COUNT=|UNTIL=)?[-+0-9A-ZΣé,;=TZ]{0,20}") {
        let _ = Rule::parse(&text);
    }
}
