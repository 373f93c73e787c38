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
    let read =
        |encoding| page(listing(encoding, None), &Cursor::default(), "b").unwrap().versions[0].key.clone();
    assert_eq!(read(Some(EncodingType::Url)), "a b+c%25");
    assert_eq!(read(None), "a+b%2Bc%2525");
}

#[test]
fn markers_are_told_from_versions() {
    let page = page(listing(None, None), &Cursor::default(), "b").unwrap();
    let what: Vec<_> = page.versions.iter().map(|version| (version.what, version.size)).collect();
    assert_eq!(what, [(What::Current, 7), (What::Marker, 0)]);
}

#[test]
fn a_listing_that_goes_in_circles_is_an_error() {
    let asked = Cursor { key: Some("k".to_owned()), version: None };
    assert!(page(listing(None, Some("k")), &asked, "b").is_err());
    assert!(page(listing(None, Some("")), &asked, "b").is_err());
    assert_eq!(page(listing(None, Some("l")), &asked, "b").unwrap().next.unwrap().key.as_deref(), Some("l"));
}
