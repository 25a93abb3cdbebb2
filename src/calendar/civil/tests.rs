//! Zones and readings: known transitions, the ends of time, and the definition of a reading.

use super::*;
use crate::time::rfc3339;
use chrono::{NaiveTime, Utc};
use proptest::prelude::*;

fn zone(name: &str) -> Zone {
    Zone::find(name).unwrap_or_else(|| panic!("{name}"))
}

fn civil(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

#[test]
fn readings() {
    #[track_caller]
    fn check(name: &str, reading: &str, expected: &str) {
        let got = match zone(name).read(civil(reading)) {
            Reading::One(t) => rfc3339(t),
            Reading::Gap(t) => format!("gap {}", rfc3339(t)),
            Reading::Fold { earlier, later } => {
                format!("{} or {}", rfc3339(earlier), rfc3339(later))
            }
        };
        assert_eq!(got, expected, "{name} {reading}");
    }
    check("Europe/London", "2025-11-10T13:10:00", "2025-11-10T13:10:00Z");
    check("Europe/London", "2025-07-10T13:10:00", "2025-07-10T12:10:00Z");
    check("Europe/London", "2025-03-30T00:59:59", "2025-03-30T00:59:59Z");
    check("Europe/London", "2025-03-30T01:00:00", "gap 2025-03-30T01:00:00Z");
    check("Europe/London", "2025-03-30T01:59:59", "gap 2025-03-30T01:59:59Z");
    check("Europe/London", "2025-03-30T02:00:00", "2025-03-30T01:00:00Z");
    check("Europe/London", "2025-10-26T00:59:59", "2025-10-25T23:59:59Z");
    check("Europe/London", "2025-10-26T01:00:00", "2025-10-26T00:00:00Z or 2025-10-26T01:00:00Z");
    check("Europe/London", "2025-10-26T02:00:00", "2025-10-26T02:00:00Z");
    check("Australia/Lord_Howe", "2025-10-05T02:15:00", "gap 2025-10-04T15:45:00Z");
    check(
        "Australia/Lord_Howe",
        "2025-04-06T01:45:00",
        "2025-04-05T14:45:00Z or 2025-04-05T15:15:00Z",
    );
    // A whole civil day was left out.
    check("Pacific/Apia", "2011-12-29T23:59:59", "2011-12-30T09:59:59Z");
    check("Pacific/Apia", "2011-12-30T12:00:00", "gap 2011-12-30T22:00:00Z");
    check("Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00Z");
    check("Antarctica/Troll", "2025-03-30T01:30:00", "gap 2025-03-30T01:30:00Z");
    check("Asia/Kolkata", "2025-01-01T00:00:00", "2024-12-31T18:30:00Z");
    // Local mean time: offsets with seconds.
    check("Europe/London", "1840-01-01T00:00:00", "1840-01-01T00:01:15Z");
    check("Africa/Monrovia", "1960-01-01T00:00:00", "1960-01-01T00:44:30Z");
    // Fractions are kept.
    check("Europe/London", "2025-07-10T13:10:00.25", "2025-07-10T12:10:00.250Z");
    check("UTC", "2025-03-30T01:30:00", "2025-03-30T01:30:00Z");
}

#[test]
fn resolving_takes_the_asked_side_of_a_fold_only() {
    let london = zone("Europe/London");
    let resolve = |text, edge| rfc3339(london.resolve(civil(text), edge));
    assert_eq!(resolve("2025-10-26T01:30:00", Edge::Earlier), "2025-10-26T00:30:00Z");
    assert_eq!(resolve("2025-10-26T01:30:00", Edge::Later), "2025-10-26T01:30:00Z");
    for edge in [Edge::Earlier, Edge::Later] {
        assert_eq!(resolve("2025-03-30T01:30:00", edge), "2025-03-30T01:30:00Z");
        assert_eq!(resolve("2025-06-01T01:30:00", edge), "2025-06-01T00:30:00Z");
    }
    assert_eq!(rfc3339(london.midnight("2025-06-01".parse().unwrap())), "2025-05-31T23:00:00Z");
}

#[test]
fn clocks() {
    #[track_caller]
    fn check(name: &str, t: &str, expected: &str) {
        assert_eq!(zone(name).civil(instant(t)), civil(expected), "{name} {t}");
    }
    check("Europe/London", "2025-11-10T13:10:00Z", "2025-11-10T13:10:00");
    check("Europe/London", "2025-07-10T12:10:00.5Z", "2025-07-10T13:10:00.5");
    check("America/St_Johns", "2025-11-10T13:10:00Z", "2025-11-10T09:40:00");
    check("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31T00:00:00");
    check("Africa/Casablanca", "2025-03-10T12:00:00Z", "2025-03-10T12:00:00");
    check("Africa/Casablanca", "2025-05-10T12:00:00Z", "2025-05-10T13:00:00");
    // Beyond the zone library's last instant, the rules of the far future still hold.
    check("Europe/London", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999");
    check("America/New_York", "9999-12-31T23:59:59Z", "9999-12-31T18:59:59");
    check("Australia/Sydney", "9999-12-31T12:00:00Z", "9999-12-31T23:00:00");
    check("Europe/London", "0001-01-01T00:00:00Z", "0000-12-31T23:58:45");
}

#[test]
fn far_readings_follow_the_last_rule() {
    let sydney = zone("Australia/Sydney");
    let last = sydney.read(civil("9999-12-31T23:00:00"));
    assert_eq!(last, Reading::One(instant("9999-12-31T12:00:00Z")));
    let next = NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap().and_time(NaiveTime::MIN);
    assert_eq!(sydney.read(next), Reading::One(instant("9999-12-31T13:00:00Z")));
}

#[test]
fn the_ends_of_chrono_do_not_panic() {
    for name in ["UTC", "Europe/London", "Pacific/Kiritimati", "America/Adak", "Africa/Monrovia"] {
        for t in [Instant::MIN_UTC, Instant::MAX_UTC, Instant::UNIX_EPOCH] {
            let _ = zone(name).civil(t);
        }
        for reading in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            let _ = zone(name).read(reading);
            let _ = zone(name).resolve(reading, Edge::Later);
        }
    }
}

#[test]
fn names_in_any_case_and_the_database_case_given_back() {
    #[track_caller]
    fn check(asked: &str, expected: Option<&str>) {
        let found = Zone::find(asked);
        assert_eq!(found.as_ref().map(Zone::name), expected, "{asked:?}");
    }
    check("Europe/London", Some("Europe/London"));
    check("europe/LONDON", Some("Europe/London"));
    check("America/New_York", Some("America/New_York"));
    check("utc", Some("UTC"));
    check("Etc/UTC", Some("Etc/UTC"));
    check("GB", Some("GB"));
    check("US/Eastern", Some("US/Eastern"));
    for unknown in
        ["", " ", "Europe", "Europe/", "Europe/Lundon", "Europe/London ", "London", "BST", "+01:00"]
    {
        check(unknown, None);
    }
    // What a zone folder holds beside zones, and the name that stands for knowing none.
    for file in ["right/Europe/London", "posix/UTC", "localtime", "posixrules", "Factory"] {
        check(file, None);
    }
    check("Etc/Unknown", None);
    check("../../../etc/passwd", None);
    assert_eq!(Zone::utc().name(), "UTC");
    assert_eq!(Zone::utc(), zone("utc"));
}

#[test]
fn every_listed_name_is_found_under_itself() {
    let names = Zone::names();
    assert!(400 < names.len() && names.is_sorted());
    for name in names {
        assert_eq!(Zone::find(&name).as_ref().map(Zone::name), Some(name.as_str()));
    }
}

#[test]
fn version_names_release_and_origin() {
    let version = tzdb_version();
    let (release, origin) = version.split_once(' ').unwrap();
    assert!(release.len() == 5 && release.starts_with("20"), "{version}");
    assert!(["(system)", "(bundled)"].contains(&origin), "{version}");
    // What the system's folder says must have been understood.
    if std::path::Path::new("/usr/share/zoneinfo/tzdata.zi").exists() {
        assert_eq!(origin, "(system)");
    }
}

#[test]
fn release_is_read_from_either_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(release(folder.path()), None);
    std::fs::write(folder.path().join("tzdata.zi"), "# version 2024a\n# more\n").unwrap();
    assert_eq!(release(folder.path()).as_deref(), Some("2024a"));
    std::fs::write(folder.path().join("+VERSION"), "2026b\n").unwrap();
    assert_eq!(release(folder.path()).as_deref(), Some("2026b"));
}

fn any_zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(Zone::names()).prop_map(|name| zone(&name))
}

/// Years 1 to 9999, to the nanosecond, and more often the years in which zones change.
fn any_instant() -> impl Strategy<Value = Instant> {
    let seconds = prop_oneof![
        -62_135_596_800..253_402_300_800_i64,
        -3_000_000_000..2_500_000_000_i64,
        (-3_000_000..2_500_000_i64).prop_map(|n| n * 900),
    ];
    (seconds, 0..1_000_000_000_u32)
        .prop_map(|(s, n)| chrono::DateTime::<Utc>::from_timestamp(s, n).unwrap())
}

#[test]
fn clocks_are_called_by_their_letters_and_distance() {
    for (zone, at, want) in [
        ("Europe/London", "2025-11-10T13:10:00Z", "GMT (+00:00)"),
        ("Europe/London", "2025-07-10T13:10:00Z", "BST (+01:00)"),
        ("America/St_Johns", "2025-01-10T00:00:00Z", "NST (-03:30)"),
        ("America/Sao_Paulo", "2025-01-10T00:00:00Z", "-03:00"),
        ("UTC", "2025-01-10T00:00:00Z", "UTC (+00:00)"),
    ] {
        let t = chrono::DateTime::parse_from_rfc3339(at).unwrap().to_utc();
        assert_eq!(Zone::find(zone).unwrap().clock(t), want, "{zone}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// What the clocks show at an instant can be read back to it, to the nanosecond.
    #[test]
    fn a_shown_reading_means_its_instant(zone in any_zone(), t in any_instant()) {
        let shown = zone.civil(t);
        match zone.read(shown) {
            Reading::One(read) => prop_assert_eq!(read, t),
            Reading::Fold { earlier, later } => {
                prop_assert!(t == earlier || t == later);
                prop_assert!(earlier < later);
                prop_assert_eq!(zone.civil(earlier), shown);
                prop_assert_eq!(zone.civil(later), shown);
            }
            Reading::Gap(_) => prop_assert!(false, "{shown} was shown"),
        }
    }

    /// Around a jump of the clocks, the offset before it decides: a gap's readings land as far
    /// past the jump as they lie past the last reading shown before it.
    #[test]
    fn a_gap_moves_forward(zone in any_zone(), t in any_instant(), past in 0..1800_i64) {
        let from = jiff::Timestamp::from_second(t.timestamp()).unwrap_or_default();
        let Some(jump) = zone.0.following(from).next() else { return Ok(()) };
        let jump = chrono::DateTime::<Utc>::from_timestamp(jump.timestamp().as_second(), 0).unwrap();
        let second = TimeDelta::seconds(1);
        let past = TimeDelta::seconds(past);
        let before = zone.civil(jump - second) + second;
        let width = zone.civil(jump) - before;
        if past < width {
            prop_assert_eq!(zone.read(before + past), Reading::Gap(jump + past));
            prop_assert_eq!(zone.civil(jump + past), before + past + width);
        } else if past < -width {
            let earlier = jump + width + past;
            prop_assert_eq!(zone.read(before + width + past), Reading::Fold { earlier, later: jump + past });
        }
    }
}
