//! A bucket and its settings.

mod settings;

use std::collections::BTreeMap;

use googleapis_tonic_google_storage_v2::google::storage::v2;
use jiff::Timestamp;
use prost_types::FieldMask;

use super::super::caller::Caller;
use super::super::policy::{Binding, Policy};
use super::super::projects;
use super::super::refusal::{Answer, Refusal};
use super::super::state::State;
use super::super::time;
use super::names;
use super::notifications::Notification;
use super::object::Object;

/// What can be told of a bucket, and what is in it.
#[derive(Clone, Debug)]
pub(in super::super) struct Bucket {
    pub(super) meta: v2::Bucket,
    /// Settings that only the JSON API is asked for, as they were written.
    pub(super) more: serde_json::Map<String, serde_json::Value>,
    pub(in super::super) policy: Policy,
    pub(in super::super) notifications: BTreeMap<u64, Notification>,
    /// The number of the last notification that was made; none is used twice.
    pub(super) numbered: u64,
    /// The versions of each object, oldest first; only the last can be live.
    pub(in super::super) objects: BTreeMap<String, Vec<Object>>,
    /// What was deleted and is still kept.
    pub(super) kept: Vec<Object>,
}

impl Bucket {
    pub(in super::super) fn meta(&self) -> &v2::Bucket {
        &self.meta
    }

    pub(super) fn versioned(&self) -> bool {
        self.meta.versioning.is_some_and(|versioning| versioning.enabled)
    }

    pub(super) fn public_access_prevented(&self) -> bool {
        self.meta.iam_config.as_ref().is_some_and(|config| config.public_access_prevention == "enforced")
    }

    /// For how long, in seconds, what is deleted is kept.
    pub(super) fn keeps(&self) -> i64 {
        let policy = self.meta.soft_delete_policy.as_ref();
        policy.and_then(|policy| policy.retention_duration).map_or(0, |duration| duration.seconds)
    }

    /// The metadata has changed: <https://cloud.google.com/storage/docs/metadata#generation-number>.
    /// Making and deleting a notification counts as such a change.
    pub(super) fn changed(&mut self) {
        self.meta.metageneration += 1;
        self.meta.update_time = Some(time::proto(Timestamp::now()));
        self.meta.etag = format!("CA{}=", self.meta.metageneration);
    }
}

/// Finds a bucket for somebody who may do something with it. Who may not is not told whether it is
/// there.
pub(super) fn find<'a>(
    state: &'a State,
    caller: &Caller,
    name: &str,
    permission: &str,
) -> Answer<&'a Bucket> {
    let bucket = state.buckets.get(name);
    let policy = bucket.map(|bucket| &bucket.policy);
    if state.elsewhere.contains(name) || !state.may(caller, permission, policy) {
        let what = if permission.starts_with("storage.objects.") { "object" } else { "bucket" };
        return Err(denied(caller, permission, &format!("Google Cloud Storage {what}")));
    }
    bucket.ok_or_else(|| Refusal::missing("The specified bucket does not exist."))
}

/// The same to change it.
pub(super) fn find_mut<'a>(
    state: &'a mut State,
    caller: &Caller,
    name: &str,
    permission: &str,
) -> Answer<&'a mut Bucket> {
    find(state, caller, name, permission)?;
    state.buckets.get_mut(name).ok_or_else(|| Refusal::missing("The specified bucket does not exist."))
}

/// <https://cloud.google.com/storage/docs/troubleshooting#access-permission>
pub(super) fn denied(caller: &Caller, permission: &str, what: &str) -> Refusal {
    let message = format!(
        "{} does not have {permission} access to the {what}. Permission '{permission}' denied on resource \
         (or it may not exist).",
        caller.name()
    );
    match caller {
        Caller::Anonymous => Refusal::unknown_caller(message).reason("required"),
        Caller::Account(_) => Refusal::denied(message),
    }
}

/// `CreateBucket`:
/// <https://cloud.google.com/storage/docs/reference/rpc/google.storage.v2#createbucketrequest>,
/// <https://cloud.google.com/storage/docs/json_api/v1/buckets/insert>.
pub(super) fn create(
    state: &mut State,
    caller: &Caller,
    request: v2::CreateBucketRequest,
) -> Answer<v2::Bucket> {
    let name = request.bucket_id;
    let mut meta = request.bucket.unwrap_or_default();
    let named = if meta.project.is_empty() { &request.parent } else { &meta.project };
    projects::ours(state, named.strip_prefix("projects/").unwrap_or_default())?;
    if !state.may(caller, "storage.buckets.create", None) {
        return Err(denied(caller, "storage.buckets.create", "Google Cloud project"));
    }
    names::check_bucket(&name)?;
    settings::check(state, &meta)?;
    if let Some(constraint) = &state.switches.constraint {
        // https://cloud.google.com/storage/docs/org-policy-constraints
        let location = meta.location.to_lowercase();
        return Err(Refusal::precondition(format!("'{location}' violates constraint '{constraint}'")));
    }
    if state.buckets.contains_key(&name) {
        return Err(Refusal::taken(
            "Your previous request to create the named bucket succeeded and you already own it.",
        ));
    }
    if state.elsewhere.contains(&name) {
        return Err(Refusal::taken(
            "The requested bucket name is not available. The bucket namespace is shared by all users of the \
             system. Please select a different name and try again.",
        ));
    }
    if let (None, Some(seconds)) = (&meta.soft_delete_policy, state.switches.soft_delete) {
        let retention_duration = Some(prost_types::Duration { seconds, nanos: 0 });
        meta.soft_delete_policy =
            Some(v2::bucket::SoftDeletePolicy { retention_duration, effective_time: None });
    }
    settings::complete(&mut meta)?;
    let now = Timestamp::now();
    meta.name = names::resource(&name);
    meta.bucket_id.clone_from(&name);
    meta.project = format!("projects/{}", state.project.number);
    meta.create_time = Some(time::proto(now));
    let mut bucket = Bucket {
        policy: first_policy(&state.project.id, settings::uniform(&meta)),
        meta,
        more: serde_json::Map::new(),
        notifications: BTreeMap::new(),
        numbered: 0,
        objects: BTreeMap::new(),
        kept: vec![],
    };
    bucket.changed();
    let meta = bucket.meta.clone();
    state.buckets.insert(name, bucket);
    Ok(meta)
}

/// What every new bucket grants to those who have a basic role in the project:
/// <https://cloud.google.com/storage/docs/access-control/iam-roles#basic-roles-modifiable>.
fn first_policy(project: &str, uniform: bool) -> Policy {
    let owners = [format!("projectEditor:{project}"), format!("projectOwner:{project}")];
    let owners = [owners[0].as_str(), owners[1].as_str()];
    let viewers = format!("projectViewer:{project}");
    let mut bindings = vec![
        Binding::new("roles/storage.legacyBucketOwner", &owners),
        Binding::new("roles/storage.legacyBucketReader", &[&viewers]),
    ];
    if uniform {
        bindings.push(Binding::new("roles/storage.legacyObjectOwner", &owners));
        bindings.push(Binding::new("roles/storage.legacyObjectReader", &[&viewers]));
    }
    Policy::of(bindings)
}

/// `GetBucket`: <https://cloud.google.com/storage/docs/json_api/v1/buckets/get>.
pub(super) fn get(state: &State, caller: &Caller, request: &v2::GetBucketRequest) -> Answer<v2::Bucket> {
    let bucket = find(state, caller, names::bucket(&request.name)?, "storage.buckets.get")?;
    matches(bucket, request.if_metageneration_match, request.if_metageneration_not_match)?;
    Ok(bucket.meta.clone())
}

/// `ListBuckets`: <https://cloud.google.com/storage/docs/json_api/v1/buckets/list>.
pub(super) fn list(
    state: &State,
    caller: &Caller,
    request: &v2::ListBucketsRequest,
) -> Answer<v2::ListBucketsResponse> {
    projects::ours(state, request.parent.strip_prefix("projects/").unwrap_or_default())?;
    if !state.may(caller, "storage.buckets.list", None) {
        return Err(denied(caller, "storage.buckets.list", "Google Cloud project"));
    }
    let size = usize::try_from(request.page_size).ok().filter(|size| *size > 0).unwrap_or(1000);
    let after = &request.page_token;
    let mut buckets: Vec<_> = state
        .buckets
        .range(after.clone()..)
        .filter(|(name, _)| *name != after && name.starts_with(&request.prefix))
        .take(size + 1)
        .map(|(_, bucket)| bucket.meta.clone())
        .collect();
    let more = buckets.len() > size;
    buckets.truncate(size);
    let last = buckets.last().map(|bucket| bucket.bucket_id.clone()).unwrap_or_default();
    let next_page_token = if more { last } else { String::new() };
    Ok(v2::ListBucketsResponse { buckets, next_page_token, unreachable: vec![] })
}

/// `UpdateBucket`: <https://cloud.google.com/storage/docs/json_api/v1/buckets/patch>.
pub(super) fn update(
    state: &mut State,
    caller: &Caller,
    request: v2::UpdateBucketRequest,
) -> Answer<v2::Bucket> {
    let wanted = request.bucket.unwrap_or_default();
    let FieldMask { paths } = request.update_mask.unwrap_or_default();
    let bucket = find(state, caller, names::bucket(&wanted.name)?, "storage.buckets.update")?;
    matches(bucket, request.if_metageneration_match, request.if_metageneration_not_match)?;
    if paths.is_empty() {
        return Err(Refusal::invalid("An update mask is required"));
    }
    let name = bucket.meta.bucket_id.clone();
    let mut meta = bucket.meta.clone();
    for path in &paths {
        settings::set(&mut meta, &wanted, path)?;
    }
    settings::check(state, &meta)?;
    settings::complete(&mut meta)?;
    let prevention = |meta: &v2::Bucket| {
        meta.iam_config.as_ref().map(|config| config.public_access_prevention.clone()).unwrap_or_default()
    };
    if prevention(&meta) != prevention(&bucket.meta) {
        // https://cloud.google.com/storage/docs/json_api/v1/buckets/patch, "Required permissions"
        find(state, caller, &name, "storage.buckets.setIamPolicy")?;
    }
    let bucket = find_mut(state, caller, &name, "storage.buckets.update")?;
    bucket.meta = meta;
    bucket.changed();
    Ok(bucket.meta.clone())
}

/// `DeleteBucket`. Objects that were deleted and are still kept are not in the way; the bucket goes
/// with them: <https://cloud.google.com/storage/docs/json_api/v1/buckets/delete>.
pub(super) fn delete(state: &mut State, caller: &Caller, request: &v2::DeleteBucketRequest) -> Answer<()> {
    let name = names::bucket(&request.name)?;
    let bucket = find(state, caller, name, "storage.buckets.delete")?;
    matches(bucket, request.if_metageneration_match, request.if_metageneration_not_match)?;
    if !bucket.objects.is_empty() {
        return Err(Refusal::in_the_way("The bucket you tried to delete is not empty."));
    }
    state.buckets.remove(name);
    Ok(())
}

/// `LockBucketRetentionPolicy`:
/// <https://cloud.google.com/storage/docs/json_api/v1/buckets/lockRetentionPolicy>.
pub(super) fn lock(
    state: &mut State,
    caller: &Caller,
    request: &v2::LockBucketRetentionPolicyRequest,
) -> Answer<v2::Bucket> {
    let bucket = find_mut(state, caller, names::bucket(&request.bucket)?, "storage.buckets.update")?;
    matches(bucket, Some(request.if_metageneration_match), None)?;
    let Some(policy) = &mut bucket.meta.retention_policy else {
        return Err(Refusal::invalid("The bucket has no retention policy."));
    };
    policy.is_locked = true;
    bucket.changed();
    Ok(bucket.meta.clone())
}

/// <https://cloud.google.com/storage/docs/request-preconditions>
fn matches(bucket: &Bucket, same: Option<i64>, other: Option<i64>) -> Answer<()> {
    let is = bucket.meta.metageneration;
    if same.is_some_and(|wanted| wanted != is) || other == Some(is) {
        return Err(Refusal::precondition("At least one of the pre-conditions you specified did not hold."));
    }
    Ok(())
}
