//! When Google's clients send a call again, and how long they wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use google_cloud_gax::backoff_policy::BackoffPolicy;
use google_cloud_gax::error::Error as SdkError;
use google_cloud_gax::retry_policy::RetryPolicy;
use google_cloud_gax::retry_result::RetryResult;
use google_cloud_gax::retry_state::RetryState;
use google_cloud_storage::retry_policy::RetryableErrors;

use crate::patience::{pause_after, show};
use crate::providers::gcp::failure::{Refusal, root_cause};
use crate::text::clean;

/// The two policies of a client in one. After each failure the client asks first whether to send the call
/// again, and then, without the error, how long to wait: the second answer is kept from the first, by
/// the start of the call.
#[derive(Clone, Debug, Default)]
pub struct Retries(Arc<Mutex<HashMap<Instant, Duration>>>);

impl Retries {
    fn pauses(&self) -> MutexGuard<'_, HashMap<Instant, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RetryPolicy for Retries {
    /// Repeats faults of the network and of the server where the call is idempotent; anything that lasts
    /// longer is the engine's.
    fn on_error(&self, state: &RetryState, error: SdkError) -> RetryResult {
        let error = match RetryableErrors.on_error(state, error) {
            RetryResult::Continue(error) => error,
            done => return done,
        };
        let refusal = Refusal::of(&error);
        let asked = refusal.as_ref().and_then(|refusal| refusal.retry_after);
        let Some(pause) = pause_after(state.attempt_count, asked) else {
            return RetryResult::Exhausted(error);
        };
        show(&refusal.map_or_else(|| clean(&root_cause(&error)), |refusal| refusal.said()), pause);
        self.pauses().insert(state.start, pause);
        RetryResult::Continue(error)
    }
}

impl BackoffPolicy for Retries {
    fn on_failure(&self, state: &RetryState) -> Duration {
        self.pauses().remove(&state.start).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_gax::error::rpc::{Code, Status, StatusDetails};
    use serde_json::json;

    use super::*;

    fn busy(seconds: u64) -> SdkError {
        let info =
            json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s")});
        let info: StatusDetails = serde_json::from_value(info).unwrap();
        SdkError::service(Status::default().set_code(Code::ResourceExhausted).set_details([info]))
    }

    fn first_try() -> RetryState {
        RetryState::new(true).set_attempt_count(1_u32)
    }

    #[test]
    fn the_wait_of_the_server_is_kept_for_the_call_that_it_is_about() {
        let retries = Retries::default();
        let calls = [first_try(), first_try()];
        assert!(retries.on_error(&calls[0], busy(7)).is_continue());
        assert!(retries.on_error(&calls[1], busy(9)).is_continue());
        assert_eq!(calls.map(|call| retries.on_failure(&call).as_secs()), [7, 9]);
        assert!(retries.pauses().is_empty());
    }

    #[test]
    fn a_wait_that_is_too_long_ends_the_call() {
        assert!(Retries::default().on_error(&first_try(), busy(86400)).is_exhausted());
    }
}
