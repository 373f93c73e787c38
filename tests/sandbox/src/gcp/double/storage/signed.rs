//! Signed URLs, version 4:
//! <https://cloud.google.com/storage/docs/authentication/canonical-requests>.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::asked::Asked;
use super::super::caller::Caller;
use super::super::keys;
use super::super::refusal::{Answer, Refusal};
use super::super::state::State;

const ALGORITHM: &str = "GOOG4-RSA-SHA256";
/// Seven days, in seconds.
const LONGEST: i64 = 604_800;
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Who signed the request's URL, if it is signed at all.
pub(super) fn caller(state: &State, asked: &Asked) -> Answer<Option<Caller>> {
    let Some(algorithm) = asked.query("X-Goog-Algorithm") else { return Ok(None) };
    let wrong = |what: &str| Refusal::invalid(format!("Invalid query parameter: {what}"));
    if algorithm != ALGORITHM {
        return Err(wrong("X-Goog-Algorithm"));
    }
    let parameter = |name: &str| asked.query(name).ok_or_else(|| wrong(name));
    let credential = parameter("X-Goog-Credential")?;
    let (email, scope) = credential.split_once('/').ok_or_else(|| wrong("X-Goog-Credential"))?;
    if !scope.ends_with("/storage/goog4_request") {
        return Err(wrong("X-Goog-Credential"));
    }
    let date = parameter("X-Goog-Date")?;
    let since = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .and_then(|date| TimeZone::UTC.to_timestamp(date))
        .map_err(|_| wrong("X-Goog-Date"))?
        .as_second();
    let lasts: i64 = parameter("X-Goog-Expires")?.parse().map_err(|_| wrong("X-Goog-Expires"))?;
    if !(1..=LONGEST).contains(&lasts) {
        return Err(wrong("X-Goog-Expires"));
    }
    if Timestamp::now().as_second() >= since.saturating_add(lasts) {
        return Err(Refusal::invalid("The provided token has expired.").reason("ExpiredToken"));
    }
    let refused = || {
        Refusal::denied(
            "Access denied. The request signature we calculated does not match the signature you provided.",
        )
        .reason("SignatureDoesNotMatch")
    };
    let signature = unhex(parameter("X-Goog-Signature")?).ok_or_else(refused)?;
    let signed = parameter("X-Goog-SignedHeaders")?;
    // Google's own Rust client signs the host without the port, which no real endpoint has.
    let bare = asked.host.rsplit_once(':').map_or(asked.host.as_str(), |(host, _)| host);
    let fits = [asked.host.as_str(), bare].iter().any(|host| {
        let canonical = canonical(asked, host, signed);
        let hash = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
        keys::verify(format!("{ALGORITHM}\n{date}\n{scope}\n{hash}").as_bytes(), &signature)
    });
    if !fits || !state.accounts.contains_key(email) {
        return Err(refused());
    }
    Ok(Some(Caller::Account(email.to_owned())))
}

/// A URL that lets whoever has it send `method` on `path` of the XML API for ten minutes.
pub(crate) fn url(method: &str, base: &str, path: &str, email: &str) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let date = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/auto/storage/goog4_request", &date[..8]);
    let query = [
        ("X-Goog-Algorithm", ALGORITHM),
        ("X-Goog-Credential", &format!("{email}/{scope}")),
        ("X-Goog-Date", &date),
        ("X-Goog-Expires", "600"),
        ("X-Goog-SignedHeaders", "host"),
    ];
    let query = query.map(|(name, value)| format!("{name}={}", encode(value))).join("&");
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    let canonical = format!("{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
    let hash = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let signature = hex(&keys::sign(format!("{ALGORITHM}\n{date}\n{scope}\n{hash}").as_bytes()));
    format!("{base}{path}?{query}&X-Goog-Signature={signature}")
}

fn canonical(asked: &Asked, host: &str, signed: &str) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut query: Vec<_> = asked
        .query
        .iter()
        .filter(|(name, _)| name != "X-Goog-Signature")
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    query.sort();
    let mut headers = String::new();
    for name in signed.split(';') {
        let value = if name == "host" { host } else { asked.header(name).unwrap_or_default() };
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        // Writing into a string cannot fail.
        let _ = writeln!(headers, "{name}:{value}");
    }
    let payload = match signed.split(';').find(|name| *name == "x-goog-content-sha256") {
        Some(name) => asked.header(name).unwrap_or_default(),
        None => "UNSIGNED-PAYLOAD",
    };
    [asked.method.as_str(), &asked.path, &query.join("&"), &headers, signed, payload].join("\n")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(std::str::from_utf8);
    digits.map(|pair| u8::from_str_radix(pair.ok()?, 16).ok()).collect()
}
