//! The way in for the commands of a person on the same machine: a Unix socket in the folder of the ledger.
//!
//! Whoever may open that folder may acknowledge, approve and ask; the network may only ask. One request a connection:
//! a line of JSON in, a line of JSON out.

use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::app::shared::{Message, Refusal, Request, Shared};
use crate::http::Inquiry;
use crate::report::may_start::AnswerReport;

/// What may stand in the line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    MayStart(Box<Inquiry>),
    #[serde(untagged)]
    Request(Request),
}

/// The longest request or answer, in bytes.
const LINE_BYTES: u64 = 64 << 10;

/// So many are answered at the same time.
const CALLERS_MAX: usize = 64;

/// After a connection could not be accepted: there may be no descriptors for a while.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// How long a peer may take for its line.
const PATIENCE: Duration = Duration::from_secs(30);

/// The socket's address by way of an open folder: a socket's own path may have 107 bytes at most.
fn address(dir: &Path) -> std::io::Result<(File, PathBuf)> {
    let folder = File::open(dir)?;
    let path = format!("/proc/self/fd/{}/control.sock", folder.as_raw_fd());
    Ok((folder, path.into()))
}

/// Answers requests from now on, in a thread of its own, for as long as the process lives.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(shared: Arc<Shared>) -> std::io::Result<()> {
    let (_folder, path) = address(&shared.storage)?;
    // The lock of the ledger is ours, so what stands here was left behind.
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    let callers = Arc::new(());
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let thread = std::thread::Builder::new().name("control".into());
    thread.spawn(move || {
        // Ends never: a listener gives streams for ever.
        for stream in listener.incoming() {
            match stream {
                Ok(stream) => admit(stream, &shared, &callers),
                Err(error) => {
                    tracing::warn!(%error, "a control request cannot be accepted");
                    std::thread::sleep(ACCEPT_BACKOFF);
                }
            }
        }
    })?;
    Ok(())
}

/// Answers in a thread of its own, so that nobody waits for a peer that was stopped in the middle of its line, and many
/// questions share one commit. Beyond [`CALLERS_MAX`] the next one waits to be let in.
fn admit(stream: UnixStream, shared: &Arc<Shared>, callers: &Arc<()>) {
    let talk = |stream: &UnixStream, shared: &Shared| {
        if let Err(error) = answer(stream, shared) {
            tracing::warn!(%error, "a control request was cut off");
        }
    };
    if CALLERS_MAX < Arc::strong_count(callers) {
        return talk(&stream, shared);
    }
    let (of_thread, place) = (shared.clone(), callers.clone());
    let caller = std::thread::Builder::new().name("caller".into());
    let spawned = caller.spawn(move || {
        talk(&stream, &of_thread);
        drop(place);
    });
    if let Err(error) = spawned {
        // The peer sees its connection closed.
        tracing::warn!(%error, "a control request cannot be answered");
    }
}

fn answer(stream: &UnixStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES)).read_line(&mut line)?;
    let outcome = |outcome: Result<String, String>| serde_json::to_string(&outcome);
    let mut text = match serde_json::from_str(&line) {
        Ok(Line::Request(request)) => {
            outcome(shared.ask(|reply| Message::Request(request, reply)))?
        }
        Ok(Line::MayStart(inquiry)) => {
            serde_json::to_string(&shared.may_start(*inquiry, asker(stream)))?
        }
        Err(error) => outcome(Err(format!("not a request: {error}")))?,
    };
    text.push('\n');
    (&mut &*stream).write_all(text.as_bytes())
}

/// Who is at the other end, as the system knows it.
fn asker(stream: &UnixStream) -> String {
    match rustix::net::sockopt::socket_peercred(stream) {
        Ok(peer) => format!("this machine, user id {}", peer.uid.as_raw()),
        Err(_) => "this machine".into(),
    }
}

/// Asks the offhours that holds the ledger in `dir` whether a run may start; `None`: there is none.
///
/// # Errors
/// It is there and cannot be talked to.
pub fn may_start(
    dir: &Path,
    inquiry: &Inquiry,
) -> std::io::Result<Option<Result<AnswerReport, Refusal>>> {
    talk(dir, &Line::MayStart(Box::new(inquiry.clone())))
}

/// Asks the offhours that holds the ledger in `dir`; `None`: there is none.
///
/// # Errors
/// It is there and cannot be talked to.
pub fn ask(dir: &Path, request: &Request) -> std::io::Result<Option<Result<String, String>>> {
    talk(dir, &Line::Request(request.clone()))
}

fn talk<T: DeserializeOwned>(dir: &Path, line: &Line) -> std::io::Result<Option<T>> {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    let connected = address(dir).and_then(|(_folder, path)| UnixStream::connect(path));
    let stream = match connected {
        Ok(stream) => stream,
        Err(e) if matches!(e.kind(), NotFound | ConnectionRefused) => return Ok(None),
        Err(e) => return Err(e),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    (&mut &stream).write_all(text.as_bytes())?;
    let mut line = String::new();
    let read = BufReader::new((&stream).take(LINE_BYTES)).read_line(&mut line);
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => {
            std::io::Error::other(format!("no answer within {} s", PATIENCE.as_secs()))
        }
        _ => error,
    })?;
    Ok(Some(serde_json::from_str(&line)?))
}
