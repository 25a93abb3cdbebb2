//! Time stamps in the forms that logs use.

mod evident;
pub(crate) mod number;
mod pattern;
#[cfg(test)]
mod tests;
mod zone_names;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike};

use crate::calendar::{Edge, Reading, Zone};
use crate::time::{Instant, YEARS};

pub(super) use evident::{is_rfc3339, syslog_length};
use pattern::Pattern;

/// What a time stamp may look like when no `time_format` says so, for error messages.
pub const STAMP_FORM: &str = "an rfc 3339, rfc 2822, syslog or epoch time stamp";

/// The form of a source's stamps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Evident from the text: RFC 3339 (with or without offset, or with a zone's abbreviation; `T` or blank),
    /// RFC 2822, syslog (perhaps behind a weekday), `21-Jun-2026 22:04:05`, or a number whose size says whether
    /// it counts s, ms, us or ns since 1970.
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
    /// It names a year outside [`YEARS`].
    Range,
    /// It names a zone by an abbreviation that could mean several, or none that is known.
    Zone,
}

/// What a stamp says before anything is known of the file that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// It had an offset.
    Exact(Instant),
    /// It had none: a clock reading in the source's zone.
    Civil(Reading),
}

impl Stamp {
    /// As the stamp of a line, and whether two readings were possible. In a fold the earlier reading counts
    /// unless that lies before `last`, the last accepted event of the file, and the later does not.
    pub(crate) fn of_line(self, last: Option<Instant>) -> (Instant, bool) {
        match self {
            Stamp::Civil(Reading::Fold { earlier, later }) => {
                let passed = last.is_some_and(|last| earlier < last && last <= later);
                (if passed { later } else { earlier }, true)
            }
            _ => (self.earlier(), false),
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

    /// Reads `text`; a stamp without a year takes the one nearest to `near`.
    pub(crate) fn read(&self, text: &str, near: Instant) -> Result<Stamp, StampError> {
        let text = text.trim();
        let found = match &self.form {
            Form::Auto => {
                // The usual form first: it is refused at the fifth byte where it is not meant.
                if let Some(clock) = evident::rfc3339(text) {
                    return self.settle(clock);
                }
                if let Some(at) = number::epoch(text, None) {
                    return exact(at?);
                }
                evident::syslog_alone(text, &self.zone, near)
                    .or_else(|| evident::day_first(text))
                    .or_else(|| evident::rfc2822(text))
            }
            Form::Rfc3339 => evident::rfc3339(text),
            Form::Rfc2822 => evident::rfc2822(text),
            Form::Epoch(unit) => {
                return exact(number::epoch(text, Some(*unit)).ok_or(StampError::Form)??);
            }
            Form::Syslog => evident::syslog_alone(text, &self.zone, near),
            Form::Pattern(pattern) => pattern.read(text, &self.zone, near),
        };
        self.settle(found.ok_or(StampError::Form)?)
    }

    /// Like [`Self::read`] for a time that stands beside the line's own stamp: where the source's form does
    /// not fit, RFC 3339 and RFC 2822 are still evident.
    pub(crate) fn read_beside(&self, text: &str, near: Instant) -> Result<Stamp, StampError> {
        self.read(text, near).or_else(|error| match error {
            StampError::Range | StampError::Zone => Err(error),
            StampError::Form => {
                let text = text.trim();
                let found = evident::rfc3339(text).or_else(|| evident::rfc2822(text));
                self.settle(found.ok_or(error)?)
            }
        })
    }

    fn settle(&self, clock: Clock<'_>) -> Result<Stamp, StampError> {
        let civil = whole_second(clock.civil).ok_or(StampError::Range)?;
        if let Some(offset) = clock.offset {
            let utc = civil.checked_sub_signed(TimeDelta::seconds(offset.into()));
            return exact(utc.ok_or(StampError::Range)?.and_utc());
        }
        // Checked before the zone is asked: time zone libraries end with the year 9999.
        if !YEARS.contains(&civil.year()) {
            return Err(StampError::Range);
        }
        let reading = self.zone.read(civil);
        if let Some(name) = clock.zone {
            return self.named(civil, reading, name);
        }
        exact(Stamp::Civil(reading).earlier())?;
        Ok(Stamp::Civil(reading))
    }

    /// The meaning at which the source's zone goes by this name, which settles a fold; else what the name means
    /// everywhere.
    fn named(
        &self,
        civil: NaiveDateTime,
        reading: Reading,
        name: &str,
    ) -> Result<Stamp, StampError> {
        let meanings = match reading {
            Reading::One(at) | Reading::Gap(at) => [at, at],
            Reading::Fold { earlier, later } => [earlier, later],
        };
        if let Some(at) = meanings.into_iter().find(|at| self.zone.is_called(*at, name)) {
            return exact(at);
        }
        let offset = zone_names::offset_seconds(name).ok_or(StampError::Zone)?;
        let utc = civil.checked_sub_signed(TimeDelta::seconds(offset.into()));
        exact(utc.ok_or(StampError::Range)?.and_utc())
    }
}

/// A clock reading as written: civil time and, if it says so, seconds east of Greenwich or a zone's abbreviation.
struct Clock<'t> {
    civil: NaiveDateTime,
    offset: Option<i32>,
    zone: Option<&'t str>,
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

/// The year nearest to `near` (of equal distance the earlier) for which `civil` gives a reading. Only the
/// neighbouring years are tried; for 29 February up to eight, because 2100 is no leap year.
fn nearest_year(
    zone: &Zone,
    near: Instant,
    leap_day: bool,
    civil: impl Fn(i32) -> Option<NaiveDateTime>,
) -> Option<NaiveDateTime> {
    let year = zone.civil(near).year();
    let reach = if leap_day { 8 } else { 1 };
    (year - reach..=year + reach)
        .filter(|year| YEARS.contains(year))
        .filter_map(civil)
        .min_by_key(|civil| (zone.resolve(*civil, Edge::Earlier) - near).abs())
}

fn instant(seconds: i64, nanos: u32) -> Option<Instant> {
    DateTime::from_timestamp(seconds, nanos)
}
