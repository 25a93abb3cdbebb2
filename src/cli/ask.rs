//! Whom `may-start` and `guard` ask: the offhours of this machine through its socket, or another one over HTTP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use hyper::StatusCode;

use super::StorageArg;
use crate::app::control;
use crate::app::questions::NAME_BYTES;
use crate::app::shared::Refusal;
use crate::app::sign_off::TEXT_BYTES;
use crate::client;
use crate::config::{PasswordFile, Peer, Scheme, Tls, Url};
use crate::http::Inquiry;
use crate::report::may_start::AnswerReport;
use crate::report::plain::clean;
use crate::time::parse_duration;

/// Characters that are told of an answer that is none.
const TOLD_CHARS_MAX: usize = 300;

/// How long an answer of this machine may take in all.
const LOCAL_PATIENCE: Duration = Duration::from_secs(60);

/// Which run is meant, and who means it.
#[derive(Args, Clone)]
pub struct RunArgs {
    /// The partner that carries it out.
    #[arg(long, value_parser = name)]
    pub partner: String,
    /// The procedure.
    #[arg(long, value_parser = name)]
    pub procedure: String,
    /// The service; default: all services of the procedure, and a single no means no.
    #[arg(long, value_parser = name)]
    pub service: Option<String>,
    /// The change that it is part of.
    #[arg(long, value_name = "ID", value_parser = name)]
    pub change: Option<String>,
    /// What starts it: schedule, manual, api or unknown.
    #[arg(long, value_name = "WORD")]
    pub trigger: Option<String>,
    /// How long it takes, such as 1h30m; default: as long as usual.
    #[arg(long = "for", value_name = "DURATION")]
    pub lasts: Option<String>,
    /// Who asks; default: the name of the current user.
    #[arg(long, value_name = "NAME", value_parser = text)]
    pub by: Option<String>,
}

impl RunArgs {
    pub fn inquiry(&self) -> Inquiry {
        let user = || std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).ok();
        Inquiry {
            partner: Some(self.partner.clone()),
            service: self.service.clone(),
            procedure: Some(self.procedure.clone()),
            lasts: self.lasts.clone(),
            change: self.change.clone(),
            trigger: self.trigger.clone(),
            by: self.by.clone().or_else(user).filter(|by| text(by).is_ok()),
            ..Inquiry::default()
        }
    }
}

/// Who is asked.
#[derive(Args, Clone)]
pub struct PeerArgs {
    /// Ask the offhours at this address; default: the one that uses the ledger in --storage.path.
    #[arg(long, value_name = "URL", env = "OFFHOURS_URL", hide_env = true)]
    pub url: Option<String>,
    /// Certificates of the trusted authorities; default: those of the system.
    #[arg(long = "tls.ca-file", value_name = "FILE", requires = "url")]
    ca_file: Option<PathBuf>,
    /// Client certificate.
    #[arg(long = "tls.cert-file", value_name = "FILE", requires = "key_file")]
    cert_file: Option<PathBuf>,
    /// Key of the client certificate.
    #[arg(long = "tls.key-file", value_name = "FILE", requires = "cert_file")]
    key_file: Option<PathBuf>,
    /// Name in the server's certificate, if it differs from the URL.
    #[arg(long = "tls.server-name", value_name = "NAME", requires = "url")]
    server_name: Option<String>,
    /// The user name.
    #[arg(long = "auth.username", value_name = "NAME", requires = "password_file")]
    username: Option<String>,
    /// A file with the password.
    #[arg(long = "auth.password-file", value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// How long to wait for an answer over HTTP.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = timeout)]
    timeout: Duration,
}

/// A name as it can stand in a line and in a question: a line with a longer one would not be read, and the run in it
/// not be seen.
pub fn name(given: &str) -> Result<String, String> {
    bounded(given, NAME_BYTES)
}

/// The name of a person, or a reason.
pub fn text(given: &str) -> Result<String, String> {
    bounded(given, TEXT_BYTES)
}

fn bounded(given: &str, bytes_max: usize) -> Result<String, String> {
    match given.trim() {
        text if text.is_empty() || bytes_max < text.len() => {
            Err(format!("accepted are 1 to {bytes_max} bytes that are not all blank"))
        }
        text => Ok(text.into()),
    }
}

/// A duration that is not zero.
pub fn timeout(text: &str) -> Result<Duration, String> {
    let found = parse_duration(text).and_then(|d| d.to_std().ok());
    found
        .filter(|d| !d.is_zero())
        .ok_or_else(|| format!("accepted is {}", crate::time::DURATION_FORM))
}

impl PeerArgs {
    /// The peer to ask over HTTP; `None`: the offhours of this machine is asked.
    ///
    /// # Errors
    /// The URL is none, or other options do not fit it.
    pub fn peer(&self) -> Result<Option<Arc<Peer>>, String> {
        let Some(url) = &self.url else { return Ok(None) };
        let form = "accepted are http:// or https://, a host, and perhaps a port and a path";
        let url = Url::parse(url).map_err(|why| format!("--url: {why}; {form}"))?;
        let own = self.cert_file.clone().zip(self.key_file.clone());
        let tls = Tls { ca_file: self.ca_file.clone(), own, server_name: self.server_name.clone() };
        if url.scheme == Scheme::Http && tls != Tls::default() {
            return Err("--tls options, but the --url says http".into());
        }
        let login = self.username.clone().zip(self.password_file.clone());
        let basic_auth =
            login.map(|(username, password_file)| PasswordFile { username, password_file });
        Ok(Some(Arc::new(Peer { url, timeout: self.timeout, tls, basic_auth })))
    }
}

/// Asks; `None`: no offhours runs on this machine.
///
/// # Errors
/// There is no answer. [`Refusal::Wrong`]: asking again will not help.
pub async fn ask(
    peer: Option<&Arc<Peer>>,
    storage: &StorageArg,
    inquiry: &Inquiry,
) -> Result<Option<AnswerReport>, Refusal> {
    match peer {
        Some(peer) => over_http(peer, inquiry).await.map(Some),
        None => {
            let (dir, inquiry) = (storage.storage.clone(), inquiry.clone());
            let asked = tokio::task::spawn_blocking(move || control::may_start(&dir, &inquiry));
            let dir = &storage.storage;
            let broken = |why: String| {
                Refusal::Unavailable(format!("the offhours of {}: {why}", dir.display()))
            };
            // A stopped offhours with a full queue does not even let anybody connect.
            let asked = tokio::time::timeout(LOCAL_PATIENCE, asked).await;
            let late = |_| broken(format!("no answer within {} s", LOCAL_PATIENCE.as_secs()));
            let asked = asked.map_err(late)?.map_err(|error| broken(error.to_string()))?;
            asked.map_err(|error| broken(error.to_string()))?.transpose()
        }
    }
}

async fn over_http(peer: &Arc<Peer>, inquiry: &Inquiry) -> Result<AnswerReport, Refusal> {
    let body = serde_json::to_vec(inquiry).unwrap_or_default();
    let answer = client::post(peer, "/api/v1/may-start", body).await;
    let no_answer = |why: String| Refusal::Unavailable(format!("{}: {why}", peer.url));
    let answer = answer.map_err(|failure| no_answer(failure.to_string()))?;
    let text = String::from_utf8_lossy(&answer.body);
    let told = || {
        let problem: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let detail = problem.as_ref().and_then(|p| p.get("detail")?.as_str());
        let text: String = detail.unwrap_or(text.trim()).chars().take(TOLD_CHARS_MAX).collect();
        clean(&text).into_owned()
    };
    match answer.status {
        StatusCode::OK => serde_json::from_slice(&answer.body)
            .map_err(|error| no_answer(format!("answered, but not as offhours does: {error}"))),
        StatusCode::BAD_REQUEST => Err(Refusal::Wrong(format!("{}: {}", peer.url, told()))),
        StatusCode::TOO_MANY_REQUESTS => Err(Refusal::TooMany(format!("{}: {}", peer.url, told()))),
        status => Err(no_answer(format!("answered {status}: {}", told()))),
    }
}
