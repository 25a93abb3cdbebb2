//! Answers: how they are dressed, and how they are written where the parser had no request to answer.

use super::conversation::Conversation;
use super::problem::{PROBLEM_TYPE, Problem};
use crate::report::style::POLICY;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The media type of the exposition; Prometheus 3 refuses a scrape without one.
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) const TEXT_TYPE: &str = "text/plain; charset=utf-8";
const HTML_TYPE: &str = "text/html; charset=utf-8";
pub(super) const CALENDAR_TYPE: &str = "text/calendar; charset=utf-8";
pub(super) const JSON_TYPE: &str = "application/json";

/// Text from partners' logs ends up in a browser: nothing there may load, run, frame or send
/// anything, or stay in a cache.
const ALWAYS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// An answer whose body is in memory.
pub(super) type Answer = Response<Bytes>;

/// 200 with a body.
pub(super) fn ok(media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    with_status(StatusCode::OK, media_type, body.into())
}

/// 200 with a page, which may be shown in its own style.
pub(super) fn page(html: String) -> Answer {
    let mut answer = ok(HTML_TYPE, html);
    let policy = format!("{}; frame-ancestors 'none'", *POLICY);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

/// The problem as an answer.
pub(super) fn problem(problem: &Problem) -> Answer {
    with_status(problem.status, PROBLEM_TYPE, problem.json().into())
}

/// The same answer, after which the connection is closed.
pub(super) fn closing(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// The whole answer as it goes over the wire, for where the parser gave up before there was a
/// request. The connection is closed after it.
pub(super) fn to_wire(answer: Answer) -> Vec<u8> {
    let answer = closing(answer);
    let mut wire = format!("HTTP/1.1 {}\r\n", answer.status()).into_bytes();
    for (name, value) in answer.headers() {
        wire.extend_from_slice(name.as_str().as_bytes());
        wire.extend_from_slice(b": ");
        wire.extend_from_slice(value.as_bytes());
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(format!("content-length: {}\r\n\r\n", answer.body().len()).as_bytes());
    wire.extend_from_slice(answer.body());
    wire
}

fn with_status(status: StatusCode, media_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.extend(ALWAYS);
    answer
}

/// A body that tells the conversation when the writer is done taking it.
#[derive(Debug)]
pub(super) struct Outgoing {
    data: Option<Bytes>,
    conversation: Arc<Conversation>,
}

impl Outgoing {
    pub(super) fn new(data: Bytes, conversation: Arc<Conversation>) -> Outgoing {
        Outgoing { data: Some(data).filter(|data| !data.is_empty()), conversation }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.conversation.writing();
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}
