//! The permission of an upload: a signed URL as the W&B server has it, or a token where the credentials
//! cannot sign.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use google_cloud_auth::signer::{Signer, SigningError};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};
use crate::explain::root_cause;
use crate::http::{FIRST_BYTE_WITHIN, Unread, Url};
use crate::providers::gcp::rest::{self, Rest, headers, segment};
use crate::providers::gcp::session::Api;
use crate::text::clean;
use crate::verify::Signed;

/// How long a signed URL is valid, in seconds.
const SIGNED_FOR: u32 = 600;
const ALGORITHM: &str = "GOOG4-RSA-SHA256";

/// Who signs.
#[derive(Clone, Debug)]
pub(super) enum UrlSigner {
    /// The key of a service account, or the metadata server of a machine.
    Library(Signer),
    /// IAM, for the impersonated account `email`.
    Iam { email: String, api: Box<Rest> },
}

impl UrlSigner {
    /// The address of the account that signs.
    ///
    /// # Errors
    /// When the metadata server cannot be reached.
    pub(super) async fn email(&self) -> Result<String> {
        match self {
            Self::Library(signer) => soon(signer.client_email()).await,
            Self::Iam { email, .. } => Ok(email.clone()),
        }
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>> {
        let (email, api) = match self {
            Self::Library(signer) => {
                return Ok(soon(signer.sign(text)).await?.to_vec());
            }
            Self::Iam { email, api } => (email, api),
        };
        let path = format!("/v1/projects/-/serviceAccounts/{}:signBlob", segment(email));
        let answer = api.ask(&path, &json!({ "payload": BASE64_STANDARD.encode(text) })).await?;
        let signed: Value = rest::read(&answer, "iam.serviceAccounts.signBlob", email)?;
        let blob = BASE64_STANDARD.decode(signed["signedBlob"].as_str().unwrap_or_default());
        blob.map_err(|error| Error::new(Kind::Failed, "sign a URL").because(error))
    }
}

/// The library waits without a limit.
async fn soon<T>(signed: impl Future<Output = std::result::Result<T, SigningError>>) -> Result<T> {
    let late = |_| Error::new(Kind::Failed, "sign a URL").because(Unread::Late(FIRST_BYTE_WITHIN));
    let signed = tokio::time::timeout(FIRST_BYTE_WITHIN, signed).await.map_err(late)?;
    signed.map_err(|error| unsigned(&error))
}

fn unsigned(error: &SigningError) -> Error {
    let why = clean(&root_cause(error));
    // The library keeps the answer of IAM as text only.
    let denied = ["403", "PERMISSION_DENIED", "signBlob"].iter().any(|word| why.contains(word));
    Error::new(if denied { Kind::Denied } else { Kind::Failed }, "sign a URL").because(why)
}

/// Permits the upload of a text to `address`, which is without a signature.
///
/// # Errors
/// Without a token.
pub(super) async fn upload(api: &Api, signer: Option<&UrlSigner>, address: String) -> Result<Signed> {
    let why = match signer {
        None => "these credentials do not belong to a service account".to_owned(),
        Some(signer) => match signed(signer, "PUT", &address).await {
            Ok(signed) => return Ok(signed),
            Err(error) => error.chain(),
        },
    };
    let headers = headers(&api.credentials()?).await?;
    Ok(Signed { url: address, headers, unsigned: Some(why) })
}

/// Signs `method` on `address`; a PUT is of a text.
///
/// # Errors
/// When the account may not sign as itself.
pub(super) async fn signed(signer: &UrlSigner, method: &str, address: &str) -> Result<Signed> {
    let Unsigned { query, text } = Unsigned::new(method, address, &signer.email().await?, Timestamp::now())?;
    let signature = signer.sign(&text).await?;
    let url = format!("{address}?{query}&X-Goog-Signature={}", hex(&signature));
    Ok(Signed { url, headers: vec![], unsigned: None })
}

/// The URL of a request before it is signed (Cloud Storage documentation, "V4 signing process").
struct Unsigned {
    query: String,
    /// What is signed.
    text: String,
}

impl Unsigned {
    fn new(method: &str, address: &str, email: &str, now: Timestamp) -> Result<Self> {
        let url =
            Url::parse(address).map_err(|error| Error::new(Kind::Failed, "read a URL").because(error))?;
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let date = now.strftime("%Y%m%d").to_string();
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let scope = format!("{date}/auto/storage/goog4_request");
        let (names, kind) = match method {
            "PUT" => ("content-type;host", "content-type:text/plain\n"),
            _ => ("host", ""),
        };
        let query = format!(
            "X-Goog-Algorithm={ALGORITHM}&X-Goog-Credential={}&X-Goog-Date={time}&X-Goog-Expires={SIGNED_FOR}\
             &X-Goog-SignedHeaders={}",
            segment(&format!("{email}/{scope}")),
            segment(names)
        );
        let request =
            format!("{method}\n{}\n{query}\n{kind}host:{host}\n\n{names}\nUNSIGNED-PAYLOAD", url.path());
        let digest = hex(&Sha256::digest(request.as_bytes()));
        Ok(Self { query, text: format!("{ALGORITHM}\n{time}\n{scope}\n{digest}") })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_the_request_as_it_is_sent() {
        let address = "https://storage.googleapis.com/acme-wandb/.wbstore-probe/1/0%20%2B%C3%BC.txt";
        let email = "wandb@acme.iam.gserviceaccount.com";
        let Unsigned { query, text } = Unsigned::new("PUT", address, email, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(
            query,
            "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=wandb%40acme.iam.gserviceaccount.com\
             %2F19700101%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=19700101T000000Z&X-Goog-Expires=600\
             &X-Goog-SignedHeaders=content-type%3Bhost"
        );
        let request = format!(
            "PUT\n/acme-wandb/.wbstore-probe/1/0%20%2B%C3%BC.txt\n{query}\ncontent-type:text/plain\n\
             host:storage.googleapis.com\n\ncontent-type;host\nUNSIGNED-PAYLOAD"
        );
        let digest = hex(&Sha256::digest(request.as_bytes()));
        assert_eq!(
            text,
            format!("GOOG4-RSA-SHA256\n19700101T000000Z\n19700101/auto/storage/goog4_request\n{digest}")
        );
    }
}
