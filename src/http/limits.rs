//! Every limit of the server, by name.

use std::time::Duration;

/// The longest request target accepted, in bytes; longer ones get a 414.
pub(super) const URL_BYTES: usize = 8 * 1024;

/// How long the closing of a connection waits for a client that is still sending, so that it can
/// read why it was refused (a socket closed over unread bytes resets and takes the answer along).
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// How many bytes of such a client are read and thrown away while lingering.
pub(super) const LINGER_BYTES: usize = 256 * 1024;

/// Pause before accepting again after the system refused (out of file descriptors or memory).
pub(super) const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// What the system takes off our hands for one connection beyond what its client lets it send, in bytes.
pub(super) const UNSENT_BYTES: u32 = 64 * 1024;

/// After so long without taking a byte a client does not read, and makes room if others need it.
pub(super) const DEAF_AFTER: Duration = Duration::from_millis(100);

/// After so long a client that is still not done reading makes room as well.
pub(super) const SLOW_AFTER: Duration = Duration::from_secs(5);

/// Answers up to this size are not counted: each connection may have one.
pub(super) const SMALL_BYTES: usize = 16 * 1024;

/// What a client may ask of the server, in time and in space.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From the first byte of a request's head to its last.
    pub header_read: Duration,
    /// From the connect to the first byte of the first request; with TLS, from the end of the handshake.
    pub accept: Duration,
    /// The whole TLS handshake, from the connect on.
    pub handshake: Duration,
    /// From one answer to the first byte of the next request. Separate from `header_read`, and above
    /// every usual scrape interval, so that a scraper keeps its connection.
    pub idle: Duration,
    /// Open connections. When all are taken, the one that has waited longest for a request is closed
    /// and further connects wait in the backlog.
    pub connections: usize,
    /// Expositions, pages and lists, and questions that are answered at the same time. Each kind has places of its
    /// own; further requests wait within their `request` time.
    pub scrapes: usize,
    pub pages: usize,
    pub questions: usize,
    /// So many requests of a kind wait for such a place; others are refused (503).
    pub waiting: usize,
    /// Expositions, and pages and lists, that are made and not yet read, in bytes; what several read counts once.
    pub unread_bytes: usize,
    /// A request's head, in bytes (431).
    pub header_bytes: usize,
    /// A request's body, in bytes (413).
    pub body_bytes: usize,
    /// From the end of a request's head to the end of its body (408).
    pub body: Duration,
    /// Each of: making an answer (503), writing it (cut).
    pub request: Duration,
    /// From the shutdown to the moment at which unfinished answers are cut.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            header_read: Duration::from_secs(10),
            accept: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            connections: 512,
            scrapes: 2,
            pages: 2,
            questions: 8,
            waiting: 64,
            unread_bytes: 32 << 20,
            header_bytes: 16 * 1024,
            body_bytes: 64 * 1024,
            body: Duration::from_secs(10),
            request: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}
