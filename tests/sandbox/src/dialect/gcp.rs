//! Google Cloud: gRPC, the JSON APIs and the XML API of Cloud Storage.
//!
//! gRPC names its operations itself: `storage.CreateBucket`. Of the JSON APIs they are named as in their
//! discovery documents: `pubsub.topics.create`, `storage.notifications.insert`.

mod errors;
mod rest;

use hyper::{Method, Uri};

use super::{Head, Meaning, Service, decoded};

pub(super) use errors::{spell, too_skewed, write};

/// Methods whose request or answer goes on for as long as both sides like.
const STREAMS: &[&str] = &["BidiReadObject", "BidiWriteObject", "StreamingPull"];

/// What the names of methods begin with that change nothing.
const READS: &[&str] = &["Get", "List", "Query", "Read", "BidiRead", "Test", "View", "Validate"];

pub(super) fn streams(uri: &Uri) -> bool {
    let method = uri.path().rsplit('/').next().unwrap_or_default();
    uri.path().starts_with("/google.") && STREAMS.contains(&method)
}

pub(super) fn understand(head: &Head<'_>) -> Meaning {
    match grpc(head.uri.path()) {
        Some((package, method)) => {
            let mutating = !READS.iter().any(|verb| method.starts_with(verb));
            let resource = grpc_resource(head, method);
            Meaning::new(Service::Grpc, format!("{package}.{method}"), resource, mutating)
        }
        None => rest::understand(head),
    }
}

/// `/google.storage.v2.Storage/CreateBucket` is `storage` and `CreateBucket`.
fn grpc(path: &str) -> Option<(&str, &str)> {
    let (service, method) = path.strip_prefix("/google.")?.split_once('/')?;
    let package = service.split('.').next()?;
    Some((package, method))
}

/// The routing header names what a request is about
/// (<https://google.aip.dev/client-libraries/4222>), but of an object only its bucket.
fn grpc_resource(head: &Head<'_>, method: &str) -> String {
    let routed = head.header("x-goog-request-params").unwrap_or_default();
    let value = routed.split('&').find_map(|pair| pair.split_once('=')).map(|(_, value)| decoded(value));
    let bucket = value.unwrap_or_default();
    match object(head.body).filter(|_| method.ends_with("Object")) {
        Some(object) => format!("{bucket}/{object}"),
        None => bucket,
    }
}

/// The second field of the message, which is the object's name in `GetObjectRequest` and
/// `DeleteObjectRequest`: five bytes of gRPC, then `tag length text` for each field of text.
fn object(body: &[u8]) -> Option<String> {
    let (tag, bucket) = (body.get(5)?, usize::from(*body.get(6)?));
    let next = body.get(7 + bucket..)?;
    let (second, length) = (next.first()?, usize::from(*next.get(1)?));
    // Longer texts have longer lengths; telling them apart by less will do.
    let text = next.get(2..)?;
    let text = &text[..length.min(text.len())];
    (*tag == 0x0a && *second == 0x12).then(|| String::from_utf8_lossy(text).into_owned())
}

/// The verbs of REST, as the discovery documents call them.
fn verb(method: &Method, named: bool) -> &'static str {
    match *method {
        Method::GET if named => "get",
        Method::HEAD => "get",
        Method::GET => "list",
        Method::DELETE => "delete",
        Method::PATCH => "patch",
        Method::PUT => "update",
        _ => "insert",
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderMap, HeaderValue};

    use super::*;
    use crate::call::Call;
    use crate::dialect::Dialect;

    fn call(method: &str, path: &str, headers: &[(&'static str, &'static str)], body: &'static [u8]) -> Call {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), HeaderValue::from_static(value)))
            .collect();
        let method = method.parse().expect("a method");
        Call::new(Dialect::Gcp, "front", method, path.parse().expect("a path"), headers, body.into())
    }

    #[test]
    fn requests_are_named_as_their_apis_name_them() {
        for (method, path, name, resource, mutating) in [
            ("GET", "/storage/v1/b?project=p", "storage.buckets.list", "", false),
            ("POST", "/storage/v1/b?project=p", "storage.buckets.insert", "", true),
            ("GET", "/storage/v1/b/acme", "storage.buckets.get", "acme", false),
            ("PATCH", "/storage/v1/b/acme", "storage.buckets.patch", "acme", true),
            ("GET", "/storage/v1/b/acme/notificationConfigs", "storage.notifications.list", "acme", false),
            ("POST", "/storage/v1/b/acme/notificationConfigs", "storage.notifications.insert", "acme", true),
            (
                "DELETE",
                "/storage/v1/b/acme/notificationConfigs/7",
                "storage.notifications.delete",
                "acme/7",
                true,
            ),
            ("GET", "/storage/v1/b/acme/iam", "storage.buckets.getIamPolicy", "acme", false),
            ("PUT", "/storage/v1/b/acme/iam", "storage.buckets.setIamPolicy", "acme", true),
            ("GET", "/storage/v1/b/acme/o/a%2Fb?alt=media", "storage.objects.get", "acme/a/b", false),
            ("POST", "/upload/storage/v1/b/acme/o?name=x", "storage.objects.insert", "acme", true),
            (
                "GET",
                "/storage/v1/projects/p/serviceAccount",
                "storage.projects.serviceAccount.get",
                "p",
                false,
            ),
            ("OPTIONS", "/acme/x", "storage.preflight", "acme/x", false),
            ("PUT", "/acme/x%20y?X-Goog-Signature=0", "storage.xml.PUT", "acme/x y", true),
            ("PUT", "/v1/projects/p/topics/t", "pubsub.topics.create", "projects/p/topics/t", true),
            (
                "GET",
                "/v1/projects/p/topics/t:getIamPolicy",
                "pubsub.topics.getIamPolicy",
                "projects/p/topics/t",
                false,
            ),
            (
                "POST",
                "/v1/projects/p/topics/t:setIamPolicy",
                "pubsub.topics.setIamPolicy",
                "projects/p/topics/t",
                true,
            ),
            ("GET", "/v1/projects/p/topics", "pubsub.topics.list", "projects/p/topics", false),
            (
                "GET",
                "/v1/projects/p/topics/t/subscriptions",
                "pubsub.topics.subscriptions.list",
                "projects/p/topics/t/subscriptions",
                false,
            ),
            (
                "DELETE",
                "/v1/projects/p/subscriptions/s",
                "pubsub.subscriptions.delete",
                "projects/p/subscriptions/s",
                true,
            ),
            (
                "POST",
                "/v1/projects/p/subscriptions/s:pull",
                "pubsub.subscriptions.pull",
                "projects/p/subscriptions/s",
                true,
            ),
            (
                "POST",
                "/v1/projects/-/serviceAccounts/a@b:getIamPolicy",
                "iam.serviceAccounts.getIamPolicy",
                "projects/-/serviceAccounts/a@b",
                false,
            ),
            (
                "POST",
                "/v1/projects/-/serviceAccounts/a@b:signBlob",
                "iamcredentials.serviceAccounts.signBlob",
                "projects/-/serviceAccounts/a@b",
                false,
            ),
            ("GET", "/v1/projects/p", "cloudresourcemanager.projects.get", "projects/p", false),
            (
                "POST",
                "/v1/projects/p:testIamPermissions",
                "cloudresourcemanager.projects.testIamPermissions",
                "projects/p",
                false,
            ),
        ] {
            let call = call(method, path, &[], b"");
            assert_eq!(
                (call.operation.as_str(), call.resource(), call.mutates()),
                (name, resource, mutating),
                "{method} {path}"
            );
        }
    }

    #[test]
    fn grpc_names_itself_and_tells_objects_apart() {
        let routed = [("x-goog-request-params", "bucket=projects%2F_%2Fbuckets%2Fb")];
        let body = b"\0\0\0\0\x17\x0a\x14projects/_/buckets/b\x12\x01k";
        let deleted = call("POST", "/google.storage.v2.Storage/DeleteObject", &routed, body);
        assert_eq!(deleted.operation, "storage.DeleteObject");
        assert_eq!(deleted.resource(), "projects/_/buckets/b/k");
        assert!(deleted.mutates());
        let seen = call("POST", "/google.storage.v2.Storage/GetBucket", &routed, b"");
        assert_eq!((seen.resource(), seen.mutates()), ("projects/_/buckets/b", false));
        let pulled = call("POST", "/google.pubsub.v1.Subscriber/StreamingPull", &[], b"");
        assert_eq!((pulled.operation.as_str(), pulled.mutates()), ("pubsub.StreamingPull", true));
        assert!(streams(&pulled.uri) && !streams(&seen.uri));
    }
}
