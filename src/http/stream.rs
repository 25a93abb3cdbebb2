//! The byte stream of one connection, watched: it notes when a head begins and when an answer is out,
//! and puts a proper problem in the place of the parser's bare errors.

use super::answer;
use super::conversation::Conversation;
use super::head::HeadScan;
use super::limits::{LINGER_BYTES, URL_BYTES};
use super::problem::Problem;
use hyper::StatusCode;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream under watch.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    conversation: Arc<Conversation>,
    scan: HeadScan,
    /// Our answer in place of the parser's, and how much of it is written.
    refusal: Option<(Vec<u8>, usize)>,
    is_shut: bool,
    drained_bytes: usize,
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S, conversation: Arc<Conversation>) -> Watched<S> {
        Watched {
            inner,
            conversation,
            scan: HeadScan::new(),
            refusal: None,
            is_shut: false,
            drained_bytes: 0,
        }
    }

    fn take_note(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.scan.feed(bytes);
        if self.scan.is_ambiguous() {
            self.conversation.set_ambiguous();
        }
        self.conversation.received();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.take_note(buf.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    /// Writes our refusal instead of `bytes`, and says that those are written once it is out.
    fn poll_refuse(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let scan = &self.scan;
        let (refusal, written) =
            self.refusal.get_or_insert_with(|| (refusal(status_of(bytes), scan), 0));
        while let Some(rest) = refusal.get(*written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.inner).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => *written += count,
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    /// Takes note of whether the client takes what we write.
    fn noted<T>(&self, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match poll.is_pending() {
            true => self.conversation.blocked(),
            false => self.conversation.moved(),
        }
        poll
    }

    /// Reads and forgets what a refused client still sends, up to a limit; the stage's time bounds
    /// the wait.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 8192];
        while self.drained_bytes < LINGER_BYTES {
            let mut buf = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => self.drained_bytes += buf.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Before there is a request to answer, only the parser has something to say: an error.
        if self.conversation.stage().awaits_request() {
            return self.poll_refuse(cx, bytes);
        }
        let poll = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.noted(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.conversation.stage().awaits_request() {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_refuse(cx, first.map_or(&[], |slice| slice));
        }
        let poll = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.noted(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_flush(cx);
        ready!(self.noted(poll))?;
        let is_mid_head = self.scan.is_mid_head();
        self.conversation.flushed(is_mid_head);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
            self.is_shut = true;
            self.conversation.closing();
        }
        if self.refusal.is_some() || self.scan.has_body() {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}

/// The status in the parser's answer, `HTTP/1.1 431 ...`.
fn status_of(bytes: &[u8]) -> StatusCode {
    let digits = bytes.get(9..12).unwrap_or_default();
    StatusCode::from_bytes(digits).unwrap_or(StatusCode::BAD_REQUEST)
}

fn refusal(status: StatusCode, scan: &HeadScan) -> Vec<u8> {
    let too_large = status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    // The parser calls any head too large that outgrows its buffer.
    let long_line = too_large && URL_BYTES < scan.request_line_bytes();
    let problem = if long_line || status == StatusCode::URI_TOO_LONG {
        Problem::new(StatusCode::URI_TOO_LONG, "the request line is too long")
    } else if too_large {
        Problem::new(status, "the head of the request is too large")
    } else {
        Problem::new(status, "the request is not well-formed HTTP")
    };
    answer::to_wire(answer::problem(&problem))
}
