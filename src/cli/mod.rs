//! The commands, one file each, and what they share.

mod against;
mod ask;
mod check_config;
mod explain;
mod fold;
mod guard;
mod log;
mod may_start;
mod phase;
pub mod progress;
mod rejected;
mod replay;
mod report;
mod runs;
mod serve;
mod sign_off;
pub mod table;
mod test_line;
mod verify;
mod windows;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{Args, CommandFactory, Parser, Subcommand};

use self::fold::{Hang, fold};
use crate::app::backend::since;
use crate::calendar::civil::tzdb_version;
use crate::calendar::holidays;
use crate::clock;
use crate::config::{self, Config};
use crate::time::Instant;

/// Exit codes that scripts can rely on.
pub const FINE: u8 = 0;
/// Something was found, or could not be done.
pub const FOUND: u8 = 1;
/// Wrong usage or configuration, or a file that cannot be read.
pub const USAGE: u8 = 2;
/// Somebody was to be asked and gave no answer.
pub const UNASKED: u8 = 3;

/// Judges maintenance runs against what was agreed.
#[derive(Parser)]
#[command(name = "offhours", version, long_version = long_version(), max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 fine, 1 found or failed, 2 wrong usage or configuration, 3 no answer."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Follow the logs, judge every run, keep the verdicts, export them to Prometheus.
    Serve(serve::Options),
    /// Judge finished logs and print their runs.
    Replay(replay::Options),
    /// Check a configuration and print how it was understood.
    CheckConfig(check_config::Options),
    /// Show how a line is read: the event it becomes, or why it is not one.
    TestLine(test_line::Options),
    /// Ask whether a run may start, and if not, when it may.
    MayStart(Box<may_start::Options>),
    /// Run a command only if it may start, and log its start and end.
    Guard(Box<guard::Options>),
    /// Log a phase of a run, from inside a command that guard started.
    Phase(phase::Options),
    /// List upcoming windows, freezes, business hours and changes.
    Windows(windows::Options),
    /// List the runs on record.
    Runs(runs::Options),
    /// Show the full case of one run.
    Explain(explain::Options),
    /// Write the monthly report for the service review, or the timeline of one run.
    Report(report::Options),
    /// Acknowledge a violation, so that it stops paging.
    Ack(sign_off::AckOptions),
    /// Approve an emergency after the fact.
    Approve(sign_off::ApproveOptions),
    /// List the lines that could not be read.
    Rejected(rejected::Options),
    /// Check that the ledger was not changed, and judge every final run again.
    Verify(verify::Options),
    /// Print shell completions.
    #[command(after_help = "Examples:
  offhours completions bash > /etc/bash_completion.d/offhours
  source <(offhours completions bash)     for this shell only")]
    Completions {
        /// The shell to complete for.
        shell: clap_complete::Shell,
    },
}

/// Which configuration.
#[derive(Args, Clone)]
struct ConfigArg {
    /// The configuration file.
    #[arg(
        long = "config.file",
        value_name = "FILE",
        default_value = "offhours.yml",
        env = "OFFHOURS_CONFIG_FILE",
        hide_env_values = true
    )]
    config_file: PathBuf,
}

impl ConfigArg {
    fn load(&self) -> Result<Config, String> {
        config::load(&self.config_file, clock::now()).map_err(|error| self.told(error))
    }

    /// What is wrong with the file, and if there is none, which option names it.
    fn told(&self, error: impl std::fmt::Display) -> String {
        match self.config_file.exists() {
            true => error.to_string(),
            false => format!("{error}; --config.file says where it is"),
        }
    }
}

/// Which ledger.
#[derive(Args, Clone)]
struct StorageArg {
    /// Folder that holds the ledger.
    #[arg(
        long = "storage.path",
        value_name = "DIR",
        default_value = "data",
        env = "OFFHOURS_STORAGE_PATH",
        hide_env_values = true
    )]
    storage: PathBuf,
}

fn long_version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(version_text);
    &TEXT
}

fn version_text() -> String {
    format!(
        "{} ({})\nbuilt with {}\ntime zones: tzdb {}\npublic holidays: {}, {} to {}",
        env!("CARGO_PKG_VERSION"),
        env!("OFFHOURS_REVISION"),
        env!("OFFHOURS_RUSTC"),
        tzdb_version(),
        holidays::TABLE_VERSION,
        holidays::YEARS.start(),
        holidays::YEARS.end(),
    )
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let code = match Cli::parse().command {
        Command::Serve(options) => serve::run(options),
        Command::Replay(options) => replay::run(&options),
        Command::CheckConfig(options) => check_config::run(&options),
        Command::TestLine(options) => test_line::run(&options),
        Command::MayStart(options) => may_start::run(&options),
        Command::Guard(options) => guard::run(&options),
        Command::Phase(options) => phase::run(&options),
        Command::Windows(options) => windows::run(&options),
        Command::Runs(options) => runs::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Ack(options) => sign_off::acknowledge(&options),
        Command::Approve(options) => sign_off::approve(&options),
        Command::Rejected(options) => rejected::run(&options),
        Command::Verify(options) => verify::run(&options),
        Command::Completions { shell } => {
            let mut out = std::io::stdout();
            clap_complete::generate(shell, &mut Cli::command(), "offhours", &mut out);
            Ok(FINE)
        }
    };
    match code {
        Ok(code) => ExitCode::from(code),
        Err(Failure { code, message }) => {
            say(message.trim_end());
            ExitCode::from(code)
        }
    }
}

/// Why a command could not do its work.
struct Failure {
    code: u8,
    message: String,
}

type Outcome = Result<u8, Failure>;

/// Wrong usage or configuration, or something that cannot be read.
fn usage(message: impl ToString) -> Failure {
    Failure { code: USAGE, message: message.to_string() }
}

/// It could not be done.
fn failed(message: impl ToString) -> Failure {
    Failure { code: FOUND, message: message.to_string() }
}

/// Tells people on standard error. That nobody reads it, or that the disk behind it is full, ends no work and changes
/// no exit code, as `eprintln!` would by its panic.
fn say(text: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Tells a person who looks at a terminal that there is nothing to show. A script sees that by the empty output.
fn say_nothing_found(text: &str) {
    use std::io::IsTerminal as _;
    if std::io::stdout().is_terminal() {
        say(text);
    }
}

/// Writes to standard output; a reader that has gone away ends the command quietly.
fn print(
    write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match write(&mut out).and_then(|()| std::io::Write::flush(&mut out)) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(e) => Err(failed(format!("standard output: {e}"))),
        Ok(()) => Ok(()),
    }
}

/// Writes to standard output for a person: lines wider than the terminal are folded.
fn print_folded(
    hang: Hang,
    write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    // A pipe has no width, and its reader wants whole lines.
    let stdout = std::io::stdout();
    let size = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok()).flatten();
    let Some(width) = size.map(|size| usize::from(size.ws_col)).filter(|width| 0 < *width) else {
        return print(write);
    };
    let mut text = Vec::new();
    write(&mut text).map_err(failed)?;
    let folded = fold(&String::from_utf8_lossy(&text), width, hang);
    print(|out| out.write_all(folded.as_bytes()))
}

/// An instant given as RFC 3339.
fn instant(text: &str) -> Result<Instant, String> {
    let at = chrono::DateTime::parse_from_rfc3339(text);
    at.map(|t| t.to_utc()).map_err(|_| {
        format!("{text:?} is not a time; accepted is RFC 3339, such as 2025-11-10T13:10:00Z")
    })
}

/// What [`since`] reads, back from now.
fn back(text: &str) -> Result<Instant, String> {
    since(text, clock::now())
}

/// The source of a configuration that reads a file of this name: the one whose patterns match it, else the
/// only one.
fn source_for<'c>(
    config: &'c Config,
    path: &Path,
    named: Option<&str>,
) -> Result<&'c config::Source, String> {
    let names = || config.sources.iter().map(|s| &*s.name).collect::<Vec<_>>().join(", ");
    if let Some(name) = named {
        let found = config.sources.iter().find(|s| &*s.name == name);
        return found.ok_or_else(|| format!("there is no source {name:?}; there are {}", names()));
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let fits = |s: &&config::Source| {
        s.patterns.iter().any(|p| crate::tail::Pattern::parse(p).is_ok_and(|p| p.fits(&absolute)))
    };
    let by_name = |s: &&config::Source| {
        let parse = |p: &String| crate::tail::Pattern::parse(p).ok();
        let name = path.file_name().unwrap_or_default();
        s.patterns.iter().filter_map(parse).any(|p| p.fits_name(name))
    };
    let full: Vec<&config::Source> = config.sources.iter().filter(fits).collect();
    let found = match full.is_empty() {
        true => config.sources.iter().filter(by_name).collect(),
        false => full,
    };
    match (found.as_slice(), config.sources.as_slice()) {
        ([one], _) => Ok(one),
        ([], [only]) => Ok(only),
        ([], []) => Err("the configuration has no sources".into()),
        _ => Err(format!(
            "{}: which source reads it? say --source NAME; there are {}",
            path.display(),
            names()
        )),
    }
}
