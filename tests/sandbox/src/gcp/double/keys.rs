//! The one RSA key of every service account in this process.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

/// Made once: it takes a good part of a second.
fn pair() -> &'static KeyPair {
    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).expect("the system has randomness"))
}

/// RSASSA-PKCS1-v1_5 with SHA-256, as tokens and signed URLs have it.
pub(super) fn sign(message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; pair().public_modulus_len()];
    pair()
        .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
        .expect("the key and the space for the signature fit");
    signature
}

/// Whether a signature is ours.
pub(super) fn verify(message: &[u8], signature: &[u8]) -> bool {
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair().public_key().as_ref());
    key.verify(message, signature).is_ok()
}

/// A service account's key, as the console would have one download it:
/// <https://cloud.google.com/iam/docs/keys-create-delete>.
pub(super) fn key_file(email: &str, project: &str, url: &str) -> String {
    let der: Pkcs8V1Der<'_> = pair().as_der().expect("a key can be written");
    let encoded = BASE64_STANDARD.encode(der.as_ref());
    let lines = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    json!({
        "type": "service_account",
        "project_id": project,
        "private_key_id": "0123456789abcdef0123456789abcdef01234567",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"),
        "client_email": email,
        "client_id": "100000000000000000000",
        "auth_uri": format!("{url}/auth"),
        "token_uri": format!("{url}/token"),
        "universe_domain": "googleapis.com",
    })
    .to_string()
}
