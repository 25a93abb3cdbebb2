//! What is too long, said twice or not HTTP, and how connections go on after requests.

use super::support::{Fake, Server, get, lenient, soon};
use crate::http::Limits;
use tokio::io::AsyncWriteExt;

/// One row: bytes to the server, the status that comes back, and whether the connection is closed
/// behind it.
async fn check(server: &Server, bytes: &str, status: u16, closes: bool) {
    let shown: String = bytes.chars().take(90).collect();
    let mut client = server.connect().await;
    client.send(bytes).await;
    let reply = client.reply(false).await;
    assert_eq!(reply.status(), status, "{shown:?} {reply:?}");
    reply.check_dress();
    if closes {
        assert_eq!(reply.field("connection"), Some("close"), "{shown:?}");
        assert_eq!(client.closed().await, 0, "{shown:?}");
    } else {
        assert_eq!(client.ask(&get("/-/healthy")).await.status(), 200, "{shown:?}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let server = Server::start(Fake::default(), lenient()).await;
    let long = |count: usize| "x".repeat(count);
    let with = |fields: String| format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    check(&server, &get(&format!("/metrics?{}", long(8192 - 9))), 200, false).await;
    check(&server, &get(&format!("/metrics?{}", long(8192 - 8))), 414, false).await;
    check(&server, &get(&format!("/{}", long(20_000))), 414, true).await;
    check(&server, &get(&format!("/{}", long(100_000))), 414, true).await;
    check(&server, &with(format!("X: {}\r\n", long(16_000))), 200, false).await;
    check(&server, &with(format!("X: {}\r\n", long(16_384))), 431, true).await;
    check(&server, &with(format!("X: {}\r\n", long(40_000))), 431, true).await;
    check(&server, &with("X: y\r\n".repeat(1000)), 431, true).await;
    check(&server, &with("X: y\r\n".repeat(50_000)), 431, true).await;
}

#[tokio::test]
async fn a_body_is_bounded_and_forgotten() {
    let server = Server::start(Fake::default(), lenient()).await;
    let post = |fields: &str, body: &str| {
        format!("POST /-/reload HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{body}")
    };
    let most = "x".repeat(65_536);
    let chunk = format!("10000\r\n{most}\r\n");
    for (request, status) in [
        (post("Content-Length: 0", ""), 200),
        (post("Content-Length: 3", "abc"), 200),
        (post("Content-Length: 65536", &most), 200),
        (post("Content-Length: 65537", ""), 413),
        (post("Content-Length: 1000000000", &most), 413),
        (post("Content-Length: 1000000000\r\nExpect: 100-continue", ""), 413),
        (post("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"), 200),
        (post("Transfer-Encoding: chunked", &format!("{chunk}0\r\n\r\n")), 200),
        (post("Transfer-Encoding: chunked", &format!("{chunk}1\r\nx\r\n")), 413),
        (post("Transfer-Encoding: chunked", &chunk.repeat(2)), 413),
        (post("Transfer-Encoding: chunked", "zz\r\n"), 400),
        (post("Content-Length: 3\r\nContent-Encoding: gzip", "abc"), 415),
        (post("Content-Encoding: identity", ""), 415),
    ] {
        check(&server, &request, status, !request.contains("identity")).await;
    }
}

#[tokio::test]
async fn a_small_limit_of_the_head_holds() {
    let limits = Limits { header_bytes: 512, body_bytes: 4, ..lenient() };
    let server = Server::start(Fake::default(), limits).await;
    check(&server, &get(&format!("/metrics?{}", "x".repeat(400))), 200, false).await;
    check(&server, &get(&format!("/metrics?{}", "x".repeat(600))), 431, true).await;
    let body = "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde";
    check(&server, body, 413, true).await;
}

#[tokio::test]
async fn a_body_may_wait_for_the_go_ahead() {
    let server = Server::start(Fake::default(), lenient()).await;
    let mut client = server.connect().await;
    let head =
        "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(client.ask(head).await.status(), 100);
    assert_eq!(client.ask("abc").await.status(), 200);
}

#[tokio::test]
async fn a_refused_client_may_finish_its_sentence() {
    let server = Server::start(Fake::default(), lenient()).await;
    let refused = "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n";
    for (said, status) in [(refused, 413), ("GET / HTTP/9.9\r\n\r\n", 400)] {
        let mut client = server.connect().await;
        client.send(said).await;
        // The answer is there, and the server has closed its side; ours still talks.
        soon(client.socket.readable()).await.unwrap();
        for _ in 0..8 {
            client.send(&"x".repeat(25_000)).await;
            // Another turn, so that a reset would have come back.
            assert_eq!(server.get("/-/healthy").await.status(), 200);
        }
        assert_eq!(client.reply(false).await.status(), status, "{said:?}");
        client.socket.shutdown().await.unwrap();
        assert_eq!(client.closed().await, 0);
    }
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let server = Server::start(Fake::default(), lenient()).await;
    let smuggled = "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n";
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3\r\nContent-Length: 3",
        "Content-Length: 3, 3",
        "Content-Length: +3",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "X: y\r\n Content-Length: 3",
    ] {
        let head = format!("POST /-/reload HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
        check(&server, &format!("{head}0\r\n\r\n{smuggled}"), 400, true).await;
        // The same behind an innocent request on the same connection.
        let mut client = server.connect().await;
        client.send(&format!("{smuggled}{head}0\r\n\r\n{smuggled}")).await;
        assert_eq!(client.reply(false).await.status(), 200, "{fields:?}");
        let second = client.reply(false).await;
        assert_eq!(second.status(), 400, "{fields:?}");
        assert_eq!(client.closed().await, 0, "{fields:?}");
    }
    // A request behind a body is never taken for one.
    let tail = "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    check(&server, &format!("{tail}{smuggled}"), 200, true).await;
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let server = Server::start(Fake::default(), lenient()).await;
    for (bytes, status) in [
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}", 400),
        ("GET /metrics\r\n\r\n", 400),
        ("GET /metrics HTTP/3.0\r\n\r\n", 400),
        ("GET  /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nHost a\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nH\0st: a\r\n\r\n", 400),
        ("G\u{e9}T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ] {
        check(&server, bytes, status, true).await;
    }
    for (bytes, status) in [
        ("GET /metrics HTTP/1.1\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /metrics HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
        ("\r\nGET /metrics HTTP/1.1\nHost: a\n\n", 200),
    ] {
        check(&server, bytes, status, false).await;
    }
    // HTTP/2 is not spoken, nor is its opening answered in HTTP/1.
    let mut client = server.connect().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(client.closed().await, 0);
}

#[tokio::test]
async fn a_connection_lasts_as_long_as_the_client_wants() {
    let server = Server::start(Fake::default(), lenient()).await;
    let mut client = server.connect().await;
    client.send(&get("/-/healthy").repeat(20)).await;
    for _ in 0..20 {
        assert_eq!(client.reply(false).await.status(), 200);
    }
    let last = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(client.ask(last).await.status(), 200);
    assert_eq!(client.closed().await, 0);
    // HTTP/1.0 closes unless asked not to.
    let mut old = server.connect().await;
    assert_eq!(old.ask("GET /metrics HTTP/1.0\r\n\r\n").await.status(), 200);
    assert_eq!(old.closed().await, 0);
    // A client that has said everything still gets its answer, and an end.
    let mut half = server.connect().await;
    half.send(&get("/metrics")).await;
    half.socket.shutdown().await.unwrap();
    assert_eq!(half.reply(false).await.status(), 200);
    assert_eq!(half.closed().await, 0);
}
