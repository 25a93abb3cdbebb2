//! The handshake of a connection: encryption, where it is configured, within its own time.

use super::admission::Admission;
use super::connection::converse;
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
enum Settled {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// Does the handshake and serves the requests. Until it is done the connection may be closed to make room at any time.
pub(super) async fn begin(
    stream: TcpStream,
    address: IpAddr,
    site: Arc<Site>,
    admission: Arc<Admission>,
    mut stopping: watch::Receiver<bool>,
) {
    let settled = tokio::select! {
        biased;
        settled = timeout(site.limits().handshake, shake_hands(stream, &site)) => settled,
        _ = stopping.wait_for(|stopping| *stopping) => return,
        () = admission.asked_to_leave() => {
            tracing::debug!("connection closed before its handshake was done, to make room");
            return;
        }
    };
    match settled {
        Ok(Ok(Settled::Plain(stream))) => {
            let client = Client { address, is_encrypted: false };
            converse(stream, client, site, admission, stopping).await;
        }
        Ok(Ok(Settled::Encrypted(stream))) => {
            let client = Client { address, is_encrypted: true };
            converse(stream, client, site, admission, stopping).await;
        }
        Ok(Err(error)) => tracing::debug!(%address, %error, "connection cut in its handshake"),
        Err(_) => tracing::debug!(%address, "connection cut: its handshake took too long"),
    }
}

/// Encrypts the connection if it is to be. Who speaks plainly all the same gets a plain answer.
async fn shake_hands(stream: TcpStream, site: &Site) -> io::Result<Settled> {
    let Some(config) = site.rules().await.tls() else { return Ok(Settled::Plain(stream)) };
    let mut first = [0];
    if stream.peek(&mut first).await? != 0 && first != [HANDSHAKE_RECORD] {
        return Ok(Settled::Plain(stream));
    }
    let stream = TlsAcceptor::from(config).accept(stream).await?;
    Ok(Settled::Encrypted(Box::new(stream)))
}
