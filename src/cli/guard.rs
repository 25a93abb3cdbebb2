//! `offhours guard`: runs a command only if it may start, and tells of its run in a log that offhours reads.

mod child;
mod journal;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::time::sleep;

use self::child::Signals;
pub use self::journal::Journal;
use super::ask::{self, PeerArgs, RunArgs, timeout};
use super::may_start::write_text;
use super::table::clean;
use super::{Failure, Outcome, StorageArg, usage};
use crate::app::shared::Refusal;
use crate::clock;
use crate::config::Peer;
use crate::http::Inquiry;
use crate::report::may_start::AnswerReport;
use crate::time::Instant;

/// It may not start.
const REFUSED: u8 = 121;
/// There was no answer, and so it was not started.
const UNANSWERED: u8 = 122;
/// The guard itself cannot do its work; nothing was started.
const BROKEN: u8 = 125;
/// The command cannot be executed.
const NOT_EXECUTABLE: u8 = 126;
/// There is no such command.
const NOT_FOUND: u8 = 127;

/// The file to which the command may append lines about its run.
pub const LOG_ENV: &str = "OFFHOURS_GUARD_LOG";
/// The id of the run.
pub const RUN_ENV: &str = "OFFHOURS_GUARD_RUN";

/// While it waits, it asks again at the time that it was told, and at least this often: a change may be confirmed.
const ASK_AGAIN: Duration = Duration::from_secs(300);
/// But not more often than this: the clock of whoever answers may be behind ours.
const ASK_AGAIN_LEAST: Duration = Duration::from_secs(1);
/// While it waits and there is no answer, it asks again this often.
const TRY_AGAIN: Duration = Duration::from_secs(15);

#[derive(Args)]
#[command(after_help = "Examples:
  offhours guard --partner hostco --procedure index-rebuild --log guard.log -- /opt/rebuild --all
  offhours guard --wait=8h --for 2h --partner hostco --procedure copy --log guard.log -- make
  offhours guard --url https://offhours.example:11310 --if-unreachable start ... -- COMMAND
  offhours guard --override --by 'on-call' --reason 'INC-2041: disk is failing' ... -- COMMAND

Exit codes: that of the command, or 128+N if signal N ended it; 121 it may not start, 122 no answer, \
125 guard itself failed, 126 the command cannot be executed, 127 there is no such command, 2 wrong usage.")]
pub struct Options {
    #[command(flatten)]
    storage: StorageArg,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    peer: PeerArgs,
    /// Log to which the lines of the run are appended: a source of offhours with `format: logfmt`.
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// Id of the run; default: a new one.
    #[arg(long, value_name = "ID", value_parser = ask::name)]
    run_id: Option<String>,
    /// Wait until it may start, but at most for DURATION.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, value_parser = timeout)]
    wait: Option<Option<Duration>>,
    /// What to do if there is no answer.
    #[arg(long, value_name = "WHAT", default_value = "refuse")]
    if_unreachable: IfUnreachable,
    /// Start it anyway; --by and --reason are recorded.
    #[arg(long = "override", requires = "by", requires = "reason")]
    overriding: bool,
    /// Why it is started anyway.
    #[arg(long, value_name = "TEXT", requires = "overriding", value_parser = ask::text)]
    reason: Option<String>,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IfUnreachable {
    /// Fail closed: do not start it.
    Refuse,
    /// Fail open: start it, and say so in the log.
    Start,
}

/// What the command is started on.
enum Leave {
    /// The answer was yes.
    Given,
    /// It was no, or there was none; the words are for the log.
    Taken(String),
}

pub fn run(options: &Options) -> Outcome {
    let broken = |error: std::io::Error| Failure { code: BROKEN, message: error.to_string() };
    let peer = options.peer.peer().map_err(usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(broken)?;
    let code = runtime.block_on(async {
        let signals = Signals::catch().map_err(broken)?;
        Guard { options, peer, signals }.guard().await
    });
    // A question that hangs must not hold up the exit.
    runtime.shutdown_background();
    code
}

struct Guard<'a> {
    options: &'a Options,
    peer: Option<Arc<Peer>>,
    signals: Signals,
}

impl Guard<'_> {
    async fn guard(mut self) -> Outcome {
        let leave = match self.leave().await {
            Ok(leave) => leave,
            Err(failure) => return Err(failure),
        };
        let journal = self.journal();
        let broken = |message| Failure { code: BROKEN, message };
        // Before the command: a run that nobody can see must not begin.
        journal.tell("started", &[]).map_err(broken)?;
        if let Leave::Taken(why) = &leave {
            say(why);
            journal.tell("phase", &[("phase", why)]).unwrap_or_else(|error| say(&error));
        }
        self.carry_out(&journal).await
    }

    async fn carry_out(&mut self, journal: &Journal) -> Outcome {
        let log = std::path::absolute(&journal.log).unwrap_or_else(|_| journal.log.clone());
        let environment = [(LOG_ENV, log.as_os_str()), (RUN_ENV, journal.run_id.as_ref())];
        let mut child = match child::start(&self.options.command, &environment) {
            Ok(child) => child,
            Err(error) => {
                let code = match error.kind() {
                    std::io::ErrorKind::NotFound => NOT_FOUND,
                    _ => NOT_EXECUTABLE,
                };
                let command = self.options.command.first().cloned().unwrap_or_default();
                let message = format!("{}: {error}", command.to_string_lossy());
                let told = journal.tell("aborted", &[("outcome", "not started")]);
                told.unwrap_or_else(|error| say(&error));
                return Err(Failure { code, message });
            }
        };
        let (event, outcome, code) = match child::wait(&mut child, &mut self.signals).await {
            Ok(status) => child::ended(status),
            Err(error) => ("aborted", error.to_string(), BROKEN),
        };
        // Its work is done, whatever becomes of the line.
        journal.tell(event, &[("outcome", &outcome)]).unwrap_or_else(|error| say(&error));
        Ok(code)
    }

    fn journal(&self) -> Journal {
        let (options, run) = (self.options, &self.options.run);
        let made = || {
            let now = clock::now().format("%Y%m%dT%H%M%S%3f");
            format!("{}-{now}-{}", run.procedure, std::process::id())
        };
        let named = [
            ("procedure", Some(run.procedure.clone())),
            ("service", run.service.clone()),
            ("change_id", run.change.clone()),
            ("trigger", run.trigger.clone()),
        ];
        Journal {
            log: options.log.clone(),
            run_id: options.run_id.clone().unwrap_or_else(made),
            names: named.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
        }
    }

    fn inquiry(&self) -> Inquiry {
        let run = &self.options.run;
        let over = |text: &Option<String>| text.clone().filter(|_| self.options.overriding);
        Inquiry {
            override_by: over(&run.by),
            override_reason: over(&self.options.reason),
            ..run.inquiry()
        }
    }

    /// Asks, and waits as it is told, until it is clear whether the command is started.
    async fn leave(&mut self) -> Result<Leave, Failure> {
        let inquiry = self.inquiry();
        let patience = self.options.wait.map(|most| most.unwrap_or(Duration::MAX));
        let since = tokio::time::Instant::now();
        let mut told = None;
        loop {
            let asked = {
                let asking = ask::ask(self.peer.as_ref(), &self.options.storage, &inquiry);
                tokio::select! {
                    answer = asking => answer,
                    signal = self.signals.ending() => return Err(interrupted(signal)),
                }
            };
            let asked = asked.and_then(|answer| {
                let dir = self.options.storage.storage.display();
                let nobody =
                    format!("no offhours runs with the ledger in {dir}; --url asks another");
                answer.ok_or(Refusal::Unavailable(nobody))
            });
            let left = patience.map(|most| most.saturating_sub(since.elapsed()));
            let pause = match self.decide(asked, left)? {
                Next::Start(leave) => return Ok(leave),
                Next::Wait(pause, why) => {
                    if told.as_ref() != Some(&why) {
                        say(&why);
                        told = Some(why);
                    }
                    pause
                }
            };
            tokio::select! {
                () = sleep(pause.min(left.unwrap_or_default())) => {}
                signal = self.signals.ending() => return Err(interrupted(signal)),
            }
        }
    }

    /// What follows from an answer. `left`: how long it may still wait; `None`: it does not wait.
    fn decide(
        &self,
        asked: Result<AnswerReport, Refusal>,
        left: Option<Duration>,
    ) -> Result<Next, Failure> {
        let run = &self.options.run;
        let over = || {
            let (by, reason) = (run.by.as_deref(), self.options.reason.as_deref());
            format!("override by {}: {}", by.unwrap_or_default(), reason.unwrap_or_default())
        };
        match asked {
            Ok(answer) if answer.may_start => Ok(Next::Start(Leave::Given)),
            Ok(answer) if self.options.overriding => {
                show(&answer);
                Ok(Next::Start(Leave::Taken(over())))
            }
            Ok(answer) => {
                let next = answer.next_start.as_deref();
                let next = next.and_then(|next| super::instant(next).ok());
                if let Some(left) = left.filter(|left| !left.is_zero() && reaches(*left, next)) {
                    let until = answer.next_start.as_deref().unwrap_or("a change is confirmed");
                    let pause = pause_until(next).min(left);
                    return Ok(Next::Wait(
                        pause,
                        format!("{}  waiting until {until}", answer.text),
                    ));
                }
                show(&answer);
                Err(Failure { code: REFUSED, message: "not started: it may not".into() })
            }
            Err(Refusal::Wrong(why)) => Err(Failure { code: BROKEN, message: why }),
            Err(Refusal::TooMany(why) | Refusal::Unavailable(why)) => {
                if self.options.overriding {
                    return Ok(Next::Start(Leave::Taken(format!("{}; no answer: {why}", over()))));
                }
                if self.options.if_unreachable == IfUnreachable::Start {
                    let why = format!("started without an answer: {why}");
                    return Ok(Next::Start(Leave::Taken(why)));
                }
                if left.is_some_and(|left| !left.is_zero()) {
                    return Ok(Next::Wait(TRY_AGAIN, format!("no answer, trying again: {why}")));
                }
                let message = format!("not started, because there was no answer: {why}");
                Err(Failure { code: UNANSWERED, message })
            }
        }
    }
}

/// What a guard does next.
enum Next {
    Start(Leave),
    /// For so long, because of this.
    Wait(Duration, String),
}

/// Whether it can start before the patience is at its end; a change may still be confirmed.
fn reaches(left: Duration, next: Option<Instant>) -> bool {
    next.is_none() || until_then(next) <= left
}

/// How long it waits before it asks again.
fn pause_until(next: Option<Instant>) -> Duration {
    until_then(next).clamp(ASK_AGAIN_LEAST, ASK_AGAIN)
}

fn until_then(next: Option<Instant>) -> Duration {
    next.map_or(ASK_AGAIN, |next| (next - clock::now()).to_std().unwrap_or_default())
}

fn interrupted(signal: rustix::process::Signal) -> Failure {
    let signal = signal.as_raw();
    let message = format!("not started: signal {signal}");
    Failure { code: child::by_signal(signal), message }
}

fn show(answer: &AnswerReport) {
    // Whoever reads standard error may have gone.
    let _ = write_text(&mut anstream::stderr(), answer);
}

fn say(text: &str) {
    text.lines().for_each(|line| super::say(format_args!("offhours guard: {}", clean(line))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_has_come_is_not_asked_about_without_a_pause() {
        let now = clock::now();
        let hour = chrono::TimeDelta::hours(1);
        assert_eq!(pause_until(Some(now - hour)), ASK_AGAIN_LEAST);
        assert_eq!(pause_until(Some(now)), ASK_AGAIN_LEAST);
        assert_eq!(pause_until(Some(now + hour)), ASK_AGAIN);
        assert_eq!(pause_until(None), ASK_AGAIN);
    }
}
