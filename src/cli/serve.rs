//! `offhours serve`: the exporter.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use super::log::Logfmt;
use super::progress::Progress;
use super::{ConfigArg, FINE, FOUND, Outcome, StorageArg, USAGE, failed, usage};
use crate::app::log_queue::LogQueue;
use crate::app::serve::{self, ServeError};
use crate::config::Url;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours serve
  offhours serve --config.file /etc/offhours/offhours.yml --storage.path /var/lib/offhours
  kill -HUP PID, or: curl -X POST localhost:11310/-/reload     load the configuration again")]
pub struct Options {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    storage: StorageArg,
    /// Address and port to listen on; `:PORT` is every address.
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = ":11310", value_parser = address)]
    listen: SocketAddr,
    /// File with TLS, client certificate and password settings, in the format of Prometheus' exporters.
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config_file: Option<PathBuf>,
    /// The URL under which others reach this offhours, such as that of a proxy: requests that put something on record
    /// are taken under its name.
    #[arg(long = "web.external-url", value_name = "URL", value_parser = url)]
    external_url: Option<Url>,
    /// A further name under which such requests are taken; may be given several times. Addresses in numbers,
    /// localhost, the machine's own name and those in the certificate always are.
    #[arg(long = "web.allowed-host", value_name = "NAME", value_parser = host)]
    allowed_hosts: Vec<String>,
    /// Minimum severity to log (error, warn, info, debug, trace), or a filter by module.
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info")]
    log_level: String,
    /// Format of the log on standard error.
    #[arg(long = "log.format", value_name = "FORMAT", default_value = "logfmt")]
    log_format: LogFormat,
    /// Only poll the files; do not use notifications of the file system.
    #[arg(long = "tail.poll-only")]
    poll_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// One record per line: `time=... level=... msg="..." key=value`.
    Logfmt,
    /// One object per line.
    Json,
}

/// How long the end of the program waits until its log is written.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The bar of the first catch-up, while there is one, and the bytes that it shows as read.
type Bar = Mutex<Option<(Progress, u64)>>;

/// `:11310`, `127.0.0.1:11310` or `[::1]:11310`.
fn address(text: &str) -> Result<SocketAddr, String> {
    let full = match text.strip_prefix(':') {
        Some(port) => format!("[::]:{port}"),
        None => text.replace("localhost:", "127.0.0.1:"),
    };
    full.parse().map_err(|_| "accepted are ADDRESS:PORT and :PORT".into())
}

fn url(text: &str) -> Result<Url, String> {
    let form = "accepted are http:// or https://, a host, and perhaps a port and a path";
    Url::parse(text).map_err(|why| format!("{why}; {form}"))
}

/// A name alone: which port was asked says nothing about who asks.
fn host(text: &str) -> Result<String, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    match !text.is_empty() && text.chars().all(is_name) {
        true => Ok(text.to_owned()),
        false => Err("accepted is a name without scheme and port, such as offhours.example".into()),
    }
}

pub fn run(options: Options) -> Outcome {
    let bar = Arc::new(Mutex::new(None));
    let log = log_to_stderr(&options, bar.clone())?;
    let progress = move |read: u64, left: u64| show(&bar, read, left);
    let served = serve::serve(serve::Options {
        config_file: options.config.config_file.clone(),
        storage: options.storage.storage,
        listen: options.listen,
        web_config_file: options.web_config_file,
        external_url: options.external_url,
        allowed_hosts: options.allowed_hosts,
        notify: !options.poll_only,
        progress: Box::new(progress),
    });
    // Whoever stops the program must not wait for somebody who does not read what it says.
    let is_read = log.drain(LAST_WORDS);
    match served {
        Ok(()) => Ok(FINE),
        Err(ServeError::Config(_)) if !is_read => Ok(USAGE),
        Err(_) if !is_read => Ok(FOUND),
        Err(error @ ServeError::Config(_)) => Err(usage(options.config.told(error))),
        Err(error) => Err(failed(format!("offhours cannot go on: {error}"))),
    }
}

/// A bar for the first catch-up, where there is enough to read that somebody may wait for it.
fn show(bar: &Bar, read: u64, left: u64) {
    const WORTH_A_BAR: u64 = 16 << 20;
    // The log has it while it writes, and may have to wait for whoever reads it.
    let Ok(mut bar) = bar.try_lock() else { return };
    if left == 0 {
        *bar = None;
        return;
    }
    if bar.is_none() && WORTH_A_BAR < left && std::io::stderr().is_terminal() {
        *bar = Some((Progress::bytes(read + left, "catching up"), 0));
    }
    if let Some((bar, shown)) = bar.as_mut() {
        bar.advance(read.saturating_sub(*shown));
        *shown = read;
    }
}

/// Lets the log go to standard error, through a queue.
fn log_to_stderr(options: &Options, bar: Arc<Bar>) -> Result<LogQueue, super::Failure> {
    let filter = EnvFilter::builder().parse(&options.log_level);
    let filter = filter.map_err(|e| usage(format!("--log.level {:?}: {e}", options.log_level)))?;
    let queue = LogQueue::new(move |record| write_aside(&bar, record)).map_err(failed)?;
    let writer = queue.clone();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || writer.clone())
        .with_ansi(AutoStream::choice(&std::io::stderr()) != ColorChoice::Never)
        .with_target(false)
        // It would be told by `eprintln!`, which panics: a full disk behind the log must not end the work.
        .log_internal_errors(false);
    match options.log_format {
        LogFormat::Logfmt => log.event_format(Logfmt).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(queue)
}

/// Writes a record to standard error, beside the bar. That it cannot be written, or the disk behind it is full, ends
/// no work.
fn write_aside(bar: &Bar, record: &[u8]) {
    let bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = match bar.as_ref() {
        Some((bar, _)) => bar.aside(|| std::io::stderr().write_all(record)),
        None => std::io::stderr().write_all(record),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_be_a_port_alone() {
        for (text, want) in [
            (":11310", Some("[::]:11310")),
            ("127.0.0.1:0", Some("127.0.0.1:0")),
            ("localhost:9", Some("127.0.0.1:9")),
            ("[::1]:80", Some("[::1]:80")),
            ("11310", None),
            ("nowhere", None),
            (":99999", None),
        ] {
            assert_eq!(address(text).ok().map(|a| a.to_string()).as_deref(), want, "{text}");
        }
    }
}
