//! One post over HTTP/1.1: a connection of its own, no redirect, an answer of limited length, one deadline.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Alertmanager, Scheme};
use crate::notify_alertmanager::tls;
use crate::report::plain::clean;

/// The longest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// The longest body of an answer, in bytes: Alertmanager's has none, or a sentence.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Characters of an answer that the log is told.
const TOLD_CHARS_MAX: usize = 200;
/// The largest secret, certificate or key that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a post was not accepted; no secret is in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("no connection: {0}")]
    Connect(std::io::Error),
    #[error("no encrypted connection: {0}")]
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
    #[error("answered {0}: {1}")]
    Refused(StatusCode, String),
    #[error("the answer is longer than {ANSWER_BYTES_MAX} bytes")]
    Endless,
    #[error("answered {0}, but not as Alertmanager does: {1}")]
    Foreign(StatusCode, String),
}

/// Posts alerts.
///
/// # Errors
/// They were not accepted, as far as is known: they are to be posted again.
pub(super) async fn post(settings: &Arc<Alertmanager>, body: Vec<u8>) -> Result<(), Failure> {
    let conversation = talk(settings, body);
    timeout(settings.timeout, conversation).await.unwrap_or(Err(Failure::Timeout))
}

async fn talk(settings: &Arc<Alertmanager>, body: Vec<u8>) -> Result<(), Failure> {
    let preparing = settings.clone();
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
    let request = request(settings, login, body)?;
    let address = (settings.url.host.as_str(), settings.url.port);
    let stream = TcpStream::connect(address).await.map_err(Failure::Connect)?;
    // One small request: nothing is gained by waiting for more of it.
    let _ = stream.set_nodelay(true);
    match encryption {
        None => exchange(stream, request).await,
        Some((connector, name)) => {
            let stream = connector.connect(name, stream).await.map_err(Failure::Encrypt)?;
            exchange(stream, request).await
        }
    }
}

fn request(
    settings: &Alertmanager,
    login: Option<HeaderValue>,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, Failure> {
    let path = format!("{}/api/v2/alerts", settings.url.prefix);
    let mut request = Request::post(path)
        .header(HOST, settings.url.authority())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("offhours/", env!("CARGO_PKG_VERSION")));
    if let Some(login) = login {
        request = request.header(AUTHORIZATION, login);
    }
    let request = request.body(Full::new(Bytes::from(body)));
    request.map_err(|e| Failure::Tls(format!("{}: {e}", settings.url)))
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let conversation = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        judge(status, body(response.into_body()).await?)
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

async fn body(mut incoming: Incoming) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if ANSWER_BYTES_MAX < bytes.len() + data.len() {
            return Err(Failure::Endless);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Whether an answer says that the alerts were taken. A proxy's page for people to log in, or an error that comes
/// with status 200, does not.
fn judge(status: StatusCode, body: Vec<u8>) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(&body);
    let told = || clean(&text.trim().chars().take(TOLD_CHARS_MAX).collect::<String>()).into_owned();
    if status.is_redirection() {
        return Err(Failure::Redirect(status));
    }
    if !status.is_success() {
        return Err(Failure::Refused(status, told()));
    }
    let is_error = |value: serde_json::Value| value.get("status").is_some_and(|s| s == "error");
    let is_taken =
        text.trim().is_empty() || serde_json::from_str(&text).is_ok_and(|value| !is_error(value));
    if is_taken { Ok(()) } else { Err(Failure::Foreign(status, told())) }
}

/// Name and password as HTTP wants them (RFC 7617).
fn login(settings: &Alertmanager) -> Result<Option<HeaderValue>, Failure> {
    let Some(auth) = &settings.basic_auth else { return Ok(None) };
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
        return Err(failed("is no ordinary file".into()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if FILE_BYTES_MAX < bytes.len() as u64 {
        return Err(failed(format!("is longer than {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}
