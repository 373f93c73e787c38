//! The project itself.

use serde_json::{Value, json};

use super::asked::Asked;
use super::caller::Caller;
use super::refusal::{Answer, Refusal};
use super::state::State;

/// `GET /storage/v1/projects/{project}/serviceAccount`, which makes the service agent if there is
/// none yet: <https://cloud.google.com/storage/docs/json_api/v1/projects/serviceAccount/get>.
pub(super) fn service_agent(state: &State, caller: &Caller, project: &str) -> Answer<Value> {
    ours(state, project)?;
    let permission = "resourcemanager.projects.get";
    if !state.may(caller, permission, None) {
        return Err(Refusal::denied(format!(
            "{} does not have {permission} access to the Google Cloud project. Permission '{permission}' \
             denied on resource (or it may not exist).",
            caller.name()
        )));
    }
    Ok(json!({"email_address": state.project.agent(), "kind": "storage#serviceAccount"}))
}

/// `GET /v1/projects/{project}` of `cloudresourcemanager.googleapis.com`:
/// <https://cloud.google.com/resource-manager/reference/rest/v1/projects/get>.
pub(super) fn get(state: &State, caller: &Caller, asked: &Asked, project: &str) -> Answer<Value> {
    state.serves("cloudresourcemanager.googleapis.com", asked.header("x-goog-user-project"))?;
    // A project that is not there and one that is not ours look the same.
    if !state.project.is(project) || !state.may(caller, "resourcemanager.projects.get", None) {
        return Err(Refusal::denied("The caller does not have permission"));
    }
    Ok(json!({
        "projectNumber": state.project.number, "projectId": state.project.id,
        "lifecycleState": "ACTIVE", "name": state.project.id,
    }))
}

/// `POST /v3/projects/{project}:testIamPermissions`, which requires no permission and returns those that the caller has:
/// <https://cloud.google.com/resource-manager/reference/rest/v3/projects/testIamPermissions>. A call may name 100.
pub(super) fn test_permissions(
    state: &State,
    caller: &Caller,
    asked: &Asked,
    project: &str,
) -> Answer<Value> {
    state.serves("cloudresourcemanager.googleapis.com", asked.header("x-goog-user-project"))?;
    if !state.project.is(project) {
        return Err(Refusal::denied("The caller does not have permission"));
    }
    let body = asked.json()?;
    let named: Vec<&str> =
        body["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if named.len() > 100 || named.iter().any(|permission| permission.contains('*')) {
        return Err(Refusal::invalid("Request contains an invalid argument."));
    }
    let held: Vec<&str> =
        named.into_iter().filter(|permission| state.holds(caller, permission, None)).collect();
    // An empty list is left out, as of every message.
    Ok(if held.is_empty() { json!({}) } else { json!({ "permissions": held }) })
}

/// Refuses any project but the one that is here.
pub(super) fn ours(state: &State, project: &str) -> Answer<()> {
    if state.project.is(project) {
        return Ok(());
    }
    let form = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if project.is_empty() || !project.chars().all(form) {
        return Err(Refusal::invalid(format!("Unknown project id: {project}")));
    }
    Err(Refusal::missing("The requested project was not found."))
}
