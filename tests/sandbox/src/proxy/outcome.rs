//! How a request ends, seen from the client's side of the proxy.

use std::{fmt, io};

use futures::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::Response;
use hyper::body::{Bytes, Frame};
use hyper::header::{CONTENT_LENGTH, HeaderValue};

use crate::reply::Reply;

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// Makes hyper close the connection without an answer.
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
    /// The head and half of the body, then the end.
    Half(Reply),
    /// The end.
    Nothing,
}

impl Outcome {
    /// The status the client sees, if any.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(reply) | Self::Half(reply) => Some(reply.status().as_u16()),
            Self::Nothing => None,
        }
    }

    pub(super) fn into_response(self) -> Result<Response<Body>, Dropped> {
        match self {
            Self::Whole(reply) => {
                Ok(reply.map(|bytes| Full::new(bytes).map_err(|never| match never {}).boxed()))
            }
            // There is no half of nothing: the connection ends where the body would be.
            Self::Half(reply) if reply.body().is_empty() => Err(Dropped),
            Self::Half(mut reply) => {
                let length = HeaderValue::from(reply.body().len());
                reply.headers_mut().insert(CONTENT_LENGTH, length);
                Ok(reply.map(|bytes| {
                    let half = Frame::data(bytes.slice(..bytes.len() / 2));
                    let end = io::Error::other("truncated on purpose");
                    StreamBody::new(stream::iter([Ok(half), Err(end)])).boxed()
                }))
            }
            Self::Nothing => Err(Dropped),
        }
    }
}
