//! Names of time zones as calendars write them: IANA, Windows and Outlook, paths, offsets.

use crate::calendar::Zone;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

static WINDOWS: &str = include_str!("../../../data/windows_zones.txt");

/// A zone by an IANA name, bare or at the end of a path (`/example.org/2025b/Europe/London`), by a name or display
/// name of Windows, or by an offset alone (`GMT +01:00`).
pub fn named_zone(name: &str) -> Option<Zone> {
    let name = plain(name);
    let by_places = || by_places(shown(&name)?).and_then(Zone::find);
    known_zone(&name).or_else(by_places).or_else(|| fixed(&name))
}

/// A zone by a name that stands for one by itself, so that it is better than what a calendar says of it.
pub(super) fn known_zone(name: &str) -> Option<Zone> {
    let iana = || NAMES.get(&key(shown(name).unwrap_or(name))).copied();
    if let Some(zone) = Zone::find(name).or_else(|| iana().and_then(Zone::find)) {
        return Some(zone);
    }
    let path = name.strip_prefix("tzone://Microsoft").or(Some(name))?.strip_prefix('/')?;
    let tails = path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..));
    std::iter::once(path).chain(tails).find_map(Zone::find)
}

/// A name without quotes around it and without the escapes of a text.
pub(super) fn plain(name: &str) -> String {
    let name = name.trim().trim_matches(['"', '\'']).trim();
    name.replace("\\,", ",").replace("\\;", ";")
}

/// What stands behind the offset where a name of Windows is written as it is shown: `(UTC+00:00) Dublin, London`.
fn shown(name: &str) -> Option<&str> {
    let (offset, places) = name.strip_prefix('(')?.split_once(')')?;
    is_offset_of_utc(offset).then_some(places)
}

/// IANA names by those of Windows.
static NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let rows = rows().map(|(windows, iana, shown)| {
        std::iter::once(windows).chain(shown).map(move |name| (key(name), iana))
    });
    rows.flatten().collect()
});

/// The places of each zone that shows some.
static PLACES: LazyLock<Vec<(BTreeSet<String>, &'static str)>> = LazyLock::new(|| {
    rows().flat_map(|(_, iana, shown)| shown.map(move |s| (places(s), iana))).collect()
});

type Row = (&'static str, &'static str, std::str::Split<'static, &'static str>);

fn rows() -> impl Iterator<Item = Row> {
    let rows = WINDOWS.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| {
        let mut parts = line.split(" | ");
        Some((parts.next()?, parts.next()?, parts))
    })
}

/// The one zone that shows all of these places, perhaps among others.
fn by_places(text: &str) -> Option<&'static str> {
    let asked = places(text);
    let found = PLACES.iter().filter(|(known, _)| asked.is_subset(known)).map(|(_, iana)| *iana);
    let found: BTreeSet<&str> = found.collect();
    let mut found = found.into_iter().filter(|_| !asked.is_empty());
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

fn places(text: &str) -> BTreeSet<String> {
    let text = text.rsplit(':').next().unwrap_or(text);
    let places = text.split([',', '/', ';']).map(key);
    places.filter(|place| !place.is_empty()).collect()
}

/// Case, spacing, and how "and" is written differ from program to program.
fn key(name: &str) -> String {
    let words = name.split_whitespace().map(|word| if word == "&" { "and" } else { word });
    words.collect::<Vec<_>>().join(" ").to_ascii_lowercase()
}

fn is_offset_of_utc(text: &str) -> bool {
    let text = text.trim().to_ascii_uppercase();
    ["UTC", "GMT"].iter().any(|base| text.starts_with(base))
}

/// `UTC`, `GMT+1`, `(GMT +01:00)`, `UTC-0500`, `+05:30`: an offset and nothing beside it. Whether the clocks of a
/// place go forward in summer nobody could tell from it, so a name beside it has to be known.
fn fixed(name: &str) -> Option<Zone> {
    let inner = name.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(name);
    let upper = inner.trim().to_ascii_uppercase();
    let base = ["UTC", "GMT"].iter().find_map(|base| upper.strip_prefix(base));
    let rest = base.unwrap_or(&upper).trim();
    if rest.is_empty() && base.is_some() {
        return Some(Zone::utc());
    }
    let (sign, rest) = match (rest.strip_prefix('+'), rest.strip_prefix(['-', '\u{2212}'])) {
        (Some(rest), _) => ("-", rest.trim()),
        (_, Some(rest)) => ("", rest.trim()),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once([':', '.']) {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if 3 <= rest.len() => rest.split_at_checked(rest.len() - 2)?,
        None => (rest, "00"),
    };
    let number = |text: &str, most: u32| -> Option<u32> {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| text.parse().ok())?.filter(|n| *n <= most)
    };
    let (hours, minutes) = (number(hours, 14)?, number(minutes, 59)?);
    Zone::posix(&format!("<utc>{sign}{hours}:{minutes:02}:00"))
}
