//! The web configuration as written: every key that it may have, and nothing about what it means.
//!
//! Nothing here can be printed: two of the values are secrets.

use crate::config::yaml::{Given, Table, Text};
use serde::Deserialize;
use serde_saphyr::Spanned;

/// A value that is compared or handed to the TLS library, and never shown.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) String);

/// The whole file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) tls_server_config: Given<Spanned<Tls>>,
    pub(super) http_server_config: Given<Http>,
    pub(super) basic_auth_users: Given<Spanned<Table<Spanned<Secret>>>>,
    pub(super) rate_limit: Given<Spanned<RateLimit>>,
}

/// `tls_server_config: { ... }`
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) cert: Given<Spanned<Secret>>,
    pub(super) cert_file: Given<Text>,
    pub(super) key: Given<Spanned<Secret>>,
    pub(super) key_file: Given<Text>,
    pub(super) client_ca: Given<Spanned<Secret>>,
    pub(super) client_ca_file: Given<Text>,
    pub(super) client_auth_type: Given<Text>,
    pub(super) client_allowed_sans: Given<Spanned<Vec<Text>>>,
    pub(super) min_version: Given<Text>,
    pub(super) max_version: Given<Text>,
    pub(super) cipher_suites: Given<Spanned<Vec<Text>>>,
    pub(super) prefer_server_cipher_suites: Given<Spanned<bool>>,
    pub(super) curve_preferences: Given<Spanned<Vec<Text>>>,
}

/// `http_server_config: { ... }`
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Http {
    pub(super) http2: Given<Spanned<bool>>,
    pub(super) headers: Given<Headers>,
}

/// `headers: { ... }`: these five and no others.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Headers {
    #[serde(rename = "Strict-Transport-Security")]
    pub(super) transport: Given<Text>,
    #[serde(rename = "X-Content-Type-Options")]
    pub(super) content_type: Given<Text>,
    #[serde(rename = "X-Frame-Options")]
    pub(super) frame: Given<Text>,
    #[serde(rename = "X-XSS-Protection")]
    pub(super) xss: Given<Text>,
    #[serde(rename = "Content-Security-Policy")]
    pub(super) policy: Given<Text>,
}

/// `rate_limit: { interval, burst }`
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RateLimit {
    pub(super) interval: Given<Text>,
    pub(super) burst: Given<Text>,
}
