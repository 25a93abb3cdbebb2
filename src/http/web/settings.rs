//! The web configuration, checked: what [`super::written`] means.

use super::files::Files;
use super::rate::Rate;
use super::tls::Tls;
use super::users::{HASH_FORM, Users, parse_hash};
use super::written;
use crate::config::yaml::{self, Given, Text};
use crate::config::{self, Check, Disk, Error, Fault, Problem, Zero, folder};
use crate::time::Instant;
use hyper::header::{self, HeaderName, HeaderValue};
use serde_saphyr::{Location, Spanned};
use std::path::{Path, PathBuf};

/// What the server asks of its clients, and what it adds to its answers. Not to be printed.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) tls: Option<Tls>,
    pub(super) users: Users,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) rate: Option<Rate>,
    /// Doubts about a file that is used all the same.
    pub(super) warnings: Vec<Problem>,
}

/// The file while it is being read.
pub(super) struct Reading<'t> {
    pub(super) check: Check<'t>,
    pub(super) files: &'t mut Files,
    /// Relative paths are relative to the configuration.
    pub(super) folder: PathBuf,
    /// Whoever has an account on this machine may read the configuration.
    pub(super) is_public: bool,
}

/// Reads and checks the file at `path`; keeps in `files` what it consists of, also if it is wrong.
///
/// # Errors
/// It cannot be read, or something is wrong with it; no secret is in the message.
pub(super) fn load(path: &Path, now: Instant, files: &mut Files) -> Result<Settings, Error> {
    let unreadable = |reason| Error::Unreadable { file: path.display().to_string().into(), reason };
    let content = files.read(path).map_err(unreadable)?;
    let text = String::from_utf8(content.bytes).map_err(|_| unreadable("is not UTF-8".into()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // Calendars are named in the other configuration only; a check has a place for them in any case.
    let mut disk = Disk;
    let calendars = config::Files::new(folder(path), &mut disk);
    let mut check = Check::new(&path.display().to_string(), text, now, calendars);
    check.keep_secrets();
    let file: written::File = match yaml::read(text) {
        Ok(file) => file,
        Err((at, fault)) => {
            check.error(at, fault);
            return Err(check.failed());
        }
    };
    let is_public = content.is_public;
    Reading { check, files, folder: folder(path), is_public }.settings(&file)
}

impl Reading<'_> {
    fn settings(mut self, file: &written::File) -> Result<Settings, Error> {
        let tls = file.tls_server_config.as_ref();
        let tls = tls.and_then(|tls| self.tls(tls.defined, &tls.value));
        let users = self.users(&file.basic_auth_users);
        let headers = file.http_server_config.as_ref().map_or(Vec::new(), |http| self.http(http));
        let rate = file.rate_limit.as_ref().and_then(|rate| self.rate(rate.defined, &rate.value));
        if file.tls_server_config.is_none()
            && let Some(users) = file.basic_auth_users.as_ref()
        {
            let said = "passwords without tls_server_config go over the network readably";
            self.check.warn(users.defined, said);
        }
        Ok(Settings { tls, users, headers, rate, warnings: self.check.finish()? })
    }

    fn users(&mut self, given: &Given<Spanned<yaml::Table<Spanned<written::Secret>>>>) -> Users {
        let mut users = Users::default();
        let Some(table) = given.as_ref() else { return users };
        self.check.not_empty(table.defined, table.value.is_empty());
        for (name, hash) in table.value.iter() {
            if name.value.is_empty() || name.value.contains([':', '\0']) {
                let fault = Fault::new("a user name that no client can send");
                self.check.error(name.defined, fault.accepted("a name without a colon"));
            }
            match parse_hash(&hash.value.0) {
                Ok(parts) => users.add(&name.value, &hash.value.0, &parts),
                Err(said) => self.check.error(hash.defined, Fault::new(said).accepted(HASH_FORM)),
            }
        }
        users
    }

    fn http(&mut self, http: &written::Http) -> Vec<(HeaderName, HeaderValue)> {
        if let Some(http2) = http.http2.as_ref().filter(|http2| http2.value) {
            let fault = Fault::new("http2 has no effect: only HTTP/1.1 is spoken here");
            self.check.warn(http2.defined, fault.accepted("false, or the key left out"));
        }
        let Some(headers) = http.headers.as_ref() else { return Vec::new() };
        let of = |name: &'static str| HeaderName::from_static(name);
        let rows: [(HeaderName, &Given<Text>, &[&str]); 5] = [
            (header::STRICT_TRANSPORT_SECURITY, &headers.transport, &[]),
            (header::X_CONTENT_TYPE_OPTIONS, &headers.content_type, &["nosniff"]),
            (header::X_FRAME_OPTIONS, &headers.frame, &["deny", "sameorigin"]),
            (of("x-xss-protection"), &headers.xss, &[]),
            (header::CONTENT_SECURITY_POLICY, &headers.policy, &[]),
        ];
        let mut found = Vec::new();
        for (name, given, words) in rows {
            // An empty value leaves the answers as they are.
            let Some(text) = given.as_ref().filter(|text| !text.value.is_empty()) else { continue };
            if !words.is_empty() && !words.contains(&text.value.to_ascii_lowercase().as_str()) {
                self.check.unknown(text, "value", words);
            }
            match HeaderValue::from_str(&text.value) {
                Ok(value) => found.push((name, value)),
                Err(_) => self.check.error(text.defined, "a value that no header can have"),
            }
        }
        found
    }

    fn rate(&mut self, at: Location, given: &written::RateLimit) -> Option<Rate> {
        self.check.required(at, "interval", &given.interval);
        let burst = self.check.required(at, "burst", &given.burst);
        let burst = burst.and_then(|text| {
            let burst = text.value.parse().ok().filter(|burst| 1 <= *burst);
            if burst.is_none() {
                let fault = Fault::new(format!("{:?} is not a number of requests", text.value));
                self.check.error(text.defined, fault.accepted("a whole number from 1"));
            }
            burst
        });
        let interval = self.check.duration(&given.interval, Zero::Allowed);
        let interval = interval.and_then(|interval| interval.to_std().ok());
        let rate = Rate { interval: interval?, burst: burst? };
        (!rate.interval.is_zero()).then_some(rate)
    }
}
