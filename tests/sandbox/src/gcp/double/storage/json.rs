//! The JSON API: <https://cloud.google.com/storage/docs/json_api/v1>.

use googleapis_tonic_google_storage_v2::google::storage::v2;
use hyper::{Method, Response};
use serde_json::{Value, json};

use super::super::asked::Asked;
use super::super::caller::Caller;
use super::super::policy::Wanted;
use super::super::projects;
use super::super::refusal::{Answer, Refusal};
use super::super::server::{self, Body};
use super::super::state::State;
use super::object::Object;
use super::objects::{self, Page};
use super::{SERVICE, bucket, bucket_iam, bucket_json, cors, names, notifications, uploads};

/// A request and what most handlers need of it.
struct Job<'a> {
    state: &'a mut State,
    caller: Caller,
    asked: &'a Asked,
    url: String,
}

/// Everything under `/storage/v1/`, `/upload/storage/v1/` and `/download/storage/v1/`.
pub(in super::super) fn answer(state: &mut State, asked: &Asked) -> Response<Body> {
    if asked.method == Method::OPTIONS {
        return cors::json_preflight(asked);
    }
    let reply = match route(state, asked) {
        Ok(reply) => reply,
        Err(refusal) => {
            // It has the reason, and not the code of the newer APIs:
            // <https://cloud.google.com/storage/docs/json_api/v1/status-codes>.
            let mut json = refusal.json();
            if let Some(error) = json["error"].as_object_mut() {
                error.remove("status");
            }
            server::json(refusal.http, &json)
        }
    };
    match asked.header("origin") {
        Some(origin) => server::with(reply, &[("access-control-allow-origin", origin), ("vary", "Origin")]),
        None => reply,
    }
}

fn route(state: &mut State, asked: &Asked) -> Answer<Response<Body>> {
    let parts = asked.parts();
    let at = parts.iter().position(|part| part == "v1").map_or(parts.len(), |at| at + 1);
    let rest: Vec<&str> = parts[at..].iter().map(AsRef::as_ref).collect();
    let reads_object = asked.method == Method::GET && matches!(rest[..], ["b", _, "o", ..]);
    // Only what may be public can be asked by nobody, and a begun upload is known by its id.
    let resumed = asked.query("upload_id").is_some();
    let caller = if reads_object || resumed { Caller::of(asked)? } else { Caller::known(asked)? };
    state.serves(SERVICE, asked.header("x-goog-user-project").or(asked.query("userProject")))?;
    let url = format!("http://{}", asked.host);
    let media = parts.first().is_some_and(|first| first == "download") || asked.query("alt") == Some("media");
    if parts.iter().any(|part| part == "upload") {
        let ["b", bucket, "o"] = rest[..] else { return Err(Refusal::unknown_call(&asked.path)) };
        return uploads::answer(state, &caller, asked, bucket);
    }
    let job = Job { state, caller, asked, url };
    match rest[..] {
        ["projects", project, "serviceAccount"] => {
            Ok(server::json(200, &projects::service_agent(job.state, &job.caller, project)?))
        }
        ["b"] => buckets(job),
        ["b", name] => one_bucket(job, name),
        ["b", name, "iam", ..] => policy(job, name),
        ["b", name, "storageLayout"] => layout(&job, name),
        ["b", name, "lockRetentionPolicy"] => lock(job, name),
        ["b", name, "notificationConfigs"] => all_notifications(job, name),
        ["b", name, "notificationConfigs", id] => one_notification(job, name, id),
        ["b", name, "o"] => list(&job, name),
        ["b", name, kind @ ("managedFolders" | "folders")] if asked.method == Method::GET => {
            folders(&job, name, kind)
        }
        ["b", bucket, "o", name] => one_object(job, bucket, name, media),
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

fn buckets(job: Job<'_>) -> Answer<Response<Body>> {
    let Job { state, caller, asked, url } = job;
    let project = asked
        .query("project")
        .ok_or_else(|| Refusal::invalid("Required parameter: project").reason("required"))?;
    let parent = format!("projects/{project}");
    if asked.method == Method::POST {
        let body = asked.json()?;
        let mut meta = bucket_json::written(&body)?;
        meta.project = parent;
        let bucket_id = body["name"].as_str().unwrap_or_default().to_owned();
        let request =
            v2::CreateBucketRequest { bucket: Some(meta), bucket_id, ..v2::CreateBucketRequest::default() };
        return Ok(server::json(200, &bucket_json::read(&bucket::create(state, &caller, request)?, &url)));
    }
    let page_size = i32::try_from(asked.number("maxResults")?.unwrap_or_default()).unwrap_or_default();
    let request = v2::ListBucketsRequest {
        parent,
        page_size,
        page_token: asked.query("pageToken").unwrap_or_default().to_owned(),
        prefix: asked.query("prefix").unwrap_or_default().to_owned(),
        ..v2::ListBucketsRequest::default()
    };
    let found = bucket::list(state, &caller, &request)?;
    let items: Vec<_> = found.buckets.iter().map(|meta| bucket_json::read(meta, &url)).collect();
    let json = json!({"kind": "storage#buckets", "items": items});
    Ok(server::json(200, &with_next(json, &found.next_page_token)))
}

fn one_bucket(job: Job<'_>, name: &str) -> Answer<Response<Body>> {
    let Job { state, caller, asked, url } = job;
    let name = names::resource(name);
    let if_metageneration_match = asked.number("ifMetagenerationMatch")?;
    let if_metageneration_not_match = asked.number("ifMetagenerationNotMatch")?;
    let request = v2::GetBucketRequest {
        name: name.clone(),
        if_metageneration_match,
        if_metageneration_not_match,
        read_mask: None,
    };
    match asked.method {
        Method::GET => {
            let mut json = bucket_json::read(&bucket::get(state, &caller, &request)?, &url);
            let found = bucket::find(state, &caller, names::bucket(&name)?, "storage.buckets.get")?;
            for (key, value) in &found.more {
                // https://cloud.google.com/storage/docs/get-ip-filter: it has a permission of its own.
                let hidden = key == "ipFilter"
                    && !state.may(&caller, "storage.buckets.getIpFilter", Some(&found.policy));
                if !hidden {
                    json[key] = value.clone();
                }
            }
            Ok(server::json(200, &json))
        }
        Method::PATCH => {
            let body = asked.json()?;
            let more =
                &mut bucket::find_mut(state, &caller, names::bucket(&name)?, "storage.buckets.update")?.more;
            bucket_json::keep_more(more, &body);
            let meta = bucket::find(state, &caller, names::bucket(&name)?, "storage.buckets.update")?.meta();
            let (wanted, mask) = bucket_json::patch(meta, &body)?;
            let request = v2::UpdateBucketRequest {
                bucket: Some(wanted),
                if_metageneration_match,
                if_metageneration_not_match,
                update_mask: Some(mask),
                ..v2::UpdateBucketRequest::default()
            };
            Ok(server::json(200, &bucket_json::read(&bucket::update(state, &caller, request)?, &url)))
        }
        Method::DELETE => {
            let request =
                v2::DeleteBucketRequest { name, if_metageneration_match, if_metageneration_not_match };
            bucket::delete(state, &caller, &request)?;
            Ok(server::empty(204))
        }
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

fn policy(job: Job<'_>, name: &str) -> Answer<Response<Body>> {
    let Job { state, caller, asked, .. } = job;
    if asked.path.ends_with("/testPermissions") {
        let wanted = asked.query.iter().filter(|(key, _)| key == "permissions");
        let wanted = wanted.map(|(_, value)| value.clone()).collect();
        let permissions = bucket_iam::test(state, &caller, name, wanted);
        let json = json!({"kind": "storage#testIamPermissionsResponse", "permissions": permissions});
        return Ok(server::json(200, &json));
    }
    let policy = if asked.method == Method::PUT {
        bucket_iam::set(state, &caller, name, Wanted::json(&asked.json()?)?)?
    } else {
        let version = asked.number("optionsRequestedPolicyVersion")?.unwrap_or_default();
        bucket_iam::get(state, &caller, name, version)?
    };
    let mut json = policy.json();
    json["kind"] = "storage#policy".into();
    json["resourceId"] = names::resource(name).into();
    Ok(server::json(200, &json))
}

/// <https://cloud.google.com/storage/docs/json_api/v1/buckets/getStorageLayout>
fn layout(job: &Job<'_>, name: &str) -> Answer<Response<Body>> {
    let meta = bucket::find(job.state, &job.caller, name, "storage.objects.list")?.meta();
    let json = json!({
        "kind": "storage#storageLayout", "bucket": name, "location": meta.location,
        "locationType": meta.location_type, "hierarchicalNamespace": {"enabled": false},
    });
    Ok(server::json(200, &json))
}

fn lock(job: Job<'_>, name: &str) -> Answer<Response<Body>> {
    let if_metageneration_match = job.asked.number("ifMetagenerationMatch")?.unwrap_or_default();
    let request =
        v2::LockBucketRetentionPolicyRequest { bucket: names::resource(name), if_metageneration_match };
    let meta = bucket::lock(job.state, &job.caller, &request)?;
    Ok(server::json(200, &bucket_json::read(&meta, &job.url)))
}

fn all_notifications(job: Job<'_>, name: &str) -> Answer<Response<Body>> {
    let Job { state, caller, asked, url } = job;
    let json = match asked.method {
        Method::POST => notifications::insert(state, &caller, name, &asked.json()?, &url)?,
        Method::GET => notifications::list(state, &caller, name, &url)?,
        _ => return Err(Refusal::unknown_call(&asked.path)),
    };
    Ok(server::json(200, &json))
}

fn one_notification(job: Job<'_>, name: &str, id: &str) -> Answer<Response<Body>> {
    let Job { state, caller, asked, url } = job;
    match asked.method {
        Method::GET => Ok(server::json(200, &notifications::get(state, &caller, name, id, &url)?)),
        Method::DELETE => {
            notifications::delete(state, &caller, name, id)?;
            Ok(server::empty(204))
        }
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

fn list(job: &Job<'_>, name: &str) -> Answer<Response<Body>> {
    let asked = job.asked;
    let text = |key: &str| asked.query(key).unwrap_or_default().to_owned();
    let page_size = i32::try_from(asked.number("maxResults")?.unwrap_or_default()).unwrap_or_default();
    let request = v2::ListObjectsRequest {
        page_size,
        page_token: text("pageToken"),
        lexicographic_start: text("startOffset"),
        lexicographic_end: text("endOffset"),
        delimiter: text("delimiter"),
        prefix: text("prefix"),
        versions: asked.query("versions") == Some("true"),
        soft_deleted: asked.query("softDeleted") == Some("true"),
        ..v2::ListObjectsRequest::default()
    };
    let Page { objects, prefixes, next } = objects::list(job.state, &job.caller, name, &request)?;
    let items: Vec<_> = objects.iter().map(|object| object.json(name, &job.url)).collect();
    let mut json = json!({"kind": "storage#objects", "items": items});
    if !prefixes.is_empty() {
        json["prefixes"] = prefixes.into();
    }
    Ok(server::json(200, &with_next(json, &next)))
}

/// No bucket here has folders: managed ones are made by hand alone, and those of a hierarchical namespace
/// only in a bucket that has one.
/// <https://cloud.google.com/storage/docs/json_api/v1/managedFolder/list>,
/// <https://cloud.google.com/storage/docs/json_api/v1/folders/list>
fn folders(job: &Job<'_>, name: &str, kind: &str) -> Answer<Response<Body>> {
    let managed = kind == "managedFolders";
    let permission = if managed { "storage.managedFolders.list" } else { "storage.folders.list" };
    bucket::find(job.state, &job.caller, name, permission)?;
    if managed {
        return Ok(server::json(200, &json!({"kind": "storage#managedFolders"})));
    }
    Err(Refusal::in_the_way("The bucket does not support hierarchical namespace."))
}

fn one_object(job: Job<'_>, bucket: &str, name: &str, media: bool) -> Answer<Response<Body>> {
    let Job { state, caller, asked, url } = job;
    let which = (name, asked.number("generation")?.unwrap_or_default());
    let conditions = uploads::conditions(asked)?;
    match asked.method {
        Method::GET => {
            let object = objects::get(state, &caller, bucket, which, conditions)?;
            if media {
                return Ok(content(object, asked));
            }
            Ok(server::json(200, &object.json(bucket, &url)))
        }
        Method::PATCH => {
            let body = asked.json()?;
            let holds = (body["eventBasedHold"].as_bool(), body["temporaryHold"].as_bool());
            let object = objects::update(state, &caller, bucket, which, holds)?;
            Ok(server::json(200, &object.json(bucket, &url)))
        }
        Method::DELETE => {
            objects::delete(state, &caller, bucket, which, conditions)?;
            Ok(server::empty(204))
        }
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

/// The content, or the part of it that is asked for.
pub(super) fn content(object: &Object, asked: &Asked) -> Response<Body> {
    let all = object.content.len();
    let range = asked.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let range = range.and_then(|(first, last)| {
        let first: usize = first.parse().ok()?;
        let end = last.parse().map_or(all, |last: usize| last.saturating_add(1).min(all));
        (first < end).then_some(first..end)
    });
    let reply = match range {
        Some(range) => {
            let covered = format!("bytes {}-{}/{all}", range.start, range.end - 1);
            server::with(server::bytes(206, object.content.slice(range)), &[("content-range", &covered)])
        }
        None => server::bytes(200, object.content.clone()),
    };
    server::with(
        reply,
        &[
            ("content-type", &object.content_type),
            ("x-goog-generation", &object.generation.to_string()),
            ("x-goog-metageneration", &object.metageneration.to_string()),
            ("x-goog-stored-content-length", &all.to_string()),
            ("x-goog-storage-class", &object.storage_class),
            ("x-goog-hash", &format!("crc32c={},md5={}", object.crc32c(), object.md5())),
        ],
    )
}

fn with_next(mut json: Value, token: &str) -> Value {
    if !token.is_empty() {
        json["nextPageToken"] = token.into();
    }
    json
}
