//! The life of a queue.

use std::time::Duration;

use super::memory::Memory;
use crate::call::Call;
use crate::reply::ApiError;

/// "If you delete a queue, you must wait at least 60 seconds before creating a queue with the same
/// name." <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html>
pub(super) fn deleted_recently(call: &Call, memory: &Memory, minute: Duration) -> Option<ApiError> {
    let too_soon = call.is("sqs:CreateQueue") && memory.since_deletion(call)? < minute;
    too_soon.then(|| {
        ApiError::new(
            400,
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        )
    })
}
