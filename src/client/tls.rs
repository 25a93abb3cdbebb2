//! Encryption: whom we trust, and who we are.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::{Failure, read};
use crate::config::Peer;

/// Reads the files anew, so that a certificate that was renewed is used from the next request on.
pub(super) fn connector(peer: &Peer) -> Result<(TlsConnector, ServerName<'static>), Failure> {
    let tls = &peer.tls;
    let roots = match &tls.ca_file {
        Some(file) => roots(certificates(file)?),
        None => roots(rustls_native_certs::load_native_certs().certs),
    };
    if roots.is_empty() {
        return Err(Failure::Tls(
            "nobody is trusted: there is no certificate of an authority".into(),
        ));
    }
    let said = |e: tokio_rustls::rustls::Error| Failure::Tls(e.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(said)?;
    let builder = builder.with_root_certificates(roots);
    let config = match &tls.own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            builder.with_client_auth_cert(certificates(certificate)?, key_of(key)?).map_err(said)?
        }
    };
    let name = tls.server_name.as_ref().unwrap_or(&peer.url.host);
    let name = ServerName::try_from(name.clone());
    let name = name.map_err(|_| Failure::Tls(format!("{} has no name to check", peer.url)))?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}

fn roots(certificates: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    roots
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let bytes = read(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Failure::File(file.to_owned(), "holds no certificate in PEM form".into())),
    }
}

fn key_of(file: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    let key = PrivateKeyDer::from_pem_slice(&read(file)?);
    // The library's error could quote the file.
    key.map_err(|_| Failure::File(file.to_owned(), "holds no private key in PEM form".into()))
}
