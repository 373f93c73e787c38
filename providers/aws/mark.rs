//! The mark as tags, whose keys and values use only what S3 and SQS both allow: letters, digits, spaces and
//! `+ - = . _ : / @`.

use crate::error::{Kind, Result};
use crate::mark::{Codec, Entries, UserTags};
use crate::providers::s3_protocol::tag_rule::tag_rule;
use crate::resource::Owner;
use crate::tag::TagRule;

/// On a bucket: the name of the queue for run events, if there is one.
pub(super) const NOTIFICATIONS_QUEUE: &str = "notifications_queue";

/// Of buckets and of queues (S3 user guide, "Tagging buckets"; SQS developer guide, "Cost allocation tags").
pub(super) const TAGS: Codec = Codec {
    entries: "tags",
    prefix: "wbstore:",
    deployment: "wbstore:deployment",
    most: 50,
    tags: UserTags::Among,
    ..Codec::DASHED
};

/// The mark has at most eight entries.
pub(super) static TAG_RULE: TagRule = tag_rule(TAGS.most - 8);

/// The tags that were `read`; tags that may not be read leave the owner unknown.
///
/// # Errors
/// Those of the read, but for being denied.
pub(super) fn readable(read: Result<Entries>) -> Result<(Entries, Option<Owner>)> {
    match read {
        Ok(tags) => Ok((tags, None)),
        Err(error) if error.kind() == Kind::Denied => {
            Ok((Entries::new(), Some(Owner::Unknown(error.chain()))))
        }
        Err(error) => Err(error),
    }
}
