//! When an event starts, and how long it lasts.

use super::Event;
use crate::calendar::ical::{Length, PeriodEnd, Time};
use crate::calendar::{CalendarError, Edge, Zone};
use chrono::{NaiveTime, TimeDelta};

/// Of an event without an end, or with one at its start (RFC 5545, 3.6.1).
const NO_LENGTH: Length = Length { days: 0, exact: TimeDelta::zero() };
const ONE_DAY: Length = Length { days: 1, exact: TimeDelta::zero() };

/// The start of the first (or only) occurrence, and how long each lasts: an end gives an exact length, that of whole
/// days a nominal one. `only_days`: whether it has to be a whole day; from midnight to midnight is one.
///
/// # Errors
/// There is no start, or what is written for start or end is not understood.
pub(super) fn start_and_length(
    event: &Event<'_>,
    only_days: bool,
) -> Result<(Time, Length), CalendarError> {
    let start = event.component.property("DTSTART");
    let start = start.ok_or_else(|| event.error("no DTSTART"))?.time(event.zones)?;
    let end = end_of(event, &start)?;
    if only_days && !start.is_date {
        return whole_days(&start, &end)
            .ok_or_else(|| event.error("a holiday is a whole day, but this has a time"));
    }
    let length = match end {
        PeriodEnd::After(length) => length,
        PeriodEnd::At(end) if start.is_date => {
            let days = (end.civil.date() - start.civil.date()).num_days();
            Length { days, exact: TimeDelta::zero() }
        }
        PeriodEnd::At(end) => {
            let exact = end.instant(Edge::Later) - start.instant(Edge::Earlier);
            Length { days: 0, exact }
        }
    };
    Ok((start, length))
}

/// From midnight to midnight by the same clocks, also without the last minute or second, and from a midnight to itself:
/// whole days, as some programs write them.
fn whole_days(start: &Time, end: &PeriodEnd) -> Option<(Time, Length)> {
    let day = TimeDelta::days(1);
    let length = match end {
        PeriodEnd::At(end) if end.zone == start.zone => end.civil - start.civil,
        PeriodEnd::At(_) => return None,
        PeriodEnd::After(length) => TimeDelta::days(length.days) + length.exact,
    };
    let missing = [TimeDelta::zero(), TimeDelta::seconds(1), TimeDelta::minutes(1)];
    let to_midnight = missing.map(|part| length + part).into_iter();
    let length = to_midnight.filter(|l| l.num_seconds() % day.num_seconds() == 0).max()?.max(day);
    let (days, is_whole) = (length.num_days(), start.civil.time() == NaiveTime::MIN);
    let start = Time { zone: Zone::utc(), is_date: true, ..start.clone() };
    is_whole.then_some((start, Length { days, exact: TimeDelta::zero() }))
}

fn end_of(event: &Event<'_>, start: &Time) -> Result<PeriodEnd, CalendarError> {
    let component = event.component;
    let none = if start.is_date { ONE_DAY } else { NO_LENGTH };
    match (component.property("DTEND"), component.property("DURATION")) {
        (Some(_), Some(property)) => Err(property.error("beside DTEND: one of them")),
        (Some(property), None) => {
            let end = property.time(event.zones)?;
            if end.is_date != start.is_date {
                return Err(property
                    .error("DTSTART and DTEND are a day and a time: both days, or both times"));
            }
            let order = match start.zone == end.zone {
                true => start.civil.cmp(&end.civil),
                false => start.instant(Edge::Earlier).cmp(&end.instant(Edge::Later)),
            };
            match order {
                std::cmp::Ordering::Less => Ok(PeriodEnd::At(end)),
                std::cmp::Ordering::Equal => Ok(PeriodEnd::After(none)),
                std::cmp::Ordering::Greater => {
                    Err(property.error(format!("{:?}: ends before it begins", property.value)))
                }
            }
        }
        (None, Some(property)) => {
            let length = property.read(|value| Length::parse(value).ok_or(()));
            let length = length.ok().filter(|length| !start.is_date || length.exact.is_zero());
            match length {
                Some(length) if length.is_positive() => Ok(PeriodEnd::After(length)),
                Some(NO_LENGTH) => Ok(PeriodEnd::After(none)),
                _ => Err(property.error(format!(
                    "{:?} is not a length such as PT7H, or of whole days P1D",
                    property.value
                ))),
            }
        }
        (None, None) => Ok(PeriodEnd::After(none)),
    }
}
