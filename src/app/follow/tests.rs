//! What a restart must know at once, and what counts as covered.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::channel;

use super::*;
use crate::ledger::Ledger;
use crate::store::Commit;

const CONFIG: &str = "partners: { p: { timezone: UTC, windows: \"Mo-Su 22:00-05:00\" } }\n\
    sources: [ { name: s, partner: p, files: [a.log], format: logfmt } ]\n";

/// A follower of `a.log` in this folder, which begins with one line.
fn followed(home: &Path) -> (Follower, Store, Arc<Shared>) {
    fs::write(home.join("a.log"), "x=1\n").expect("a log");
    follower_of(home, CONFIG)
}

/// A follower of what a configuration names in this folder.
fn follower_of(home: &Path, config: &str) -> (Follower, Store, Arc<Shared>) {
    let config = crate::config::parse(config, &home.join("c.yml"), crate::clock::now());
    let config = Arc::new(config.expect("a configuration"));
    let store = Store::open(home).expect("a ledger");
    let own = crate::app::own_view(&store).expect("its counters");
    let paths = (home.into(), home.into());
    let shared = Arc::new(Shared::new(config.clone(), Ledger::default(), own, channel().0, paths));
    let follower = Follower::new(&config, &store, &shared, false).expect("a follower");
    (follower, store, shared)
}

#[test]
fn a_log_that_never_rests_is_covered_all_the_same() {
    let home = tempfile::tempdir().expect("a folder");
    let (mut follower, _, shared) = followed(home.path());
    let mut log = File::options().append(true).open(home.path().join("a.log")).expect("the log");
    let mut stock = |follower: &mut Follower, text: &str| {
        log.write_all(text.as_bytes()).expect("a write");
        let now = crate::clock::now();
        follower.last_scan = None;
        follower.look(now, Duration::ZERO);
        assert!(!follower.read(now));
        follower.take_stock(&shared, now);
        let lag = shared.sources().first().map(|view| view.lag_bytes);
        let pending = follower.watch.take_pending();
        let covered = pending.iter().filter(|((_, name, _), _)| *name == "covered_nanos");
        (lag, covered.map(|(_, n)| *n).sum::<u64>())
    };
    // Nobody was here before.
    assert_eq!(stock(&mut follower, ""), (Some(0), 0));
    for (text, lag) in [("x=2\nx=3\n", 0), ("x=", 2), ("4", 3), ("\n", 0)] {
        let (lags, covered) = stock(&mut follower, text);
        assert_eq!(lags, Some(lag), "{text:?}");
        assert!(0 < covered, "{text:?}");
    }
}

/// What a follower makes of bytes that are appended one piece after the other: its events with their offsets, the
/// reasons of what it rejected, and whether its source is up.
fn told_by(pieces: &[&[u8]]) -> (Vec<(String, u64)>, Vec<String>, bool) {
    let home = tempfile::tempdir().expect("a folder");
    let (mut follower, _, shared) = followed(home.path());
    std::fs::remove_file(home.path().join("a.log")).expect("no log");
    let mut log = File::create(home.path().join("a.log")).expect("the log");
    let (mut events, mut rejected) = (Vec::new(), Vec::new());
    for piece in pieces {
        log.write_all(piece).expect("a write");
        let now = crate::clock::now();
        follower.last_scan = None;
        follower.look(now, Duration::ZERO);
        assert!(!follower.read(now));
        let batch = follower.take(now, true, &mut |_, _| {});
        events.extend(batch.events.iter().map(|taking| {
            let crate::event::Body::Run(line) = &taking.event.body else { panic!("a run line") };
            let offset = taking.place.as_ref().expect("a place").offset;
            (line.run_id.as_deref().unwrap_or_default().to_owned(), offset)
        }));
        rejected.extend(batch.rejected.iter().map(|r| r.reason.to_string()));
        follower.take_stock(&shared, now);
    }
    (events, rejected, shared.sources().first().is_some_and(|view| view.up))
}

#[test]
fn case_41_utf_16_is_followed_wherever_it_is_cut() {
    let line = |id| format!("time=2026-03-10T02:00:00Z event=started procedure=p run_id={id}\n");
    let (first, second) = (line("zürich"), line("\u{1f600}"));
    let text = format!("\u{feff}{first}x=1\n{second}");
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
        for length in [1, 3, 1000] {
            let pieces: Vec<&[u8]> = bytes.chunks(length).collect();
            let (events, rejected, up) = told_by(&pieces);
            let at = 2 * (1 + first.encode_utf16().count() + 4) as u64;
            assert_eq!(events, [("zürich".into(), 0), ("\u{1f600}".into(), at)], "{length}");
            assert!(up && rejected.is_empty(), "{length} {rejected:?}");
        }
    }
}

#[test]
fn case_41_a_source_is_not_up_while_a_file_is_of_another_encoding() {
    let wide: Vec<u8> = "x=1\nx=2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let rows: [(&[&[u8]], usize, bool); 5] = [
        (&[b"x=1\n", "x=grün\n".as_bytes()], 0, true),
        (&[b"x=1\n", b"x=gr\xfcn\n"], 1, false),
        // What is the same in every encoding tells nothing.
        (&[b"x=gr\xfcn\n", b"x=1\n"], 1, false),
        (&[b"x=gr\xfcn\n", "x=grün\n".as_bytes()], 1, true),
        // UTF-16 without a mark.
        (&[&wide], 2, false),
    ];
    for (pieces, count, up) in rows {
        let found = told_by(pieces);
        assert_eq!(found, (Vec::new(), vec!["encoding".to_owned(); count], up), "{pieces:?}");
    }
}

#[test]
fn what_moved_is_urgent() {
    let home = tempfile::tempdir().expect("a folder");
    let (log, rotated) = (home.path().join("a.log"), home.path().join("a.log.1"));
    let (mut follower, mut store, _) = followed(home.path());
    let now = crate::clock::now();
    let mut commit_if_urgent = |follower: &mut Follower| {
        follower.look(now, Duration::ZERO);
        let was_urgent = follower.is_urgent();
        let mut commit = Commit::default();
        follower.checkpoints(&mut commit).expect("checkpoints");
        store.commit(&commit).expect("a commit");
        follower.committed(&commit);
        assert!(!follower.is_urgent());
        let inodes: Vec<u64> = commit.checkpoints.iter().map(|c| c.ino).collect();
        (was_urgent, inodes, commit.tallies.keys().any(|(_, name, _)| *name == "rotations"))
    };
    let inode = |path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).expect("a file"));
    assert_eq!(commit_if_urgent(&mut follower), (true, vec![inode(&log)], false));
    assert_eq!(commit_if_urgent(&mut follower), (false, vec![], false));
    fs::rename(&log, &rotated).expect("a rotation");
    File::create(&log).expect("a new log");
    (follower.last_glob, follower.last_scan) = (None, None);
    let both = vec![inode(&rotated), inode(&log)];
    assert_eq!(commit_if_urgent(&mut follower), (true, both, true));
}

const TWO_PARTNERS: &str = "partners:\n  noisy: { timezone: UTC, windows: \"Mo-Su 22:00-05:00\" }\n\
    \x20 quiet: { timezone: UTC, windows: \"Mo-Su 22:00-05:00\" }\n\
    sources:\n- { name: noisy, partner: noisy, files: [noisy.log], format: logfmt }\n\
    - { name: quiet, partner: quiet, files: [quiet.log], format: logfmt }\n";

/// A start that is read as an event.
fn start(id: &str) -> String {
    format!("time=2026-06-21T12:00:00Z event=started procedure=x run_id={id}\n")
}

/// What is taken after one turn of reading: the number of bytes it read, whether there is more, and the events of the
/// quiet partner.
fn turn(follower: &mut Follower) -> (u64, bool, usize) {
    let now = crate::clock::now();
    let before = follower.bytes_read;
    let more = follower.read(now);
    let batch = follower.take(now, true, &mut |_, _| {});
    let of_quiet = batch.events.iter().filter(|taking| &*taking.partner == "quiet");
    (follower.bytes_read - before, more, of_quiet.count())
}

#[test]
fn nobody_waits_for_the_files_of_another_partner() {
    let home = tempfile::tempdir().expect("a folder");
    let (noisy, quiet) = (home.path().join("noisy.log"), home.path().join("quiet.log"));
    let line = b"x=1 nothing that anybody asks for\n";
    let many = line.repeat(usize::try_from(4 * TURN_BYTES).expect("a size") / line.len());
    // Lines, one line that has no end, and NULs: each is more than one turn.
    for noise in [many, vec![b'x'; 4 << 23], vec![0; 4 << 23]] {
        fs::write(&noisy, &noise).expect("noise");
        fs::write(&quiet, start("Q-1")).expect("a log");
        let (mut follower, _store, shared) = follower_of(home.path(), TWO_PARTNERS);
        let now = crate::clock::now();
        follower.look(now, Duration::ZERO);
        let (read, more, events) = turn(&mut follower);
        assert!(more && read <= TURN_BYTES + (1 << 20), "{read}");
        assert_eq!(events, 1, "in the first turn");
        assert!(follower.is_caught_up("quiet") && !follower.is_caught_up("noisy"));
        // What is written meanwhile comes in the next turn, however long the noise lasts.
        let mut log = File::options().append(true).open(&quiet).expect("the log");
        log.write_all(start("Q-2").as_bytes()).expect("a line");
        follower.last_scan = None;
        follower.look_between(now);
        let (_, more, events) = turn(&mut follower);
        assert!(more);
        assert_eq!(events, 1, "in the turn after it was written");
        follower.take_stock(&shared, now);
        let covered: Vec<_> = shared.sources().iter().map(|view| view.covered).collect();
        assert_eq!(covered, [false, true], "only what is read to its end");
        while turn(&mut follower).1 {}
        assert!(follower.is_caught_up("noisy"));
    }
}
