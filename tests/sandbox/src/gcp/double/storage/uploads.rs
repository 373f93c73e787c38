//! The ways an object is uploaded over JSON: <https://cloud.google.com/storage/docs/uploads-downloads>.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::body::Bytes;
use hyper::{Method, Response, header};
use serde_json::{Value, json};

use super::super::asked::Asked;
use super::super::caller::Caller;
use super::super::refusal::{Answer, Refusal};
use super::super::server::{self, Body};
use super::super::state::State;
use super::object::Object;
use super::objects::{Conditions, write};

/// A resumable upload that has begun.
#[derive(Clone, Debug)]
pub(in super::super) struct Upload {
    caller: Caller,
    bucket: String,
    name: String,
    chosen: Value,
    conditions: Conditions,
    content: Vec<u8>,
    done: Option<Object>,
}

/// `/upload/storage/v1/b/{bucket}/o`
pub(super) fn answer(
    state: &mut State,
    caller: &Caller,
    asked: &Asked,
    bucket: &str,
) -> Answer<Response<Body>> {
    if let Some(id) = asked.query("upload_id") {
        return proceed(state, asked, id);
    }
    if asked.method != Method::POST {
        return Err(Refusal::unknown_call(&asked.path));
    }
    let conditions = conditions(asked)?;
    match asked.query("uploadType").unwrap_or("media") {
        "media" => {
            let kind = asked.header("content-type");
            let chosen = kind.map_or_else(|| json!({}), |kind| json!({"contentType": kind}));
            let name = asked.query("name").unwrap_or_default();
            let object = write(state, caller, bucket, (name, asked.body.clone()), &chosen, conditions)?;
            Ok(finished(&object, bucket, asked))
        }
        "multipart" => {
            let (chosen, content) = parts(asked)?;
            let name = asked.query("name").or(chosen["name"].as_str()).unwrap_or_default().to_owned();
            let object = write(state, caller, bucket, (&name, content), &chosen, conditions)?;
            Ok(finished(&object, bucket, asked))
        }
        "resumable" => {
            let mut chosen = asked.json()?;
            if let Some(kind) =
                asked.header("x-upload-content-type").filter(|_| chosen["contentType"].is_null())
            {
                chosen["contentType"] = kind.into();
            }
            let name = asked.query("name").or(chosen["name"].as_str()).unwrap_or_default().to_owned();
            super::bucket::find(state, caller, bucket, "storage.objects.create")?;
            let id = BASE64_URL_SAFE_NO_PAD.encode(state.next().to_be_bytes());
            let upload = Upload {
                caller: caller.clone(),
                bucket: bucket.to_owned(),
                name,
                chosen,
                conditions,
                content: vec![],
                done: None,
            };
            state.uploads.insert(id.clone(), upload);
            let location = format!("http://{}{}?uploadType=resumable&upload_id={id}", asked.host, asked.path);
            Ok(server::with(server::empty(200), &[(header::LOCATION.as_str(), &location)]))
        }
        other => Err(Refusal::invalid(format!("Invalid upload type: {other}"))),
    }
}

/// A part of a resumable upload, or the question how much has arrived:
/// <https://cloud.google.com/storage/docs/performing-resumable-uploads>. The id alone gives access.
fn proceed(state: &mut State, asked: &Asked, id: &str) -> Answer<Response<Body>> {
    let unknown = || Refusal::missing("Not Found");
    let Some(upload) = state.uploads.get_mut(id) else { return Err(unknown()) };
    if asked.method == Method::DELETE {
        state.uploads.remove(id);
        return Ok(server::empty(499));
    }
    if let Some(object) = &upload.done {
        return Ok(finished(object, &upload.bucket, asked));
    }
    let arrived = upload.content.len();
    let (range, total) = match asked.header("content-range") {
        None => (None, Some(asked.body.len())),
        Some(text) => content_range(text)?,
    };
    if let Some(first) = range {
        if first > arrived {
            return Err(Refusal::invalid("Invalid request: there is a gap before this part."));
        }
        upload.content.truncate(first);
        upload.content.extend_from_slice(&asked.body);
    } else if asked.header("content-range").is_none() {
        upload.content = asked.body.to_vec();
    }
    if total != Some(upload.content.len()) {
        let reply = server::empty(308);
        return Ok(match upload.content.len() {
            0 => reply,
            some => server::with(reply, &[("range", &format!("bytes=0-{}", some - 1))]),
        });
    }
    let Upload { caller, bucket, name, chosen, conditions, content, .. } = upload.clone();
    let object = write(state, &caller, &bucket, (&name, content.into()), &chosen, conditions)?;
    let reply = finished(&object, &bucket, asked);
    if let Some(upload) = state.uploads.get_mut(id) {
        upload.done = Some(object);
    }
    Ok(reply)
}

/// `bytes 0-99/200`, `bytes 0-99/*`, `bytes */200` or `bytes */*`: the first byte, and how many there
/// are in the end.
fn content_range(text: &str) -> Answer<(Option<usize>, Option<usize>)> {
    let wrong = || Refusal::invalid(format!("Failed to parse Content-Range header: {text}"));
    let (range, total) =
        text.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let total = if total == "*" { None } else { Some(total.parse().map_err(|_| wrong())?) };
    let first = match range.split_once('-') {
        Some((first, _)) => Some(first.parse().map_err(|_| wrong())?),
        None => None,
    };
    Ok((first, total))
}

/// The resource and the content of `multipart/related`, which has just these two.
fn parts(asked: &Asked) -> Answer<(Value, Bytes)> {
    let wrong = || Refusal::invalid("Malformed multipart body.");
    let kind = asked.header("content-type").ok_or_else(wrong)?;
    let (_, boundary) = kind.split_once("boundary=").ok_or_else(wrong)?;
    let boundary = boundary.split(';').next().unwrap_or_default().trim_matches(['"', '\'']);
    let delimiter = format!("--{boundary}");
    let body = &asked.body;
    let found: Vec<_> = positions(body, delimiter.as_bytes()).collect();
    let [first, second, end, ..] = found[..] else { return Err(wrong()) };
    let part = |from: usize, to: usize| {
        let whole = body.slice(from + delimiter.len()..to);
        // Google's own libraries end lines in either way.
        let (head, line) = positions(&whole, b"\r\n\r\n")
            .next()
            .map_or_else(|| positions(&whole, b"\n\n").next().map(|at| (at, 1)), |at| Some((at, 2)))?;
        let content = whole.slice(head + 2 * line..);
        Some((whole.slice(..head), content.slice(..content.len().checked_sub(line)?)))
    };
    let (_, resource) = part(first, second).ok_or_else(wrong)?;
    let (head, content) = part(second, end).ok_or_else(wrong)?;
    let mut chosen: Value = serde_json::from_slice(&resource).map_err(|_| wrong())?;
    let kind = String::from_utf8_lossy(&head).lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type").then(|| value.trim().to_owned())
    });
    if let Some(kind) = kind.filter(|_| chosen["contentType"].is_null()) {
        chosen["contentType"] = kind.into();
    }
    Ok((chosen, content))
}

fn positions<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(wanted.len()).enumerate().filter(move |(_, window)| *window == wanted).map(|(at, _)| at)
}

fn finished(object: &Object, bucket: &str, asked: &Asked) -> Response<Body> {
    let reply = server::json(200, &object.json(bucket, &format!("http://{}", asked.host)));
    let hash = format!("crc32c={},md5={}", object.crc32c(), object.md5());
    server::with(reply, &[("x-goog-generation", &object.generation.to_string()), ("x-goog-hash", &hash)])
}

/// The conditions in a query.
pub(super) fn conditions(asked: &Asked) -> Answer<Conditions> {
    Ok(Conditions {
        generation: asked.number("ifGenerationMatch")?,
        not_generation: asked.number("ifGenerationNotMatch")?,
        metageneration: asked.number("ifMetagenerationMatch")?,
        not_metageneration: asked.number("ifMetagenerationNotMatch")?,
    })
}
