//! A calendar file that changes, breaks, vanishes and comes back.

use super::*;
use crate::config::load_with;
use chrono::TimeDelta;
use std::path::Path;
use tempfile::TempDir;

const EVENT: &str = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20251110T220000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// A configuration with one calendar file, for windows and freezes alike.
struct Bench {
    folder: TempDir,
    shelf: CalendarShelf,
    config: Arc<Config>,
    now: Instant,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let text = "calendar_stale_after: 1h\npartners: { hostco: { windows: { ics: a.ics }, freezes: [{ name: f, ics: a.ics }], procedures: { p: {} } } }\nsources: [{ name: s, partner: hostco, files: [a.log], format: json }]\n";
        std::fs::write(folder.path().join("offhours.yml"), text).unwrap();
        std::fs::write(folder.path().join("a.ics"), EVENT).unwrap();
        let now = at("2025-11-10T12:00:00Z");
        let mut shelf = CalendarShelf::new(now);
        let config = load_with(&folder.path().join("offhours.yml"), now, &mut shelf).unwrap();
        Bench { folder, shelf, config: Arc::new(config), now }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("a.ics")
    }

    /// A look some minutes later; whether it changed the configuration.
    fn look(&mut self, minutes: i64) -> bool {
        self.now += TimeDelta::minutes(minutes);
        let changed = self.shelf.before_load(&self.config, self.now);
        let is_changed = changed.is_some();
        let config = changed.unwrap_or_else(|| self.config.again(&mut self.shelf).unwrap());
        self.config = Arc::new(config);
        is_changed
    }

    /// Whether the window and the freeze contain an instant.
    fn open_and_frozen(&self, t: &str) -> (bool, bool) {
        let partner = self.config.policy.partner("hostco").unwrap();
        let freeze = &partner.freezes.first().unwrap().calendar;
        (partner.windows.as_ref().unwrap().contains(at(t)), freeze.contains(at(t)))
    }

    /// Errors, whether it is stale, and the minutes since it was good.
    fn view(&self) -> (u64, bool, i64) {
        let view = self.shelf.views(&self.config).remove(0);
        assert_eq!(&*view.name, "a.ics");
        (view.errors, view.is_stale, (self.now - view.read_at).num_minutes())
    }
}

const INSIDE: &str = "2025-11-10T22:30:00Z";

#[test]
fn a_change_is_read_again() {
    let mut bench = Bench::new();
    let digest = bench.config.policy.digest.clone();
    assert!(!bench.look(1));
    assert_eq!(bench.open_and_frozen(INSIDE), (true, true));
    std::fs::write(bench.file(), EVENT.replace("T22", "T20")).unwrap();
    assert!(bench.look(1));
    assert_eq!(bench.open_and_frozen(INSIDE), (false, false));
    assert_eq!(bench.view(), (0, false, 0));
    assert_ne!(bench.config.policy.digest, digest, "verdicts name what judged them");
    std::fs::write(bench.file(), EVENT).unwrap();
    assert!(bench.look(1));
    assert_eq!(bench.config.policy.digest, digest);
}

#[test]
fn nobody_waits_while_a_copy_is_tried() {
    let mut bench = Bench::new();
    let text = EVENT.replace("T22", "T20");
    std::fs::write(bench.file(), &text).unwrap();
    assert!(bench.shelf.look(&bench.config, bench.now).is_none());
    let trial = bench.shelf.trial.take().unwrap();
    assert_eq!(*trial.copy.text, *text.as_bytes());
    // Until it has ended the last good copy counts, and nothing else is begun.
    let (sender, outcome) = channel();
    bench.shelf.trial = Some(Trial { outcome, ..trial });
    assert!(bench.shelf.look(&bench.config, bench.now).is_none());
    assert_eq!(bench.open_and_frozen(INSIDE), (true, true));
    sender.send(Err("wrong".into())).unwrap();
    assert!(bench.shelf.look(&bench.config, bench.now).is_none());
    assert_eq!(bench.view(), (1, false, 0));
    // One that ends without a word is no copy either.
    drop(sender);
    std::fs::write(bench.file(), EVENT.replace("T22", "T21")).unwrap();
    assert!(bench.look(1));
    assert_eq!(bench.open_and_frozen(INSIDE), (false, false));
    assert_eq!(bench.view(), (1, false, 0));
}

#[test]
fn the_last_good_copy_counts_for_a_while_then_nothing_may_run() {
    for broken in
        ["", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", EVENT.trim_end_matches("END:VCALENDAR\n")]
    {
        let mut bench = Bench::new();
        std::fs::write(bench.file(), broken).unwrap();
        assert!(!bench.look(1));
        assert_eq!(bench.open_and_frozen(INSIDE), (true, true));
        assert_eq!(bench.view(), (1, false, 1));
        // The same failure is counted once.
        assert!(!bench.look(59));
        assert_eq!(bench.view(), (1, false, 60));
        assert!(bench.look(1));
        assert_eq!(bench.view(), (1, true, 61));
        assert_eq!(bench.open_and_frozen(INSIDE), (false, true));
        assert_eq!(bench.open_and_frozen("2030-01-01T00:00:00Z"), (false, true));
        std::fs::write(bench.file(), EVENT).unwrap();
        assert!(bench.look(1));
        assert_eq!(bench.open_and_frozen(INSIDE), (true, true));
        assert_eq!(bench.view(), (1, false, 0));
    }
}

#[test]
fn a_file_may_vanish_and_come_back() {
    let mut bench = Bench::new();
    std::fs::remove_file(bench.file()).unwrap();
    assert!(!bench.look(1));
    assert!(!bench.look(1));
    assert_eq!(bench.view(), (1, false, 2));
    std::fs::write(bench.file(), EVENT).unwrap();
    assert!(!bench.look(1), "it says the same");
    assert_eq!(bench.view(), (1, false, 0));
    std::fs::remove_file(bench.file()).unwrap();
    assert!(!bench.look(60));
    assert!(bench.look(1));
    std::fs::write(bench.file(), EVENT).unwrap();
    assert!(bench.look(1));
    assert_eq!(bench.open_and_frozen(INSIDE), (true, true));
}

#[test]
fn what_is_no_file_or_too_large_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.ics");
    std::fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
    assert_eq!(read_file(&path).unwrap_err(), "larger than 16777216 bytes");
    assert_eq!(read_file(folder.path()).unwrap_err(), "not a file");
    assert_eq!(read_file(Path::new("/dev/zero")).unwrap_err(), "not a file");
    assert!(read_file(&folder.path().join("none")).unwrap_err().starts_with("cannot be read: "));
}
