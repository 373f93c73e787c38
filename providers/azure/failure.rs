//! Turns an error of Azure into one of ours: what failed, on what, why, and what to do next.

use std::fmt::Display;
use std::time::Duration;

use azure_core::error::ErrorKind;

use crate::error::{Error, Kind};
use crate::providers::azure::arm::Answer;
use crate::text::clean;

/// How long a container or queue of the same name may take to go away. The documentation says "at
/// least 30 seconds" and "at least 40 seconds"; minutes have been seen (Z13, Z14).
pub const BEING_DELETED_WITHIN: Duration = Duration::from_secs(600);

/// How long an account may take to be made. Half a minute is usual.
pub const MADE_WITHIN: Duration = Duration::from_secs(600);

/// How long another operation may hold a storage account or an event subscription.
const CONFLICT_WITHIN: Duration = Duration::from_secs(300);

const LOGIN: &str = "run `az login`, or renew the secret of the service principal, and run again";

/// Explains why `action` (an Azure action such as `Microsoft.Storage/storageAccounts/write`) failed on
/// `target`, from an error of an SDK client.
pub fn failure(error: azure_core::Error, action: &str, target: impl Display) -> Error {
    if let ErrorKind::HttpResponse { raw_response: Some(raw), .. } = error.kind() {
        return explain(&Answer::from((**raw).clone()), action, target);
    }
    let call = format!("{action} on {target}");
    match error.kind() {
        ErrorKind::HttpResponse { status, .. } if u16::from(*status) >= 500 => {
            Error::new(Kind::Transient, format!("{call}: HTTP status {status}"))
        }
        ErrorKind::HttpResponse { status, .. } => {
            Error::new(Kind::Failed, format!("{call}: HTTP status {status}"))
        }
        ErrorKind::Credential => credential(&error, &call),
        ErrorKind::Connection | ErrorKind::Io => unreachable_host(&error, &call),
        _ => Error::new(Kind::Failed, call).because(clean(&error.to_string())),
    }
}

/// Explains an answer that is no success.
pub fn explain(answer: &Answer, action: &str, target: impl Display) -> Error {
    let call = format!("{action} on {target}");
    let said = answer.said();
    let (code, message) = (said.code.as_str(), said.message.as_str());
    let text = match (code.is_empty(), message.is_empty()) {
        (false, false) => format!("{call}: {code}: {message}"),
        (false, true) => format!("{call}: {code}"),
        (true, _) => format!("{call}: HTTP status {}", answer.status),
    };
    let error = |kind| Error::new(kind, text.clone());
    let error = match code {
        "AuthorizationFailed" | "LinkedAuthorizationFailed" => {
            error(Kind::Denied).hint(grant(message, action))
        }
        "AuthenticationFailed"
        | "ExpiredAuthenticationToken"
        | "InvalidAuthenticationToken"
        | "AuthenticationFailedMissingToken"
        | "MissingAuthenticationToken" => error(Kind::Credentials).hint(LOGIN),
        "InvalidAuthenticationTokenTenant" => error(Kind::Credentials).hint(tenants(message)),
        "SubscriptionNotFound" | "InvalidSubscriptionId" => error(Kind::Refused).hint(
            "these credentials cannot see that subscription; `az account list` shows those they can, and \
             `az account set --subscription <id>` or --subscription chooses one",
        ),
        "DisabledSubscription" | "ReadOnlyDisabledSubscription" => {
            error(Kind::Refused).hint("the subscription is switched off; ask whoever pays for it")
        }
        "ResourceGroupNotFound" => error(Kind::Refused)
            .hint("make it with `az group create --name <group> --location <region>`, or name another"),
        "ResourceGroupBeingDeleted" | "ResourceGroupDeletionBlocked" => {
            error(Kind::Refused).hint("the resource group is being deleted; name another")
        }
        "ScopeLocked" => error(Kind::Refused).hint(locked(message)),
        "StorageAccountAlreadyTaken" | "AccountNameAlreadyTaken" => error(Kind::Refused).hint(
            "account names are shared by everybody, and an account deleted in the last 14 days may keep its \
             name; choose another with --account",
        ),
        "MissingSubscriptionRegistration" | "SubscriptionNotRegistered" => {
            error(Kind::Refused).hint(register(message))
        }
        "RequestDisallowedByPolicy" => error(Kind::Refused).hint(match policy(answer, message) {
            Some(name) => format!("the Azure Policy assignment `{name}` forbids it; ask its owner"),
            None => "an Azure Policy assignment forbids it; ask its owner".to_owned(),
        }),
        "KeyBasedAuthenticationNotPermitted" => error(Kind::Refused).hint(
            "shared keys are switched off for this account, and the server needs one: allow them with \
             `az storage account update --allow-shared-key-access true`, or use another account",
        ),
        "StorageAccountOperationInProgress"
        | "AnotherOperationInProgress"
        | "OperationNotAllowedOnNonTerminalState"
        | "ConcurrentUpdateError"
        | "ResourceModified"
        | "EtagMismatch"
        | "Conflict" => error(Kind::Conflict).within(CONFLICT_WITHIN),
        "StorageAccountIsNotProvisioned" => error(Kind::NotYet).within(MADE_WITHIN),
        "ContainerBeingDeleted" | "QueueBeingDeleted" | "ContainerBeingDisabled" | "QueueDisabled" => {
            error(Kind::NotYet).within(BEING_DELETED_WITHIN)
        }
        "ContainerOperationFailure" if message.contains("being deleted") => {
            error(Kind::NotYet).within(BEING_DELETED_WITHIN)
        }
        "TooManyRequests" | "OperationNotAllowed" | "ServerBusy" | "SubscriptionRequestsThrottled"
            if answer.status == 429 || answer.status == 503 =>
        {
            error(Kind::Throttled)
        }
        "LocationNotAvailableForResourceType" | "InvalidLocation" | "NoRegisteredProviderFound" => {
            error(Kind::Refused).hint("name another region with --location; `az account list-locations` shows them")
        }
        "InvalidResourceLocation" => {
            error(Kind::Refused).hint("it is there in another region; leave --location out, or name that one")
        }
        "AuthorizationPermissionMismatch" | "InsufficientAccountPermissions" => {
            error(Kind::Denied).hint(format!(
                "grant {action} to these credentials, such as with the role Storage Blob Data Contributor; a new \
                 role assignment takes up to 10 minutes"
            ))
        }
        "AuthorizationFailure" => error(Kind::Denied).hint(
            "the account's network rules do not let this machine in; add its address under Networking, or run \
             from inside the network",
        ),
        _ if answer.is_html() => Error::new(
            if answer.status >= 500 { Kind::Transient } else { Kind::Failed },
            format!("{call}: the endpoint answered with a web page (HTTP status {})", answer.status),
        )
        .hint("something between here and Azure answers in its place; check --arm-endpoint and any proxy"),
        _ if answer.status == 429 => error(Kind::Throttled),
        // Neither passes (RFC 9110, sections 15.6.2 and 15.6.6).
        _ if matches!(answer.status, 501 | 505) => error(Kind::Failed)
            .hint("the endpoint does not support this call; check --arm-endpoint and any proxy"),
        _ if answer.status >= 500 || answer.status == 408 => error(Kind::Transient),
        _ if answer.status == 401 => error(Kind::Credentials).hint(LOGIN),
        _ if answer.status == 403 => error(Kind::Denied).hint(grant(message, action)),
        _ if answer.status == 409 && message.contains("being deleted") => {
            error(Kind::NotYet).within(BEING_DELETED_WITHIN)
        }
        // What is held by a hold, a lease or a policy does not pass by itself.
        "" if answer.status == 409 => error(Kind::Conflict).within(CONFLICT_WITHIN),
        _ => error(Kind::Failed),
    };
    match answer.retry_after() {
        Some(wait) => error.retry_after(wait),
        None => error,
    }
}

/// The hint of a refusal by Azure RBAC, whose message names action, scope and object id (Azure RBAC
/// documentation, "Troubleshoot Azure RBAC").
fn grant(message: &str, action: &str) -> String {
    let action = quoted_after(message, "perform action ").unwrap_or(action);
    let who = quoted_after(message, "object id ").unwrap_or("<object id>");
    let scope = quoted_after(message, "over scope ").unwrap_or("<scope>");
    format!(
        "grant {action}: `az role assignment create --assignee {who} --role <a role with it> --scope {scope}` \
         (`wbstore policy azure --for operator` prints a role with all that is needed; a new assignment takes up \
         to 10 minutes)"
    )
}

/// The hint for a token of another tenant, whose message names the token's issuer and the subscription's.
fn tenants(message: &str) -> String {
    let tenant = |before| {
        let issuer = quoted_after(message, before)?;
        issuer.trim_end_matches('/').rsplit('/').next()
    };
    match (tenant("wrong issuer "), tenant("match the tenant ").or_else(|| tenant("one of the tenants "))) {
        (Some(token), Some(subscription)) => format!(
            "the credentials are of tenant {token}, the subscription is of tenant {subscription}: run `az login \
             --tenant {subscription}`, or set AZURE_TENANT_ID={subscription} with credentials of that tenant"
        ),
        _ => "the credentials are of another tenant than the subscription: run `az login --tenant <tenant>`, or \
              set AZURE_TENANT_ID"
            .to_owned(),
    }
}

fn locked(message: &str) -> String {
    match quoted_after(message, "locked: ") {
        Some(scope) => {
            format!("a lock on {scope} forbids it; `az lock list` names it, and its owner can lift it")
        }
        None => "a lock forbids it; `az lock list` names it, and its owner can lift it".to_owned(),
    }
}

fn register(message: &str) -> String {
    let provider = quoted_after(message, "namespace ").unwrap_or("Microsoft.EventGrid");
    format!("run `az provider register --namespace {provider} --wait`, or pass --register-provider")
}

/// The name of the policy assignment that stands in the way: in `additionalInfo`, or in the message as
/// JSON (Azure Policy documentation, "Troubleshoot errors").
fn policy(answer: &Answer, message: &str) -> Option<String> {
    let info = &answer.error()["additionalInfo"];
    let listed = info.as_array().into_iter().flatten().find_map(|entry| {
        let info = &entry["info"];
        info["policyAssignmentDisplayName"].as_str().or_else(|| info["policyAssignmentName"].as_str())
    });
    let written = || message.split_once("\"policyAssignment\":{\"name\":\"")?.1.split('"').next();
    listed.or_else(written).map(clean)
}

/// What stands in quotes after `before`.
fn quoted_after<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    message.split_once(before)?.1.strip_prefix('\'')?.split('\'').next()
}

/// Why there is no token. Entra's own words begin with a code such as AADSTS7000215 (Microsoft identity
/// platform, "Error codes").
fn credential(error: &azure_core::Error, call: &str) -> Error {
    if links(error).any(|error| matches!(error.kind(), ErrorKind::Connection | ErrorKind::Io))
        && !error.to_string().contains("AADSTS")
    {
        return Error::new(Kind::Transient, format!("{call}: the token endpoint cannot be reached"))
            .because(clean(&root_cause(error)))
            .hint("check the network, any proxy, and AZURE_AUTHORITY_HOST");
    }
    // The pipeline puts words of its own around what the credential says.
    let said = links(error).map(ToString::to_string).find(|text| !text.contains("will not be retried"));
    let said = said.unwrap_or_else(|| error.to_string());
    let words = clean(said.split("To troubleshoot").next().unwrap_or_default());
    let words = words.split(" Trace ID:").next().unwrap_or_default();
    let hint = match words {
        _ if words.contains("AADSTS7000215") || words.contains("AADSTS7000222") => {
            "the client secret is wrong or has expired; set AZURE_CLIENT_SECRET to a new one"
        }
        _ if words.contains("AADSTS700016") => {
            "AZURE_CLIENT_ID names no application of that tenant; check it and AZURE_TENANT_ID"
        }
        _ if words.contains("AADSTS90002") || words.contains("AADSTS900023") => {
            "AZURE_TENANT_ID names no tenant; `az account show --query tenantId` prints the right one"
        }
        _ => {
            "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; \
             `wbstore plan azure --offline` needs none"
        }
    };
    Error::new(Kind::Credentials, "no usable Azure credentials were found")
        .because(words.to_owned())
        .hint(hint)
}

fn unreachable_host(error: &azure_core::Error, call: &str) -> Error {
    let cause = root_cause(error);
    let what = if cause.contains("timed out") { "no answer in time" } else { "cannot reach the endpoint" };
    Error::new(Kind::Transient, format!("{call}: {what}"))
        .because(clean(&cause))
        .hint("check the network, any proxy, and --arm-endpoint")
}

/// The errors of Azure's crates that `error` is made of.
fn links(error: &azure_core::Error) -> impl Iterator<Item = &azure_core::Error> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
        .filter_map(|error| error.downcast_ref::<azure_core::Error>())
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests;
