//! A bucket that a run created, and that was interrupted before it had marked it.

use jiff::{SignedDuration, Timestamp};

/// How long such a run may have lasted.
const LEFT_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Whether what was `created` then, in seconds since the epoch, is as new as what such a run leaves.
pub(crate) fn is_new(created: i64) -> bool {
    created >= Timestamp::now().as_second() - LEFT_WITHIN.as_secs()
}
