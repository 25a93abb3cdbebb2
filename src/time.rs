//! Instants, half-open spans and durations: the only notions of time that the core knows.
//!
//! An instant is a point on the UTC time line with a resolution of one nanosecond. Civil time
//! (clock readings in a zone) lives in [`crate::calendar`]; nothing here knows of zones.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// A point on the UTC time line, nanosecond resolution.
pub type Instant = DateTime<Utc>;

/// Years accepted anywhere: what a four-digit RFC 3339 year can say. Bounding them keeps every later
/// addition of a configured duration (at most [`MAX_DURATION`]) inside what chrono can represent.
pub const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// The longest duration accepted from a configuration or a line: 100 years of 365 days.
pub const MAX_DURATION: TimeDelta = TimeDelta::days(36_500);

/// Half-open span of instants: `start <= t < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub start: Instant,
    pub end: Instant,
}

impl Span {
    /// `None` if the span would be empty or reversed.
    pub fn new(start: Instant, end: Instant) -> Option<Span> {
        (start < end).then_some(Span { start, end })
    }

    /// Whether `start <= t < end`.
    pub fn contains(&self, t: Instant) -> bool {
        self.start <= t && t < self.end
    }

    /// The time both spans share, zero if they do not meet.
    pub fn overlap(&self, other: &Span) -> TimeDelta {
        (self.end.min(other.end) - self.start.max(other.start)).max(TimeDelta::zero())
    }
}

/// RFC 3339 in UTC with `Z`; a fraction (3, 6 or 9 digits) only where it is not zero.
pub fn rfc3339(t: Instant) -> String {
    t.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Whole nanoseconds. Every duration between two accepted instants fits an `i128`.
pub fn nanos(d: TimeDelta) -> i128 {
    i128::from(d.num_seconds()) * 1_000_000_000 + i128::from(d.subsec_nanos())
}

/// Seconds as a float, for metrics and JSON.
pub fn seconds(d: TimeDelta) -> f64 {
    nanos(d) as f64 / 1e9
}

/// Seconds since 1970-01-01T00:00:00Z as a float, as Prometheus writes time stamps.
pub fn unix_seconds(t: Instant) -> f64 {
    t.timestamp() as f64 + f64::from(t.timestamp_subsec_nanos()) / 1e9
}

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// What a duration may look like, for error messages.
pub const DURATION_FORM: &str =
    "a duration such as 90s, 1h30m or 7d (units y w d h m s ms, each once, largest first)";

/// Reads a duration as Prometheus writes it: `90s`, `1h30m`, `7d`, `0`.
///
/// Units `y` (365 days) `w` `d` `h` `m` `s` `ms`, each at most once, in this order, whole numbers.
/// `None` for anything else and for more than [`MAX_DURATION`].
pub fn parse_duration(text: &str) -> Option<TimeDelta> {
    if text == "0" {
        return Some(TimeDelta::zero());
    }
    let mut rest = text;
    let mut total: i64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at_checked(digits)?;
        let number: i64 = number.parse().ok()?;
        let letters = tail.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, after) = tail.split_at_checked(letters)?;
        let (_, ms) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.checked_mul(*ms)?)?;
        rest = after;
    }
    let total = TimeDelta::try_milliseconds(total)?;
    (!text.is_empty() && total <= MAX_DURATION).then_some(total)
}

/// Writes a duration in the form that [`parse_duration`] reads; finer than a millisecond is cut off.
pub fn format_duration(d: TimeDelta) -> String {
    let mut rest = d.num_milliseconds();
    if rest == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    if rest < 0 {
        text.push('-');
        rest = rest.saturating_abs();
    }
    // Years and weeks are read but not written: 14d says more than 2w.
    for (name, ms) in UNITS.iter().skip(2) {
        let n = rest / ms;
        rest -= n * ms;
        if n > 0 {
            text.push_str(&format!("{n}{name}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        let ms = |t: &str| parse_duration(t).map(|d| d.num_milliseconds());
        for (text, want) in [
            ("90s", Some(90_000)),
            ("1h30m", Some(5_400_000)),
            ("7d", Some(604_800_000)),
            ("1w", Some(604_800_000)),
            ("1y", Some(31_536_000_000)),
            ("5ms", Some(5)),
            ("1m5ms", Some(60_005)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("", None),
            ("90", None),
            ("1.5h", None),
            ("5 m", None),
            ("-5m", None),
            ("30m1h", None),
            ("1h1h", None),
            ("1M", None),
            ("101y", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(ms(text), want, "{text:?}");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["1h25m", "72h", "1d", "90s", "2h", "5ms", "40d6h1s"] {
            let d = parse_duration(text).unwrap();
            assert_eq!(parse_duration(&format_duration(d)), Some(d), "{text}");
        }
        assert_eq!(format_duration(TimeDelta::minutes(-61)), "-1h1m");
    }

    #[test]
    fn a_fraction_is_written_only_where_it_is_not_zero() {
        let t = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        assert_eq!(rfc3339(t), "2023-11-14T22:13:20Z");
        assert_eq!(rfc3339(t + TimeDelta::milliseconds(5)), "2023-11-14T22:13:20.005Z");
    }
}
