//! One connection, from its first byte to its end: the parser, and the clock beside it.

use super::admission::Admission;
use super::answer::Outgoing;
use super::conversation::{Conversation, Stage};
use super::limits::{DEAF_AFTER, Limits, SLOW_AFTER};
use super::site::{Client, Site};
use super::stream::Watched;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The smallest buffer that the parser accepts, in bytes.
const BUFFER_BYTES_MIN: usize = 8192;

/// Serves the requests of one connection until the client or a limit ends it; once `stopping` turns
/// true, until the request in hand is answered.
pub(super) async fn converse<S>(
    stream: S,
    client: Client,
    site: Arc<Site>,
    admission: Arc<Admission>,
    mut stopping: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let conversation = Arc::new(Conversation::new());
    let mut stages = conversation.follow();
    let io = TokioIo::new(Watched::new(stream, conversation.clone()));
    let mut parser = pin!(parser(site.limits()).serve_connection(
        io,
        service_fn(|request| respond(site.clone(), client, conversation.clone(), request)),
    ));
    let mut is_stopping = false;
    let mut writing_since = None;
    loop {
        let stage = *stages.borrow_and_update();
        let since = match stage.is_writing() {
            true => *writing_since.get_or_insert_with(Instant::now),
            false => {
                writing_since = None;
                Instant::now()
            }
        };
        tokio::select! {
            biased;
            // Errors here are the client's: a reset, half a request.
            _ = parser.as_mut() => return,
            // A sender that is gone leaves the stage as it is; the parser goes on.
            Ok(()) = stages.changed() => {}
            () = expire(since, stage.limit(site.limits())) => {
                tracing::debug!(?stage, "connection cut for taking too long");
                return;
            }
            _ = stopping.wait_for(|stopping| *stopping), if !is_stopping => {
                is_stopping = true;
                parser.as_mut().graceful_shutdown();
            }
            () = admission.asked_to_leave(), if stage.may_leave() => {
                tracing::debug!(?stage, "connection closed to make room");
                return;
            }
            () = deaf(&admission, stage, since), if stage.is_writing() => {
                tracing::debug!(?stage, "connection closed to make room: its client reads too slowly");
                return;
            }
        }
    }
}

fn parser(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .max_buf_size(limits.header_bytes.max(BUFFER_BYTES_MIN))
        .max_header_size(limits.header_bytes)
        // Its clock would also cut idle connections; the conversation's stages have their own.
        .header_read_timeout(None)
        // A client may say that it is done sending and still wait for the answer.
        .half_close(true);
    builder
}

async fn respond(
    site: Arc<Site>,
    client: Client,
    conversation: Arc<Conversation>,
    request: Request<Incoming>,
) -> Result<hyper::Response<Outgoing>, Infallible> {
    conversation.begun();
    let answer = site.answer(request, client, &conversation).await;
    Ok(answer.map(|data| Outgoing::new(data, conversation)))
}

async fn expire(since: Instant, limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep_until(since + limit).await,
        None => pending().await,
    }
}

/// Resolves when a client that takes nothing, or is slow, has to make room. `since`: the beginning of the answer.
async fn deaf(admission: &Admission, stage: Stage, since: Instant) {
    let slow = since + SLOW_AFTER;
    let deaf = if stage == Stage::Blocked { slow.min(Instant::now() + DEAF_AFTER) } else { slow };
    sleep_until(deaf).await;
    admission.asked_to_give_up().await;
}
