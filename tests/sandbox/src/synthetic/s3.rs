//! S3's part: listings of objects and versions, and deletions.

use std::fmt::Write;

use hyper::Method;
use hyper::body::Bytes;

use super::contents::Contents;
use super::quota::Quota;
use super::{Answered, Asked};
use crate::reply::{Reply, reply};

/// The most keys of a page and of a deletion.
const PAGE: usize = 1000;
const OWNER: &str = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";

/// The answer to `asked`, where it is about the objects of `bucket`.
pub(super) fn answer(bucket: &str, contents: &Contents, quota: Option<&Quota>, asked: &Asked) -> Answered {
    let path = asked.path.trim_start_matches('/');
    let (named, key) = path.split_once('/').unwrap_or((path, ""));
    if named != bucket {
        return Answered::Elsewhere;
    }
    match (&asked.method, key) {
        (&Method::GET, "") if asked.has("versions") => {
            Answered::Here("list", versions(bucket, contents, asked))
        }
        (&Method::GET, "") if asked.parameter("list-type") == Some("2") => {
            Answered::Here("list", objects(bucket, contents, asked))
        }
        (&Method::POST, "") if asked.has("delete") => {
            Answered::Here("delete", delete(contents, quota, &asked.body))
        }
        (&Method::DELETE, "") if contents.left() > 0 => Answered::Here(
            "other",
            error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty"),
        ),
        (&Method::DELETE, key) if !key.is_empty() => {
            if quota.is_some_and(|quota| !quota.allows(1)) {
                return Answered::Here("delete", slow_down());
            }
            let version = asked.parameter("versionId").map_or(Some(0), version);
            if let Some(entry) = version.and_then(|version| contents.entry(key, version)) {
                contents.delete(entry);
            }
            Answered::Here("delete", reply(204, "application/xml", Bytes::new()))
        }
        _ => Answered::Elsewhere,
    }
}

/// What a listing shows from a place on: entries, or what stands for all that begins alike.
struct Page {
    entries: Vec<u64>,
    prefixes: Vec<String>,
    more: bool,
}

fn page(contents: &Contents, from: u64, asked: &Asked) -> Page {
    let prefix = asked.parameter("prefix").unwrap_or_default();
    let delimiter = asked.parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    let most = asked.parameter("max-keys").and_then(|most| most.parse().ok()).unwrap_or(PAGE).min(PAGE);
    let mut page = Page { entries: Vec::with_capacity(most), prefixes: vec![], more: false };
    let mut place = from.max(contents.first(|key| key >= prefix));
    while let Some(entry) = contents.next(place) {
        let key = (delimiter.is_some() || !prefix.is_empty()).then(|| contents.key(entry));
        if key.as_ref().is_some_and(|key| !key.starts_with(prefix)) {
            break;
        }
        if page.entries.len() + page.prefixes.len() == most {
            page.more = true;
            break;
        }
        let folded = key.zip(delimiter).and_then(|(key, delimiter)| {
            let end = prefix.len() + key[prefix.len()..].find(delimiter)? + delimiter.len();
            Some(key[..end].to_owned())
        });
        match folded {
            Some(folded) => {
                place = contents.first(|key| key > folded.as_str() && !key.starts_with(&folded));
                page.prefixes.push(folded);
            }
            None => {
                page.entries.push(entry);
                place = entry + 1;
            }
        }
    }
    page
}

fn versions(bucket: &str, contents: &Contents, asked: &Asked) -> Reply {
    let marker = asked.parameter("key-marker").unwrap_or_default();
    let from = match asked.parameter("version-id-marker").and_then(version) {
        Some(version) => contents.entry(marker, version).map_or(0, |entry| entry + 1),
        None if marker.is_empty() => 0,
        None => contents.first(|key| key > marker),
    };
    let page = page(contents, from, asked);
    let mut text = String::with_capacity(512 * page.entries.len() + 1024);
    let _ = write!(
        text,
        "{DECLARATION}<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{bucket}</Name>\
         <Prefix></Prefix><MaxKeys>{PAGE}</MaxKeys><EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>",
        page.more
    );
    if let Some(last) = page.entries.last().filter(|_| page.more && page.prefixes.is_empty()) {
        let (key, id) = (contents.key(*last), version_id(contents, *last));
        let _ = write!(
            text,
            "<NextKeyMarker>{key}</NextKeyMarker><NextVersionIdMarker>{id}</NextVersionIdMarker>"
        );
    } else if let Some(last) = page.prefixes.last().filter(|_| page.more) {
        let _ = write!(text, "<NextKeyMarker>{last}</NextKeyMarker>");
    }
    for entry in &page.entries {
        let (key, id) = (contents.key(*entry), version_id(contents, *entry));
        let place = entry % contents.stock.versions;
        let is_marker = place == 0 && contents.stock.versions > 1;
        let kind = if is_marker { "DeleteMarker" } else { "Version" };
        let _ = write!(
            text,
            "<{kind}><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{}</IsLatest>\
             <LastModified>2026-03-01T12:00:00.000Z</LastModified>",
            place == 0
        );
        if !is_marker {
            let _ = write!(
                text,
                "<ETag>&quot;{entry:032x}&quot;</ETag><Size>1234</Size><StorageClass>STANDARD</StorageClass>"
            );
        }
        let _ = write!(text, "<Owner><ID>{OWNER}</ID></Owner></{kind}>");
    }
    for prefix in &page.prefixes {
        let _ = write!(text, "<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>");
    }
    text.push_str("</ListVersionsResult>");
    reply(200, "application/xml", text)
}

fn objects(bucket: &str, contents: &Contents, asked: &Asked) -> Reply {
    let after = asked.parameter("continuation-token").or_else(|| asked.parameter("start-after"));
    let from = after.map_or(0, |after| contents.first(|key| key > after));
    let page = page(contents, from, asked);
    let mut text = String::with_capacity(384 * page.entries.len() + 1024);
    let _ = write!(
        text,
        "{DECLARATION}<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{bucket}</Name>\
         <Prefix></Prefix><KeyCount>{}</KeyCount><MaxKeys>{PAGE}</MaxKeys><IsTruncated>{}</IsTruncated>",
        page.entries.len(),
        page.more
    );
    let last = page.entries.last().map(|last| contents.key(*last)).max(page.prefixes.last().cloned());
    if let Some(last) = last.filter(|_| page.more) {
        let _ = write!(text, "<NextContinuationToken>{last}</NextContinuationToken>");
    }
    for entry in &page.entries {
        let _ = write!(
            text,
            "<Contents><Key>{}</Key><LastModified>2026-03-01T12:00:00.000Z</LastModified>\
             <ETag>&quot;{entry:032x}&quot;</ETag><Size>1234</Size><StorageClass>STANDARD</StorageClass></Contents>",
            contents.key(*entry)
        );
    }
    for prefix in &page.prefixes {
        let _ = write!(text, "<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>");
    }
    text.push_str("</ListBucketResult>");
    reply(200, "application/xml", text)
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// As long as one of S3's, and the place among the versions of a key.
fn version_id(contents: &Contents, entry: u64) -> String {
    match contents.stock.versions {
        1 => "null".to_owned(),
        versions => format!("v{:02x}.{entry:028}", entry % versions),
    }
}

fn version(id: &str) -> Option<u64> {
    if id == "null" { Some(0) } else { u64::from_str_radix(id.get(1..3)?, 16).ok() }
}

fn delete(contents: &Contents, quota: Option<&Quota>, body: &Bytes) -> Reply {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let number = text.matches("<Object>").count();
    if number > PAGE {
        return error(400, "MalformedXML", "The XML you provided was not well-formed");
    }
    if quota.is_some_and(|quota| !quota.allows(number)) {
        return slow_down();
    }
    let quiet = text.contains("<Quiet>true</Quiet>");
    let mut answer = String::with_capacity(if quiet { 256 } else { 160 * number + 256 });
    let _ = write!(answer, "{DECLARATION}<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for object in text.split("<Object>").skip(1) {
        let key = between(object, "<Key>", "</Key>").unwrap_or_default();
        let id = between(object, "<VersionId>", "</VersionId>");
        if let Some(entry) = id.map_or(Some(0), version).and_then(|version| contents.entry(key, version)) {
            contents.delete(entry);
        }
        if !quiet {
            let _ = write!(answer, "<Deleted><Key>{key}</Key>");
            if let Some(id) = id {
                let _ = write!(answer, "<VersionId>{id}</VersionId>");
            }
            answer.push_str("</Deleted>");
        }
    }
    answer.push_str("</DeleteResult>");
    reply(200, "application/xml", answer)
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let from = text.find(begin)? + begin.len();
    text[from..].find(end).map(|to| &text[from..from + to])
}

fn slow_down() -> Reply {
    error(503, "SlowDown", "Please reduce your request rate.")
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let text = format!("{DECLARATION}<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    reply(status, "application/xml", text)
}
