//! Decimal numbers without rounding, and the instants that they count.

use super::{StampError, instant};
use crate::time::Instant;

/// Billionths in one whole.
pub(crate) const BILLION: i128 = 1_000_000_000;

/// More digits than this (before and after the point, down to billionths) overflow every use.
const DIGITS_MAX: i64 = 38;

/// What an epoch stamp counts since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    fn per_second(self) -> i128 {
        match self {
            Unit::Seconds => 1,
            Unit::Millis => 1_000,
            Unit::Micros => 1_000_000,
            Unit::Nanos => BILLION,
        }
    }
}

/// Seconds since 1970 of the first moments of the years 2000 and 2100. A number that counts to none between them is
/// no stamp: 20240115 is a date, and 0 or -1 stand for none. No number lies between them in two units.
const SECONDS: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// The value of a decimal number (`12`, `-1.5`, `1.7e9`) in billionths, finer digits cut off, saturating.
/// `None` if it is none.
pub(crate) fn billionths(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || !mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    if fraction.contains('.') {
        return None;
    }
    let kept = i64::try_from(whole.len()).ok()? + i64::from(exponent) + 9;
    let all = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat(b'0'));
    let kept = kept.clamp(0, DIGITS_MAX + 1);
    let value = all
        .take(usize::try_from(kept).ok()?)
        .fold(0_i128, |sum, d| sum.saturating_mul(10).saturating_add(i128::from(d - b'0')));
    Some(if negative { -value } else { value })
}

/// The instant that a number counts; without `unit`, its size says which one. `None` if it is no number.
pub(super) fn epoch(text: &str, unit: Option<Unit>) -> Option<Result<Instant, StampError>> {
    let value = billionths(text)?;
    let all = [Unit::Seconds, Unit::Millis, Unit::Micros, Unit::Nanos];
    let units = all.into_iter().filter(|known| unit.is_none_or(|unit| unit == *known));
    let at = units.filter_map(|unit| counted(value.div_euclid(unit.per_second()))).next();
    Some(at.ok_or(StampError::Range))
}

/// The instant so many nanoseconds after 1970, if a number may mean it.
pub(super) fn counted(nanos: i128) -> Option<Instant> {
    let seconds = i64::try_from(nanos.div_euclid(BILLION)).ok()?;
    let rest = u32::try_from(nanos.rem_euclid(BILLION)).ok()?;
    instant(seconds, rest).filter(|_| SECONDS.contains(&seconds))
}
