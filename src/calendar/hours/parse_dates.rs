//! Reads months, dates, Easter, and ranges of them.

use super::days::Dates;
use super::parse_days::offset;
use super::scan::Scan;
use crate::calendar::CalendarError;
use chrono::{Month, NaiveDate};
use std::ops::RangeInclusive;

/// Years that an expression may name.
pub(super) const YEARS: RangeInclusive<u16> = 1..=9999;

/// An end of a range as written.
#[derive(Clone, Copy)]
struct End {
    year: Option<i32>,
    month: u32,
    day: Option<u32>,
}

/// Whether a month, a year with a month, or `easter` comes next.
pub(super) fn is_at_dates(scan: &Scan) -> bool {
    let mut ahead = *scan;
    if ahead.digits() == 4 && ahead.number(YEARS, "a year").is_ok() {
        ahead.spaces();
        return ahead.word(month).is_some();
    }
    ahead.word(month).is_some() || ahead.word(easter_word).is_some()
}

/// A list of dates. After a date a bare day means one of the same month: `Dec 24,26`.
pub(super) fn dates(scan: &mut Scan) -> Result<Vec<Dates>, CalendarError> {
    let mut list: Vec<Dates> = vec![];
    let mut month_before: Option<End> = None;
    loop {
        let whole = *scan;
        let next = if scan.word(easter_word).is_some() {
            month_before = None;
            easter_range(scan, whole)?
        } else {
            let (range, last) = date_range(scan, month_before)?;
            month_before = last.day.map(|_| last);
            range
        };
        let is_once = |dates: &Dates| matches!(dates, Dates::Once(_));
        if list.first().is_some_and(|first| is_once(first) != is_once(&next)) {
            return Err(whole.error("give each date of a list its year, or none of them"));
        }
        list.push(next);
        let has_month = month_before.is_some();
        if !scan.comma(|ahead| is_at_dates(&ahead) || (has_month && is_at_day(&ahead))) {
            return Ok(list);
        }
    }
}

/// What follows `easter`: an offset perhaps, and perhaps another end.
fn easter_range(scan: &mut Scan, whole: Scan) -> Result<Dates, CalendarError> {
    let first = offset(scan)?;
    let last = match dash(scan) {
        None => first,
        Some(()) if scan.word(easter_word).is_some() => offset(scan)?,
        Some(()) => return Err(scan.expected("easter, as at the beginning of the range")),
    };
    match last < first {
        true => Err(whole.error("a reversed range")),
        false => Ok(Dates::Easter(first..=last)),
    }
}

/// A date, a month or a range of either, and its last end.
fn date_range(scan: &mut Scan, month_before: Option<End>) -> Result<(Dates, End), CalendarError> {
    let whole = *scan;
    let first = end(scan, month_before)?;
    let last = match dash(scan) {
        Some(()) => end(scan, first.day.map(|_| first))?,
        None => first,
    };
    if first.day.is_some() != last.day.is_some() {
        return Err(whole.error("give both ends of a range a day, or neither"));
    }
    let range = match (first.year, last.year) {
        (None, Some(_)) => return Err(whole.error("a range that ends in a year begins in one")),
        (None, None) => Dates::Yearly {
            first: (first.month, first.day.unwrap_or(1)),
            // The 31st stands for the last day of any month.
            last: (last.month, last.day.unwrap_or(31)),
        },
        (Some(year), _) => once(whole, year, first, last)?,
    };
    Ok((range, last))
}

/// A range that begins in a year. Without a year of its own it ends on the first such day.
fn once(whole: Scan, year: i32, first: End, last: End) -> Result<Dates, CalendarError> {
    let on = |year: i32, month: u32, day: u32| {
        let day = NaiveDate::from_ymd_opt(year, month, day);
        day.ok_or_else(|| whole.error(format!("a day that {year} does not have")))
    };
    let end_in = |year: i32| match last.day {
        Some(day) => on(year, last.month, day),
        None => {
            let first_of_month = on(year, last.month, 1)?;
            let days = u32::from(chrono::Datelike::num_days_in_month(&first_of_month));
            on(year, last.month, days)
        }
    };
    let start = on(year, first.month, first.day.unwrap_or(1))?;
    let mut end = end_in(last.year.unwrap_or(year))?;
    if end < start && last.year.is_none() {
        end = end_in(year + 1)?;
    }
    match end < start {
        true => Err(whole.error("a reversed range")),
        false => Ok(Dates::Once(start..=end)),
    }
}

/// One end: a year perhaps, a month, a day perhaps; or just a day of the month of `before`.
fn end(scan: &mut Scan, before: Option<End>) -> Result<End, CalendarError> {
    let whole = *scan;
    if let Some(before) = before.filter(|_| is_at_day(scan)) {
        let day = Some(day(scan, before.month)?);
        return match day < before.day {
            true => Err(whole.error("a day before the one that it follows")),
            false => Ok(End { day, ..before }),
        };
    }
    let mut year = None;
    if scan.digits() == 4 {
        year = Some(i32::from(scan.number(YEARS, "a year")?));
        scan.spaces();
    }
    let month = scan.word(month).ok_or_else(|| scan.expected("a date such as Dec 24"))?;
    let month = month.number_from_month();
    let mut ahead = *scan;
    ahead.spaces();
    if !is_at_day(&ahead) {
        return Ok(End { year, month, day: None });
    }
    *scan = ahead;
    Ok(End { year, month, day: Some(day(scan, month)?) })
}

/// Steps over the dash of a range, with spaces around it.
fn dash(scan: &mut Scan) -> Option<()> {
    let mut ahead = *scan;
    ahead.spaces();
    ahead.eat("-").then(|| {
        ahead.spaces();
        *scan = ahead;
    })
}

/// Whether a day of a month comes next, and neither a time nor a year.
fn is_at_day(scan: &Scan) -> bool {
    (1..=2).contains(&scan.digits()) && !scan.is_at_time()
}

/// A day that its month has in some year.
fn day(scan: &mut Scan, month: u32) -> Result<u32, CalendarError> {
    const LEAP_YEAR: i32 = 2000;
    let whole = *scan;
    let day = u32::from(scan.number(1..=31, "a day of a month")?);
    match NaiveDate::from_ymd_opt(LEAP_YEAR, month, day) {
        Some(_) => Ok(day),
        None => Err(whole.error(format!("this month has no day {day}"))),
    }
}

fn easter_word(word: &str) -> Option<()> {
    word.eq_ignore_ascii_case("easter").then_some(())
}

/// A month by its three letters.
fn month(word: &str) -> Option<Month> {
    let is_short = word.len() == 3;
    word.parse().ok().filter(|_| is_short)
}
