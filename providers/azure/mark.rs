//! The mark in its three places: tags of an account, metadata of containers and queues, and labels of event
//! subscriptions, which are plain words (Z22).

use serde_json::Value;

use crate::mark::{Codec, Entries, Mark, UserTags};
use crate::tag::{TagRule, TagText};

/// On a container: the name of the container for undeliverable events, if there is one.
pub(super) const DEAD_LETTERS: &str = "dead_letter";

/// On a container: the account had a CORS rule for its origin that wbstore did not write.
pub(super) const WAS_THERE: &str = "cors_was_there";

/// Azure Resource Manager documentation, "Use tags to organize your Azure resources".
pub(super) const TAGS: Codec = Codec {
    entries: "tags",
    any_case: true,
    names_shown: true,
    most: 50,
    tags: UserTags::Beside,
    ..Codec::DASHED
};

/// What `--tag` may give (Azure Resource Manager documentation, "Use tags to organize your Azure resources", "Limitations",
/// and "Tags - Create Or Update" for the beginnings; keys of storage accounts are shorter than others). The mark has at
/// most four entries.
pub(super) static TAG_RULE: TagRule = TagRule {
    what: "tag",
    key: TagText {
        longest: 128,
        largest: usize::MAX,
        accepts: is_of_name,
        begins: is_of_name,
        form: "1 to 128 characters, none of `<>%&\\?/`",
    },
    value: TagText {
        longest: 256,
        largest: usize::MAX,
        accepts: is_printable,
        begins: is_printable,
        form: "up to 256 characters",
    },
    reserved: &["microsoft", "azure", "windows"],
    any_case: true,
    most: TAGS.most - 4,
};

fn is_of_name(letter: char) -> bool {
    is_printable(letter) && !r"<>%&\?/".contains(letter)
}

fn is_printable(letter: char) -> bool {
    !letter.is_control()
}

/// Keys must be identifiers, and their case is not kept; the limit is on the size (Blob service REST API,
/// "Setting and retrieving properties and metadata").
pub(super) const METADATA: Codec = Codec {
    entries: "metadata entries",
    prefix: "wbstore_",
    deployment: "wbstore_deployment",
    separator: '_',
    most: usize::MAX,
    tags: UserTags::None,
    ..TAGS
};

/// As `wbstore:acme` and `wbstore-lease:7d`.
pub(super) const LABELS: Codec = Codec { deployment: "wbstore", names_shown: true, ..Codec::DASHED };

/// The `key:value` pairs among `labels`.
pub(super) fn pairs(labels: &Value) -> Entries {
    let labels = labels.as_array().into_iter().flatten().filter_map(Value::as_str);
    labels.filter_map(|label| label.split_once(':')).map(|(key, value)| (key.into(), value.into())).collect()
}

/// `labels` with `mark` in place of the current one; labels of others are kept.
pub(super) fn to_labels(labels: &Value, mark: &Mark) -> Vec<String> {
    let is_ours = |label: &&str| !LABELS.read(&pairs(&Value::from(vec![*label]))).is_empty();
    let labels = labels.as_array().into_iter().flatten().filter_map(Value::as_str);
    let others = labels.filter(|label| !is_ours(label)).map(str::to_owned);
    others.chain(LABELS.write(mark).into_iter().map(|(key, value)| format!("{key}:{value}"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mark::DEPLOYMENT;

    #[test]
    fn labels_are_read_as_they_were_written_and_keep_what_is_not_ours() {
        let mut mark = Mark::default();
        for (name, value) in
            [(DEPLOYMENT, "acme"), (DEAD_LETTERS, "dead"), ("expires", "1970-01-08T00:00:00Z")]
        {
            mark.set(name, value);
        }
        let labels = to_labels(&json!(["team:ml", "wbstore:old", "wbstores:x", "plain"]), &mark);
        let expected = ["team:ml", "wbstores:x", "plain", "wbstore:acme", "wbstore-dead-letter:dead"];
        assert_eq!(labels[..5], expected);
        assert_eq!(LABELS.read(&pairs(&json!(labels))), mark);
    }

    #[test]
    fn metadata_are_ours_in_any_case() {
        let mark = METADATA.read(&[("Wbstore_Deployment".to_owned(), "acme".to_owned())].into());
        assert_eq!(mark.get(DEPLOYMENT), Some("acme"));
    }
}
