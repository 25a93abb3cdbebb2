//! Durations as logs write them: seconds, numbers with their units, Prometheus' units, ISO 8601, or a clock.

use chrono::TimeDelta;

use super::stamp::number::{BILLION, billionths};
use crate::time::{MAX_DURATION, parse_duration};

/// What a duration may look like, for error messages.
pub(super) const FORMS: &str = "a number of seconds, numbers with their units (2 minutes 3.5 seconds, 2m 3s), \
     [D days, ]HH:MM:SS, PT2M3S";

/// Seconds (`90`, `1.5`), a Prometheus duration, numbers with their units (`0.02 s`, `3 minutes`,
/// `1 hour, 2 minutes and 3.5 seconds`, `1h2m3.5s`), ISO 8601 (`P1DT2H3.5S`, no years and months), or a clock, perhaps
/// behind days: `HH:MM:SS[.fraction]`, `1 day, HH:MM:SS`, `1d HH:MM:SS`, `1-HH:MM:SS`, `1.HH:MM:SS`. At most
/// [`MAX_DURATION`].
pub fn duration(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    if let Some(duration) = parse_duration(text) {
        return Some(duration);
    }
    let nanos = billionths(text)
        .or_else(|| units_nanos(text))
        .or_else(|| clock_nanos(text))
        .or_else(|| iso_nanos(text))?;
    let limit = crate::time::nanos(MAX_DURATION);
    let nanos = (0 <= nanos && nanos <= limit).then_some(nanos)?;
    let seconds = i64::try_from(nanos / BILLION).ok()?;
    TimeDelta::new(seconds, u32::try_from(nanos % BILLION).ok()?)
}

/// A unit's names and its nanoseconds.
const UNITS: &[(&[&str], i128)] = &[
    (&["ns", "nsec", "nsecs", "nanosecond", "nanoseconds"], 1),
    (&["us", "µs", "μs", "usec", "usecs", "microsecond", "microseconds"], 1_000),
    (&["ms", "msec", "msecs", "millisecond", "milliseconds"], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], BILLION),
    (&["m", "min", "mins", "minute", "minutes"], 60 * BILLION),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600 * BILLION),
    (&["d", "day", "days"], DAY),
    (&["w", "week", "weeks"], 7 * DAY),
];

const DAY: i128 = 86_400 * BILLION;

/// The nanoseconds of a unit, in any case; `second(s)` is a name as well.
fn unit_nanos(name: &str) -> Option<i128> {
    let name = name.strip_suffix("(s)").unwrap_or(name);
    let is_it = |known: &&str| name.eq_ignore_ascii_case(known);
    UNITS.iter().find(|(names, _)| names.iter().any(&is_it)).map(|(_, nanos)| *nanos)
}

/// Numbers with their units, each unit once and the largest first; the last number may have a fraction.
fn units_nanos(text: &str) -> Option<i128> {
    let (mut sum, mut unit_before) = (0, i128::MAX);
    let mut rest = text;
    loop {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (name, after) = split(after.trim_start(), |c| c.is_alphabetic() || "()".contains(c));
        let unit = unit_nanos(name).filter(|unit| *unit < unit_before)?;
        // A unit is at most a week: no product of a number of this size overflows.
        let number = billionths(number).filter(|number| *number < 1_000_000_000 * BILLION)?;
        sum += number * unit / BILLION;
        if after.is_empty() {
            return Some(sum);
        }
        if number % BILLION != 0 {
            return None;
        }
        unit_before = unit;
        rest = without_joint(after);
    }
}

/// What follows a comma, a blank or an `and`.
fn without_joint(text: &str) -> &str {
    let text = text.strip_prefix(',').unwrap_or(text).trim_start();
    text.strip_prefix("and ").unwrap_or(text).trim_start()
}

/// The beginning that `belongs`, and the rest.
fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or_default()
}

fn clock_nanos(text: &str) -> Option<i128> {
    let (days, clock) = match text.rsplit_once(' ') {
        Some((days, clock)) => (days_before(days)?, clock),
        None => match text.split_once(':')?.0.find(['-', '.']) {
            Some(at) => (whole(text.get(..at)?)?, text.get(at + 1..)?),
            None => (0, text),
        },
    };
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let seconds = seconds.replace(',', ".");
    let is_clock = parts.next().is_none()
        && minutes.len() == 2
        && seconds.split('.').next().is_some_and(|whole| whole.len() == 2)
        && seconds.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let (minutes, seconds) = (whole(minutes)?, billionths(&seconds)?);
    let is_clock = is_clock && minutes < 60 && seconds < 60 * BILLION;
    let minutes = (days * 24 + whole(hours)?) * 60 + minutes;
    is_clock.then_some(minutes * 60 * BILLION + seconds)
}

/// `1 day,`, `2 days` or `3d` before a clock.
fn days_before(text: &str) -> Option<i128> {
    let (number, after) = split(text, |c| c.is_ascii_digit());
    let after = after.strip_suffix(',').or(after.strip_suffix(" and")).unwrap_or(after);
    let is_of_days = unit_nanos(after.trim()) == Some(DAY);
    if is_of_days { whole(number) } else { None }
}

fn whole(text: &str) -> Option<i128> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= 9;
    is_number.then(|| text.parse::<i128>().ok())?
}

/// Months and years of ISO 8601 have no fixed length.
fn iso_nanos(text: &str) -> Option<i128> {
    let text = text.strip_prefix('P')?;
    let (date, clock) = text.split_once('T').map_or((text, None), |(date, t)| (date, Some(t)));
    let part = |text: &str, units: &str| {
        let is_of = text.chars().all(|c| c.is_ascii_digit() || c == '.' || units.contains(c));
        if is_of { units_nanos(text) } else { None }
    };
    match (date, clock) {
        (date, None) => part(date, "WD"),
        ("", Some(clock)) => part(clock, "HMS"),
        (date, Some(clock)) => Some(part(date, "WD")? + part(clock, "HMS")?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts, and their milliseconds.
    const DURATIONS: &[(&str, Option<i64>)] = &[
        ("0", Some(0)),
        ("90", Some(90_000)),
        ("1.5", Some(1_500)),
        ("1e3", Some(1_000_000)),
        ("1h25m", Some(5_100_000)),
        ("0.02 s", Some(20)),
        ("1.3 s", Some(1_300)),
        ("0 secs", Some(0)),
        ("1.5ms", Some(1)),
        ("250 ms", Some(250)),
        ("1.5 hours", Some(5_400_000)),
        ("2 days", Some(172_800_000)),
        ("0:00:01.010260", Some(1_010)),
        ("1 fortnight", None),
        ("s", None),
        (". s", None),
        ("1 s 2", None),
        ("-1 s", None),
        ("999999999999 d", None),
        ("90s", Some(90_000)),
        ("01:25:00", Some(5_100_000)),
        ("1:25:00.25", Some(5_100_250)),
        ("49:00:00", Some(176_400_000)),
        ("1 day, 0:00:01", Some(86_401_000)),
        ("2 days, 1:00:00", Some(176_400_000)),
        ("-1", None),
        ("-1 day, 23:59:59", None),
        ("-00:00:01", None),
        ("1 week, 0:00:00", None),
        ("2 minutes 13 seconds", Some(133_000)),
        ("3 hours 0 minutes 4.25 seconds", Some(10_804_250)),
        ("1 Hour, 2 Minutes and 3 Seconds", Some(3_723_000)),
        ("1 hour, 2 minutes, and 3 seconds", Some(3_723_000)),
        ("2 minute(s) 1 second(s)", Some(121_000)),
        ("1 hr 5 mins", Some(3_900_000)),
        ("4m 5s", Some(245_000)),
        ("1h2m3.5s", Some(3_723_500)),
        ("2min 3.456s", Some(123_456)),
        ("1 week 2 days", Some(777_600_000)),
        ("17 µs", Some(0)),
        ("3 days 01:02:03", Some(262_923_000)),
        ("0 days 00:10:00.5", Some(600_500)),
        ("2d 01:00:00", Some(176_400_000)),
        ("2-01:00:00", Some(176_400_000)),
        ("1.02:03:04.5000000", Some(93_784_500)),
        ("00:00:01.5", Some(1_500)),
        ("0:00:01,250", Some(1_250)),
        (" 90 ", Some(90_000)),
        ("PT2M3S", Some(123_000)),
        ("P1DT2H", Some(93_600_000)),
        ("PT0.75S", Some(750)),
        ("P2W", Some(1_209_600_000)),
        ("P1M", None),
        ("P1Y2D", None),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("PT1D", None),
        ("pt1s", None),
        ("3 seconds 2 minutes", None),
        ("1 minute 1 minute", None),
        ("1.5 hours 3 minutes", None),
        ("2 minutes 3", None),
        ("2 minutes,", None),
        ("2 minutes and", None),
        ("2 minutes ago", None),
        ("1 and 2 seconds", None),
        ("2 hours 01:00:00", None),
        ("1 days -01:00:00", None),
        ("-1-01:00:00", None),
        ("1-1-01:00:00", None),
        (".01:00:00", None),
        ("1 day 1:25", None),
        ("999999999 weeks 999999999 days", None),
        ("1:25", None),
        ("1:25:00:00", None),
        ("1:60:00", None),
        ("1:00:60", None),
        ("1:0:0", None),
        ("1:00:+5", None),
        ("1:00:1e1", None),
        (":00:00", None),
        ("soon", None),
        ("", None),
        ("99999999999999999999", None),
        ("999999999:00:00", None),
        ("999999999999:00:00", None),
    ];

    #[test]
    fn durations_are_seconds_units_or_a_clock() {
        for (text, millis) in DURATIONS {
            let found = duration(text).map(|d| d.num_milliseconds());
            assert_eq!(found, *millis, "{text:?}");
        }
        assert_eq!(duration("3153600000"), Some(MAX_DURATION));
        assert_eq!(duration("3153600000.000000001"), None);
    }
}
