//! What `doctor` asks about Azure.

use std::env;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::Value;

use super::arm::{Call, version};
use super::deployment::{Azure, location_of_group, no_group};
use super::options::AzureOptions;
use super::resource_group::ResourceGroup;
use super::session::{Api, Session};
use super::subscription_id::SubscriptionId;
use crate::doctor::{
    CREDENTIALS, Common, Permission, Question, Tested, clock, common, faulted, judge, omitted, reads, unasked,
};
use crate::error::{Kind, Result};
use crate::policy::Audience;
use crate::provider::Wanted;
use crate::resource::Address;
use crate::retry::unless_busy;
use crate::secret::Secret;
use crate::text::clean;
use crate::verify::{Verdict, inconclusive, passed};

/// What the time of a signed request may be off by (Storage REST API, "Authorize with Shared Key"; the start of a SAS,
/// "Create a service SAS").
const ALLOWED_SKEW: SignedDuration = SignedDuration::from_mins(15);

pub(super) fn questions(options: AzureOptions, wanted: Wanted, is_named: bool) -> Vec<Question> {
    let (endpoints, subscription) = (options.names.endpoints(), options.names.place.subscription.clone());
    let session = common(async move { Session::open(endpoints, subscription.as_ref()).map(Arc::new) });
    let token = common({
        let session = session.clone();
        async move {
            let session = session.await?;
            session.token().await.map(Arc::new)
        }
    });
    let subscription = options.subscription().cloned();
    let group = options.resource_group().cloned();
    let api = common({
        let (session, token) = (session.clone(), token.clone());
        let (subscription, group) = (subscription.clone(), options.names.place.resource_group.clone());
        async move {
            token.await?;
            let group = group.as_ref().map_or("", ResourceGroup::as_str);
            session.await?.api(subscription?.as_str(), group, "")
        }
    });
    let mut all = vec![
        Question::new(CREDENTIALS, credentials(session.clone(), token.clone())),
        Question::new("identity", async move {
            match token.await {
                Ok(token) => identity(&token),
                Err(error) => unasked(&error),
            }
        }),
        Question::new("subscription", subscription_of(api.clone(), subscription.clone())),
        Question::new("location", location(api.clone(), options.clone())),
        Question::new("endpoint", endpoint(session.clone())),
        Question::new("clock", async move {
            match session.await {
                Ok(session) => clock(&session.home().1, ALLOWED_SKEW).await,
                Err(error) => unasked(&error),
            }
        }),
        Question::new("permissions", permissions(api, options.clone(), wanted.clone())),
    ];
    if is_named {
        all.push(Question::new("reads", async move {
            if let Err(error) = subscription.and(group) {
                return omitted(&error);
            }
            reads(&options, wanted).await
        }));
    }
    all
}

async fn credentials(session: Common<Arc<Session>>, token: Common<Arc<Secret>>) -> Verdict {
    let session = match session.await {
        Ok(session) => session,
        Err(error) => return faulted(&error),
    };
    match token.await {
        Ok(_) => passed(session.source().words()),
        Err(error) => faulted(&error),
    }
}

/// Whose token it is, by its claims (Microsoft identity platform, "Access token claims reference").
fn identity(token: &Secret) -> Verdict {
    let claims = token.reveal().split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value = claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
    let claim = |name: &str| claims[name].as_str().map(clean).filter(|value| !value.is_empty());
    let user = ["upn", "unique_name", "preferred_username"].into_iter().find_map(claim);
    let who = [
        user,
        claim("xms_mirid").map(|id| format!("managed identity {id}")),
        claim("appid").map(|id| format!("application {id}")),
        claim("oid").map(|id| format!("object {id}")),
        claim("tid").map(|id| format!("tenant {id}")),
    ];
    let who: Vec<_> = who.into_iter().flatten().collect();
    if who.is_empty() {
        return inconclusive("a token was issued, and its claims cannot be read");
    }
    passed(who.join(", "))
}

async fn subscription_of(api: Common<Arc<Api>>, subscription: Result<SubscriptionId>) -> Verdict {
    let subscription = match subscription {
        Ok(subscription) => subscription,
        Err(error) => return omitted(&error),
    };
    let api = match api.await {
        Ok(api) => api,
        Err(error) => return unasked(&error),
    };
    let at = Address::new("azure", "subscription", subscription.as_str());
    let action = "Microsoft.Resources/subscriptions/read";
    let call = Call { action, target: &at, version: version::SUBSCRIPTIONS };
    let is_variable = env::var("AZURE_SUBSCRIPTION_ID")
        .is_ok_and(|value| value.eq_ignore_ascii_case(subscription.as_str()));
    let source = if is_variable { "AZURE_SUBSCRIPTION_ID" } else { "--subscription" };
    let path = api.subscription_id();
    match unless_busy(|| api.arm.get(&path, call)).await {
        Ok(found) => {
            let found = found.unwrap_or_default();
            let field = |name: &str| found[name].as_str().map(clean).unwrap_or_default();
            let (name, state, tenant) = (field("displayName"), field("state"), field("tenantId"));
            passed(format!("{subscription} ({source}), {name}, {state}, tenant {tenant}"))
        }
        // A role for a resource group does not show the subscription.
        Err(error) if error.kind() == Kind::Denied => {
            inconclusive(format!("{subscription} ({source}): {}", error.chain()))
        }
        Err(error) => faulted(&error),
    }
}

async fn location(api: Common<Arc<Api>>, options: AzureOptions) -> Verdict {
    if let Some(location) = &options.location {
        return passed(format!("{location} (--location)"));
    }
    let group = match options.subscription().and(options.resource_group()) {
        Ok(group) => group,
        Err(error) => return omitted(&error),
    };
    let api = match api.await {
        Ok(api) => api,
        Err(error) => return unasked(&error),
    };
    match unless_busy(|| location_of_group(&api)).await {
        Ok(Some(location)) => passed(format!("{location} (the resource group {group})")),
        Ok(None) => faulted(&no_group(&api)),
        Err(error) => faulted(&error),
    }
}

async fn endpoint(session: Common<Arc<Session>>) -> Verdict {
    let session = match session.await {
        Ok(session) => session,
        Err(error) => return unasked(&error),
    };
    let custom = session.elsewhere();
    let (cloud, home) = session.home();
    if custom.is_empty() {
        return passed(format!("Azure's own, {cloud} at {home}"));
    }
    passed(custom.trim_start_matches(", "))
}

/// Whether the caller has the actions of the operator's role in the resource group.
async fn permissions(api: Common<Arc<Api>>, options: AzureOptions, wanted: Wanted) -> Verdict {
    let group = match options.subscription().and(options.resource_group()) {
        Ok(group) => group.clone(),
        Err(error) => return omitted(&error),
    };
    let policy = async { Azure::offline(options, wanted, None).await?.policy(Audience::Operator) }.await;
    let role = match policy {
        Ok(policy) => policy.document,
        Err(error) => return omitted(&error),
    };
    let api = match api.await {
        Ok(api) => api,
        Err(error) => return unasked(&error),
    };
    let held = match held(&api).await {
        Ok(held) => held,
        Err(error) => return inconclusive(error.chain()),
    };
    let actions: Vec<_> =
        role["Actions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let missing = actions.iter().filter(|action| !is_given(&held, action)).map(|action| Permission {
        name: (*action).to_owned(),
        target: format!("the resource group {group}"),
        only_for_teardown: action.ends_with("/delete"),
    });
    judge("azure", &Tested { count: actions.len(), missing: missing.collect(), on_example: false })
}

/// What the role assignments of the caller give in the resource group, one entry each (Authorization REST API,
/// "Permissions - List For Resource Group").
async fn held(api: &Api) -> Result<Vec<Value>> {
    let at = Address::new("azure", "resource-group", &api.resource_group);
    let action = "Microsoft.Authorization/permissions/read";
    let call = Call { action, target: &at, version: version::PERMISSIONS };
    let path = format!("{}/providers/Microsoft.Authorization/permissions", api.group_id());
    unless_busy(|| api.arm.list(&path, call)).await
}

/// Whether an assignment gives `action`: with its `actions` and without its `notActions`, which take away nothing that
/// another assignment gives (Azure RBAC documentation, "Understand Azure role definitions").
fn is_given(held: &[Value], action: &str) -> bool {
    held.iter().any(|entry| {
        let listed = |field: &str| {
            let patterns = entry[field].as_array().into_iter().flatten().filter_map(Value::as_str);
            patterns.into_iter().any(|pattern| covers(pattern, action))
        };
        listed("actions") && !listed("notActions")
    })
}

/// Whether `pattern`, in which an asterisk stands for any text, covers `action`. Case does not count.
fn covers(pattern: &str, action: &str) -> bool {
    wildmatch::WildMatch::new_case_insensitive(pattern).matches(action)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_action_is_given_by_any_assignment_that_does_not_exclude_it() {
        let read = "Microsoft.Storage/storageAccounts/read";
        let held = [
            json!({"actions": ["*"], "notActions": ["Microsoft.Storage/*/delete"]}),
            json!({"actions": ["microsoft.storage/storageaccounts/DELETE"], "notActions": []}),
        ];
        assert!(is_given(&held, read));
        assert!(is_given(&held, "Microsoft.Storage/storageAccounts/delete"));
        assert!(!is_given(&held[..1], "Microsoft.Storage/storageAccounts/delete"));
        assert!(!is_given(&[], read) && !is_given(&[json!({"actions": ["*/write"]})], read));
        assert!(is_given(&[json!({"actions": ["*/read"]})], read));
    }

    #[test]
    fn a_token_shows_whose_it_is_and_nothing_else() {
        let claims = URL_SAFE_NO_PAD.encode(json!({"oid": "o-1", "tid": "t-1", "appid": "a-1"}).to_string());
        let token = Secret::new(format!("head.{claims}.hunter2"));
        assert_eq!(identity(&token), passed("application a-1, object o-1, tenant t-1"));
        let opaque = identity(&Secret::new("hunter2".to_owned()));
        assert!(matches!(&opaque, Verdict::Inconclusive { reason } if !reason.contains("hunter2")));
    }
}
