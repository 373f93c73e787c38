//! So many deletions a second and no more.

use std::sync::Mutex;
use std::time::Instant;

/// A token bucket that holds what may be deleted within a second.
#[derive(Debug)]
pub(super) struct Quota {
    per_second: f64,
    state: Mutex<(f64, Instant)>,
}

impl Quota {
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    pub(super) fn new(per_second: u64) -> Self {
        let per_second = per_second as f64;
        Self { per_second, state: Mutex::new((per_second, Instant::now())) }
    }

    /// Whether `number` deletions may be done now.
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    pub(super) fn allows(&self, number: usize) -> bool {
        let Ok(mut state) = self.state.lock() else { return false };
        let (tokens, since) = *state;
        let now = Instant::now();
        let tokens = (tokens + (now - since).as_secs_f64() * self.per_second).min(self.per_second);
        let allowed = tokens >= number as f64;
        *state = (if allowed { tokens - number as f64 } else { tokens }, now);
        allowed
    }
}
