//! Converts an error of Azure: what failed, on what, why, and what to do next.

use std::fmt::Display;
use std::time::Duration;

use azure_core::error::ErrorKind;

use crate::error::{Error, Kind};
use crate::explain::{Explanations, Failed, Row, root_cause, unanswered, unread, unread_of, web_page};
use crate::http::Unread;
use crate::providers::azure::arm::Answer;
use crate::providers::azure::location::LOCATIONS;
use crate::text::{clean, word};

/// How long the deletion of a container or queue of the same name may take. The documentation says "at least
/// 30 seconds" and "at least 40 seconds"; minutes have been seen (Z13, Z14).
pub(crate) const BEING_DELETED_WITHIN: Duration = Duration::from_secs(600);

/// How long the creation of an account may take. Half a minute is usual.
pub(crate) const MADE_WITHIN: Duration = Duration::from_secs(600);

/// How long another operation may hold a storage account or an event subscription.
const CONFLICT_WITHIN: Duration = Duration::from_secs(300);

const GRANT: &str = "grant {permission}: `az role assignment create --assignee {object id} --role <a role \
                     with it> --scope {scope}` (`wbstore policy azure --for operator` prints a role with all \
                     required permissions; a new assignment takes up to 10 minutes)";

const LOGIN: &str = "run `az login`, or renew the secret of the service principal, and run again";

/// Explains why `action` (an Azure action such as `Microsoft.Storage/storageAccounts/write`) failed on
/// `target`, from an error of an SDK client.
pub(crate) fn failure(error: azure_core::Error, action: &str, target: impl Display) -> Error {
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
        _ if let Some(why) = unread_of(&error) => unread(&AZURE, &call, why),
        ErrorKind::Connection | ErrorKind::Io => unanswered(&AZURE, &call, &root_cause(&error)),
        _ => Error::new(Kind::Failed, call).because(clean(&error.to_string())),
    }
}

/// The codes of ARM, of the storage resource provider and of the data plane ("Common error codes for Azure
/// Resource Manager", "Status and error codes" of Storage Services).
const AZURE: Explanations = Explanations {
    cloud: "Azure",
    rows: &[
        Row::new(&["AuthorizationFailed", "LinkedAuthorizationFailed"], Kind::Denied, GRANT),
        Row::new(
            &["AuthenticationFailed", "InvalidAuthenticationToken"],
            Kind::Credentials,
            "the clock of this machine is off; set it and run again",
        )
        .saying("time frame"),
        Row::new(
            &[
                "AuthenticationFailed",
                "ExpiredAuthenticationToken",
                "InvalidAuthenticationToken",
                "AuthenticationFailedMissingToken",
                "MissingAuthenticationToken",
            ],
            Kind::Credentials,
            LOGIN,
        ),
        Row::new(
            &["InvalidAuthenticationTokenTenant"],
            Kind::Credentials,
            "the credentials belong to tenant {tenant of the token}, but the subscription belongs to tenant \
             {tenant}: run `az login --tenant {tenant}`, or set AZURE_TENANT_ID={tenant} with credentials of \
             that tenant",
        ),
        Row::new(
            &["SubscriptionNotFound", "InvalidSubscriptionId"],
            Kind::Refused,
            "these credentials have no access to that subscription; `az account list` shows those they have \
             access to, and `az account set --subscription <id>` or --subscription chooses one",
        ),
        Row::new(
            &["DisabledSubscription", "ReadOnlyDisabledSubscription"],
            Kind::Refused,
            "the subscription is disabled; ask its owner",
        ),
        Row::new(
            &["ResourceGroupNotFound"],
            Kind::Refused,
            "create it with `az group create --name <group> --location <region>`, or choose another with \
             --resource-group",
        ),
        Row::new(
            &["ResourceGroupBeingDeleted", "ResourceGroupDeletionBlocked"],
            Kind::Refused,
            "the resource group is being deleted; choose another with --resource-group",
        ),
        Row::new(
            &["ScopeLocked"],
            Kind::Refused,
            "a lock on {lock} forbids it; `az lock list` shows it, and its owner can remove it",
        ),
        Row::new(
            &["StorageAccountAlreadyTaken", "AccountNameAlreadyTaken"],
            Kind::Refused,
            "account names are globally unique, and an account deleted in the last 14 days may still reserve \
             its name; choose another with --account",
        ),
        Row::new(
            &["MissingSubscriptionRegistration", "SubscriptionNotRegistered"],
            Kind::Refused,
            "run `az provider register --namespace {provider} --wait`, or add `--register-provider`",
        ),
        Row::new(
            &["RequestDisallowedByPolicy"],
            Kind::Refused,
            "the Azure Policy assignment {policy} forbids it; ask its owner",
        ),
        Row::new(
            &["MaxStorageAccountsCountPerSubscriptionExceeded", "QuotaExceeded", "SubscriptionQuotaExceeded"],
            Kind::Refused,
            "delete an account that is not used, or request a higher quota: `az quota update`, or Usage + quotas \
             of the subscription in the portal",
        ),
        Row::new(
            &["KeyBasedAuthenticationNotPermitted"],
            Kind::Refused,
            "shared keys are disabled for this account, and the server requires one: allow them with \
             `az storage account update --allow-shared-key-access true`, or use another account",
        ),
        Row::new(
            &[
                "StorageAccountOperationInProgress",
                "AnotherOperationInProgress",
                "OperationInProgress",
                "OperationNotAllowedOnNonTerminalState",
                "ConcurrentUpdateError",
                "ResourceModified",
                "EtagMismatch",
                "Conflict",
            ],
            Kind::Conflict,
            "",
        )
        .within(CONFLICT_WITHIN),
        Row::new(&["StorageAccountIsNotProvisioned", "AccountBeingCreated"], Kind::NotYet, "")
            .within(MADE_WITHIN),
        Row::new(
            &["ContainerBeingDeleted", "QueueBeingDeleted", "ContainerBeingDisabled", "QueueDisabled"],
            Kind::NotYet,
            "",
        )
        .within(BEING_DELETED_WITHIN),
        Row::new(&["ContainerOperationFailure"], Kind::NotYet, "")
            .saying("being deleted")
            .within(BEING_DELETED_WITHIN),
        Row::new(
            &["TooManyRequests", "OperationNotAllowed", "ServerBusy", "SubscriptionRequestsThrottled"],
            Kind::Throttled,
            "",
        )
        .status(503),
        Row::new(
            &["LocationNotAvailableForResourceType", "InvalidLocation", "NoRegisteredProviderFound"],
            Kind::Refused,
            "choose another location with --location: {location}",
        ),
        Row::new(
            &["InvalidResourceLocation"],
            Kind::Refused,
            "it exists in another location; omit `--location`, or give its location",
        ),
        Row::new(
            &["AuthorizationPermissionMismatch", "InsufficientAccountPermissions"],
            Kind::Denied,
            "grant {permission} to these credentials, such as with the role Storage Blob Data Contributor; a new \
             role assignment takes up to 10 minutes",
        ),
        Row::new(
            &["AuthorizationFailure"],
            Kind::Denied,
            "the account's network rules reject this machine; add its address under Networking, or run \
             inside the network",
        ),
        Row::new(&[], Kind::NotYet, "").status(409).saying("being deleted").within(BEING_DELETED_WITHIN),
        // A hold, a lease or a policy is permanent, and has a code.
        Row::new(&[""], Kind::Conflict, "").status(409).within(CONFLICT_WITHIN),
    ],
    credentials: LOGIN,
    grant: GRANT,
    endpoint: "--arm-endpoint",
};

/// Explains an error response.
pub(crate) fn explain(answer: &Answer, action: &str, target: impl Display) -> Error {
    let said = answer.said();
    let message = said.message.as_str();
    let failed = Failed {
        permission: action,
        target: target.to_string(),
        code: &said.code,
        message,
        status: answer.status,
        html: answer.is_html(),
        retry_after: answer.retry_after(),
    };
    failed.explain(&AZURE, |hole| match hole {
        // Azure RBAC documentation, "Troubleshoot Azure RBAC".
        "permission" => quoted_after(message, "perform action ").map(str::to_owned),
        "object id" => quoted_after(message, "object id ").map(str::to_owned),
        "scope" => quoted_after(message, "over scope ").map(str::to_owned),
        "tenant of the token" => tenant(message, "wrong issuer "),
        "tenant" => tenant(message, "match the tenant ").or_else(|| tenant(message, "one of the tenants ")),
        "lock" => quoted_after(message, "locked: ").map(str::to_owned),
        "provider" => Some(quoted_after(message, "namespace ").unwrap_or("Microsoft.EventGrid").to_owned()),
        "policy" => policy(answer, message),
        "location" => Some(LOCATIONS.hint(quoted_after(message, "location ").unwrap_or_default())),
        _ => None,
    })
}

/// A success that Azure did not send.
pub(crate) fn not_azure(answer: &Answer, action: &str, target: impl Display) -> Error {
    let call = format!("{action} on {target}");
    if answer.is_html() {
        return web_page(&AZURE, &call, answer.status);
    }
    Error::new(Kind::Failed, format!("{call}: the response (HTTP status {}) is not Azure's", answer.status)).hint(
        "a proxy, a login page of the network or another server responded in place of Azure; check --arm-endpoint \
         and any proxy",
    )
}

/// The tenant in the issuer that follows `before`.
fn tenant(message: &str, before: &str) -> Option<String> {
    let issuer = quoted_after(message, before)?;
    issuer.trim_end_matches('/').rsplit('/').next().and_then(word).map(str::to_owned)
}

/// The name of the policy assignment that denies it: in `additionalInfo`, or in the message as JSON (Azure
/// Policy documentation, "Troubleshoot errors").
fn policy(answer: &Answer, message: &str) -> Option<String> {
    let info = &answer.error()["additionalInfo"];
    let listed = info.as_array().into_iter().flatten().find_map(|entry| {
        let info = &entry["info"];
        info["policyAssignmentDisplayName"].as_str().or_else(|| info["policyAssignmentName"].as_str())
    });
    let written = || message.split_once("\"policyAssignment\":{\"name\":\"")?.1.split('"').next();
    // A display name is several words.
    listed.or_else(written).filter(|name| name.split(' ').all(|part| word(part).is_some())).map(str::to_owned)
}

/// The quoted text after `before`, where it is a word.
fn quoted_after<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    word(message.split_once(before)?.1.strip_prefix('\'')?.split('\'').next()?)
}

/// Why there is no token. Entra's own words begin with a code such as AADSTS7000215 (Microsoft identity
/// platform, "Error codes").
fn credential(error: &azure_core::Error, call: &str) -> Error {
    if links(error).any(|error| matches!(error.kind(), ErrorKind::Connection | ErrorKind::Io))
        && !error.to_string().contains("AADSTS")
    {
        let cause = root_cause(error);
        let what = if cause.contains("token endpoint") {
            "failed to get a token"
        } else {
            "failed to reach the token endpoint"
        };
        return Error::new(Kind::Transient, format!("{call}: {what}"))
            .because(clean(&cause))
            .hint("check the network, any proxy, and AZURE_AUTHORITY_HOST");
    }
    if let Some(why) = unread_of(error) {
        let kind = if matches!(why, Unread::TooLarge(_)) { Kind::Failed } else { Kind::Transient };
        return Error::new(kind, format!("{call}: failed to get a token: {why}"))
            .hint("another server may have responded; check AZURE_AUTHORITY_HOST and any proxy");
    }
    // The pipeline wraps the message of the credential.
    let said = links(error).map(ToString::to_string).find(|text| !text.contains("will not be retried"));
    let said = said.unwrap_or_else(|| error.to_string());
    let words = clean(said.split("To troubleshoot").next().unwrap_or_default());
    let words = words.split(" Trace ID:").next().unwrap_or_default();
    let hint = match words {
        _ if words.contains("AADSTS7000215") || words.contains("AADSTS7000222") => {
            "the client secret is wrong or has expired; set AZURE_CLIENT_SECRET to a new one"
        }
        _ if words.contains("AADSTS700016") => {
            "AZURE_CLIENT_ID is not an application of that tenant; check it and AZURE_TENANT_ID"
        }
        _ if words.contains("AADSTS700024") => "the clock of this machine is off; set it and run again",
        _ if words.contains("AADSTS90002") || words.contains("AADSTS900023") => {
            "AZURE_TENANT_ID is not a tenant; `az account show --query tenantId` prints the right one"
        }
        _ => {
            "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; `wbstore plan \
             azure --offline` requires no credentials"
        }
    };
    Error::new(Kind::Credentials, "no usable Azure credentials were found")
        .because(words.to_owned())
        .hint(hint)
}

/// The errors of Azure's crates that `error` consists of.
pub(crate) fn links(error: &azure_core::Error) -> impl Iterator<Item = &azure_core::Error> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
        .filter_map(|error| error.downcast_ref::<azure_core::Error>())
}

#[cfg(test)]
mod tests;
