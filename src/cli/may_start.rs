//! `offhours may-start`: whether a run may start, with every reason, and when it may.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use tokio::runtime::Runtime;

use super::ask::{self, PeerArgs, RunArgs};
use super::table::clean;
use super::{ConfigArg, FINE, FOUND, Failure, Outcome, StorageArg, UNASKED, failed, print, usage};
use crate::app::questions::Questions;
use crate::app::shared::Refusal;
use crate::clock;
use crate::config::Peer;
use crate::http::Inquiry;
use crate::ledger::{Draft, Evidence};
use crate::report::may_start::AnswerReport;
use crate::store::{Commit, Store, StoreError};

/// How long the ledger may be in use by others that do not answer, and how often it is tried.
const LOCKED_PATIENCE: Duration = Duration::from_secs(5);
const LOCKED_PAUSE: Duration = Duration::from_millis(20);

#[derive(Args)]
#[command(after_help = "Examples:
  offhours may-start --partner hostco --procedure archive-compaction --trigger schedule
  offhours may-start --partner hostco --procedure index-rebuild --for 2h --at 2026-03-10T22:00:00Z
  offhours may-start --partner hostco --procedure storage-failover --change CHG0031315 || exit
  offhours may-start --url https://offhours.example:11310 --partner hostco --procedure index-rebuild

Exit codes: 0 it may, 1 it may not, 2 wrong usage or configuration, 3 there was no answer.")]
pub struct Options {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    storage: StorageArg,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    peer: PeerArgs,
    /// When it is to start, RFC 3339; default: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub fn run(options: &Options) -> Outcome {
    let inquiry = Inquiry { at: options.at.clone(), ..options.run.inquiry() };
    let peer = options.peer.peer().map_err(usage)?;
    let dir = &options.storage.storage;
    if peer.is_none() && !dir.join("ledger.db").is_file() {
        return Err(usage(format!(
            "{}: there is no ledger here; --storage.path says where it is",
            dir.display()
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let answer = answer(&runtime, options, peer.as_ref(), &inquiry);
    // A question that hangs must not hold up the exit.
    runtime.shutdown_background();
    let answer = answer?;
    match options.format {
        Format::Text => print(|out| write_text(out, &answer))?,
        Format::Json => print(|out| writeln!(out, "{}", serde_json::to_string(&answer)?))?,
    }
    Ok(if answer.may_start { FINE } else { FOUND })
}

/// Asks the running offhours, or the ledger if none runs.
fn answer(
    runtime: &Runtime,
    options: &Options,
    peer: Option<&Arc<Peer>>,
    inquiry: &Inquiry,
) -> Result<AnswerReport, Failure> {
    let since = Instant::now();
    loop {
        let asked = runtime.block_on(ask::ask(peer, &options.storage, inquiry));
        if let Some(answer) = asked.map_err(refused)? {
            return Ok(answer);
        }
        match Store::open(&options.storage.storage) {
            Ok(store) => return alone(inquiry, store, &options.config)?.map_err(refused),
            // Another question, or a serve that starts and will answer through its socket.
            Err(StoreError::Locked { .. }) if since.elapsed() < LOCKED_PATIENCE => {
                std::thread::sleep(LOCKED_PAUSE);
            }
            Err(error) => return Err(unasked(error)),
        }
    }
}

fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Wrong(why) => usage(why),
        Refusal::TooMany(why) | Refusal::Unavailable(why) => unasked(why),
    }
}

/// There was no answer: neither yes nor no.
fn unasked(message: impl ToString) -> Failure {
    Failure { code: UNASKED, message: message.to_string() }
}

/// The lines for people. They may come from another machine: nothing in them drives a terminal.
pub fn write_text(out: &mut dyn std::io::Write, answer: &AnswerReport) -> std::io::Result<()> {
    answer.text.lines().try_for_each(|line| writeln!(out, "{}", clean(line)))
}

/// Answers from the ledger as it was left, and puts the question on record there.
fn alone(
    inquiry: &Inquiry,
    mut store: Store,
    config: &ConfigArg,
) -> Result<Result<AnswerReport, Refusal>, Failure> {
    let config = config.load().map_err(usage)?;
    let mut draft = Draft::new(store.load().map_err(failed)?, Evidence::Readings);
    let from = format!("this machine, user id {}", rustix::process::getuid().as_raw());
    let now = clock::now();
    let mut questions = Questions::default();
    let answer = questions.ask(&mut draft, &config.policy, (inquiry, &from), now);
    let commit = Commit { entries: draft.drain(), ..Commit::default() };
    if !commit.entries.is_empty() {
        store.commit(&commit).map_err(unasked)?;
    }
    super::say(
        "no offhours runs here: this is the answer of the ledger as it was left, and what was written to the logs since then is not in it",
    );
    Ok(answer)
}
