//! Through kill -9 at any moment: each event exactly once, and the same page as without.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;

use crate::support::{Server, breathe, eventually, folder, offhours, root, text};

const LINES: usize = 20_000;

/// Kills in one round of the test; `OFFHOURS_KILLS` asks for more.
fn kills() -> usize {
    std::env::var("OFFHOURS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

/// Series that depend on the moment of reading or on the process, and so on nothing that was read.
const OF_THE_MOMENT: &[&str] = &[
    "offhours_loop_last_turn_",
    "process_",
    "offhours_ledger_commit",
    "offhours_config_last_reload_success_timestamp",
    "offhours_source_last_line_timestamp",
    "offhours_source_covered_seconds",
    "maintenance_detection_delay_seconds",
    "maintenance_may_start",
    "maintenance_window_change",
    "maintenance_window_open",
    "maintenance_business_hours",
    // Entries carry the moments of reading.
    "offhours_ledger_entries",
    "offhours_ledger_head",
];

fn comparable(page: &str) -> BTreeMap<String, String> {
    let of_moment = |line: &str| OF_THE_MOMENT.iter().any(|name| line.starts_with(name));
    let lines = page.lines().filter(|line| !line.starts_with('#') && !of_moment(line));
    lines.filter_map(|l| l.rsplit_once(' ')).map(|(k, v)| (k.into(), v.into())).collect()
}

/// Whole runs, told in one write each, between noise; stamped now.
fn write_log(path: &Path, written: &AtomicBool) {
    let mut file = std::fs::File::options().append(true).open(path).expect("the log");
    for n in 0..LINES / 4 {
        let now = offhours::clock::now();
        let (at, end) = (now - TimeDelta::seconds(2), now - TimeDelta::seconds(1));
        let (at, end) = (offhours::time::rfc3339(at), offhours::time::rfc3339(end));
        let run = format!("task=mystery job=K-{n} target=orion trigger=manual");
        let text = format!(
            "time={at} msg=heartbeat n={n}\n\
             time={at} msg=\"maintenance task\" state=STARTED {run}\n\
             time={end} msg=\"maintenance task\" state=FINISHED {run}\n\
             time={end} msg=\"slow query\" n={n}\n"
        );
        file.write_all(text.as_bytes()).expect("lines");
        if n % 4 == 0 {
            breathe();
        }
    }
    written.store(true, Ordering::Release);
}

fn lines_read(server: &Server) -> f64 {
    let page = server.get("/metrics").1;
    let lines = page.lines().filter(|l| l.starts_with("offhours_source_lines_total{"));
    lines.filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[test]
fn case_28_nothing_is_lost_or_counted_twice_through_kill_9() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let log = home.path().join("northhost.log");
    std::fs::copy(root().join("examples/quickstart/offhours.yml"), &config).expect("a copy");
    std::fs::write(&log, "").expect("a log");
    let storage = folder();
    let written = AtomicBool::new(false);
    let seed = std::process::id();
    let mut state = u64::from(seed) | 1;
    std::thread::scope(|scope| {
        scope.spawn(|| write_log(&log, &written));
        for _ in 0..kills() {
            // xorshift: how many times the page is asked for before the kill
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let mut server = Server::launch(&config, storage.path());
            for _ in 0..state % 40_000 {
                std::hint::spin_loop();
                std::thread::yield_now();
            }
            server.kill();
        }
    });
    let server = Server::start_in(&config, storage.path());
    let mut read = 0.0;
    eventually(&format!("all lines are read, seed {seed}"), || {
        let before = std::mem::replace(&mut read, lines_read(&server));
        assert!(read <= LINES as f64, "seed {seed}: {read} lines of {LINES}, before {before}");
        read == LINES as f64
    });
    let page = server.get("/metrics").1;
    let runs = offhours(&[
        "runs",
        "--storage.path",
        &storage.path().to_string_lossy(),
        "--format=json",
        "--limit=100000",
    ]);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    for line in text(&runs.stdout).lines() {
        let run: serde_json::Value = serde_json::from_str(line).expect("an object");
        assert_eq!(run["state"], "finished", "seed {seed}: {run}");
        assert!(numbers.insert(run["run"].as_u64()), "seed {seed}: {run}");
        *seen.entry(run["run_id"].as_str().expect("an id").into()).or_default() += 1;
    }
    assert_eq!(seen.len(), LINES / 4, "seed {seed}");
    assert!(seen.values().all(|n| *n == 1), "seed {seed}");
    assert!(server.stop().success());

    let uninterrupted = Server::start(&config);
    eventually("all lines are read", || lines_read(&uninterrupted) == LINES as f64);
    let (want, got) = (comparable(&uninterrupted.get("/metrics").1), comparable(&page));
    let differing: Vec<_> = want
        .iter()
        .filter(|(k, v)| got.get(*k) != Some(v))
        .map(|(k, v)| format!("{k}: {:?}, uninterrupted {v}", got.get(k)))
        .collect();
    assert!(differing.is_empty() && want.len() == got.len(), "seed {seed}: {differing:#?}");
    assert!(uninterrupted.stop().success());
}

const RECORDS: usize = 1_000;

/// Reports of several lines, torn anywhere between two writes; the last one is complete when its file is quiet.
fn write_records(path: &Path) {
    let mut file = std::fs::File::options().append(true).open(path).expect("the log");
    for n in 0..RECORDS {
        let now = offhours::clock::now().format("%Y-%m-%d %H:%M:%S%.3f");
        let head = format!(
            "{now} UTC [7] LOG:  automatic vacuum of table \"t{n}\": index scans: 1\n\tpag"
        );
        file.write_all(head.as_bytes()).expect("a torn line");
        file.write_all(b"es: 0 removed\n\tsystem usage: elapsed: 0.50 s\n").expect("lines");
        file.write_all(format!("{now} UTC [8] LOG:  checkpoint\n\tof noise\n").as_bytes())
            .expect("noise");
        breathe();
    }
}

#[test]
fn a_record_of_several_lines_is_read_once_through_kill_9() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let log = home.path().join("postgresql.log");
    std::fs::copy(root().join("tests/cases/postgresql/offhours.yml"), &config).expect("a copy");
    std::fs::write(&log, "").expect("a log");
    let storage = folder();
    std::thread::scope(|scope| {
        scope.spawn(|| write_records(&log));
        for n in 0..kills() / 2 {
            let mut server = Server::launch(&config, storage.path());
            for _ in 0..(n * 7_919) % 40_000 {
                std::thread::yield_now();
            }
            server.kill();
        }
    });
    let server = Server::start_in(&config, storage.path());
    let lines = (RECORDS * 5) as f64;
    eventually("all lines are read", || lines_read(&server) == lines);
    assert!(server.stop().success());
    let runs = offhours(&[
        "runs",
        "--storage.path",
        &storage.path().to_string_lossy(),
        "--format=json",
        "--limit=100000",
    ]);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for line in text(&runs.stdout).lines() {
        let run: serde_json::Value = serde_json::from_str(line).expect("an object");
        *seen.entry(run["run_id"].as_str().expect("an id").into()).or_default() += 1;
    }
    assert_eq!(seen.len(), RECORDS);
    assert!(seen.values().all(|n| *n == 1));
}

/// A tool that writes the head of a record when it begins and its last line when it is done.
const UPGRADES: &str = "
services: { app: {} }
partners: { ops: { windows: '24/7', confirmation: { required: false }, procedures: { upgrade: {} } } }
sources:
  - name: upgrades
    partner: ops
    files: [upgrades.log]
    format: regex
    match: { any: [' done '] }
    continuation: '^  '
    patterns:
      - { regex: '(?s)^upgrade (?P<run_id>\\S+) (?P<start>\\S+)\\n.*  done (?P<time>\\S+)', event: finished, procedure: upgrade }
    defaults: { service: app }
";

#[test]
fn a_record_whose_last_line_comes_late_is_one_run_through_kill_9_and_rotation() {
    for is_rotated in [false, true] {
        let (home, storage) = (folder(), folder());
        let config = home.path().join("offhours.yml");
        std::fs::write(&config, UPGRADES).expect("a configuration");
        let log = home.path().join("upgrades.log");
        let mut writer = std::fs::File::create(&log).expect("a log");
        let now = || offhours::clock::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let earlier = format!("upgrade u0 {0}\n  done {0}\n", now());
        let head = format!("upgrade u1 {}\n  twelve packages\n", now());
        writer.write_all(earlier.as_bytes()).expect("a record");
        writer.write_all(head.as_bytes()).expect("the head of another");
        let mut server = Server::start_in(&config, storage.path());
        eventually("the head is read as far as it goes", || lines_read(&server) == 4.0);
        server.kill();
        if is_rotated {
            std::fs::rename(&log, home.path().join("upgrades.log.1")).expect("a rotation");
            std::fs::write(&log, "nothing\n").expect("the next log");
        }
        let server = Server::start_in(&config, storage.path());
        writer.write_all(format!("  done {}\n", now()).as_bytes()).expect("its end");
        drop(writer);
        let lines = if is_rotated { 6.0 } else { 5.0 };
        eventually("all lines are read", || lines_read(&server) == lines);
        assert!(server.stop().success());
        let storage = storage.path().to_string_lossy().into_owned();
        let runs = offhours(&["runs", "--storage.path", &storage, "--format=json"]);
        let runs = text(&runs.stdout);
        let ids = runs.lines().map(|line| {
            let run: serde_json::Value = serde_json::from_str(line).expect("an object");
            (run["run_id"].to_string(), run["state"].to_string())
        });
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        let finished = |id: &str| (format!("{id:?}"), "\"finished\"".to_string());
        assert_eq!(ids, [finished("u0"), finished("u1")]);
        let rejected = offhours(&["rejected", "--storage.path", &storage]);
        assert_eq!(text(&rejected.stdout), "", "{}", text(&rejected.stderr));
    }
}

#[test]
fn a_catch_up_can_be_stopped() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    std::fs::copy(root().join("examples/quickstart/offhours.yml"), &config).expect("a copy");
    let line = "time=2026-03-22T09:00:00Z msg=\"maintenance task\" state=FINISHED job=STRAY\n";
    std::fs::write(home.path().join("northhost.log"), line.repeat(200_000)).expect("a log");
    let storage = folder();
    let server = Server::launch(&config, storage.path());
    server.line("msg=following");
    assert!(server.stop().success());
}
