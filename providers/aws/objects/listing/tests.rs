use aws_sdk_s3::types::{DeleteMarkerEntry, ObjectVersion};

use super::*;

fn listing(encoding: Option<EncodingType>, next: Option<&str>) -> ListObjectVersionsOutput {
    ListObjectVersionsOutput::builder()
        .set_encoding_type(encoding)
        .is_truncated(next.is_some())
        .set_next_key_marker(next.map(str::to_owned))
        .versions(
            ObjectVersion::builder().key("a+b%2Bc%2525").version_id("1").is_latest(true).size(7).build(),
        )
        .delete_markers(DeleteMarkerEntry::builder().key("z").version_id("2").is_latest(true).build())
        .build()
}

#[test]
fn keys_are_decoded_only_when_the_server_says_that_it_encoded_them() {
    let read = |encoding| page(listing(encoding, None)).entries[0].key.clone();
    assert_eq!(read(Some(EncodingType::Url)), "a b+c%25");
    assert_eq!(read(None), "a+b%2Bc%2525");
}

#[test]
fn markers_and_versions_differ() {
    let page = page(listing(None, None));
    let what: Vec<_> = page.entries.iter().map(|version| (version.what, version.size)).collect();
    assert_eq!(what, [(What::Current, 7), (What::Marker, 0)]);
}

#[test]
fn a_page_that_names_no_next_one_points_nowhere() {
    assert_eq!(page(listing(None, Some(""))).next, Some(Cursor::default()));
    assert_eq!(page(listing(None, Some("l"))).next.unwrap().key.as_deref(), Some("l"));
    assert_eq!(page(listing(None, None)).next, None);
}
