//! Objects: written, read, listed, deleted.

use googleapis_tonic_google_storage_v2::google::storage::v2;
use hyper::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::caller::Caller;
use super::super::refusal::{Answer, Refusal};
use super::super::state::State;
use super::super::time;
use super::bucket::{Bucket, find, find_mut};
use super::event::{Kind, happened};
use super::names;
use super::object::Object;

/// <https://cloud.google.com/storage/docs/request-preconditions>, for whatever is asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Conditions {
    pub(super) generation: Option<i64>,
    pub(super) not_generation: Option<i64>,
    pub(super) metageneration: Option<i64>,
    pub(super) not_metageneration: Option<i64>,
}

impl Conditions {
    /// A generation of 0 means: there is no such object.
    fn check(self, live: Option<&Object>) -> Answer<()> {
        let generation = live.map_or(0, |object| object.generation);
        let metageneration = live.map_or(0, |object| object.metageneration);
        let holds = self.generation.is_none_or(|wanted| wanted == generation)
            && self.not_generation != Some(generation)
            && self.metageneration.is_none_or(|wanted| wanted == metageneration)
            && self.not_metageneration != Some(metageneration);
        if holds {
            return Ok(());
        }
        Err(Refusal::precondition("At least one of the pre-conditions you specified did not hold."))
    }
}

/// `objects.insert`: <https://cloud.google.com/storage/docs/json_api/v1/objects/insert>.
pub(super) fn write(
    state: &mut State,
    caller: &Caller,
    bucket: &str,
    (name, content): (&str, Bytes),
    chosen: &Value,
    conditions: Conditions,
) -> Answer<Object> {
    let found = find(state, caller, bucket, "storage.objects.create")?;
    names::check_object(name)?;
    let live = current(found, name).cloned();
    conditions.check(live.as_ref())?;
    if let Some(live) = &live {
        // https://cloud.google.com/storage/docs/access-control/iam-json#upload-objects
        find(state, caller, bucket, "storage.objects.delete")?;
        if !found.versioned() {
            removable(found, live)?;
        }
    }
    let generation = state.next();
    let found = find_mut(state, caller, bucket, "storage.objects.create")?;
    let mut object = Object::new(name, generation, &found.meta.storage_class, content, chosen);
    if let Some(wanted) = chosen["crc32c"].as_str().filter(|wanted| *wanted != object.crc32c()) {
        return Err(Refusal::invalid(format!(
            "Provided CRC32C \"{wanted}\" doesn't match calculated CRC32C \"{}\".",
            object.crc32c()
        )));
    }
    object.event_based_hold |= found.meta.default_event_based_hold;
    if let Some(live) = &live {
        retire(state, bucket, live, Some(generation));
    }
    let over = live.map(|live| live.generation);
    if let Some(found) = state.buckets.get_mut(bucket) {
        found.objects.entry(name.to_owned()).or_default().push(object.clone());
    }
    happened(state, bucket, &object, Kind::Finalize { over });
    Ok(object)
}

/// The same by nobody in particular, for tests.
pub(in super::super) fn place(
    state: &mut State,
    bucket: &str,
    name: &str,
    content: &[u8],
    hold: bool,
) -> Answer<()> {
    let operator = Caller::Account(state.project.account("operator"));
    let chosen = json!({"contentType": "text/plain", "eventBasedHold": hold});
    let content = Bytes::copy_from_slice(content);
    write(state, &operator, bucket, (name, content), &chosen, Conditions::default()).map(drop)
}

/// The current version makes way: it becomes an old one, or goes.
fn retire(state: &mut State, bucket: &str, object: &Object, by: Option<i64>) {
    let Some(found) = state.buckets.get_mut(bucket) else { return };
    if !found.versioned() {
        remove(found, object);
        happened(state, bucket, object, Kind::Delete { by });
        return;
    }
    let versions = found.objects.get_mut(&object.name).into_iter().flatten();
    for version in versions.filter(|version| version.generation == object.generation) {
        version.noncurrent = Some(Timestamp::now());
    }
    happened(state, bucket, object, Kind::Archive { by });
}

/// Takes a version away. It is kept for the time that soft delete says.
fn remove(bucket: &mut Bucket, object: &Object) {
    let Some(versions) = bucket.objects.get_mut(&object.name) else { return };
    versions.retain(|version| version.generation != object.generation);
    if versions.is_empty() {
        bucket.objects.remove(&object.name);
    }
    let keeps = bucket.keeps();
    if keeps > 0 {
        let now = Timestamp::now();
        let deleted = Some((now, time::later(now, keeps)));
        bucket.kept.push(Object { deleted, ..object.clone() });
    }
}

/// The current version of an object.
pub(super) fn current<'a>(bucket: &'a Bucket, name: &str) -> Option<&'a Object> {
    bucket.objects.get(name)?.last().filter(|object| object.live())
}

fn version<'a>(bucket: &'a Bucket, name: &str, generation: i64) -> Answer<&'a Object> {
    let found = match generation {
        0 => current(bucket, name),
        _ => bucket.objects.get(name).into_iter().flatten().find(|one| one.generation == generation),
    };
    let whole = format!("{}/{name}", bucket.meta.bucket_id);
    found.ok_or_else(|| Refusal::missing(format!("No such object: {whole}")))
}

/// Reads an object, or a version of it:
/// <https://cloud.google.com/storage/docs/json_api/v1/objects/get>.
pub(super) fn get<'a>(
    state: &'a State,
    caller: &Caller,
    bucket: &str,
    (name, generation): (&str, i64),
    conditions: Conditions,
) -> Answer<&'a Object> {
    let found = find(state, caller, bucket, "storage.objects.get")?;
    let object = version(found, name, generation)?;
    conditions.check(Some(object))?;
    Ok(object)
}

/// `objects.patch` and `UpdateObject`, as far as holds go:
/// <https://cloud.google.com/storage/docs/object-holds>.
pub(super) fn update(
    state: &mut State,
    caller: &Caller,
    bucket: &str,
    (name, generation): (&str, i64),
    (event_based, temporary): (Option<bool>, Option<bool>),
) -> Answer<Object> {
    let found = find_mut(state, caller, bucket, "storage.objects.update")?;
    let generation = version(found, name, generation)?.generation;
    let mut versions = found.objects.get_mut(name).into_iter().flatten();
    let Some(object) = versions.find(|version| version.generation == generation) else {
        return Err(Refusal::missing(format!("No such object: {bucket}/{name}")));
    };
    object.event_based_hold = event_based.unwrap_or(object.event_based_hold);
    object.temporary_hold = temporary.unwrap_or(object.temporary_hold);
    object.metageneration += 1;
    object.updated = Timestamp::now();
    let object = object.clone();
    happened(state, bucket, &object, Kind::MetadataUpdate);
    Ok(object)
}

/// `objects.delete`: without a generation the current version, which a versioned bucket keeps as an
/// old one; <https://cloud.google.com/storage/docs/json_api/v1/objects/delete>.
pub(super) fn delete(
    state: &mut State,
    caller: &Caller,
    bucket: &str,
    (name, generation): (&str, i64),
    conditions: Conditions,
) -> Answer<()> {
    let found = find(state, caller, bucket, "storage.objects.delete")?;
    let object = version(found, name, generation)?.clone();
    conditions.check(Some(&object))?;
    if generation == 0 && found.versioned() {
        retire(state, bucket, &object, None);
        return Ok(());
    }
    removable(found, &object)?;
    if let Some(found) = state.buckets.get_mut(bucket) {
        remove(found, &object);
    }
    happened(state, bucket, &object, Kind::Delete { by: None });
    Ok(())
}

/// Refuses to delete or overwrite what is held or has to be retained:
/// <https://cloud.google.com/storage/docs/object-holds>, <https://cloud.google.com/storage/docs/bucket-lock>.
fn removable(bucket: &Bucket, object: &Object) -> Answer<()> {
    let whole = format!("{}/{}", bucket.meta.bucket_id, object.name);
    for (hold, name) in [(object.event_based_hold, "Event-Based"), (object.temporary_hold, "Temporary")] {
        if hold {
            return Err(Refusal::denied(format!(
                "Object '{whole}' is under active {name} hold and cannot be deleted, overwritten or archived \
                 until hold is removed."
            )));
        }
    }
    let retained = bucket.meta.retention_policy.and_then(|policy| policy.retention_duration);
    let until = time::later(object.created, retained.map_or(0, |duration| duration.seconds));
    if until > Timestamp::now() {
        return Err(Refusal::denied(format!(
            "Object '{whole}' is subject to bucket's retention policy or object retention and cannot be \
             deleted or overwritten until {}",
            time::text(until)
        ))
        .reason("retentionPolicyNotMet"));
    }
    Ok(())
}

/// One page of a listing.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    pub(super) prefixes: Vec<String>,
    pub(super) next: String,
}

/// `objects.list`: <https://cloud.google.com/storage/docs/json_api/v1/objects/list>.
pub(super) fn list(
    state: &State,
    caller: &Caller,
    bucket: &str,
    request: &v2::ListObjectsRequest,
) -> Answer<Page> {
    let found = find(state, caller, bucket, "storage.objects.list")?;
    // Whole pages even if they are empty in the end: what is asked for is at most this many.
    let size =
        usize::try_from(request.page_size).ok().filter(|size| (1..=1000).contains(size)).unwrap_or(1000);
    let mut all: Vec<&Object> = if request.soft_deleted {
        found.kept.iter().collect()
    } else {
        found.objects.values().flatten().filter(|object| request.versions || object.live()).collect()
    };
    all.sort_by_key(|object| (&object.name, object.generation));
    let mut page = Page::default();
    for object in all {
        let key = format!("{}\n{:020}", object.name, object.generation);
        let (start, end) = (&request.lexicographic_start, &request.lexicographic_end);
        let is_within = object.name >= *start && (end.is_empty() || object.name < *end);
        if !is_within || !object.name.starts_with(&request.prefix) || key <= request.page_token {
            continue;
        }
        if page.objects.len() + page.prefixes.len() == size {
            page.next = page
                .objects
                .last()
                .map_or_else(String::new, |last| format!("{}\n{:020}", last.name, last.generation));
            break;
        }
        let rest = &object.name[request.prefix.len()..];
        match rest.find(&request.delimiter).filter(|_| !request.delimiter.is_empty()) {
            Some(end) => {
                let prefix = &object.name[..request.prefix.len() + end + request.delimiter.len()];
                if page.prefixes.last().is_none_or(|last| last != prefix) {
                    page.prefixes.push(prefix.to_owned());
                }
            }
            None => page.objects.push(object.clone()),
        }
    }
    Ok(page)
}
