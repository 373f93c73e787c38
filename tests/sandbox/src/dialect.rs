//! The languages of the clouds: what a request means in each, and how each puts an error.
//!
//! A proxy speaks one of them. A new cloud adds a variant here and a module beside the others.

mod aws;
pub mod azure;
mod gcp;

use hyper::header::HeaderMap;
use hyper::{Method, Uri};

use crate::backend::Backend;
use crate::call::Call;
use crate::fault::Failure;
use crate::reply::{ApiError, Reply};

pub use aws::{COREWEAVE, VIRTUAL_DOMAIN, is_checksum};

/// Whose language a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// AWS, as one of its emulators has it.
    Aws(Backend),
    /// Any store with the API of S3, to which everything is passed on as it is.
    S3,
    /// Google Cloud: JSON, XML and gRPC.
    Gcp,
    /// Azure: Resource Manager, the data plane of a storage account, and the token endpoint.
    Azure,
}

impl From<Backend> for Dialect {
    fn from(backend: Backend) -> Self {
        Self::Aws(backend)
    }
}

/// The services that wbstore speaks to. Each has its own wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// AWS: REST with XML bodies.
    S3,
    /// AWS: awsJson 1.0, compatible with the older query protocol.
    Sqs,
    /// AWS: the query protocol with XML answers.
    Sts,
    /// AWS: the query protocol with XML answers.
    Iam,
    /// AWS: whatever else passes by; forwarded, never judged.
    Other,
    /// Google: any service over gRPC.
    Grpc,
    /// Google: any service over REST with JSON bodies.
    Json,
    /// Google: the XML API of Cloud Storage.
    Xml,
    /// Azure: the Resource Manager.
    Arm,
    /// Azure: the data plane of blobs.
    Blob,
    /// Azure: the data plane of queues.
    Queue,
    /// Azure: where tokens are had.
    Token,
}

/// A request that is still to be understood.
pub(crate) struct Head<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    pub query: &'a [(String, String)],
    /// The door of the proxy it came through.
    pub door: &'a str,
}

impl Head<'_> {
    /// Whether a query parameter is given, with or without a value.
    fn asks(&self, name: &str) -> bool {
        self.query.iter().any(|(given, _)| given == name)
    }

    /// The value of a query parameter.
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What a request means.
pub(crate) struct Meaning {
    pub service: Service,
    pub operation: String,
    pub resource: String,
    pub mutating: bool,
    pub aws: aws::Details,
}

impl Meaning {
    fn new(service: Service, operation: String, resource: String, mutating: bool) -> Self {
        Self { service, operation, resource, mutating, aws: aws::Details::default() }
    }
}

impl Dialect {
    pub(crate) fn understand(self, head: &Head<'_>) -> Meaning {
        match self {
            Self::Aws(_) | Self::S3 => aws::understand(head),
            Self::Gcp => gcp::understand(head),
            Self::Azure => azure::understand(head),
        }
    }

    /// Whether requests like this one have no end of their own: they are passed on as they come.
    pub(crate) fn streams(self, uri: &Uri) -> bool {
        self == Self::Gcp && gcp::streams(uri)
    }

    pub(crate) fn spell(self, failure: &Failure, call: &Call) -> ApiError {
        match self {
            Self::Aws(_) | Self::S3 => aws::spell(failure, call),
            Self::Gcp => gcp::spell(failure, call),
            Self::Azure => azure::spell(failure, call),
        }
    }

    pub(crate) fn write(self, error: &ApiError, status: u16, call: &Call) -> Reply {
        match self {
            Self::Aws(_) | Self::S3 => aws::write(error, status, call),
            Self::Gcp => gcp::write(error, status, call),
            Self::Azure => azure::write(error, status, call),
        }
    }

    /// What a service says to one whose clock is off by too much. `theirs` is its own, in seconds of
    /// the epoch.
    pub(crate) fn too_skewed(self, theirs: i64, allowed: i64, call: &Call) -> ApiError {
        match self {
            Self::Aws(_) | Self::S3 => aws::too_skewed(theirs, allowed),
            Self::Gcp => gcp::too_skewed(call),
            Self::Azure => azure::too_skewed(call),
        }
    }
}

/// Text as it was before it was put into a path or a query.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
