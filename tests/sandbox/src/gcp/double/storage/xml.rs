//! The XML API, as browsers and signed URLs use it:
//! <https://cloud.google.com/storage/docs/xml-api/overview>.

use hyper::{Method, Response};
use serde_json::json;

use super::super::asked::Asked;
use super::super::caller::Caller;
use super::super::refusal::{Answer, Refusal};
use super::super::server::{self, Body};
use super::super::state::State;
use super::bucket::find;
use super::object::Object;
use super::objects::{self, Conditions};
use super::{SERVICE, cors, json, signed};

/// `/{bucket}/{object}`
pub(in super::super) fn answer(state: &mut State, asked: &Asked) -> Response<Body> {
    let path = asked.path.trim_start_matches('/');
    let (bucket, name) = path.split_once('/').unwrap_or((path, ""));
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
    if asked.method == Method::OPTIONS {
        return cors::preflight(state, asked, bucket);
    }
    let reply = match object(state, asked, bucket, &name) {
        Ok(reply) => reply,
        Err(refusal) => {
            let body = if asked.method == Method::HEAD { String::new() } else { refusal.xml() };
            let reply = server::bytes(refusal.http, body.into());
            server::with(reply, &[("content-type", "application/xml; charset=UTF-8")])
        }
    };
    cors::expose(state, asked, bucket, reply)
}

fn object(state: &mut State, asked: &Asked, bucket: &str, name: &str) -> Answer<Response<Body>> {
    let caller = match signed::caller(state, asked)? {
        Some(signer) => signer,
        None => Caller::of(asked)?,
    };
    state.serves(SERVICE, asked.header("x-goog-user-project").or(Some("")))?;
    if name.is_empty() {
        return Err(Refusal::unknown_call("the XML of buckets"));
    }
    if asked.query("uploads").is_some() || asked.query("uploadId").is_some() {
        return in_parts(state, &caller, asked, (bucket, name));
    }
    match asked.method {
        // https://cloud.google.com/storage/docs/xml-api/get-object-download
        Method::GET | Method::HEAD => {
            let object = objects::get(state, &caller, bucket, (name, 0), Conditions::default())?;
            let reply = if asked.method == Method::HEAD {
                let length = object.content.len().to_string();
                let reply = server::with(server::empty(200), &[("content-type", &object.content_type)]);
                server::with(reply, &[("content-length", &length)])
            } else {
                json::content(object, asked)
            };
            Ok(tagged(object, reply))
        }
        // https://cloud.google.com/storage/docs/xml-api/put-object-upload
        Method::PUT => {
            let kind = asked.header("content-type").unwrap_or("application/octet-stream");
            let chosen = json!({"contentType": kind});
            let generation = asked.header("x-goog-if-generation-match").and_then(|text| text.parse().ok());
            let conditions = Conditions { generation, ..Conditions::default() };
            let body = asked.body.clone();
            let object = objects::write(state, &caller, bucket, (name, body), &chosen, conditions)?;
            Ok(tagged(&object, server::empty(200)))
        }
        // https://cloud.google.com/storage/docs/xml-api/delete-object
        Method::DELETE => {
            objects::delete(state, &caller, bucket, (name, 0), Conditions::default())?;
            Ok(server::empty(204))
        }
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

/// <https://cloud.google.com/storage/docs/multipart-uploads>: begun, sent in parts, and completed or aborted.
fn in_parts(
    state: &mut State,
    caller: &Caller,
    asked: &Asked,
    (bucket, name): (&str, &str),
) -> Answer<Response<Body>> {
    let id = asked.query("uploadId").unwrap_or_default().to_owned();
    let unknown = || Refusal::missing("The requested upload was not found.");
    let allow = |permission: &str| find(state, caller, bucket, permission).map(drop);
    match (&asked.method, asked.query("partNumber")) {
        (&Method::POST, _) if id.is_empty() => {
            allow("storage.multipartUploads.create")?;
            allow("storage.objects.create")?;
            let id = format!("upload-{}", state.next());
            state.parts.insert(id.clone(), (name.to_owned(), vec![]));
            let xml = format!(
                "<?xml version='1.0' encoding='UTF-8'?><InitiateMultipartUploadResult><Bucket>{bucket}</Bucket>\
                 <UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            );
            Ok(server::with(server::bytes(200, xml.into()), &[("content-type", "application/xml")]))
        }
        (&Method::PUT, Some(_)) => {
            allow("storage.multipartUploads.create")?;
            allow("storage.objects.create")?;
            let (_, content) = state.parts.get_mut(&id).ok_or_else(unknown)?;
            content.extend_from_slice(&asked.body);
            Ok(server::with(server::empty(200), &[("etag", "\"part\"")]))
        }
        (&Method::POST, _) => {
            allow("storage.multipartUploads.create")?;
            let (name, content) = state.parts.remove(&id).ok_or_else(unknown)?;
            let object = objects::write(
                state,
                caller,
                bucket,
                (&name, content.into()),
                &json!({}),
                Conditions::default(),
            )?;
            Ok(tagged(&object, server::bytes(200, "<CompleteMultipartUploadResult/>".into())))
        }
        (&Method::DELETE, _) => {
            allow("storage.multipartUploads.abort")?;
            state.parts.remove(&id).ok_or_else(unknown)?;
            Ok(server::empty(204))
        }
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

/// An entity tag is the MD5 of the content here, in hexadecimal.
fn tagged(object: &Object, reply: Response<Body>) -> Response<Body> {
    let hash = format!("crc32c={},md5={}", object.crc32c(), object.md5());
    server::with(
        reply,
        &[
            ("etag", &format!("\"{}\"", object.md5_hex())),
            ("x-goog-generation", &object.generation.to_string()),
            ("x-goog-hash", &hash),
        ],
    )
}
