//! What stores do that cannot be had here, on top of one that can, and what stands before some of them.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::Method;

use crate::call::Call;
use crate::reply::{self, ApiError, Reply, set};

/// One peculiarity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// A reverse proxy, or a setting of the whole store such as MinIO's `MINIO_API_CORS_ALLOW_ORIGIN`, allows this
    /// origin, or any where it is `*`, to do all that a page of W&B does.
    CorsOfAll(String),
    /// What is not signed is refused.
    Private,
    /// Ceph: with `BlockPublicAcls` every upload is refused, as each of them has an access control list.
    BlockedAclsRefuseUploads,
    /// Ceph 18 without a key service: a default encryption is accepted, and then refuses every upload.
    EncryptionRefusesUploads,
    /// Garage: no `ListObjectVersions`.
    NoVersions,
    /// No `DeleteObjects`.
    NoDeleteObjects,
    /// `DeleteObjects` requires Content-MD5, and no request may have a newer checksum.
    NoNewerChecksums,
    /// Only requests that were signed for this region; Cloudflare's R2 has `auto` alone.
    OnlyRegion(String),
    /// Only requests that have the bucket in the host name.
    OnlyVirtual,
    /// nginx before the store, which refuses larger bodies, of so many bytes.
    SmallBodies(usize),
    /// Not even a listing of the buckets or the creation of one: a key for one bucket.
    OneBucketKey,
    /// What is not signed is answered.
    ServesAnybody,
    /// Every preflight is allowed, and no answer that follows.
    PreflightsOnly,
    /// A proxy before the store drops the header `Range`.
    NoRanges,
    /// A listing has a space where a key has a plus.
    PlusIsSpace,
    /// No setting of a bucket is known, nor its tags.
    NoSettings,
    /// CoreWeave: buckets by host name only, none that begins with `cw-` or `vip-`, and principals of its own in
    /// policies.
    Coreweave,
}

/// Those of one store, and what they have seen.
#[derive(Debug, Default)]
pub(crate) struct Quirks(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    quirks: Vec<Quirk>,
    /// Buckets into which nothing can be uploaded, each with the setting that is to blame.
    shut: HashSet<(String, &'static str)>,
}

const BLOCK: &str = "PublicAccessBlock";
const ENCRYPTION: &str = "BucketEncryption";

impl Quirks {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Held for a moment only; nothing in here panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, quirk: Quirk) {
        self.inner().quirks.push(quirk);
    }

    /// The answer in the place of the store's.
    pub(crate) fn answer(&self, call: &Call) -> Option<Reply> {
        let inner = self.inner();
        inner.quirks.iter().find_map(|quirk| quirk.answer(call, &inner.shut))
    }

    /// The request that the store gets instead; `None` where it gets the original.
    pub(crate) fn change(&self, call: &Call) -> Option<Call> {
        let quirks = self.inner().quirks.clone();
        let mut changed = call.clone();
        let ranges =
            quirks.contains(&Quirk::NoRanges) && changed.headers.remove(hyper::header::RANGE).is_some();
        let by_host = quirks.contains(&Quirk::Coreweave) && by_path(&mut changed);
        (ranges || by_host).then_some(changed)
    }

    /// Takes note of what the store has done, and adds to its answer.
    pub(crate) fn amend(&self, call: &Call, mut reply: Reply) -> Reply {
        let mut inner = self.inner();
        for quirk in inner.quirks.clone() {
            match quirk {
                Quirk::PreflightsOnly if !call.is("s3:Preflight") => {
                    reply.headers_mut().remove("access-control-allow-origin");
                    reply.headers_mut().remove("access-control-expose-headers");
                }
                Quirk::PlusIsSpace if call.is("s3:ListObjectsV2") => {
                    reply = reply.map(|body| String::from_utf8_lossy(&body).replace('+', " ").into());
                }
                Quirk::CorsOfAll(allowed) => allow(&allowed, call, &mut reply),
                Quirk::BlockedAclsRefuseUploads if reply.status().is_success() => {
                    note(&mut inner.shut, call, BLOCK, call.text().contains("<BlockPublicAcls>true<"));
                }
                Quirk::EncryptionRefusesUploads if reply.status().is_success() => {
                    note(&mut inner.shut, call, ENCRYPTION, true);
                }
                _ => {}
            }
        }
        reply
    }
}

fn note(shut: &mut HashSet<(String, &'static str)>, call: &Call, setting: &'static str, shuts: bool) {
    let Some(bucket) = call.bucket.clone() else { return };
    if call.is(&format!("s3:Put{setting}")) && shuts {
        shut.insert((bucket, setting));
    } else if call.is(&format!("s3:Put{setting}")) || call.is(&format!("s3:Delete{setting}")) {
        shut.remove(&(bucket, setting));
    }
}

impl Quirk {
    fn answer(&self, call: &Call, shut: &HashSet<(String, &'static str)>) -> Option<Reply> {
        let error = |status, code, message| Some(ApiError::new(status, code, message).reply(call));
        let is_shut = |setting| call.bucket.clone().is_some_and(|bucket| shut.contains(&(bucket, setting)));
        let uploads = ["s3:PutObject", "s3:CreateMultipartUpload"].contains(&call.operation.as_str());
        match self {
            Self::CorsOfAll(allowed) if call.is("s3:Preflight") => Some(preflight(allowed, call)),
            Self::Private if call.access_key.is_none() && !call.is("s3:Preflight") => {
                error(403, "AccessDenied", "Access Denied")
            }
            Self::ServesAnybody if call.access_key.is_none() && !call.is("s3:Preflight") => {
                Some(reply::reply(200, "text/plain", ""))
            }
            Self::BlockedAclsRefuseUploads if call.is("s3:PutObject") && is_shut(BLOCK) => {
                error(403, "AccessDenied", "Access Denied")
            }
            Self::EncryptionRefusesUploads if uploads && is_shut(ENCRYPTION) => {
                error(400, "InvalidRequest", "Server side encryption with AES256 is not supported.")
            }
            Self::NoVersions if call.is("s3:ListObjectVersions") => not_implemented(call),
            Self::NoDeleteObjects if call.is("s3:DeleteObjects") => not_implemented(call),
            Self::NoNewerChecksums if has_newer_checksum(call) => error(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented.",
            ),
            Self::NoNewerChecksums if call.is("s3:DeleteObjects") && call.header("content-md5").is_none() => {
                error(400, "InvalidRequest", "Missing required header for this request: Content-Md5.")
            }
            Self::OnlyRegion(region) if call.access_key.is_some() && call.region != *region => {
                Some(wrong_region(region, call))
            }
            Self::OnlyVirtual if call.bucket.is_some() && !is_virtual(call) => {
                error(403, "SecondLevelDomainForbidden", "Please use virtual hosted style to access.")
            }
            Self::Coreweave => coreweave(call),
            Self::SmallBodies(most) if call.body.len() > *most => Some(too_large()),
            Self::OneBucketKey if call.is("s3:ListBuckets") || call.is("s3:CreateBucket") => {
                error(403, "AccessDenied", "Access Denied")
            }
            Self::NoSettings if is_setting(call) => not_implemented(call),
            _ => None,
        }
    }
}

/// Puts the bucket from the host into the path, for a store that knows it only there; whether it was in the host.
fn by_path(call: &mut Call) -> bool {
    let (true, Some(bucket)) = (is_virtual(call), call.bucket.clone()) else { return false };
    let rest = call.uri.path_and_query().map_or("/", |rest| rest.as_str());
    call.uri = format!("/{bucket}{rest}").parse().expect("a path");
    call.headers.insert(hyper::header::HOST, hyper::header::HeaderValue::from_static("localhost"));
    true
}

/// CoreWeave's refusal of a request, if it would refuse it.
fn coreweave(call: &Call) -> Option<Reply> {
    let error = |status, code: &str, why: &str| Some(ApiError::new(status, code, why).reply(call));
    let bucket = call.bucket.as_deref()?;
    if !is_virtual(call) {
        return error(400, "PathStyleRequestNotAllowed", "Path style addressing is not allowed.");
    }
    if call.is("s3:CreateBucket") && ["cw-", "vip-"].iter().any(|start| bucket.starts_with(start)) {
        return error(400, "InvalidBucketName", "The specified bucket is not valid.");
    }
    if call.is("s3:PutBucketPolicy") {
        let policy: serde_json::Value = serde_json::from_str(call.text()).unwrap_or_default();
        let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
        let known = |whom: &serde_json::Value| {
            whom == "*" || whom.as_object().is_some_and(|whom| whom.keys().all(|kind| kind == "CW"))
        };
        if statements.is_empty() || !statements.iter().all(|one| known(&one["Principal"])) {
            return error(400, "MalformedPolicy", "Invalid principal in policy");
        }
    }
    None
}

fn not_implemented(call: &Call) -> Option<Reply> {
    let message = "A header or query you provided implies functionality that is not implemented.";
    Some(ApiError::new(501, "NotImplemented", message).reply(call))
}

fn is_setting(call: &Call) -> bool {
    let name = call.operation.trim_start_matches("s3:");
    let noun = ["Get", "Put", "Delete"].iter().find_map(|verb| name.strip_prefix(verb)).unwrap_or_default();
    noun == BLOCK
        || (noun.starts_with("Bucket") && !noun.is_empty() && noun != "BucketLocation" && noun != "Bucket")
}

/// The SDK's newer defaults: a CRC in a header, or behind the body.
fn has_newer_checksum(call: &Call) -> bool {
    call.headers.keys().any(|name| {
        let name = name.as_str();
        name.starts_with("x-amz-checksum-")
            || name == "x-amz-sdk-checksum-algorithm"
            || name == "x-amz-trailer"
    }) || call.parameter("x-amz-checksum-crc32").is_some()
}

fn is_virtual(call: &Call) -> bool {
    call.header("host").is_some_and(|host| {
        let bucket = call.bucket.as_deref().unwrap_or_default();
        host.strip_prefix(bucket).is_some_and(|rest| rest.starts_with('.'))
    })
}

fn wrong_region(region: &str, call: &Call) -> Reply {
    if region == "auto" {
        let message = format!(
            "The region name '{}' is not valid. Must be one of: wnam, enam, weur, eeur, apac, oc, auto",
            call.region
        );
        return ApiError::new(400, "InvalidRegionName", &message).reply(call);
    }
    let message = format!(
        "The authorization header is malformed; the region '{}' is wrong; expecting '{region}'",
        call.region
    );
    ApiError::new(400, "AuthorizationHeaderMalformed", &message).field("Region", region).reply(call)
}

/// As nginx has it.
fn too_large() -> Reply {
    let page = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n\
                <center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n\
                </body>\r\n</html>\r\n";
    reply::reply(413, "text/html", page)
}

fn preflight(allowed: &str, call: &Call) -> Reply {
    let mut answer = reply::reply(204, "text/plain", "");
    allow(allowed, call, &mut answer);
    if answer.headers().contains_key("access-control-allow-origin") {
        set(&mut answer, "access-control-allow-methods", "GET, PUT, HEAD");
        set(
            &mut answer,
            "access-control-allow-headers",
            call.header("access-control-request-headers").unwrap_or("*"),
        );
        return answer;
    }
    reply::reply(403, "text/plain", "")
}

fn allow(allowed: &str, call: &Call, reply: &mut Reply) {
    if call.header("origin").is_some_and(|origin| allowed == "*" || origin == allowed) {
        set(reply, "access-control-allow-origin", allowed);
        if call.method != Method::OPTIONS {
            set(reply, "access-control-expose-headers", "ETag");
        }
    }
}
