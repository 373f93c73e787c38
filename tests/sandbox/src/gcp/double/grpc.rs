//! gRPC over HTTP/2, by hand: the crate with the messages has no server in it.
//!
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use googleapis_tonic_google_storage_v2::google::rpc::Status;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use prost::Message;
use tonic::Code;

use super::refusal::{Answer, Refusal};
use super::server::Body;

const FLAG_AND_LENGTH: usize = 5;
/// What a status message has encoded.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// Reads the one message of a unary call.
pub(super) fn message<M: Message + Default>(body: &[u8]) -> Answer<M> {
    match next(body) {
        Some((frame, [])) => read(frame),
        _ => Err(Refusal::invalid("a unary call has one message")),
    }
}

/// Reads a message from what [`next`] found.
pub(super) fn read<M: Message + Default>(frame: &[u8]) -> Answer<M> {
    M::decode(frame).map_err(|error| Refusal::invalid(error.to_string()))
}

/// Splits the first whole frame off.
pub(super) fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = bytes.get(1..FLAG_AND_LENGTH)?;
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    let rest = bytes.get(FLAG_AND_LENGTH..)?;
    (rest.len() >= length).then(|| rest.split_at(length))
}

/// A message with its head.
pub(super) fn frame(message: &impl Message) -> Bytes {
    let encoded = message.encode_to_vec();
    let length = u32::try_from(encoded.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(FLAG_AND_LENGTH + encoded.len());
    frame.push(0);
    frame.extend(length.to_be_bytes());
    frame.extend(encoded);
    frame.into()
}

/// The answer to a unary call.
pub(super) fn reply<M: Message>(answer: Answer<M>) -> Response<Body> {
    match answer {
        Ok(message) => {
            let body = Full::new(frame(&message)).with_trailers(async { Some(Ok(trailers(None))) });
            started(body.map_err(|never| match never {}).boxed_unsync())
        }
        Err(refusal) => {
            // An answer without a message has its trailers in the place of headers.
            let mut response = started(Body::default());
            response.headers_mut().extend(trailers(Some(&refusal)));
            response
        }
    }
}

/// The beginning of any answer.
pub(super) fn started(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// How a call ended.
pub(super) fn trailers(refusal: Option<&Refusal>) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    let code = refusal.map_or(0, |refusal| refusal.code as i32);
    trailers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from(code));
    let Some(refusal) = refusal else { return trailers };
    let message = utf8_percent_encode(&refusal.message, ENCODED).to_string();
    let mut details = vec![];
    if let Some(info) = &refusal.info {
        details.push(prost_types::Any {
            type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
            value: info.encode_to_vec(),
        });
    }
    let status = Status { code, message: refusal.message.clone(), details };
    let status = BASE64_STANDARD_NO_PAD.encode(status.encode_to_vec());
    for (name, value) in [("grpc-message", message), ("grpc-status-details-bin", status)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            trailers.insert(HeaderName::from_static(name), value);
        }
    }
    trailers
}

/// How another server says that a call ended, if it says so here.
pub(super) fn status(headers: &HeaderMap) -> Answer<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let code = text("grpc-status").and_then(|code| code.parse().ok()).unwrap_or_default();
    match Code::from_i32(code) {
        Code::Ok => Ok(()),
        code => Err(Refusal { code, ..Refusal::invalid(text("grpc-message").unwrap_or_default()) }),
    }
}
