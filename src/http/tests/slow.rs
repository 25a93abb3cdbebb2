//! Clients that take their time, too many of them, and a backend that does.

use super::support::{Client, Fake, Gate, Opener, SOON, Server, get, lenient, soon};
use crate::http::Limits;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

const HALF: &str = "GET /metrics HTTP/1.1\r\nHo";

/// One row: with these limits, a client that says no more than this is cut without an answer.
async fn check_cut(limits: Limits, said: &str) {
    let server = Server::start(Fake::default(), limits).await;
    let mut client = server.connect().await;
    client.send(said).await;
    assert_eq!(client.closed().await, 0, "{said:?}");
}

#[tokio::test]
async fn each_wait_for_a_client_has_its_end() {
    check_cut(Limits { accept: SOON, ..lenient() }, "").await;
    check_cut(Limits { header_read: SOON, ..lenient() }, "GE").await;
    check_cut(Limits { header_read: SOON, ..lenient() }, HALF).await;
    check_cut(Limits { header_read: SOON, ..lenient() }, "\r\n").await;
}

#[tokio::test]
async fn a_head_that_dribbles_is_cut() {
    let limits = Limits { header_read: SOON, ..lenient() };
    let server = Server::start(Fake::default(), limits).await;
    let mut client = server.connect().await;
    client.send("GET /metrics HTTP/1.1\r\n").await;
    let mut byte = [0];
    let cut = async {
        // The wait for the end paces the dribble: it is over as soon as the server closes.
        while timeout(SOON / 8, client.socket.read(&mut byte)).await.is_err() {
            if client.socket.write_all(b"X").await.is_err() {
                break;
            }
        }
    };
    soon(cut).await;
    assert_eq!(server.get("/-/healthy").await.status(), 200);
}

#[tokio::test]
async fn a_scraper_keeps_its_connection_while_a_slow_head_is_cut() {
    let limits = Limits { header_read: SOON, accept: SOON, ..lenient() };
    let server = Server::start(Fake::default(), limits).await;
    let mut scraper = server.connect().await;
    assert_eq!(scraper.ask(&get("/metrics")).await.status(), 200);
    // The scraper idles for longer than a head may take: the head began after its last answer.
    for said in [HALF, ""] {
        let mut slow = server.connect().await;
        slow.send(said).await;
        assert_eq!(slow.closed().await, 0);
    }
    assert_eq!(scraper.ask(&get("/metrics")).await.status(), 200);
    // Its next head is timed all the same.
    scraper.send(HALF).await;
    assert_eq!(scraper.closed().await, 0);
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_the_end() {
    let server = Server::start(Fake::default(), Limits { idle: SOON, ..lenient() }).await;
    let mut client = server.connect().await;
    assert_eq!(client.ask(&get("/metrics")).await.status(), 200);
    assert_eq!(client.closed().await, 0);
    // A head that was begun along with the last one is not idleness.
    let limits = Limits { header_read: SOON, ..lenient() };
    let server = Server::start(Fake::default(), limits).await;
    let mut client = server.connect().await;
    client.send(&format!("{}{HALF}", get("/-/healthy"))).await;
    assert_eq!(client.reply(false).await.status(), 200);
    assert_eq!(client.closed().await, 0);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_timeout() {
    let limits = Limits { body: SOON, ..lenient() };
    let server = Server::start(Fake::default(), limits).await;
    let mut client = server.connect().await;
    let request = "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na";
    let reply = client.ask(request).await;
    assert_eq!(reply.status(), 408);
    reply.check_dress();
    assert_eq!(client.closed().await, 0);
}

/// An exposition of more than the sockets' buffers take.
fn large() -> Fake {
    Fake { metrics: Ok("x".repeat(LARGE)), ..Fake::default() }
}

const LARGE: usize = 16 << 20;

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let limits = Limits { request: Duration::from_secs(1), ..lenient() };
    let mut server = Server::start(large(), limits).await;
    let mut deaf = server.connect().await;
    deaf.send(&get("/metrics")).await;
    assert_eq!(server.get("/-/healthy").await.status(), 200);
    // A stop waits for whoever is owed an answer: that it ends means that the client was cut.
    let _ = server.stop.take().unwrap().send(());
    soon(&mut server.task).await.unwrap().unwrap();
    let count = deaf.closed().await;
    assert!((1 << 14..LARGE).contains(&count), "{count} bytes came");
}

#[tokio::test]
async fn who_does_not_read_makes_room_for_who_does() {
    for limits in
        [Limits { unread_bytes: LARGE, ..lenient() }, Limits { connections: 2, ..lenient() }]
    {
        let server = Server::start(large(), limits).await;
        let mut deaf = [server.connect().await, server.connect().await];
        for client in &mut deaf {
            client.send(&get("/metrics").replace("Host: a", "Host: a\r\nConnection: close")).await;
        }
        assert_eq!(server.get("/metrics").await.body.len(), LARGE);
        let mut cut = 0;
        for client in &mut deaf {
            cut += usize::from(client.closed().await < LARGE);
        }
        assert_ne!(cut, 0);
    }
}

#[tokio::test]
async fn slow_bodies_do_not_delay_a_scrape() {
    let limits = Limits { connections: 8, ..lenient() };
    let server = Server::start(Fake::default(), limits).await;
    let mut held = Vec::new();
    for _ in 0..24 {
        let mut client = server.connect().await;
        let head = "POST /api/v1/may-start HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n{";
        client.send(head).await;
        held.push(client);
    }
    assert_eq!(server.get("/metrics").await.status(), 200);
}

#[tokio::test]
async fn a_scrape_waits_for_no_page_and_no_question() {
    let opener = Opener(Gate::default());
    let fake = Fake { other_gate: Some(opener.0.clone()), ..Fake::default() };
    let server = Server::start(fake, Limits { pages: 1, questions: 1, ..lenient() }).await;
    let mut held = Vec::new();
    for path in ["/", "/api/v1/may-start?partner=a", "/?", "/api/v1/may-start?partner=b"] {
        let mut client = server.connect().await;
        client.send(&get(path)).await;
        held.push(client);
    }
    for path in ["/metrics", "/-/healthy", "/-/ready"] {
        assert_eq!(server.get(path).await.status(), 200, "{path}");
    }
    opener.0.open();
    for client in &mut held {
        assert_eq!(client.reply(false).await.status(), 200);
    }
}

#[tokio::test]
async fn held_connections_do_not_delay_a_scrape() {
    let limits = Limits { connections: 64, ..lenient() };
    let server = Server::start(Fake::default(), limits).await;
    let mut held: Vec<Client> = Vec::new();
    for said in ["", "G", HALF, "POST /"].into_iter().cycle().take(200) {
        let mut client = server.connect().await;
        client.send(said).await;
        held.push(client);
    }
    let reply = server.get("/metrics").await;
    assert_eq!(reply.status(), 200);
    // The first of them made room.
    for client in held.iter_mut().take(200 - 64) {
        assert_eq!(client.closed().await, 0);
    }
}

#[tokio::test]
async fn the_longest_idle_connection_makes_room() {
    let limits = Limits { connections: 2, ..lenient() };
    let server = Server::start(Fake::default(), limits).await;
    let mut clients = [server.connect().await, server.connect().await];
    for client in &mut clients {
        assert_eq!(client.ask(&get("/metrics")).await.status(), 200);
    }
    let [first, second] = &mut clients;
    // Asking again makes the first one the later.
    assert_eq!(first.ask(&get("/metrics")).await.status(), 200);
    assert_eq!(server.get("/metrics").await.status(), 200);
    assert_eq!(second.closed().await, 0);
    assert_eq!(first.ask(&get("/metrics")).await.status(), 200);
}

fn gated() -> (Fake, Opener, mpsc::UnboundedReceiver<()>) {
    let (entered, entries) = mpsc::unbounded_channel();
    let gate = Gate::default();
    let fake = Fake { gate: Some(gate.clone()), entered, ..Fake::default() };
    (fake, Opener(gate), entries)
}

#[tokio::test]
async fn backend_calls_wait_for_each_other() {
    let (fake, opener, mut entries) = gated();
    let peak = fake.peak.clone();
    let server = Server::start(fake, Limits { scrapes: 1, ..lenient() }).await;
    let mut clients = Vec::new();
    let packed = get("/metrics").replace("Host: a", "Host: a\r\nAccept-Encoding: gzip");
    for request in [get("/metrics"), packed].into_iter().cycle().take(6) {
        let mut client = server.connect().await;
        client.send(&request).await;
        clients.push(client);
    }
    soon(entries.recv()).await;
    // What needs no call is answered meanwhile.
    assert_eq!(server.get("/-/healthy").await.status(), 200);
    assert_eq!(server.get("/-/ready").await.status(), 200);
    opener.0.open();
    for client in &mut clients {
        assert_eq!(client.reply(false).await.status(), 200);
    }
    assert_eq!(peak.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_for() {
    let (fake, opener, mut entries) = gated();
    let limits = Limits { request: SOON, scrapes: 1, ..lenient() };
    let server = Server::start(fake, limits).await;
    // The first hangs in the backend, the second never gets there: the first still has its turn.
    for _ in 0..2 {
        let reply = server.get("/metrics").await;
        assert_eq!(reply.status(), 503);
        assert!(reply.text().contains("no answer within 0.04 s"), "{}", reply.text());
        reply.check_dress();
    }
    soon(entries.recv()).await;
    assert!(entries.try_recv().is_err());
    opener.0.open();
}

#[tokio::test]
async fn a_client_that_is_done_sending_still_gets_its_answer() {
    let (fake, opener, mut entries) = gated();
    let server = Server::start(fake, lenient()).await;
    let mut client = server.connect().await;
    client.send(&get("/metrics")).await;
    soon(entries.recv()).await;
    client.socket.shutdown().await.unwrap();
    // By the time this is answered the server has had its chance to see the half close.
    assert_eq!(server.get("/-/healthy").await.status(), 200);
    opener.0.open();
    assert_eq!(client.reply(false).await.status(), 200);
    assert_eq!(client.closed().await, 0);
}
