//! How long checks may take.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// The moment at which every wait ends, unless the user ends all of them earlier.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    begun: Instant,
    within: Duration,
    cancel: CancellationToken,
}

/// What was still awaited when its time was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overdue {
    what: String,
    after: Duration,
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, after } = self;
        write!(f, "timed out after {:.1} s waiting for {what}", after.as_secs_f64())
    }
}

impl Deadline {
    /// `within` from now, and when `cancel` is set.
    pub(crate) fn begin(within: Duration, cancel: CancellationToken) -> Self {
        Self { begun: Instant::now(), within, cancel }
    }

    pub(crate) fn within(&self) -> Duration {
        self.within
    }

    pub(crate) fn left(&self) -> Duration {
        self.within.saturating_sub(self.begun.elapsed())
    }

    /// Waits for `work`, which is `what`, and at most until the deadline.
    ///
    /// # Errors
    /// [`Overdue`] when it is not done by then.
    pub(crate) async fn wait<T>(
        &self,
        what: impl Into<String>,
        work: impl Future<Output = T>,
    ) -> Result<T, Overdue> {
        self.wait_at_most(self.within, what, work).await
    }

    /// The same, and no longer than `limit`.
    ///
    /// # Errors
    /// [`Overdue`] when it is not done by then.
    pub(crate) async fn wait_at_most<T>(
        &self,
        limit: Duration,
        what: impl Into<String>,
        work: impl Future<Output = T>,
    ) -> Result<T, Overdue> {
        let begun = Instant::now();
        let ended = tokio::select! {
            ended = timeout(limit.min(self.left()), work) => ended.ok(),
            () = self.cancel.cancelled() => None,
        };
        ended.ok_or_else(|| Overdue { what: what.into(), after: begun.elapsed() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_limit_or_with_all_others() {
        let deadline = Deadline::begin(Duration::from_secs(7), CancellationToken::new());
        let forever = || std::future::pending::<()>();
        let first = deadline.wait_at_most(Duration::from_secs(5), "an answer", forever()).await;
        assert_eq!(first.unwrap_err().to_string(), "timed out after 5.0 s waiting for an answer");
        let second = deadline.wait("the rest", forever()).await;
        assert_eq!(second.unwrap_err().to_string(), "timed out after 2.0 s waiting for the rest");
        assert!(deadline.wait("nothing more", forever()).await.is_err());
        assert_eq!(deadline.wait("what is there", std::future::ready(1)).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_interrupt_ends_each_wait() {
        let cancel = CancellationToken::new();
        let deadline = Deadline::begin(Duration::from_secs(7), cancel.clone());
        cancel.cancel();
        assert!(deadline.wait("an answer", std::future::pending::<()>()).await.is_err());
    }
}
