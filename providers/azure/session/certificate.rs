//! A service principal that proves itself with a certificate.
//!
//! Azure's own credential for it needs OpenSSL. Its counterpart for assertions of one's own does not, and
//! an assertion is a small signed text (Microsoft identity platform, "Microsoft identity platform
//! application authentication certificate credentials").

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PSS_SHA256;
use azure_core::base64::encode_url_safe;
use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::{ClientMethodOptions, ClientOptions};
use azure_identity::{ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions};
use jiff::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// How long an assertion is valid, in seconds. Entra accepts 5 to 10 minutes.
const HOLDS_FOR: i64 = 600;

/// The credential of `client` in `tenant`, with the certificate and the key that the PEM file at `path`
/// holds.
///
/// # Errors
/// [`Kind::Input`](crate::error::Kind::Input) for a file without a certificate and an RSA key that is not
/// encrypted.
pub(super) fn credential(
    authority: &str,
    tenant: String,
    client: String,
    path: &Path,
    client_options: ClientOptions,
) -> Result<Arc<dyn TokenCredential>> {
    let unusable = |what: &str, cause: String| {
        Error::input(format!("AZURE_CLIENT_CERTIFICATE_PATH {}: {what}", path.display())).because(cause).hint(
            "use a PEM file with the certificate and its unencrypted RSA private key; `openssl pkcs12 -in \
             cert.pfx -nodes -out cert.pem` creates one from a PFX file",
        )
    };
    let text = std::fs::read(path).map_err(|error| unusable("it cannot be read", error.to_string()))?;
    let certificate = CertificateDer::from_pem_slice(&text)
        .map_err(|error| unusable("no certificate in it", error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|error| unusable("no private key in it", error.to_string()))?;
    let key = match &key {
        PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
        _ => return Err(unusable("its key is not an RSA key", String::new())),
    }
    .map_err(|error| unusable("its RSA key cannot be used", error.to_string()))?;
    let assertion = Assertion {
        audience: format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/')),
        client: client.clone(),
        thumbprint: encode_url_safe(Sha256::digest(&certificate)),
        key,
    };
    let options = ClientAssertionCredentialOptions { client_options };
    let credential = ClientAssertionCredential::new(tenant, client, assertion, Some(options))
        .map_err(|error| unusable("it cannot be used", error.to_string()))?;
    Ok(credential)
}

struct Assertion {
    audience: String,
    client: String,
    thumbprint: String,
    key: KeyPair,
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertion").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Assertion {
    /// The signed text, good from `now`, in seconds since the epoch.
    fn sign(&self, now: i64) -> azure_core::Result<String> {
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": self.audience,
            "exp": now + HOLDS_FOR,
            "iss": self.client,
            "jti": format!("{:032x}", fastrand::u128(..)),
            "nbf": now,
            "sub": self.client,
        });
        let signed =
            format!("{}.{}", encode_url_safe(header.to_string()), encode_url_safe(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|error| azure_core::Error::new(ErrorKind::Credential, error))?;
        Ok(format!("{signed}.{}", encode_url_safe(signature)))
    }
}

#[async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.sign(Timestamp::now().as_second())
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use azure_core::base64::decode_url_safe;

    use super::*;

    #[test]
    fn an_assertion_is_signed_by_the_key() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = key.public_key().as_ref().to_vec();
        let assertion = Assertion {
            audience: "https://login.example/t/oauth2/v2.0/token".to_owned(),
            client: "c".to_owned(),
            thumbprint: "t".to_owned(),
            key,
        };
        let text = assertion.sign(1000).unwrap();
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let claims = decode_url_safe(signed.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(
            (&claims["iss"], &claims["nbf"], &claims["exp"]),
            (&json!("c"), &json!(1000), &json!(1600))
        );
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public)
            .verify(signed.as_bytes(), &decode_url_safe(signature).unwrap())
            .unwrap();
    }
}
