//! What the machine may do: full disks, no descriptors, no hints, other file systems, other clocks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, kill_process, prlimit};

use crate::support::eventually;
use crate::support::outside::program_of_others;

use super::*;

/// Whether a namespace of one's own can be had, in which to mount and to set limits.
fn has_namespaces(case: &str) -> bool {
    let made = Command::new("unshare").args(["-Urm", "true"]).output();
    let can = made.as_ref().is_ok_and(|output| output.status.success());
    if !can {
        cannot_be_made(case, "the kernel allows no namespaces for users (unshare -Urm)");
    }
    can
}

/// The path that a process sees, from outside of its namespace.
fn inside(server: &Server, path: &Path) -> PathBuf {
    let root = format!("/proc/{}/root", server.pid().as_raw_nonzero());
    Path::new(&root).join(path.strip_prefix("/").expect("an absolute path"))
}

#[test]
fn case_31_the_disk_of_the_ledger_is_full() {
    if !has_namespaces("31") {
        return;
    }
    let mut home = Home::new("logs/app.log");
    home.write("app.log", 2);
    let storage = home.storage.path().to_path_buf();
    let script = format!("mount -t tmpfs -o size=2m none '{}' || exit 9", storage.display());
    let server = home.start_by(shell(&["unshare", "-Urm"], &script));
    eventually("the first runs are read", || value(&server, EVENTS) == 4.0);
    let seen = inside(&server, &storage);
    let ballast = seen.join("ballast");
    let full = fs::write(&ballast, vec![1; 4 << 20]).expect_err("no space");
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    home.write("app.log", 200);
    server.line("the ledger cannot be written");
    assert!(value(&server, EVENTS) < 404.0, "nothing is counted that is not stored");
    assert!(0.0 < value(&server, "offhours_ledger_errors_total"));
    fs::remove_file(&ballast).expect("space");
    server.line("the ledger can be written again");
    eventually("all are read", || value(&server, EVENTS) == 404.0);
    let runs = server.get("/api/v1/runs?limit=1000").1;
    for n in [0, 1, 100, 201] {
        assert_eq!(runs.matches(&format!("\"K-{n}\"")).count(), 1, "{n} in {runs}");
    }
}

#[test]
fn case_32_the_disk_of_the_log_is_full() {
    if !has_namespaces("32") {
        return;
    }
    let mut home = Home::new("logs/app.log");
    let logs = home.path("");
    let script = format!(
        "mount -t tmpfs -o size=64k none '{0}' && head -c 40000 /dev/zero >'{0}/ballast' || exit 9",
        logs.display()
    );
    let server = home.start_by(shell(&["unshare", "-Urm"], &script));
    let seen = inside(&server, &logs);
    let mut file = open(&seen.join("app.log"));
    let mut written = Vec::new();
    // The last line does not fit to its end.
    let stopped_in = loop {
        let line = run(home.written);
        match file.write(line.as_bytes()) {
            Ok(n) if n == line.len() => {
                home.written += 1;
                written.push(n);
            }
            Ok(n) => break line.get(n..).expect("the rest").to_string(),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
                break line;
            }
        }
    };
    let whole = (2 * home.written) as f64;
    eventually("what is whole is read", || whole <= value(&server, EVENTS));
    fs::remove_file(seen.join("ballast")).expect("space");
    file.write_all(stopped_in.as_bytes()).expect("the rest");
    home.written += 1;
    home.write_to(&mut file, 3);
    home.expect_all(&server);
    assert_eq!(counted(&server, "lines", "outcome=\"rejected\""), 0.0);
}

#[test]
fn case_33_no_descriptor_is_left() {
    let mut home = Home::new("logs/*.log");
    home.write("a.log", 2);
    let server = home.start();
    home.expect_all(&server);
    let open_now = fs::read_dir(format!("/proc/{}/fd", server.pid().as_raw_nonzero()));
    let open_now = open_now.expect("its descriptors").count() as u64;
    // Scrapes need one as well, so they fail at times: the log tells.
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let limit = |current| Rlimit { current, maximum };
    let before = prlimit(Some(server.pid()), Resource::Nofile, limit(Some(open_now)));
    let before = before.expect("a limit");
    let cpu = || {
        let path = format!("/proc/{}/stat", server.pid().as_raw_nonzero());
        let stat = fs::read_to_string(path).expect("its state");
        let (_, rest) = stat.rsplit_once(')').expect("a name");
        let field = |n: usize| rest.split_whitespace().nth(n).and_then(|f| f.parse::<u64>().ok());
        field(11).zip(field(12)).map(|(user, system)| user + system).expect("ticks")
    };
    // Whatever is free, these are more.
    let names: Vec<String> = (0..40).map(|n| format!("b{n}.log")).collect();
    for name in &names {
        home.write(name, 1);
    }
    let told = server.line("too_many_descriptors");
    assert!(told.contains("source=\"logs\"") || told.contains("source=logs"), "{told}");
    let (ticks, since) = (cpu(), Instant::now());
    eventually("two seconds are over", || Duration::from_secs(2) <= since.elapsed());
    let busy = cpu() - ticks;
    assert!(busy <= 100, "{busy} ticks in two seconds: a busy loop");
    prlimit(Some(server.pid()), Resource::Nofile, before).expect("no limit");
    home.expect_all(&server);
    assert!(0.0 < counted(&server, "read_errors", "kind=\"too_many_descriptors\""));
    eventually("it is up again", || value(&server, "offhours_source_up{source=\"logs\"}") == 1.0);
}

/// More files than may be open: each is read, and none is refused.
#[test]
fn case_33_fewer_descriptors_than_files() {
    let mut home = Home::new("logs/*.log");
    (0..150).for_each(|n| home.write(&format!("{n}.log"), 1));
    let server = home.start_by(shell(&["env"], "ulimit -n 64"));
    home.expect_all(&server);
    (0..150).for_each(|n| home.write(&format!("{n}.log"), 1));
    home.expect_all(&server);
    let open_now = fs::read_dir(format!("/proc/{}/fd", server.pid().as_raw_nonzero()));
    let open_now = open_now.expect("its descriptors").count();
    assert!(open_now < 64, "{open_now}");
    assert_eq!(counted(&server, "read_errors", "kind=\"too_many_descriptors\""), 0.0);
    assert!(server.stop().success());
}

#[test]
fn case_30_the_folder_of_the_ledger_is_read_only() {
    if !has_namespaces("30") {
        return;
    }
    let mut home = Home::new("logs/app.log");
    home.write("app.log", 1);
    assert!(home.start().stop().success());
    let storage = home.storage.path().display().to_string();
    let script = format!(
        "mount --bind '{storage}' '{storage}' && mount -o remount,ro,bind '{storage}' || exit 9"
    );
    let mut command = shell(&["unshare", "-Urm"], &script);
    command.args(["serve", "--web.listen-address", "127.0.0.1:0", "--config.file"]);
    let output = command.arg(home.config()).args(["--storage.path", &storage]).output();
    let output = output.expect("it runs");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.contains("ead-only file system") && last.contains("writable by the user"),
        "{last}"
    );
    // Nothing was changed: it goes on from there.
    home.write("app.log", 1);
    let server = home.start();
    home.expect_all(&server);
}

/// Without the right to read, then with it, as after logrotate's chown.
#[test]
fn case_34_permission_is_denied_then_granted() {
    let mut home = Home::new("logs/app.log");
    home.write("app.log", 2);
    let mode = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(home.path("app.log"), mode(0)).expect("its mode");
    if rustix::process::geteuid().is_root() {
        // Root reads everything: give that up, and keep the folders usable.
        let free = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"];
        let made = Command::new("setpriv").args(&free[1..]).arg("true").output();
        if !made.is_ok_and(|output| output.status.success()) {
            return cannot_be_made("34", "setpriv cannot take capabilities away");
        }
        let server = home.start_by(shell(&free, ""));
        return denied_then_granted(&home, &server, "34");
    }
    let server = home.start();
    denied_then_granted(&home, &server, "34");
}

fn denied_then_granted(home: &Home, server: &Server, case: &str) {
    let up = || value(server, "offhours_source_up{source=\"logs\"}");
    if fs::read_to_string(format!("/proc/{}/status", server.pid().as_raw_nonzero()))
        .is_ok_and(|status| !status.contains("CapEff:\t0000000000000000"))
    {
        return cannot_be_made(case, "the program keeps its capabilities");
    }
    assert_eq!((up(), value(server, EVENTS)), (0.0, 0.0));
    eventually("it is counted", || {
        counted(server, "read_errors", "kind=\"permission_denied\"") == 1.0
    });
    fs::set_permissions(home.path("app.log"), fs::Permissions::from_mode(0o600)).expect("its mode");
    home.expect_all(server);
    eventually("it is up", || up() == 1.0);
}

/// More happens than the queue of hints holds.
#[test]
fn case_35_hints_are_lost() {
    let mut home = Home::new("logs/*.log");
    home.write("app.log", 2);
    let server = home.start();
    home.expect_all(&server);
    kill_process(server.pid(), Signal::STOP).expect("stop");
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").expect("a limit");
    let most: usize = most.trim().parse().expect("a number");
    for n in 0..=most / 2 {
        // Two hints each, and none like the one before.
        let path = home.path(&format!("noise-{}", n % 2));
        File::create(&path).expect("a file");
        fs::remove_file(&path).expect("a file");
    }
    home.write("app.log", 2);
    home.write("new.log", 2);
    fs::rename(home.path("app.log"), home.path("app.log.1")).expect("a rotation");
    home.write("app.log", 2);
    kill_process(server.pid(), Signal::CONT).expect("go on");
    home.expect_all(&server);
    assert_eq!(losses(&server), 0.0);
}

#[test]
fn case_36_no_hints_are_to_be_had() {
    if !has_namespaces("36") {
        return;
    }
    for limit in ["max_inotify_instances", "max_inotify_watches"] {
        let mut home = Home::new("logs/*.log");
        home.write("app.log", 2);
        let script = format!("echo 0 >/proc/sys/user/{limit} || exit 9");
        let server = home.start_by(shell(&["unshare", "-Ur"], &script));
        home.expect_all(&server);
        home.write("app.log", 2);
        fs::rename(home.path("app.log"), home.path("app.log.1")).expect("a rotation");
        home.write("app.log", 2);
        home.write("new.log", 2);
        home.expect_all(&server);
        assert_eq!(losses(&server), 0.0);
        assert!(server.stop().success());
    }
}

/// A file system that gives no hints.
#[test]
fn case_37_a_network_file_system() {
    let Some(_) = program_of_others("bindfs") else { return };
    if !Path::new("/dev/fuse").exists() {
        return cannot_be_made("37", "there is no /dev/fuse");
    }
    let mut home = Home::new("mounted/*.log");
    let (real, mounted) = (home.path(""), home.folder.path().join("mounted"));
    fs::create_dir(&mounted).expect("a folder");
    let output = Command::new("bindfs").arg("--no-allow-other").arg(&real).arg(&mounted).output();
    let output = output.expect("it runs");
    if !output.status.success() {
        return cannot_be_made("37", &String::from_utf8_lossy(&output.stderr));
    }
    let _unmount = Unmount(mounted);
    home.write("app.log", 2);
    let server = home.start();
    home.expect_all(&server);
    // Written behind the back of the mount, as by another machine, of which no hint tells.
    home.write("app.log", 2);
    home.expect_all(&server);
    let mounted = |name: &str| home.folder.path().join("mounted").join(name);
    fs::rename(mounted("app.log"), mounted("app.log.1")).expect("a rotation");
    home.write("app.log", 2);
    home.expect_all(&server);
    home.write("new.log", 2);
    home.expect_all(&server);
    assert!(server.stop().success());
}

struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let unmount = |program: &str| {
            let done = Command::new(program).arg("-uz").arg(&self.0).status();
            done.is_ok_and(|status| status.success())
        };
        if !unmount("fusermount") && !unmount("fusermount3") {
            eprintln!("{} stays mounted", self.0.display());
        }
    }
}

/// A program whose clock another file sets, and that file; `None` if that cannot be made.
fn with_a_clock(home: &Home) -> Option<(Command, impl Fn(&str) + use<>)> {
    program_of_others("faketime")?;
    let library = ["x86_64", "aarch64"]
        .map(|machine| format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketime.so.1"));
    let Some(library) = library.into_iter().find(|path| Path::new(path).exists()) else {
        cannot_be_made("39", "libfaketime.so.1 is not where Debian puts it");
        return None;
    };
    let clock = home.folder.path().join("clock");
    let mut command = program();
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &clock);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let set = move |offset: &str| {
        let next = clock.with_extension("next");
        fs::write(&next, offset).expect("an offset");
        fs::rename(&next, &clock).expect("an offset");
    };
    set("+0");
    Some((command, set))
}

/// The clock of the program is set while it runs; its logs go on being stamped by another, and that one is right.
#[test]
fn case_39_the_clock_is_set() {
    let mut home = Home::new("logs/app.log");
    let Some((command, set)) = with_a_clock(&home) else { return };
    let server = home.start_by(command);
    for offset in [0, -3600, 7200, 0] {
        set(&format!("{offset:+}"));
        let seen = Instant::now();
        home.write("app.log", 2);
        home.expect_all(&server);
        assert!(seen.elapsed() < Duration::from_secs(20), "{offset}: it is still polled");
        fs::rename(home.path("app.log"), home.path("app.log.1")).expect("a rotation");
        home.write("app.log", 2);
        home.expect_all(&server);
        let is_told = |told: f64| (told - f64::from(offset)).abs() < 60.0;
        eventually("it is told", || is_told(value(&server, "offhours_clock_offset_seconds")));
    }
    assert!(2.0 <= value(&server, "offhours_clock_jumps_total"));
    for kind in ["future", "late"] {
        let series =
            format!("maintenance_irregularities_total{{partner=\"northhost\",kind=\"{kind}\"}}");
        assert_eq!(
            value(&server, &series),
            0.0,
            "{kind}: stamps are not held against a clock that was set"
        );
    }
    assert_eq!(losses(&server), 0.0);
}

#[test]
fn case_39_a_clock_that_jumps_gives_no_run_up() {
    let home = Home::new("logs/app.log");
    let Some((command, set)) = with_a_clock(&home) else { return };
    let server = home.start_by(command);
    let both = run(0);
    let (start, end) = both.split_once('\n').expect("two lines");
    let append = |line: &str| {
        open(&home.path("app.log")).write_all(format!("{line}\n").as_bytes()).expect("a line");
    };
    append(start);
    eventually("it runs", || value(&server, EVENTS) == 1.0);
    let offset = || value(&server, "offhours_clock_offset_seconds");
    // Longer than a run may last before it is given up.
    set("+90000");
    eventually("it is told", || 89_000.0 < offset());
    set("+0");
    eventually("it came back", || offset() == 0.0);
    append(end.trim_end());
    eventually("it ends", || value(&server, EVENTS) == 2.0);
    let runs = server.get("/api/v1/runs").1;
    assert!(runs.contains("\"finished\"") && !runs.contains("\"lost\""), "{runs}");
    assert_eq!(value(&server, "offhours_clock_jumps_total"), 1.0);
}
