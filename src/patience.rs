//! How long, and how often, the cloud is asked again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::error::{Kind, Result};

/// How long a fault of the network or a plea to slow down may last.
pub const FAULT_WITHIN: Duration = Duration::from_secs(60);

/// How often a cloud that asks us to slow down is asked once more before that is final.
const LOOKS_AGAIN: usize = 4;

/// Ever longer pauses, of which no two runs have the same.
pub fn pauses() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(5))
        .with_jitter()
        .without_max_times()
}

/// Makes `look`, which changes nothing, and makes it again while the cloud is only busy. Faults of the
/// network and of the server are not repeated here: the clients below have done that already.
///
/// # Errors
/// Those of `look`, the last one where it stayed busy.
pub async fn unless_busy<T, F>(mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut pauses = pauses().with_max_times(LOOKS_AGAIN).build();
    loop {
        let error = match look().await {
            Err(error) if matches!(error.kind(), Kind::Throttled | Kind::Conflict) => error,
            result => return result,
        };
        let Some(pause) = pauses.next() else { return Err(error) };
        let asked = error.server_wait().unwrap_or_default().min(FAULT_WITHIN);
        tokio::time::sleep(asked.max(pause)).await;
    }
}
