//! The web configuration (`--web.config.file`): encryption, client certificates, passwords, headers, a
//! rate limit, in the format of Prometheus' exporter-toolkit.
//!
//! The file and those it names are looked at before each connection and each request. A change for the worse
//! (something is wrong, or a protection is gone, as in a file that is just being written) is refused: what
//! was in force stays in force.

mod certificate;
mod clients;
mod files;
mod logins;
mod rate;
mod settings;
#[cfg(test)]
mod tests;
mod tls;
mod users;
mod written;

use super::{Names, Problem};
use crate::clock;
use crate::config::{Error, Problem as Mistake};
use crate::metrics::WebView;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use files::Files;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use logins::Logins;
use rate::Meter;
use settings::Settings;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_rustls::rustls::ServerConfig;

/// Longer than this nobody waits for the file system to say whether something has changed.
const LOOK: Duration = Duration::from_secs(1);

/// The web configuration in force, and what is remembered of clients.
pub struct Web {
    file: Option<PathBuf>,
    state: Mutex<State>,
    /// One look at the files at a time.
    looking: Arc<Semaphore>,
    logins: Arc<Logins>,
    meter: Meter,
    names: Names,
}

struct State {
    settings: Arc<Settings>,
    files: Files,
    is_latest: bool,
}

/// One request's view of the configuration.
pub(super) struct Rules(Arc<Settings>);

impl Web {
    /// Reads the file; without one there is neither encryption nor any question to the client.
    ///
    /// # Errors
    /// Everything that is wrong with the file, with file, line and column and without its secrets.
    pub fn open(file: Option<&Path>) -> Result<Web, Error> {
        let mut files = Files::default();
        let settings = match file {
            Some(path) => settings::load(path, clock::now(), &mut files)?,
            None => Settings::default(),
        };
        let logins = Logins::new().map_err(|_| Error::Unreadable {
            file: "random numbers".into(),
            reason: "the system has none".into(),
        })?;
        Ok(Web {
            file: file.map(Path::to_owned),
            state: Mutex::new(State { settings: Arc::new(settings), files, is_latest: true }),
            looking: Arc::new(Semaphore::new(1)),
            logins: Arc::new(logins),
            meter: Meter::default(),
            names: Names::default(),
        })
    }

    /// The same, known by more names.
    #[must_use]
    pub fn known_as(self, names: Names) -> Web {
        Web { names, ..self }
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// Doubts about the file in force.
    pub fn warnings(&self) -> Vec<Mistake> {
        self.state().settings.warnings.clone()
    }

    /// What the metrics say of it; `None` without a file.
    pub fn view(&self) -> Option<WebView> {
        self.file.as_ref()?;
        let state = self.state();
        let not_after = state.settings.tls.as_ref().and_then(|tls| tls.not_after);
        Some(WebView { is_latest: state.is_latest, certificate_end: not_after })
    }

    /// The rules as the files have them now.
    pub(super) async fn rules(self: &Arc<Web>) -> Rules {
        if self.file.is_some() {
            let web = self.clone();
            let look = async move {
                let turn = web.looking.clone().acquire_owned().await;
                tokio::task::spawn_blocking(move || {
                    let _turn = turn;
                    web.look();
                })
                .await
            };
            if timeout(LOOK, look).await.is_err() {
                tracing::debug!("the web configuration is slow to be looked at");
            }
        }
        Rules(self.state().settings.clone())
    }

    /// Loads the files again if they have changed.
    fn look(&self) {
        let Some(path) = self.file.as_ref() else { return };
        let (old, seen) = {
            let state = self.state();
            (state.settings.clone(), state.files.clone())
        };
        if !seen.have_changed() {
            return;
        }
        let mut files = Files::default();
        let loaded = settings::load(path, clock::now(), &mut files);
        let loaded = loaded.map_err(|error| error.to_string());
        let loaded = loaded.and_then(|new| match lost(&old, &new) {
            Some(what) => Err(format!("{}: {what} is gone, which takes a restart", path.display())),
            None => Ok(new),
        });
        let mut state = self.state();
        state.files = files;
        state.is_latest = loaded.is_ok();
        match loaded {
            Ok(new) => {
                new.warnings
                    .iter()
                    .for_each(|warning| tracing::warn!(%warning, "web configuration"));
                tracing::info!("web configuration loaded again");
                state.settings = Arc::new(new);
            }
            Err(error) => {
                tracing::error!(%error, "web configuration refused; the old one stays in force");
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may be answered: the rate, then name and password. Gives back the name, if one is asked for.
    ///
    /// # Errors
    /// 429, or 401 with the same words whatever is wrong.
    pub(super) async fn admit(
        &self,
        rules: &Rules,
        client: IpAddr,
        headers: &HeaderMap,
    ) -> Result<Option<String>, Problem> {
        if let Some(rate) = rules.0.rate
            && !self.meter.grants(rate, Instant::now())
        {
            let detail = "too many requests; the limit is for all clients together";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail));
        }
        if rules.0.users.is_empty() {
            return Ok(None);
        }
        let (name, is_right) = match credentials(headers) {
            Some((name, password)) => {
                (Some(name.clone()), self.is_right(rules, client, name, password).await)
            }
            None => (None, false),
        };
        let detail = "a user name and a password are needed";
        is_right.then_some(name).ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, detail))
    }

    async fn is_right(
        &self,
        rules: &Rules,
        client: IpAddr,
        name: String,
        password: Vec<u8>,
    ) -> bool {
        let settings = rules.0.clone();
        let mark = self.logins.mark(&name, settings.users.hash_of(&name), &password);
        if let Some(known) = self.logins.recall(&mark) {
            return known;
        }
        let queue = self.logins.queue_of(client);
        let _first = queue.acquire().await;
        // Another request with the same login may have been ahead in the queue.
        if let Some(known) = self.logins.recall(&mark) {
            return known;
        }
        let bench = self.logins.bench.clone().acquire_owned().await;
        let logins = self.logins.clone();
        let work = move || {
            // The place moves along: a check that outlives its request still counts.
            let _bench = bench;
            let is_right = settings.users.check(&name, &password);
            logins.remember(mark, is_right);
            is_right
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(false)
    }
}

impl Rules {
    /// How connections are encrypted, if they are.
    pub(super) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.0.tls.as_ref().map(|tls| tls.config.clone())
    }

    /// The names in the certificate that is shown.
    pub(super) fn served_names(&self) -> &[String] {
        self.0.tls.as_ref().map_or(&[], |tls| &tls.names)
    }

    /// What every answer carries besides.
    pub(super) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }
}

/// The protection that would be lost by a change: also a half-written file is a valid one.
fn lost(old: &Settings, new: &Settings) -> Option<&'static str> {
    let wants = |settings: &Settings| settings.tls.as_ref().is_some_and(|t| t.wants_certificate);
    if old.tls.is_some() && new.tls.is_none() {
        return Some("tls_server_config");
    }
    if wants(old) && !wants(new) {
        return Some("the need for a client certificate");
    }
    (!old.users.is_empty() && new.users.is_empty()).then_some("basic_auth_users")
}

/// Name and password by RFC 7617; `None` without them or if there are several.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, code) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(code.trim_matches(' ')).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (name, password) = decoded.split_at(colon);
    let name = String::from_utf8(name.to_vec()).ok()?;
    Some((name, password.get(1..)?.to_vec()))
}
