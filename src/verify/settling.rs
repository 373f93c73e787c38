//! Allowances for resources that were created or changed a moment ago.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::{Run, Site, Verdict, failed, faulted, inconclusive};
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Request};

const ASK_AGAIN_AFTER: Duration = Duration::from_secs(3);

/// What was created or changed so recently that it may not work yet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Settling {
    /// Grants may not have taken effect, so that a refusal proves nothing; the text says why.
    Grants { until: Instant, why: &'static str },
    /// The endpoint may not be reachable from everywhere, so that a request is sent again after an error of
    /// the network, and an upload also after one of these statuses.
    Endpoint { until: Instant, name: &'static str, statuses: &'static [u16] },
}

impl Settling {
    /// When what was changed at `changed` has settled, if it takes `long`; `None` when it has.
    pub(crate) fn until(changed: Timestamp, long: Duration) -> Option<Instant> {
        let age = Duration::try_from(changed.duration_until(Timestamp::now())).unwrap_or_default();
        long.checked_sub(age).filter(|left| !left.is_zero()).map(|left| Instant::now() + left)
    }

    /// The same, but with no request sent again after `within`, which is as long as the user waits.
    pub(super) fn at_most(self, within: Duration) -> Self {
        match self {
            Self::Grants { .. } => self,
            Self::Endpoint { until, name, statuses } => {
                Self::Endpoint { until: until.min(Instant::now() + within), name, statuses }
            }
        }
    }
}

impl<S: Site> Run<'_, S> {
    fn settling(&self) -> Option<Settling> {
        self.settling.filter(|(Settling::Grants { until, .. } | Settling::Endpoint { until, .. })| {
            Instant::now() < *until
        })
    }

    /// Whether `error` may be that of something which has not taken effect yet.
    pub(super) fn may_settle(&self, error: &Error) -> bool {
        self.settling().is_some_and(|settling| match settling {
            Settling::Grants { .. } => error.kind() == Kind::Denied,
            Settling::Endpoint { .. } => true,
        })
    }

    /// Why a refusal is not conclusive yet.
    pub(super) fn grants_settle(&self) -> Option<&'static str> {
        match self.settling()? {
            Settling::Grants { why, .. } => Some(why),
            Settling::Endpoint { .. } => None,
        }
    }

    /// The verdict on a check whose call failed.
    pub(super) fn refused(&self, error: &Error) -> Verdict {
        match self.grants_settle().filter(|_| error.kind() == Kind::Denied) {
            Some(why) => inconclusive(format!("{}; {why}", error.chain())),
            None => match &self.lacking {
                Some(lacking) if error.kind() == Kind::Denied => failed(error.chain(), lacking),
                _ => faulted(None, error),
            },
        }
    }

    /// Sends `request`, and sends it again while the endpoint is new and cannot be reached, or refuses an
    /// `upload`.
    ///
    /// # Errors
    /// When there is no response.
    pub(super) async fn send(&self, request: &Request, upload: bool) -> Result<Answer> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut answer = self.site.send(request).await;
            if let Ok(answer) = &mut answer {
                answer.tries = answer.tries.max(tries);
            }
            let Some(Settling::Endpoint { until, name, statuses }) = self.settling() else { return answer };
            let passes = match &answer {
                Ok(answer) => upload && statuses.contains(&answer.status),
                Err(error) => error.kind() == Kind::Transient,
            };
            if !passes {
                return answer;
            }
            if tries == 1 {
                self.checks.begun(name, until - Instant::now());
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }
}
