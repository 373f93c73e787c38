//! What S3 and SQS accept as tags (AWS General Reference, "Tag naming limits and requirements"; S3 user guide, "Tagging
//! buckets"; SQS developer guide, "Cost allocation tags"). Other stores accept no more.

use crate::tag::{TagRule, TagText};

/// What a bucket or queue accepts beside the entries of the mark.
pub(crate) const fn tag_rule(most: usize) -> TagRule {
    TagRule {
        what: "tag",
        key: TagText { form: "1 to 128 letters, digits, spaces and `+-=._:/@`", ..text(128) },
        value: TagText { form: "up to 256 letters, digits, spaces and `+-=._:/@`", ..text(256) },
        reserved: &["aws:"],
        any_case: false,
        most,
    }
}

const fn text(longest: usize) -> TagText {
    TagText { longest, largest: usize::MAX, accepts: is_accepted, begins: is_accepted, form: "" }
}

fn is_accepted(letter: char) -> bool {
    letter.is_alphanumeric() || " +-=._:/@".contains(letter)
}
