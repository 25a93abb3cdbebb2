//! A backend that does as it is told, a server on a port of its own, and a client of raw bytes.

use crate::http::{
    Backend, Inquiry, Limits, Names, Problem, RunQuery, Web, WindowQuery, Windows, serve,
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What never comes in a test.
pub const NEVER: Duration = Duration::from_secs(3600);

/// What comes soon in a test, and is waited for through what it causes.
pub const SOON: Duration = Duration::from_millis(40);

/// How long a test waits for an event before it fails.
const DEADLINE: Duration = Duration::from_secs(20);

/// Limits of which none takes effect by itself.
pub fn lenient() -> Limits {
    Limits {
        header_read: NEVER,
        accept: NEVER,
        handshake: NEVER,
        idle: NEVER,
        request: NEVER,
        drain: NEVER,
        ..Limits::default()
    }
}

/// A barrier that blocks backend calls until it is opened or dropped.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub fn pass(&self) {
        let mut open = self.0.0.lock().unwrap();
        while !*open {
            open = self.0.1.wait(open).unwrap();
        }
    }
}

/// Opens the gate however the test ends, so that the runtime can end as well.
pub struct Opener(pub Gate);

impl Drop for Opener {
    fn drop(&mut self) {
        self.0.open();
    }
}

pub struct Fake {
    pub metrics: Result<String, Problem>,
    pub ready: Result<(), String>,
    pub reload: Result<(), String>,
    pub gate: Option<Gate>,
    /// The same for pages and questions.
    pub other_gate: Option<Gate>,
    /// Told of each call of `metrics` when it begins.
    pub entered: mpsc::UnboundedSender<()>,
    pub reloads: Arc<AtomicUsize>,
    pub inside: AtomicUsize,
    pub peak: Arc<AtomicUsize>,
}

impl Default for Fake {
    fn default() -> Fake {
        Fake {
            metrics: Ok("a_total 1\n".to_owned()),
            ready: Ok(()),
            reload: Ok(()),
            gate: None,
            other_gate: None,
            entered: mpsc::unbounded_channel().0,
            reloads: Arc::default(),
            inside: AtomicUsize::new(0),
            peak: Arc::default(),
        }
    }
}

impl Backend for Fake {
    fn metrics(&self) -> Result<String, Problem> {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(inside, Ordering::SeqCst);
        let _ = self.entered.send(());
        if let Some(gate) = &self.gate {
            gate.pass();
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
        self.metrics.clone()
    }

    fn healthy(&self) -> Result<(), String> {
        Ok(())
    }

    fn ready(&self) -> Result<(), String> {
        self.ready.clone()
    }

    fn reload(&self) -> Result<(), String> {
        self.reloads.fetch_add(1, Ordering::SeqCst);
        self.reload.clone()
    }

    fn status(&self) -> Result<String, Problem> {
        self.other_gate.iter().for_each(Gate::pass);
        Ok("<!doctype html><title>offhours</title>".to_owned())
    }

    fn case(&self, id: &str) -> Result<Option<String>, Problem> {
        Ok((id != "none").then(|| "<!doctype html><title>a case</title>".to_owned()))
    }

    fn runs(&self, query: &RunQuery) -> Result<Value, Problem> {
        if query.verdict.as_deref() == Some("perhaps") {
            return Err(Problem::bad_request("there is no verdict \"perhaps\""));
        }
        Ok(json!({ "partner": query.partner, "since": query.since, "limit": query.limit }))
    }

    fn run(&self, id: &str) -> Result<Option<Value>, Problem> {
        assert_ne!(id, "panic", "asked for");
        Ok((id != "none").then(|| json!({ "run_id": id })))
    }

    fn sources(&self) -> Value {
        json!(["hostco-maintenance"])
    }

    fn may_start(&self, inquiry: &Inquiry, from: &str) -> Result<Value, Problem> {
        self.other_gate.iter().for_each(Gate::pass);
        Ok(json!({ "inquiry": inquiry, "from": from }))
    }

    fn windows(&self, query: &WindowQuery) -> Result<Windows, Problem> {
        if query.is_calendar {
            return Ok(Windows::Calendar("BEGIN:VCALENDAR\r\n".to_owned()));
        }
        Ok(Windows::Rows(
            json!({ "service": query.service, "from": query.from, "days": query.days }),
        ))
    }
}

pub struct Server {
    pub address: SocketAddr,
    pub stop: Option<oneshot::Sender<()>>,
    pub task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub async fn start(fake: Fake, limits: Limits) -> Server {
        Server::guarded(fake, limits, Web::open(None).unwrap()).await
    }

    /// The same with a web configuration.
    pub async fn guarded(fake: Fake, limits: Limits, web: Web) -> Server {
        // Under this name the tests ask.
        let web = web.known_as(Names::new(None, &["a".to_owned()], None));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(serve(listener, Arc::new(fake), Arc::new(web), limits, shutdown));
        Server { address, stop: Some(stop), task }
    }

    pub async fn connect(&self) -> Client {
        Client { socket: soon(TcpStream::connect(self.address)).await.unwrap(), rest: Vec::new() }
    }

    /// One request on a connection of its own.
    pub async fn ask(&self, request: &str) -> Reply {
        let mut client = self.connect().await;
        client.ask(request).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask(&get(path)).await
    }
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// Waits for an event, and fails the test rather than wait for ever.
pub async fn soon<F: Future>(event: F) -> F::Output {
    timeout(DEADLINE, event).await.expect("the event did not come")
}

pub struct Client {
    pub socket: TcpStream,
    rest: Vec<u8>,
}

impl Client {
    pub async fn send(&mut self, bytes: &str) {
        soon(self.socket.write_all(bytes.as_bytes())).await.unwrap();
    }

    pub async fn ask(&mut self, request: &str) -> Reply {
        self.send(request).await;
        self.reply(request.starts_with("HEAD")).await
    }

    /// The next answer; fails if the connection ends before it does.
    pub async fn reply(&mut self, is_head: bool) -> Reply {
        let head_end = loop {
            match self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => assert_ne!(self.more().await, 0, "closed within a head: {:?}", self.rest),
            }
        };
        let head = String::from_utf8(self.rest.drain(..head_end).collect()).unwrap();
        let mut reply = Reply { head, body: Vec::new() };
        let length: usize = reply.field("content-length").map_or(0, |text| text.parse().unwrap());
        let length = if is_head { 0 } else { length };
        while self.rest.len() < length {
            assert_ne!(self.more().await, 0, "closed within a body after {reply:?}");
        }
        reply.body = self.rest.drain(..length).collect();
        reply
    }

    async fn more(&mut self) -> usize {
        soon(self.socket.read_buf(&mut self.rest)).await.unwrap()
    }

    /// Waits until the server has closed, orderly or not; returns how many bytes came before.
    pub async fn closed(&mut self) -> usize {
        let mut count = std::mem::take(&mut self.rest).len();
        let mut space = vec![0; 1 << 16];
        while let Ok(more @ 1..) = soon(self.socket.read(&mut space)).await {
            count += more;
        }
        count
    }
}

#[derive(Debug)]
pub struct Reply {
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// A header field; fails if there are two of the name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().skip(1).filter_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        let value = values.next();
        assert_eq!(values.next(), None, "two of {name}");
        value
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What every answer carries, and a problem besides.
    pub fn check_dress(&self) {
        for (name, want) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(self.field(name), Some(want), "{name} in {}", self.head);
        }
        let policy = self.field("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
        let is_page =
            self.field("content-type").is_some_and(|media| media.starts_with("text/html"));
        assert_eq!(policy.contains("style-src 'sha256-"), is_page, "{policy}");
        assert!(self.field("content-type").is_some(), "{}", self.head);
        if 400 <= self.status() && !self.body.is_empty() {
            assert_eq!(self.field("content-type"), Some("application/problem+json"));
            let problem = self.json();
            assert_eq!(problem["type"], "about:blank");
            assert_eq!(problem["status"], self.status());
            assert_ne!(problem["title"], "Unknown");
            assert!(problem["detail"].is_string());
        }
    }
}
