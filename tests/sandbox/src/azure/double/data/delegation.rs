//! Keys that an identity is given, to sign with.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key>

use axum::http::{Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::request::Ask;
use crate::azure::double::answer::{Reply, empty, set};
use crate::azure::double::sas::hmac;
use crate::azure::double::store::{Account, guid};
use crate::azure::double::{Service, Shared, claims};

/// The key of an identity for an account: always the same.
pub(super) fn key(account: &Account, object: &str) -> Vec<u8> {
    hmac(account.keys[0].value.as_bytes(), object)
}

/// The answer to a request for such a key, by a caller who was let in; `None` for another request.
pub(super) fn answer(shared: &Shared, account: &Account, ask: &Ask) -> Option<Reply> {
    if ask.service != Service::Blob || ask.method != Method::POST || ask.query("comp") != "userdelegationkey"
    {
        return None;
    }
    let given = ask.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
    let token = given.strip_prefix("Bearer ").unwrap_or_default();
    let caller = shared.world().issuer.read(token, claims::STORAGE).ok()?;
    let text = String::from_utf8_lossy(&ask.body);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        // Azure writes whole seconds.
        let time: jiff::Timestamp = rest.split_once('<')?.0.parse().ok()?;
        Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    };
    let (start, end) = (element("Start").unwrap_or_default(), element("Expiry").unwrap_or_default());
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><UserDelegationKey><SignedOid>{}</SignedOid><SignedTid>{}</SignedTid>\
         <SignedStart>{start}</SignedStart><SignedExpiry>{end}</SignedExpiry><SignedService>b</SignedService>\
         <SignedVersion>2022-11-02</SignedVersion><Value>{}</Value></UserDelegationKey>",
        caller.object,
        caller.tenant,
        STANDARD.encode(key(account, &caller.object))
    );
    let mut reply = empty(200);
    *reply.body_mut() = body.into();
    set(&mut reply, "content-type", "application/xml");
    set(&mut reply, "x-ms-request-id", &guid());
    Some(reply)
}
