//! Following files, the program as a whole: what only a real file system, a real rotation, or the limits of a real
//! machine can show. The cases carry the numbers of `docs/following.md`; more of them are beside `src/tail`.

mod cases;
mod catalog;
mod machine;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Server, eventually, folder, offhours, program, text};

const CONFIG: &str = "\
partners: { northhost: { timezone: UTC, windows: \"Mo-Su 22:00-05:00\" } }
sources:
  - name: logs
    partner: northhost
    files: [PATTERN]
    format: logfmt
    match: { key: msg, any: [\"maintenance task\"] }
    fields: { event: state, procedure: task, service: target, run_id: job }
";

/// A folder with logs and a configuration, a ledger, and what was written so far.
struct Home {
    folder: tempfile::TempDir,
    storage: tempfile::TempDir,
    /// Runs are numbered in the order of their writing.
    written: usize,
}

impl Home {
    /// The logs lie on the file system of the build: one in memory shows nothing, see [`catalog`].
    fn new(pattern: &str) -> Home {
        let (folder, storage) = (folder(), folder());
        assert_on_disk(folder.path());
        fs::create_dir(folder.path().join("logs")).expect("a folder");
        let config = CONFIG.replace("PATTERN", pattern);
        fs::write(folder.path().join("offhours.yml"), config).expect("a configuration");
        Home { folder, storage, written: 0 }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("offhours.yml")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    fn start(&self) -> Server {
        Server::start_in(&self.config(), self.storage.path())
    }

    fn start_by(&self, command: Command) -> Server {
        Server::start_by(command, &self.config(), self.storage.path())
    }

    /// Appends whole runs to a log that is opened for that.
    fn write(&mut self, name: &str, runs: usize) {
        let mut file = open(&self.path(name));
        self.write_to(&mut file, runs);
    }

    fn write_to(&mut self, file: &mut File, runs: usize) {
        let mut lines = String::new();
        for n in self.written..self.written + runs {
            lines += &run(n);
        }
        file.write_all(lines.as_bytes()).expect("lines");
        self.written += runs;
    }

    /// Waits until everything that was written is counted; it is on record once each.
    #[track_caller]
    fn expect_all(&self, server: &Server) {
        let lines = (2 * self.written) as f64;
        eventually(&format!("{lines} events are read"), || value(server, EVENTS) == lines);
        let seen = on_record(self.storage.path());
        assert_eq!(seen.len(), self.written, "{seen:?}");
        assert!(seen.values().all(|n| *n == 1), "{seen:?}");
    }
}

/// Both lines of a run, stamped now.
fn run(n: usize) -> String {
    let at = offhours::time::rfc3339(offhours::clock::now());
    let line = |state: &str| {
        format!("time={at} msg=\"maintenance task\" state={state} task=x job=K-{n} target=orion\n")
    };
    line("STARTED") + &line("FINISHED")
}

fn open(path: &Path) -> File {
    File::options().append(true).create(true).open(path).expect("the log")
}

/// How often each run is on record.
fn on_record(storage: &Path) -> BTreeMap<String, usize> {
    let path = storage.to_string_lossy();
    let runs = offhours(&["runs", "--storage.path", &path, "--format=json", "--limit=1000000"]);
    let mut seen = BTreeMap::new();
    for line in text(&runs.stdout).lines() {
        let run: serde_json::Value = serde_json::from_str(line).expect("an object");
        *seen.entry(run["run_id"].as_str().expect("an id").into()).or_default() += 1;
    }
    seen
}

const EVENTS: &str = "offhours_source_lines_total{source=\"logs\",outcome=\"event\"}";

fn value(server: &Server, series: &str) -> f64 {
    let page = server.get("/metrics").1;
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {page}")).parse().expect("a number")
}

fn counted(server: &Server, name: &str, label: &str) -> f64 {
    value(server, &format!("offhours_source_{name}_total{{source=\"logs\",{label}}}"))
}

/// All possible losses, whatever the reason.
fn losses(server: &Server) -> f64 {
    let page = server.get("/metrics").1;
    let lines = page.lines().filter(|l| l.starts_with("offhours_source_possible_loss_total{"));
    lines.filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// A file system in memory does not use inodes again: what is shown there holds nowhere else.
fn assert_on_disk(path: &Path) {
    const TMPFS_MAGIC: u64 = 0x0102_1994;
    let kind = rustix::fs::statfs(path).expect("a file system").f_type;
    assert_ne!(u64::try_from(kind), Ok(TMPFS_MAGIC), "{} lies in memory", path.display());
}

/// Says that a case cannot be made on this machine, and why.
fn cannot_be_made(case: &str, why: &str) {
    eprintln!("SKIPPED: case {case} cannot be made on this machine: {why}");
}

/// A shell that arranges something and then becomes the program.
fn shell(wrapper: &[&str], script: &str) -> Command {
    let of_program = program();
    let mut command = Command::new(wrapper.first().expect("a program"));
    command.args(wrapper.iter().skip(1)).args([
        "sh",
        "-c",
        &format!("{script}\nexec \"$@\""),
        "sh",
    ]);
    command.arg(of_program.get_program());
    command.env_remove("RUST_LOG").env("NO_COLOR", "1");
    command
}
