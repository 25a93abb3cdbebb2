//! `alertmanagers`: where alerts are posted, how, and where they send people.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_saphyr::{Location, Spanned};

use crate::config::check::Check;
use crate::config::problem::Fault;
use crate::config::scalars::Zero;
use crate::config::written;
use crate::config::yaml::{Given, Text};

/// More than this would be many pages for one violation, not many hands for one.
const ALERTMANAGERS_MAX: usize = 16;

/// How long one post may take from the connection to the answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How often an alert that lasts is posted again.
const RESEND: Duration = Duration::from_secs(30);

/// How long after an alert has ended Alertmanager is told so. Longer than Prometheus usually takes to
/// scrape and evaluate once more: until then its rule still fires and would open the alert again.
const RESOLVE_DELAY: Duration = Duration::from_secs(120);

/// Labels that the alerts have anyway.
const OWN_LABELS: [&str; 5] = ["alertname", "severity", "partner", "affected_service", "procedure"];

/// What of the configuration is about paging.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paging {
    /// In the order of the file.
    pub alertmanagers: Vec<Alertmanager>,
    /// The status page, as people reach it.
    pub status_url: Option<String>,
    /// What the name of an alert is put behind, to get to its runbook; without slash at its end.
    pub runbook_url: Option<String>,
}

/// One Alertmanager. Secrets are in files, which are read at each use.
#[derive(Clone, Debug, PartialEq)]
pub struct Alertmanager {
    pub peer: Arc<Peer>,
    pub resend: Duration,
    pub resolve_delay: Duration,
    /// Added to the labels of each alert, unless it has them.
    pub external_labels: BTreeMap<String, String>,
}

/// Somebody whom we ask or tell something over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    pub url: Url,
    /// From the connection to the end of the answer.
    pub timeout: Duration,
    pub tls: Tls,
    pub basic_auth: Option<PasswordFile>,
}

/// How the other side is known, and how it knows us.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// `None`: whom the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key of our own.
    pub own: Option<(PathBuf, PathBuf)>,
    /// `None`: the host of the URL.
    pub server_name: Option<String>,
}

/// A name, and the file with its password.
#[derive(Clone, Debug, PartialEq)]
pub struct PasswordFile {
    pub username: String,
    pub password_file: PathBuf,
}

/// The scheme of a URL: `https` is over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// Where a peer is; it has no secret in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Url {
    pub scheme: Scheme,
    /// A name or an address, an IPv6 address without brackets.
    pub host: String,
    pub port: u16,
    /// What stands before each path (`/api/v2/alerts`); without slash at its end.
    pub prefix: String,
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.scheme == Scheme::Https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}

impl Url {
    /// `host:port`.
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// # Errors
    /// What is wrong with it; the text is not in it, because a password may be.
    pub fn parse(text: &str) -> Result<Url, &'static str> {
        if text.contains(['#', '?']) {
            return Err("query or fragment in URL");
        }
        let uri: hyper::Uri = text.parse().map_err(|_| "no URL")?;
        let authority = uri.authority().ok_or("no URL")?;
        if authority.as_str().contains('@') {
            return Err("name or password in URL");
        }
        let (scheme, port) = match uri.scheme_str() {
            Some("http") => (Scheme::Http, 80),
            Some("https") => (Scheme::Https, 443),
            _ => return Err("neither http nor https"),
        };
        let has_port = !authority.as_str().ends_with(authority.host());
        let port = match (has_port, uri.port_u16()) {
            (false, _) => port,
            (true, Some(port)) if port != 0 => port,
            (true, _) => return Err("no such port"),
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err("no host in URL");
        }
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Url { scheme, host: host.to_owned(), port, prefix })
    }
}

impl Check<'_> {
    /// `folder` is the absolute one of the configuration file.
    pub fn paging(&mut self, file: &written::File, folder: &Path) -> Paging {
        let mut alertmanagers: Vec<Alertmanager> = Vec::new();
        if let Some(list) = file.alertmanagers.as_ref() {
            self.not_empty(list.defined, list.value.is_empty());
            if ALERTMANAGERS_MAX < list.value.len() {
                let fault = Fault::new(format!("{} alertmanagers", list.value.len()));
                self.error(list.defined, fault.accepted(format!("at most {ALERTMANAGERS_MAX}")));
            }
            for one in &list.value {
                let found = self.alertmanager(one.defined, &one.value, folder);
                if let (Some(url), Some(found)) = (one.value.url.as_ref(), &found)
                    && alertmanagers.iter().any(|known| known.peer.url == found.peer.url)
                {
                    self.error(url.defined, format!("a second alertmanager at {}", found.peer.url));
                }
                alertmanagers.extend(found);
            }
        }
        let mut link = |given| self.link(given).map(|url| url.trim_end_matches('/').to_owned());
        let (status_url, runbook_url) = (link(&file.status_url), link(&file.runbook_url));
        Paging { alertmanagers, status_url, runbook_url }
    }

    fn alertmanager(
        &mut self,
        at: Location,
        written: &written::Alertmanager,
        folder: &Path,
    ) -> Option<Alertmanager> {
        let url = self.required(at, "url", &written.url).and_then(|text| self.url(text));
        let mut duration = |given, zero, default| {
            let found = self.duration(given, zero).map(|d| d.to_std());
            found.and_then(Result::ok).unwrap_or(default)
        };
        let timeout = duration(&written.timeout, Zero::Senseless, TIMEOUT);
        let resend = duration(&written.resend, Zero::Senseless, RESEND);
        let resolve_delay = duration(&written.resolve_delay, Zero::Allowed, RESOLVE_DELAY);
        let tls = written.tls.as_ref();
        if let (Some(tls), Some(Url { scheme: Scheme::Http, .. })) = (tls, &url) {
            self.error(tls.defined, Fault::new("tls, but the url says http").accepted("https://"));
        }
        let tls = tls.map(|tls| self.client_tls(tls, folder)).unwrap_or_default();
        let basic_auth = written.basic_auth.as_ref();
        let basic_auth = basic_auth.and_then(|auth| self.basic_auth(auth, folder));
        let external_labels = self.external_labels(&written.external_labels);
        Some(Alertmanager {
            peer: Arc::new(Peer { url: url?, timeout, tls, basic_auth }),
            resend,
            resolve_delay,
            external_labels,
        })
    }

    fn client_tls(&mut self, written: &Spanned<written::Tls>, folder: &Path) -> Tls {
        let (at, written) = (written.defined, &written.value);
        let ca_file = self.file(&written.ca_file, folder);
        let cert_file = self.file(&written.cert_file, folder);
        let key_file = self.file(&written.key_file, folder);
        let is_given = |given: &Given<Text>| given.is_some();
        match (is_given(&written.cert_file), is_given(&written.key_file)) {
            (true, false) => self.error(at, "missing key \"key_file\""),
            (false, true) => self.error(at, "missing key \"cert_file\""),
            _ => {}
        }
        let server_name = written.server_name.as_ref().and_then(|text| self.text(text));
        let server_name = server_name.map(str::to_owned);
        Tls { ca_file, own: cert_file.zip(key_file), server_name }
    }

    fn basic_auth(
        &mut self,
        written: &Spanned<written::BasicAuth>,
        folder: &Path,
    ) -> Option<PasswordFile> {
        let (at, written) = (written.defined, &written.value);
        let username = self.required(at, "username", &written.username);
        let username = username.and_then(|text| {
            if text.value.contains(':') || text.value.contains(char::is_control) {
                self.error(text.defined, "colon or control character in a user name");
            }
            self.text(text).map(str::to_owned)
        });
        self.required(at, "password_file", &written.password_file);
        let password_file = self.file(&written.password_file, folder);
        Some(PasswordFile { username: username?, password_file: password_file? })
    }

    fn external_labels(
        &mut self,
        given: &Given<crate::config::yaml::Table<Text>>,
    ) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        for (name, value) in given.as_ref().map_or(&[] as &[_], |table| table) {
            if !is_label(&name.value) {
                let fault = Fault::new(format!("{:?} is not a label name", name.value));
                self.error(name.defined, fault.accepted("letters, digits (not first) and _"));
            } else if OWN_LABELS.contains(&&*name.value) {
                self.error(name.defined, format!("the alerts have a label {:?}", name.value));
            }
            labels.insert(name.value.clone(), self.name(value).to_string());
        }
        labels
    }

    /// A file, relative to the folder of the configuration.
    fn file(&mut self, given: &Given<Text>, folder: &Path) -> Option<PathBuf> {
        let path = given.as_ref().and_then(|text| self.text(text))?;
        Some(folder.join(path))
    }

    fn url(&mut self, text: &Text) -> Option<Url> {
        let value = self.text(text)?;
        let wrong = |why| {
            Fault::new(why).accepted("http:// or https://, a host, and perhaps a port and a path")
        };
        Url::parse(value).map_err(|why| self.error(text.defined, wrong(why))).ok()
    }

    /// An address that people follow.
    fn link<'a>(&mut self, given: &'a Given<Text>) -> Option<&'a str> {
        let text = given.as_ref()?;
        let value = self.text(text)?;
        match Url::parse(value.split(['#', '?']).next().unwrap_or_default()) {
            Ok(_) => Some(value),
            Err(why) => {
                self.error(
                    text.defined,
                    Fault::new(why).accepted("http:// or https:// and a host"),
                );
                None
            }
        }
    }
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, as Prometheus has it.
fn is_label(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}
