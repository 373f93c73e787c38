//! Which certificates are trusted: those that the system trusts, and those of `--ca`.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::error::{Error, Result};

/// The largest file of certificates that is read, in bytes; that of a system is a quarter of a megabyte.
const CA_AT_MOST: u64 = 4 << 20;
/// Later than any certificate ends, in seconds since the epoch: the year 9999.
const END_OF_TIME: u64 = 253_402_300_799;

#[derive(Debug)]
pub(super) struct Trust {
    /// Those of `--ca`.
    pub(super) own: Vec<CertificateDer<'static>>,
    /// All, with `own`.
    pub(super) roots: Vec<CertificateDer<'static>>,
    verifier: Arc<WebPkiServerVerifier>,
}

/// What a server showed in the handshake.
#[derive(Debug)]
pub(super) struct Chain {
    end_entity: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
}

/// Why a certificate is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Untrusted {
    pub(super) reason: String,
    pub(super) is_of_unknown_issuer: bool,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Trust {
    /// Reads the certificates of the system, and those of the file `ca`.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when the file cannot be read or has no certificate, and when
    /// there is no certificate at all.
    pub(super) fn load(ca: Option<&Path>) -> Result<Self> {
        let own = ca.map_or_else(|| Ok(vec![]), read)?;
        // What the system has and cannot be read is missing where it is needed, and shows there.
        let system = rustls_native_certs::load_native_certs().certs;
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(system.iter().chain(&own).cloned());
        let verifier = WebPkiServerVerifier::builder(Arc::new(store)).build().map_err(|error| {
            Error::input("no root certificates were found")
                .because(error)
                .hint("install the system's certificates (Debian: `apt-get install ca-certificates`), or add `--ca FILE`")
        })?;
        let roots = system.into_iter().chain(own.iter().cloned()).collect();
        Ok(Self { own, roots, verifier })
    }

    /// A configuration for one handshake, which succeeds with any certificate; `seen` has it afterwards, to be
    /// [judged](Self::judge) before anything is sent.
    pub(super) fn recording(&self, seen: &Seen) -> Arc<ClientConfig> {
        let recorder = Recorder { verifier: self.verifier.clone(), seen: seen.clone() };
        let config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(recorder))
            .with_no_client_auth();
        Arc::new(config)
    }

    /// When the certificate of `chain` ends, if it is valid for `host` at the time `now`.
    ///
    /// # Errors
    /// Why it is not.
    pub(super) fn judge(&self, chain: &Chain, host: &str, now: Timestamp) -> Result<Timestamp, Untrusted> {
        let plain = |reason: &str| Untrusted { reason: reason.to_owned(), is_of_unknown_issuer: false };
        let name = server_name(host).ok_or_else(|| plain("not a host that a certificate can name"))?;
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        self.verify(chain, &name, seconds).map_err(|error| untrusted(&error, host))?;
        // The verifier names the end of a certificate that has ended, so that none is parsed here.
        match self.verify(chain, &name, END_OF_TIME) {
            Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
                not_after, ..
            })) => date(not_after).ok_or_else(|| plain("a certificate without an end")),
            _ => Err(plain("a certificate without an end")),
        }
    }

    fn verify(&self, chain: &Chain, name: &ServerName<'_>, seconds: u64) -> Result<(), rustls::Error> {
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let Chain { end_entity, intermediates } = chain;
        self.verifier.verify_server_cert(end_entity, intermediates, name, &[], at).map(|_| ())
    }
}

/// The name that a certificate for `host` has to have.
pub(super) fn server_name(host: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).ok()
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let unread = |error: std::io::Error| {
        Error::input(format!("cannot read `--ca {}`", path.display()))
            .because(error)
            .hint("name a readable PEM file")
    };
    let mut bytes = vec![];
    File::open(path).and_then(|file| file.take(CA_AT_MOST).read_to_end(&mut bytes)).map_err(unread)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Error::input(format!("`--ca {}` has no certificates in PEM form", path.display())).hint(
            "name the file of the certificate authority, which begins with `-----BEGIN CERTIFICATE-----`",
        )),
    }
}

fn date(time: UnixTime) -> Option<Timestamp> {
    i64::try_from(time.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok())
}

pub(super) fn untrusted(error: &rustls::Error, host: &str) -> Untrusted {
    let rustls::Error::InvalidCertificate(error) = error else {
        return Untrusted { reason: crate::text::clean(&error.to_string()), is_of_unknown_issuer: false };
    };
    let day =
        |time: &UnixTime| date(*time).map(|date| date.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
    let reason = match error {
        CertificateError::UnknownIssuer => {
            "the certificate is self-signed, of a private authority, or sent without its intermediate certificates"
                .to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => format!("the certificate expired on {}", day(not_after)),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the certificate is not valid before {}", day(not_before))
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("the certificate is not for {host} but for {}", names(presented))
        }
        CertificateError::NotValidForName => format!("the certificate is not for {host}"),
        other => format!("the certificate is not valid: {}", crate::text::clean(&other.to_string())),
    };
    Untrusted { reason, is_of_unknown_issuer: *error == CertificateError::UnknownIssuer }
}

/// The first of the names in a certificate, which the verifier writes as `DnsName("a.example")`.
fn names(presented: &[String]) -> String {
    const SHOWN: usize = 3;
    let name = |text: &String| crate::text::clean(text.split('"').nth(1).unwrap_or(text));
    let mut names: Vec<_> = presented.iter().take(SHOWN).map(name).collect();
    names.extend((presented.len() > SHOWN).then(|| format!("{} others", presented.len() - SHOWN)));
    names.join(", ")
}

/// Where the certificate of a handshake goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Option<Chain>>>);

impl Seen {
    pub(super) fn take(&self) -> Option<Chain> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Accepts each certificate and keeps it. That the server has its key is verified all the same.
#[derive(Debug)]
struct Recorder {
    verifier: Arc<WebPkiServerVerifier>,
    seen: Seen,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let intermediates = intermediates.iter().map(|one| one.clone().into_owned()).collect();
        let chain = Chain { end_entity: end_entity.clone().into_owned(), intermediates };
        *self.seen.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
