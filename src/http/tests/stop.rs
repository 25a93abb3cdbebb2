//! Stopping in order.

use super::support::{Fake, Gate, Opener, SOON, Server, get, lenient, soon};
use crate::http::Limits;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

#[tokio::test]
async fn idle_connections_are_closed_at_once() {
    let mut server = Server::start(Fake::default(), lenient()).await;
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    assert_eq!(idle.ask(&get("/metrics")).await.status(), 200);
    server.stop.take();
    assert_eq!(idle.closed().await, 0);
    assert_eq!(silent.closed().await, 0);
    soon(server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn an_answer_in_the_making_is_finished() {
    let (entered, mut entries) = mpsc::unbounded_channel();
    let gate = Opener(Gate::default());
    let fake = Fake {
        metrics: Ok("x".repeat(8 << 20)),
        gate: Some(gate.0.clone()),
        entered,
        ..Fake::default()
    };
    let mut server = Server::start(fake, lenient()).await;
    let mut idle = server.connect().await;
    assert_eq!(idle.ask(&get("/-/healthy")).await.status(), 200);
    let mut client = server.connect().await;
    client.send(&get("/metrics")).await;
    soon(entries.recv()).await;
    server.stop.take();
    // The end of the idle one shows that the stop has been heard.
    assert_eq!(idle.closed().await, 0);
    assert!(TcpStream::connect(server.address).await.is_err());
    gate.0.open();
    let reply = client.reply(false).await;
    assert_eq!((reply.status(), reply.body.len()), (200, 8 << 20));
    assert_eq!(reply.field("connection"), Some("close"));
    assert_eq!(client.closed().await, 0);
    soon(server.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_left_after_the_drain_is_cut() {
    let (entered, mut entries) = mpsc::unbounded_channel();
    let gate = Opener(Gate::default());
    let fake = Fake { gate: Some(gate.0.clone()), entered, ..Fake::default() };
    let mut server = Server::start(fake, Limits { drain: SOON, ..lenient() }).await;
    let mut hanging = server.connect().await;
    hanging.send(&get("/metrics")).await;
    let mut half = server.connect().await;
    half.send("GET /").await;
    soon(entries.recv()).await;
    server.stop.take();
    soon(server.task).await.unwrap().unwrap();
    assert_eq!(hanging.closed().await, 0);
    assert_eq!(half.closed().await, 0);
}

#[tokio::test]
async fn a_stop_while_the_house_is_full_is_heard() {
    let (entered, mut entries) = mpsc::unbounded_channel();
    let gate = Opener(Gate::default());
    let fake = Fake { gate: Some(gate.0.clone()), entered, ..Fake::default() };
    let mut server = Server::start(fake, Limits { connections: 1, ..lenient() }).await;
    let mut client = server.connect().await;
    client.send(&get("/metrics")).await;
    soon(entries.recv()).await;
    let mut outside = server.connect().await;
    server.stop.take();
    assert_eq!(outside.closed().await, 0);
    gate.0.open();
    assert_eq!(client.reply(false).await.status(), 200);
    soon(server.task).await.unwrap().unwrap();
}
