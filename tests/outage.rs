//! A ledger that cannot be used: a sentence that names the file and what to do; and one that cannot be written
//! for a while: nothing is acknowledged before it is stored, nothing is lost or doubled.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, prlimit};

use crate::support::{Server, eventually, folder, offhours, root, text};

/// A configuration and an empty log in a folder.
fn home() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let home = folder();
    let (config, log) = (home.path().join("offhours.yml"), home.path().join("northhost.log"));
    fs::copy(root().join("examples/quickstart/offhours.yml"), &config).expect("a copy");
    fs::write(&log, "").expect("a log");
    (home, config, log)
}

/// Appends whole runs with these numbers, stamped now.
fn write_runs(log: &Path, numbers: std::ops::Range<usize>) {
    let mut file = File::options().append(true).create(true).open(log).expect("the log");
    for n in numbers {
        let at = offhours::time::rfc3339(offhours::clock::now());
        for state in ["STARTED", "FINISHED"] {
            writeln!(
                file,
                "time={at} msg=\"maintenance task\" state={state} task=x job=K-{n} target=orion"
            )
            .expect("a line");
        }
    }
}

/// How often each run is on record.
fn on_record(storage: &Path) -> BTreeMap<String, usize> {
    let path = storage.to_string_lossy();
    let runs = offhours(&["runs", "--storage.path", &path, "--format=json", "--limit=100000"]);
    let mut seen = BTreeMap::new();
    for line in text(&runs.stdout).lines() {
        let run: serde_json::Value = serde_json::from_str(line).expect("an object");
        *seen.entry(run["run_id"].as_str().expect("an id").into()).or_default() += 1;
    }
    seen
}

fn value(server: &Server, series: &str) -> f64 {
    let page = server.get("/metrics").1;
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {page}")).parse().expect("a number")
}

const EVENTS: &str =
    "offhours_source_lines_total{source=\"northhost-maintenance\",outcome=\"event\"}";

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let (home, config, log) = home();
    let mut server = Server::start_in(&config, &home.path().join("data"));
    server.ignore_log();
    for n in 0..3 {
        write_runs(&log, 10 * n..10 * (n + 1));
        let events = 20.0 * (n + 1) as f64;
        eventually("they are read", || value(&server, EVENTS) == events);
    }
    assert!(server.stop().success());
    assert_eq!(on_record(&home.path().join("data")).len(), 30);
}

#[test]
fn case_31_a_ledger_that_may_not_grow_is_waited_out() {
    let (_home, config, log) = home();
    let server = Server::start(&config);
    write_runs(&log, 0..10);
    eventually("ten runs are read", || value(&server, EVENTS) == 20.0);
    let free =
        prlimit(Some(server.pid()), Resource::Fsize, Rlimit { current: Some(0), maximum: None });
    let free = free.expect("a limit");
    write_runs(&log, 10..20);
    let told = server.line("the ledger cannot be written");
    assert!(told.contains("ledger.db"), "{told}");
    eventually("it is tried again", || 2.0 <= value(&server, "offhours_ledger_errors_total"));
    write_runs(&log, 20..30);
    let lag = "offhours_source_lag_bytes{source=\"northhost-maintenance\"}";
    eventually("the lag is seen", || 0.0 < value(&server, lag));
    assert_eq!(value(&server, EVENTS), 20.0, "nothing is counted that is not stored");
    assert_eq!(server.get("/-/healthy").0, 200);
    assert_eq!(server.post("/-/reload").0, 500);
    prlimit(Some(server.pid()), Resource::Fsize, free).expect("no limit");
    let until = server.lines_until("the ledger can be written again");
    let again = until.iter().filter(|line| line.contains("the ledger cannot be written:"));
    assert_eq!(again.count(), 0, "told once: {until:#?}");
    eventually("all runs are read", || value(&server, EVENTS) == 60.0);
    let seen = on_record(server.storage());
    assert!(seen.len() == 30 && seen.values().all(|n| *n == 1), "{seen:?}");
    assert!(server.stop().success());
}

#[test]
fn a_stop_while_the_ledger_may_not_grow_loses_nothing() {
    let (_home, config, log) = home();
    let storage = folder();
    let server = Server::start_in(&config, storage.path());
    prlimit(Some(server.pid()), Resource::Fsize, Rlimit { current: Some(0), maximum: None })
        .expect("a limit");
    write_runs(&log, 0..5);
    server.line("the ledger cannot be written");
    assert!(server.stop().success());
    let server = Server::start_in(&config, storage.path());
    eventually("all runs are read", || value(&server, EVENTS) == 10.0);
    let seen = on_record(storage.path());
    assert!(seen.len() == 5 && seen.values().all(|n| *n == 1), "{seen:?}");
}

#[test]
fn a_rotation_alone_is_on_disk() {
    let (home, config, log) = home();
    let storage = folder();
    let rotated = |n: usize| home.path().join(format!("northhost.log.{n}"));
    let mut server = Server::start_in(&config, storage.path());
    write_runs(&log, 0..5);
    eventually("five runs are read", || value(&server, EVENTS) == 10.0);
    fs::rename(&log, rotated(1)).expect("a rotation");
    File::create(&log).expect("a new log");
    let renames =
        "offhours_source_rotations_total{source=\"northhost-maintenance\",kind=\"rename\"}";
    eventually("the rotation is on record", || value(&server, renames) == 1.0);
    eventually("the new file is followed", || {
        value(&server, "offhours_source_files{source=\"northhost-maintenance\"}") == 1.0
    });
    server.kill();
    // Both files are written to and move on while nobody looks.
    write_runs(&rotated(1), 5..10);
    write_runs(&log, 10..15);
    fs::rename(rotated(1), rotated(2)).expect("a rotation");
    fs::rename(&log, rotated(1)).expect("a rotation");
    write_runs(&log, 15..20);
    let server = Server::start_in(&config, storage.path());
    eventually("all runs are read", || value(&server, EVENTS) == 40.0);
    let seen = on_record(storage.path());
    assert!(seen.len() == 20 && seen.values().all(|n| *n == 1), "{seen:?}");
}

/// What `serve` says to the storage that `spoil` has made, and that it ends with 1.
fn check(spoil: impl FnOnce(&Path), wanted: &[&str]) {
    let (_home, config, log) = home();
    let storage = folder();
    write_runs(&log, 0..3);
    assert!(Server::start_in(&config, storage.path()).stop().success());
    spoil(storage.path());
    let (config, path) = (config.to_string_lossy(), storage.path().to_string_lossy());
    let listen = "--web.listen-address=127.0.0.1:0";
    let output = offhours(&["serve", listen, "--config.file", &config, "--storage.path", &path]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(wanted.iter().all(|w| last.contains(w)), "{wanted:?} in {last:?} of {said}");
}

#[test]
fn case_30_a_ledger_that_cannot_be_used_is_told_with_file_and_remedy() {
    let file = |storage: &Path| storage.join("ledger.db");
    let version = |storage: &Path| {
        let db = rusqlite::Connection::open(file(storage)).expect("a ledger");
        db.execute("UPDATE meta SET value = '99' WHERE key = 'version'", []).expect("a change");
    };
    check(version, &["ledger.db", "version 99", "--storage.path"]);
    let zeros = |storage: &Path| fs::write(file(storage), [0; 8192]).expect("zeros");
    check(zeros, &["ledger.db", "damaged", "backup"]);
    let text = |storage: &Path| fs::write(file(storage), "no ledger\n".repeat(99)).expect("text");
    check(text, &["ledger.db", "damaged", "backup"]);
    let empty = |storage: &Path| fs::write(file(storage), "").expect("nothing");
    check(empty, &["ledger.db", "is empty", "backup"]);
    let missing = |storage: &Path| {
        fs::remove_file(file(storage)).expect("a ledger");
        fs::write(storage.join("ledger.db-wal"), "what is left").expect("remains");
    };
    check(missing, &["ledger.db", "is missing", "backup"]);
    let torn = |storage: &Path| {
        let bytes = fs::read(file(storage)).expect("a ledger");
        let page = bytes.len().min(4096);
        let rest = vec![0xaa; bytes.len() - page];
        fs::write(file(storage), [bytes.get(..page).unwrap_or(&bytes), &rest].concat())
            .expect("a change");
    };
    check(torn, &["ledger.db", "damaged", "backup"]);
    let folder = |storage: &Path| {
        fs::remove_file(file(storage)).expect("a ledger");
        fs::create_dir(file(storage)).expect("a folder");
    };
    check(folder, &["ledger.db", "must be a file in a folder"]);
}

#[test]
fn case_30_a_folder_that_cannot_be_written_is_told() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may write everywhere");
        return;
    }
    check(
        |storage| {
            fs::set_permissions(storage, Permissions::from_mode(0o500)).expect("permissions");
        },
        &["ledger", "ermission denied", "writable by the user"],
    );
}
