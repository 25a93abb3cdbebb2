//! Client certificates: whether one is asked for, who must have signed it, whom it must name.

use super::certificate;
use std::sync::Arc;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

/// What a client has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth {
    /// Nothing is asked for.
    No,
    /// Asked for; anything or nothing will do.
    Request,
    /// Some certificate, of whoever's making.
    RequireAny,
    /// None, or one that is signed by a CA of ours.
    VerifyIfGiven,
    /// One that is signed by a CA of ours.
    RequireAndVerify,
}

impl ClientAuth {
    pub(super) const ALL: [ClientAuth; 5] = [
        ClientAuth::No,
        ClientAuth::Request,
        ClientAuth::RequireAny,
        ClientAuth::VerifyIfGiven,
        ClientAuth::RequireAndVerify,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            ClientAuth::No => "NoClientCert",
            ClientAuth::Request => "RequestClientCert",
            ClientAuth::RequireAny => "RequireAnyClientCert",
            ClientAuth::VerifyIfGiven => "VerifyClientCertIfGiven",
            ClientAuth::RequireAndVerify => "RequireAndVerifyClientCert",
        }
    }

    /// Whether the signatures on a certificate are followed up to a CA.
    pub(super) fn verifies(self) -> bool {
        matches!(self, ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify)
    }

    pub(super) fn is_mandatory(self) -> bool {
        matches!(self, ClientAuth::RequireAny | ClientAuth::RequireAndVerify)
    }
}

/// Asks for a certificate and looks at it.
#[derive(Debug)]
pub(super) struct Clients {
    chain: Option<Arc<dyn ClientCertVerifier>>,
    is_mandatory: bool,
    /// If there are any, a certificate must bear one of them.
    names: Vec<String>,
    provider: Arc<CryptoProvider>,
}

impl Clients {
    /// # Errors
    /// The CAs cannot be used: as a sentence.
    pub(super) fn new(
        auth: ClientAuth,
        cas: Vec<CertificateDer<'static>>,
        names: Vec<String>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Clients, String> {
        let chain = match auth.verifies() {
            false => None,
            true => {
                let mut roots = RootCertStore::empty();
                for ca in cas {
                    roots.add(ca).map_err(|error| error.to_string())?;
                }
                let roots = Arc::new(roots);
                let builder = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
                Some(builder.build().map_err(|error| error.to_string())?)
            }
        };
        Ok(Clients { chain, is_mandatory: auth.is_mandatory(), names, provider })
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.as_ref().map_or(&[], |chain| chain.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.verify_client_cert(end_entity, intermediates, now)?;
        }
        let is_named =
            || certificate::names(end_entity).iter().any(|name| self.names.contains(name));
        if self.names.is_empty() || is_named() {
            return Ok(ClientCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
