//! Access keys, and what is signed with them (AWS Signature Version 4).

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::Method;
use sha2::{Digest as _, Sha256};

/// Of every request: the stores here have one region.
pub const REGION: &str = "us-east-1";

/// An access key with its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The access key.
    pub id: String,
    /// The secret key.
    pub secret: String,
}

impl Key {
    /// Makes one.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), secret: secret.into() }
    }

    /// The headers by which a request to `host` is signed. Path and query are encoded already.
    pub(super) fn sign(&self, host: &str, method: &Method, target: &str, body: &[u8]) -> Vec<(&str, String)> {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        pairs.sort_unstable();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|pair| if pair.contains('=') { (*pair).to_owned() } else { format!("{pair}=") })
            .collect();
        let payload = hex(&Sha256::digest(body));
        let canonical = format!(
            "{method}\n{path}\n{}\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{now}\n\n\
             host;x-amz-content-sha256;x-amz-date\n{payload}",
            pairs.join("&")
        );
        let scope = format!("{}/{REGION}/s3/aws4_request", &now[..8]);
        let text = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let secret = format!("AWS4{}", self.secret);
        let steps = [&now[..8], REGION, "s3", "aws4_request", &text];
        let signature =
            steps.iter().fold(secret.into_bytes(), |key, step| authenticated(&key, step.as_bytes()));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={}",
            self.id,
            hex(&signature)
        );
        vec![
            ("host", host.to_owned()),
            ("x-amz-date", now),
            ("x-amz-content-sha256", payload),
            ("authorization", authorization),
        ]
    }
}

fn authenticated(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
