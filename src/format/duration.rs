//! Durations as logs write them: seconds, Prometheus' units, or a clock.

use chrono::TimeDelta;

use super::stamp::number::{BILLION, billionths};
use crate::time::{MAX_DURATION, parse_duration};

/// Seconds (`90`, `1.5`), a Prometheus duration, or `[D day(s), ]HH:MM:SS[.fraction]`; at most
/// [`MAX_DURATION`].
pub(super) fn duration(text: &str) -> Option<TimeDelta> {
    let nanos = match parse_duration(text) {
        Some(duration) => return Some(duration),
        None => billionths(text).or_else(|| clock_nanos(text))?,
    };
    let limit = crate::time::nanos(MAX_DURATION);
    let nanos = (0 <= nanos && nanos <= limit).then_some(nanos)?;
    let seconds = i64::try_from(nanos / BILLION).ok()?;
    TimeDelta::new(seconds, u32::try_from(nanos % BILLION).ok()?)
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
