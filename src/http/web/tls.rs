//! `tls_server_config`: from its keys to what the TLS library wants.

use super::certificate;
use super::clients::{ClientAuth, Clients};
use super::settings::Reading;
use super::written::{self, Secret};
use crate::config::Fault;
use crate::config::yaml::{Given, Text};
use crate::time::{Instant, rfc3339};
use serde_saphyr::{Location, Spanned};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::NoServerSessionStorage;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, CipherSuite, NamedGroup, ServerConfig, SupportedProtocolVersion};

/// What is spoken on an encrypted connection, as ALPN names it.
const PROTOCOL: &[u8] = b"http/1.1";

/// Encryption as configured. Not to be printed.
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    /// When the first certificate of the chain that is served ends.
    pub(super) not_after: Option<Instant>,
    /// Whom the certificate names.
    pub(super) names: Vec<String>,
    /// No connection without a client certificate.
    pub(super) wants_certificate: bool,
}

/// One value in PEM form, from the file itself or from one of its own.
struct Pem {
    at: Location,
    /// How messages call it.
    name: String,
    bytes: Vec<u8>,
    is_public: bool,
}

/// The TLS versions that are spoken, oldest first.
const VERSIONS: [(&str, &SupportedProtocolVersion); 2] = [("TLS12", &TLS12), ("TLS13", &TLS13)];

/// The names of Go's crypto/tls for the curves.
const CURVES: [(&str, NamedGroup); 3] = [
    ("X25519", NamedGroup::X25519),
    ("CurveP256", NamedGroup::secp256r1),
    ("CurveP384", NamedGroup::secp384r1),
];

/// The names of Go's crypto/tls for the cipher suites.
const SUITES: [(&str, CipherSuite); 9] = [
    ("TLS_AES_128_GCM_SHA256", CipherSuite::TLS13_AES_128_GCM_SHA256),
    ("TLS_AES_256_GCM_SHA384", CipherSuite::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

impl Reading<'_> {
    /// `None` if something is wrong, which is told by then.
    pub(super) fn tls(&mut self, at: Location, w: &written::Tls) -> Option<Tls> {
        let cert = self.pem(("cert", &w.cert), ("cert_file", &w.cert_file));
        let key = self.pem(("key", &w.key), ("key_file", &w.key_file));
        for (name, is_given) in [
            ("cert_file", w.cert.is_some() || w.cert_file.is_some()),
            ("key_file", w.key.is_some() || w.key_file.is_some()),
        ] {
            if !is_given {
                self.check.error(at, format!("missing key {name:?}"));
            }
        }
        let versions = self.versions(w);
        let provider = self.provider(w).map(Arc::new);
        let clients = self.clients(at, w, provider.clone());
        let chain = cert.as_ref().and_then(|pem| self.certificates(pem));
        let secret = key.as_ref().and_then(|pem| self.private_key(pem));
        let (cert, key, chain, secret) = (cert?, key?, chain?, secret?);
        let not_after = self.validity(&cert, &chain);
        let names = chain.first().map_or(Vec::new(), |first| certificate::names(first));
        let builder = ServerConfig::builder_with_provider(provider?);
        let builder = match builder.with_protocol_versions(&versions?) {
            Ok(builder) => builder,
            Err(error) => {
                let at = w.cipher_suites.as_ref().map_or(at, |list| list.defined);
                self.check.error(at, format!("nothing is left to be offered: {}", words(&error)));
                return None;
            }
        };
        let (auth, clients) = clients?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(Arc::new(clients)),
        };
        let mut config = match builder.with_single_cert(chain, secret) {
            Ok(config) => config,
            Err(rustls::Error::InconsistentKeys(_)) => {
                let said = format!("{} does not belong to the certificate", key.name);
                self.check.error(key.at, said);
                return None;
            }
            Err(error) => {
                self.check.error(key.at, format!("{}: {}", key.name, words(&error)));
                return None;
            }
        };
        config.ignore_client_order =
            w.prefer_server_cipher_suites.as_ref().is_none_or(|prefer| prefer.value);
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        // A session that is resumed would not be looked at again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let wants_certificate = auth.is_mandatory();
        Some(Tls { config: Arc::new(config), not_after, names, wants_certificate })
    }

    /// The value, wherever it is written; both places are one too many.
    fn pem(
        &mut self,
        (name, inline): (&str, &Given<Spanned<Secret>>),
        (file_name, file): (&str, &Given<Text>),
    ) -> Option<Pem> {
        match (inline.as_ref(), file.as_ref()) {
            (Some(_), Some(file)) => {
                self.check.error(file.defined, format!("{name:?} and {file_name:?} at once"));
                None
            }
            (Some(text), None) => Some(Pem {
                at: text.defined,
                name: name.to_owned(),
                bytes: text.value.0.as_bytes().to_vec(),
                is_public: self.is_public,
            }),
            (None, Some(path)) => {
                let name = format!("{file_name} {:?}", self.check.text(path)?);
                match self.files.read(&self.folder.join(&path.value)) {
                    Ok(content) => Some(Pem {
                        at: path.defined,
                        name,
                        bytes: content.bytes,
                        is_public: content.is_public,
                    }),
                    Err(error) => {
                        self.check.error(path.defined, format!("{name} {error}"));
                        None
                    }
                }
            }
            (None, None) => None,
        }
    }

    fn certificates(&mut self, pem: &Pem) -> Option<Vec<CertificateDer<'static>>> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.bytes).collect();
        let found = found.ok().filter(|found| {
            !found.is_empty() && found.iter().all(|one| certificate::not_after(one).is_some())
        });
        if found.is_none() {
            let fault = Fault::new(format!("{} holds no certificate that can be read", pem.name));
            self.check.error(pem.at, fault.accepted("X.509 certificates in PEM form"));
        }
        found
    }

    fn private_key(&mut self, pem: &Pem) -> Option<PrivateKeyDer<'static>> {
        if pem.is_public {
            let said = format!("{} can be read by every user of this machine", pem.name);
            self.check.warn(pem.at, Fault::new(said).accepted("mode 0600 or 0640"));
        }
        let found = PrivateKeyDer::from_pem_slice(&pem.bytes).ok();
        if found.is_none() {
            let fault = Fault::new(format!("{} holds no private key that can be read", pem.name));
            let accepted = "PKCS#8, PKCS#1 or SEC1 in PEM form, without a passphrase";
            self.check.error(pem.at, fault.accepted(accepted));
        }
        found
    }

    /// When the chain ends; a warning if that is over.
    fn validity(&mut self, pem: &Pem, chain: &[CertificateDer<'_>]) -> Option<Instant> {
        let end = chain.iter().filter_map(|one| certificate::not_after(one)).min()?;
        if end <= self.check.now {
            let said = format!("{} holds a certificate that ended {}", pem.name, rfc3339(end));
            self.check.warn(pem.at, said);
        }
        Some(end)
    }

    /// From the oldest to the newest that is spoken; both ends are in.
    fn versions(&mut self, w: &written::Tls) -> Option<Vec<&'static SupportedProtocolVersion>> {
        let min = self.version(&w.min_version, 0);
        let max = self.version(&w.max_version, VERSIONS.len() - 1);
        let (min, max) = (min?, max?);
        if max < min {
            let at = w.max_version.as_ref().or(w.min_version.as_ref())?.defined;
            self.check.error(at, "max_version is below min_version");
            return None;
        }
        let spoken = VERSIONS.iter().take(max + 1).skip(min);
        Some(spoken.map(|(_, version)| *version).collect())
    }

    fn version(&mut self, given: &Given<Text>, default: usize) -> Option<usize> {
        let Some(text) = given.as_ref() else { return Some(default) };
        let found = VERSIONS.iter().position(|(name, _)| *name == text.value);
        if found.is_none() {
            let names = VERSIONS.map(|(name, _)| name);
            self.check.unknown(text, "or outdated TLS version", &names);
        }
        found
    }

    /// The algorithms that are offered. The suites of TLS 1.3 always are, as in Go.
    fn provider(&mut self, w: &written::Tls) -> Option<CryptoProvider> {
        let mut provider = ring::default_provider();
        if w.cipher_suites.is_some() {
            let wanted = self.named(&w.cipher_suites, "or unsafe cipher suite", &SUITES)?;
            let all = provider.cipher_suites;
            let (new, old): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|suite| suite.tls13().is_some());
            let chosen = wanted.iter().filter_map(|name| old.iter().find(|s| s.suite() == *name));
            provider.cipher_suites = new.into_iter().chain(chosen.copied()).collect();
        }
        if w.curve_preferences.is_some() {
            let wanted = self.named(&w.curve_preferences, "curve", &CURVES)?;
            let all = &provider.kx_groups;
            let chosen = wanted.iter().filter_map(|name| all.iter().find(|g| g.name() == *name));
            provider.kx_groups = chosen.copied().collect();
        }
        Some(provider)
    }

    /// The values of a list of names, in its order; `None` if one of them is wrong.
    fn named<T: Copy>(
        &mut self,
        given: &Given<Spanned<Vec<Text>>>,
        what: &str,
        known: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let mut found = Some(Vec::new());
        for text in self.check.list(given) {
            match known.iter().find(|(name, _)| *name == text.value) {
                Some((_, value)) => found.iter_mut().for_each(|found| found.push(*value)),
                None => {
                    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                    self.check.unknown(text, what, &names);
                    found = None;
                }
            }
        }
        found
    }

    fn clients(
        &mut self,
        at: Location,
        w: &written::Tls,
        provider: Option<Arc<CryptoProvider>>,
    ) -> Option<(ClientAuth, Option<Clients>)> {
        let auth = match w.client_auth_type.as_ref() {
            None => Some(ClientAuth::No),
            Some(text) => {
                self.check.word(text, "client_auth_type", &ClientAuth::ALL, ClientAuth::as_str)
            }
        };
        let pem = self.pem(("client_ca", &w.client_ca), ("client_ca_file", &w.client_ca_file));
        let cas = pem.as_ref().map(|pem| self.certificates(pem));
        let is_ca_given = w.client_ca.is_some() || w.client_ca_file.is_some();
        let names = self.check.list(&w.client_allowed_sans);
        let names: Vec<String> = names.iter().map(|name| name.value.clone()).collect();
        let auth = auth?;
        let auth_at = w.client_auth_type.as_ref().map_or(at, |text| text.defined);
        if auth == ClientAuth::No {
            let sans = w.client_allowed_sans.as_ref().map(|list| list.defined);
            for (key, at) in [("a client CA", pem.map(|p| p.at)), ("client_allowed_sans", sans)] {
                let Some(at) = at else { continue };
                let said = format!("{key} without a client_auth_type: nobody would be asked");
                let accepted = ClientAuth::RequireAndVerify.as_str();
                self.check.error(at, Fault::new(said).accepted(accepted));
            }
            return Some((auth, None));
        }
        if auth.verifies() && !is_ca_given {
            self.check.error(auth_at, format!("{} without a client_ca_file", auth.as_str()));
            return None;
        }
        if !auth.verifies() {
            let said = format!("{}: a certificate of anybody's making is taken", auth.as_str());
            let accepted =
                format!("{}, to keep anybody out", ClientAuth::RequireAndVerify.as_str());
            self.check.warn(auth_at, Fault::new(said).accepted(accepted));
        }
        // What cannot be read is told already.
        let cas = match is_ca_given {
            true => cas.flatten()?,
            false => Vec::new(),
        };
        match Clients::new(auth, cas, names, provider?) {
            Ok(clients) => Some((auth, Some(clients))),
            Err(error) => {
                let at = pem.map_or(auth_at, |pem| pem.at);
                self.check.error(at, format!("the client CAs cannot be used: {error}"));
                None
            }
        }
    }
}

/// The library's error without its preamble.
fn words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::General(words) => words.clone(),
        other => other.to_string(),
    }
}
