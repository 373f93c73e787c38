//! When the SDK sends a call again, and how long it waits.
//!
//! The SDK's own loop decides whether a failure is transient. Of the waits that a server can request it
//! supports only `x-amz-retry-after`, so any requested wait, within bounds, is converted to it.

use aws_config::retry::RetryConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, InterceptorContext,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::retry::{LONGEST_WAIT, TRIES, asked, is_fault, pause_after, show};

/// How wbstore's clients retry. The SDK's own pauses are too short to be shown.
pub(crate) fn config() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(TRIES)
        .with_initial_backoff(std::time::Duration::from_millis(500))
        .with_max_backoff(LONGEST_WAIT)
}

/// Passes the wait that the server requests to the SDK's loop, and ends the loop if it is too long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries;

#[dyn_dispatch_hint]
impl Intercept for Retries {
    fn name(&self) -> &'static str {
        "Retries"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let status = response.status().as_u16();
        let asked = asked(|name| response.headers().get(name));
        if asked.is_none() || !is_fault(status, asked) {
            return Ok(());
        }
        let tries = bag.load::<RequestAttempts>().map_or(TRIES, |made| made.attempts());
        let most = bag.load::<RetryConfig>().map_or(TRIES, RetryConfig::max_attempts);
        match pause_after(tries, asked).filter(|_| tries < most) {
            Some(pause) => {
                let call = bag.load::<Metadata>();
                let call = call.map_or("", Metadata::name);
                show(&format!("{call}: HTTP status {status}"), pause);
                response.headers_mut().try_insert("x-amz-retry-after", pause.as_millis().to_string())?;
            }
            None => {
                bag.interceptor_state().store_put(RetryConfig::disabled());
            }
        }
        Ok(())
    }
}

impl ClassifyRetry for Retries {
    /// A 429 is repeated whatever its error code; the SDK knows some codes only.
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let busy = context.response().is_some_and(|response| response.status().as_u16() == 429);
        if busy { RetryAction::throttling_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "Retries"
    }
}
