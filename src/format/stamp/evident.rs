//! Forms that need no pattern: RFC 3339 and what looks like it, RFC 2822, and syslog's (RFC 3164).

use chrono::{DateTime, NaiveDate, NaiveTime};

use super::{Clock, ZoneName};

/// RFC 3339, and as tolerant as RFC 9557 and ISO 8601 writers ask for: `t`, `z` or a blank, a comma before
/// the fraction, offsets `+01:00`, `+0100`, `+01`, ` UTC`; without seconds; without an offset; with the name
/// of a zone behind a blank, as PostgreSQL writes it, or in brackets, as Java does.
pub(super) fn rfc3339(text: &str) -> Option<Clock<'_>> {
    let (head, rest) = text.as_bytes().split_at_checked(16)?;
    let head: &[u8; 16] = head.try_into().ok()?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b't' | b' ', h1, h2, b':', n1, n2] =
        head
    else {
        return None;
    };
    let year = i32::try_from(digits([y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, digits([m1, m2])?, digits([d1, d2])?)?;
    let (time, rest) = seconds(digits([h1, h2])?, digits([n1, n2])?, rest)?;
    let civil = date.and_time(time);
    let bare = rest.strip_prefix(b" ").unwrap_or(rest);
    match offset(bare) {
        _ if rest.is_empty() => return Some(Clock { civil, offset: None, zone: None }),
        Some((offset, [])) => return Some(Clock { civil, offset: Some(offset), zone: None }),
        Some((offset, brackets @ [b'[', ..])) => {
            let is_utc = bare.starts_with(b"Z") || bare.starts_with(b"z");
            let how = if is_utc { ZoneName::Beside } else { ZoneName::Said };
            let zone = bracketed(brackets)?.map(how);
            return Some(Clock { civil, offset: Some(offset), zone });
        }
        _ => {}
    }
    if rest.starts_with(b"[") {
        // A name there must be, for else nothing says what the clock means but the source's zone.
        let zone = Some(ZoneName::Said(bracketed(rest)??));
        return Some(Clock { civil, offset: None, zone });
    }
    let is_behind_a_blank = bare.len() < rest.len();
    let name = is_behind_a_blank.then(|| zone_name(str::from_utf8(bare).ok()?))??;
    name.1.is_empty().then_some(Clock { civil, offset: None, zone: Some(ZoneName::Said(name.0)) })
}

/// The zone in the brackets of RFC 9557, where one is named; `None` if they are not closed, or hold what may not
/// be passed over. `[!...]`: whoever does not know what is in it has to refuse the stamp.
fn bracketed(mut text: &[u8]) -> Option<Option<&str>> {
    let mut zone = None;
    while let Some((b'[', rest)) = text.split_first() {
        let end = memchr::memchr(b']', rest)?;
        let (inside, after) = rest.split_at_checked(end)?;
        let critical = inside.strip_prefix(b"!");
        let inside = str::from_utf8(critical.unwrap_or(inside)).ok()?;
        match (inside.contains('='), zone) {
            (false, None) if !inside.is_empty() => zone = Some(inside),
            // A calendar or the like changes no instant.
            (true, _) if critical.is_none() => {}
            _ => return None,
        }
        text = after.get(1..)?;
    }
    text.is_empty().then_some(zone)
}

/// The name of a zone at the start of a text, and what follows.
pub(super) fn zone_name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"/_+-".contains(c));
    let (name, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    (!name.is_empty()).then_some((name, rest))
}

/// Seconds east of Greenwich where a zone has no letters of its own: `+03`, `-0330`, `+05:30`.
pub(super) fn whole_offset(name: &str) -> Option<i32> {
    let (seconds, rest) = offset(name.as_bytes()).filter(|_| name.starts_with(['+', '-']))?;
    rest.is_empty().then_some(seconds)
}

/// RFC 2822 section 3.3, obsolete zones included that say something: the letters of the military do not.
pub(super) fn rfc2822(text: &str) -> Option<Clock<'static>> {
    let stamp = DateTime::parse_from_rfc2822(text).ok()?;
    let zone = text.rsplit([' ', '\t']).next().unwrap_or_default();
    let is_letter = zone.len() == 1 && !zone.eq_ignore_ascii_case("z");
    (!is_letter).then(|| Clock {
        civil: stamp.naive_local(),
        offset: Some(stamp.offset().local_minus_utc()),
        zone: None,
    })
}

/// `21-Jun-2026 22:04:05`, perhaps with a fraction.
pub(super) fn day_first(text: &str) -> Option<Clock<'static>> {
    let (date, rest) = text.as_bytes().split_at_checked(17)?;
    let date: &[u8; 17] = date.try_into().ok()?;
    let &[d1, d2, b'-', c1, c2, c3, b'-', y1, y2, y3, y4, b' ', h1, h2, b':', n1, n2] = date else {
        return None;
    };
    let year = i32::try_from(digits([y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, month(&[c1, c2, c3])?, digits([d1, d2])?)?;
    let (time, rest) = seconds(digits([h1, h2])?, digits([n1, n2])?, rest)?;
    rest.is_empty().then_some(Clock { civil: date.and_time(time), offset: None, zone: None })
}

/// A stamp in the form of RFC 3164 and nothing behind it; some writers put a weekday in front, which is not
/// asked.
pub(super) fn syslog_alone(text: &str) -> Option<Yearless> {
    let weekday = text.split_at_checked(4).filter(|(day, _)| WEEKDAYS.contains(day));
    let (stamp, rest) = yearless(weekday.map_or(text, |(_, rest)| rest).as_bytes())?;
    rest.is_empty().then_some(stamp)
}

/// How many bytes at the start of `line` are a stamp in the form of RFC 3164.
pub(in crate::format) fn syslog_length(line: &str) -> Option<usize> {
    let (_, rest) = yearless(line.as_bytes())?;
    line.len().checked_sub(rest.len())
}

/// Whether `text` has the form of RFC 3339.
pub(in crate::format) fn is_rfc3339(text: &str) -> bool {
    rfc3339(text).is_some()
}

/// Seconds east of Greenwich and what follows: `Z`, `UTC`, `GMT`, `+hh`, `+hhmm`, `+hh:mm`.
pub(super) fn offset(text: &[u8]) -> Option<(i32, &[u8])> {
    let (sign, rest) = match text {
        [b'U' | b'u', b'T' | b't', b'C' | b'c', rest @ ..]
        | [b'G' | b'g', b'M' | b'm', b'T' | b't', rest @ ..]
        | [b'Z' | b'z', rest @ ..] => return Some((0, rest)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes, rest) = match rest {
        [h1, h2, b':', m1, m2, rest @ ..] => (digits([*h1, *h2])?, digits([*m1, *m2])?, rest),
        [h1, h2, m1 @ b'0'..=b'9', m2, rest @ ..] => {
            (digits([*h1, *h2])?, digits([*m1, *m2])?, rest)
        }
        [h1, h2, rest @ ..] => (digits([*h1, *h2])?, 0, rest),
        _ => return None,
    };
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    (hours <= 23 && minutes <= 59).then_some((sign * seconds, rest))
}

/// Nanoseconds of the digits at the start (any number of them, the tenth and later cut off) and what follows.
pub(super) fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let length = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (written, rest) = text.split_at_checked(length)?;
    let nanos = written
        .iter()
        .chain(std::iter::repeat(&b'0'))
        .take(9)
        .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    (0 < length).then_some((nanos, rest))
}

/// A date without its year, and a time.
pub(super) struct Yearless {
    month: u32,
    day: u32,
    time: NaiveTime,
}

impl Yearless {
    pub(super) fn in_year(&self, year: i32) -> Option<Clock<'static>> {
        let date = NaiveDate::from_ymd_opt(year, self.month, self.day)?;
        Some(Clock { civil: date.and_time(self.time), offset: None, zone: None })
    }
}

fn yearless(text: &[u8]) -> Option<(Yearless, &[u8])> {
    let (name, rest) = text.split_at_checked(3)?;
    let month = month(name)?;
    let rest = rest.strip_prefix(b" ")?;
    let (day, rest) = match rest {
        [b' ', d, b' ', rest @ ..] | [d, b' ', rest @ ..] => (digits([*d])?, rest),
        [d1, d2, b' ', rest @ ..] => (digits([*d1, *d2])?, rest),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2, rest @ ..] = rest else { return None };
    // RFC 3164 has seconds always; without them a text such as `May 12 10:30` would pass for a stamp.
    if !rest.starts_with(b":") {
        return None;
    }
    let (time, rest) = seconds(digits([*h1, *h2])?, digits([*m1, *m2])?, rest)?;
    Some((Yearless { month, day, time }, rest))
}

/// The number of a month by its English abbreviation, from 1.
fn month(name: &[u8]) -> Option<u32> {
    let at = MONTHS.iter().position(|month| month.as_bytes().eq_ignore_ascii_case(name))?;
    Some(u32::try_from(at).ok()? + 1)
}

const WEEKDAYS: [&str; 7] = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `[:SS[.fraction]]` behind hours and minutes. A leap second stays beyond 1e9 nanoseconds, as chrono has it.
fn seconds(hour: u32, minute: u32, text: &[u8]) -> Option<(NaiveTime, &[u8])> {
    let [b':', s1, s2, rest @ ..] = text else {
        return Some((NaiveTime::from_hms_opt(hour, minute, 0)?, text));
    };
    let second = digits([*s1, *s2])?;
    let (nanos, rest) = match rest {
        [b'.' | b',', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    let leap = second == 60;
    let nanos = if leap { nanos + 1_000_000_000 } else { nanos };
    let second = if leap { 59 } else { second };
    Some((NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?, rest))
}

fn digits<const N: usize>(text: [u8; N]) -> Option<u32> {
    text.iter().try_fold(0, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| sum * 10 + u32::from(digit))
    })
}
