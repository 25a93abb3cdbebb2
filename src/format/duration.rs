//! Durations as logs write them: seconds, a number with its unit, Prometheus' units, or a clock.

use chrono::TimeDelta;

use super::stamp::number::{BILLION, billionths};
use crate::time::{MAX_DURATION, parse_duration};

/// Seconds (`90`, `1.5`), a number with its unit (`0.02 s`, `1.5ms`, `3 minutes`), a Prometheus duration, or
/// `[D day(s), ]HH:MM:SS[.fraction]`; at most
/// [`MAX_DURATION`].
pub fn duration(text: &str) -> Option<TimeDelta> {
    let nanos = match parse_duration(text) {
        Some(duration) => return Some(duration),
        None => billionths(text).or_else(|| with_unit_nanos(text)).or_else(|| clock_nanos(text))?,
    };
    let limit = crate::time::nanos(MAX_DURATION);
    let nanos = (0 <= nanos && nanos <= limit).then_some(nanos)?;
    let seconds = i64::try_from(nanos / BILLION).ok()?;
    TimeDelta::new(seconds, u32::try_from(nanos % BILLION).ok()?)
}

/// A unit's names and its nanoseconds.
const UNITS: &[(&[&str], i128)] = &[
    (&["ns"], 1),
    (&["us", "µs"], 1_000),
    (&["ms", "msec", "msecs", "millisecond", "milliseconds"], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], BILLION),
    (&["m", "min", "mins", "minute", "minutes"], 60 * BILLION),
    (&["h", "hour", "hours"], 3_600 * BILLION),
    (&["d", "day", "days"], 86_400 * BILLION),
];

fn with_unit_nanos(text: &str) -> Option<i128> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at_checked(split)?;
    let unit = unit.trim_start();
    let (_, nanos) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
    // The unit is at most a day: no product of a number of this size overflows.
    let number = billionths(number).filter(|number| *number < 1_000_000_000 * BILLION)?;
    Some(number * nanos / BILLION)
}

fn clock_nanos(text: &str) -> Option<i128> {
    let (days, clock) = match text.split_once(", ") {
        Some((days, clock)) => (days.strip_suffix(" days").or(days.strip_suffix(" day"))?, clock),
        None => ("0", text),
    };
    let whole = |text: &str| {
        let is_number = text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= 9;
        is_number.then(|| text.parse::<i128>().ok())?
    };
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let is_clock = parts.next().is_none()
        && minutes.len() == 2
        && seconds.split('.').next().is_some_and(|whole| whole.len() == 2)
        && seconds.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let (minutes, seconds) = (whole(minutes)?, billionths(seconds)?);
    let is_clock = is_clock && minutes < 60 && seconds < 60 * BILLION;
    let minutes = (whole(days)? * 24 + whole(hours)?) * 60 + minutes;
    is_clock.then_some(minutes * 60 * BILLION + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_units_or_a_clock() {
        for (text, millis) in [
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
        ] {
            let found = duration(text).map(|d| d.num_milliseconds());
            assert_eq!(found, millis, "{text:?}");
        }
        assert_eq!(duration("3153600000"), Some(MAX_DURATION));
        assert_eq!(duration("3153600000.000000001"), None);
    }
}
