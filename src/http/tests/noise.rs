//! Noise: whatever bytes come, the server answers properly or not at all, and the next one as ever.

use super::support::{Fake, Server, lenient, soon};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Pieces of requests, whole and broken.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "GET ",
        "HEAD ",
        "POST ",
        "PUT ",
        "BREW ",
        "/",
        "/metrics",
        "/-/reload",
        "/-/healthy",
        "/api/v1/runs",
        "/api/v1/runs/",
        "?",
        "partner=",
        "limit=",
        "&",
        "%",
        "%2e",
        "%00",
        "..",
        "*",
        "http://a",
        " HTTP/1.1\r\n",
        " HTTP/1.0\r\n",
        " HTTP/9\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        ":",
        "Host: a\r\n",
        "Content-Length: 3\r\n",
        "Content-Length: 70000\r\n",
        "Transfer-Encoding: chunked\r\n",
        "0\r\n\r\n",
        "3\r\nabc\r\n",
        "ffffffffffffffff\r\n",
        "Connection: close\r\n",
        "Connection: keep-alive\r\n",
        "Connection: upgrade\r\n",
        "Upgrade: h2c\r\n",
        "Expect: 100-continue\r\n",
        "Accept-Encoding: gzip;q=\r\n",
        "Origin: x\r\n",
        "Content-Encoding: gzip\r\n",
        "abc",
        "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /-/reload HTTP/1.1\r\nHost: a\r\n",
    ]);
    prop_oneof![
        12 => known.prop_map(|text| text.as_bytes().to_vec()),
        2 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 0..20_000_usize).prop_map(|(byte, count)| vec![byte; count]),
    ]
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat()),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}

/// Everything that comes back for these bytes until the server closes.
async fn answer(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut client = server.connect().await;
    let (mut reader, mut writer) = client.socket.split();
    let write = async {
        // The server may have closed before the last byte.
        let _ = writer.write_all(bytes).await;
        let _ = writer.shutdown().await;
    };
    let mut answer = Vec::new();
    let read = async {
        let _ = reader.read_to_end(&mut answer).await;
    };
    soon(async { tokio::join!(write, read) }).await;
    answer
}

#[test]
fn no_bytes_bring_the_server_down() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(Fake::default(), lenient()));
    let mut runner = TestRunner::new(Config::with_cases(400));
    let outcome = runner.run(&noise(), |bytes| {
        runtime.block_on(async {
            let answer = String::from_utf8_lossy(&answer(&server, &bytes).await).into_owned();
            let heads: Vec<&str> = answer
                .match_indices("HTTP/1.")
                .map(|(at, _)| &answer[at..])
                .filter(|rest| !rest.starts_with("HTTP/1.1 100 "))
                .collect();
            prop_assert!(answer.is_empty() || answer.starts_with("HTTP/1."), "{answer}");
            for head in heads {
                let head = head.split("\r\n\r\n").next().unwrap_or_default();
                prop_assert!(head.contains("x-content-type-options: nosniff"), "{head}");
            }
            prop_assert_eq!(server.get("/-/healthy").await.status(), 200);
            Ok(())
        })
    });
    outcome.unwrap();
}
