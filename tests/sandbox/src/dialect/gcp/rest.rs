//! Names for what comes over REST.

use hyper::Method;

use super::{Head, Meaning, Service, decoded, verb};

/// Custom methods that change nothing although they are posted.
const READS: &[&str] = &[
    "generateAccessToken",
    "getIamPolicy",
    "listRevisions",
    "signBlob",
    "signJwt",
    "testIamPermissions",
    "validate",
];

pub(super) fn understand(head: &Head<'_>) -> Meaning {
    let path = head.uri.path();
    let storage =
        ["/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/", "/resumable/upload/storage/v1/"];
    if let Some(rest) = storage.iter().find_map(|prefix| path.strip_prefix(prefix)) {
        return storage_json(head, rest);
    }
    let versioned = ["/v1/", "/v3/"].iter().find_map(|prefix| path.strip_prefix(prefix));
    match versioned.filter(|rest| rest.starts_with("projects/")) {
        Some(rest) => resource_oriented(head, rest),
        None if path == "/token" => {
            Meaning::new(Service::Json, "oauth2.token".to_owned(), String::new(), false)
        }
        None if path == "/tokeninfo" => {
            Meaning::new(Service::Json, "oauth2.tokeninfo".to_owned(), String::new(), false)
        }
        None => xml(head),
    }
}

/// <https://cloud.google.com/storage/docs/json_api/v1>
fn storage_json(head: &Head<'_>, path: &str) -> Meaning {
    let segments: Vec<String> = path.split('/').map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = head.method;
    if *method == Method::OPTIONS {
        return named("storage.preflight", segments.get(1).unwrap_or(&"").to_string(), false);
    }
    let (collection, verb, resource) = match segments[..] {
        ["b"] => ("buckets", verb(method, false), String::new()),
        ["b", bucket] => ("buckets", verb(method, true), bucket.to_owned()),
        ["b", bucket, "iam"] if *method == Method::GET => ("buckets", "getIamPolicy", bucket.to_owned()),
        ["b", bucket, "iam"] => ("buckets", "setIamPolicy", bucket.to_owned()),
        ["b", bucket, "iam", _] => ("buckets", "testIamPermissions", bucket.to_owned()),
        ["b", bucket, "notificationConfigs"] => ("notifications", verb(method, false), bucket.to_owned()),
        ["b", bucket, "notificationConfigs", id] => {
            ("notifications", verb(method, true), format!("{bucket}/{id}"))
        }
        ["b", bucket, "o"] if head.asks("upload_id") => ("objects", "insert", bucket.to_owned()),
        ["b", bucket, "o"] => ("objects", verb(method, false), bucket.to_owned()),
        ["b", bucket, "o", object] => ("objects", verb(method, true), format!("{bucket}/{object}")),
        ["b", bucket, folders @ ("managedFolders" | "folders")] => {
            (folders, verb(method, false), bucket.to_owned())
        }
        ["b", bucket, folders @ ("managedFolders" | "folders"), folder] => {
            (folders, verb(method, true), format!("{bucket}/{folder}"))
        }
        ["b", bucket, action] => ("buckets", action, bucket.to_owned()),
        ["projects", project, "serviceAccount"] => ("projects.serviceAccount", "get", project.to_owned()),
        _ => ("other", verb(method, true), path.to_owned()),
    };
    let mutating = !matches!(verb, "get" | "list" | "getIamPolicy" | "testIamPermissions");
    named(&format!("storage.{collection}.{verb}"), resource, mutating)
}

/// The APIs whose paths are names, with a `:verb` for what is not one of the standard methods:
/// <https://google.aip.dev/136>.
fn resource_oriented(head: &Head<'_>, path: &str) -> Meaning {
    let path = decoded(path);
    let (name, custom) = match path.rsplit_once(':') {
        Some((name, verb)) if !verb.contains('/') => (name, Some(verb)),
        _ => (path.as_str(), None),
    };
    let segments: Vec<&str> = name.split('/').collect();
    let kinds: Vec<&str> =
        segments.iter().step_by(2).skip(usize::from(segments.len() > 2)).copied().collect();
    let whole = segments.len().is_multiple_of(2);
    let api = match (kinds.first().copied().unwrap_or_default(), custom) {
        ("serviceAccounts", Some("signBlob" | "signJwt" | "generateAccessToken")) => "iamcredentials",
        ("serviceAccounts" | "roles", _) => "iam",
        ("projects", _) => "cloudresourcemanager",
        ("services", _) => "serviceusage",
        _ => "pubsub",
    };
    let verb = match custom {
        Some(verb) => verb,
        // What has a name of one's own choosing is made where it will be.
        None if *head.method == Method::PUT => "create",
        None if *head.method == Method::POST => "create",
        None => verb(head.method, whole),
    };
    let reads = matches!(verb, "get" | "list") || READS.contains(&verb);
    named(&format!("{api}.{}.{verb}", kinds.join(".")), name.to_owned(), !reads)
}

/// <https://cloud.google.com/storage/docs/xml-api/overview>
fn xml(head: &Head<'_>) -> Meaning {
    let resource = decoded(head.uri.path().trim_start_matches('/'));
    let (operation, mutating) = match *head.method {
        Method::OPTIONS => ("storage.preflight".to_owned(), false),
        Method::GET | Method::HEAD => (format!("storage.xml.{}", head.method), false),
        _ => (format!("storage.xml.{}", head.method), true),
    };
    Meaning::new(Service::Xml, operation, resource, mutating)
}

fn named(operation: &str, resource: String, mutating: bool) -> Meaning {
    Meaning::new(Service::Json, operation.to_owned(), resource, mutating)
}
