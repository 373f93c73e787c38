//! Patience with an account that was made a moment ago: its names reach DNS, and its data plane the
//! rest of Azure, some minutes after ARM knows it (Z25).

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Report;
use crate::error::{Kind, Result};
use crate::http::{Answer, Client, Request};

/// How long after its creation an account may be unreachable.
const SETTLES_WITHIN: Duration = Duration::from_secs(5 * 60);
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(3);

/// Calls to the data plane, with patience.
pub struct Settling<'a> {
    http: Client,
    /// Until when the account counts as new; `None` for an older one.
    until: Option<Instant>,
    report: &'a Report,
}

impl<'a> Settling<'a> {
    /// Calls to an account that was `created` then, in RFC 3339. Nobody waits longer than `within`.
    pub fn new(http: Client, created: Option<&str>, within: Duration, report: &'a Report) -> Self {
        let age = created
            .and_then(|text| text.parse::<Timestamp>().ok())
            .and_then(|created| Duration::try_from(created.duration_until(Timestamp::now())).ok());
        let left = age.and_then(|age| SETTLES_WITHIN.checked_sub(age)).map(|left| left.min(within));
        Self { http, until: left.map(|left| Instant::now() + left), report }
    }

    /// Whether a refusal may be due to the account being new.
    pub fn is_new(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// The client behind it, for calls that take no patience.
    pub fn http(&self) -> &Client {
        &self.http
    }

    /// Sends `request`, and sends it again while the account is new and cannot be reached, or answers
    /// with one of `passing`.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn send(&self, request: &Request, passing: &[u16]) -> Result<Answer> {
        let mut told = false;
        loop {
            let answer = self.http.send(request).await;
            let passes = match &answer {
                Ok(answer) => passing.contains(&answer.status),
                Err(error) => error.kind() == Kind::Transient,
            };
            let Some(until) = self.until.filter(|until| passes && Instant::now() < *until) else {
                return answer;
            };
            if !std::mem::replace(&mut told, true) {
                self.report.begun("new account", until - Instant::now());
            }
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[test]
    fn only_a_young_account_gets_patience() {
        let report = Report(unbounded_channel().0);
        let is_new = |created: Option<&str>| {
            Settling::new(Client::new().unwrap(), created, SETTLES_WITHIN, &report).is_new()
        };
        let ago = |seconds| (Timestamp::now() - Duration::from_secs(seconds)).to_string();
        assert!(is_new(Some(&ago(10))));
        assert!(!is_new(Some(&ago(400))));
        assert!(!is_new(None));
        assert!(!is_new(Some("soon")));
    }
}
