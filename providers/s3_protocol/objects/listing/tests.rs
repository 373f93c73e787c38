use super::document::page;
use super::*;

fn listing(encoding: &str, next: Option<&str>) -> String {
    let next = match next {
        Some(next) => format!("<IsTruncated>true</IsTruncated><NextKeyMarker>{next}</NextKeyMarker>"),
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>{encoding}{next}
        <Version><Key>a+b%2Bc%2525&amp;&#x21;</Key><VersionId>1</VersionId><IsLatest>true</IsLatest><Size>7</Size>
        <Owner><ID>x</ID></Owner></Version>
        <DeleteMarker><Key>z</Key><VersionId>2</VersionId><IsLatest>true</IsLatest></DeleteMarker>
        <Version><Key>z</Key><VersionId>1</VersionId><IsLatest>false</IsLatest><Size>8</Size></Version>
        <CommonPrefixes><Prefix>p</Prefix></CommonPrefixes></ListVersionsResult>"#
    )
}

const ENCODED: &str = "<EncodingType>url</EncodingType>";

#[test]
fn keys_are_decoded_only_when_the_server_says_that_it_encoded_them() {
    let read = |encoding| page(&listing(encoding, None)).unwrap().entries[0].key.clone();
    assert_eq!(read(ENCODED), "a b+c%25&!");
    assert_eq!(read(""), "a+b%2Bc%2525&!");
}

#[test]
fn markers_and_versions_differ_and_stay_in_the_order_of_their_keys() {
    let page = page(&listing(ENCODED, None)).unwrap();
    let what: Vec<_> = page.entries.iter().map(|version| (version.what, version.size)).collect();
    assert_eq!(what, [(What::Current, 7), (What::Marker, 0), (What::Noncurrent, 8)]);
}

#[test]
fn a_page_that_names_no_next_one_points_nowhere() {
    let next = |next| page(&listing("", next)).unwrap().next;
    assert_eq!(next(Some("")), Some(Cursor::default()));
    assert_eq!(next(Some("l")).unwrap().key.as_deref(), Some("l"));
    assert_eq!(next(None), None);
}

#[test]
fn what_is_no_whole_page_is_no_empty_one() {
    let whole = listing(ENCODED, None);
    for text in [
        "",
        "<html><body>Log in</body></html>",
        "<ListVersionsResult/>",
        "<ListVersionsResult></ListVersionsResult>",
        &whole[..whole.len() - 30],
        &whole.replace("<Key>", "<Other>").replace("</Key>", "</Other>"),
        &whole.replace("&amp;", "&unknown;"),
    ] {
        assert!(page(text).is_err(), "{text}");
    }
}
