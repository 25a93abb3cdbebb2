//! Accepts connections up to a limit, and stops in order.

use super::admission::Admission;
use super::handshake::begin;
use super::limits::{ACCEPT_BACKOFF, UNSENT_BYTES};
use super::site::Site;
use super::{Backend, Limits, Web};
use socket2::SockRef;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Serves HTTP/1 on `listener`, guarded by `web`, until `shutdown` resolves; then idle connections are closed, answers
/// in the making are finished, and what is left after `limits.drain` is cut. Backend calls that hang
/// even then are left to the runtime.
///
/// # Errors
/// If the listener itself is unusable. That a connection cannot be accepted is no error.
pub async fn serve(
    listener: TcpListener,
    backend: Arc<dyn Backend>,
    web: Arc<Web>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let drain = limits.drain;
    let admission = Arc::new(Admission::new(limits.connections));
    let site = Arc::new(Site::new(backend, web, limits, admission.clone()));
    let stopping = watch::Sender::new(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, client, place) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            admitted = admit(&listener, &admission) => admitted?,
        };
        // Ended connections leave their result behind; there is nothing in it.
        while connections.try_join_next().is_some() {}
        let (site, admission, stopping) = (site.clone(), admission.clone(), stopping.subscribe());
        connections.spawn(async move {
            begin(stream, client, site, admission, stopping).await;
            drop(place);
        });
    }
    drop(listener);
    stopping.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(drain, all).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections cut at shutdown");
        connections.shutdown().await;
    }
    Ok(())
}

/// The next connection and its place among those open. It is accepted before there is a place, so
/// that nobody is asked to leave for a newcomer who does not exist.
async fn admit(
    listener: &TcpListener,
    admission: &Admission,
) -> io::Result<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                // Answers go out in one piece; waiting for more would only delay them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "connection cannot be set to send at once");
                }
                // Left to itself the system keeps megabytes for each client that does not read.
                if let Err(error) = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
                    tracing::debug!(%error, "the buffer of a connection cannot be limited");
                }
                return Ok((stream, client.ip(), admission.enter().await?));
            }
            Err(error) if is_fatal(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// Whether no later accept can succeed; accept(2) hands out the network's passing errors as well.
fn is_fatal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidInput
}
