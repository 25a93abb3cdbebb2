//! Certificates of the moment, a folder to keep them in, and clients that speak TLS.

use crate::http::tests::support::{Fake, Reply, Server, lenient, soon};
use crate::http::{Limits, Web};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType, date_time_ymd,
};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

/// A folder with a CA, a server's certificate, some clients' and some broken files.
pub struct Papers(TempDir);

impl Papers {
    pub fn new() -> Papers {
        let papers = Papers(tempfile::tempdir().unwrap());
        let ca = authority();
        let foreign = authority();
        papers.write("ca.crt", &ca.pem());
        let server = KeyPair::generate().unwrap();
        papers.write("server.key", &server.serialize_pem());
        papers.write("public.key", &server.serialize_pem());
        papers.set_mode("public.key", 0o644);
        papers.write("other.key", &KeyPair::generate().unwrap().serialize_pem());
        papers.write("junk", "hunter2\n");
        let mut params =
            CertificateParams::new(["localhost".to_owned(), "served.example".to_owned()]).unwrap();
        papers.write("server.crt", &params.signed_by(&server, &ca).unwrap().pem());
        params.not_after = date_time_ymd(2020, 1, 1);
        papers.write("expired.crt", &params.signed_by(&server, &ca).unwrap().pem());
        for (name, ca, san) in [
            ("prometheus", &ca, "prometheus.example"),
            ("other", &ca, "other.example"),
            ("foreign", &foreign, "prometheus.example"),
        ] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new([san.to_owned()]).unwrap();
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
            params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 9].into()));
            papers.write(&format!("{name}.crt"), &params.signed_by(&key, ca).unwrap().pem());
            papers.write(&format!("{name}.key"), &key.serialize_pem());
        }
        papers
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Only its owner may read it.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
        self.set_mode(name, 0o600);
    }

    fn set_mode(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(mode)).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// A server with this as its web configuration.
    pub async fn serve(&self, text: &str, limits: Limits) -> Server {
        self.serve_fake(Fake::default(), text, limits).await
    }

    pub async fn serve_fake(&self, fake: Fake, text: &str, limits: Limits) -> Server {
        self.write("web.yml", text);
        let web = Web::open(Some(&self.path("web.yml"))).unwrap_or_else(|error| panic!("{error}"));
        Server::guarded(fake, limits, web).await
    }

    /// A server with `tls_server_config` and these keys in it besides the certificate.
    pub async fn serve_tls(&self, keys: &str) -> Server {
        self.serve(&tls(keys), lenient()).await
    }

    fn certificates(&self, name: &str) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_file_iter(self.path(name)).unwrap().map(Result::unwrap).collect()
    }
}

/// A web configuration with `tls_server_config` and these keys in it besides the certificate.
pub fn tls(keys: &str) -> String {
    let mut text =
        "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n".to_owned();
    for key in keys.split("; ").filter(|key| !key.is_empty()) {
        text += &format!("  {key}\n");
    }
    text
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a client brings.
#[derive(Clone)]
pub struct Caller {
    pub versions: Vec<&'static SupportedProtocolVersion>,
    pub provider: CryptoProvider,
    /// The name of its certificate and key.
    pub identity: Option<&'static str>,
    pub protocols: Vec<&'static str>,
}

impl Default for Caller {
    fn default() -> Caller {
        Caller {
            versions: vec![&TLS12, &TLS13],
            provider: ring::default_provider(),
            identity: None,
            protocols: Vec::new(),
        }
    }
}

impl Caller {
    pub fn with(identity: &'static str) -> Caller {
        Caller { identity: Some(identity), ..Caller::default() }
    }

    /// One request over a connection of its own; `Err` if the connection is cut.
    pub async fn ask(
        &self,
        papers: &Papers,
        server: &Server,
        request: &str,
    ) -> Result<Reply, String> {
        let mut roots = RootCertStore::empty();
        papers.certificates("ca.crt").into_iter().for_each(|ca| roots.add(ca).unwrap());
        let config = ClientConfig::builder_with_provider(Arc::new(self.provider.clone()))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match self.identity {
            None => config.with_no_client_auth(),
            Some(name) => {
                let key =
                    PrivateKeyDer::from_pem_file(papers.path(&format!("{name}.key"))).unwrap();
                let chain = papers.certificates(&format!("{name}.crt"));
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols =
            self.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let socket = soon(TcpStream::connect(server.address)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connect = TlsConnector::from(Arc::new(config)).connect(name, socket);
        let mut stream = soon(connect).await.map_err(|error| error.to_string())?;
        let request = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        let sent = soon(stream.write_all(request.as_bytes())).await;
        sent.map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        soon(stream.read_to_end(&mut bytes)).await.map_err(|error| error.to_string())?;
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no head")? + 4;
        let body = bytes.split_off(end);
        Ok(Reply { head: String::from_utf8(bytes).unwrap(), body })
    }
}
