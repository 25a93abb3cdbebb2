//! Time zones of a calendar: names, and what it describes itself (`VTIMEZONE`).

use super::Component;
use super::eras::zone_of;
pub use super::names::named_zone;
use super::names::{known_zone, plain};
use crate::calendar::Zone;
use std::cell::OnceCell;
use std::collections::HashMap;

/// The zones of one `VCALENDAR`.
#[derive(Debug)]
pub struct Zones<'d> {
    floating: Result<Zone, String>,
    home: Result<Zone, String>,
    /// By `TZID`.
    own: HashMap<String, Own<'d>>,
}

/// A zone that the calendar describes, worked out when it is first asked for.
#[derive(Debug)]
struct Own<'d> {
    part: &'d Component,
    zone: OnceCell<Result<Zone, String>>,
}

impl<'d> Zones<'d> {
    /// The zones that `calendar` defines. Times without a zone are in `given`, else in the one that the calendar
    /// names (`X-WR-TIMEZONE`), else in `fallback`.
    pub fn of(calendar: &'d Component, given: Option<&Zone>, fallback: &Zone) -> Zones<'d> {
        let named = || calendar.text("X-WR-TIMEZONE").filter(|name| !name.trim().is_empty());
        let floating = match (given, named()) {
            (Some(given), _) => Ok(given.clone()),
            (None, None) => Ok(fallback.clone()),
            (None, Some(name)) => named_zone(&name).ok_or_else(|| {
                format!("no zone, and X-WR-TIMEZONE {name:?} is none that is known")
            }),
        };
        let defined = calendar.components.iter().filter(|part| part.name == "VTIMEZONE");
        let own = defined.filter_map(|part| {
            let id = part.text("TZID")?;
            Some((plain(&id), Own { part, zone: OnceCell::new() }))
        });
        Zones { home: floating.clone(), floating, own: own.collect() }
    }

    /// One zone for times without one, and no other that is described.
    pub(super) fn only(zone: Zone) -> Zones<'d> {
        Zones { floating: Ok(zone.clone()), home: Ok(zone), own: HashMap::new() }
    }

    /// The same zones, but days, which are the same everywhere, are looked at in UTC.
    pub fn with_days_in_utc(self) -> Zones<'d> {
        Zones { floating: Ok(Zone::utc()), ..self }
    }

    /// The zone of times that name none.
    ///
    /// # Errors
    /// The calendar names a zone for them that nobody knows.
    pub fn floating(&self) -> Result<Zone, String> {
        self.floating.clone()
    }

    /// The zone where the calendar is at home: it tells the day of an instant.
    ///
    /// # Errors
    /// As for [`Zones::floating`].
    pub fn home(&self) -> Result<Zone, String> {
        self.home.clone()
    }

    /// The zone that a `TZID` means.
    ///
    /// # Errors
    /// Nobody knows it: it is never guessed.
    pub fn find(&self, id: &str) -> Result<Zone, String> {
        let id = plain(id);
        match self.own.get(&id) {
            Some(own) => own.zone.get_or_init(|| defined_zone(&id, own.part)).clone(),
            None => named_zone(&id).ok_or_else(|| {
                format!("unknown time zone {id:?}: neither an IANA nor a Windows name, and the calendar has no VTIMEZONE for it")
            }),
        }
    }
}

/// A zone that the calendar describes: known by a name, else made from its rules; only else by an offset or some
/// places in its name.
fn defined_zone(id: &str, part: &Component) -> Result<Zone, String> {
    let located = || part.text("X-LIC-LOCATION").and_then(|name| named_zone(&name));
    let found = known_zone(id).or_else(located).or_else(|| zone_of(part));
    let found = found.or_else(|| named_zone(id));
    found.ok_or_else(|| {
        format!("unknown time zone {id:?}, and its VTIMEZONE has no STANDARD or DAYLIGHT, or one whose start, offsets or rule are not understood")
    })
}
