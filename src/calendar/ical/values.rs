//! Values of properties: dates, times, lengths, text.

use super::{CalendarError, Property, Zones};
use crate::calendar::{Edge, Zone};
use crate::time::{Instant, MAX_DURATION, Span, YEARS};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// A `DATE` or `DATE-TIME` (RFC 5545, 3.3.4 and 3.3.5), with the zone by whose clocks it is meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Time {
    /// What the clocks show; midnight for a whole day.
    pub civil: NaiveDateTime,
    pub zone: Zone,
    /// A whole day, not a moment of it.
    pub is_date: bool,
}

/// A `DURATION` (RFC 5545, 3.3.6): days are nominal, as long as the clocks make them; the rest is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Weeks count as seven days.
    pub days: i64,
    pub exact: TimeDelta,
}

impl Time {
    /// The instant. In a spring gap it moves forward by the gap, in an autumn fold `edge` decides.
    pub fn instant(&self, edge: Edge) -> Instant {
        self.zone.resolve(self.civil, edge)
    }
}

impl Length {
    /// Reads `P1W`, `P1DT2H30M`, `-PT15M`; `None`: something else, or more than [`MAX_DURATION`].
    pub fn parse(text: &str) -> Option<Length> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let text = text.strip_prefix(['P', 'p'])?;
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let [weeks, days] = amounts(date, ['W', 'D'])?;
        let [hours, minutes, seconds] = amounts(time.unwrap_or_default(), ['H', 'M', 'S'])?;
        let is_empty = |text: &str| text.is_empty();
        if time.map_or(is_empty(date), is_empty) {
            return None;
        }
        let sign = if negative { -1 } else { 1 };
        let days = weeks.checked_mul(7)?.checked_add(days)?;
        let seconds =
            hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?;
        let exact = TimeDelta::try_seconds(seconds)?;
        let whole = TimeDelta::try_days(days)?.checked_add(&exact)?;
        (whole <= MAX_DURATION).then_some(Length { days: sign * days, exact: exact * sign as i32 })
    }

    /// Whether it is longer than nothing.
    pub fn is_positive(&self) -> bool {
        TimeDelta::zero() < TimeDelta::days(self.days) + self.exact
    }

    /// What begins at a start and is as long; `None`: it has no length.
    pub fn span(&self, start: &Time) -> Option<Span> {
        let from = start.instant(Edge::Earlier);
        Span::new(from, self.end(start.civil, from, &start.zone)?)
    }

    /// The end of what begins at `start` (which is at the instant `from`): days by the clocks first, the rest on
    /// the time line (RFC 5545, 3.3.6).
    pub fn end(&self, start: NaiveDateTime, from: Instant, zone: &Zone) -> Option<Instant> {
        let day = match self.days {
            0 => from,
            days => {
                let civil = start.checked_add_signed(TimeDelta::try_days(days)?)?;
                zone.resolve(civil, Edge::Later)
            }
        };
        day.checked_add_signed(self.exact)
    }
}

/// Numbers, each before its unit, in this order; units may be left out.
fn amounts<const N: usize>(text: &str, units: [char; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut rest = text;
    for (amount, unit) in found.iter_mut().zip(units) {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        if let Some(after) = after.strip_prefix([unit, unit.to_ascii_lowercase()]) {
            *amount = number.parse().ok()?;
            rest = after;
        }
    }
    rest.is_empty().then_some(found)
}

/// A `DATE` or `DATE-TIME` as written, and whether it is in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub civil: NaiveDateTime,
    pub is_date: bool,
    pub is_utc: bool,
}

impl Stamp {
    /// `None`: neither of the two forms, or no such day.
    pub fn parse(text: &str) -> Option<Stamp> {
        stamp(text)
    }
}

fn stamp(text: &str) -> Option<Stamp> {
    let (text, is_utc) = match text.strip_suffix(['Z', 'z']) {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let digits = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    let number = |text: &str, from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    if !digits(date, 8) || time.is_some_and(|time| !digits(time, 6)) || (is_utc && time.is_none()) {
        return None;
    }
    let year = i32::try_from(number(date, 0, 4)?).ok().filter(|year| YEARS.contains(year))?;
    let day = NaiveDate::from_ymd_opt(year, number(date, 4, 6)?, number(date, 6, 8)?)?;
    let time_of_day = match time {
        None => NaiveTime::MIN,
        Some(t) => {
            // A leap second is the second before it to everybody who writes calendars.
            let second = number(t, 4, 6).map(|second| if second == 60 { 59 } else { second });
            NaiveTime::from_hms_opt(number(t, 0, 2)?, number(t, 2, 4)?, second?)?
        }
    };
    Some(Stamp { civil: day.and_time(time_of_day), is_date: time.is_none(), is_utc })
}

const TIME_FORMS: &str = "20251110, 20251110T131000 or 20251110T131000Z";

impl Property {
    /// The one date or time that this property gives.
    ///
    /// # Errors
    /// It is none, or its `TZID` names no zone that is known.
    pub fn time(&self, zones: &Zones) -> Result<Time, CalendarError> {
        let found = self.read(|value| stamp(value).ok_or(()));
        let found = found.map_err(|()| {
            self.error(format!("{:?} is not a date or time such as {TIME_FORMS}", self.value))
        })?;
        self.placed(found, zones)
    }

    /// The dates or times that this property lists, and of a `PERIOD` its end (RFC 5545, 3.3.9).
    ///
    /// # Errors
    /// As for [`Property::time`], and a period that is none.
    pub fn times(&self, zones: &Zones) -> Result<Vec<(Time, Option<PeriodEnd>)>, CalendarError> {
        let read = |value: &str| -> Result<Vec<_>, String> {
            let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(|item| period(item).ok_or_else(|| item.to_owned())).collect()
        };
        let items = self.read(read).map_err(|item| {
            self.error(format!("{item:?} is not a date or time such as {TIME_FORMS}, nor a period"))
        })?;
        let placed = |(start, end)| {
            let end = match end {
                None => None,
                Some(Ok(end)) => Some(PeriodEnd::At(self.placed(end, zones)?)),
                Some(Err(length)) => Some(PeriodEnd::After(length)),
            };
            Ok((self.placed(start, zones)?, end))
        };
        items.into_iter().map(placed).collect()
    }

    /// Gives a reading its zone: UTC, that of `TZID`, or the calendar's own.
    fn placed(&self, stamp: Stamp, zones: &Zones) -> Result<Time, CalendarError> {
        let Stamp { civil, is_date, is_utc } = stamp;
        let zone = match self.param("TZID") {
            _ if is_utc => Zone::utc(),
            // A day is a day everywhere: it floats.
            Some(id) if !is_date => zones.find(id).map_err(|message| self.error(message))?,
            _ => zones.floating().map_err(|message| self.error(message))?,
        };
        Ok(Time { civil, zone, is_date })
    }
}

/// How a period ends.
#[derive(Clone, Debug, PartialEq)]
pub enum PeriodEnd {
    At(Time),
    After(Length),
}

fn period(text: &str) -> Option<(Stamp, Option<Result<Stamp, Length>>)> {
    let Some((start, end)) = text.split_once('/') else { return Some((stamp(text)?, None)) };
    let end = match stamp(end) {
        Some(end) => Ok(end),
        None => Err(Length::parse(end)?),
    };
    Some((stamp(start)?, Some(end)))
}

/// Text without its escapes (RFC 5545, 3.3.11).
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(escaped) => plain.push(escaped),
                None => plain.push('\\'),
            },
            c => plain.push(c),
        }
    }
    plain
}
