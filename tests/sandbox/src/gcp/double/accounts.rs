//! `iam.googleapis.com` and `iamcredentials.googleapis.com`: service accounts.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::Method;
use serde_json::{Value, json};

use super::asked::Asked;
use super::caller::Caller;
use super::keys;
use super::policy::Wanted;
use super::refusal::{Answer, Refusal};
use super::state::State;

/// `/v1/projects/*/serviceAccounts/{email}`, with or without a verb after a colon.
pub(super) fn answer(state: &mut State, caller: &Caller, asked: &Asked) -> Answer<Value> {
    let parts = asked.parts();
    let [_, _, project, _, name] = parts.as_slice() else {
        return Err(Refusal::unknown_call(&asked.path));
    };
    let (email, verb) = name.split_once(':').unwrap_or((name, ""));
    let service = if matches!(verb, "signBlob" | "generateAccessToken") {
        "iamcredentials.googleapis.com"
    } else {
        "iam.googleapis.com"
    };
    state.serves(service, asked.header("x-goog-user-project"))?;
    // "-" stands for whatever project the account is of.
    let here = project == "-" || state.project.is(project);
    match (&asked.method, verb) {
        // https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/get
        (&Method::GET, "") => {
            allow(state, caller, email, "iam.serviceAccounts.get")?;
            exists(state, here, email)?;
            Ok(json!({
                "name": format!("projects/{}/serviceAccounts/{email}", state.project.id),
                "projectId": state.project.id, "uniqueId": "100000000000000000000", "email": email,
                "oauth2ClientId": "100000000000000000000", "etag": "MDEwMjE5MjA=",
            }))
        }
        // https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/getIamPolicy
        (&Method::POST, "getIamPolicy") => {
            allow(state, caller, email, "iam.serviceAccounts.getIamPolicy")?;
            let version = asked.number("options.requestedPolicyVersion")?.unwrap_or_default();
            exists(state, here, email)?;
            Ok(state.accounts[email].seen(version).json())
        }
        // https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/setIamPolicy
        (&Method::POST, "setIamPolicy") => {
            allow(state, caller, email, "iam.serviceAccounts.setIamPolicy")?;
            exists(state, here, email)?;
            let wanted = Wanted::request(&asked.json()?)?;
            state.admits(&wanted.policy)?;
            let raced = state.switches.race();
            let conflict = state.switches.lost_race.spelled(|message| Refusal::raced(message));
            let Some(policy) = state.accounts.get_mut(email) else { return Err(unknown(email)) };
            if raced {
                policy.touch();
            }
            policy.replace(wanted, conflict)?;
            Ok(policy.json())
        }
        // https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
        (&Method::POST, "generateAccessToken") => {
            allow(state, caller, email, "iam.serviceAccounts.getAccessToken")?;
            exists(state, here, email)?;
            if !asked.json()?["scope"].is_array() {
                return Err(Refusal::invalid("Request contains an invalid argument."));
            }
            let end = super::time::later(jiff::Timestamp::now(), 3600);
            Ok(json!({"accessToken": super::caller::token(email), "expireTime": super::time::text(end)}))
        }
        // https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
        (&Method::POST, "signBlob") => {
            allow(state, caller, email, "iam.serviceAccounts.signBlob")?;
            exists(state, here, email)?;
            let body = asked.json()?;
            let payload = BASE64_STANDARD.decode(body["payload"].as_str().unwrap_or_default());
            let payload = payload.map_err(|_| Refusal::invalid("Invalid value at 'payload'"))?;
            let signed = BASE64_STANDARD.encode(keys::sign(&payload));
            Ok(json!({"keyId": "0123456789abcdef", "signedBlob": signed}))
        }
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

fn allow(state: &State, caller: &Caller, email: &str, permission: &str) -> Answer<()> {
    if state.may(caller, permission, state.accounts.get(email)) {
        return Ok(());
    }
    let message = format!("Permission '{permission}' denied on resource (or it may not exist).");
    let resource = format!("projects/{}/serviceAccounts/{email}", state.project.id);
    Err(Refusal::denied(message).info(
        "IAM_PERMISSION_DENIED",
        "iam.googleapis.com",
        &[("permission", permission.to_owned()), ("resource", resource)],
    ))
}

fn exists(state: &State, here: bool, email: &str) -> Answer<()> {
    if here && state.accounts.contains_key(email) { Ok(()) } else { Err(unknown(email)) }
}

fn unknown(email: &str) -> Refusal {
    Refusal::missing(format!("Unknown service account: {email}"))
}
