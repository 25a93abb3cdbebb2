//! An Alertmanager that behaves as it is told, one behaviour for each connection.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    /// Status and body.
    Answer(u16, &'static str),
    /// Refuses more alerts than this in one post, and those of one procedure.
    Particular(usize, &'static str),
    /// A body that goes on for ever.
    Endless,
    /// A header that goes on for ever.
    EndlessHead,
    /// Takes the request and says nothing.
    Silent,
    /// Takes the request and hangs up.
    Close,
}

/// One request as it came in.
pub struct Received {
    pub path: String,
    pub login: Option<String>,
    pub body: Value,
}

pub struct Fake {
    pub port: u16,
    received: Mutex<UnboundedReceiver<Received>>,
    task: tokio::task::JoinHandle<()>,
}

impl Fake {
    pub async fn start(behaviours: Vec<Behaviour>) -> Fake {
        Fake::run(None, behaviours).await
    }

    /// With the certificate of this folder.
    pub async fn encrypted(home: &Path, behaviours: Vec<Behaviour>) -> Fake {
        let read = |name: &str| std::fs::read(home.join(name)).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(&read("own.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(&read("key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Fake::run(Some(TlsAcceptor::from(Arc::new(config))), behaviours).await
    }

    async fn run(acceptor: Option<TlsAcceptor>, behaviours: Vec<Behaviour>) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = unbounded_channel();
        let task = tokio::spawn(async move {
            for behaviour in behaviours {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, behaviour, sender).await,
                        Some(acceptor) => {
                            // Whoever does not trust us hangs up.
                            let Ok(stream) = acceptor.accept(stream).await else { return };
                            serve(stream, behaviour, sender).await;
                        }
                    }
                });
            }
            std::future::pending::<()>().await;
        });
        Fake { port, received: Mutex::new(received), task }
    }

    /// Stops listening.
    pub fn into_port(self) -> u16 {
        self.port
    }

    /// The next requests.
    pub async fn received(&self, count: usize) -> Vec<Received> {
        let mut all = Vec::new();
        while all.len() < count {
            let next = timeout(super::PATIENCE, async { self.received.lock().await.recv().await });
            all.push(next.await.expect("in time").expect("a request"));
        }
        all
    }

    /// All requests that came in since they were last asked for.
    pub fn all(&self) -> Vec<Received> {
        let mut received = self.received.try_lock().unwrap();
        std::iter::from_fn(|| received.try_recv().ok()).collect()
    }

    pub fn is_quiet(&self) -> bool {
        self.received.try_lock().unwrap().is_empty()
    }

    /// Lets others go on until it holds.
    pub async fn until(&self, holds: impl Fn() -> bool) {
        let others = async {
            while !holds() {
                tokio::task::yield_now().await;
            }
        };
        timeout(super::PATIENCE, others).await.expect("in time");
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    behaviour: Behaviour,
    sender: UnboundedSender<Received>,
) {
    let Some(request) = request(&mut stream).await else { return };
    let behaviour = match behaviour {
        Behaviour::Particular(most, procedure) => {
            let alerts = request.body.as_array().cloned().unwrap_or_default();
            let is_bad = alerts.iter().any(|alert| alert["labels"]["procedure"] == procedure);
            match (most < alerts.len(), is_bad) {
                (true, _) => Behaviour::Answer(413, "too large"),
                (false, true) => Behaviour::Answer(400, "bad"),
                (false, false) => Behaviour::Answer(200, ""),
            }
        }
        other => other,
    };
    let _ = sender.send(request);
    let head = |status: u16| format!("HTTP/1.1 {status} x\r\nConnection: close\r\n");
    // The other side may have heard enough.
    let _ = match behaviour {
        Behaviour::Answer(status, body) => {
            let location = "Location: file:///etc/passwd\r\n";
            let text =
                format!("{}{location}Content-Length: {}\r\n\r\n{body}", head(status), body.len());
            let sent = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
            sent
        }
        Behaviour::Endless => for_ever(&mut stream, format!("{}\r\n", head(200)), "more ").await,
        Behaviour::EndlessHead => {
            for_ever(&mut stream, format!("{}X-A: ", head(200)), "more ").await
        }
        Behaviour::Silent => {
            tokio::time::timeout(Duration::MAX, std::future::pending::<()>()).await.ok();
            Ok(())
        }
        Behaviour::Close | Behaviour::Particular(..) => Ok(()),
    };
}

async fn for_ever(
    stream: &mut (impl AsyncWrite + Unpin),
    begin: String,
    more: &str,
) -> std::io::Result<()> {
    stream.write_all(begin.as_bytes()).await?;
    let more = more.repeat(1_000);
    loop {
        stream.write_all(more.as_bytes()).await?;
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = |name: &str| {
            let line = head.lines().find(|line| line.to_lowercase().starts_with(name))?;
            Some(line.split_once(": ")?.1.to_owned())
        };
        let length: usize = header("content-length").map_or(0, |n| n.parse().unwrap());
        if body.len() == length {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let body = serde_json::from_str(body).unwrap_or(Value::Null);
            return Some(Received { path, login: header("authorization"), body });
        }
    }
}

/// Writes `ca.pem`, `own.pem` with `key.pem` for `alertmanager.example`, and `other.pem` of somebody else.
pub fn certificates(home: &Path) -> PathBuf {
    let authority = || {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ca, other, key) = (authority(), authority(), KeyPair::generate().unwrap());
    let own = CertificateParams::new(vec!["alertmanager.example".into()]).unwrap();
    let own = own.signed_by(&key, &ca).unwrap();
    for (name, text) in [
        ("ca.pem", ca.pem()),
        ("other.pem", other.pem()),
        ("own.pem", own.pem()),
        ("key.pem", key.serialize_pem()),
    ] {
        std::fs::write(home.join(name), text).unwrap();
    }
    home.to_owned()
}

/// `own.pem` and `key.pem` of a server that shows the certificate of an authority.
pub fn authority_as_server(home: &Path) {
    let mut params = CertificateParams::new(vec!["alertmanager.example".into()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = params.self_signed(&key).unwrap();
    std::fs::write(home.join("own.pem"), own.pem()).unwrap();
    std::fs::write(home.join("key.pem"), key.serialize_pem()).unwrap();
}
