//! Random expressions for tests, with their own and naive notion of the days that a rule names.

use crate::calendar::{Holidays, Zone};
use chrono::{Datelike, Days as DayCount, NaiveDate, TimeDelta};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::{self, Display};

pub(crate) const WEEKDAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Zones whose clocks do something remarkable.
pub(crate) const ZONES: [&str; 12] = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kolkata",
    "America/St_Johns",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "America/Sao_Paulo",
    "Asia/Gaza",
    "Pacific/Kiritimati",
];

#[derive(Clone, Debug)]
pub(crate) enum AnyDates {
    Months(usize, usize),
    Yearly((usize, u32), (usize, u32)),
    Once((i32, usize, u32), (i32, usize, u32)),
}

#[derive(Clone, Debug)]
pub(crate) enum AnyWeekdays {
    Range(usize, usize),
    Nth(usize, i32, i64),
}

#[derive(Clone, Debug)]
pub(crate) struct AnyRule {
    pub adds: bool,
    pub years: Option<(i32, i32)>,
    pub dates: Vec<AnyDates>,
    pub weeks: Option<(u32, u32, u32)>,
    pub weekdays: Vec<AnyWeekdays>,
    pub holidays: Vec<i64>,
    /// Minutes after midnight, as written.
    pub times: Vec<(i64, i64)>,
    pub off: bool,
}

fn list<T>(f: &mut fmt::Formatter, items: &[T], each: impl Fn(&T) -> String) -> fmt::Result {
    let items: Vec<String> = items.iter().map(each).collect();
    write!(f, "{} ", items.join(","))
}

fn days(offset: i64) -> String {
    if offset == 0 { String::new() } else { format!(" {offset:+} days") }
}

impl Display for AnyDates {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            AnyDates::Months(a, b) => write!(f, "{}-{}", MONTHS[*a], MONTHS[*b]),
            AnyDates::Yearly(a, b) if a == b => write!(f, "{} {:02}", MONTHS[a.0], a.1),
            AnyDates::Yearly(a, b) => {
                write!(f, "{} {:02}-{} {:02}", MONTHS[a.0], a.1, MONTHS[b.0], b.1)
            }
            AnyDates::Once(a, b) => {
                write!(f, "{} {} {:02}-{} {} {:02}", a.0, MONTHS[a.1], a.2, b.0, MONTHS[b.1], b.2)
            }
        }
    }
}

impl Display for AnyWeekdays {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            AnyWeekdays::Range(a, b) if a == b => f.write_str(WEEKDAYS[*a]),
            AnyWeekdays::Range(a, b) => write!(f, "{}-{}", WEEKDAYS[*a], WEEKDAYS[*b]),
            AnyWeekdays::Nth(a, nth, offset) => {
                write!(f, "{}[{nth}]{}", WEEKDAYS[*a], days(*offset))
            }
        }
    }
}

impl Display for AnyRule {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some((a, b)) = self.years {
            write!(f, "{a}-{b} ")?;
        }
        if !self.dates.is_empty() {
            list(f, &self.dates, AnyDates::to_string)?;
        }
        if let Some((a, b, step)) = self.weeks {
            write!(f, "week {a:02}-{b:02}/{step} ")?;
        }
        let holidays = self.holidays.iter().map(|offset| format!("PH{}", days(*offset)));
        let weekdays = self.weekdays.iter().map(AnyWeekdays::to_string);
        let either: Vec<String> = holidays.chain(weekdays).collect();
        if !either.is_empty() {
            list(f, &either, String::clone)?;
        }
        if !self.times.is_empty() {
            let clock = |m: i64| format!("{:02}:{:02}", m / 60, m % 60);
            list(f, &self.times, |(a, b)| format!("{}-{}", clock(*a), clock(*b)))?;
        }
        f.write_str(if self.off { "off" } else { "open" })
    }
}

/// The expression that the rules are.
pub(crate) fn written(rules: &[AnyRule]) -> String {
    let mut text = String::new();
    for rule in rules {
        if !text.is_empty() {
            text.push_str(if rule.adds { ", " } else { "; " });
        }
        text.push_str(&rule.to_string());
    }
    text
}

/// Whether going forward from `from` in steps of `next` meets `x` no later than `to`.
fn met<T: PartialEq + Copy>(x: T, from: T, to: T, next: impl Fn(T) -> T) -> bool {
    let mut at = from;
    loop {
        if at == x {
            return true;
        }
        if at == to {
            return false;
        }
        at = next(at);
    }
}

impl AnyDates {
    fn names(&self, day: NaiveDate) -> bool {
        let month = day.month0() as usize;
        match self {
            AnyDates::Months(a, b) => met(month, *a, *b, |m| (m + 1) % 12),
            AnyDates::Yearly(a, b) => {
                let next =
                    |(m, d): (usize, u32)| if d == 31 { ((m + 1) % 12, 1) } else { (m, d + 1) };
                met((month, day.day()), *a, *b, next)
            }
            AnyDates::Once(a, b) => {
                let on = |x: &(i32, usize, u32)| (x.0, x.1, x.2);
                on(a) <= (day.year(), month, day.day()) && (day.year(), month, day.day()) <= on(b)
            }
        }
    }
}

impl AnyWeekdays {
    fn names(&self, day: NaiveDate) -> bool {
        let weekday = |day: NaiveDate| day.weekday().num_days_from_monday() as usize;
        match self {
            AnyWeekdays::Range(a, b) => met(weekday(day), *a, *b, |d| (d + 1) % 7),
            AnyWeekdays::Nth(a, nth, offset) => {
                let day = day - TimeDelta::days(*offset);
                let first = day.with_day(1).unwrap();
                let mut all: Vec<NaiveDate> = first
                    .iter_days()
                    .take_while(|d| d.month() == day.month())
                    .filter(|d| weekday(*d) == *a)
                    .collect();
                if *nth < 0 {
                    all.reverse();
                }
                all.get(nth.unsigned_abs() as usize - 1) == Some(&day)
            }
        }
    }
}

impl AnyRule {
    pub(crate) fn names(&self, day: NaiveDate, holidays: &BTreeSet<NaiveDate>) -> bool {
        let week: u32 = day.format("%V").to_string().parse().unwrap();
        let weekday = self.weekdays.iter().any(|weekdays| weekdays.names(day));
        let holiday =
            self.holidays.iter().any(|offset| holidays.contains(&(day - TimeDelta::days(*offset))));
        self.years.is_none_or(|(a, b)| a <= day.year() && day.year() <= b)
            && (self.dates.is_empty() || self.dates.iter().any(|dates| dates.names(day)))
            && self
                .weeks
                .is_none_or(|(a, b, step)| (a..=b).step_by(step as usize).any(|w| w == week))
            && (weekday || holiday || (self.weekdays.is_empty() && self.holidays.is_empty()))
    }
}

fn any_dates() -> impl Strategy<Value = Vec<AnyDates>> {
    let day = || (0..12_usize, 1..=28_u32);
    let repeated = prop_oneof![
        (0..12_usize, 0..12_usize).prop_map(|(a, b)| AnyDates::Months(a, b)),
        day().prop_map(|day| AnyDates::Yearly(day, day)),
        (day(), day()).prop_map(|(a, b)| AnyDates::Yearly(a, b)),
    ];
    let once = (1995..2040_i32, day(), 0..2_i32, day()).prop_map(|(year, a, years, b)| {
        let (a, b) = ((year, a.0, a.1), (year + years, b.0, b.1));
        AnyDates::Once(a.min(b), a.max(b))
    });
    prop_oneof![
        6 => Just(vec![]),
        2 => prop::collection::vec(repeated, 1..3),
        1 => prop::collection::vec(once, 1..3),
    ]
}

fn any_weekdays() -> impl Strategy<Value = AnyWeekdays> {
    let nth = prop_oneof![-5..=-1_i32, 1..=5_i32];
    prop_oneof![
        3 => (0..7_usize, 0..7_usize).prop_map(|(a, b)| AnyWeekdays::Range(a, b)),
        1 => (0..7_usize, nth, -3..=3_i64).prop_map(|(a, n, o)| AnyWeekdays::Nth(a, n, o)),
    ]
}

/// Spans as written, those over midnight in both forms. Near midnight and the hours in which
/// clocks jump more often than elsewhere.
fn any_times(over_midnight: bool) -> BoxedStrategy<(i64, i64)> {
    let fine = (0..1440_i64, 1..=1440_i64);
    let coarse = (0..10_i64, 1..=12_i64).prop_map(|(a, n)| (a * 30, n * 30));
    let evening = (40..48_i64, 1..=20_i64).prop_map(|(a, n)| (a * 30, n * 30));
    // Ends in the hours that most folds repeat, on the day itself or after midnight.
    let into_fold = (0..4_i64, 4..12_i64, any::<bool>()).prop_map(|(start, end, next_day)| {
        if next_day {
            (1380 + start * 15, 60 - start * 15 + end * 15)
        } else {
            (start * 15, (end - start) * 15)
        }
    });
    (prop_oneof![fine, coarse, evening, into_fold], any::<bool>())
        .prop_map(move |((start, minutes), long)| match start + minutes {
            end if end <= 1440 => (start, end),
            _ if !over_midnight => (start, 1440),
            end if long || start <= end - 1440 => (start, end),
            end => (start, end - 1440),
        })
        .boxed()
}

pub(crate) fn any_rule(over_midnight: bool) -> impl Strategy<Value = AnyRule> {
    let years = prop::option::weighted(0.1, (1995..2040_i32, 0..20_i32));
    let weeks = prop::option::weighted(0.1, (1..=53_u32, 0..=52_u32, 1..4_u32));
    let weekdays = prop_oneof![
        1 => Just(vec![]),
        2 => prop::collection::vec(any_weekdays(), 1..3)
    ];
    let holidays = prop_oneof![
        3 => Just(vec![]),
        1 => prop::collection::vec(-2..=2_i64, 1..3)
    ];
    let times = prop::collection::vec(any_times(over_midnight), 0..3);
    let days = (years, any_dates(), weeks, weekdays, holidays);
    (any::<bool>(), days, times, prop::bool::weighted(0.3)).prop_map(|(adds, days, times, off)| {
        let (years, dates, weeks, weekdays, holidays) = days;
        AnyRule {
            adds,
            years: years.map(|(first, more)| (first, first + more)),
            dates,
            weeks: weeks.map(|(first, more, step)| {
                // A step longer than its range is left to the rows: the crate drops it.
                let more = more.min(53 - first);
                (first, first + more, step.min(more.max(1)))
            }),
            weekdays,
            holidays,
            times,
            off,
        }
    })
}

/// Rules, the first of which often opens something every day.
pub(crate) fn any_rules(over_midnight: bool) -> impl Strategy<Value = Vec<AnyRule>> {
    let daily = prop::option::of(any_times(over_midnight)).prop_map(|times| AnyRule {
        adds: false,
        years: None,
        dates: vec![],
        weeks: None,
        weekdays: vec![],
        holidays: vec![],
        times: vec![times.unwrap_or((22 * 60, 24 * 60))],
        off: false,
    });
    let more = prop::collection::vec(any_rule(over_midnight), 0..4).boxed();
    prop_oneof![
        (daily, more).prop_map(|(first, more)| [vec![first], more].concat()),
        prop::collection::vec(any_rule(over_midnight), 1..4),
    ]
}

/// A zone, and a day on which something is special: the clocks jump, the year ends, February does.
pub(crate) fn any_place() -> impl Strategy<Value = (Zone, NaiveDate)> {
    (prop::sample::select(&ZONES[..]), 1995..2040_i32, 0..5_u32, any::<prop::sample::Index>())
        .prop_map(|(name, year, kind, index)| {
            let zone = Zone::find(name).unwrap();
            let new_year = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let days: Vec<NaiveDate> =
                new_year.iter_days().take_while(|d| d.year() == year).collect();
            let jumps = |day: &NaiveDate| {
                let length = zone.midnight(day.succ_opt().unwrap()) - zone.midnight(*day);
                length != TimeDelta::days(1)
            };
            let special: Vec<NaiveDate> = match kind {
                0 | 1 => days.iter().copied().filter(jumps).collect(),
                2 => vec![new_year, new_year - DayCount::new(1)],
                3 => vec![NaiveDate::from_ymd_opt(year, 3, 1).unwrap() - DayCount::new(1)],
                _ => vec![],
            };
            let from = if special.is_empty() { &days } else { &special };
            let day = *index.get(from);
            // The only day that was left out altogether is too rare to be met by chance.
            let day = match name {
                "Pacific/Apia" if kind < 2 => NaiveDate::from_ymd_opt(2011, 12, 30).unwrap(),
                _ => day,
            };
            (zone, day)
        })
}

/// Holidays around a day: it itself, its neighbours, none.
pub(crate) fn any_holidays(day: NaiveDate) -> impl Strategy<Value = BTreeSet<NaiveDate>> {
    prop::collection::btree_set(-6..=6_i64, 0..4)
        .prop_map(move |offsets| offsets.iter().map(|n| day + TimeDelta::days(*n)).collect())
}

/// These days as holidays; a day long past keeps the set from being none.
pub(crate) fn holidays_of(days: &BTreeSet<NaiveDate>) -> Holidays {
    let mut holidays = Holidays::none();
    holidays.add.extend(days);
    holidays.add.insert(NaiveDate::from_ymd_opt(1900, 1, 1).unwrap());
    holidays
}
