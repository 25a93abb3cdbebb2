//! strptime patterns, compiled once.
//!
//! Three directives are read by us and not by chrono: `%f` (chrono takes the digits for whole nanoseconds, so
//! that `,123` would be 123 ns; here they are a fraction, as everywhere else), `%z` (chrono refuses `Z`) and
//! `%Z` (chrono skips the name; abbreviations and IANA names of zones say something).

use std::fmt::Write;

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse_and_remainder};
use chrono::{DateTime, Datelike};

use super::number::{BILLION, counted};
use super::{Clock, StampError, ZoneName, evident};
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
        let read = self.read(text.trim()).ok_or_else(unusable)?;
        let year = read.has_no_year().then(|| sample.year());
        let is_full = read.epoch().is_some() || read.clock(year).is_some();
        is_full.then_some(()).ok_or_else(unusable)
    }

    /// What a text of this form says.
    pub(super) fn read<'t>(&self, text: &'t str) -> Option<Read<'t>> {
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
                    let (name, after) = evident::zone_name(rest.trim_start())?;
                    named = Some(name);
                    after
                }
            };
        }
        (rest.is_empty() && !self.pieces.is_empty()).then_some(())?;
        if named.is_some_and(is_utc) {
            parsed.set_offset(0).ok()?;
        }
        // An offset says it better than a name that may have several meanings.
        let zone = named.filter(|_| parsed.offset().is_none()).map(ZoneName::Said);
        Some(Read { parsed, zone })
    }
}

fn is_utc(name: &str) -> bool {
    ["UTC", "GMT", "Z"].iter().any(|utc| name.eq_ignore_ascii_case(utc))
}

/// What was read by a pattern.
pub(super) struct Read<'t> {
    parsed: Parsed,
    zone: Option<ZoneName<'t>>,
}

impl<'t> Read<'t> {
    /// The moment, where seconds since 1970 tell it.
    pub(super) fn epoch(&self) -> Option<Result<Instant, StampError>> {
        let nanos = i128::from(self.parsed.nanosecond().unwrap_or(0));
        let nanos = i128::from(self.parsed.timestamp()?) * BILLION + nanos;
        Some(counted(nanos).ok_or(StampError::Range))
    }

    pub(super) fn has_no_year(&self) -> bool {
        let Read { parsed, .. } = self;
        parsed.year().is_none()
            && parsed.year_mod_100().is_none()
            && parsed.isoyear().is_none()
            && parsed.isoyear_mod_100().is_none()
    }

    /// The clock reading, in this year where it names none.
    pub(super) fn clock(&self, year: Option<i32>) -> Option<Clock<'t>> {
        let mut parsed = self.parsed.clone();
        if let Some(year) = year {
            parsed.set_year(year.into()).ok()?;
        }
        let civil = parsed.to_naive_datetime_with_offset(0).ok()?;
        Some(Clock { civil, offset: self.parsed.offset(), zone: self.zone })
    }
}
