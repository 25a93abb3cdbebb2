//! One request over HTTP/1.1: a connection of its own, no redirect, an answer of limited length, one deadline.

mod tls;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Peer, Scheme};

/// The longest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// The longest body of an answer to a post, in bytes: nobody whom we tell something has much to say.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The largest secret, certificate or key that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Says that it is no browser that asks in a page's name: pages may set no field that begins with `Sec-` (the Fetch
/// standard, "forbidden request-header").
pub const NO_BROWSER: HeaderName = HeaderName::from_static("sec-offhours");

/// Why there is no answer; no secret is in it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("no connection: {0}")]
    Connect(std::io::Error),
    #[error("no encrypted connection: {}", plain(.0))]
    Encrypt(std::io::Error),
    #[error("{file}: {why}", file = .0.display(), why = .1)]
    File(PathBuf, String),
    #[error("{0}")]
    Tls(String),
    #[error("the conversation broke off: {0}")]
    Broken(#[from] hyper::Error),
    #[error("no answer within the timeout")]
    Timeout,
    #[error("answered {0}, and redirects are not followed")]
    Redirect(StatusCode),
    #[error("the answer is longer than {0} bytes")]
    Endless(usize),
}

/// What openssl makes unless it is told otherwise is refused, in words that nobody understands.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.contains("CaUsedAsEndEntity") {
        true => {
            "the peer shows the certificate of an authority (CA:TRUE), which is none of a server; \
                 make it one with basicConstraints=CA:FALSE"
                .into()
        }
        false => text,
    }
}

/// An answer with whatever status but a redirect.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

/// Posts a JSON text to a path behind the peer's URL.
///
/// # Errors
/// There is no whole answer in time, or it leads elsewhere.
pub async fn post(peer: &Arc<Peer>, path: &str, body: Vec<u8>) -> Result<Answer, Failure> {
    let talk = talk(peer, path, Some(body), ANSWER_BYTES_MAX);
    timeout(peer.timeout, talk).await.unwrap_or(Err(Failure::Timeout))
}

/// Asks for a path behind the peer's URL, for an answer of at most `bytes_max` bytes.
///
/// # Errors
/// As for [`post`].
pub async fn get(peer: &Arc<Peer>, path: &str, bytes_max: usize) -> Result<Answer, Failure> {
    let talk = talk(peer, path, None, bytes_max);
    timeout(peer.timeout, talk).await.unwrap_or(Err(Failure::Timeout))
}

async fn talk(
    peer: &Arc<Peer>,
    path: &str,
    body: Option<Vec<u8>>,
    bytes_max: usize,
) -> Result<Answer, Failure> {
    let preparing = peer.clone();
    // Files may be on a file system that takes its time.
    let prepared = tokio::task::spawn_blocking(move || {
        let login = login(&preparing)?;
        let encryption = match preparing.url.scheme {
            Scheme::Http => None,
            Scheme::Https => Some(tls::connector(&preparing)?),
        };
        Ok::<_, Failure>((login, encryption))
    });
    let (login, encryption) =
        prepared.await.map_err(|e| Failure::Tls(format!("cannot be prepared: {e}")))??;
    let request = request(peer, path, login, body)?;
    let address = (peer.url.host.as_str(), peer.url.port);
    let stream = TcpStream::connect(address).await.map_err(Failure::Connect)?;
    // One small request: nothing is gained by waiting for more of it.
    let _ = stream.set_nodelay(true);
    match encryption {
        None => exchange(stream, request, bytes_max).await,
        Some((connector, name)) => {
            let stream = connector.connect(name, stream).await.map_err(Failure::Encrypt)?;
            exchange(stream, request, bytes_max).await
        }
    }
}

fn request(
    peer: &Peer,
    path: &str,
    login: Option<HeaderValue>,
    body: Option<Vec<u8>>,
) -> Result<Request<Full<Bytes>>, Failure> {
    let target = format!("{}{path}", peer.url.prefix);
    let request = match &body {
        Some(_) => Request::post(target).header(CONTENT_TYPE, "application/json"),
        None => Request::get(target),
    };
    let mut request = request
        .header(HOST, peer.url.authority())
        .header(NO_BROWSER, "command")
        .header(USER_AGENT, concat!("offhours/", env!("CARGO_PKG_VERSION")));
    if let Some(login) = login {
        request = request.header(AUTHORIZATION, login);
    }
    let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())));
    request.map_err(|e| Failure::Tls(format!("{}: {e}", peer.url)))
}

async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    bytes_max: usize,
) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let conversation = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        if status.is_redirection() {
            return Err(Failure::Redirect(status));
        }
        Ok(Answer { status, body: body(response.into_body(), bytes_max).await? })
    };
    let drive = async {
        // How it ended is seen by the conversation.
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = conversation => outcome,
        () = drive => Err(Failure::Timeout),
    }
}

async fn body(mut incoming: Incoming, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if bytes_max < bytes.len() + data.len() {
            return Err(Failure::Endless(bytes_max));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Name and password as HTTP wants them (RFC 7617).
fn login(peer: &Peer) -> Result<Option<HeaderValue>, Failure> {
    let Some(auth) = &peer.basic_auth else { return Ok(None) };
    let bytes = read(&auth.password_file)?;
    let wrong = || Failure::File(auth.password_file.clone(), "holds no password".into());
    let password = String::from_utf8(bytes).map_err(|_| wrong())?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(wrong());
    }
    let pair = STANDARD.encode(format!("{}:{password}", auth.username));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Reads a small file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let failed = |why: String| Failure::File(path.to_owned(), why);
    let unreadable = |e: std::io::Error| failed(format!("cannot be read: {e}"));
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(failed("is not a regular file".into()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if FILE_BYTES_MAX < bytes.len() as u64 {
        return Err(failed(format!("is longer than {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Url;
    use std::time::Duration;

    #[test]
    fn a_request_says_whom_it_asks_and_that_no_browser_sends_it() {
        let url = Url::parse("https://watch.example/offhours/").unwrap();
        let timeout = Duration::from_secs(1);
        let peer = Peer { url, timeout, tls: crate::config::Tls::default(), basic_auth: None };
        let request = request(&peer, "/api/v1/may-start", None, Some(b"{}".to_vec())).unwrap();
        assert_eq!(request.uri(), "/offhours/api/v1/may-start");
        assert_eq!(request.headers()[HOST], "watch.example:443");
        assert_eq!(request.headers()["sec-offhours"], "command");
    }
}
