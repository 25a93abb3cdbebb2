//! The names that we are known by. A page elsewhere can make its own name point at our address (DNS rebinding), and
//! its readers' browsers then take us for a part of that page; but the name in the request stays that of the page.

use crate::config::{Scheme, Url};
use hyper::http::uri::Authority;
use std::net::IpAddr;

/// Names under which requests that change something are taken, beside addresses in numbers and `localhost`: nobody
/// else can make those point elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Names {
    known: Vec<String>,
    /// Scheme and authority of the external URL, as a browser writes them.
    external: Option<String>,
}

impl Names {
    /// `external`: under which we are reached by others, say through a proxy. `listed`: further names. `machine`: its
    /// own name, if it has one.
    pub fn new(external: Option<&Url>, listed: &[String], machine: Option<&str>) -> Names {
        let machine = machine.filter(|name| !name.is_empty());
        let short = machine.and_then(|name| name.split('.').next());
        let url = external.map(|url| url.host.as_str());
        let listed = listed.iter().map(String::as_str);
        let known = listed.chain(machine).chain(short).chain(url).map(plain).collect();
        Names { known, external: external.map(origin_of) }
    }

    /// Whether a host, without its port, is one of ours; `served`: the names in the certificate that was shown.
    pub(super) fn know(&self, host: &str, served: &[String]) -> bool {
        let host = plain(host);
        let number = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || number.parse::<IpAddr>().is_ok()
            || self.known.contains(&host)
            || served.iter().any(|name| covers(&plain(name), &host))
    }

    /// Whether a page of this origin (RFC 6454) is one of those that we serve under the authority of the request.
    pub(super) fn is_own(&self, origin: &str, authority: &Authority, is_encrypted: bool) -> bool {
        let origin = origin.to_ascii_lowercase();
        if self.external.as_ref() == Some(&origin) {
            return true;
        }
        let Some((scheme, rest)) = origin.split_once("://") else { return false };
        // Who speaks plainly may be a proxy that is spoken to with encryption.
        let is_scheme = scheme == "https" || (scheme == "http" && !is_encrypted);
        let default = if scheme == "https" { ":443" } else { ":80" };
        let short = |text: &str| text.strip_suffix(default).unwrap_or(text).to_owned();
        is_scheme && short(rest) == short(&authority.as_str().to_ascii_lowercase())
    }
}

/// As names are compared: in lower case, without the dot at the end of a full one.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Whether a name in a certificate stands for the host: `*` is one label, the first (RFC 9525, section 6.3).
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => name == host,
    }
}

/// An origin as browsers write it: without the port that goes without saying.
fn origin_of(url: &Url) -> String {
    let (scheme, port) = match url.scheme {
        Scheme::Http => ("http", ":80"),
        Scheme::Https => ("https", ":443"),
    };
    let authority = url.authority();
    let authority = authority.strip_suffix(port).unwrap_or(&authority);
    format!("{scheme}://{authority}").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let url = Url::parse("https://Offhours.Example/watch").unwrap();
        Names::new(Some(&url), &["proxy.example".to_owned()], Some("node7.corp.example"))
    }

    #[test]
    fn only_names_that_nobody_else_can_point_at_us_are_known() {
        let served = ["tls.example".to_owned(), "*.wild.example".to_owned()];
        for (host, want) in [
            ("localhost", true),
            ("LOCALHOST", true),
            ("localhost.", true),
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("[::1]", true),
            ("[fe80::1]", true),
            ("offhours.example", true),
            ("proxy.example", true),
            ("Proxy.Example.", true),
            ("node7", true),
            ("node7.corp.example", true),
            ("tls.example", true),
            ("a.wild.example", true),
            ("a.b.wild.example", false),
            ("wild.example", false),
            ("evil.example", false),
            ("node7.evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("offhours.example.evil.example", false),
            ("2130706433", false),
            ("", false),
        ] {
            assert_eq!(names().know(host, &served), want, "{host}");
        }
        assert!(!names().know("tls.example", &[]));
        assert!(!Names::default().know("offhours.example", &[]));
    }

    #[test]
    fn an_origin_is_own_under_the_name_that_was_asked() {
        let check = |origin: &str, authority: &str, is_encrypted: bool, want: bool| {
            let authority: Authority = authority.parse().unwrap();
            let got = names().is_own(origin, &authority, is_encrypted);
            assert_eq!(got, want, "{origin} at {authority}");
        };
        for (origin, authority, is_encrypted, want) in [
            ("http://a:11310", "a:11310", false, true),
            ("http://A:11310", "a:11310", false, true),
            ("http://a", "a:80", false, true),
            ("https://a", "a:443", true, true),
            ("https://a", "a", false, true),
            ("http://a", "a", true, false),
            ("http://a:1", "a:2", false, false),
            ("http://a", "a:11310", false, false),
            ("ftp://a", "a", false, false),
            ("null", "a", false, false),
            ("", "a", false, false),
            ("a", "a", false, false),
            ("http://b", "a", false, false),
            ("https://offhours.example", "127.0.0.1:11310", false, true),
            ("http://offhours.example", "127.0.0.1:11310", false, false),
        ] {
            check(origin, authority, is_encrypted, want);
        }
    }
}
