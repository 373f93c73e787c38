//! The record of requests that change something, kept by the transports. Whether a run changed anything
//! is read from here and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    static STEP: Arc<Mutations>;
}

/// Does `work`, which is one step's, and records what it sends in `step` as well as in the run's record.
pub(crate) async fn of_step<T>(step: &Arc<Mutations>, work: impl Future<Output = T>) -> T {
    STEP.scope(Arc::clone(step), work).await
}

/// How many mutating requests a run has sent, and how many of them the server refused.
///
/// A request whose response is lost, or which ends in a fault of the server, may have been carried out: it
/// counts as a change.
#[derive(Debug, Default)]
pub(crate) struct Mutations {
    sent: AtomicU64,
    refused: AtomicU64,
}

impl Mutations {
    /// A mutating request is about to be sent.
    pub(crate) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let _ = STEP.try_with(|step| step.sent.fetch_add(1, Ordering::Relaxed));
    }

    /// The answer to one that was [sent](Self::sent) has come with this HTTP status.
    pub(crate) fn answered(&self, status: u16) {
        // 408 is a time-out of the server, after which it may have continued.
        if (400..500).contains(&status) && status != 408 {
            self.refused();
        }
    }

    /// The server refused one that was [sent](Self::sent), and did nothing.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let _ = STEP.try_with(|step| step.refused.fetch_add(1, Ordering::Relaxed));
    }

    /// Whether anything has been [sent](Self::sent), whatever came of it.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed) > 0
    }

    /// How many requests were carried out, or may have been.
    pub(crate) fn applied(&self) -> u64 {
        self.sent.load(Ordering::Relaxed).saturating_sub(self.refused.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_is_known_to_have_changed_nothing() {
        for (status, applied) in [(None, 1), (Some(200), 1), (Some(500), 1), (Some(408), 1), (Some(403), 0)] {
            let mutations = Mutations::default();
            mutations.sent();
            if let Some(status) = status {
                mutations.answered(status);
            }
            assert_eq!(mutations.applied(), applied, "{status:?}");
        }
    }
}
