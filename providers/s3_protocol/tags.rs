//! The tags of a bucket.

use aws_sdk_s3::types::{Tag, Tagging};

use crate::error::{Error, Kind, Result};
use crate::mark::Entries;

/// `entries` as tags.
///
/// # Errors
/// When one has no key or value.
pub(crate) fn tags(entries: Entries) -> Result<Vec<Tag>> {
    let tag = |(key, value): (String, String)| {
        let tag = Tag::builder().key(&key).value(value).build();
        tag.map_err(|error| Error::new(Kind::Failed, format!("the tag {key} is incomplete")).because(error))
    };
    entries.into_iter().map(tag).collect()
}

/// `entries` as the whole document.
///
/// # Errors
/// As [`tags`].
pub(crate) fn document(entries: Entries) -> Result<Tagging> {
    let document = Tagging::builder().set_tag_set(Some(tags(entries)?)).build();
    document.map_err(|error| Error::new(Kind::Failed, "the tags are incomplete").because(error))
}
