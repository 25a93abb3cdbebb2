//! The running exporter: series at zero, agreement with a replay, a stop on request.

use std::collections::BTreeMap;
use std::io::Write;

use crate::support::{Server, eventually, folder, offhours, root, text};

/// Sums of one metric over its series.
fn sum(page: &str, name: &str, with: &str) -> f64 {
    let of_metric = |line: &&str| line.starts_with(&format!("{name}{{")) && line.contains(with);
    let value = |line: &str| line.rsplit(' ').next().and_then(|v| v.parse::<f64>().ok());
    page.lines().filter(of_metric).filter_map(value).sum()
}

#[test]
fn the_quickstart_shows_what_a_replay_says() {
    let server = Server::start(&root().join("examples/quickstart/offhours.yml"));
    let (status, page) = server.get("/metrics");
    assert_eq!(status, 200);
    let replay = offhours(&[
        "replay",
        "--config.file=examples/quickstart/offhours.yml",
        "--format=json",
        "examples/quickstart/northhost.log",
    ]);
    let mut reasons: BTreeMap<String, f64> = BTreeMap::new();
    let mut runs = 0.0;
    for line in text(&replay.stdout).lines() {
        let run: serde_json::Value = serde_json::from_str(line).expect("an object");
        runs += 1.0;
        let waived = run["waived"].as_array().expect("a list");
        for reason in run["reasons"].as_array().expect("a list") {
            if !waived.contains(reason) {
                *reasons.entry(reason.as_str().expect("a word").into()).or_default() += 1.0;
            }
        }
    }
    assert_eq!(sum(&page, "maintenance_starts_total", ""), runs);
    // Live, time has gone on since the log's last line: what was open then was given up, and so on.
    let later = ["lost", "unverified", "unapproved_emergency", "too_long", "overran_window"];
    for (reason, count) in reasons.iter().filter(|(reason, _)| !later.contains(&reason.as_str())) {
        let label = format!("reason=\"{reason}\"");
        let shown = sum(&page, "maintenance_violations_total", &label);
        assert!(*count <= shown, "{reason}: {shown} of {count}");
    }
    assert!(page.contains("maintenance_violations_total{partner=\"northhost\""), "{page}");
    // Long ago: recorded and counted, but nobody is paged for it.
    assert_eq!(sum(&page, "maintenance_violations_unacknowledged", ""), 0.0);
    for path in ["/", "/-/healthy", "/-/ready", "/api/v1/runs", "/api/v1/runs/1", "/api/v1/sources"]
    {
        assert_eq!(server.get(path).0, 200, "{path}");
    }
    assert_eq!(server.get("/api/v1/runs/none").0, 404);
    assert_eq!(server.get("/api/v1/runs?verdict=guilty").0, 400);
    assert!(server.stop().success());
}

#[test]
fn a_line_is_seen_and_acknowledged() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let log = home.path().join("northhost.log");
    std::fs::copy(root().join("examples/quickstart/offhours.yml"), &config).expect("a copy");
    std::fs::write(&log, "").expect("a log");
    let server = Server::start(&config);
    let mut file = std::fs::File::options().append(true).open(&log).expect("the log");
    let now = offhours::time::rfc3339(offhours::clock::now());
    let line = format!(
        "time={now} msg=\"maintenance task\" state=STARTED task=mystery job=M-1 target=orion trigger=manual\n"
    );
    file.write_all(line.as_bytes()).expect("a line");
    let unacknowledged = |server: &Server| {
        sum(&server.get("/metrics").1, "maintenance_violations_unacknowledged", "")
    };
    eventually("the violation is shown", || unacknowledged(&server) == 1.0);
    let config = config.to_string_lossy().into_owned();
    let storage = server.storage().to_string_lossy().into_owned();
    let ask = |run: &str| {
        offhours(&[
            "ack",
            "--config.file",
            &config,
            "--storage.path",
            &storage,
            run,
            "--by",
            "on-call",
            "--note",
            "told the partner",
        ])
    };
    assert_eq!(ask("nobody").status.code(), Some(1));
    assert_eq!(ask("M-1").status.code(), Some(0));
    eventually("nobody is paged any more", || unacknowledged(&server) == 0.0);
    assert_eq!(ask("M-1").status.code(), Some(1));
    let explained =
        offhours(&["explain", "--config.file", &config, "--storage.path", &storage, "M-1"]);
    let case = text(&explained.stdout);
    assert!(case.contains("BROKEN  unknown_procedure"), "{case}");
    assert!(case.contains("on-call") && case.contains("byte 0"), "{case}");
    assert!(server.stop().success());
}

/// Pages and links name runs by number: an id of the partner that looks like one must not take its place.
#[test]
fn a_number_means_the_run_of_that_number() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    std::fs::copy(root().join("examples/quickstart/offhours.yml"), &config).expect("a copy");
    let now = offhours::time::rfc3339(offhours::clock::now());
    let line = |job: &str| {
        format!(
            "time={now} msg=\"maintenance task\" state=started task=mystery job={job} target=orion\n"
        )
    };
    let log = line("2") + &line("M-1");
    std::fs::write(home.path().join("northhost.log"), log).expect("a log");
    let server = Server::start(&config);
    let config = format!("--config.file={}", config.display());
    let storage = format!("--storage.path={}", server.storage().display());
    let told = |run: &str| {
        let output = offhours(&["ack", run, "--by=on-call", &config, &storage]);
        text(&output.stdout) + &text(&output.stderr)
    };
    let table = text(&offhours(&["runs", &storage, "--since=2025-11-10"]).stdout);
    let rows: Vec<&str> = table.lines().map(|row| row.get(..4).unwrap_or_default()).collect();
    assert_eq!(rows, ["NO  ", " 1  ", " 2  "], "{table}");
    let none = offhours(&["runs", &storage, "--partner=nobody"]);
    assert_eq!(text(&none.stdout) + &text(&none.stderr), "", "a script sees that by the output");
    let none = offhours(&["rejected", &storage]);
    assert_eq!(text(&none.stdout) + &text(&none.stderr), "");
    for (command, told) in [
        ("runs --partner=nobody", "no run on record matches"),
        ("rejected", "no rejected line is on record"),
    ] {
        let shown = on_terminal(&format!("{command} {storage}"));
        assert_eq!(shown.trim(), told);
    }
    assert!(server.get("/runs/2").1.contains("Run 2 (M-1) of"));
    assert!(server.get("/api/v1/runs/2").1.contains("\"run_id\":\"M-1\""));
    assert_eq!(
        told("2"),
        "run 2 (M-1) of mystery on orion by northhost is acknowledged by on-call\n"
    );
    assert_eq!(
        told("M-1"),
        "run 2 (M-1) of mystery on orion by northhost is acknowledged already, by on-call\n"
    );
    assert_eq!(
        told("northhost/2"),
        "run 1 (2) of mystery on orion by northhost is acknowledged by on-call\n"
    );
    assert!(server.stop().success());
}

#[test]
fn neither_a_reload_nor_a_restart_takes_back_time() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let quickstart = root().join("examples/quickstart/offhours.yml");
    let written = std::fs::read_to_string(quickstart).expect("a configuration");
    let use_hours = |hours: &str| {
        let text = written.replace("Mo-Fr 08:00-18:00; PH off", hours);
        assert!(text.contains(hours), "{text}");
        std::fs::write(&config, text).expect("a configuration");
    };
    let (long, short) = ("Mo-Su 00:00-24:00", "Mo 03:00-03:01");
    let hour_ago = offhours::time::rfc3339(offhours::clock::now() - chrono::TimeDelta::hours(1));
    let line = format!(
        "time={hour_ago} msg=\"maintenance task\" state=STARTED task=search-reindex job=R-1 target=orion\n"
    );
    std::fs::write(home.path().join("northhost.log"), line).expect("a log");
    let mut seen = Vec::new();
    let mut look = |server: &Server| {
        let page = server.get("/metrics").1;
        seen.push(sum(&page, "maintenance_business_hours_seconds_total", ""));
        assert!(seen.is_sorted() && 3_600.0 <= seen[0], "{seen:?}");
    };
    use_hours(long);
    let server = Server::start_in(&config, home.path());
    look(&server);
    use_hours(short);
    assert_eq!(server.post("/-/reload").0, 200);
    look(&server);
    let mut server = server;
    server.kill();
    let server = Server::start_in(&config, home.path());
    look(&server);
    use_hours(long);
    assert_eq!(server.post("/-/reload").0, 200);
    look(&server);
    assert!(server.stop().success());
    use_hours(short);
    let server = Server::start_in(&config, home.path());
    look(&server);
    assert!(server.stop().success());
}

#[test]
fn a_second_writer_is_refused_with_a_sentence() {
    let config = root().join("examples/quickstart/offhours.yml");
    let server = Server::start(&config);
    let storage = server.storage().to_string_lossy().into_owned();
    let config = config.to_string_lossy().into_owned();
    let second = offhours(&[
        "serve",
        "--config.file",
        &config,
        "--storage.path",
        &storage,
        "--web.listen-address",
        "127.0.0.1:0",
    ]);
    assert_eq!(second.status.code(), Some(1));
    let said = text(&second.stderr);
    assert!(said.contains("another offhours is using this ledger"), "{said}");
    assert!(server.stop().success());
}

#[test]
fn a_bad_reload_leaves_the_old_configuration_in_force() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let good =
        std::fs::read_to_string(root().join("examples/quickstart/offhours.yml")).expect("text");
    std::fs::write(&config, &good).expect("a configuration");
    std::fs::write(home.path().join("northhost.log"), "").expect("a log");
    let server = Server::start(&config);
    let successful = |server: &Server| {
        let page = server.get("/metrics").1;
        let line = page.lines().find(|l| l.starts_with("offhours_config_last_reload_successful "));
        line.expect("the gauge").ends_with(" 1")
    };
    assert!(successful(&server));
    std::fs::write(&config, "services: 7").expect("a mistake");
    assert_eq!(server.post("/-/reload").0, 500);
    assert!(!successful(&server));
    assert_eq!(server.get("/api/v1/sources").0, 200);
    std::fs::write(&config, good.replace("orion", "lyra")).expect("a configuration");
    assert_eq!(server.post("/-/reload").0, 200);
    assert!(successful(&server));
    assert!(server.get("/metrics").1.contains("affected_service=\"lyra\""));
    assert!(server.stop().success());
}

/// What a person sees who runs a command on a terminal.
fn on_terminal(arguments: &str) -> String {
    let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_offhours"));
    let output = std::process::Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(std::process::Stdio::null())
        .output();
    text(&output.expect("script runs").stdout)
}
