//! The permission of an upload: a signed URL as the W&B server has it, or a token where the credentials
//! cannot sign.

use google_cloud_auth::signer::Signer;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};
use crate::explain::root_cause;
use crate::http::Url;
use crate::providers::gcp::rest::{headers, segment};
use crate::providers::gcp::session::Api;
use crate::text::clean;
use crate::verify::Signed;

/// How long a signed URL is valid, in seconds.
const SIGNED_FOR: u32 = 600;
const ALGORITHM: &str = "GOOG4-RSA-SHA256";

/// Permits the upload of a text to `address`, which is without a signature.
///
/// # Errors
/// Without a token.
pub(super) async fn upload(api: &Api, signer: Option<&Signer>, address: String) -> Result<Signed> {
    let why = match signer {
        None => "these credentials do not belong to a service account".to_owned(),
        Some(signer) => match sign(signer, &address, Timestamp::now()).await {
            Ok(url) => return Ok(Signed { url, headers: vec![], unsigned: None }),
            Err(error) => error.chain(),
        },
    };
    let headers = headers(&api.credentials()?).await?;
    Ok(Signed { url: address, headers, unsigned: Some(why) })
}

async fn sign(signer: &Signer, address: &str, now: Timestamp) -> Result<String> {
    let unsigned = |error| Error::new(Kind::Failed, "sign a URL").because(clean(&root_cause(&error)));
    let email = signer.client_email().await.map_err(unsigned)?;
    let Unsigned { query, text } = Unsigned::new(address, &email, now)?;
    let signature = signer.sign(text.as_str()).await.map_err(unsigned)?;
    Ok(format!("{address}?{query}&X-Goog-Signature={}", hex(&signature)))
}

/// A URL of an upload before it is signed (Cloud Storage documentation, "V4 signing process").
struct Unsigned {
    query: String,
    /// What is signed.
    text: String,
}

impl Unsigned {
    fn new(address: &str, email: &str, now: Timestamp) -> Result<Self> {
        let url =
            Url::parse(address).map_err(|error| Error::new(Kind::Failed, "read a URL").because(error))?;
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let date = now.strftime("%Y%m%d").to_string();
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let scope = format!("{date}/auto/storage/goog4_request");
        let query = format!(
            "X-Goog-Algorithm={ALGORITHM}&X-Goog-Credential={}&X-Goog-Date={time}&X-Goog-Expires={SIGNED_FOR}\
             &X-Goog-SignedHeaders=content-type%3Bhost",
            segment(&format!("{email}/{scope}"))
        );
        let request = format!(
            "PUT\n{}\n{query}\ncontent-type:text/plain\nhost:{host}\n\ncontent-type;host\nUNSIGNED-PAYLOAD",
            url.path()
        );
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
        let Unsigned { query, text } = Unsigned::new(address, email, Timestamp::UNIX_EPOCH).unwrap();
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
