//! Cloud Storage's part: listings of objects, and deletions.

use std::fmt::Write;

use hyper::Method;
use hyper::body::Bytes;

use super::contents::Contents;
use super::quota::Quota;
use super::{Answered, Asked};
use crate::reply::{Reply, reply};

/// The most objects of a page.
const PAGE: usize = 1000;

/// The answer to `asked`, where it is about the objects of `bucket`.
pub(super) fn answer(bucket: &str, contents: &Contents, quota: Option<&Quota>, asked: &Asked) -> Answered {
    let Some(path) = asked.path.strip_prefix("/storage/v1/b/").and_then(|path| path.strip_prefix(bucket))
    else {
        return Answered::Elsewhere;
    };
    match (&asked.method, path) {
        (&Method::GET, "/o") => Answered::Here("list", list(contents, asked)),
        (&Method::DELETE, "") if contents.left() > 0 => {
            Answered::Here("other", error(409, "conflict", "The bucket you tried to delete is not empty."))
        }
        (&Method::DELETE, path) => match path.strip_prefix("/o/") {
            Some(name) => Answered::Here("delete", delete(contents, quota, name, asked)),
            None => Answered::Elsewhere,
        },
        _ => Answered::Elsewhere,
    }
}

fn list(contents: &Contents, asked: &Asked) -> Reply {
    let filled = |name| asked.parameter(name).filter(|text| !text.is_empty());
    let token = filled("pageToken").and_then(|token| token.parse().ok());
    let start = filled("startOffset").max(filled("prefix")).unwrap_or_default();
    let mut place: u64 = token.unwrap_or_else(|| contents.first(|key| key >= start));
    let prefix = filled("prefix").unwrap_or_default();
    let end = filled("endOffset").map_or(u64::MAX, |end| contents.first(|key| key >= end));
    let most = asked.parameter("maxResults").and_then(|most| most.parse().ok()).unwrap_or(PAGE).min(PAGE);
    let mut text = String::with_capacity(256 * most);
    text.push_str("{\"kind\":\"storage#objects\",\"items\":[");
    let mut number = 0;
    while let Some(entry) = contents.next(place).filter(|entry| *entry < end) {
        let key = contents.key(entry);
        if !key.starts_with(prefix) {
            break;
        }
        if number == most {
            let _ = write!(text, "],\"nextPageToken\":\"{place}\"}}");
            return reply(200, "application/json", text);
        }
        let comma = if number > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}{{\"name\":\"{key}\",\"generation\":\"{}\",\"size\":\"1234\",\
             \"timeCreated\":\"2026-03-01T12:00:00.000Z\"}}",
            generation(entry)
        );
        number += 1;
        place = entry + 1;
    }
    text.push_str("]}");
    reply(200, "application/json", text)
}

fn generation(entry: u64) -> u64 {
    1_700_000_000_000_000 + entry
}

fn delete(contents: &Contents, quota: Option<&Quota>, name: &str, asked: &Asked) -> Reply {
    if quota.is_some_and(|quota| !quota.allows(1)) {
        return error(
            429,
            "rateLimitExceeded",
            "The rate of change requests to the bucket exceeds the rate limit.",
        );
    }
    let asked: Option<u64> = asked.parameter("generation").and_then(|generation| generation.parse().ok());
    let found = (0..contents.stock.versions)
        .filter_map(|version| contents.entry(name, version))
        .find(|entry| asked.is_none_or(|asked| asked == generation(*entry)))
        .filter(|entry| contents.next(*entry) == Some(*entry));
    match found {
        Some(entry) => {
            contents.delete(entry);
            reply(204, "application/json", Bytes::new())
        }
        None => error(404, "notFound", "No such object"),
    }
}

fn error(status: u16, reason: &str, message: &str) -> Reply {
    let error = serde_json::json!({ "error": {
        "code": status, "message": message, "errors": [{ "domain": "global", "reason": reason, "message": message }],
    }});
    reply(status, "application/json", error.to_string())
}
