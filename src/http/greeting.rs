//! The first moments of a connection: encryption, where it is configured, within its own time.

use super::connection::converse;
use super::door::Door;
use super::site::{Client, Site};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The type of the record with which every TLS client begins (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// A connection whose form is settled.
enum Greeted {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// Greets the client and serves its requests. Until it is greeted it may be asked to leave at any time.
pub(super) async fn welcome(
    stream: TcpStream,
    address: IpAddr,
    site: Arc<Site>,
    door: Arc<Door>,
    mut stopping: watch::Receiver<bool>,
) {
    let greeted = tokio::select! {
        biased;
        greeted = timeout(site.limits().handshake, greet(stream, &site)) => greeted,
        _ = stopping.wait_for(|stopping| *stopping) => return,
        () = door.asked_to_leave() => {
            tracing::debug!("connection closed before its handshake was done, to make room");
            return;
        }
    };
    match greeted {
        Ok(Ok(Greeted::Plain(stream))) => {
            let client = Client { address, is_encrypted: false };
            converse(stream, client, site, door, stopping).await;
        }
        Ok(Ok(Greeted::Encrypted(stream))) => {
            let client = Client { address, is_encrypted: true };
            converse(stream, client, site, door, stopping).await;
        }
        Ok(Err(error)) => tracing::debug!(%address, %error, "connection cut in its handshake"),
        Err(_) => tracing::debug!(%address, "connection cut: its handshake took too long"),
    }
}

/// Encrypts the connection if it is to be. Who speaks plainly all the same gets a plain answer.
async fn greet(stream: TcpStream, site: &Site) -> io::Result<Greeted> {
    let Some(config) = site.rules().await.tls() else { return Ok(Greeted::Plain(stream)) };
    let mut first = [0];
    if stream.peek(&mut first).await? != 0 && first != [HANDSHAKE_RECORD] {
        return Ok(Greeted::Plain(stream));
    }
    let stream = TlsAcceptor::from(config).accept(stream).await?;
    Ok(Greeted::Encrypted(Box::new(stream)))
}
