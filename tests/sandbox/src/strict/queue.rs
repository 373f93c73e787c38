//! The life of a queue.

use super::memory::Memory;
use crate::call::Call;
use crate::reply::ApiError;

/// How often the name of a deleted queue is refused.
pub(super) const REFUSALS: usize = 2;

/// "If you delete a queue, you must wait at least 60 seconds before creating a queue with the same
/// name." <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html>
///
/// Here the minute is over when it has been tried [`REFUSALS`] times, however long that takes.
pub(super) fn deleted_recently(call: &Call, memory: &Memory) -> Option<ApiError> {
    let too_soon = call.is("sqs:CreateQueue") && memory.rests(call);
    too_soon.then(|| {
        ApiError::new(
            400,
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        )
    })
}
