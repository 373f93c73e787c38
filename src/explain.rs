//! What the failure codes of a cloud mean: tables in data, one look-up and one wording.

use std::time::Duration;

use crate::error::{Error, Kind};
use crate::http::Unread;
use crate::text::clean;

/// How the failures of a cloud are explained.
pub(crate) struct Explanations {
    pub cloud: &'static str,
    /// The first matching row applies; without one, the HTTP status does.
    pub rows: &'static [Row],
    /// The hint where the credentials are not accepted.
    pub credentials: &'static str,
    /// The hint where a permission is missing.
    pub grant: &'static str,
    /// What sets a custom endpoint, such as `AWS_ENDPOINT_URL`.
    pub endpoint: &'static str,
}

/// What some codes mean.
pub(crate) struct Row {
    codes: &'static [&'static str],
    status: Option<u16>,
    words: &'static str,
    kind: Kind,
    within: Option<Duration>,
    hint: &'static str,
}

impl Row {
    /// `codes` mean `kind`; the empty code is that of an answer without one, and no codes are any. In the
    /// hint, `{permission}` and the holes that the cloud fills are replaced.
    pub(crate) const fn new(codes: &'static [&'static str], kind: Kind, hint: &'static str) -> Self {
        Self { codes, status: None, words: "", kind, within: None, hint }
    }

    /// Only with this HTTP status.
    pub(crate) const fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Only where the message contains `words`.
    pub(crate) const fn saying(self, words: &'static str) -> Self {
        Self { words, ..self }
    }

    /// How long it may last.
    pub(crate) const fn within(self, budget: Duration) -> Self {
        Self { within: Some(budget), ..self }
    }

    fn fits(&self, failed: &Failed<'_>) -> bool {
        (self.codes.is_empty() || self.codes.contains(&failed.code))
            && self.status.is_none_or(|status| status == failed.status)
            && failed.message.contains(self.words)
    }
}

/// A call with an unsuccessful response. The server's text has been sanitized.
pub(crate) struct Failed<'a> {
    /// The permission that the call requires, such as `s3:PutBucketCORS`.
    pub permission: &'a str,
    pub target: String,
    /// Empty where the answer has none.
    pub code: &'a str,
    pub message: &'a str,
    pub status: u16,
    /// Whether the answer is a web page.
    pub html: bool,
    /// The server's `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Failed<'_> {
    /// The failure as an [`Error`]. `fill` has the texts for the holes of hints.
    pub(crate) fn explain(&self, by: &Explanations, fill: impl Fn(&str) -> Option<String>) -> Error {
        let call = format!("{} on {}", self.permission, self.target);
        if self.html && self.code.is_empty() {
            return self.waiting(web_page(by, &call, self.status));
        }
        let said = match (self.code, self.message) {
            ("", _) => format!("HTTP status {}", self.status),
            (code, "") => clean(code),
            (code, message) => format!("{}: {message}", clean(code)),
        };
        let (kind, hint, within) = match by.rows.iter().find(|row| row.fits(self)) {
            Some(row) => (row.kind, row.hint, row.within),
            None => {
                let (kind, hint) = self.by_status(by);
                (kind, hint, None)
            }
        };
        let mut error = Error::new(kind, format!("{call}: {said}"));
        if !hint.is_empty() {
            error = error.hint(filled(hint, |hole| match hole {
                "permission" => fill(hole).or_else(|| Some(self.permission.to_owned())),
                "endpoint" => Some(by.endpoint.to_owned()),
                hole => fill(hole),
            }));
        }
        if let Some(budget) = within {
            error = error.within(budget);
        }
        self.waiting(error)
    }

    /// What a status means on every cloud.
    fn by_status(&self, by: &Explanations) -> (Kind, &'static str) {
        match self.status {
            401 => (Kind::Credentials, by.credentials),
            403 => (Kind::Denied, by.grant),
            407 => (Kind::Failed, "the proxy requires a user name and password; set them in HTTPS_PROXY"),
            429 => (Kind::Throttled, ""),
            // Neither passes (RFC 9110, sections 15.6.2 and 15.6.6).
            501 | 505 => {
                (Kind::Failed, "the endpoint does not support this call; check {endpoint} and any proxy")
            }
            408 | 500.. => (Kind::Transient, ""),
            _ => (Kind::Failed, ""),
        }
    }

    fn waiting(&self, error: Error) -> Error {
        match self.retry_after {
            Some(wait) => error.retry_after(wait),
            None => error,
        }
    }
}

/// `hint` with the text for each `{hole}`; a hole without one becomes `<hole>`.
fn filled(hint: &str, fill: impl Fn(&str) -> Option<String>) -> String {
    let mut parts = hint.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hole, rest) = part.split_once('}').unwrap_or((part, ""));
        text.push_str(&fill(hole).unwrap_or_else(|| format!("<{hole}>")));
        text.push_str(rest);
    }
    text
}

/// A web page where an API should be: a captive portal, a proxy, a wrong endpoint.
pub(crate) fn web_page(by: &Explanations, call: &str, status: u16) -> Error {
    let kind = if status >= 500 { Kind::Transient } else { Kind::Failed };
    Error::new(kind, format!("{call}: the endpoint returned a web page (HTTP status {status})")).hint(format!(
        "a proxy, a login page of the network or another server responded in place of {}; check {} and any proxy",
        by.cloud, by.endpoint
    ))
}

/// A call whose response was not read.
pub(crate) fn unread(by: &Explanations, call: &str, why: &Unread) -> Error {
    match why {
        Unread::TooLarge(_) => Error::new(Kind::Failed, format!("{call}: {why}")).hint(format!(
            "a proxy or another server may have responded in place of {}; check {} and any proxy",
            by.cloud, by.endpoint
        )),
        Unread::Late(_) => unanswered(by, call, &why.to_string()),
        Unread::Cut(cause) => {
            Error::new(Kind::Transient, format!("{call}: the response cannot be read")).because(clean(cause))
        }
    }
}

/// The reason in the causes of `error` for which a response was not read, if any is one.
pub(crate) fn unread_of<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Unread> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// A call without a response, because of `cause`.
pub(crate) fn unanswered(by: &Explanations, call: &str, cause: &str) -> Error {
    let words = cause.to_lowercase();
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let endpoint = by.endpoint;
    let error = |what: &str| Error::new(Kind::Transient, format!("{call}: {what}")).because(clean(cause));
    if has(&["timed out", "timeout", "deadline has elapsed"]) {
        return error("no response in time").hint(format!(
            "the endpoint is slow or cannot be reached; check the network, any proxy, and {endpoint}"
        ));
    }
    if has(&["certificate", "unknownissuer", "tls handshake"]) {
        return error("cannot reach the endpoint").hint(format!(
            "the certificate of the endpoint is not trusted here; where a proxy inspects TLS, add its CA to the \
             certificates of this machine, and check {endpoint}"
        ));
    }
    if has(&["dns error", "failed to lookup", "name or service not known"]) {
        return error("cannot reach the endpoint").hint(format!(
            "the host was not found; check the network, any proxy, the region's spelling, and {endpoint}"
        ));
    }
    error("cannot reach the endpoint").hint(format!("check the network, any proxy, and {endpoint}"))
}

/// The innermost cause, which names the thing itself: a refused connection, a missing file.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOUD: Explanations = Explanations {
        cloud: "a cloud",
        rows: &[
            Row::new(&["Busy"], Kind::Conflict, "").within(Duration::from_secs(300)),
            Row::new(&["Denied"], Kind::Refused, "ask {who} about {permission}").saying("policy"),
            Row::new(&[""], Kind::Throttled, "").status(503),
        ],
        credentials: "log in",
        grant: "grant {permission}",
        endpoint: "ENDPOINT_URL",
    };

    fn failed(status: u16, code: &'static str, message: &'static str) -> Failed<'static> {
        let (permission, target) = ("bucket.write", "x".to_owned());
        Failed { permission, target, code, message, status, html: false, retry_after: None }
    }

    fn explained(status: u16, code: &'static str, message: &'static str) -> Error {
        failed(status, code, message).explain(&CLOUD, |_| None)
    }

    #[test]
    fn the_first_row_that_fits_counts_and_then_the_status() {
        for (status, code, message, kind) in [
            (409, "Busy", "", Kind::Conflict),
            (403, "Denied", "by a policy", Kind::Refused),
            (403, "Denied", "", Kind::Denied),
            (503, "", "", Kind::Throttled),
            (503, "Unknown", "", Kind::Transient),
            (401, "", "", Kind::Credentials),
            (429, "Slow", "", Kind::Throttled),
            (501, "", "", Kind::Failed),
            (400, "Malformed", "", Kind::Failed),
        ] {
            assert_eq!(explained(status, code, message).kind(), kind, "{status} {code} {message}");
        }
        assert_eq!(explained(409, "Busy", "").budget(), Some(Duration::from_secs(300)));
    }

    #[test]
    fn running_again_is_advised_only_where_it_can_help() {
        for (status, again) in [(500, true), (502, true), (501, false), (400, false)] {
            let error = explained(status, "", "");
            assert_eq!(error.what_next().is_some_and(|hint| hint.contains("run again")), again, "{status}");
        }
    }

    #[test]
    fn holes_are_filled_and_what_is_not_known_is_shown_as_such() {
        let error = explained(403, "Denied", "a policy");
        assert_eq!(error.to_string(), "bucket.write on x: Denied: a policy");
        assert_eq!(error.what_next(), Some("ask <who> about bucket.write"));
        let error = failed(403, "Denied", "a policy").explain(&CLOUD, |hole| Some(hole.to_uppercase()));
        assert_eq!(error.what_next(), Some("ask WHO about PERMISSION"));
    }

    #[test]
    fn a_web_page_and_a_wait_are_kept() {
        let page = Failed { html: true, ..failed(404, "", "") }.explain(&CLOUD, |_| None);
        assert!(page.to_string().contains("web page") && page.what_next().unwrap().contains("ENDPOINT_URL"));
        let wait = Some(Duration::from_secs(17));
        let slow = Failed { retry_after: wait, ..failed(429, "", "") }.explain(&CLOUD, |_| None);
        assert_eq!(slow.server_wait(), wait);
    }

    #[test]
    fn each_way_to_get_no_answer_has_its_hint() {
        for (cause, hint) in [
            ("operation timed out", "slow"),
            ("invalid peer certificate: UnknownIssuer", "CA"),
            ("dns error: failed to lookup address information", "region's spelling"),
            ("Connection refused (os error 111)", "ENDPOINT_URL"),
        ] {
            let error = unanswered(&CLOUD, "bucket.write on x", cause);
            assert!(error.what_next().unwrap().contains(hint), "{cause}: {error:?}");
            assert_eq!(error.kind(), Kind::Transient);
        }
    }
}
