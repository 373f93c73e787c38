//! How a request ends, seen from the client's side of the proxy.

use std::time::Duration;
use std::{fmt, io};

use futures::stream::{self, StreamExt};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::{Response, Version};

use crate::reply::{Reply, Trailers};

/// For the first half to be on its way: a reset of HTTP/2 takes back what is not.
const HALF_TIME: Duration = Duration::from_millis(50);

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// Makes hyper close the connection without an answer; on HTTP/2 it resets the stream, and the rest
/// of the connection is closed by us.
#[derive(Debug)]
pub(super) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

/// What the client gets.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The whole answer.
    Whole(Reply),
    /// The head and half of the body, then the end: of the connection, or of the stream on HTTP/2.
    Half(Reply),
    /// An answer that goes on for as long as the cloud has something to say.
    Flowing(Response<Incoming>),
    /// The end of the connection.
    Nothing,
}

impl Outcome {
    /// The status the client sees, if any.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(reply) | Self::Half(reply) => Some(reply.status().as_u16()),
            Self::Flowing(response) => Some(response.status().as_u16()),
            Self::Nothing => None,
        }
    }

    /// Whether the client is told that the cloud has not done it. gRPC says so after a status of 200.
    pub(super) fn is_refusal(&self) -> bool {
        let (Self::Whole(reply) | Self::Half(reply)) = self else { return false };
        let trailers = reply.extensions().get::<Trailers>().map(|Trailers(trailers)| trailers);
        let mut maps = trailers.into_iter().chain([reply.headers()]);
        reply.status().as_u16() >= 400
            || maps.any(|map| map.get("grpc-status").is_some_and(|status| status.as_bytes() != b"0"))
    }

    pub(super) fn into_response(self, version: Version) -> Result<Response<Body>, Dropped> {
        match self {
            Self::Whole(reply) => Ok(whole(reply, version)),
            // There is no half of nothing: the connection ends where the body would be.
            Self::Half(reply) if reply.body().is_empty() => Err(Dropped),
            Self::Half(mut reply) => {
                let length = HeaderValue::from(reply.body().len());
                reply.headers_mut().insert(CONTENT_LENGTH, length);
                *reply.version_mut() = version;
                Ok(reply.map(|bytes| {
                    let half = Frame::data(bytes.slice(..bytes.len() / 2));
                    let end = async {
                        tokio::time::sleep(HALF_TIME).await;
                        Err(io::Error::other("truncated on purpose"))
                    };
                    BodyExt::boxed(StreamBody::new(stream::iter([Ok(half)]).chain(stream::once(end))))
                }))
            }
            Self::Flowing(response) => {
                Ok(response.map(|body| BodyExt::boxed(body.map_err(io::Error::other))))
            }
            Self::Nothing => Err(Dropped),
        }
    }
}

fn whole(mut reply: Reply, version: Version) -> Response<Body> {
    *reply.version_mut() = version;
    let trailers = reply.extensions_mut().remove::<Trailers>();
    reply.map(|bytes| match trailers {
        Some(Trailers(trailers)) => {
            let frames = [Ok(Frame::data(bytes)), Ok(Frame::trailers(trailers))];
            BodyExt::boxed(StreamBody::new(stream::iter(frames)))
        }
        None => BodyExt::boxed(Full::new(bytes).map_err(|never| match never {})),
    })
}
