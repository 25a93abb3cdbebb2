//! Documents beside the log, live: read once for each content, and exactly once through kill -9.

use std::path::Path;

use offhours::time::rfc3339;

use crate::support::{Server, eventually, folder, offhours, root, text};

const CONFIG: &str = r#"
services: { orion: { timezone: UTC } }
partners:
  northhost:
    windows: "24/7"
    confirmation: { required: true, notice: 1h }
    procedures: { failover: { services: [orion] } }
sources:
  - { name: runs, partner: northhost, files: [runs.log], format: logfmt }
  - name: tickets
    partner: northhost
    kind: changes
    files: [tickets*.csv]
    format: csv
"#;

const HEADER: &str = "change_id,status,service,procedure,planned_start,planned_end,time\n";

/// Changes that are confirmed for a span around now, by their numbers; every tenth has no end.
fn export(numbers: std::ops::Range<usize>) -> String {
    let row = |n: usize| {
        let end = if n % 10 == 9 { String::new() } else { "2096-01-01T00:00:00Z".to_owned() };
        let start = "2026-01-01T00:00:00Z";
        format!("C{n},confirmed,orion,failover,{start},{end},2025-06-01T00:00:00Z\n")
    };
    HEADER.to_owned() + &numbers.map(row).collect::<String>()
}

fn config_in(home: &Path) -> std::path::PathBuf {
    let config = home.join("offhours.yml");
    std::fs::write(&config, CONFIG).expect("a configuration");
    std::fs::write(home.join("runs.log"), "").expect("a log");
    config
}

/// Starts and waits until the sources are shown.
fn start(config: &Path, storage: &Path) -> Server {
    let server = Server::start_in(config, storage);
    let shown = r#"offhours_source_lines_total{source="tickets""#;
    eventually("the sources are shown", || server.get("/metrics").1.contains(shown));
    server
}

/// The value of a series of the source of documents, by its name and the rest of its labels.
fn counted(server: &Server, name: &str, label: &str) -> u64 {
    let page = server.get("/metrics").1;
    let is_it = |line: &&str| {
        line.starts_with(name) && line.contains(r#"source="tickets""#) && line.contains(label)
    };
    let line = page.lines().find(is_it).unwrap_or_else(|| panic!("no {name} {label} in {page}"));
    line.rsplit(' ').next().expect("a value").parse().expect("a number")
}

fn fates(server: &Server) -> (u64, u64, u64) {
    let lines = |outcome: &str| {
        counted(server, "offhours_source_lines_total", &format!("outcome=\"{outcome}\""))
    };
    (lines("event"), lines("ignored"), lines("rejected"))
}

#[test]
fn a_document_is_read_again_when_it_changes_and_repeats_add_nothing() {
    let home = folder();
    let config = config_in(home.path());
    let tickets = home.path().join("tickets.csv");
    std::fs::write(&tickets, export(0..10)).expect("an export");
    let storage = folder();
    let server = start(&config, storage.path());
    assert_eq!(fates(&server), (9, 0, 1));
    // One more change, the others as before: also the record that is refused counts once.
    std::fs::write(&tickets, export(0..11)).expect("an export");
    eventually("the new record is read", || fates(&server) == (10, 10, 1));
    // A day later under another name.
    std::fs::write(home.path().join("tickets-2.csv"), export(0..11)).expect("an export");
    eventually("the repetition is read", || fates(&server) == (10, 21, 1));
    // A run that names one of them is confirmed by it.
    let now = rfc3339(offhours::clock::now());
    let line = format!("time={now} event=started procedure=failover run_id=R change_id=C10\n");
    std::fs::write(home.path().join("runs.log"), line).expect("a line");
    eventually("the run is judged", || server.get("/api/v1/runs").1.contains("\"R\""));
    let explained = offhours(&[
        "explain",
        "R",
        "--config.file",
        &config.to_string_lossy(),
        "--storage.path",
        &storage.path().to_string_lossy(),
    ]);
    let explained = text(&explained.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(explained.contains("on record at the start: C10 revision 0, confirmed"), "{explained}");
    assert!(explained.contains("first confirmed plan: Thu 1 Jan 2026"), "{explained}");
    assert!(explained.contains("kept unconfirmed"), "{explained}");
    // What cannot be read as a whole is an error of the source, until it is mended.
    std::fs::write(&tickets, "number,status\nC1,confirmed\n").expect("an export");
    let unreadable = || counted(&server, "offhours_source_read_errors_total", "unreadable");
    eventually("it is told", || unreadable() == 1);
    eventually("it is down", || counted(&server, "offhours_source_up", "") == 0);
    std::fs::write(&tickets, export(0..12)).expect("an export");
    // An export that is written anew is empty for a moment: that can be read, too.
    eventually("the new record is read", || fates(&server).0 == 11);
    eventually("it is up", || counted(&server, "offhours_source_up", "") == 1);
    assert!(server.stop().success());
    // Nothing is read again by who starts anew.
    let again = start(&config, storage.path());
    assert_eq!(fates(&again).0, 11);
    assert_eq!(fates(&again).2, 1);
    assert!(again.stop().success());
}

#[test]
fn what_was_not_understood_is_tried_again_by_a_better_configuration() {
    let home = folder();
    let config = config_in(home.path());
    let theirs = |numbers| export(numbers).replace("change_id", "number");
    std::fs::write(home.path().join("tickets.csv"), theirs(0..1)).expect("an export");
    let agreed = theirs(1..3).replace("confirmed", "agreed");
    std::fs::write(home.path().join("tickets-2.csv"), agreed).expect("an export");
    let storage = folder();
    let is_down = |server: &Server| {
        eventually("it is down", || counted(server, "offhours_source_up", "") == 0);
        assert_eq!(fates(server), (0, 0, 0));
    };
    let server = start(&config, storage.path());
    is_down(&server);
    assert!(server.stop().success());
    // It stays down for whoever starts anew.
    let server = start(&config, storage.path());
    is_down(&server);
    let reload = |keys: &str| {
        let better = CONFIG.replace("format: csv", &format!("format: csv\n{keys}"));
        std::fs::write(&config, better).expect("a configuration");
        assert_eq!(server.post("/-/reload").0, 200);
    };
    let fields = "    fields: { change_id: number }\n";
    reload(fields);
    eventually("all is read", || fates(&server) == (1, 0, 2));
    eventually("it is up", || counted(&server, "offhours_source_up", "") == 1);
    // Records that were refused are read again though their document is as it was.
    reload(&format!("{fields}    values: {{ status: {{ agreed: confirmed }} }}\n"));
    eventually("the refused ones are read", || fates(&server) == (3, 1, 2));
    assert!(server.stop().success());
}

#[test]
fn a_confirmation_that_comes_after_the_start_is_backdated() {
    let home = folder();
    let config = config_in(home.path());
    let server = Server::start(&config);
    let now = rfc3339(offhours::clock::now());
    let line = format!("time={now} event=started procedure=failover run_id=R change_id=C1\n");
    std::fs::write(home.path().join("runs.log"), line).expect("a line");
    eventually("the run is judged", || server.get("/api/v1/runs").1.contains("unconfirmed"));
    std::fs::write(home.path().join("tickets.csv"), export(1..2)).expect("an export");
    let backdated = |line: &str| line.contains("kind=\"backdated\"") && line.ends_with(" 1");
    eventually("it is told", || server.get("/metrics").1.lines().any(backdated));
    assert!(server.get("/api/v1/runs").1.contains("unconfirmed"));
    assert!(server.stop().success());
}

#[test]
fn documents_are_read_exactly_once_through_kill_9() {
    const RECORDS: usize = 2_000;
    let home = folder();
    let config = config_in(home.path());
    for part in 0..10 {
        let path = home.path().join(format!("tickets-{part}.csv"));
        let numbers = part * RECORDS / 10..(part + 1) * RECORDS / 10;
        std::fs::write(path, export(numbers)).expect("an export");
    }
    let storage = folder();
    let seed = std::process::id();
    for kill in 0..12_u64 {
        let mut server = Server::launch(&config, storage.path());
        for _ in 0..(u64::from(seed).wrapping_mul(kill * kill + 7)) % 60_000 {
            std::hint::spin_loop();
            std::thread::yield_now();
        }
        server.kill();
    }
    let server = start(&config, storage.path());
    let want = ((RECORDS - RECORDS / 10) as u64, 0, (RECORDS / 10) as u64);
    assert_eq!(fates(&server), want, "seed {seed}");
    assert!(server.stop().success());
    let rejected = offhours(&[
        "rejected",
        "--storage.path",
        &storage.path().to_string_lossy(),
        "--limit=100000",
    ]);
    let rejected = text(&rejected.stdout);
    assert_eq!(rejected.matches("bad_plan").count(), RECORDS / 10, "seed {seed}");
}

#[test]
fn the_examples_of_the_documentation_are_configurations() {
    let page = std::fs::read_to_string(root().join("docs/changes.md")).expect("the page");
    let examples: Vec<&str> =
        page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let home = folder();
        let config = home.path().join("offhours.yml");
        std::fs::write(&config, example).expect("a configuration");
        let output = offhours(&["check-config", "--config.file", &config.to_string_lossy()]);
        assert!(output.status.success(), "{example}\n{}", text(&output.stderr));
    }
}
