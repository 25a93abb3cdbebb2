//! The command itself: its start, the signals that are passed on to it, and how it ended.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::process::ignores;

/// Signals that are passed on.
const PASSED_ON: [Signal; 6] =
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// Signals that end a guard that has not started anything yet.
const ENDING: [Signal; 4] = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];

/// What others signal to this process.
pub struct Signals(UnboundedReceiver<Signal>);

impl Signals {
    /// Catches them from now on. What was ignored when the process began stays ignored, by the command as well.
    ///
    /// # Errors
    /// The system refuses.
    pub fn catch() -> std::io::Result<Signals> {
        let (sender, receiver) = unbounded_channel();
        for one in PASSED_ON.into_iter().filter(|one| !ignores(one.as_raw())) {
            let mut caught = signal(SignalKind::from_raw(one.as_raw()))?;
            let sender = sender.clone();
            tokio::spawn(async move {
                while caught.recv().await.is_some() && sender.send(one).is_ok() {}
            });
        }
        // A log that may not grow (`ulimit -f`) is then an error that is told, and not the end of the guard.
        let _ = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
        Ok(Signals(receiver))
    }

    /// Waits for the next one.
    async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }

    /// Waits for one that ends a program.
    pub async fn ending(&mut self) -> Signal {
        loop {
            let signal = self.next().await;
            if ENDING.contains(&signal) {
                return signal;
            }
        }
    }
}

/// Starts the command.
///
/// # Errors
/// It is not there, or may not be executed.
pub fn start(
    command: &[OsString],
    environment: &[(&str, &std::ffi::OsStr)],
) -> std::io::Result<Child> {
    let mut words = command.iter();
    let program = words.next().ok_or(std::io::ErrorKind::InvalidInput)?;
    Command::new(program).args(words).envs(environment.iter().copied()).spawn()
}

/// Waits for its end, and passes signals on meanwhile.
///
/// # Errors
/// The system does not say how it ended.
pub async fn wait(child: &mut Child, signals: &mut Signals) -> std::io::Result<ExitStatus> {
    loop {
        tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => pass_on(child, signal),
        }
    }
}

/// It is not waited for at the same time, so that its number is still its own.
fn pass_on(child: &Child, signal: Signal) {
    if is_from_keyboard(signal) {
        return;
    }
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(pid) = pid {
        // It may have ended just now.
        let _ = kill_process(pid, signal);
    }
}

/// A terminal tells every process in the foreground, the command as well: told twice, some give up what they
/// would tidy up.
fn is_from_keyboard(signal: Signal) -> bool {
    // The input may be a file; the terminal is still there.
    let is_in_foreground = || {
        let terminal = std::fs::File::open("/dev/tty");
        terminal.is_ok_and(|tty| tcgetpgrp(&tty).is_ok_and(|group| group == getpgrp()))
    };
    matches!(signal, Signal::INT | Signal::QUIT) && is_in_foreground()
}

/// How a command ended: the event, the outcome in words, and the exit code to pass on.
pub fn ended(status: ExitStatus) -> (&'static str, String, u8) {
    match (status.code(), status.signal()) {
        (Some(0), _) => ("finished", "exit 0".into(), 0),
        (Some(code), _) => {
            ("failed", format!("exit {code}"), u8::try_from(code).unwrap_or(u8::MAX))
        }
        (None, Some(signal)) => ("aborted", format!("signal {signal}"), by_signal(signal)),
        (None, None) => ("aborted", "unknown".into(), u8::MAX),
    }
}

/// What shells say of a command that a signal has ended.
pub fn by_signal(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}
