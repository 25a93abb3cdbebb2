//! Abbreviations of time zones that mean the same offset wherever the tz database uses them, and names of zones.

use crate::calendar::Zone;

/// Name and minutes east of Greenwich. An abbreviation that two parts of the world read differently (`CST`, `IST`,
/// `BST`, `PST`) is not here: it is read only where it is one of the source's own zone.
const NAMES: &[(&str, i32)] = &[
    ("ACDT", 630),
    ("ACST", 570),
    ("AEDT", 660),
    ("AEST", 600),
    ("AKDT", -480),
    ("AKST", -540),
    ("AWST", 480),
    ("CAT", 120),
    ("CEST", 120),
    ("CET", 60),
    ("EAT", 180),
    ("EDT", -240),
    ("EEST", 180),
    ("EET", 120),
    ("EST", -300),
    ("HKT", 480),
    ("HST", -600),
    ("JST", 540),
    ("MDT", -360),
    ("MSK", 180),
    ("NDT", -150),
    ("NST", -210),
    ("NZDT", 780),
    ("NZST", 720),
    ("PDT", -420),
    ("PKT", 300),
    ("SAST", 120),
    ("WAT", 60),
    ("WEST", 60),
    ("WET", 0),
    ("WIB", 420),
    ("WIT", 540),
    ("WITA", 480),
];

/// Seconds east of Greenwich; `None` for a name that is unknown or has several meanings.
pub(super) fn offset_seconds(name: &str) -> Option<i32> {
    let at = NAMES.binary_search_by_key(&name, |(known, _)| known).ok()?;
    NAMES.get(at).map(|(_, minutes)| minutes * 60)
}

/// The zone of this IANA name: in any case where it names a place (`Asia/Tokyo`), as written where it does not
/// (`Japan`, `CST6CDT`).
pub(super) fn zone(name: &str) -> Option<Zone> {
    Zone::find(name).filter(|zone| name.contains('/') || zone.name() == name)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::time::Instant;

    /// Every zone of the database, every 60 days of these years.
    #[test]
    fn a_name_means_one_offset_in_the_whole_tz_database() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        let mut found: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
        let first: Instant = "2019-01-01T00:00:00Z".parse().unwrap();
        for zone in Zone::names().iter().filter_map(|name| Zone::find(name)) {
            for day in (0..4000).step_by(60) {
                let t = first + chrono::TimeDelta::days(day);
                let minutes = (zone.civil(t) - t.naive_utc()).num_minutes();
                for (name, _) in NAMES.iter().filter(|(name, _)| zone.is_called(t, name)) {
                    found.entry(name).or_default().insert(i32::try_from(minutes).unwrap());
                }
            }
        }
        for (name, minutes) in NAMES {
            assert_eq!(found.get(name), Some(&BTreeSet::from([*minutes])), "{name}");
        }
    }
}
