//! The gate: what every request to Resource Manager has to pass, and where it goes from there.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::answer::{Outcome, Refusal, Reply, set};
use super::claims::{self, Caller};
use super::route::{self, Operation};
use super::store::guid;
use super::{
    Shared, accounts, blob_service, containers, event_subscriptions, groups, keys, listing, locks,
    operations, other_services, permissions, providers, queues, system_topics, token, trouble,
};

/// A request that may be one to Resource Manager.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Decoded, without the slash at its end.
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) raw: Bytes,
    /// Null when there is none.
    pub(super) body: Value,
}

impl Call {
    async fn read(request: Request<Body>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let raw = body.collect().await.map_err(Refusal::broken)?.to_bytes();
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy().trim_end_matches('/').to_owned();
        // Names of parameters are case-insensitive too.
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned()))
            .collect();
        let body = serde_json::from_slice(&raw).unwrap_or_default();
        Ok(Self { method: parts.method, path, query, headers: parts.headers, raw, body })
    }

    /// The n-th part of the path, from 0, as it was given.
    pub(super) fn part(&self, at: usize) -> &str {
        self.path.trim_start_matches('/').split('/').nth(at).unwrap_or_default()
    }

    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The part of the path before the last `/providers/`: what an extension resource is on.
    pub(super) fn scope(&self) -> &str {
        let at = self.path.to_ascii_lowercase().rfind("/providers/");
        at.map_or(self.path.as_str(), |at| &self.path[..at])
    }

    pub(super) fn subscription(&self) -> &str {
        self.part(1)
    }

    pub(super) fn group(&self) -> &str {
        self.part(3)
    }

    /// The storage account in the path.
    pub(super) fn account(&self) -> &str {
        self.part(7)
    }

    /// Where the client thinks that it is: URLs in answers lead back there, through any proxy.
    pub(super) fn host(&self) -> String {
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        format!("http://{host}")
    }
}

/// The handler of all requests.
pub(super) async fn serve(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    respond(shared, request).await.map(Body::from)
}

async fn respond(shared: Arc<Shared>, request: Request<Body>) -> Reply {
    let call = match Call::read(request).await {
        Ok(call) => call,
        Err(refusal) => return refusal.reply(),
    };
    if let Some(reply) =
        token::answer(&shared, &call.method, &call.path, &call.headers, &call.query, &call.raw)
    {
        return reply;
    }
    // What the cloud has received it does, whether or not the client is still there to hear of it.
    let work = tokio::spawn(async move { pass(&shared, &call).await });
    let mut reply = match work.await {
        Ok(Ok(reply)) => reply,
        Ok(Err(refusal)) => refusal.reply(),
        Err(panic) => Refusal::broken(panic).reply(),
    };
    set(&mut reply, "x-ms-request-id", &guid());
    set(&mut reply, "x-ms-correlation-request-id", &guid());
    reply
}

/// The order of the checks is that of Resource Manager: who, which version, which subscription, may
/// they, is the provider there, is it locked.
async fn pass(shared: &Shared, call: &Call) -> Outcome {
    let caller = authenticated(shared, call)?;
    versioned(call)?;
    let lower = call.path.to_ascii_lowercase();
    let parts: Vec<_> = lower.trim_start_matches('/').split('/').collect();
    visible(shared, call, &caller)?;
    let Some((operation, action)) = route::of(&call.method, &parts) else {
        let what = format!("No route for {} {}: nobody has built it here.", call.method, call.path);
        return Err(Refusal::new(404, "InvalidResourceType", what));
    };
    if operation != Operation::Poll {
        // Whoever may begin an operation may ask after it.
        allowed(shared, call, &caller, action)?;
    }
    if operation == Operation::PutEventSubscription {
        linked(shared, call, &caller, action)?;
    }
    let trouble = trouble::strike(shared, action)?;
    groups::exists(shared, call, operation)?;
    providers::registered(shared, call)?;
    locks::free(shared, call, operation)?;
    let reply = answer(shared, call, &caller, operation, trouble.as_ref()).await?;
    match trouble {
        Some(trouble) => trouble.instead_of(reply),
        None => Ok(reply),
    }
}

async fn answer(
    shared: &Shared,
    call: &Call,
    caller: &Caller,
    operation: Operation,
    trouble: Option<&trouble::Trouble>,
) -> Outcome {
    let fails = trouble.is_some_and(trouble::Trouble::fails_later);
    match operation {
        Operation::ListSubscriptions => groups::subscriptions(shared, call, caller),
        Operation::GetSubscription => groups::subscription(shared, call),
        Operation::ListGroups => groups::list(shared, call),
        Operation::GetGroup => groups::get(shared, call),
        Operation::PutGroup => groups::put(shared, call),
        Operation::ListPermissions => permissions::list(shared, call, caller),
        Operation::GetProvider => providers::get(shared, call),
        Operation::RegisterProvider => providers::register(shared, call),
        Operation::ListLocks => locks::list(shared, call),
        Operation::GetLock => locks::get(shared, call),
        Operation::PutLock => locks::put(shared, call),
        Operation::DeleteLock => locks::delete(shared, call),
        Operation::CheckName => accounts::check_name(shared, call),
        Operation::ListAccounts | Operation::ListAccountsOfGroup => accounts::list(shared, call),
        Operation::GetAccount => accounts::get(shared, call),
        Operation::PutAccount => accounts::put(shared, call, fails).await,
        Operation::PatchAccount => accounts::patch(shared, call),
        Operation::DeleteAccount => accounts::delete(shared, call).await,
        Operation::ListKeys => keys::list(shared, call),
        Operation::RegenerateKey => keys::regenerate(shared, call).await,
        Operation::AccountSas => keys::account_sas(shared, call),
        Operation::ServiceSas => keys::service_sas(shared, call),
        Operation::GetManagementPolicy => other_services::management_policy(shared, call),
        Operation::GetBlobService => blob_service::get(shared, call).await,
        Operation::PutBlobService => blob_service::put(shared, call).await,
        Operation::ListContainers => containers::list(shared, call).await,
        Operation::GetContainer => containers::get(shared, call).await,
        Operation::PutContainer => containers::put(shared, call).await,
        Operation::PatchContainer => containers::patch(shared, call).await,
        Operation::DeleteContainer => containers::delete(shared, call).await,
        Operation::GetQueueService => queues::service(shared, call),
        Operation::ListQueues => queues::list(shared, call).await,
        Operation::GetQueue => queues::get(shared, call).await,
        Operation::PutQueue => queues::put(shared, call).await,
        Operation::PatchQueue => queues::patch(shared, call).await,
        Operation::DeleteQueue => queues::delete(shared, call).await,
        Operation::ListTables => other_services::tables(shared, call),
        Operation::ListShares => other_services::shares(shared, call),
        Operation::ListEventSubscriptions => event_subscriptions::list(shared, call),
        Operation::ListRegionalEventSubscriptions => event_subscriptions::list_regional(shared, call),
        Operation::GetEventSubscription => event_subscriptions::get(shared, call),
        Operation::PutEventSubscription => event_subscriptions::put(shared, call, fails).await,
        Operation::PatchEventSubscription => event_subscriptions::patch(shared, call),
        Operation::DeleteEventSubscription => event_subscriptions::delete(shared, call),
        Operation::ListTopics | Operation::ListTopicsOfGroup => system_topics::list(shared, call),
        Operation::GetTopic => system_topics::get(shared, call),
        Operation::DeleteTopic => system_topics::delete(shared, call),
        Operation::Poll => operations::poll(shared, call),
    }
    .map(|reply| listing::same_client_id(call, reply))
}

/// <https://learn.microsoft.com/rest/api/azure/#create-the-request>
fn authenticated(shared: &Shared, call: &Call) -> Result<Caller, Refusal> {
    let world = shared.world();
    let tenant = world.subscriptions.get(&call.subscription().to_ascii_lowercase()).map(|one| &one.tenant);
    let challenge = |refusal: Refusal, why: &str| {
        let tenant = tenant.map(String::as_str).unwrap_or("common");
        let header = format!(
            "Bearer authorization_uri=\"https://login.windows.net/{tenant}\", error=\"invalid_token\", \
             error_description=\"{why}\""
        );
        refusal.header("www-authenticate", header)
    };
    let given = call.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = given.and_then(|value| value.strip_prefix("Bearer ")) else {
        let why = "The authentication failed because of missing 'Authorization' header.";
        let message = "Authentication failed. The 'Authorization' header is missing.";
        return Err(challenge(Refusal::new(401, "AuthenticationFailed", message), why));
    };
    world
        .issuer
        .read(token, claims::ARM)
        .map_err(|refusal| challenge(refusal, "The access token is not good here."))
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-invalid-template>:
/// "The api-version query parameter is required for all requests."
fn versioned(call: &Call) -> Result<(), Refusal> {
    let Some(version) = call.query.get("api-version") else {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Refusal::new(400, "MissingApiVersionParameter", message));
    };
    let shape: String = version.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00" && shape != "0000-00-00-preview" {
        let message = format!("The api-version '{version}' is invalid.");
        return Err(Refusal::new(400, "InvalidApiVersionParameter", message));
    }
    Ok(())
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>
fn visible(shared: &Shared, call: &Call, caller: &Caller) -> Result<(), Refusal> {
    let id = call.subscription();
    if !call.part(0).eq_ignore_ascii_case("subscriptions") || id.is_empty() {
        return Ok(());
    }
    let shape: String = id.chars().map(|c| if c.is_ascii_hexdigit() { '0' } else { c }).collect();
    if shape != "00000000-0000-0000-0000-000000000000" {
        let message = format!("The provided subscription identifier '{id}' is malformed or invalid.");
        return Err(Refusal::new(400, "InvalidSubscriptionId", message));
    }
    let world = shared.world();
    let Some(subscription) = world.subscriptions.get(&id.to_ascii_lowercase()) else {
        let message = format!("The subscription '{id}' could not be found.");
        return Err(Refusal::new(404, "SubscriptionNotFound", message));
    };
    if subscription.tenant != caller.tenant {
        let Caller { tenant: theirs, .. } = caller;
        let ours = &subscription.tenant;
        let message = format!(
            "The access token is from the wrong issuer 'https://sts.windows.net/{theirs}/'. It must match the \
             tenant 'https://sts.windows.net/{ours}/' associated with this subscription. Please use the \
             authority (URL) 'https://login.windows.net/{ours}' to get the token."
        );
        return Err(Refusal::new(401, "InvalidAuthenticationTokenTenant", message));
    }
    Ok(())
}

/// <https://learn.microsoft.com/azure/role-based-access-control/troubleshooting>
fn allowed(shared: &Shared, call: &Call, caller: &Caller, action: &str) -> Result<(), Refusal> {
    if !is_denied(shared, caller, action) {
        return Ok(());
    }
    let Caller { client, object, .. } = caller;
    let message = format!(
        "The client '{client}' with object id '{object}' does not have authorization to perform action \
         '{action}' over scope '{}' or the scope is invalid. If access was recently granted, please refresh \
         your credentials.",
        call.path
    );
    Err(Refusal::new(403, "AuthorizationFailed", message))
}

/// "you need to have write access on the resource that is the destination"
/// <https://learn.microsoft.com/azure/event-grid/security-authorization>
fn linked(shared: &Shared, call: &Call, caller: &Caller, action: &str) -> Result<(), Refusal> {
    let destination = &call.body["properties"]["destination"];
    let other = "Microsoft.Storage/storageAccounts/write";
    if destination["endpointType"] != "StorageQueue" || !is_denied(shared, caller, other) {
        return Ok(());
    }
    let Caller { client, object, .. } = caller;
    let message = format!(
        "The client '{client}' with object id '{object}' has permission to perform action '{action}' on scope \
         '{}'; however, it does not have permission to perform action '{other}' on the linked scope(s) {} or the \
         linked scope(s) are invalid.",
        call.path, destination["properties"]["resourceId"]
    );
    Err(Refusal::new(403, "LinkedAuthorizationFailed", message))
}

/// Whether somebody took this permission away, or a custom role does not give it.
pub(super) fn is_denied(shared: &Shared, caller: &Caller, action: &str) -> bool {
    let matches = |denied: &str| match denied.strip_suffix('*') {
        Some(start) => action.to_ascii_lowercase().starts_with(&start.to_ascii_lowercase()),
        None => action.eq_ignore_ascii_case(denied),
    };
    let world = shared.world();
    let taken = world.denied.iter().any(|(client, denied)| *client == caller.client && matches(denied));
    let role = world.roles.iter().find(|(client, _)| *client == caller.client);
    taken || role.is_some_and(|(_, role)| !gives(role, action))
}

/// Whether a custom role gives a permission: what is in `Actions` and not in `NotActions`, and the same for data.
/// <https://learn.microsoft.com/azure/role-based-access-control/role-definitions>
pub fn gives(role: &Value, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let lists = |name: &str| {
        let all = role[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.map(str::to_ascii_lowercase).any(|pattern| match pattern.split_once('*') {
            Some((start, end)) => {
                action.len() >= start.len() + end.len() && action.starts_with(start) && action.ends_with(end)
            }
            None => pattern == action,
        })
    };
    (lists("Actions") && !lists("NotActions")) || (lists("DataActions") && !lists("NotDataActions"))
}
