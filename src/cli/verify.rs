//! `offhours verify`: whether the ledger is what was written, and every final verdict what the rules say.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::ask::timeout;
use super::fold::Hang;
use super::progress::Progress;
use super::{
    FINE, FOUND, Failure, Outcome, StorageArg, UNASKED, back, failed, print, print_folded, usage,
};
use crate::app::verify::{self, Verified};
use crate::app::witness::{self, Silence, Testimony};
use crate::clock;
use crate::config::{Peer, Tls, Url};
use crate::report::plain::clean;
use crate::store::{Reader, StoreError};
use crate::time::Instant;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours verify --storage.path /var/lib/offhours
  offhours verify --against-prometheus http://localhost:9090
  offhours verify --against-prometheus http://localhost:9090 --instance offhours:11310 --since 90d

Exit codes: 0 intact, 1 something was changed, 2 wrong usage, 3 no answer from Prometheus.")]
pub struct Options {
    #[command(flatten)]
    storage: StorageArg,
    /// Compare the ledger with what this Prometheus scraped: only this finds entries that are missing at the end.
    #[arg(long, value_name = "URL")]
    against_prometheus: Option<String>,
    /// Value of the label `instance` in Prometheus.
    #[arg(long, value_name = "NAME", requires = "against_prometheus")]
    instance: Option<String>,
    /// Compare from this time on: RFC 3339, or a duration back from now.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = back, requires = "against_prometheus")]
    since: Instant,
    /// How long to wait for an answer of Prometheus.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = timeout)]
    timeout: Duration,
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    /// One object.
    Json,
}

#[derive(serde::Serialize)]
struct Report {
    whole: bool,
    #[serde(flatten)]
    verified: Verified,
    /// What Prometheus saw differently; missing: it was not asked, or gave no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    prometheus: Option<Vec<String>>,
}

pub fn run(options: &Options) -> Outcome {
    // Before the ledger is opened: what was seen until now is there then, also of one that is written to.
    let testimony =
        options.against_prometheus.as_deref().map(|url| ask(url, options)).transpose()?;
    let reader = match Reader::open(&options.storage.storage) {
        Ok(reader) => reader,
        Err(error @ StoreError::Missing { .. }) => return Err(usage(error)),
        Err(error) => return Err(failed(error)),
    };
    let heights = match &testimony {
        Some(Ok(testimony)) => testimony.heights(),
        _ => BTreeSet::new(),
    };
    let bar = Progress::count(reader.height(), "verifying");
    let verified = verify::verify(&reader, &heights, |n| bar.advance(n));
    drop(bar);
    let seen = testimony.as_ref().and_then(|asked| asked.as_ref().ok());
    let prometheus = seen.map(|seen| seen.against(verified.height, &verified.heads));
    let agrees = prometheus.as_ref().is_none_or(Vec::is_empty);
    let report = Report { whole: verified.is_whole() && agrees, verified, prometheus };
    match options.format {
        Format::Text => print_folded(Hang::UnderText, |out| write_text(out, &report))?,
        Format::Json => print(|out| writeln!(out, "{}", serde_json::to_string(&report)?))?,
    }
    match testimony {
        Some(Err(why)) if report.whole => {
            Err(Failure { code: UNASKED, message: clean(&why).into() })
        }
        Some(Err(why)) => Err(failed(clean(&why))),
        _ => Ok(if report.whole { FINE } else { FOUND }),
    }
}

/// What Prometheus says; the inner error: it says nothing.
fn ask(url: &str, options: &Options) -> Result<Result<Testimony, String>, Failure> {
    let url = Url::parse(url).map_err(|why| {
        usage(format!("--against-prometheus: {why}; accepted is such as http://localhost:9090"))
    })?;
    let peer = Peer { url, timeout: options.timeout, tls: Tls::default(), basic_auth: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let instance = options.instance.as_deref();
    let times = (options.since, clock::now());
    let asked = runtime.map_err(failed)?.block_on(witness::ask(&Arc::new(peer), instance, times));
    match asked {
        Ok(testimony) => Ok(Ok(testimony)),
        Err(Silence::Several(names)) => Err(usage(Silence::Several(clean(&names).into()))),
        Err(silence) => Ok(Err(silence.to_string())),
    }
}

fn write_text(out: &mut dyn io::Write, report: &Report) -> io::Result<()> {
    let v = &report.verified;
    match (&v.fault, v.height) {
        (_, 0) => writeln!(out, "no entry is whole")?,
        (_, 1) => writeln!(out, "entry 1 is whole, the head is {}", v.head)?,
        (_, height) => writeln!(out, "entries 1 to {height} are whole, the head is {}", v.head)?,
    }
    if let Some(fault) = &v.fault {
        writeln!(out, "entry {} is bad: {}", fault.entry, clean(&fault.what))?;
        writeln!(out, "what comes after it was not looked at")?;
    }
    writeln!(
        out,
        "{} runs, {} of them final, {} of those judged again",
        v.runs, v.sealed, v.judged
    )?;
    for (digest, (runs, why)) in &v.not_at_hand {
        writeln!(out, "not judged again: {runs} by policy {}: {}", clean(digest), clean(why))?;
    }
    for wrong in &v.wrong {
        writeln!(out, "run {} is bad: {}", wrong.run, clean(&wrong.what))?;
    }
    if 0 < v.more_wrong {
        writeln!(out, "and {} more", v.more_wrong)?;
    }
    for what in &v.wrong_policies {
        writeln!(out, "{}", clean(what))?;
    }
    if let Some(what) = &v.wrong_file {
        writeln!(out, "the file of the ledger is damaged: {}", clean(what))?;
    }
    match &report.prometheus {
        None => {}
        Some(told) if told.is_empty() => writeln!(out, "Prometheus saw the same")?,
        Some(told) => told.iter().try_for_each(|what| writeln!(out, "{what}"))?,
    }
    match report.whole {
        true => writeln!(out, "the ledger is whole"),
        false => writeln!(out, "the ledger is NOT whole"),
    }
}
