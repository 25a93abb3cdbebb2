//! Reads which days a rule names: years, dates and weeks, then weekdays and holidays.

use super::days::{Days, Steps, Weekdays};
use super::parse::unsupported;
use super::parse_dates::{YEARS, dates, is_at_dates};
use super::scan::Scan;
use crate::calendar::CalendarError;
use chrono::Weekday;
use std::ops::RangeInclusive;

/// How far an offset may move a day; keeps what is counted from Easter within its year.
const OFFSET_DAYS_MAX: u16 = 80;

const WEEKS: RangeInclusive<u16> = 1..=53;

/// The selectors in front of the times. Without `has_holidays` a `PH` is an error.
pub(super) fn days(scan: &mut Scan, has_holidays: bool) -> Result<Days, CalendarError> {
    let mut days = Days::default();
    let start = scan.at();
    while wide_selector(scan, &mut days)? {
        refuse_comma(scan)?;
        scan.spaces();
    }
    if start < scan.at() && scan.eat(":") {
        scan.spaces();
    }
    if is_at_weekdays(scan) {
        weekdays_and_holidays(scan, &mut days, has_holidays)?;
        refuse_comma(scan)?;
    }
    Ok(days)
}

/// A list of dates, years or weeks; whether there was one.
fn wide_selector(scan: &mut Scan, days: &mut Days) -> Result<bool, CalendarError> {
    let whole = *scan;
    let is_new = if is_at_dates(scan) {
        let list = dates(scan)?;
        std::mem::replace(&mut days.dates, list).is_empty()
    } else if scan.digits() == 4 {
        let list = steps(scan, YEARS, "a year", |ahead| ahead.digits() == 4)?;
        std::mem::replace(&mut days.years, list).is_empty()
    } else if scan.eat("week") {
        scan.spaces();
        let goes_on = |ahead: Scan| 0 < ahead.digits() && !ahead.is_at_time();
        let list = steps(scan, WEEKS, "a week", goes_on)?;
        std::mem::replace(&mut days.weeks, list).is_empty()
    } else {
        return Ok(false);
    };
    match is_new {
        true => Ok(true),
        false => {
            Err(whole.error("a second list of the same kind: go on with the first by a comma"))
        }
    }
}

/// A comma between days and their times or state is a list written with a space, or a rule that
/// would by mistake be open all day.
fn refuse_comma(scan: &Scan) -> Result<(), CalendarError> {
    let mut ahead = *scan;
    ahead.spaces();
    let comma = ahead;
    if !ahead.eat(",") {
        return Ok(());
    }
    Err(unsupported(&ahead).unwrap_or_else(|| {
        comma.error("after this comma a day of the same kind must follow, without a space")
    }))
}

/// A list of numbers, ranges and ranges with steps.
fn steps(
    scan: &mut Scan,
    bounds: RangeInclusive<u16>,
    what: &str,
    goes_on: impl Fn(Scan) -> bool,
) -> Result<Vec<Steps>, CalendarError> {
    let mut list = vec![];
    loop {
        let whole = *scan;
        let first = scan.number(bounds.clone(), what)?;
        let last = if scan.eat("-") {
            scan.number(bounds.clone(), what)?
        } else if bounds == YEARS && scan.eat("+") {
            *bounds.end()
        } else {
            first
        };
        if last < first {
            return Err(whole.error(format!("a reversed range: {last} comes before {first}")));
        }
        let step = if scan.eat("/") { scan.number(1..=9999, "a step")? } else { 1 };
        list.push(Steps { range: first..=last, step });
        if !scan.comma(&goes_on) {
            return Ok(list);
        }
    }
}

/// `Mo-Fr,PH`, or two lists with a space between: the weekdays that are holidays.
fn weekdays_and_holidays(
    scan: &mut Scan,
    days: &mut Days,
    has_holidays: bool,
) -> Result<(), CalendarError> {
    (days.weekdays, days.holidays) = list(scan, has_holidays)?;
    let mut second = *scan;
    if !second.spaces() || !is_at_weekdays(&second) {
        return Ok(());
    }
    *scan = second;
    let (weekdays, holidays) = list(scan, has_holidays)?;
    match (weekdays.is_empty(), holidays.is_empty()) {
        (true, false) if days.holidays.is_empty() => days.holidays = holidays,
        (false, true) if days.weekdays.is_empty() => days.weekdays = weekdays,
        _ => return Err(second.error("a list of days goes on after a comma, not after a space")),
    }
    days.both = true;
    Ok(())
}

/// Weekdays and offsets from holidays.
fn list(scan: &mut Scan, has_holidays: bool) -> Result<(Vec<Weekdays>, Vec<i64>), CalendarError> {
    let (mut weekdays, mut holidays) = (vec![], vec![]);
    loop {
        let whole = *scan;
        if scan.word(public_holiday).is_none() {
            weekdays.push(weekday_range(scan)?);
        } else if has_holidays {
            holidays.push(offset(scan)?);
        } else {
            return Err(whole.error(
                "PH without holidays: name a country or subdivision such as GB-ENG, or add days",
            ));
        }
        if !scan.comma(|ahead| is_at_weekdays(&ahead)) {
            return Ok((weekdays, holidays));
        }
    }
}

/// `Mo`, `Mo-Fr`, `Mo[1]`, `Mo[1] +2 days`.
fn weekday_range(scan: &mut Scan) -> Result<Weekdays, CalendarError> {
    let expected = |scan: &Scan| scan.expected("a weekday such as Mo");
    let first = scan.word(weekday).ok_or_else(|| expected(scan))?;
    if scan.eat("[") {
        let nth = occurrences(scan)?;
        return Ok(Weekdays::Nth { weekday: first, nth, offset_days: offset(scan)? });
    }
    let mut ahead = *scan;
    ahead.spaces();
    if !ahead.eat("-") {
        return Ok(Weekdays::Range(first, first));
    }
    ahead.spaces();
    let last = ahead.word(weekday).ok_or_else(|| expected(&ahead))?;
    *scan = ahead;
    match scan.rest().starts_with('[') {
        true => Err(scan.error("an occurrence in the month of a range of weekdays")),
        false => Ok(Weekdays::Range(first, last)),
    }
}

/// What stands in the brackets of `Mo[1,3-4,-1]`, and the closing one.
fn occurrences(scan: &mut Scan) -> Result<Vec<i8>, CalendarError> {
    const WHAT: &str = "an occurrence in the month";
    let mut list = vec![];
    let nth = |scan: &mut Scan| -> Result<i8, CalendarError> {
        Ok(i8::try_from(scan.number(1..=5, WHAT)?).unwrap_or_default())
    };
    loop {
        let whole = *scan;
        if scan.eat("-") {
            list.push(-nth(scan)?);
        } else {
            let first = nth(scan)?;
            let last = if scan.eat("-") { nth(scan)? } else { first };
            if last < first {
                return Err(whole.error("a reversed range"));
            }
            list.extend(first..=last);
        }
        if scan.eat("]") {
            return Ok(list);
        }
        if !scan.eat(",") {
            return Err(scan.expected(", or ]"));
        }
    }
}

/// `+1 day`, `-2 days`: a number of days, 0 if there is none.
pub(super) fn offset(scan: &mut Scan) -> Result<i64, CalendarError> {
    let mut ahead = *scan;
    ahead.spaces();
    let sign = match (ahead.eat("+"), ahead.eat("-")) {
        (true, _) => 1,
        (_, true) => -1,
        _ => return Ok(0),
    };
    if ahead.digits() == 0 || ahead.is_at_time() {
        return Ok(0);
    }
    let days = ahead.number(1..=OFFSET_DAYS_MAX, "a number of days")?;
    ahead.spaces();
    if !ahead.eat("days") && !ahead.eat("day") {
        return Err(ahead.expected("days"));
    }
    *scan = ahead;
    Ok(sign * i64::from(days))
}

fn is_at_weekdays(scan: &Scan) -> bool {
    let word = scan.peek_word();
    weekday(word).is_some() || public_holiday(word).is_some()
}

fn public_holiday(word: &str) -> Option<()> {
    word.eq_ignore_ascii_case("PH").then_some(())
}

fn weekday(word: &str) -> Option<Weekday> {
    const NAMES: [(&str, Weekday); 7] = [
        ("Mo", Weekday::Mon),
        ("Tu", Weekday::Tue),
        ("We", Weekday::Wed),
        ("Th", Weekday::Thu),
        ("Fr", Weekday::Fri),
        ("Sa", Weekday::Sat),
        ("Su", Weekday::Sun),
    ];
    NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, weekday)| *weekday)
}
