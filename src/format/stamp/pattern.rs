//! strptime patterns, compiled once.
//!
//! Three directives are read by us and not by chrono: `%f` (chrono takes the digits for whole nanoseconds, so
//! that `,123` would be 123 ns; here they are a fraction, as everywhere else), `%z` (chrono refuses `Z`) and
//! `%Z` (chrono skips the name; `UTC`, `GMT`, `Z` and the abbreviations of zones say something).

use std::fmt::Write;

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse_and_remainder};
use chrono::{DateTime, NaiveDateTime};

use super::zone_names::abbreviation;
use super::{Clock, evident, instant, nearest_year, whole_second};
use crate::calendar::Zone;
use crate::time::Instant;

/// A compiled pattern. The default reads nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Items(Vec<Item<'static>>),
    Fraction,
    Offset,
    ZoneName,
}

impl Pattern {
    /// The error says that a directive is unknown.
    pub(super) fn compile(text: &str) -> Result<Pattern, String> {
        let items = StrftimeItems::new(text)
            .parse_to_owned()
            .map_err(|_| format!("time format {text:?} has a directive that is not known"))?;
        // chrono's tolerant offset has no name of its own outside of that crate.
        let tolerant_offset = StrftimeItems::new("%#z").next();
        let mut pieces = Vec::new();
        for item in items {
            let special = match item {
                _ if Some(&item) == tolerant_offset.as_ref() => Piece::Offset,
                Item::Numeric(Numeric::Nanosecond, _) => Piece::Fraction,
                Item::Fixed(
                    Fixed::TimezoneOffset
                    | Fixed::TimezoneOffsetZ
                    | Fixed::TimezoneOffsetColon
                    | Fixed::TimezoneOffsetColonZ,
                ) => Piece::Offset,
                Item::Fixed(Fixed::TimezoneName) => Piece::ZoneName,
                _ => {
                    match pieces.last_mut() {
                        Some(Piece::Items(items)) => items.push(item),
                        _ => pieces.push(Piece::Items(vec![item])),
                    }
                    continue;
                }
            };
            pieces.push(special);
        }
        Ok(Pattern { pieces })
    }

    /// Whether the pattern can read what it writes; the error says that it cannot.
    pub(super) fn check(&self) -> Result<(), String> {
        let unusable =
            || "time format names no full date (the year may be missing) and time".to_owned();
        let sample = DateTime::from_timestamp(1_735_132_455, 0).ok_or_else(unusable)?;
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Items(items) => {
                    write!(text, "{}", sample.format_with_items(items.iter()))
                        .map_err(|_| unusable())?;
                }
                Piece::Fraction => text.push('0'),
                Piece::Offset => text.push_str("+00:00"),
                Piece::ZoneName => text.push_str("UTC"),
            }
        }
        self.read(text.trim(), &Zone::utc(), sample).map(|_| ()).ok_or_else(unusable)
    }

    pub(super) fn read<'t>(&self, text: &'t str, zone: &Zone, near: Instant) -> Option<Clock<'t>> {
        let mut parsed = Parsed::new();
        let mut named = None;
        let mut rest = text;
        for piece in &self.pieces {
            rest = match piece {
                Piece::Items(items) => parse_and_remainder(&mut parsed, rest, items.iter()).ok()?,
                Piece::Fraction => {
                    let (nanos, after) = evident::fraction(rest.as_bytes())?;
                    parsed.set_nanosecond(nanos.into()).ok()?;
                    rest.get(rest.len().checked_sub(after.len())?..)?
                }
                Piece::Offset => {
                    let trimmed = rest.trim_start();
                    let (offset, after) = evident::offset(trimmed.as_bytes())?;
                    parsed.set_offset(offset.into()).ok()?;
                    trimmed.get(trimmed.len().checked_sub(after.len())?..)?
                }
                Piece::ZoneName => {
                    let (name, after) = zone_name(&mut parsed, rest)?;
                    named = abbreviation(name.as_bytes()).filter(|_| parsed.offset().is_none());
                    after
                }
            };
        }
        (rest.is_empty() && !self.pieces.is_empty()).then_some(())?;
        Some(Clock { zone: named, ..clock(&parsed, zone, near)? })
    }
}

/// A zone's name and what follows. Those of UTC are an offset; one that is no abbreviation (`Europe/Paris`) is
/// left to the source's zone.
fn zone_name<'t>(parsed: &mut Parsed, text: &'t str) -> Option<(&'t str, &'t str)> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"/_+-".contains(c));
    let (name, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    if ["UTC", "GMT", "Z"].iter().any(|utc| name.eq_ignore_ascii_case(utc)) {
        parsed.set_offset(0).ok()?;
    }
    (!name.is_empty()).then_some((name, rest))
}

fn clock(parsed: &Parsed, zone: &Zone, near: Instant) -> Option<Clock<'static>> {
    if let Some(seconds) = parsed.timestamp() {
        let at = instant(seconds, parsed.nanosecond().unwrap_or(0))?;
        return Some(Clock { civil: at.naive_utc(), offset: Some(0), zone: None });
    }
    let offset = parsed.offset();
    if has_year(parsed) {
        return Some(Clock { civil: civil(parsed)?, offset, zone: None });
    }
    let leap_day = (parsed.month(), parsed.day()) == (Some(2), Some(29));
    let civil = nearest_year(zone, near, leap_day, |year| {
        let mut parsed = parsed.clone();
        parsed.set_year(year.into()).ok()?;
        whole_second(civil(&parsed)?)
    })?;
    Some(Clock { civil, offset, zone: None })
}

fn has_year(parsed: &Parsed) -> bool {
    parsed.year().is_some()
        || parsed.year_mod_100().is_some()
        || parsed.isoyear().is_some()
        || parsed.isoyear_mod_100().is_some()
}

fn civil(parsed: &Parsed) -> Option<NaiveDateTime> {
    parsed.to_naive_datetime_with_offset(0).ok()
}
