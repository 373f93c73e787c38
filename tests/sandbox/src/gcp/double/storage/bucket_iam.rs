//! A bucket's IAM policy: <https://cloud.google.com/storage/docs/json_api/v1/buckets/setIamPolicy>.

use super::super::caller::Caller;
use super::super::policy::{Policy, Wanted};
use super::super::refusal::{Answer, Refusal};
use super::super::state::State;
use super::bucket::{find, find_mut};

/// Reads it, for one who knows of policies up to `version`.
pub(super) fn get(state: &State, caller: &Caller, bucket: &str, version: i64) -> Answer<Policy> {
    Ok(find(state, caller, bucket, "storage.buckets.getIamPolicy")?.policy.seen(version))
}

/// Replaces it.
pub(super) fn set(state: &mut State, caller: &Caller, bucket: &str, wanted: Wanted) -> Answer<Policy> {
    const PERMISSION: &str = "storage.buckets.setIamPolicy";
    let found = find(state, caller, bucket, PERMISSION)?;
    let everybody = |member: &String| matches!(member.as_str(), "allUsers" | "allAuthenticatedUsers");
    let public = wanted.policy.bindings.iter().any(|binding| binding.members.iter().any(everybody));
    if public && found.public_access_prevented() {
        // https://cloud.google.com/storage/docs/public-access-prevention
        return Err(Refusal::precondition(
            "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access \
             prevention is enforced.",
        ));
    }
    state.admits(&wanted.policy)?;
    let raced = state.switches.race();
    let conflict = state.switches.lost_race.spelled(|message| Refusal::precondition(message));
    let found = find_mut(state, caller, bucket, PERMISSION)?;
    if raced {
        found.policy.touch();
    }
    found.policy.replace(wanted, conflict)?;
    Ok(found.policy.clone())
}

/// Which of some permissions the caller has.
pub(super) fn test(state: &State, caller: &Caller, bucket: &str, permissions: Vec<String>) -> Vec<String> {
    let policy = state.buckets.get(bucket).map(|bucket| &bucket.policy);
    permissions.into_iter().filter(|permission| state.may(caller, permission, policy)).collect()
}
