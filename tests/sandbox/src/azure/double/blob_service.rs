//! The blob service of an account, CORS above all.
//!
//! <https://learn.microsoft.com/rest/api/storagerp/blob-services>
//!
//! The rules themselves are kept by Azurite, which applies them.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::answer::{Outcome, Refusal, ok};
use super::arm::Call;
use super::store::Account;
use super::{Service, Shared, accounts};

/// "You can include up to five CorsRule elements in the request."
pub(super) const RULES: usize = 5;

/// "The number of origins … cannot exceed 64", "256 characters"
/// <https://learn.microsoft.com/rest/api/storageservices/cross-origin-resource-sharing--cors--support-for-the-azure-storage-services>
const ORIGINS: usize = 64;
const ORIGIN_LENGTH: usize = 256;

/// The lists of a rule, in ARM and on the wire.
const LISTS: [(&str, &str); 4] = [
    ("allowedOrigins", "AllowedOrigins"),
    ("allowedMethods", "AllowedMethods"),
    ("exposedHeaders", "ExposedHeaders"),
    ("allowedHeaders", "AllowedHeaders"),
];

/// `GET …/blobServices/default`
/// <https://learn.microsoft.com/rest/api/storagerp/blob-services/get-service-properties>
pub(super) async fn get(shared: &Shared, call: &Call) -> Outcome {
    let account = accounts::ready(shared, call)?;
    let rules = rules(shared, &account.name).await?;
    ok(&document(&account, rules))
}

/// `PUT …/blobServices/default`: "If no CorsRule elements are included in the request body, all CORS
/// rules will be deleted, and CORS will be disabled for the Blob service." Of other sections that
/// are left out the page does not speak; here they go back to their defaults, as in any `PUT`.
/// <https://learn.microsoft.com/rest/api/storagerp/blob-services/set-service-properties>
pub(super) async fn put(shared: &Shared, call: &Call) -> Outcome {
    let account = accounts::ready(shared, call)?;
    let mut properties = call.body["properties"].as_object().cloned().unwrap_or_default();
    let cors = properties.remove("cors").unwrap_or_default();
    let rules = cors["corsRules"].as_array().cloned().unwrap_or_default();
    check(&rules)?;
    check_retention(&properties)?;
    set_rules(shared, &account.name, &rules).await?;
    let mut world = shared.world();
    let Some(account) = world.accounts.get_mut(&account.name) else {
        return Err(Refusal::broken("the account has gone meanwhile"));
    };
    // To set a default is to set nothing.
    properties.retain(|name, value| defaults().get(name) != Some(value));
    account.blob_service = properties;
    ok(&document(account, rules))
}

fn defaults() -> Map<String, Value> {
    let off = json!({ "enabled": false, "allowPermanentDelete": false });
    Map::from_iter([("deleteRetentionPolicy".to_owned(), off)])
}

fn document(account: &Account, rules: Vec<Value>) -> Value {
    let mut properties = defaults();
    properties.insert("cors".to_owned(), json!({ "corsRules": rules }));
    properties.extend(account.blob_service.clone());
    json!({
        "id": format!("{}/blobServices/default", account.id()), "name": "default",
        "type": "Microsoft.Storage/storageAccounts/blobServices",
        "sku": { "name": account.sku, "tier": account.sku.split('_').next() }, "properties": properties,
    })
}

/// "All five are required if the CorsRule element is present."
fn check(rules: &[Value]) -> Result<(), Refusal> {
    if rules.len() > RULES {
        return Err(Refusal::invalid("corsRules"));
    }
    for rule in rules {
        let lists = LISTS.iter().all(|(name, _)| rule[name].is_array());
        let origins = rule["allowedOrigins"].as_array().map(Vec::as_slice).unwrap_or_default();
        let long = |origin: &Value| origin.as_str().is_none_or(|origin| origin.len() > ORIGIN_LENGTH);
        if !lists
            || !rule["maxAgeInSeconds"].is_u64()
            || origins.is_empty()
            || origins.len() > ORIGINS
            || origins.iter().any(long)
        {
            return Err(Refusal::invalid("corsRules"));
        }
    }
    // "The size of all CORS rules (excluding XML tags) should not exceed 2 KiB."
    let texts =
        rules.iter().flat_map(|rule| LISTS.map(|(name, _)| rule[name].as_array().into_iter().flatten()));
    let size: usize = texts.flatten().filter_map(Value::as_str).map(str::len).sum();
    if size > 2048 { Err(Refusal::invalid("corsRules")) } else { Ok(()) }
}

/// "The minimum specified value can be 1 and the maximum value can be 365."
fn check_retention(properties: &Map<String, Value>) -> Result<(), Refusal> {
    for name in ["deleteRetentionPolicy", "containerDeleteRetentionPolicy"] {
        let policy = properties.get(name).unwrap_or(&Value::Null);
        let days = policy["days"].as_u64();
        if policy["enabled"] == true && !days.is_some_and(|days| (1..=365).contains(&days)) {
            return Err(Refusal::invalid(name));
        }
    }
    Ok(())
}

/// The rules, as ARM writes them.
pub(super) async fn rules(shared: &Shared, account: &str) -> Result<Vec<Value>, Refusal> {
    let path = format!("/{account}?restype=service&comp=properties");
    let reply = shared.plane.ask(Service::Blob, Method::GET, &path, &[], "").await?;
    let text = String::from_utf8_lossy(reply.body());
    let document = roxmltree::Document::parse(&text).map_err(Refusal::broken)?;
    let rules = document.descendants().filter(|node| node.tag_name().name() == "CorsRule");
    Ok(rules
        .map(|rule| {
            let text = |name: &str| {
                let child = rule.children().find(|child| child.tag_name().name() == name);
                child.and_then(|child| child.text()).unwrap_or_default().to_owned()
            };
            let mut shown = Map::new();
            for (name, tag) in LISTS {
                let list: Vec<_> =
                    text(tag).split(',').filter(|one| !one.is_empty()).map(Value::from).collect();
                shown.insert(name.to_owned(), list.into());
            }
            let age: u64 = text("MaxAgeInSeconds").parse().unwrap_or_default();
            shown.insert("maxAgeInSeconds".to_owned(), age.into());
            shown.into()
        })
        .collect())
}

/// Sections that are left out of a request to the data plane stay as they are.
/// <https://learn.microsoft.com/rest/api/storageservices/set-blob-service-properties>
pub(super) async fn set_rules(shared: &Shared, account: &str, rules: &[Value]) -> Result<(), Refusal> {
    let written: String = rules.iter().map(xml).collect();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><StorageServiceProperties><Cors>{written}</Cors>\
         </StorageServiceProperties>"
    );
    let path = format!("/{account}?restype=service&comp=properties");
    let headers = [("content-type", "application/xml")];
    let reply = shared.plane.ask(Service::Blob, Method::PUT, &path, &headers, body).await?;
    if reply.status().is_success() {
        return Ok(());
    }
    Err(Refusal::invalid("corsRules"))
}

fn xml(rule: &Value) -> String {
    let list = |(name, tag): (&str, &str)| {
        let values = rule[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let joined = values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        let escaped = joined.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!("<{tag}>{escaped}</{tag}>")
    };
    let lists: String = LISTS.into_iter().map(list).collect();
    format!("<CorsRule>{lists}<MaxAgeInSeconds>{}</MaxAgeInSeconds></CorsRule>", rule["maxAgeInSeconds"])
}
