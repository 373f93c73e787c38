//! Shared access signatures, as the service makes them out of an account's key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::answer::Refusal;

/// The version whose string to sign is used.
const VERSION: &str = "2022-11-02";

/// HMAC-SHA256.
pub(super) fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // Any length is a key.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| vec![],
        |mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

/// An account SAS with the parameters of `body`.
/// <https://learn.microsoft.com/rest/api/storageservices/create-account-sas#construct-the-signature-string>
pub(super) fn account(name: &str, key: &str, body: &Value) -> Result<String, Refusal> {
    let part = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let (services, kinds) = (part("signedServices"), part("signedResourceTypes"));
    let (permissions, end) = (part("signedPermission"), part("signedExpiry"));
    if [&services, &kinds, &permissions, &end].into_iter().any(String::is_empty) {
        return Err(Refusal::invalid("signedServices,signedResourceTypes,signedPermission,signedExpiry"));
    }
    let (start, ip, protocol) = (part("signedStart"), part("signedIp"), part("signedProtocol"));
    let signed = format!(
        "{name}\n{permissions}\n{services}\n{kinds}\n{start}\n{end}\n{ip}\n{protocol}\n{VERSION}\n\n"
    );
    Ok(token(
        key,
        &signed,
        &[
            ("sv", VERSION),
            ("ss", &services),
            ("srt", &kinds),
            ("sp", &permissions),
            ("st", &start),
            ("se", &end),
            ("sip", &ip),
            ("spr", &protocol),
        ],
    ))
}

/// A service SAS for what `body` names.
/// <https://learn.microsoft.com/rest/api/storageservices/create-service-sas#construct-the-signature-string>
pub(super) fn service(key: &str, body: &Value) -> Result<String, Refusal> {
    let part = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let (resource, kind) = (part("canonicalizedResource"), part("signedResource"));
    let (permissions, end) = (part("signedPermission"), part("signedExpiry"));
    if [&resource, &kind, &permissions, &end].into_iter().any(String::is_empty) {
        return Err(Refusal::invalid("canonicalizedResource,signedResource,signedPermission,signedExpiry"));
    }
    let (start, ip, protocol) = (part("signedStart"), part("signedIp"), part("signedProtocol"));
    let signed = format!(
        "{permissions}\n{start}\n{end}\n{resource}\n\n{ip}\n{protocol}\n{VERSION}\n{kind}\n\n\n\n\n\n\n"
    );
    Ok(token(
        key,
        &signed,
        &[
            ("sv", VERSION),
            ("sr", &kind),
            ("sp", &permissions),
            ("st", &start),
            ("se", &end),
            ("sip", &ip),
            ("spr", &protocol),
        ],
    ))
}

fn token(key: &str, signed: &str, parameters: &[(&str, &str)]) -> String {
    let signature = STANDARD.encode(hmac(&STANDARD.decode(key).unwrap_or_default(), signed));
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    query.append_pair("sig", &signature).finish()
}
