//! Which hosts have answered: one that never has is more likely wrong than busy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use url::{Position, Url};

/// How long calls to a host are retried that has never answered.
pub(crate) const FIRST_CONTACT_WITHIN: Duration = Duration::from_secs(15);

/// The hosts that were called; the clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contacts(Arc<Mutex<HashMap<String, Contact>>>);

#[derive(Clone, Copy, Debug)]
enum Contact {
    Answered,
    /// Since the first call.
    Silent(Instant),
}

/// The host and port of `url`, which is what answers.
pub(crate) fn peer(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

impl Contacts {
    /// Notes that `host` has answered.
    pub(crate) fn answered(&self, host: &str) {
        self.hosts(|hosts| hosts.insert(host.to_owned(), Contact::Answered));
    }

    /// How long calls to `host` are retried, where that is less than usual.
    pub(crate) fn patience(&self, host: &str) -> Option<Duration> {
        let answered = self.hosts(|hosts| matches!(hosts.get(host), Some(Contact::Answered)));
        (!answered).then_some(FIRST_CONTACT_WITHIN)
    }

    /// Notes that a call to `host` which began at `begun` has failed, and returns whether it was the last.
    pub(crate) fn are_given_up(&self, host: &str, begun: Instant) -> bool {
        let contact = self.hosts(|hosts| *hosts.entry(host.to_owned()).or_insert(Contact::Silent(begun)));
        matches!(contact, Contact::Silent(since) if since.elapsed() >= FIRST_CONTACT_WITHIN)
    }

    fn hosts<T>(&self, look: impl FnOnce(&mut HashMap<String, Contact>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_host_that_has_never_answered_is_given_up() {
        let contacts = Contacts::default();
        let begun = Instant::now();
        assert!(!contacts.are_given_up("a", begun));
        tokio::time::advance(FIRST_CONTACT_WITHIN).await;
        assert!(contacts.are_given_up("a", Instant::now()));
        assert!(!contacts.are_given_up("b", Instant::now()), "a host of its own");
        contacts.answered("a");
        assert!(!contacts.are_given_up("a", begun));
        assert_eq!((contacts.patience("a"), contacts.patience("b")), (None, Some(FIRST_CONTACT_WITHIN)));
    }
}
