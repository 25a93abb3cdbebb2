//! Zones that a calendar describes (`VTIMEZONE`): by one rule a year for each of standard and daylight time, or by
//! all of their changes, however many eras and dates there are.

use super::{Component, Property, Zones};
use crate::calendar::Zone;
use crate::calendar::recurrence::{Rule, Series, Work};
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};

/// The years for which the changes of a zone of several eras are worked out; the last one holds ever after.
const YEARS: (i32, i32) = (1900, 2100);
/// Changes of one zone.
const CHANGES_MAX: usize = 4_000;

/// The zone of a `VTIMEZONE`; `None`: it is not understood.
pub(super) fn zone_of(part: &Component) -> Option<Zone> {
    match posix_rule(part) {
        Some(rule) => Zone::posix(&rule),
        None => zone_of_changes(part),
    }
}

/// From every onset of every part: dates, rules, and where each begins.
fn zone_of_changes(zone: &Component) -> Option<Zone> {
    let parts: Vec<&Component> = zone
        .components
        .iter()
        .filter(|part| ["STANDARD", "DAYLIGHT"].contains(&part.name.as_str()))
        .collect();
    // When it begins, from which offset, to which.
    let mut changes: Vec<(i64, i32, i32)> = vec![];
    for part in parts {
        let (from, to) = (offset(part, "TZOFFSETFROM")?, offset(part, "TZOFFSETTO")?);
        for civil in onsets(part, from)? {
            changes.push((civil.and_utc().timestamp() - i64::from(from), from, to));
        }
        if CHANGES_MAX < changes.len() {
            return None;
        }
    }
    changes.sort_unstable();
    changes.dedup_by_key(|(at, _, _)| *at);
    let first = changes.first()?.1;
    let changes: Vec<(i64, i32)> = changes.into_iter().map(|(at, _, to)| (at, to)).collect();
    Zone::of_changes(first, &changes)
}

/// The readings of the clocks, as they go before, at which a part begins.
fn onsets(part: &Component, from: i32) -> Option<Vec<NaiveDateTime>> {
    // Before a change the clocks go by one offset.
    let sign = if from < 0 { '+' } else { '-' };
    let (hours, rest) = (from.abs() / 3600, from.abs() % 3600);
    let before = Zone::posix(&format!("<own>{sign}{hours}:{:02}:{:02}", rest / 60, rest % 60))?;
    let zones = Zones::only(before);
    let start = part.property("DTSTART")?.time(&zones).ok()?;
    let mut found = vec![];
    if part.property("RRULE").is_none() {
        found.push(start.civil);
    }
    for property in part.all("RDATE") {
        found.extend(property.times(&zones).ok()?.into_iter().map(|(time, _)| time.civil));
    }
    let day = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day);
    let (first, last) = (day((YEARS.0, 1, 1))?, day((YEARS.1, 12, 31))?);
    for property in part.all("RRULE") {
        let rule = property.read(Rule::parse).ok()?;
        if rule.ends_before(&start) {
            continue;
        }
        let series = Series::new(rule, &start, &mut Work::default()).ok()?;
        if 366 < series.most_a_year() {
            return None;
        }
        series.starts(first, last, |civil| found.push(civil));
    }
    // A start long ago stands for always.
    found.retain(|civil| (YEARS.0..=YEARS.1).contains(&civil.year()) || *civil == start.civil);
    Some(found)
}

/// What is to be added to UTC, in seconds: `+0100`, `-033000`.
fn offset(part: &Component, name: &str) -> Option<i32> {
    let (is_west, digits) = offset_digits(part.property(name)?)?;
    let number = |from: usize| digits.get(from..from + 2)?.parse::<i32>().ok();
    let seconds = match digits.len() {
        6 => number(4)?,
        _ => 0,
    };
    let all = TimeDelta::hours(number(0)?.into())
        + TimeDelta::minutes(number(2)?.into())
        + TimeDelta::seconds(seconds.into());
    let all = i32::try_from(all.num_seconds()).ok()?;
    Some(if is_west { -all } else { all })
}

fn offset_digits(property: &Property) -> Option<(bool, String)> {
    let value = property.value.trim();
    let (is_west, digits) = match (value.strip_prefix('+'), value.strip_prefix('-')) {
        (Some(digits), _) => (false, digits),
        (_, Some(digits)) => (true, digits),
        _ => return None,
    };
    let is_offset =
        [4, 6].contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_offset.then(|| (is_west, digits.to_owned()))
}

/// The rules of a `VTIMEZONE` as a POSIX `TZ` (the form of footers in RFC 9636), if a year has at most one change
/// to each of standard and daylight time, by weekday of a month, and it has been so all the time.
fn posix_rule(zone: &Component) -> Option<String> {
    let named = |name: &str| -> Vec<&Component> {
        zone.components.iter().filter(|part| part.name == name).collect()
    };
    match (named("STANDARD").as_slice(), named("DAYLIGHT").as_slice()) {
        ([standard], []) => {
            let changes = standard.property("RRULE").or(standard.property("RDATE")).is_some();
            (!changes).then_some(format!("<std>{}", posix_offset(standard)?))
        }
        ([standard], [daylight]) => Some(format!(
            "<std>{}<dst>{},{},{}",
            posix_offset(standard)?,
            posix_offset(daylight)?,
            posix_change(daylight)?,
            posix_change(standard)?
        )),
        _ => None,
    }
}

/// `TZOFFSETTO` as POSIX has it: what is added to get UTC.
fn posix_offset(part: &Component) -> Option<String> {
    let (is_west, digits) = offset_digits(part.property("TZOFFSETTO")?)?;
    let sign = if is_west { "" } else { "-" };
    let seconds = digits.get(4..6).unwrap_or("00");
    Some(format!("{sign}{}:{}:{seconds}", digits.get(..2)?, digits.get(2..4)?))
}

/// `FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU` at two o'clock as `M10.5.0/2:00:00`.
fn posix_change(part: &Component) -> Option<String> {
    if part.property("RDATE").is_some() {
        return None;
    }
    let mut rules = part.all("RRULE");
    let (rule, None) = (rules.next()?, rules.next()) else { return None };
    let (mut month, mut day) = (None, None);
    for item in rule.value.trim().to_ascii_uppercase().split(';') {
        match item.split_once('=')? {
            ("FREQ", "YEARLY") | ("INTERVAL", "1") | ("WKST", _) => {}
            ("BYMONTH", number) => month = number.parse::<u8>().ok(),
            ("BYDAY", text) => day = posix_day(text),
            // An UNTIL says that other rules follow, or none.
            _ => return None,
        }
    }
    let time = part.property("DTSTART")?.value.trim().split_once(['T', 't'])?.1.to_owned();
    let digits = |from: usize| time.get(from..from + 2);
    let (hour, minute, second) = (digits(0)?, digits(2)?, digits(4)?);
    Some(format!("M{}.{}/{hour}:{minute}:{second}", month?, day?))
}

/// `-1SU` as `5.0`, `2MO` as `2.1`.
fn posix_day(text: &str) -> Option<String> {
    let (nth, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"].iter().position(|day| *day == name)?;
    let week = match nth {
        "-1" => "5",
        "1" | "2" | "3" | "4" | "+1" | "+2" | "+3" | "+4" => nth.trim_start_matches('+'),
        _ => return None,
    };
    Some(format!("{week}.{weekday}"))
}
