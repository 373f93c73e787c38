//! The sign of life of what takes long and shows nothing else.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::json;
use super::remark::Remark;
use super::words::countdown;
use crate::cli::Format;
use crate::resource::Address;

/// The longest that nothing is shown at first.
const FIRST: Duration = Duration::from_secs(1);
/// How often it is shown again.
const AGAIN: Duration = Duration::from_secs(15);

/// Since when nothing was shown, and when that is to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silence {
    since: Instant,
    ends: Duration,
}

impl Silence {
    /// One that begins now.
    pub(crate) fn begin() -> Self {
        Self { since: Instant::now(), ends: FIRST }
    }

    /// Until a sign is due.
    pub(crate) fn left(&self) -> Duration {
        self.ends.saturating_sub(self.since.elapsed())
    }

    /// How long it has been, where a sign is due; the next one is due much later.
    pub(crate) fn is_over(&mut self) -> Option<Duration> {
        let silent = self.since.elapsed();
        (silent >= self.ends).then(|| {
            self.ends = silent + AGAIN;
            silent
        })
    }
}

/// `what` has been under way for `lasted`: a line in `format`, in the form of a step's wait.
pub(crate) fn line(
    deployment: Option<&str>,
    address: Option<&Address>,
    what: &str,
    lasted: Duration,
    format: Format,
) -> String {
    #[derive(Serialize)]
    #[serde(tag = "event", rename = "waiting")]
    struct Waiting<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<&'a Address>,
        why: &'a str,
    }
    match format {
        Format::Json => json::line(&Waiting { deployment, address, why: what }).unwrap_or_default(),
        Format::Human => {
            let of = deployment.map(|name| format!("{name}: ")).unwrap_or_default();
            let address = address.map(|address| format!(" {address}")).unwrap_or_default();
            Remark::note(&format!("{of}still {what}{address} ({})", countdown(lasted))).text(format)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_a_note_or_an_event() {
        let bucket = Address::new("aws", "bucket", "acme");
        let second = Duration::from_secs(1);
        assert_eq!(
            line(None, Some(&bucket), "creating", second, Format::Human),
            "note: still creating aws/bucket/acme (1s)\n"
        );
        let event = line(None, None, "reading the account", second, Format::Json);
        assert_eq!(event, "{\"event\":\"waiting\",\"why\":\"reading the account\"}\n");
    }
}
