//! Time zones of a calendar: IANA names, the names that Windows uses, and rules of its own (`VTIMEZONE`).

use super::Component;
use crate::calendar::Zone;
use std::collections::HashMap;
use std::sync::LazyLock;

static WINDOWS: &str = include_str!("../../../data/windows_zones.txt");

/// The zones of one `VCALENDAR`.
#[derive(Debug)]
pub struct Zones {
    floating: Result<Zone, String>,
    /// By `TZID`; an error is told to whoever asks for it.
    own: HashMap<String, Result<Zone, String>>,
}

impl Zones {
    /// The zones that `calendar` defines. Times without a zone are in `given`, else in the one that the calendar
    /// names (`X-WR-TIMEZONE`), else in `fallback`.
    pub fn of(calendar: &Component, given: Option<&Zone>, fallback: &Zone) -> Zones {
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
            let zone = defined_zone(&id, part);
            Some((id.trim().to_owned(), zone))
        });
        Zones { floating, own: own.collect() }
    }

    /// The zone of times that name none.
    ///
    /// # Errors
    /// The calendar names a zone for them that nobody knows.
    pub fn floating(&self) -> Result<Zone, String> {
        self.floating.clone()
    }

    /// The zone that a `TZID` means.
    ///
    /// # Errors
    /// Nobody knows it: it is never guessed.
    pub fn find(&self, id: &str) -> Result<Zone, String> {
        let id = id.trim();
        match self.own.get(id) {
            Some(own) => own.clone(),
            None => named_zone(id).ok_or_else(|| {
                format!("unknown time zone {id:?}: neither an IANA nor a Windows name, and the calendar has no VTIMEZONE for it")
            }),
        }
    }
}

/// A zone that the calendar describes: known by a name, else made from its rules.
fn defined_zone(id: &str, part: &Component) -> Result<Zone, String> {
    let located = || part.text("X-LIC-LOCATION").and_then(|name| named_zone(&name));
    if let Some(zone) = named_zone(id).or_else(located) {
        return Ok(zone);
    }
    posix_rule(part)
        .and_then(|rule| Zone::posix(&rule))
        .ok_or_else(|| format!("unknown time zone {id:?}, and its VTIMEZONE has more than one rule a year for each of STANDARD and DAYLIGHT, or none that is understood"))
}

/// A zone by an IANA name, bare or at the end of a path (`/example.org/2025b/Europe/London`), or by a name or
/// display name of Windows.
pub fn named_zone(name: &str) -> Option<Zone> {
    let name = name.trim().trim_matches('"');
    if let Some(zone) = Zone::find(name).or_else(|| windows(name)) {
        return Some(zone);
    }
    let path = name.strip_prefix('/')?;
    let tails = path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..));
    std::iter::once(path).chain(tails).find_map(Zone::find)
}

/// `GMT Standard Time`, or as it is shown: `(UTC+00:00) Dublin, Edinburgh, Lisbon, London`.
fn windows(name: &str) -> Option<Zone> {
    static NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
        let rows = WINDOWS.lines().filter(|line| !line.starts_with('#'));
        let rows = rows.filter_map(|line| {
            let mut parts = line.split(" | ");
            let (windows, iana) = (parts.next()?, parts.next()?);
            Some(std::iter::once(windows).chain(parts).map(move |name| (key(name), iana)))
        });
        rows.flatten().collect()
    });
    let shown = name
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
        .filter(|(offset, _)| ["UTC", "GMT"].iter().any(|base| offset.trim().starts_with(base)));
    let name = shown.map_or(name, |(_, places)| places);
    NAMES.get(&key(name)).and_then(|iana| Zone::find(iana))
}

/// Case and spacing differ from program to program.
fn key(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()
}

/// The rules of a `VTIMEZONE` as a POSIX `TZ` (the form of footers in RFC 9636), if a year has at most one change
/// to each of standard and daylight time, by weekday of a month, and it has been so all the time.
fn posix_rule(zone: &Component) -> Option<String> {
    let named = |name: &str| -> Vec<&Component> {
        zone.components.iter().filter(|part| part.name == name).collect()
    };
    match (named("STANDARD").as_slice(), named("DAYLIGHT").as_slice()) {
        ([standard], []) => {
            let changes = standard.property("RRULE").or(standard.property("RDATE")).is_some();
            (!changes).then_some(format!("<std>{}", posix_offset(standard)?))
        }
        ([standard], [daylight]) => Some(format!(
            "<std>{}<dst>{},{},{}",
            posix_offset(standard)?,
            posix_offset(daylight)?,
            posix_change(daylight)?,
            posix_change(standard)?
        )),
        _ => None,
    }
}

/// `TZOFFSETTO` as POSIX has it: what is added to get UTC.
fn posix_offset(part: &Component) -> Option<String> {
    let value = part.property("TZOFFSETTO")?.value.trim().to_owned();
    let (sign, digits) = match (value.strip_prefix('+'), value.strip_prefix('-')) {
        (Some(digits), _) => ("-", digits),
        (_, Some(digits)) => ("", digits),
        _ => return None,
    };
    if ![4, 6].contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.get(4..6).unwrap_or("00");
    Some(format!("{sign}{}:{}:{seconds}", digits.get(..2)?, digits.get(2..4)?))
}

/// `FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU` at two o'clock as `M10.5.0/2:00:00`.
fn posix_change(part: &Component) -> Option<String> {
    if part.property("RDATE").is_some() {
        return None;
    }
    let mut rules = part.all("RRULE");
    let (rule, None) = (rules.next()?, rules.next()) else { return None };
    let (mut month, mut day) = (None, None);
    for item in rule.value.trim().to_ascii_uppercase().split(';') {
        match item.split_once('=')? {
            ("FREQ", "YEARLY") | ("INTERVAL", "1") | ("WKST", _) => {}
            ("BYMONTH", number) => month = number.parse::<u8>().ok(),
            ("BYDAY", text) => day = posix_day(text),
            // An UNTIL says that other rules follow, or none.
            _ => return None,
        }
    }
    let time = part.property("DTSTART")?.value.trim().split_once(['T', 't'])?.1.to_owned();
    let digits = |from: usize| time.get(from..from + 2);
    let (hour, minute, second) = (digits(0)?, digits(2)?, digits(4)?);
    Some(format!("M{}.{}/{hour}:{minute}:{second}", month?, day?))
}

/// `-1SU` as `5.0`, `2MO` as `2.1`.
fn posix_day(text: &str) -> Option<String> {
    let (nth, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"].iter().position(|day| *day == name)?;
    let week = match nth {
        "-1" => "5",
        "1" | "2" | "3" | "4" | "+1" | "+2" | "+3" | "+4" => nth.trim_start_matches('+'),
        _ => return None,
    };
    Some(format!("{week}.{weekday}"))
}
