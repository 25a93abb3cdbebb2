//! Time stamps in the forms that logs use.

mod evident;
pub(crate) mod number;
mod pattern;
#[cfg(test)]
mod tests;
mod zone_names;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike};

use crate::calendar::{Reading, Zone};
use crate::event::means_later;
use crate::time::{Instant, YEARS};

pub(super) use evident::{is_rfc3339, syslog_length};
use pattern::Pattern;

/// What a time stamp may look like when no `time_format` says so, for error messages.
pub const STAMP_FORM: &str = "an rfc 3339, rfc 2822, syslog or epoch time stamp";

/// The form of a source's stamps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Evident from the text: RFC 3339 (with or without offset, or with a zone's name, also in brackets as RFC 9557
    /// has it; `T` or blank), RFC 2822, syslog (perhaps behind a weekday), `21-Jun-2026 22:04:05`, or a number whose
    /// size says whether it counts s, ms, us or ns since 1970.
    Auto,
    Rfc3339,
    Rfc2822,
    EpochSeconds,
    EpochMillis,
    EpochMicros,
    EpochNanos,
    /// `Nov  3 01:02:03`, without a year (RFC 3164).
    Syslog,
    /// A strptime pattern (chrono's directives).
    Pattern(String),
}

impl TimeFormat {
    /// The words of `time_format`: `auto rfc3339 rfc2822 epoch_s epoch_ms epoch_us epoch_ns syslog`, or a
    /// pattern with `%`.
    ///
    /// # Errors
    /// What is wrong with the pattern, as a sentence.
    pub fn parse(text: &str) -> Result<TimeFormat, String> {
        Ok(match text {
            "auto" => TimeFormat::Auto,
            "rfc3339" => TimeFormat::Rfc3339,
            "rfc2822" => TimeFormat::Rfc2822,
            "epoch_s" => TimeFormat::EpochSeconds,
            "epoch_ms" => TimeFormat::EpochMillis,
            "epoch_us" => TimeFormat::EpochMicros,
            "epoch_ns" => TimeFormat::EpochNanos,
            "syslog" => TimeFormat::Syslog,
            _ if text.contains('%') => {
                Pattern::compile(text)?.check()?;
                TimeFormat::Pattern(text.to_owned())
            }
            _ => {
                return Err(format!(
                    "unknown time format {text:?}, expected auto, rfc3339, rfc2822, epoch_s, epoch_ms, \
                     epoch_us, epoch_ns, syslog or a pattern such as %d/%m/%Y %H:%M:%S"
                ));
            }
        })
    }
}

/// Why a text is no usable stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StampError {
    /// It has none of the accepted forms.
    Form,
    /// It names a year outside [`YEARS`], or is a number that counts to no moment between the years 2000 and 2100.
    Range,
    /// It names a zone that could mean several, or none that is known, or one that its offset contradicts.
    Zone,
}

/// What a stamp says before anything is known of the file that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// It had an offset.
    Exact(Instant),
    /// It had none: a clock reading in the source's zone, or in the one that it names.
    Civil(Reading),
}

impl Stamp {
    /// As the stamp of a line, and the other reading where two are possible: see [`means_later`].
    pub(crate) fn of_line(
        self,
        last: Option<Instant>,
        tolerance: TimeDelta,
    ) -> (Instant, Option<Instant>) {
        match self {
            Stamp::Civil(Reading::Fold { earlier, later }) => {
                match means_later((earlier, later), last, tolerance) {
                    true => (later, Some(earlier)),
                    false => (earlier, Some(later)),
                }
            }
            _ => (self.earlier(), None),
        }
    }

    /// As any other time: the earlier reading in a fold, forward in a gap.
    pub(crate) fn earlier(self) -> Instant {
        match self {
            Stamp::Exact(at) | Stamp::Civil(Reading::One(at) | Reading::Gap(at)) => at,
            Stamp::Civil(Reading::Fold { earlier, .. }) => earlier,
        }
    }
}

/// A [`TimeFormat`] made ready to read with.
#[derive(Clone, Debug)]
pub(crate) struct Stamps {
    form: Form,
    zone: Zone,
}

#[derive(Clone, Debug)]
enum Form {
    Auto,
    Rfc3339,
    Rfc2822,
    Epoch(number::Unit),
    Syslog,
    Pattern(Pattern),
}

impl Stamps {
    /// `zone` is that of stamps without an offset. A pattern that [`TimeFormat::parse`] would refuse reads
    /// nothing.
    pub(crate) fn new(format: &TimeFormat, zone: &Zone) -> Stamps {
        let form = match format {
            TimeFormat::Auto => Form::Auto,
            TimeFormat::Rfc3339 => Form::Rfc3339,
            TimeFormat::Rfc2822 => Form::Rfc2822,
            TimeFormat::EpochSeconds => Form::Epoch(number::Unit::Seconds),
            TimeFormat::EpochMillis => Form::Epoch(number::Unit::Millis),
            TimeFormat::EpochMicros => Form::Epoch(number::Unit::Micros),
            TimeFormat::EpochNanos => Form::Epoch(number::Unit::Nanos),
            TimeFormat::Syslog => Form::Syslog,
            TimeFormat::Pattern(text) => Form::Pattern(Pattern::compile(text).unwrap_or_default()),
        };
        Stamps { form, zone: zone.clone() }
    }

    /// Reads `text`. A stamp without a year takes the latest one that puts it at or before `bound`.
    pub(crate) fn read(&self, text: &str, bound: Instant) -> Result<Stamp, StampError> {
        let text = text.trim();
        let clock = match &self.form {
            Form::Auto => return self.read_evident(text, bound),
            Form::Rfc3339 => evident::rfc3339(text),
            Form::Rfc2822 => evident::rfc2822(text),
            Form::Epoch(unit) => {
                return exact(number::epoch(text, Some(*unit)).ok_or(StampError::Form)??);
            }
            Form::Syslog => {
                let stamp = evident::syslog_alone(text).ok_or(StampError::Form)?;
                return self.latest(bound, |year| stamp.in_year(year));
            }
            Form::Pattern(pattern) => {
                let read = pattern.read(text).ok_or(StampError::Form)?;
                if let Some(at) = read.epoch() {
                    return exact(at?);
                }
                if read.has_no_year() {
                    return self.latest(bound, |year| read.clock(Some(year)));
                }
                read.clock(None)
            }
        };
        self.settle(&clock.ok_or(StampError::Form)?)
    }

    fn read_evident(&self, text: &str, bound: Instant) -> Result<Stamp, StampError> {
        // The usual form first: it is refused at the fifth byte where it is not meant.
        if let Some(clock) = evident::rfc3339(text) {
            return self.settle(&clock);
        }
        if let Some(at) = number::epoch(text, None) {
            return exact(at?);
        }
        if let Some(stamp) = evident::syslog_alone(text) {
            return self.latest(bound, |year| stamp.in_year(year));
        }
        let clock = evident::day_first(text).or_else(|| evident::rfc2822(text));
        self.settle(&clock.ok_or(StampError::Form)?)
    }

    /// Like [`Self::read`] for a time that stands beside the line's own stamp: where the source's form does
    /// not fit, RFC 3339 and RFC 2822 are still evident.
    pub(crate) fn read_beside(&self, text: &str, bound: Instant) -> Result<Stamp, StampError> {
        self.read(text, bound).or_else(|error| match error {
            StampError::Range | StampError::Zone => Err(error),
            StampError::Form => {
                let text = text.trim();
                let found = evident::rfc3339(text).or_else(|| evident::rfc2822(text));
                self.settle(&found.ok_or(error)?)
            }
        })
    }

    /// A stamp without a year in the latest one that puts it at or before `bound`. Most fit this year or the one
    /// before; 29 February, or a day with its weekday, may go back further.
    fn latest<'t>(
        &self,
        bound: Instant,
        of_year: impl Fn(i32) -> Option<Clock<'t>>,
    ) -> Result<Stamp, StampError> {
        let year = self.zone.civil(bound).year();
        let mut error = StampError::Form;
        // A stamp that names another zone may be in its next year already.
        for clock in (year - YEARS_BACK..=year + 1).rev().filter_map(of_year) {
            match self.settle(&clock) {
                Ok(stamp) if stamp.earlier() <= bound => return Ok(stamp),
                Ok(_) => {}
                Err(StampError::Zone) => return Err(StampError::Zone),
                Err(other) => error = other,
            }
        }
        Err(error)
    }

    fn settle(&self, clock: &Clock<'_>) -> Result<Stamp, StampError> {
        let civil = whole_second(clock.civil).ok_or(StampError::Range)?;
        match (clock.offset, clock.zone) {
            (Some(offset), None) => at_offset(civil, offset),
            (Some(offset), Some(name)) => agreeing(at_offset(civil, offset)?, civil, name),
            // Checked before a zone is asked: time zone libraries end with the year 9999.
            _ if !YEARS.contains(&civil.year()) => Err(StampError::Range),
            (None, None) => read_in(&self.zone, civil),
            (None, Some(name)) => self.named(civil, name.text()),
        }
    }

    /// The meaning at which the source's zone goes by this name, which settles a fold; else what the name means
    /// everywhere.
    fn named(&self, civil: NaiveDateTime, name: &str) -> Result<Stamp, StampError> {
        let meanings = match self.zone.read(civil) {
            Reading::One(at) | Reading::Gap(at) => [at, at],
            Reading::Fold { earlier, later } => [earlier, later],
        };
        if let Some(at) = meanings.into_iter().find(|at| self.zone.is_called(*at, name)) {
            return exact(at);
        }
        if let Some(offset) =
            zone_names::offset_seconds(name).or_else(|| evident::whole_offset(name))
        {
            return at_offset(civil, offset);
        }
        read_in(&zone_names::zone(name).ok_or(StampError::Zone)?, civil)
    }
}

fn read_in(zone: &Zone, civil: NaiveDateTime) -> Result<Stamp, StampError> {
    let stamp = Stamp::Civil(zone.read(civil));
    exact(stamp.earlier())?;
    Ok(stamp)
}

fn at_offset(civil: NaiveDateTime, offset: i32) -> Result<Stamp, StampError> {
    let utc = civil.checked_sub_signed(TimeDelta::seconds(offset.into()));
    exact(utc.ok_or(StampError::Range)?.and_utc())
}

/// A stamp with an offset and a zone behind it in brackets (RFC 9557): the zone has to exist and, but behind a `Z`,
/// to have that offset then. Whoever contradicts himself is not guessed at.
fn agreeing(stamp: Stamp, civil: NaiveDateTime, name: ZoneName) -> Result<Stamp, StampError> {
    let shown = match evident::whole_offset(name.text()) {
        Some(offset) => at_offset(civil, offset)? == stamp,
        None => {
            let zone = zone_names::zone(name.text()).ok_or(StampError::Zone)?;
            zone.civil(stamp.earlier()) == civil
        }
    };
    if shown || matches!(name, ZoneName::Beside(_)) { Ok(stamp) } else { Err(StampError::Zone) }
}

/// How far a stamp without a year may lie after the moment of reading: clocks and zones differ.
pub(crate) const AHEAD: TimeDelta = TimeDelta::days(1);

/// How far a planned time without a year may lie after the stamp of its notice.
pub(crate) const PLANNED_AHEAD: TimeDelta = TimeDelta::days(183);

/// 2096 to 2104 have no leap day in between.
const YEARS_BACK: i32 = 8;

/// A clock reading as written: civil time and, if it says so, seconds east of Greenwich or a zone's name.
struct Clock<'t> {
    civil: NaiveDateTime,
    offset: Option<i32>,
    zone: Option<ZoneName<'t>>,
}

/// The name of a zone in a stamp.
#[derive(Clone, Copy)]
enum ZoneName<'t> {
    /// It says what the clock means, and if there is an offset, they agree.
    Said(&'t str),
    /// It stands behind a `Z`, which tells the instant and nothing of the place.
    Beside(&'t str),
}

impl<'t> ZoneName<'t> {
    fn text(self) -> &'t str {
        match self {
            ZoneName::Said(text) | ZoneName::Beside(text) => text,
        }
    }
}

fn exact(at: Instant) -> Result<Stamp, StampError> {
    if YEARS.contains(&at.year()) { Ok(Stamp::Exact(at)) } else { Err(StampError::Range) }
}

/// chrono keeps a leap second as a nanosecond beyond 1e9; for us `:60` is the second after `:59`.
fn whole_second(civil: NaiveDateTime) -> Option<NaiveDateTime> {
    match civil.nanosecond().checked_sub(1_000_000_000) {
        None => Some(civil),
        Some(rest) => civil.with_nanosecond(rest)?.checked_add_signed(TimeDelta::seconds(1)),
    }
}

fn instant(seconds: i64, nanos: u32) -> Option<Instant> {
    DateTime::from_timestamp(seconds, nanos)
}
