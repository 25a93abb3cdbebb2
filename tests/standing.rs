//! Whatever stands still: the signs of the program tell it, and a stop ends it all the same.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{Server, eventually, folder, root};

/// A configuration and an empty log in a folder.
fn home() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let home = folder();
    let (config, log) = (home.path().join("offhours.yml"), home.path().join("northhost.log"));
    fs::copy(root().join("examples/quickstart/offhours.yml"), &config).expect("a copy");
    fs::write(&log, "").expect("a log");
    (home, config, log)
}

/// Appends a whole run, stamped now.
fn write_run(log: &Path, id: &str) {
    let mut file = fs::File::options().append(true).open(log).expect("the log");
    let at = offhours::time::rfc3339(offhours::clock::now());
    for state in ["STARTED", "FINISHED"] {
        let line = format!(
            "time={at} msg=\"maintenance task\" state={state} task=x job={id} target=orion\n"
        );
        file.write_all(line.as_bytes()).expect("a line");
    }
}

const EVENTS: &str =
    "offhours_source_lines_total{source=\"northhost-maintenance\",outcome=\"event\"} 2";

/// How long a stop took, and how it ended.
fn stopped(server: Server) -> (Duration, Option<i32>) {
    let asked = Instant::now();
    let status = server.stop();
    (asked.elapsed(), status.code())
}

const STOP_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let (home, config, log) = home();
    let (_unread, server) = Server::start_unheard(&config, &home.path().join("data"));
    write_run(&log, "K-1");
    eventually("it is read", || server.get("/metrics").1.contains(EVENTS));
    let (took, code) = stopped(server);
    assert!(took < STOP_WITHIN && code == Some(0), "{took:?} {code:?}");
}

#[test]
fn a_loop_that_stands_shows_in_every_sign_and_can_be_stopped() {
    let (_home, config, log) = home();
    let server = Server::start(&config);
    write_run(&log, "K-1");
    eventually("it is read", || server.get("/metrics").1.contains(EVENTS));
    let source = "offhours_source_up{source=\"northhost-maintenance\"}";
    assert!(server.get("/metrics").1.contains(&format!("{source} 1")));
    assert!(server.get("/-/healthy").0 == 200 && server.get("/-/ready").0 == 200);
    // Like a file on a server that has gone: whoever opens it waits.
    fs::remove_file(&config).expect("a file");
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &config, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a pipe");
    rustix::process::kill_process(server.pid(), rustix::process::Signal::HUP).expect("a signal");
    eventually("the loop stands", || server.get("/-/healthy").0 == 503);
    let (status, why) = server.get("/-/ready");
    assert!(status == 503 && why.contains("stood still"), "{status} {why}");
    assert!(server.get("/metrics").1.contains(&format!("{source} 0")));
    let page = server.get("/").1;
    assert!(page.contains("Nothing has been read or judged for") && !page.contains("As agreed"));
    let sources = server.get("/api/v1/sources").1;
    assert!(sources.contains("\"up\":false") && sources.contains("\"covered\":false"));
    let (took, code) = stopped(server);
    assert!(took < STOP_WITHIN && code == Some(1), "{took:?} {code:?}");
}

/// Ends a server that runs on a ledger in this folder by doing something to that; what it says at last.
fn ended_by(what: impl Fn(&Path)) -> String {
    let (home, config, log) = home();
    let storage = home.path().join("data");
    let mut server = Server::start_in(&config, &storage);
    write_run(&log, "K-1");
    eventually("it is read", || server.get("/metrics").1.contains(EVENTS));
    what(&storage);
    let told = server.line("offhours cannot go on");
    assert_eq!(server.wait().code(), Some(1), "{told}");
    told
}

#[test]
fn a_ledger_that_is_taken_away_ends_the_program() {
    let remove = |name: &'static str| {
        move |folder: &Path| fs::remove_file(folder.join(name)).expect("a file of the ledger")
    };
    for name in ["ledger.db", "ledger.db-wal", "ledger.lock"] {
        let told = ended_by(remove(name));
        assert!(told.contains(name) && told.contains("deleted or moved"), "{told}");
    }
    let told = ended_by(|folder| {
        let (ledger, copy) = (folder.join("ledger.db"), folder.join("copy"));
        fs::copy(&ledger, &copy).expect("a copy");
        fs::rename(&copy, &ledger).expect("another file in its place");
    });
    assert!(told.contains("ledger.db: it was replaced"), "{told}");
    let told = ended_by(|folder| {
        fs::rename(folder, folder.with_file_name("elsewhere")).expect("another name");
    });
    assert!(told.contains("deleted or moved"), "{told}");
}
