//! A certificate authority of a test.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::listen::listen;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An authority that no system trusts, with its certificate in a file for `--ca`.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: NamedTempFile,
}

/// A certificate with its key.
pub struct Identity {
    /// In PEM form.
    pub certificate: String,
    /// In PEM form.
    pub key: String,
    config: Arc<ServerConfig>,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[expect(clippy::new_without_default, reason = "it writes a file")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, format!("wbstore sandbox {:08x}", fastrand::u32(..)));
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(issuer.pem().as_bytes()).expect("it can be written");
        Self { issuer, file }
    }

    /// The file of its certificate.
    pub fn file(&self) -> &Path {
        self.file.path()
    }

    /// A certificate for loopback and `names` that is valid for 90 days.
    pub fn identity(&self, names: &[&str]) -> Identity {
        self.identity_for(names, 90)
    }

    /// The same that ends in `days`, or ended so many days ago.
    ///
    /// # Panics
    /// When a name is none.
    pub fn identity_for(&self, names: &[&str], days: i64) -> Identity {
        let names: Vec<_> = ["localhost", "127.0.0.1"].iter().chain(names).map(ToString::to_string).collect();
        self.identity_of(names, days)
    }

    /// A certificate for `names` and not for loopback.
    ///
    /// # Panics
    /// When a name is none.
    pub fn identity_elsewhere(&self, names: &[&str]) -> Identity {
        self.identity_of(names.iter().map(ToString::to_string).collect(), 90)
    }

    fn identity_of(&self, names: Vec<String>, days: i64) -> Identity {
        let mut params = CertificateParams::new(names).expect("names");
        let now = SystemTime::now();
        let span = DAY * u32::try_from(days.unsigned_abs()).expect("a reasonable number");
        params.not_before = (now - 400 * DAY).into();
        params.not_after = if days < 0 { now - span } else { now + span }.into();
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let chain = vec![certificate.der().clone()];
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).expect("its key"))
            .expect("a configuration");
        Identity { certificate: certificate.pem(), key: key.serialize_pem(), config: Arc::new(config) }
    }
}

impl Identity {
    /// What accepts TLS with it.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// The same for a server that speaks HTTP/2 and HTTP/1.1.
    pub fn http_2_acceptor(&self) -> TlsAcceptor {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// Terminates TLS before the server at `port`, and returns the port where it does.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn front(&self, port: u16) -> u16 {
        let acceptor = self.acceptor();
        listen(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut outside) = acceptor.accept(stream).await else { return };
                let address = SocketAddr::from(([127, 0, 0, 1], port));
                let Ok(mut inside) = TcpStream::connect(address).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            }
        })
        .await
    }
}
