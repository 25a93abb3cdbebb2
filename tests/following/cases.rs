//! Rotation by the real program, short lives, kills and power losses.

use std::fs;
use std::process::Command;

use crate::support::outside::program_of_others;
use crate::support::{breathe, eventually, folder};

use super::*;

/// Rotates as often as it is called. logrotate takes no name twice, and two rotations may fall into one second of its
/// clock: a name with a date carries the number of the rotation too.
fn logrotate(home: &Home, options: &str, number: u32) {
    let config = home.folder.path().join("logrotate.conf");
    let state = home.folder.path().join("logrotate.state");
    let log = home.path("app.log");
    let text = format!(
        "{} {{\n rotate 9\n dateformat -%Y%m%d-{number}\n su root root\n {}\n}}\n",
        log.display(),
        options.replace(", ", "\n ")
    );
    let text = match rustix::process::geteuid().is_root() {
        true => text,
        false => text.replace(" su root root\n", ""),
    };
    fs::write(&config, text).expect("a configuration");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&config, mode).expect("its mode");
    let output = Command::new("logrotate").arg("-f").arg("-s").arg(&state).arg(&config).output();
    let output = output.expect("it runs");
    assert!(output.status.success(), "{options}: {}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn check_logrotate(options: &str) {
    if program_of_others("logrotate").is_none() {
        return;
    }
    let mut home = Home::new("logs/app.log");
    home.write("app.log", 3);
    let server = home.start();
    home.expect_all(&server);
    let is_copied = options.contains("copytruncate");
    let rounds = 3;
    for number in 0..rounds {
        home.write("app.log", 2);
        if is_copied {
            home.expect_all(&server);
        }
        logrotate(&home, options, number);
        home.write("app.log", 2);
        home.expect_all(&server);
    }
    assert!(server.stop().success());
    // Once more while nobody looks.
    home.write("app.log", 2);
    logrotate(&home, options, rounds);
    home.write("app.log", 2);
    let server = home.start();
    home.expect_all(&server);
    let kind = if is_copied { "copytruncate" } else { "rename" };
    let rotations = counted(&server, "rotations", &format!("kind=\"{kind}\""));
    assert_eq!(rotations, (rounds + 1) as f64, "{options}");
    assert_eq!(losses(&server), if is_copied { (rounds + 1) as f64 } else { 0.0 }, "{options}");
    assert!(server.stop().success());
}

#[test]
fn case_10_logrotate_create() {
    check_logrotate("create");
}

#[test]
fn case_10_logrotate_nocreate() {
    check_logrotate("nocreate");
}

#[test]
fn case_10_logrotate_copytruncate() {
    check_logrotate("copytruncate");
}

#[test]
fn case_10_logrotate_dateext() {
    check_logrotate("create, dateext");
}

#[test]
fn case_10_logrotate_compress() {
    check_logrotate("create, compress");
}

#[test]
fn case_10_logrotate_delaycompress() {
    check_logrotate("create, compress, delaycompress");
}

#[test]
fn case_10_logrotate_copytruncate_compress() {
    check_logrotate("copytruncate, compress");
}

#[test]
fn case_10_logrotate_dateext_extension_compress() {
    check_logrotate("create, dateext, compress, extension .log");
}

/// What is lost is told with its file and its range of bytes, and counted.
#[test]
fn case_13_the_gap_of_copytruncate_is_told() {
    let mut home = Home::new("logs/app.log");
    home.write("app.log", 1);
    let server = home.start();
    home.expect_all(&server);
    let stop = |signal| rustix::process::kill_process(server.pid(), signal).expect("a signal");
    stop(rustix::process::Signal::STOP);
    home.write("app.log", 1);
    fs::copy(home.path("app.log"), home.path("app.log.1")).expect("a copy");
    let copied = fs::metadata(home.path("app.log")).expect("a file").len();
    open(&home.path("app.log")).write_all(run(999).as_bytes()).expect("what nobody copies");
    open(&home.path("app.log")).set_len(0).expect("a truncation");
    home.write("app.log", 1);
    stop(rustix::process::Signal::CONT);
    let told = server.line("lines may be lost");
    for part in ["logs", "reason=copytruncate", &format!("from={copied}")] {
        assert!(told.contains(part), "{part} in {told}");
    }
    home.expect_all(&server);
    assert_eq!(counted(&server, "possible_loss", "reason=\"copytruncate\""), 1.0);
    assert_eq!(counted(&server, "rotations", "kind=\"copytruncate\""), 1.0);
}

/// A hint comes long before the file goes.
#[test]
fn case_23_a_file_that_lives_for_50_ms() {
    let mut home = Home::new("logs/*.log");
    home.write("other.log", 1);
    let server = home.start();
    home.expect_all(&server);
    for n in 0..5 {
        let name = format!("short-{n}.log");
        home.write(&name, 2);
        let born = std::time::Instant::now();
        eventually("50 ms are over", || 50 <= born.elapsed().as_millis());
        fs::remove_file(home.path(&name)).expect("a file");
    }
    // A machine that is busy with other things may hold the program up for longer: then that is told.
    let read = || (value(&server, EVENTS) - 2.0) / 4.0;
    eventually("each is read or told as lost", || read() + losses(&server) == 5.0);
    assert!(1.0 <= read(), "none was seen in time");
    if losses(&server) == 0.0 {
        home.expect_all(&server);
    }
}

/// The program was held up for longer than the file lived: its name is known, its lines are not.
#[test]
fn case_23_a_file_that_went_before_it_could_be_opened() {
    let mut home = Home::new("logs/*.log");
    home.write("other.log", 1);
    let server = home.start();
    home.expect_all(&server);
    let signal = |signal| rustix::process::kill_process(server.pid(), signal).expect("a signal");
    signal(rustix::process::Signal::STOP);
    for name in ["short.log", "short.txt"] {
        fs::write(home.path(name), run(999)).expect("a file");
        fs::remove_file(home.path(name)).expect("a file");
    }
    // One that was only moved is not lost.
    home.write("moved.log", 1);
    fs::rename(home.path("moved.log"), home.path("here.log")).expect("another name");
    signal(rustix::process::Signal::CONT);
    let told = server.line("lines may be lost");
    assert!(told.contains("short.log") && told.contains("reason=vanished"), "{told}");
    home.expect_all(&server);
    eventually("it is counted", || counted(&server, "possible_loss", "reason=\"vanished\"") == 1.0);
    assert_eq!(losses(&server), 1.0);
}

/// What is on disk at any moment, with the end of what was written last torn off or zeroed: it starts, keeps what
/// was whole, and reads the rest again.
#[test]
fn case_29_power_loss_at_any_moment() {
    let mut home = Home::new("logs/app.log");
    home.write("app.log", 1);
    let mut server = home.start();
    let mut copies = Vec::new();
    for n in 0..12_u64 {
        home.write("app.log", 20);
        (0..n * 3).for_each(|_| breathe());
        // Nothing moves while it is copied: a disk that loses its power stops everything at once.
        rustix::process::kill_process(server.pid(), rustix::process::Signal::STOP).expect("stop");
        let copy = folder();
        for name in ["ledger.db", "ledger.db-wal"] {
            if let Ok(bytes) = fs::read(home.storage.path().join(name)) {
                fs::write(copy.path().join(name), bytes).expect("a copy");
            }
        }
        rustix::process::kill_process(server.pid(), rustix::process::Signal::CONT).expect("go on");
        copies.push(copy);
    }
    home.expect_all(&server);
    server.kill();
    for (n, copy) in copies.into_iter().enumerate() {
        let wal = copy.path().join("ledger.db-wal");
        if let Ok(mut bytes) = fs::read(&wal) {
            let torn = bytes.len().min(1 + n * 1_000);
            let kept = bytes.len() - torn;
            match n % 3 {
                0 => bytes.truncate(kept),
                1 => bytes.iter_mut().skip(kept).for_each(|byte| *byte = 0),
                _ => {}
            }
            fs::write(&wal, bytes).expect("a torn file");
        }
        home.storage = copy;
        let server = home.start();
        home.expect_all(&server);
        assert!(server.stop().success());
    }
}

/// Three rotations while a long backlog is read; `OFFHOURS_BACKLOG_MB` makes it longer.
#[test]
fn case_43_a_backlog_with_rotations_meanwhile() {
    let megabytes = std::env::var("OFFHOURS_BACKLOG_MB").ok().and_then(|n| n.parse().ok());
    let megabytes: usize = megabytes.unwrap_or(24);
    let mut home = Home::new("logs/app.log");
    let noise = "time=2026-01-01T00:00:00Z msg=heartbeat text=\"nothing to be seen here\"\n";
    let mut file = open(&home.path("app.log"));
    for _ in 0..megabytes {
        file.write_all(noise.repeat((1 << 20) / noise.len()).as_bytes()).expect("noise");
        home.write_to(&mut file, 1);
    }
    let server = Server::launch(&home.config(), home.storage.path());
    server.line("msg=following");
    for n in (0..3).rev() {
        for old in (1..3 - n).rev() {
            let name = |n| home.path(&format!("app.log.{n}"));
            fs::rename(name(old), name(old + 1)).expect("a rotation");
        }
        fs::rename(home.path("app.log"), home.path("app.log.1")).expect("a rotation");
        home.write("app.log", 2);
        breathe();
    }
    let until = server.lines_until("ready to be scraped");
    drop(until);
    let server = {
        assert!(server.stop().success());
        home.start()
    };
    home.expect_all(&server);
    assert_eq!(losses(&server), 0.0);
    assert!(server.stop().success());
}
